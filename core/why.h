/* SPDX-License-Identifier: Apache-2.0 */
/* The reason of a failure, in words: the caller owns the buffer, the callee fills it. */
#pragma once

struct why {
    char text[512];
};

/* Write the reason; returns r, so that `return why_set(why, -EINVAL, "…")` reads well.
 * why may be NULL.
 */
int why_set(struct why *why, int r, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
