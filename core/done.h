/* SPDX-License-Identifier: Apache-2.0 */
/* <log>.done: the result of each on-demand scan that has ended. */
#pragma once

#include "json.h"
#include "queue.h"

/* Write the entries of all tickets of this scan that ended with it; summary: what store said, or
 * NULL.
 */
void done_write(struct queue *queue, int64_t scan, const char *outcome,
                const struct json *summary);
/* Of one ticket that has ended alone: it was withdrawn. */
void done_write_ticket(struct queue *queue, const char *control_id);
