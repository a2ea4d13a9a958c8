/* SPDX-License-Identifier: Apache-2.0 */
/* ControlIds: "YYYYMMDDhhmmss.N", local time of the request and a number within that
 * second.  Pure; that none is used twice is the business of queue.db.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

enum { CONTROLID_STAMP_LEN = 14, CONTROLID_SIZE = 32, CONTROLID_N_MAX = 999999999 };

struct controlid {
    char stamp[CONTROLID_STAMP_LEN + 1];
    int64_t n;
};

/* The stamp alone; -ERANGE when the year has not four digits. */
int controlid_stamp(time_t now, char ret[CONTROLID_STAMP_LEN + 1]);

/* The whole; -ERANGE also when n is not within 0…CONTROLID_N_MAX. */
int controlid_format(time_t now, int64_t n, char ret[CONTROLID_SIZE]);

/* 0, or -EINVAL when text is not a ControlId (a date that no calendar has, leading zeros
 * of N, anything before or after).
 */
int controlid_parse(const char *text, struct controlid *ret);
bool controlid_is_valid(const char *text);
