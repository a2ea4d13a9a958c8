/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the queue share.  Each calls those before it: queue-schema.c, queue-ids.c,
 * queue-repair.c, queue-db.c, and queue.c and tickets.c.
 */
#pragma once

#include "db.h"
#include "queue.h"

struct queue {
    struct db *db;
    struct why failure; /* the words of the last transaction that failed */
};

/* SQL: a ticket, a scan that has not ended. */
#define QUEUE_OPEN_STATES "('QUEUED', 'DELAYED', 'RUNNING')"

/* ---- queue-schema.c ---- */
extern const int64_t queue_schema; /* the newest */
/* In the open transaction: the tables of this schema become those of the newest one. */
int queue_make(struct db *db, int64_t schema);
int queue_run_all(struct db *db, const char *const *statements, int n);
/* The first column of the first row, or def; ends the rows. */
int queue_int(struct db_rows *rows, int64_t def, int64_t *ret);

/* ---- queue-ids.c: in the open transaction ---- */
/* The next number within this second; a number is never given twice, whatever the clock does
 * and however much of the history is gone.
 */
int queue_next_n(struct queue *queue, const char *stamp, int64_t *ret);
/* Numbers of all seconds up to this stamp may have been given up to n. */
int queue_forget(struct db *db, const char *stamp, int64_t n);

/* ---- queue-repair.c ---- */
/* A damaged file is moved aside, and a new one has what could be read: *ret_note says so, else
 * it is "".  -EUCLEAN and the like when that could not be done.
 */
int queue_repair(const char *path, time_t now, struct why *ret_note, struct why *why);
/* In the open transaction: each open ticket has an open scan of its application, and a state
 * that there is; a scan that nobody wants is not run.
 */
int queue_mend(struct db *db);

/* ---- queue-db.c ---- */
int queue_begin(struct queue *queue);
/* Commit when r is a success, else undo.  Returns the first failure, or r. */
int queue_finish(struct queue *queue, int r);
/* In the open transaction: a bounded part of the history that is too old or too much goes. */
int queue_prune(struct queue *queue, time_t now);
/* What is kept; a test may have less. */
extern int64_t queue_days_max, queue_bytes_max;
