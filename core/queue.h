/* SPDX-License-Identifier: Apache-2.0 */
/* queue.db: requests ("tickets"), the scans that serve them, interval scans, and when the next
 * of these is due.  Each call that changes something is one commit, on disk when it returns.  A
 * ticket belongs to one scan, a scan may serve several tickets; of an application at most one
 * scan runs, one is queued and one is delayed: two, when a window holds back one that is to be
 * run again, and they go on in the order of their numbers.  Times are UTC seconds since 1970.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "controlid.h"
#include "manifest.h"
#include "schedule.h"
#include "why.h"

struct queue;

/* States of a ticket; a scan has the first three, or is ended. */
#define TICKET_QUEUED "QUEUED"
#define TICKET_DELAYED "DELAYED"
#define TICKET_RUNNING "RUNNING"
#define TICKET_DONE "DONE"
#define TICKET_INCOMPLETE "INCOMPLETE"
#define TICKET_FAILED "FAILED"
#define TICKET_CANCELLED "CANCELLED"

enum { QUEUE_OPEN_MAX = 1000 }; /* open tickets */

struct queue_scan {
    int64_t id;
    char application[NAME_MAX_LEN + 1];
    bool interval; /* nobody asked for it */
    int64_t cputhrottle, attempts;
};

/* A damaged database is moved aside, and what could be read is in the new one: *ret_note says
 * so then, else it is "".
 */
int queue_open(const char *path, time_t now, struct queue **ret, struct why *ret_note,
               struct why *why);
void queue_close(struct queue *queue);

/* No scan gets a number up to this one. */
int queue_reserve(struct queue *queue, int64_t scan);

/* ---- requests ---- */

struct queue_demand {
    const char *application;
    int64_t cputhrottle;
    const char *blocked; /* why its scan may not start now, or NULL */
    time_t now;
};
struct queue_ticket {
    char control_id[CONTROLID_SIZE];
    const char *state; /* QUEUED or DELAYED */
    int64_t scan;
    bool joined;                /* others asked for this scan before */
    bool in_place;              /* an interval scan was queued: this is now that scan */
    bool behind;                /* a scan of the application runs */
    int64_t cputhrottle;        /* of the scan: the smallest of all that share it */
    char whose[CONTROLID_SIZE]; /* the ticket that asks for it */
};
/* A request: joins the scan that waits, or makes one.  -EDQUOT: too many are open. */
int queue_demand(struct queue *queue, const struct queue_demand *demand,
                 struct queue_ticket *ret, struct why *why);

/* Cancel one ticket, or change what it asks for.  Returns what became of it. */
enum queue_cancel {
    CANCEL_UNKNOWN, /* no such ticket */
    CANCEL_FINAL,   /* it had ended already: unchanged */
    CANCEL_SHARED,  /* cancelled; others still want the scan */
    CANCEL_WAITING, /* cancelled, and its scan, which had not begun */
    CANCEL_RUNNING, /* it is the last one of a running scan: nothing was changed yet */
};
struct queue_change {
    int64_t scan, cputhrottle; /* of the scan, from now on */
};
int queue_cancel(struct queue *queue, const char *control_id, time_t now,
                 struct queue_change *ret);
/* 1, 0 when it has ended, -ENOENT. */
int queue_throttle(struct queue *queue, const char *control_id, int64_t cputhrottle,
                   struct queue_change *ret);
int queue_throttle_interval(struct queue *queue, int64_t scan, int64_t cputhrottle);

/* ---- the life of a scan ---- */

/* Scans in this state, those that were asked for first, oldest first.  Returns their number,
 * at most n.
 */
int queue_scans(struct queue *queue, const char *state, struct queue_scan *ret, int n);
/* The delayed ones that no other scan is in front of. */
int queue_blocked(struct queue *queue, struct queue_scan *ret, int n);
/* The open scan of this application in this state: 1, 0 when there is none.  state NULL: any. */
int queue_scan_of(struct queue *queue, const char *application, const char *state,
                  struct queue_scan *ret);

/* An interval scan is queued: 1, and *ret_scan; 0 when a scan of the application is open. */
int queue_due(struct queue *queue, const char *application, int64_t cputhrottle,
              time_t now, int64_t *ret_scan);
/* QUEUED -> RUNNING, with one attempt more; scan is read anew.  1, or 0 when it is not queued
 * any more.
 */
int queue_start(struct queue *queue, struct queue_scan *scan, time_t now);
/* RUNNING -> QUEUED: 1; uncounted: the attempt does not count.  An interval scan gives way to a
 * request that waited for it: 0.
 */
int queue_requeue(struct queue *queue, int64_t scan, bool uncounted);
/* QUEUED -> DELAYED for this reason, and back. */
int queue_delay(struct queue *queue, int64_t scan, const char *reason);
int queue_release(struct queue *queue, int64_t scan);

/* When an application's next interval scan is due. */
struct queue_interval {
    char application[NAME_MAX_LEN + 1];
    struct schedule_history history;
    int64_t success; /* the end of the last one; 0: none */
};

/* The scan has ended, its tickets with it; the one that waited for it is QUEUED now.  Returns
 * how many tickets that are.  interval: kept in the same commit, or NULL.
 */
struct queue_end {
    const char *outcome, *reason;
    double cpu_s;
    const char *records; /* JSON object {kind: count}, or NULL */
    const char *changes; /* JSON object {added, changed, removed}, or NULL */
    long peak_kib;       /* of its largest process; 0: not known.  For the log alone. */
};
int queue_end(struct queue *queue, int64_t scan, time_t now, const struct queue_end *end,
              const struct queue_interval *interval);
/* How it has ended: 1, 0 when it has not. */
int queue_outcome(struct queue *queue, int64_t scan, char ret[16]);

int queue_intervals(struct queue *queue, struct queue_interval *ret, int n);
int queue_keep_intervals(struct queue *queue, const struct queue_interval *intervals,
                         int n);

/* CPU time of a scan of this application, from its last ones that were done; 0: not known. */
double queue_typical_cpu_s(struct queue *queue, const char *application);

/* ---- looking: tickets.c ---- */

/* Call fn for tickets, newest first: of one control_id, of one scan, or of one application
 * (NULL, 0: any).  Returns how many.
 */
struct queue_filter {
    const char *control_id, *application;
    int64_t scan;
    bool open;      /* only those that have not ended */
    bool intervals; /* interval scans, too */
    int limit;
};
struct ticket; /* a row: a ticket, or an interval scan */
int queue_tickets(struct queue *queue, const struct queue_filter *filter,
                  void (*fn)(const struct ticket *ticket, void *arg), void *arg);

/* Fields of a row; valid inside fn. */
const char *ticket_control_id(const struct ticket *ticket); /* NULL: an interval scan */
const char *ticket_state(const struct ticket *ticket);
const char *ticket_application(const struct ticket *ticket);
int64_t ticket_scan(const struct ticket *ticket);
/* What people read of it; "-" for a time that there is not. */
struct ticket_times {
    const char *reason, *requested, *started, *ended;
    int64_t cputhrottle, effective;
    double cpu_s;
};
void ticket_times(const struct ticket *ticket, struct ticket_times *ret);
struct json_out;
/* As the member "ticket", or "scan". */
void ticket_write(const struct ticket *ticket, struct json_out *out);
bool ticket_state_is_final(const char *state);
