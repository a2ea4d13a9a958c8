/* SPDX-License-Identifier: Apache-2.0 */
/* After a restart: what became of the scans that were running.  The application's lock says
 * whether a store is still at it; the scan's row in sonde.db says whether it is stored.
 */
#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent.h"
#include "cleanup.h"
#include "db.h"

enum { RUNNING_MAX = 64, ATTEMPTS_MAX = 2 };

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
summary_of(struct db_rows *scan, const char *records)
{
    struct json *summary = NULL;
    char text[16 * 1024];
    int n = snprintf(text, sizeof text,
                     "{\"records\":%s,\"changes\":{\"added\":%lld,\"changed\":%lld,"
                     "\"removed\":%lld}}",
                     records, (long long)db_int(scan, 3), (long long)db_int(scan, 4),
                     (long long)db_int(scan, 5));

    if (n > 0 && (size_t)n < sizeof text)
        json_parse(text, (size_t)n, &summary, NULL);
    return summary;
}

/* End the tickets as the row says.  What it says is another user's word. */
static bool
end_as_row(struct agent *agent, const struct queue_scan *scan, struct db *db,
           struct db_rows *row)
{
    static const char *const words[] = {TICKET_DONE, TICKET_INCOMPLETE, TICKET_FAILED};
    const char *outcome = db_text(row, 0, NULL), *reason = db_text(row, 1, NULL);
    cleanup_free char *records = covered_records(db, scan->id);
    struct queue_end end = {NULL, reason ? reason : "", db_real(row, 2), records, 0};
    struct json *summary;
    int r = -EINVAL;

    for (size_t i = 0; outcome && i < sizeof words / sizeof words[0]; i++)
        if (strcmp(words[i], outcome) == 0)
            end.outcome = words[i];
    if (!end.outcome || !records)
        return false;
    summary = summary_of(row, records);
    r = job_ended(agent, scan->application, scan->id, &end, summary);
    json_free(summary);
    if (r < 0)
        agent_retry_later(agent);
    return true;
}

bool
recover_as_stored(struct agent *agent, const struct queue_scan *scan)
{
    struct db *db = open_results(agent);
    struct db_rows *rows = NULL;
    bool stored = false;

    if (db &&
        db_query(db, &rows,
                 "SELECT outcome, reason, cpu_seconds, added, changed, removed FROM scans"
                 " WHERE id=? AND application=?",
                 "is", scan->id, scan->application) == 0 &&
        db_next(rows) == 1)
        stored = end_as_row(agent, scan, db, rows);
    db_rows_done(rows);
    db_close(db);
    return stored;
}

static void
decide(struct agent *agent, const struct queue_scan *scan)
{
    static const struct queue_end twice = {
        TICKET_FAILED, "interrupted twice: the agent or the host ended while it ran", 0,
        NULL, 0};
    int r = 0;

    if (recover_as_stored(agent, scan))
        return;
    if (scan->attempts >= ATTEMPTS_MAX)
        r = job_ended(agent, scan->application, scan->id, &twice, NULL);
    else if ((r = queue_requeue(agent->queue, scan->id, false)) >= 0)
        log_warning("scan %lld of %s: was running when the agent ended; queued again",
                    (long long)scan->id, scan->application);
    if (r < 0)
        agent_retry_later(agent);
}

void
recover(struct agent *agent)
{
    struct queue_scan scans[RUNNING_MAX];
    int n = queue_scans(agent->queue, TICKET_RUNNING, scans, RUNNING_MAX);

    for (int i = 0; i < n; i++) {
        cleanup_fd int lock = -1;

        if (job_of_scan(agent, scans[i].id))
            continue; /* ours */
        lock = job_lock(agent, scans[i].application);
        if (lock >= 0)
            decide(agent, &scans[i]);
        else
            agent_retry_later(agent);
    }
}

/* Numbers of scans in sonde.db are taken, whatever queue.db remembers. */
void
recover_numbers(struct agent *agent)
{
    struct db *db = open_results(agent);
    struct db_rows *rows = NULL;

    if (db && db_query(db, &rows, "SELECT max(id) FROM scans", "") == 0 &&
        db_next(rows) == 1 && db_int(rows, 0) < SCAN_MAX)
        queue_reserve(agent->queue, db_int(rows, 0));
    db_rows_done(rows);
    db_close(db);
}

void
recover_spool(struct agent *agent)
{
    cleanup_dir DIR *dir = NULL;
    struct dirent *entry;
    char path[PATH_MAX];

    setup_path(agent, path, "spool");
    dir = opendir(path);
    while (dir && (entry = readdir(dir)))
        if (entry->d_name[0] != '.')
            unlinkat(dirfd(dir), entry->d_name, 0);
}
