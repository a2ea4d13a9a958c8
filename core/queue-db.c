/* SPDX-License-Identifier: Apache-2.0 */
/* queue.db itself: its tables, what makes them whole, and what of them is kept. */
#include "queue-db.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "timestamp.h"

enum { DAY_S = 86400 };

int64_t queue_days_max = 400, queue_bytes_max = INT64_C(64) << 20;

/* Step i leads from schema i to schema i + 1; a released one never changes. */
static const char *const steps[] = {
    "CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;"
    "CREATE TABLE scans("
    " id INTEGER PRIMARY KEY AUTOINCREMENT, application TEXT NOT NULL,"
    " state TEXT NOT NULL, cputhrottle INTEGER NOT NULL,"
    " attempts INTEGER NOT NULL DEFAULT 0);"
    "CREATE INDEX scans_open ON scans(application, state) WHERE state <> 'ENDED';"
    "CREATE TABLE tickets("
    " stamp TEXT NOT NULL, n INTEGER NOT NULL, application TEXT NOT NULL,"
    " state TEXT NOT NULL, reason TEXT NOT NULL DEFAULT '', requested TEXT NOT NULL,"
    " started TEXT, ended TEXT, cputhrottle INTEGER NOT NULL, cpu_seconds REAL,"
    " scan INTEGER NOT NULL REFERENCES scans(id), records TEXT,"
    " PRIMARY KEY(stamp, n));"
    "CREATE INDEX tickets_scan ON tickets(scan);",

    "ALTER TABLE scans ADD COLUMN trigger TEXT NOT NULL DEFAULT 'ondemand';"
    "ALTER TABLE scans ADD COLUMN outcome TEXT;"
    "ALTER TABLE scans ADD COLUMN reason TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE scans ADD COLUMN queued TEXT;"
    "ALTER TABLE scans ADD COLUMN started TEXT;"
    "ALTER TABLE scans ADD COLUMN ended TEXT;"
    "ALTER TABLE scans ADD COLUMN cpu_seconds REAL;"
    "ALTER TABLE scans ADD COLUMN records TEXT;"
    "ALTER TABLE scans ADD COLUMN changes TEXT;"
    "UPDATE scans SET (outcome, reason, started, ended, cpu_seconds, records) ="
    " (SELECT state, reason, started, ended, cpu_seconds, records FROM tickets"
    "  WHERE scan=scans.id ORDER BY state='CANCELLED' LIMIT 1)"
    " WHERE state='ENDED' AND EXISTS (SELECT 1 FROM tickets WHERE scan=scans.id);"
    "ALTER TABLE tickets DROP COLUMN cpu_seconds;"
    "ALTER TABLE tickets DROP COLUMN records;"
    "ALTER TABLE tickets ADD COLUMN throttle INTEGER NOT NULL DEFAULT 0;"
    "UPDATE tickets SET throttle=cputhrottle;"
    "CREATE INDEX tickets_open ON tickets(stamp) WHERE ended IS NULL;"
    "CREATE INDEX tickets_ended ON tickets(ended) WHERE ended IS NOT NULL;"
    "CREATE INDEX scans_outcome ON scans(application, outcome, id) WHERE state = 'ENDED';"
    "CREATE INDEX scans_ended ON scans(ended) WHERE state = 'ENDED';"
    "CREATE TABLE intervals("
    " application TEXT PRIMARY KEY, due INTEGER NOT NULL, number INTEGER NOT NULL,"
    " failures INTEGER NOT NULL, success INTEGER NOT NULL) WITHOUT ROWID;",
};

enum { SCHEMA = sizeof steps / sizeof *steps };

/* ---- transactions ---- */

int
queue_begin(struct queue *queue)
{
    int r = db_exec(queue->db, "BEGIN IMMEDIATE");

    return r < 0 ? why_set(&queue->failure, r, "%s", db_error(queue->db)) : r;
}

int
queue_finish(struct queue *queue, int r)
{
    int c = r < 0 ? r : db_exec(queue->db, "COMMIT");

    if (c < 0) {
        why_put(&queue->failure, "%s", db_error(queue->db));
        db_exec(queue->db, "ROLLBACK");
    }
    return c < 0 ? c : r;
}

int
queue_int(struct db_rows *rows, int64_t def, int64_t *ret)
{
    int r = db_next(rows);

    *ret = r == 1 && db_type(rows, 0) != 'n' ? db_int(rows, 0) : def;
    db_rows_done(rows);
    return r < 0 ? r : 0;
}

static int
ask_int(struct queue *queue, const char *sql, int64_t def, int64_t *ret)
{
    struct db_rows *rows = NULL;
    int r = db_query(queue->db, &rows, sql, "");

    return r < 0 ? r : queue_int(rows, def, ret);
}

int
queue_run_all(struct db *db, const char *const *statements, int n)
{
    int r = 0;

    for (int i = 0; r >= 0 && i < n; i++)
        r = db_exec(db, statements[i]);
    return r;
}

int
queue_make(struct db *db, int64_t schema)
{
    int r = queue_run_all(db, steps + schema, SCHEMA - (int)schema);

    return r < 0 ? r
                 : db_run(db, "INSERT OR REPLACE INTO meta VALUES('schema', ?)", "i",
                          (int64_t)SCHEMA);
}

/* Numbers of all seconds up to this stamp may have been given up to n. */
int
queue_forget(struct db *db, const char *stamp, int64_t n)
{
    int r = db_run(db,
                   "INSERT INTO meta VALUES('forgotten_stamp', ?1) ON CONFLICT DO UPDATE"
                   " SET value=max(value, ?1)",
                   "s", stamp);

    return r < 0
               ? r
               : db_run(db,
                        "INSERT INTO meta VALUES('forgotten_n', ?1) ON CONFLICT DO UPDATE"
                        " SET value=max(CAST(value AS INTEGER), ?1)",
                        "i", n);
}

/* ---- open ---- */

static int
migrate(struct queue *queue, struct why *why)
{
    int64_t tables = 0, schema = 0;
    int r = ask_int(queue, "SELECT count(*) FROM sqlite_schema", 0, &tables);

    if (r == 0 && tables > 0)
        r = ask_int(queue, "SELECT CAST(value AS INTEGER) FROM meta WHERE key='schema'",
                    0, &schema);
    if (r == -EINVAL || (r == 0 && tables > 0 && schema <= 0))
        return why_set(why, -EUCLEAN, "this database is no queue of Sonde");
    if (r == 0 && schema > SCHEMA)
        return why_set(why, -ENOTSUP,
                       "its schema %lld is newer than this program, which knows %d",
                       (long long)schema, SCHEMA);
    if (r < 0 || schema == SCHEMA)
        return r;
    return queue_make(queue->db, schema);
}

static int
set_up(struct queue *queue)
{
    struct why why = {""};
    int r = queue_begin(queue);

    if (r < 0)
        return r;
    r = migrate(queue, &why);
    if (r >= 0)
        r = queue_mend(queue->db);
    r = queue_finish(queue, r);
    if (why.text[0])
        queue->failure = why;
    return r;
}

static int
open_it(const char *path, struct queue **ret, struct why *why)
{
    struct queue *queue = calloc(1, sizeof *queue);
    int r;

    if (!queue)
        return why_set(why, -ENOMEM, "out of memory");
    r = db_open(path, true, &queue->db);
    if (r < 0)
        why_put(&queue->failure, "%s", db_error(NULL));
    else
        r = set_up(queue);
    if (r < 0) {
        why_put(why, "%s: %s", path, queue->failure.text);
        queue_close(queue);
        return r;
    }
    *ret = queue;
    return 0;
}

int
queue_open(const char *path, time_t now, struct queue **ret, struct why *ret_note,
           struct why *why)
{
    int r = queue_repair(path, SCHEMA, now, ret_note, why);

    return r < 0 ? r : open_it(path, ret, why);
}

void
queue_close(struct queue *queue)
{
    if (!queue)
        return;
    db_close(queue->db);
    free(queue);
}

int
queue_reserve(struct queue *queue, int64_t scan)
{
    int64_t last = 0;
    int r =
        ask_int(queue, "SELECT seq FROM sqlite_sequence WHERE name='scans'", 0, &last);

    if (r < 0 || last >= scan)
        return r;
    r = queue_begin(queue);
    if (r < 0)
        return r;
    r = db_run(queue->db, "DELETE FROM sqlite_sequence WHERE name='scans'", "");
    if (r >= 0)
        r = db_run(queue->db, "INSERT INTO sqlite_sequence(name, seq) VALUES('scans', ?)",
                   "i", scan);
    return queue_finish(queue, r);
}

/* ---- ControlIds, and what is left of old ones ---- */

int
queue_next_n(struct queue *queue, const char *stamp, int64_t *ret)
{
    struct db_rows *rows = NULL;
    int r = db_query(queue->db, &rows,
                     "SELECT max(n) + 1 FROM (SELECT n FROM tickets WHERE stamp=?1"
                     " UNION ALL SELECT CAST(m.value AS INTEGER) FROM meta AS m WHERE"
                     " m.key='forgotten_n' AND ?1 <="
                     "  (SELECT value FROM meta WHERE key='forgotten_stamp'))",
                     "s", stamp);

    return r < 0 ? r : queue_int(rows, 0, ret);
}

/* The oldest tickets that have ended before that; what must be known of them stays. */
static int
drop_tickets(struct queue *queue, const char *before)
{
    static const char oldest[] =
        " FROM tickets WHERE rowid IN (SELECT rowid FROM tickets WHERE ended IS NOT NULL"
        " AND ended < ?1 ORDER BY ended LIMIT 1000)";
    char sql[256], stamp[CONTROLID_STAMP_LEN + 1] = "";
    struct db_rows *rows = NULL;
    int64_t n = -1;
    int r;

    snprintf(sql, sizeof sql, "SELECT max(stamp), max(n)%s", oldest);
    r = db_query(queue->db, &rows, sql, "s", before);
    if (r >= 0 && (r = db_next(rows)) == 1 && db_type(rows, 0) != 'n') {
        snprintf(stamp, sizeof stamp, "%s", db_text(rows, 0, NULL));
        n = db_int(rows, 1);
    }
    db_rows_done(rows);
    if (r < 0 || n < 0)
        return r;
    r = queue_forget(queue->db, stamp, n);
    snprintf(sql, sizeof sql, "DELETE%s", oldest);
    return r < 0 ? r : db_run(queue->db, sql, "s", before);
}

/* Scans that ended before that and that no ticket names. */
static int
drop_scans(struct queue *queue, const char *before)
{
    return db_run(
        queue->db,
        "DELETE FROM scans WHERE id IN (SELECT id FROM scans WHERE state='ENDED'"
        " AND ended < ? AND NOT EXISTS (SELECT 1 FROM tickets WHERE"
        " scan=scans.id) ORDER BY ended LIMIT 1000)",
        "s", before);
}

static int
used_bytes(struct queue *queue, int64_t *ret)
{
    return ask_int(queue,
                   "SELECT (p.page_count - f.freelist_count) * s.page_size FROM"
                   " pragma_page_count AS p, pragma_freelist_count AS f,"
                   " pragma_page_size AS s",
                   0, ret);
}

int
queue_prune(struct queue *queue, time_t now)
{
    char before[TIMESTAMP_SIZE];
    int64_t bytes = 0;
    int r = used_bytes(queue, &bytes);

    /* Too much: the oldest go first.  As many as one scan can end, so it does not grow on. */
    timestamp_utc(bytes > queue_bytes_max ? now : now - queue_days_max * DAY_S, before);
    if (r >= 0)
        r = drop_tickets(queue, before);
    return r < 0 ? r : drop_scans(queue, before);
}
