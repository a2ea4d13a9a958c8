/* SPDX-License-Identifier: Apache-2.0 */
/* Blackout windows: weekdays and a time of day as the clock on the wall shows it (localtime_r).
 * A moment is in a window when that clock shows a time of it, so the end of DST may enter one
 * twice, and a time that DST leaves out ends it when the clock jumps.  No clock is read here.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "manifest.h"

enum { WINDOWS_MAX = 64, WINDOW_APPS_MAX = 16, WINDOW_DAY_MINUTES = 1440 };
#define WINDOW_NEVER INT64_MAX

struct window {
    uint8_t days; /* on which it begins; bit 0 is Sunday */
    int from, to; /* minutes of the day, 0…1439; to <= from: it ends on the day after */
    bool collect; /* no interval scans */
    bool transmit;      /* no uploads */
    int n_applications; /* 0: all */
    char applications[WINDOW_APPS_MAX][NAME_MAX_LEN + 1];
};

/* t is UTC seconds since 1970. */
bool window_covers(const struct window *window, int64_t t);

/* The first moment from t on that no collect window of this application covers: t itself when
 * none covers t; WINDOW_NEVER when they leave nothing free within eight days.
 * *ret_length_s (or NULL): the sum of the lengths, by the clock, of the windows that were
 * passed, 0 when none; where several cover a moment, only the one that ends last is.
 */
int64_t window_free(const struct window *windows, int n, const char *application,
                    int64_t t, int64_t *ret_length_s);
