/* SPDX-License-Identifier: Apache-2.0 */
/* After a restart: what became of the scans that were running.  The application's lock says
 * whether a store is still at it; the scan's row in sonde.db says whether it is stored.
 */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "agent.h"
#include "cleanup.h"
#include "db.h"

enum { RUNNING_MAX = 64, RETRY_MS = 200, ATTEMPTS_MAX = 2 };

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
            json_out_int(&out, db_text(rows, 0, NULL), db_int(rows, 1));
    db_rows_done(rows);
    json_out_end(&out, '}');
    fclose(f);
    return text;
}

/* True when sonde.db has the scan, and its tickets have ended as it says. */
static bool
end_as_stored(struct agent *agent, const struct queue_scan *scan)
{
    struct db_rows *rows = NULL;
    struct db *db = NULL;
    char path[PATH_MAX];
    bool stored = false;

    setup_path(agent, path, "results/sonde.db");
    if (db_open_readonly(path, &db) < 0)
        return false;
    if (db_query(
            db, &rows,
            "SELECT outcome, reason, cpu_seconds FROM scans WHERE id=? AND application=?",
            "is", scan->id, scan->application) == 0 &&
        db_next(rows) == 1) {
        cleanup_free char *records = covered_records(db, scan->id);
        struct queue_end end = {db_text(rows, 0, NULL), db_text(rows, 1, NULL),
                                db_real(rows, 2), records, 0};

        job_ended(agent, scan->application, scan->id, &end, NULL);
        stored = true;
    }
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

    if (end_as_stored(agent, scan))
        return;
    if (scan->attempts >= ATTEMPTS_MAX) {
        job_ended(agent, scan->application, scan->id, &twice, NULL);
        return;
    }
    log_warning("scan %lld of %s: was running when the agent ended; queued again",
                (long long)scan->id, scan->application);
    if (queue_requeue(agent->queue, scan->id, false) < 0)
        log_error("scan %lld of %s: could not be queued again", (long long)scan->id,
                  scan->application);
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
            uv_timer_start(&agent->retry, agent_on_retry, RETRY_MS, 0);
    }
}

/* Numbers of scans in sonde.db are taken, whatever queue.db remembers. */
void
recover_numbers(struct agent *agent)
{
    struct db_rows *rows = NULL;
    struct db *db = NULL;
    char path[PATH_MAX];

    setup_path(agent, path, "results/sonde.db");
    if (db_open_readonly(path, &db) < 0)
        return;
    if (db_query(db, &rows, "SELECT max(id) FROM scans", "") == 0 && db_next(rows) == 1)
        queue_reserve(agent->queue, db_int(rows, 0));
    db_rows_done(rows);
    db_close(db);
}
