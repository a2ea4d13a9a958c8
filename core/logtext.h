/* SPDX-License-Identifier: Apache-2.0 */
/* Text of others in the log: it cannot forge a line and it cannot flood.  Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LOG_TEXT_MAX = 2048, LOG_CAP_LINES = 200 };
#define LOG_CAP_WINDOW_NS INT64_C(60000000000)

/* Copy len bytes of text so that they stay on one line: control characters (C0, DEL, C1,
 * and the line and paragraph separators) and bytes that are not UTF-8 become \xNN.  What
 * would be longer than size - 1 bytes is cut before that and ends with " [cut]".  size
 * is at least 16.  Returns the length of ret, which is terminated.
 */
size_t log_text(const char *text, size_t len, char *ret, size_t size);

/* At most LOG_CAP_LINES lines in each window.  All zero is a fresh one. */
struct log_cap {
    int64_t window_ns; /* when it began */
    unsigned lines;
    uint64_t left_out;
};

/* May one more line be written at monotonic time now_ns?  *ret_left_out is the number of
 * lines that were left out before this one and are to be told now, 0 for none.
 */
bool log_cap_take(struct log_cap *cap, int64_t now_ns, uint64_t *ret_left_out);

/* The lines left out and not told yet, for the end of the scan; they count as told. */
uint64_t log_cap_end(struct log_cap *cap);
