/* SPDX-License-Identifier: Apache-2.0 */
/* Zones are POSIX TZ strings, which need no zone files; the random part knows their rules
 * itself.  It prints its seed: WINDOW_SEED=7 repeats one.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <criterion/criterion.h>

#include "window.h"

enum { HOUR = 3600, DAY = 86400, WEEK_MINUTES = 7 * WINDOW_DAY_MINUTES };
enum { ALL = 0x7f, SUN = 1, MON = 2, FRI = 32, SAT = 64 };

#define BERLIN "CET-1CEST,M3.5.0,M10.5.0/3"
#define NEW_YORK "EST5EDT,M3.2.0,M11.1.0"
#define LORD_HOWE "LHST-10:30LHDT-11,M10.1.0,M4.1.0"

static void
set_zone(const char *tz)
{
    setenv("TZ", tz, 1);
    tzset();
}

/* "2026-03-29 00:45" or "… 00:45:01", in UTC. */
static int64_t
utc(const char *text)
{
    struct tm tm = {0};
    const char *end = strptime(text, "%Y-%m-%d %H:%M", &tm);

    if (end && *end == ':')
        end = strptime(end, ":%S", &tm);
    cr_assert(end && !*end, "%s", text);
    return timegm(&tm);
}

static struct window
window(int days, const char *from, const char *to)
{
    struct window w = {.days = (uint8_t)days, .collect = true};

    w.from = atoi(from) * 60 + atoi(from + 3);
    w.to = atoi(to) * 60 + atoi(to + 3);
    return w;
}

/* ---- Tables --------------------------------------------------------------------------- */

Test(window, it_covers_what_the_clock_shows_of_it)
{
    static const struct {
        const char *zone, *from, *to;
        int days;
        const char *t;
        bool covers;
    } rows[] = {
        /* 2026-11-25 is a Wednesday. */
        {"UTC0", "08:00", "18:00", ALL, "2026-11-25 07:59:59", false},
        {"UTC0", "08:00", "18:00", ALL, "2026-11-25 08:00", true},
        {"UTC0", "08:00", "18:00", ALL, "2026-11-25 17:59:59", true},
        {"UTC0", "08:00", "18:00", ALL, "2026-11-25 18:00", false},
        {"UTC0", "08:00", "18:00", ALL & ~8, "2026-11-25 12:00", false},
        {"UTC0", "08:00", "18:00", 8, "2026-11-25 12:00", true},
        /* Friday's night is Saturday's morning, and not Friday's. */
        {"UTC0", "22:00", "06:00", FRI, "2026-11-27 21:59", false},
        {"UTC0", "22:00", "06:00", FRI, "2026-11-27 22:00", true},
        {"UTC0", "22:00", "06:00", FRI, "2026-11-28 05:59:59", true},
        {"UTC0", "22:00", "06:00", FRI, "2026-11-28 06:00", false},
        {"UTC0", "22:00", "06:00", FRI, "2026-11-27 05:00", false},
        {"UTC0", "22:00", "06:00", FRI, "2026-11-28 22:00", false},
        {"UTC0", "22:00", "06:00", SAT, "2026-11-29 03:00", true},
        /* To midnight; a whole day; the same time a day later. */
        {"UTC0", "18:00", "00:00", SUN, "2026-11-29 23:59:59", true},
        {"UTC0", "18:00", "00:00", SUN, "2026-11-30 00:00", false},
        {"UTC0", "00:00", "00:00", SUN, "2026-11-29 00:00", true},
        {"UTC0", "00:00", "00:00", SUN, "2026-11-30 00:00", false},
        {"UTC0", "12:00", "12:00", SUN, "2026-11-30 11:59", true},
        {"UTC0", "12:00", "12:00", SUN, "2026-11-29 11:59", false},
        {"UTC0", "12:00", "12:00", SUN, "2026-11-30 12:00", false},
        {"UTC0", "00:00", "00:00", 0, "2026-11-29 12:00", false},
        /* The clock of the place: 23:30 of Saturday here is Sunday there. */
        {BERLIN, "00:00", "01:00", SUN, "2026-11-28 23:30", true},
        {NEW_YORK, "23:00", "00:00", SAT, "2026-11-29 04:30", true},
        /* 02:00 to 03:00 comes twice, and not at all. */
        {BERLIN, "02:00", "03:00", ALL, "2026-10-25 00:00", true},
        {BERLIN, "02:00", "03:00", ALL, "2026-10-25 01:59:59", true},
        {BERLIN, "02:00", "03:00", ALL, "2026-10-25 02:00", false},
        {BERLIN, "02:00", "03:00", ALL, "2026-03-29 00:59:59", false},
        {BERLIN, "02:00", "03:00", ALL, "2026-03-29 01:00", false},
        {BERLIN, "03:00", "04:00", ALL, "2026-03-29 01:00", true},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct window w = window(rows[i].days, rows[i].from, rows[i].to);

        set_zone(rows[i].zone);
        cr_expect_eq(window_covers(&w, utc(rows[i].t)), rows[i].covers,
                     "%s %s-%s of %#x at %s", rows[i].zone, rows[i].from, rows[i].to,
                     (unsigned)rows[i].days, rows[i].t);
    }
}

Test(window, it_is_over_when_the_clock_says_so)
{
    static const struct {
        const char *zone, *from, *to;
        int days;
        const char *t, *over; /* over: NULL for never */
        int64_t length_s;
    } rows[] = {
        {"UTC0", "22:00", "06:00", ALL, "2026-11-25 21:59:59", "2026-11-25 21:59:59", 0},
        {"UTC0", "22:00", "06:00", ALL, "2026-11-25 22:00", "2026-11-26 06:00", 8 * HOUR},
        {"UTC0", "22:00", "06:00", ALL, "2026-11-26 05:59:59", "2026-11-26 06:00",
         8 * HOUR},
        {"UTC0", "22:00", "06:00", ALL, "2026-11-26 06:00", "2026-11-26 06:00", 0},
        {"UTC0", "18:00", "00:00", ALL, "2026-11-25 18:00:30", "2026-11-26 00:00",
         6 * HOUR},
        {"UTC0", "00:00", "00:00", SAT | SUN, "2026-11-28 07:00", "2026-11-30 00:00",
         2 * DAY},
        {"UTC0", "12:00", "12:00", SAT, "2026-11-28 12:00", "2026-11-29 12:00", DAY},
        {"UTC0", "00:00", "00:00", ALL & ~SAT, "2026-11-29 00:00", "2026-12-05 00:00",
         6 * DAY},
        {"UTC0", "00:00", "23:59", ALL, "2026-11-29 00:00", "2026-11-29 23:59", DAY - 60},
        {"UTC0", "00:00", "00:00", ALL, "2026-11-29 00:00", NULL, 9 * DAY},
        /* Days of 23 and of 25 hours. */
        {BERLIN, "22:00", "06:00", ALL, "2026-03-28 21:30", "2026-03-29 04:00", 8 * HOUR},
        {BERLIN, "22:00", "06:00", ALL, "2026-10-24 20:30", "2026-10-25 05:00", 8 * HOUR},
        {BERLIN, "00:00", "00:00", SUN, "2026-03-28 23:00", "2026-03-29 22:00", DAY},
        {BERLIN, "00:00", "00:00", SUN, "2026-10-24 22:00", "2026-10-25 23:00", DAY},
        {NEW_YORK, "22:00", "06:00", ALL, "2026-03-08 03:00", "2026-03-08 10:00",
         8 * HOUR},
        {NEW_YORK, "22:00", "06:00", ALL, "2026-11-01 02:00", "2026-11-01 11:00",
         8 * HOUR},
        {LORD_HOWE, "22:00", "06:00", ALL, "2026-10-03 11:30", "2026-10-03 19:00",
         8 * HOUR},
        {LORD_HOWE, "22:00", "06:00", ALL, "2026-04-04 11:00", "2026-04-04 19:30",
         8 * HOUR},
        /* An end that is left out: over when the clock jumps. */
        {BERLIN, "01:30", "02:30", ALL, "2026-03-29 00:45", "2026-03-29 01:00", HOUR},
        {BERLIN, "01:30", "03:00", ALL, "2026-03-29 00:45", "2026-03-29 01:00", 90 * 60},
        {BERLIN, "01:30", "02:00", ALL, "2026-03-29 00:45", "2026-03-29 01:00", 30 * 60},
        {BERLIN, "01:30", "03:01", ALL, "2026-03-29 00:45", "2026-03-29 01:01", 91 * 60},
        {LORD_HOWE, "01:00", "02:15", ALL, "2026-10-03 14:45", "2026-10-03 15:30",
         75 * 60},
        /* An hour that comes twice: two windows, or the end of one. */
        {BERLIN, "02:00", "03:00", ALL, "2026-10-25 00:10", "2026-10-25 02:00", 2 * HOUR},
        {BERLIN, "02:00", "03:00", ALL, "2026-10-25 01:10", "2026-10-25 02:00", HOUR},
        {BERLIN, "01:00", "02:30", ALL, "2026-10-25 00:10", "2026-10-25 00:30", 90 * 60},
        {BERLIN, "01:00", "02:30", ALL, "2026-10-25 01:10", "2026-10-25 01:30", 90 * 60},
        {BERLIN, "02:30", "03:00", ALL, "2026-10-25 00:40", "2026-10-25 01:00", 30 * 60},
        {BERLIN, "01:00", "03:30", ALL, "2026-10-24 23:30", "2026-10-25 02:30", 150 * 60},
        {LORD_HOWE, "01:00", "02:30", ALL, "2026-04-04 14:10", "2026-04-04 16:00",
         90 * 60},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct window w = window(rows[i].days, rows[i].from, rows[i].to);
        const int64_t t = utc(rows[i].t),
                      over = rows[i].over ? utc(rows[i].over) : WINDOW_NEVER;
        int64_t length_s = -1, got;

        set_zone(rows[i].zone);
        got = window_free(&w, 1, "inv", t, &length_s);
        cr_expect_eq(got, over, "%s %s-%s at %s: after %" PRId64 " s, not %" PRId64,
                     rows[i].zone, rows[i].from, rows[i].to, rows[i].t, got - t,
                     over - t);
        cr_expect_eq(length_s, rows[i].length_s, "%s %s-%s at %s: length %" PRId64,
                     rows[i].zone, rows[i].from, rows[i].to, rows[i].t, length_s);
        cr_expect_eq(window_free(&w, 1, "inv", t, NULL), over);
    }
}

/* Which of several windows hold, and the lengths of those that were passed. */
Test(window, one_that_follows_another_is_waited_for_too)
{
    const int64_t t = utc("2026-11-25 23:45");
    int64_t length_s;

    set_zone("UTC0");
    const struct window row[] = {window(ALL, "22:00", "02:00"),
                                 window(ALL, "02:00", "05:00"),
                                 window(ALL, "23:30", "01:00")};

    cr_expect_eq(window_free(row, 3, "inv", t, &length_s), utc("2026-11-26 05:00"));
    cr_expect_eq(length_s, 7 * HOUR, "the third is within the first");
    cr_expect_eq(window_free(row, 1, "inv", t, &length_s), utc("2026-11-26 02:00"));
    cr_expect_eq(length_s, 4 * HOUR);
    const struct window lap[] = {window(ALL, "22:00", "02:00"),
                                 window(ALL, "01:00", "05:00")};
    cr_expect_eq(window_free(lap, 2, "inv", t, &length_s), utc("2026-11-26 05:00"));
    cr_expect_eq(length_s, 8 * HOUR, "both were passed");
}

Test(window, those_of_other_applications_and_of_uploads_do_not_count)
{
    const int64_t t = utc("2026-11-25 23:00"), end = utc("2026-11-26 06:00");
    struct window w = window(ALL, "22:00", "06:00");
    int64_t length_s = -1;

    set_zone("UTC0");
    cr_expect_eq(window_free(NULL, 0, "inv", t, &length_s), t);
    cr_expect_eq(length_s, 0);
    w.transmit = true;
    cr_expect_eq(window_free(&w, 1, "inv", t, NULL), end);
    w.collect = false;
    cr_expect_eq(window_free(&w, 1, "inv", t, &length_s), t);
    cr_expect_eq(length_s, 0);
    cr_expect(window_covers(&w, t), "it is a window all the same");
    w.collect = true;
    w.n_applications = 2;
    strcpy(w.applications[0], "vm");
    strcpy(w.applications[1], "pc");
    cr_expect_eq(window_free(&w, 1, "inv", t, NULL), t);
    cr_expect_eq(window_free(&w, 1, "p", t, NULL), t);
    cr_expect_eq(window_free(&w, 1, "pc", t, NULL), end);
    cr_expect_eq(window_free(&w, 1, "vm", t, NULL), end);
}

Test(window, a_year_without_a_name_is_in_no_window)
{
    const struct window w = window(ALL, "00:00", "00:00");

    set_zone(BERLIN);
    cr_expect_not(window_covers(&w, INT64_MAX));
    cr_expect_not(window_covers(&w, INT64_MIN));
    cr_expect_eq(window_free(&w, 1, "inv", INT64_MIN, NULL), INT64_MIN);
    cr_expect_eq(window_free(&w, 1, "inv", INT64_MAX, NULL), INT64_MAX);
}

/* ---- Random windows and moments ------------------------------------------------------- */

/* The second Sunday of March at 02:00 is {3, 2, 2}; week 5 is the last one. */
struct change {
    int month, week, hour;
};
static const struct zone {
    const char *tz;
    int standard_s, summer_s;
    struct change begin, end;
} zones[] = {
    {BERLIN, HOUR, 2 * HOUR, {3, 5, 2}, {10, 5, 3}},
    {NEW_YORK, -5 * HOUR, -4 * HOUR, {3, 2, 2}, {11, 1, 2}},
    {LORD_HOWE, 37800, 39600, {10, 1, 2}, {4, 1, 2}},
};
enum { N_ZONES = 3, CASES = 1500 };

/* Days since 1970 of the first day of a month. */
static int64_t
month_days(int year, int month)
{
    static const int before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
    const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    const int64_t y = year - 1;

    return y * 365 + y / 4 - y / 100 + y / 400 - 719162 + before[month - 1] +
           (leap && month > 2);
}

static int
weekday(int64_t days)
{
    return (int)((days + 4) % 7); /* 1970 began on a Thursday */
}

/* When the clock is stepped, by the local time that it shows just before that. */
static int64_t
change_at(const struct change *change, int year)
{
    int64_t first = month_days(year, change->month), day;

    day = first + (7 - weekday(first)) % 7 + 7 * (change->week - 1);
    while (day >= month_days(year + change->month / 12, change->month % 12 + 1))
        day -= 7;
    return day * DAY + change->hour * HOUR;
}

static int
year_of(int64_t t)
{
    int year = 1970;

    while (month_days(year + 1, 1) * DAY <= t)
        year++;
    return year;
}

static int64_t
begin_at(const struct zone *zone, int year)
{
    return change_at(&zone->begin, year) - zone->standard_s;
}

static int64_t
end_at(const struct zone *zone, int year)
{
    return change_at(&zone->end, year) - zone->summer_s;
}

static int64_t
local_of(const struct zone *zone, int64_t t)
{
    const int year = year_of(t + zone->standard_s);
    const int64_t begin = begin_at(zone, year), end = end_at(zone, year);
    const bool summer = begin < end ? t >= begin && t < end : !(t >= end && t < begin);

    return t + (summer ? zone->summer_s : zone->standard_s);
}

/* By marking each minute of a week that is in it. */
static bool
covers_too(const struct window *w, const struct zone *zone, int64_t t)
{
    static bool week[WEEK_MINUTES];
    const int64_t minutes = local_of(zone, t) / 60;
    int length = w->to - w->from;

    memset(week, 0, sizeof week);
    if (length <= 0)
        length += WINDOW_DAY_MINUTES;
    for (int day = 0; day < 7; day++)
        for (int m = 0; w->days & 1 << day && m < length; m++)
            week[(day * WINDOW_DAY_MINUTES + w->from + m) % WEEK_MINUTES] = true;
    return week[weekday(minutes / WINDOW_DAY_MINUTES) * WINDOW_DAY_MINUTES +
                minutes % WINDOW_DAY_MINUTES];
}

static uint64_t random_seed, random_state;

static int
random_below(int n)
{
    random_state = random_state * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (int)((random_state >> 33) % (uint64_t)n);
}

/* Half of them in the small hours, on quarters, where clocks are stepped. */
static int
random_minute(void)
{
    switch (random_below(4)) {
    case 0:
        return random_below(WINDOW_DAY_MINUTES);
    case 1:
        return (WINDOW_DAY_MINUTES - 30 + random_below(61)) % WINDOW_DAY_MINUTES;
    default:
        return 15 * random_below(17);
    }
}

static struct window
random_window(const struct window *before)
{
    static const int days[] = {ALL, ALL, SUN, SAT, SAT | SUN, ALL & ~SUN};
    struct window w = {
        .days = (uint8_t)(random_below(3) ? days[random_below(6)] : random_below(128)),
        .collect = random_below(8) > 0,
        .transmit = random_below(2)};

    w.from = before && random_below(2) ? before->to : random_minute();
    w.to = random_minute();
    w.n_applications = random_below(3);
    for (int i = 0; i < w.n_applications; i++)
        strcpy(w.applications[i], random_below(2) ? "inv" : "pc");
    return w;
}

static int64_t
random_moment(const struct zone *zone)
{
    const int year = 2020 + random_below(20);
    int64_t t = random_below(2) ? begin_at(zone, year) : end_at(zone, year);

    switch (random_below(4)) {
    case 0:
        return t - 3 * HOUR + random_below(6 * HOUR);
    case 1:
        return t - 2 * DAY + random_below(4 * DAY);
    case 2: /* about midnight */
        t += random_below(300) * (int64_t)DAY;
        t -= local_of(zone, t) % DAY;
        return t - 60 + random_below(120);
    default:
        return t + random_below(300 * DAY);
    }
}

static bool
is_free(const struct window *windows, int n, int64_t t)
{
    for (int i = 0; i < n; i++) {
        const struct window *w = &windows[i];
        bool for_inv = w->n_applications == 0;

        for (int k = 0; k < w->n_applications; k++)
            for_inv = for_inv || strcmp(w->applications[k], "inv") == 0;
        if (w->collect && for_inv && window_covers(w, t))
            return false;
    }
    return true;
}

/* Minute by minute; all of these zones are full minutes from UTC. */
static int64_t
walk(const struct window *windows, int n, int64_t t)
{
    int64_t at = t;

    while (!is_free(windows, n, at)) {
        at = (at / 60 + 1) * 60;
        if (at > t + 8 * DAY)
            return WINDOW_NEVER;
    }
    return at;
}

static void
seed(void)
{
    const char *given = getenv("WINDOW_SEED");

    random_seed = given ? strtoull(given, NULL, 10) : (uint64_t)time(NULL);
    random_state = random_seed;
}

Test(window, random_moments_are_covered_as_another_computation_says)
{
    seed();
    for (int i = 0; i < N_ZONES * CASES; i++) {
        const struct zone *zone = &zones[i % N_ZONES];
        const struct window w = random_window(NULL);
        const int64_t t = random_moment(zone);

        set_zone(zone->tz);
        cr_assert_eq(window_covers(&w, t), covers_too(&w, zone, t),
                     "WINDOW_SEED=%" PRIu64
                     ", case %d: %s, %02d:%02d-%02d:%02d of %#x at "
                     "%" PRId64,
                     random_seed, i, zone->tz, w.from / 60, w.from % 60, w.to / 60,
                     w.to % 60, w.days, t);
    }
}

Test(window, the_first_free_moment_is_that_of_a_walk_minute_by_minute, .timeout = 100)
{
    int n_waits = 0;

    seed();
    for (int i = 0; i < N_ZONES * CASES; i++) {
        const struct zone *zone = &zones[i % N_ZONES];
        const int n = 1 + random_below(5);
        struct window w[5];
        int64_t t, got, expected;

        for (int k = 0; k < n; k++)
            w[k] = random_window(k ? &w[k - 1] : NULL);
        t = random_moment(zone);
        set_zone(zone->tz);
        got = window_free(w, n, "inv", t, NULL);
        expected = walk(w, n, t);
        n_waits += got > t;
        cr_assert_eq(got, expected,
                     "WINDOW_SEED=%" PRIu64 ", case %d: %s, %d windows at %" PRId64
                     ": %" PRId64 ", a walk says %" PRId64,
                     random_seed, i, zone->tz, n, t, got, expected);
    }
    cr_expect(n_waits > CASES / 2, "%d", n_waits);
}
