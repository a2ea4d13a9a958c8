/* SPDX-License-Identifier: Apache-2.0 */
#include "controlid.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

int
controlid_stamp(time_t now, char ret[CONTROLID_STAMP_LEN + 1])
{
    struct tm tm;

    if (!localtime_r(&now, &tm) || tm.tm_year < 1000 - 1900 || tm.tm_year > 9999 - 1900)
        return -ERANGE;
    strftime(ret, CONTROLID_STAMP_LEN + 1, "%Y%m%d%H%M%S", &tm);
    return 0;
}

int
controlid_format(time_t now, int64_t n, char ret[CONTROLID_SIZE])
{
    char stamp[CONTROLID_STAMP_LEN + 1];
    int r;

    if (n < 0 || n > CONTROLID_N_MAX)
        return -ERANGE;
    r = controlid_stamp(now, stamp);
    if (r < 0)
        return r;
    snprintf(ret, CONTROLID_SIZE, "%s.%" PRId64, stamp, n);
    return 0;
}

static int
digits(const char *text, int n)
{
    int value = 0;

    for (int i = 0; i < n; i++)
        value = value * 10 + (text[i] - '0');
    return value;
}

static bool
date_exists(const char *stamp)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int year = digits(stamp, 4), month = digits(stamp + 4, 2), day = digits(stamp + 6, 2);
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    if (year < 1000 || month < 1 || month > 12 || day < 1)
        return false;
    return day <= days[month - 1] + (leap && month == 2);
}

/* A second of 60 is what a clock with leap seconds shows. */
static bool
time_exists(const char *stamp)
{
    return digits(stamp + 8, 2) < 24 && digits(stamp + 10, 2) < 60 &&
           digits(stamp + 12, 2) <= 60;
}

int
controlid_parse(const char *text, struct controlid *ret)
{
    static const char decimal[] = "0123456789";
    const char *n;
    size_t n_len;

    if (strspn(text, decimal) != CONTROLID_STAMP_LEN || text[CONTROLID_STAMP_LEN] != '.')
        return -EINVAL;
    n = text + CONTROLID_STAMP_LEN + 1;
    n_len = strspn(n, decimal);
    if (n_len < 1 || n_len > 9 || n[n_len] != '\0' || (n[0] == '0' && n_len > 1))
        return -EINVAL;
    if (!date_exists(text) || !time_exists(text))
        return -EINVAL;
    memcpy(ret->stamp, text, CONTROLID_STAMP_LEN);
    ret->stamp[CONTROLID_STAMP_LEN] = '\0';
    ret->n = digits(n, (int)n_len);
    return 0;
}

bool
controlid_is_valid(const char *text)
{
    struct controlid id;

    return controlid_parse(text, &id) == 0;
}
