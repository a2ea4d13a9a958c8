/* SPDX-License-Identifier: Apache-2.0 */
#include "queue.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "queue-db.h"
#include "timestamp.h"

/* ---- looking at scans ---- */

#define SCAN_COLUMNS "id, application, trigger='interval', cputhrottle, attempts"

static void
read_scan(struct db_rows *rows, struct queue_scan *ret)
{
    const char *application = db_text(rows, 1, NULL);

    *ret = (struct queue_scan){.id = db_int(rows, 0),
                               .interval = db_int(rows, 2) != 0,
                               .cputhrottle = db_int(rows, 3),
                               .attempts = db_int(rows, 4)};
    snprintf(ret->application, sizeof ret->application, "%s",
             application ? application : "");
}

/* Ends the rows. */
static int
read_scans(struct db_rows *rows, struct queue_scan *ret, int n)
{
    int i = 0, r = 0;

    while (i < n && (r = db_next(rows)) == 1)
        read_scan(rows, &ret[i++]);
    db_rows_done(rows);
    return r < 0 ? r : i;
}

int
queue_scans(struct queue *queue, const char *state, struct queue_scan *ret, int n)
{
    struct db_rows *rows = NULL;
    int r = db_query(queue->db, &rows,
                     "SELECT " SCAN_COLUMNS " FROM scans WHERE state=?"
                     " AND state<>'ENDED' ORDER BY trigger='interval', id",
                     "s", state);

    return r < 0 ? r : read_scans(rows, ret, n);
}

int
queue_blocked(struct queue *queue, struct queue_scan *ret, int n)
{
    struct db_rows *rows = NULL;
    int r = db_query(queue->db, &rows,
                     "SELECT " SCAN_COLUMNS " FROM scans AS s WHERE state='DELAYED'"
                     " AND state<>'ENDED' AND NOT EXISTS (SELECT 1 FROM scans AS f WHERE"
                     "  f.application=s.application AND f.state<>'ENDED'"
                     "  AND (f.state<>'DELAYED' OR f.id<s.id))"
                     " ORDER BY id",
                     "");

    return r < 0 ? r : read_scans(rows, ret, n);
}

int
queue_scan_of(struct queue *queue, const char *application, const char *state,
              struct queue_scan *ret)
{
    struct db_rows *rows = NULL;
    int r =
        db_query(queue->db, &rows,
                 "SELECT " SCAN_COLUMNS " FROM scans WHERE application=?1"
                 " AND state<>'ENDED' AND (?2 IS NULL OR state=?2) ORDER BY id LIMIT 1",
                 "ss", application, state);

    return r < 0 ? r : read_scans(rows, ret, 1);
}

/* ---- a request ---- */

/* The smallest of all open tickets of the scan holds, and whose that is. */
static int
settle_throttle(struct queue *queue, int64_t scan, int64_t *ret, char *ret_whose)
{
    struct db_rows *rows = NULL;
    int r = db_query(queue->db, &rows,
                     "SELECT throttle, stamp || '.' || n FROM tickets WHERE scan=?"
                     " AND ended IS NULL ORDER BY throttle, rowid LIMIT 1",
                     "i", scan);

    if (r >= 0)
        r = db_next(rows);
    if (r == 1) {
        *ret = db_int(rows, 0);
        if (ret_whose)
            snprintf(ret_whose, CONTROLID_SIZE, "%s", db_text(rows, 1, NULL));
    }
    db_rows_done(rows);
    return r <= 0 ? r
                  : db_run(queue->db, "UPDATE scans SET cputhrottle=? WHERE id=?", "ii",
                           *ret, scan);
}

static int
new_scan(struct queue *queue, const struct queue_demand *d, struct queue_ticket *t)
{
    int r = db_run(queue->db,
                   "INSERT INTO scans(application, trigger, state, cputhrottle)"
                   " VALUES(?, 'ondemand', ?, ?)",
                   "ssi", d->application, t->state, d->cputhrottle);

    t->scan = db_last_id(queue->db);
    return r;
}

/* An interval scan that is queued is from now on what was asked for. */
static int
take_place(struct queue *queue, struct queue_ticket *t)
{
    t->in_place = true;
    return db_run(queue->db,
                  "UPDATE scans SET trigger='ondemand', attempts=0, state=? WHERE id=?",
                  "si", t->state, t->scan);
}

/* The scan that this request joins, or a new one. */
static int
scan_for(struct queue *queue, const struct queue_demand *d, struct queue_ticket *t)
{
    struct queue_scan scan = {0};
    int running = queue_scan_of(queue, d->application, TICKET_RUNNING, &scan), r = 0;

    t->behind = running > 0;
    t->state = running || d->blocked ? TICKET_DELAYED : TICKET_QUEUED;
    if (running == 0)
        r = queue_scan_of(queue, d->application, TICKET_QUEUED, &scan);
    if (r == 1 && !scan.interval)
        t->state = TICKET_QUEUED;
    if (running > 0 || (running == 0 && r == 0))
        r = queue_scan_of(queue, d->application, TICKET_DELAYED, &scan);
    if (running < 0 || r < 0)
        return running < 0 ? running : r;
    if (r == 0)
        return new_scan(queue, d, t);
    t->scan = scan.id;
    t->joined = !scan.interval;
    return scan.interval ? take_place(queue, t) : 0;
}

static int
check_room(struct queue *queue, struct why *why)
{
    struct db_rows *rows = NULL;
    int64_t open = 0;
    int r = db_query(queue->db, &rows, "SELECT count(*) FROM tickets WHERE ended IS NULL",
                     "");

    if (r >= 0)
        r = queue_int(rows, 0, &open);
    if (r >= 0 && open >= QUEUE_OPEN_MAX)
        return why_set(why, -EDQUOT,
                       "%lld requests are open, which is the most there may be; wait for "
                       "some to end, or cancel them (sonde list --open)",
                       (long long)open);
    return r;
}

static int
demand(struct queue *queue, const struct queue_demand *d, struct queue_ticket *t)
{
    char stamp[CONTROLID_STAMP_LEN + 1], requested[TIMESTAMP_SIZE];
    int64_t n = 0;
    int r = scan_for(queue, d, t);

    if (r >= 0)
        r = controlid_stamp(d->now, stamp);
    if (r >= 0)
        r = queue_next_n(queue, stamp, &n);
    if (r >= 0)
        r = controlid_format(d->now, n, t->control_id);
    if (r < 0)
        return r;
    timestamp_utc(d->now, requested);
    r = db_run(queue->db,
               "INSERT INTO tickets(stamp, n, application, state, reason, requested,"
               " cputhrottle, throttle, scan) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7, ?8)",
               "sissssii", stamp, n, d->application, t->state,
               d->blocked && !t->behind && strcmp(t->state, TICKET_DELAYED) == 0
                   ? d->blocked
                   : "",
               requested, d->cputhrottle, t->scan);
    return r < 0 ? r : settle_throttle(queue, t->scan, &t->cputhrottle, t->whose);
}

int
queue_demand(struct queue *queue, const struct queue_demand *d, struct queue_ticket *ret,
             struct why *why)
{
    int r = queue_begin(queue);

    *ret = (struct queue_ticket){.state = TICKET_QUEUED};
    if (r >= 0) {
        r = check_room(queue, why);
        r = queue_finish(queue, r < 0 ? r : demand(queue, d, ret));
    }
    if (r < 0 && r != -EDQUOT)
        why_put(why, "the request could not be kept: %s", queue->failure.text);
    return r < 0 ? r : 0;
}

/* ---- the life of a scan ---- */

int
queue_due(struct queue *queue, const char *application, int64_t cputhrottle, time_t now,
          int64_t *ret_scan)
{
    char queued[TIMESTAMP_SIZE];
    int r = queue_begin(queue);

    timestamp_utc(now, queued);
    if (r >= 0)
        r = queue_finish(
            queue,
            db_run(queue->db,
                   "INSERT INTO scans(application, trigger, state, cputhrottle,"
                   " queued) SELECT ?1, 'interval', 'QUEUED', ?2, ?3 WHERE NOT EXISTS"
                   " (SELECT 1 FROM scans WHERE application=?1 AND state<>'ENDED')",
                   "sis", application, cputhrottle, queued));
    *ret_scan = r == 1 ? db_last_id(queue->db) : 0;
    return r;
}

/* One QUEUED scan begins: 1, or 0 when there is none of that number. */
static int
start(struct queue *queue, struct queue_scan *scan, const char *started)
{
    struct db_rows *rows = NULL;
    int r = db_run(queue->db,
                   "UPDATE scans SET state='RUNNING', attempts=attempts+1, started=?"
                   " WHERE id=? AND state='QUEUED'",
                   "si", started, scan->id);

    if (r <= 0)
        return r;
    r = db_run(queue->db,
               "UPDATE tickets SET state='RUNNING', started=? WHERE scan=?"
               " AND state='QUEUED'",
               "si", started, scan->id);
    if (r >= 0)
        r = db_query(queue->db, &rows, "SELECT " SCAN_COLUMNS " FROM scans WHERE id=?",
                     "i", scan->id);
    return r < 0 ? r : read_scans(rows, scan, 1);
}

int
queue_start(struct queue *queue, struct queue_scan *scan, time_t now)
{
    char started[TIMESTAMP_SIZE];
    int r = queue_begin(queue);

    timestamp_utc(now, started);
    return r < 0 ? r : queue_finish(queue, start(queue, scan, started));
}

/* The open tickets of a scan, and the scan, get this state. */
static int
set_state(struct queue *queue, int64_t scan, const char *state, const char *reason)
{
    int r = db_run(queue->db,
                   "UPDATE tickets SET state=?, reason=?, started=NULL WHERE scan=?"
                   " AND ended IS NULL",
                   "ssi", state, reason, scan);
    int n = r;

    if (r >= 0)
        r = db_run(queue->db, "UPDATE scans SET state=? WHERE id=?", "si", state, scan);
    return r < 0 ? r : n;
}

/* Whatever waited for a scan of this application is next: how many tickets. */
static int
release_delayed(struct queue *queue, const char *application)
{
    struct queue_scan scan;
    int r = queue_scan_of(queue, application, TICKET_DELAYED, &scan);

    return r <= 0 ? r : set_state(queue, scan.id, TICKET_QUEUED, "");
}

static int
scan_by_id(struct queue *queue, int64_t id, struct queue_scan *ret)
{
    struct db_rows *rows = NULL;
    int r = db_query(queue->db, &rows,
                     "SELECT " SCAN_COLUMNS " FROM scans WHERE id=? AND state<>'ENDED'",
                     "i", id);

    r = r < 0 ? r : read_scans(rows, ret, 1);
    return r == 0 ? -ENOENT : r;
}

static int
end_scan(struct queue *queue, int64_t scan, const char *outcome, const char *reason,
         const char *ended)
{
    return db_run(
        queue->db,
        "UPDATE scans SET state='ENDED', outcome=?, reason=?, ended=? WHERE id=?", "sssi",
        outcome, reason, ended, scan);
}

static int
requeue(struct queue *queue, int64_t id, bool uncounted)
{
    struct queue_scan scan, delayed;
    int r = scan_by_id(queue, id, &scan);

    if (r >= 0)
        r = set_state(queue, id, TICKET_QUEUED, "");
    if (r >= 0)
        r = db_run(queue->db,
                   "UPDATE scans SET attempts=attempts-?, started=NULL WHERE id=?", "ii",
                   (int64_t)uncounted, id);
    if (r >= 0 && scan.interval)
        r = queue_scan_of(queue, scan.application, TICKET_DELAYED, &delayed);
    if (r < 0 || !scan.interval || r == 0)
        return r < 0 ? r : 1;
    r = db_run(queue->db, "DELETE FROM scans WHERE id=?", "i", id);
    if (r >= 0)
        r = set_state(queue, delayed.id, TICKET_QUEUED, "");
    return r < 0 ? r : 0;
}

int
queue_requeue(struct queue *queue, int64_t scan, bool uncounted)
{
    int r = queue_begin(queue);

    return r < 0 ? r : queue_finish(queue, requeue(queue, scan, uncounted));
}

int
queue_delay(struct queue *queue, int64_t scan, const char *reason)
{
    int r = queue_begin(queue);

    return r < 0 ? r
                 : queue_finish(queue, set_state(queue, scan, TICKET_DELAYED, reason));
}

int
queue_release(struct queue *queue, int64_t scan)
{
    int r = queue_begin(queue);

    return r < 0 ? r : queue_finish(queue, set_state(queue, scan, TICKET_QUEUED, ""));
}

/* ---- intervals ---- */

static int
keep_interval(struct queue *queue, const struct queue_interval *interval)
{
    const struct schedule_history *h = &interval->history;

    return db_run(queue->db, "INSERT OR REPLACE INTO intervals VALUES(?, ?, ?, ?, ?)",
                  "siiii", interval->application, h->due, h->number, h->failures,
                  interval->success);
}

int
queue_keep_intervals(struct queue *queue, const struct queue_interval *intervals, int n)
{
    int r = n > 0 ? queue_begin(queue) : 0;

    if (r < 0 || n == 0)
        return r;
    for (int i = 0; r >= 0 && i < n; i++)
        r = keep_interval(queue, &intervals[i]);
    return queue_finish(queue, r);
}

int
queue_intervals(struct queue *queue, struct queue_interval *ret, int n)
{
    struct db_rows *rows = NULL;
    int i = 0,
        r = db_query(queue->db, &rows,
                     "SELECT application, due, number, failures, success FROM intervals",
                     "");

    while (r >= 0 && i < n && (r = db_next(rows)) == 1) {
        ret[i] = (struct queue_interval){
            .history = {db_int(rows, 1), db_int(rows, 2), db_int(rows, 3)},
            .success = db_int(rows, 4)};
        snprintf(ret[i].application, sizeof ret[i].application, "%s",
                 db_text(rows, 0, NULL));
        i++;
    }
    db_rows_done(rows);
    return r < 0 ? r : i;
}

/* ---- the end ---- */

static int
end_all(struct queue *queue, int64_t id, time_t now, const struct queue_end *end)
{
    char ended[TIMESTAMP_SIZE];
    struct queue_scan scan;
    int r = scan_by_id(queue, id, &scan);

    timestamp_utc(now, ended);
    if (r >= 0)
        r = end_scan(queue, id, end->outcome, end->reason, ended);
    if (r >= 0)
        r = db_run(queue->db,
                   "UPDATE scans SET cpu_seconds=?, records=?, changes=? WHERE id=?",
                   "fssi", end->cpu_s, end->records, end->changes, id);
    if (r >= 0)
        r = db_run(queue->db,
                   "UPDATE tickets SET state=?, reason=?, ended=? WHERE scan=?"
                   " AND ended IS NULL",
                   "sssi", end->outcome, end->reason, ended, id);
    return r < 0 ? r : release_delayed(queue, scan.application);
}

int
queue_end(struct queue *queue, int64_t scan, time_t now, const struct queue_end *end,
          const struct queue_interval *interval)
{
    int r = queue_begin(queue), released;

    if (r < 0)
        return r;
    released = r = end_all(queue, scan, now, end);
    if (r >= 0 && interval)
        r = keep_interval(queue, interval);
    if (r >= 0)
        r = queue_prune(queue, now);
    return queue_finish(queue, r < 0 ? r : released);
}

int
queue_outcome(struct queue *queue, int64_t scan, char ret[16])
{
    struct db_rows *rows = NULL;
    int r = db_query(queue->db, &rows,
                     "SELECT outcome FROM scans WHERE id=? AND state='ENDED' AND outcome"
                     " IS NOT NULL",
                     "i", scan);

    if (r >= 0)
        r = db_next(rows);
    snprintf(ret, 16, "%s", r == 1 ? db_text(rows, 0, NULL) : "");
    db_rows_done(rows);
    return r;
}

double
queue_typical_cpu_s(struct queue *queue, const char *application)
{
    struct db_rows *rows = NULL;
    double mean = 0;

    if (db_query(queue->db, &rows,
                 "SELECT avg(cpu_seconds) FROM (SELECT cpu_seconds FROM scans WHERE"
                 " state='ENDED' AND application=? AND outcome='DONE' ORDER BY id DESC "
                 "LIMIT 5)",
                 "s", application) == 0 &&
        db_next(rows) == 1)
        mean = db_real(rows, 0);
    db_rows_done(rows);
    return mean;
}

/* ---- cancel, throttle ---- */

/* A ticket, its scan, and how many want that scan. */
struct one {
    struct controlid id;
    int64_t scan, open;
    bool running, final;
};

static int
look_at(struct queue *queue, const char *control_id, struct one *ret)
{
    struct db_rows *rows = NULL;
    int r;

    *ret = (struct one){.scan = 0};
    if (controlid_parse(control_id, &ret->id) < 0)
        return 0;
    r = db_query(
        queue->db, &rows,
        "SELECT t.scan, t.ended IS NOT NULL, s.state='RUNNING',"
        " (SELECT count(*) FROM tickets o WHERE o.scan=t.scan AND o.ended IS NULL)"
        " FROM tickets t JOIN scans s ON s.id=t.scan WHERE t.stamp=? AND t.n=?",
        "si", ret->id.stamp, ret->id.n);
    if (r >= 0)
        r = db_next(rows);
    if (r == 1) {
        ret->scan = db_int(rows, 0);
        ret->final = db_int(rows, 1) != 0;
        ret->running = db_int(rows, 2) != 0;
        ret->open = db_int(rows, 3);
    }
    db_rows_done(rows);
    return r;
}

/* Nobody wants the scan any more, and it has not begun. */
static int
withdraw(struct queue *queue, int64_t id, const char *ended)
{
    struct queue_scan scan;
    int r = scan_by_id(queue, id, &scan);

    if (r >= 0)
        r = end_scan(queue, id, TICKET_CANCELLED, "cancelled", ended);
    if (r < 0)
        return r;
    /* It may be one of before a restart, with others behind it. */
    r = queue_scan_of(queue, scan.application, TICKET_RUNNING, &scan);
    return r != 0 ? r : release_delayed(queue, scan.application);
}

static int
cancel(struct queue *queue, const char *control_id, time_t now, struct queue_change *ret)
{
    char ended[TIMESTAMP_SIZE];
    struct one one;
    int r = look_at(queue, control_id, &one);

    if (r <= 0)
        return r < 0 ? r : CANCEL_UNKNOWN;
    ret->scan = one.scan;
    if (one.final)
        return CANCEL_FINAL;
    if (one.running && one.open == 1)
        return CANCEL_RUNNING;
    timestamp_utc(now, ended);
    r = db_run(queue->db,
               "UPDATE tickets SET state='CANCELLED', reason='cancelled', ended=?"
               " WHERE stamp=? AND n=?",
               "ssi", ended, one.id.stamp, one.id.n);
    if (r >= 0)
        r = one.open > 1 ? settle_throttle(queue, one.scan, &ret->cputhrottle, NULL)
                         : withdraw(queue, one.scan, ended);
    return r < 0 ? r : one.open > 1 ? CANCEL_SHARED : CANCEL_WAITING;
}

int
queue_cancel(struct queue *queue, const char *control_id, time_t now,
             struct queue_change *ret)
{
    int r = queue_begin(queue);

    *ret = (struct queue_change){0, 0};
    return r < 0 ? r : queue_finish(queue, cancel(queue, control_id, now, ret));
}

static int
throttle(struct queue *queue, const char *control_id, int64_t cputhrottle,
         struct queue_change *ret)
{
    struct one one;
    int r = look_at(queue, control_id, &one);

    if (r <= 0)
        return r < 0 ? r : -ENOENT;
    ret->scan = one.scan;
    if (one.final)
        return 0;
    r = db_run(queue->db, "UPDATE tickets SET throttle=? WHERE stamp=? AND n=?", "isi",
               cputhrottle, one.id.stamp, one.id.n);
    if (r >= 0)
        r = settle_throttle(queue, one.scan, &ret->cputhrottle, NULL);
    return r < 0 ? r : 1;
}

int
queue_throttle(struct queue *queue, const char *control_id, int64_t cputhrottle,
               struct queue_change *ret)
{
    int r = queue_begin(queue);

    *ret = (struct queue_change){0, 0};
    return r < 0 ? r : queue_finish(queue, throttle(queue, control_id, cputhrottle, ret));
}

int
queue_throttle_interval(struct queue *queue, int64_t scan, int64_t cputhrottle)
{
    int r = queue_begin(queue);

    return r < 0 ? r
                 : queue_finish(queue, db_run(queue->db,
                                              "UPDATE scans SET cputhrottle=? WHERE id=?"
                                              " AND trigger='interval'",
                                              "ii", cputhrottle, scan));
}
