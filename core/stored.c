/* SPDX-License-Identifier: Apache-2.0 */
/* What sonde.db says of scans.  It is another user's file: nothing in it is trusted. */
#include <string.h>
#include <sys/stat.h>

#include "agent.h"
#include "cleanup.h"
#include "db.h"
#include "json.h"

/* A number that no host reaches is no scan's. */
#define SCAN_MAX (INT64_C(1) << 32)

/* sonde.db, when it is what store left there: its folder belongs to others, too. */
static struct db *
open_results(const struct agent *agent)
{
    struct db *db = NULL;
    char path[PATH_MAX];
    struct stat st;

    setup_path(agent, path, "results/sonde.db");
    if (lstat(path, &st) < 0)
        return NULL;
    if (!S_ISREG(st.st_mode) || st.st_uid != agent->store_user.uid) {
        log_error("%s: is no file of user %u; not read", path, agent->store_user.uid);
        return NULL;
    }
    return db_open_readonly(path, &db) < 0 ? NULL : db;
}

/* {kind: count} of the kinds that the scan covered; the caller frees it. */
static char *
covered_records(struct db *db, int64_t scan)
{
    struct db_rows *rows = NULL;
    char *text = NULL;
    size_t len = 0;
    FILE *f = open_memstream(&text, &len);
    struct json_out out;

    if (!f)
        return NULL;
    json_out_init(&out, f);
    json_out_object(&out, NULL);
    if (db_query(db, &rows,
                 "SELECT kind, records FROM coverage WHERE scan=? ORDER BY kind", "i",
                 scan) == 0)
        while (db_next(rows) == 1)
            if (db_text(rows, 0, NULL))
                json_out_int(&out, db_text(rows, 0, NULL), db_int(rows, 1));
    db_rows_done(rows);
    json_out_end(&out, '}');
    if (fclose(f) != 0) {
        free(text);
        return NULL;
    }
    return text;
}

/* What store would have said of the scan, for .done; NULL when it cannot be had. */
static struct json *
summary_of(const char *records, const char *changes)
{
    struct json *summary = NULL;
    char text[16 * 1024];
    int n =
        snprintf(text, sizeof text, "{\"records\":%s,\"changes\":%s}", records, changes);

    if (n > 0 && (size_t)n < sizeof text)
        json_parse(text, (size_t)n, &summary, NULL);
    return summary;
}

static bool
read_row(struct db *db, struct db_rows *row, int64_t scan, struct stored *ret)
{
    static const char *const words[] = {TICKET_DONE, TICKET_INCOMPLETE, TICKET_FAILED};
    const char *outcome = db_text(row, 0, NULL), *reason = db_text(row, 1, NULL);

    for (size_t i = 0; outcome && i < sizeof words / sizeof words[0]; i++)
        if (strcmp(words[i], outcome) == 0)
            strcpy(ret->outcome, outcome);
    ret->records = covered_records(db, scan);
    if (!ret->outcome[0] || !ret->records)
        return false;
    snprintf(ret->reason, sizeof ret->reason, "%s", reason ? reason : "");
    snprintf(ret->changes, sizeof ret->changes,
             "{\"added\":%lld,\"changed\":%lld,\"removed\":%lld}",
             (long long)db_int(row, 3), (long long)db_int(row, 4),
             (long long)db_int(row, 5));
    ret->end = (struct queue_end){ret->outcome, ret->reason,  db_real(row, 2),
                                  ret->records, ret->changes, 0};
    ret->summary = summary_of(ret->records, ret->changes);
    return true;
}

bool
stored_read(const struct agent *agent, const struct queue_scan *scan, struct stored *ret)
{
    struct db *db = open_results(agent);
    struct db_rows *rows = NULL;
    bool found = false;

    *ret = (struct stored){.records = NULL};
    if (db &&
        db_query(db, &rows,
                 "SELECT outcome, reason, cpu_seconds, added, changed, removed FROM scans"
                 " WHERE id=? AND application=?",
                 "is", scan->id, scan->application) == 0 &&
        db_next(rows) == 1)
        found = read_row(db, rows, scan->id, ret);
    db_rows_done(rows);
    db_close(db);
    return found;
}

void
stored_done(struct stored *stored)
{
    json_free(stored->summary);
    free(stored->records);
}

int64_t
stored_last(const struct agent *agent)
{
    struct db *db = open_results(agent);
    struct db_rows *rows = NULL;
    int64_t last = 0;

    if (db && db_query(db, &rows, "SELECT max(id) FROM scans", "") == 0 &&
        db_next(rows) == 1 && db_int(rows, 0) < SCAN_MAX)
        last = db_int(rows, 0);
    db_rows_done(rows);
    db_close(db);
    return last;
}
