/* SPDX-License-Identifier: Apache-2.0 */
/* The lines of a log with its rotated files, oldest first, and those that come later. */
#pragma once

#include "why.h"

/* Longer lines are cut: the agent's are shorter. */
enum { LOG_LINE_MAX = 4096 };

struct log_tail;

/* The log as it is now: <path>.keep … <path>.1, <path>.  0 (*ret is the caller's:
 * log_tail_free), or a negated errno.
 */
int log_tail_open(const char *path, int keep, struct log_tail **ret, struct why *why);

/* The next line, without its end, or NULL when there is none yet; valid until the next call. */
const char *log_tail_next(struct log_tail *tail);

void log_tail_free(struct log_tail *tail); /* NULL is fine */
