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

static int
ask_int(struct queue *queue, const char *sql, int64_t def, int64_t *ret)
{
    struct db_rows *rows = NULL;
    int r = db_query(queue->db, &rows, sql, "");

    return r < 0 ? r : queue_int(rows, def, ret);
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
    if (r == 0 && schema > queue_schema)
        return why_set(why, -ENOTSUP,
                       "its schema %lld is newer than this program, which knows %lld",
                       (long long)schema, (long long)queue_schema);
    if (r < 0 || schema == queue_schema)
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
    int r = queue_repair(path, now, ret_note, why);

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

/* ---- what is left of old ones ---- */

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
