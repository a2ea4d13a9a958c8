/* SPDX-License-Identifier: Apache-2.0 */
#include "queue.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "db.h"
#include "timestamp.h"

struct queue {
    struct db *db;
    struct why failure; /* the words of the last transaction that failed */
};

struct ticket {
    struct db_rows *rows;
};

static const char schema[] =
    "CREATE TABLE IF NOT EXISTS meta(key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;"
    "INSERT OR IGNORE INTO meta VALUES('schema', '1');"
    "CREATE TABLE IF NOT EXISTS scans("
    " id INTEGER PRIMARY KEY AUTOINCREMENT, application TEXT NOT NULL, state TEXT NOT "
    "NULL,"
    " cputhrottle INTEGER NOT NULL, attempts INTEGER NOT NULL DEFAULT 0);"
    "CREATE INDEX IF NOT EXISTS scans_open ON scans(application, state)"
    " WHERE state <> 'ENDED';"
    "CREATE TABLE IF NOT EXISTS tickets("
    " stamp TEXT NOT NULL, n INTEGER NOT NULL, application TEXT NOT NULL,"
    " state TEXT NOT NULL, reason TEXT NOT NULL DEFAULT '', requested TEXT NOT NULL,"
    " started TEXT, ended TEXT, cputhrottle INTEGER NOT NULL, cpu_seconds REAL,"
    " scan INTEGER NOT NULL REFERENCES scans(id), records TEXT,"
    " PRIMARY KEY(stamp, n));"
    "CREATE INDEX IF NOT EXISTS tickets_scan ON tickets(scan);";

int
queue_open(const char *path, struct queue **ret, struct why *why)
{
    struct queue *queue = calloc(1, sizeof *queue);
    int r;

    if (!queue)
        return why_set(why, -ENOMEM, "out of memory");
    r = db_open(path, true, &queue->db);
    if (r == 0)
        r = db_exec(queue->db, schema);
    if (r < 0) {
        why_set(why, r, "%s: %s", path, db_error(queue->db));
        queue_close(queue);
        return r;
    }
    *ret = queue;
    return 0;
}

void
queue_close(struct queue *queue)
{
    if (!queue)
        return;
    db_close(queue->db);
    free(queue);
}

/* ---- transactions ---- */

static int
begin(struct queue *queue)
{
    int r = db_exec(queue->db, "BEGIN IMMEDIATE");

    return r < 0 ? why_set(&queue->failure, r, "%s", db_error(queue->db)) : r;
}

/* Commit when r is a success, else undo.  Returns the first failure, or r. */
static int
finish(struct queue *queue, int r)
{
    int c;

    c = r < 0 ? r : db_exec(queue->db, "COMMIT");
    if (c < 0) {
        why_set(&queue->failure, c, "%s", db_error(queue->db));
        db_exec(queue->db, "ROLLBACK");
    }
    return c < 0 ? c : r;
}

/* The first column of the first row, or def. */
static int
get_int(struct queue *queue, int64_t def, int64_t *ret, struct db_rows *rows)
{
    int r = db_next(rows);

    *ret = r == 1 ? db_int(rows, 0) : def;
    db_rows_done(rows);
    (void)queue;
    return r < 0 ? r : 0;
}

int
queue_reserve(struct queue *queue, int64_t scan)
{
    struct db_rows *rows = NULL;
    int64_t last = 0;
    int r = db_query(queue->db, &rows,
                     "SELECT seq FROM sqlite_sequence WHERE name='scans'", "");

    if (r == 0)
        r = get_int(queue, 0, &last, rows);
    if (r < 0 || last >= scan)
        return r;
    r = begin(queue);
    if (r < 0)
        return r;
    r = db_run(queue->db, "DELETE FROM sqlite_sequence WHERE name='scans'", "");
    if (r >= 0)
        r = db_run(queue->db, "INSERT INTO sqlite_sequence(name, seq) VALUES('scans', ?)",
                   "i", scan);
    return finish(queue, r);
}

/* ---- a request ---- */

/* The scan of the application in this state: its number, or 0. */
static int
find_scan(struct queue *queue, const char *application, const char *state, int64_t *ret)
{
    struct db_rows *rows = NULL;
    int r = db_query(queue->db, &rows,
                     "SELECT id FROM scans WHERE application=? AND state=?"
                     " AND state<>'ENDED' ORDER BY id DESC LIMIT 1",
                     "ss", application, state);

    return r < 0 ? r : get_int(queue, 0, ret, rows);
}

/* Numbers count up within the stamp, over all that was ever given: a clock that steps back
 * or the end of DST brings a stamp again, not an id.
 */
static int
next_n(struct queue *queue, const char *stamp, int64_t *ret)
{
    struct db_rows *rows = NULL;
    int r = db_query(queue->db, &rows, "SELECT max(n) + 1 FROM tickets WHERE stamp=?",
                     "s", stamp);

    return r < 0 ? r : get_int(queue, 0, ret, rows);
}

/* The scan that this request joins, or a new one. */
static int
scan_for_demand(struct queue *queue, const char *application, int64_t cputhrottle,
                struct queue_ticket *t)
{
    int64_t running = 0;
    int r = find_scan(queue, application, TICKET_RUNNING, &running);

    if (r < 0)
        return r;
    t->state = running ? TICKET_DELAYED : TICKET_QUEUED;
    r = find_scan(queue, application, t->state, &t->scan);
    if (r < 0)
        return r;
    t->joined = t->scan != 0;
    if (t->joined)
        return db_run(queue->db,
                      "UPDATE scans SET cputhrottle=min(cputhrottle, ?) WHERE id=?", "ii",
                      cputhrottle, t->scan);
    r = db_run(queue->db,
               "INSERT INTO scans(application, state, cputhrottle) VALUES(?, ?, ?)",
               "ssi", application, t->state, cputhrottle);
    t->scan = db_last_id(queue->db);
    return r;
}

static int
demand(struct queue *queue, const char *application, int64_t cputhrottle, time_t now,
       struct queue_ticket *t)
{
    char stamp[CONTROLID_STAMP_LEN + 1], requested[TIMESTAMP_SIZE];
    struct db_rows *rows = NULL;
    int64_t n = 0;
    int r = scan_for_demand(queue, application, cputhrottle, t);

    if (r >= 0)
        r = controlid_stamp(now, stamp);
    if (r >= 0)
        r = next_n(queue, stamp, &n);
    if (r >= 0)
        r = controlid_format(now, n, t->control_id);
    if (r < 0)
        return r;
    timestamp_utc(now, requested);
    r = db_run(queue->db,
               "INSERT INTO tickets(stamp, n, application, state, requested, cputhrottle,"
               " scan) VALUES(?, ?, ?, ?, ?, ?, ?)",
               "sisssii", stamp, n, application, t->state, requested, cputhrottle,
               t->scan);
    if (r >= 0)
        r = db_query(queue->db, &rows, "SELECT cputhrottle FROM scans WHERE id=?", "i",
                     t->scan);
    return r < 0 ? r : get_int(queue, cputhrottle, &t->cputhrottle, rows);
}

int
queue_demand(struct queue *queue, const char *application, int64_t cputhrottle,
             time_t now, struct queue_ticket *ret, struct why *why)
{
    int r = begin(queue);

    *ret = (struct queue_ticket){0};
    if (r >= 0)
        r = finish(queue, demand(queue, application, cputhrottle, now, ret));
    if (r < 0)
        return why_set(why, r, "the request could not be kept: %s", queue->failure.text);
    return 0;
}

/* ---- the life of a scan ---- */

int
queue_scans(struct queue *queue, const char *state, struct queue_scan *ret, int n)
{
    struct db_rows *rows = NULL;
    int i = 0, r;

    r = db_query(queue->db, &rows,
                 "SELECT id, application, cputhrottle, attempts FROM scans"
                 " WHERE state=? AND state<>'ENDED' ORDER BY id",
                 "s", state);
    while (r >= 0 && i < n && (r = db_next(rows)) == 1) {
        ret[i].id = db_int(rows, 0);
        snprintf(ret[i].application, sizeof ret[i].application, "%s",
                 db_text(rows, 1, NULL));
        ret[i].cputhrottle = db_int(rows, 2);
        ret[i].attempts = db_int(rows, 3);
        i++;
    }
    db_rows_done(rows);
    return r < 0 ? r : i;
}

/* One QUEUED scan begins: 1, or 0 when there is none of that number. */
static int
start(struct queue *queue, struct queue_scan *scan, const char *started)
{
    struct db_rows *rows = NULL;
    int r = db_run(queue->db,
                   "UPDATE scans SET state='RUNNING', attempts=attempts+1"
                   " WHERE id=? AND state='QUEUED'",
                   "i", scan->id);

    if (r <= 0)
        return r;
    r = db_run(queue->db,
               "UPDATE tickets SET state='RUNNING', started=? WHERE scan=?"
               " AND state='QUEUED'",
               "si", started, scan->id);
    if (r >= 0)
        r = db_query(queue->db, &rows,
                     "SELECT cputhrottle, attempts FROM scans WHERE id=?", "i", scan->id);
    if (r >= 0)
        r = db_next(rows);
    if (r == 1) {
        scan->cputhrottle = db_int(rows, 0);
        scan->attempts = db_int(rows, 1);
    }
    db_rows_done(rows);
    return r;
}

int
queue_start(struct queue *queue, struct queue_scan *scan, time_t now)
{
    char started[TIMESTAMP_SIZE];
    int r = begin(queue);

    timestamp_utc(now, started);
    return r < 0 ? r : finish(queue, start(queue, scan, started));
}

int
queue_requeue(struct queue *queue, int64_t scan, bool uncounted)
{
    int r = begin(queue);

    if (r < 0)
        return r;
    r = db_run(queue->db,
               "UPDATE scans SET state='QUEUED', attempts=attempts-? WHERE id=?", "ii",
               (int64_t)uncounted, scan);
    if (r >= 0)
        r = db_run(queue->db,
                   "UPDATE tickets SET state='QUEUED', started=NULL WHERE scan=?"
                   " AND state='RUNNING'",
                   "i", scan);
    return finish(queue, r);
}

/* Whatever waited for this scan of the application is next: how many tickets. */
static int
release_delayed(struct queue *queue, int64_t scan)
{
    int n = db_run(queue->db,
                   "UPDATE tickets SET state='QUEUED' WHERE state='DELAYED' AND scan IN"
                   " (SELECT id FROM scans WHERE state='DELAYED' AND application="
                   "  (SELECT application FROM scans WHERE id=?))",
                   "i", scan),
        r = n;

    if (n > 0)
        r = db_run(
            queue->db,
            "UPDATE scans SET state='QUEUED' WHERE state='DELAYED' AND application="
            " (SELECT application FROM scans WHERE id=?)",
            "i", scan);
    return r < 0 ? r : n;
}

int
queue_end(struct queue *queue, int64_t scan, time_t now, const struct queue_end *end)
{
    char ended[TIMESTAMP_SIZE];
    int r = begin(queue);

    if (r < 0)
        return r;
    timestamp_utc(now, ended);
    r = db_run(queue->db, "UPDATE scans SET state='ENDED' WHERE id=?", "i", scan);
    if (r >= 0)
        r = db_run(
            queue->db,
            "UPDATE tickets SET state=?, reason=?, ended=?, cpu_seconds=?, records=?"
            " WHERE scan=? AND state IN ('QUEUED', 'DELAYED', 'RUNNING')",
            "sssfsi", end->outcome, end->reason, ended, end->cpu_s, end->records, scan);
    if (r >= 0)
        r = release_delayed(queue, scan);
    return finish(queue, r);
}

/* ---- cancel ---- */

static int
cancel_ticket(struct queue *queue, const struct controlid *id, time_t now)
{
    char ended[TIMESTAMP_SIZE];

    timestamp_utc(now, ended);
    return db_run(queue->db,
                  "UPDATE tickets SET state='CANCELLED', reason='cancelled', ended=?"
                  " WHERE stamp=? AND n=?",
                  "ssi", ended, id->stamp, id->n);
}

/* How many open tickets want the scan, and whether it runs. */
static int
look_at_ticket(struct queue *queue, const struct controlid *id, int64_t *ret_scan,
               int64_t *ret_open, bool *ret_running, bool *ret_final)
{
    struct db_rows *rows = NULL;
    int r =
        db_query(queue->db, &rows,
                 "SELECT t.scan, t.state, s.state, (SELECT count(*) FROM tickets o"
                 " WHERE o.scan=t.scan AND o.state IN ('QUEUED', 'DELAYED', 'RUNNING'))"
                 " FROM tickets t JOIN scans s ON s.id=t.scan WHERE t.stamp=? AND t.n=?",
                 "si", id->stamp, id->n);

    if (r >= 0)
        r = db_next(rows);
    if (r == 1) {
        *ret_scan = db_int(rows, 0);
        *ret_final = ticket_state_is_final(db_text(rows, 1, NULL));
        *ret_running = strcmp(db_text(rows, 2, NULL), TICKET_RUNNING) == 0;
        *ret_open = db_int(rows, 3);
    }
    db_rows_done(rows);
    return r;
}

static int
cancel(struct queue *queue, const struct controlid *id, time_t now, int64_t *ret_scan)
{
    bool running = false, final = false;
    int64_t open = 0;
    int r = look_at_ticket(queue, id, ret_scan, &open, &running, &final);

    if (r <= 0)
        return r < 0 ? r : CANCEL_UNKNOWN;
    if (final)
        return CANCEL_FINAL;
    if (open > 1) {
        r = cancel_ticket(queue, id, now);
        return r < 0 ? r : CANCEL_SHARED;
    }
    if (running)
        return CANCEL_RUNNING;
    r = cancel_ticket(queue, id, now);
    if (r >= 0)
        r = db_run(queue->db, "UPDATE scans SET state='ENDED' WHERE id=?", "i",
                   *ret_scan);
    if (r >= 0) /* it may be one of before a restart, with others behind it */
        r = release_delayed(queue, *ret_scan);
    return r < 0 ? r : CANCEL_WAITING;
}

int
queue_cancel(struct queue *queue, const char *control_id, time_t now, int64_t *ret_scan)
{
    struct controlid id;
    int r;

    if (controlid_parse(control_id, &id) < 0)
        return CANCEL_UNKNOWN;
    r = begin(queue);
    return r < 0 ? r : finish(queue, cancel(queue, &id, now, ret_scan));
}

/* ---- looking ---- */

int
queue_tickets(struct queue *queue, const struct queue_filter *filter,
              void (*fn)(const struct ticket *ticket, void *arg), void *arg)
{
    struct controlid id = {"", -1};
    struct ticket ticket = {NULL};
    int n = 0, r;

    if (filter->control_id && controlid_parse(filter->control_id, &id) < 0)
        return 0;
    r = db_query(
        queue->db, &ticket.rows,
        "SELECT stamp || '.' || n, application, state, reason, requested, started,"
        " ended, cputhrottle, cpu_seconds, scan, records FROM tickets"
        " WHERE (?1='' OR (stamp=?1 AND n=?2)) AND (?3 IS NULL OR application=?3)"
        " AND (?4=0 OR scan=?4) ORDER BY requested DESC, n DESC LIMIT ?5",
        "sisii", id.stamp, id.n, filter->application, filter->scan,
        (int64_t)filter->limit);
    while (r >= 0 && (r = db_next(ticket.rows)) == 1) {
        fn(&ticket, arg);
        n++;
    }
    db_rows_done(ticket.rows);
    return r < 0 ? r : n;
}

const char *
ticket_control_id(const struct ticket *ticket)
{
    return db_text(ticket->rows, 0, NULL);
}

const char *
ticket_application(const struct ticket *ticket)
{
    return db_text(ticket->rows, 1, NULL);
}

const char *
ticket_state(const struct ticket *ticket)
{
    return db_text(ticket->rows, 2, NULL);
}

int64_t
ticket_scan(const struct ticket *ticket)
{
    return db_int(ticket->rows, 9);
}

bool
ticket_state_is_final(const char *state)
{
    return strcmp(state, TICKET_QUEUED) != 0 && strcmp(state, TICKET_DELAYED) != 0 &&
           strcmp(state, TICKET_RUNNING) != 0;
}

static const char *
or_dash(const char *text)
{
    return text ? text : "-";
}

void
ticket_times(const struct ticket *ticket, struct ticket_times *ret)
{
    *ret = (struct ticket_times){
        .reason = db_text(ticket->rows, 3, NULL),
        .requested = or_dash(db_text(ticket->rows, 4, NULL)),
        .started = or_dash(db_text(ticket->rows, 5, NULL)),
        .ended = or_dash(db_text(ticket->rows, 6, NULL)),
        .cputhrottle = db_int(ticket->rows, 7),
        .cpu_s = db_real(ticket->rows, 8),
    };
}

void
ticket_write(const struct ticket *ticket, struct json_out *out, const char *key)
{
    struct db_rows *rows = ticket->rows;
    const char *records = db_text(rows, 10, NULL);

    json_out_object(out, key);
    json_out_str(out, "control_id", db_text(rows, 0, NULL));
    json_out_str(out, "application", db_text(rows, 1, NULL));
    json_out_str(out, "state", db_text(rows, 2, NULL));
    json_out_str(out, "reason", db_text(rows, 3, NULL));
    json_out_str(out, "requested", db_text(rows, 4, NULL));
    json_out_str(out, "started", db_text(rows, 5, NULL));
    json_out_str(out, "ended", db_text(rows, 6, NULL));
    json_out_int(out, "cputhrottle", db_int(rows, 7));
    if (db_type(rows, 8) == 'n')
        json_out_null(out, "cpu_seconds");
    else
        json_out_real(out, "cpu_seconds", db_real(rows, 8));
    json_out_int(out, "scan", ticket_scan(ticket));
    json_out_raw(out, "records", records ? records : "{}");
    json_out_end(out, '}');
}
