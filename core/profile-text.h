/* SPDX-License-Identifier: Apache-2.0 */
/* How durations, times of day and weekdays stand in a profile.  Pure. */
#pragma once

#include <stdint.h>

/* "90m": a whole number of up to nine digits, without zeros in front, and its unit: s, m, h,
 * d.  0, or -EINVAL.
 */
int profile_duration_parse(const char *text, int64_t *ret_s);
/* In the largest unit in which it is a whole number: "90m", "4h", "0s". */
enum { PROFILE_DURATION_TEXT = 24 };
void profile_duration_text(int64_t s, char ret[PROFILE_DURATION_TEXT]);

/* "22:00", minutes of the day; "24:00" is 1440.  0, or -EINVAL. */
int profile_time_parse(const char *text, int *ret_minutes);
enum { PROFILE_TIME_TEXT = 6 };
void profile_time_text(int minutes, char ret[PROFILE_TIME_TEXT]);

/* Names of the weekdays in the order of tm_wday: "sun" is 0. */
enum { PROFILE_DAYS = 7, PROFILE_ALL_DAYS = 0x7f };
extern const char *const profile_days[PROFILE_DAYS];
/* 0…6, or -EINVAL. */
int profile_day_parse(const char *text);
