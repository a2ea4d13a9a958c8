/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the queue share: queue.c, tickets.c, and queue-db.c, which opens it. */
#pragma once

#include "db.h"
#include "queue.h"

struct queue {
    struct db *db;
    struct why failure; /* the words of the last transaction that failed */
};

/* SQL: a ticket, a scan that has not ended. */
#define QUEUE_OPEN_STATES "('QUEUED', 'DELAYED', 'RUNNING')"

int queue_begin(struct queue *queue);
/* Commit when r is a success, else undo.  Returns the first failure, or r. */
int queue_finish(struct queue *queue, int r);

/* In the open transaction: the next number within this second; a number is never given twice,
 * whatever the clock does and however much of the history is gone.
 */
int queue_next_n(struct queue *queue, const char *stamp, int64_t *ret);

/* In the open transaction: a bounded part of the history that is too old or too much goes. */
int queue_prune(struct queue *queue, time_t now);
/* What is kept; a test may have less. */
extern int64_t queue_days_max, queue_bytes_max;

/* The first column of the first row, or def; ends the rows. */
int queue_int(struct db_rows *rows, int64_t def, int64_t *ret);
