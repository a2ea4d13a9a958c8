/* SPDX-License-Identifier: Apache-2.0 */
/* queue.db: requests ("tickets") and the scans that serve them.  Each call that changes
 * something is one commit, on disk when it returns.  A ticket belongs to one scan, a scan may
 * serve several tickets; of an application at most one scan runs and one waits.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "controlid.h"
#include "json.h"
#include "manifest.h"
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

struct queue_scan {
    int64_t id;
    char application[NAME_MAX_LEN + 1];
    int64_t cputhrottle, attempts;
};

int queue_open(const char *path, struct queue **ret, struct why *why);
void queue_close(struct queue *queue);

/* No scan gets a number up to this one. */
int queue_reserve(struct queue *queue, int64_t scan);

/* A request: joins the scan that waits, or makes one.  *ret_state: QUEUED or DELAYED. */
struct queue_ticket {
    char control_id[CONTROLID_SIZE];
    const char *state;
    int64_t scan;
    bool joined;
    int64_t cputhrottle; /* of the scan: the smallest of all that share it */
};
int queue_demand(struct queue *queue, const char *application, int64_t cputhrottle,
                 time_t now, struct queue_ticket *ret, struct why *why);

/* Scans in this state, oldest first.  Returns their number, at most n. */
int queue_scans(struct queue *queue, const char *state, struct queue_scan *ret, int n);

/* QUEUED -> RUNNING, with one attempt more; scan is read anew.  1, or 0 when it is not queued
 * any more.
 */
int queue_start(struct queue *queue, struct queue_scan *scan, time_t now);
/* RUNNING -> QUEUED; uncounted: the attempt does not count. */
int queue_requeue(struct queue *queue, int64_t scan, bool uncounted);

/* The scan has ended, its tickets with it; the one that waited for it is QUEUED now.  Returns
 * how many tickets that are.
 */
struct queue_end {
    const char *outcome, *reason;
    double cpu_s;
    const char *records; /* JSON object {kind: count}, or NULL */
    long peak_kib;       /* of its largest process; 0: not known.  For the log alone. */
};
int queue_end(struct queue *queue, int64_t scan, time_t now, const struct queue_end *end);

/* Cancel one ticket.  Returns what became of it. */
enum queue_cancel {
    CANCEL_UNKNOWN, /* no such ticket */
    CANCEL_FINAL,   /* it had ended already: unchanged */
    CANCEL_SHARED,  /* cancelled; others still want the scan */
    CANCEL_WAITING, /* cancelled, and its scan, which had not begun */
    CANCEL_RUNNING, /* it is the last one of a running scan: nothing was changed yet */
};
int queue_cancel(struct queue *queue, const char *control_id, time_t now,
                 int64_t *ret_scan);

/* Call fn for tickets, newest first: of one control_id, of one scan, or of one application
 * (NULL, 0: any).  Returns how many.
 */
struct queue_filter {
    const char *control_id, *application;
    int64_t scan;
    int limit;
};
struct ticket; /* a row */
int queue_tickets(struct queue *queue, const struct queue_filter *filter,
                  void (*fn)(const struct ticket *ticket, void *arg), void *arg);

/* Fields of a row; valid inside fn. */
const char *ticket_control_id(const struct ticket *ticket);
const char *ticket_state(const struct ticket *ticket);
const char *ticket_application(const struct ticket *ticket);
int64_t ticket_scan(const struct ticket *ticket);
/* What people read of it; "-" for a time that there is not. */
struct ticket_times {
    const char *reason, *requested, *started, *ended;
    int64_t cputhrottle;
    double cpu_s;
};
void ticket_times(const struct ticket *ticket, struct ticket_times *ret);
void ticket_write(const struct ticket *ticket, struct json_out *out, const char *key);
bool ticket_state_is_final(const char *state);
