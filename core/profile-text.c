/* SPDX-License-Identifier: Apache-2.0 */
#include "profile-text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct unit {
    char letter;
    int64_t seconds;
} units[] = {{'d', 86400}, {'h', 3600}, {'m', 60}, {'s', 1}};

enum { N_UNITS = sizeof units / sizeof units[0], DIGITS_MOST = 9 };

static const char digits[] = "0123456789";

int
profile_duration_parse(const char *text, int64_t *ret_s)
{
    size_t n = strspn(text, digits);

    if (n < 1 || n > DIGITS_MOST || (n > 1 && text[0] == '0') || strlen(text) != n + 1)
        return -EINVAL;
    for (int i = 0; i < N_UNITS; i++)
        if (text[n] == units[i].letter) {
            *ret_s = strtoll(text, NULL, 10) * units[i].seconds;
            return 0;
        }
    return -EINVAL;
}

void
profile_duration_text(int64_t s, char ret[PROFILE_DURATION_TEXT])
{
    const struct unit *unit = &units[s == 0 ? N_UNITS - 1 : 0];

    while (s % unit->seconds != 0)
        unit++;
    snprintf(ret, PROFILE_DURATION_TEXT, "%" PRId64 "%c", s / unit->seconds,
             unit->letter);
}

int
profile_time_parse(const char *text, int *ret_minutes)
{
    int minutes;

    if (strlen(text) != 5 || strspn(text, digits) != 2 || text[2] != ':' ||
        strspn(text + 3, digits) != 2)
        return -EINVAL;
    minutes = atoi(text) * 60 + atoi(text + 3);
    if (minutes > 24 * 60 || atoi(text + 3) > 59)
        return -EINVAL;
    *ret_minutes = minutes;
    return 0;
}

void
profile_time_text(int minutes, char ret[PROFILE_TIME_TEXT])
{
    snprintf(ret, PROFILE_TIME_TEXT, "%02u:%02u", (unsigned)minutes / 60 % 24,
             (unsigned)minutes % 60);
}

const char *const profile_days[PROFILE_DAYS] = {"sun", "mon", "tue", "wed",
                                                "thu", "fri", "sat"};

int
profile_day_parse(const char *text)
{
    for (int i = 0; i < PROFILE_DAYS; i++)
        if (strcmp(text, profile_days[i]) == 0)
            return i;
    return -EINVAL;
}
