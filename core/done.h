/* SPDX-License-Identifier: Apache-2.0 */
/* <log>.done: the result of each on-demand scan that has ended. */
#pragma once

#include "json.h"
#include "queue.h"

/* Write the entries of all tickets of this scan; summary: what store said, or NULL. */
void done_write(struct queue *queue, int64_t scan, const struct json *summary);
