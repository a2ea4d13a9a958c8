/* SPDX-License-Identifier: Apache-2.0 */
#include "window.h"

#include <string.h>
#include <time.h>

#define LOOK_AHEAD_S INT64_C(691200) /* 8 days */

/* What the clock on the wall shows at t; in a year that has no name nothing is known. */
struct wall {
    int64_t t;
    bool known;
    struct tm tm;
};

static void
wall_look(int64_t t, struct wall *ret)
{
    const time_t time = (time_t)t;

    ret->t = t;
    ret->known = time == t && localtime_r(&time, &ret->tm);
}

/* Minutes until the window is over by that clock; 0 when it does not cover that moment. */
static int
minutes_left(const struct window *window, const struct tm *tm)
{
    const int minute = tm->tm_hour * 60 + tm->tm_min;
    const int to =
        window->to > window->from ? window->to : window->to + WINDOW_DAY_MINUTES;
    const bool today = window->days >> tm->tm_wday & 1,
               yesterday = window->days >> (tm->tm_wday + 6) % 7 & 1;

    if (today && minute >= window->from && minute < to)
        return to - minute;
    if (yesterday && minute + WINDOW_DAY_MINUTES < to)
        return to - minute - WINDOW_DAY_MINUTES;
    return 0;
}

static int64_t
length_s(const struct window *window)
{
    int minutes = window->to - window->from;

    return INT64_C(60) * (minutes > 0 ? minutes : minutes + WINDOW_DAY_MINUTES);
}

bool
window_covers(const struct window *window, int64_t t)
{
    struct wall wall;

    wall_look(t, &wall);
    return wall.known && minutes_left(window, &wall.tm) > 0;
}

static bool
is_for(const struct window *window, const char *application)
{
    for (int i = 0; i < window->n_applications; i++)
        if (strcmp(window->applications[i], application) == 0)
            return true;
    return window->n_applications == 0;
}

/* Of the collect windows that cover this moment the one that is over last, or NULL. */
static const struct window *
last_to_end(const struct window *windows, int n, const char *application,
            const struct wall *wall, int *ret_minutes)
{
    const struct window *last = NULL;

    *ret_minutes = 0;
    for (int i = 0; wall->known && i < n; i++) {
        int minutes = minutes_left(&windows[i], &wall->tm);

        if (minutes > *ret_minutes && windows[i].collect &&
            is_for(&windows[i], application)) {
            *ret_minutes = minutes;
            last = &windows[i];
        }
    }
    return last;
}

/* The clock is stepped between these two: to becomes the first moment after that.  No zone
 * has stepped its clock twice within the day that a window may have.
 */
static void
wall_look_after_step(const struct wall *from, struct wall *to)
{
    int64_t before = from->t;

    while (to->t - before > 1) {
        struct wall middle;

        wall_look(before + (to->t - before) / 2, &middle);
        if (middle.tm.tm_gmtoff == from->tm.tm_gmtoff)
            before = middle.t;
        else
            *to = middle;
    }
}

/* Go on by so many minutes of the clock, less the seconds that it shows: true.  Or, false, to
 * an earlier moment, at which the clock is stepped.  Until there it runs evenly, so that a
 * window that has so many minutes left covers all that was passed.
 */
static bool
wall_go(struct wall *wall, int minutes)
{
    const struct wall from = *wall;
    const int64_t seconds = INT64_C(60) * minutes - from.tm.tm_sec;

    /* Where a zone has leap seconds, they are second 60. */
    wall_look(from.t + (seconds > 0 ? seconds : 1), wall);
    if (!wall->known || wall->tm.tm_gmtoff == from.tm.tm_gmtoff)
        return true;
    wall_look_after_step(&from, wall);
    return wall->t - from.t == seconds;
}

int64_t
window_free(const struct window *windows, int n, const char *application, int64_t t,
            int64_t *ret_length_s)
{
    /* stepped: the one in which the clock was, and which may go on after that. */
    const struct window *window = NULL, *stepped = NULL;
    struct wall wall = {.t = t};
    int64_t passed_s = 0;
    int minutes;

    if (n > 0)
        wall_look(t, &wall);
    while (wall.t - t <= LOOK_AHEAD_S &&
           (window = last_to_end(windows, n, application, &wall, &minutes))) {
        if (window != stepped)
            passed_s += length_s(window);
        stepped = wall_go(&wall, minutes) ? NULL : window;
    }
    if (ret_length_s)
        *ret_length_s = passed_s;
    return wall.t - t <= LOOK_AHEAD_S ? wall.t : WINDOW_NEVER;
}
