/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <criterion/criterion.h>

#include "schedule.h"

#define MONDAY INT64_C(1767571200) /* 2026-01-05 00:00 UTC */
#define MINUTE INT64_C(60)
#define HOUR INT64_C(3600)
#define DAY INT64_C(86400)
#define INTERVAL (4 * HOUR)
#define RANDOMIZE (24 * MINUTE)
#define NOW (MONDAY + 12 * HOUR)

enum { HOSTS = 2000 };

static const struct schedule_rule usual = {
    .interval_s = INTERVAL, .randomize_s = RANDOMIZE, .application = "inv"};

static void
in_utc(void)
{
    setenv("TZ", "UTC0", 1);
    tzset();
}

TestSuite(schedule, .init = in_utc);

static struct schedule_key
key_of(int host)
{
    struct schedule_key key;
    char name[32];

    snprintf(name, sizeof name, "host-%d", host);
    schedule_key(name, "inv", &key);
    return key;
}

static struct schedule_rule
rule_with(const struct window *windows, int n)
{
    struct schedule_rule rule = usual;

    rule.windows = windows;
    rule.n_windows = n;
    return rule;
}

/* Of what all hosts were given: all of it is in [from, to), and no tenth of that has less
 * than half or more than twice its share.
 */
static void
check_even(const int64_t *at, int64_t from, int64_t to)
{
    int tenths[10] = {0};

    for (int h = 0; h < HOSTS; h++) {
        cr_assert(at[h] >= from && at[h] < to, "host %d: %lld s after the first", h,
                  (long long)(at[h] - from));
        tenths[(at[h] - from) * 10 / (to - from)]++;
    }
    for (int i = 0; i < 10; i++)
        cr_expect(tenths[i] > HOSTS / 20 && tenths[i] < HOSTS / 5, "tenth %d: %d", i,
                  tenths[i]);
}

/* ---- the first one ---- */

Test(schedule, the_first_one_is_within_an_interval_of_the_activation)
{
    static int64_t due[HOSTS];

    for (int h = 0; h < HOSTS; h++) {
        struct schedule_history history = {.failures = 3};
        struct schedule_key key = key_of(h);

        schedule_activated(&usual, &key, &history, NOW);
        due[h] = history.due;
        cr_expect_eq(history.failures, 0);
        cr_expect_eq(schedule_start(&usual, &key, &history, NOW), history.due);
    }
    check_even(due, NOW, NOW + INTERVAL);
}

Test(schedule, scan_on_start_is_within_ten_minutes_or_randomize)
{
    static const int64_t rows[][2] = {
        {RANDOMIZE, 10 * MINUTE}, {INTERVAL, 10 * MINUTE}, {5 * MINUTE, 5 * MINUTE}};
    static int64_t activated[HOSTS], started[HOSTS];

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct schedule_rule rule = usual;

        rule.randomize_s = rows[i][0];
        rule.scan_on_start = true;
        for (int h = 0; h < HOSTS; h++) {
            struct schedule_history history = {0};
            struct schedule_key key = key_of(h);

            schedule_activated(&rule, &key, &history, NOW);
            activated[h] = history.due;
            history.due = NOW + INTERVAL;
            schedule_started(&rule, &key, &history, NOW);
            started[h] = history.due;
        }
        check_even(activated, NOW, NOW + rows[i][1]);
        check_even(started, NOW, NOW + rows[i][1]);
    }
}

Test(schedule, scan_on_start_with_randomize_0_is_at_once)
{
    struct schedule_rule rule = usual;
    struct schedule_history history = {0};
    struct schedule_key key = key_of(1);

    rule.randomize_s = 0;
    rule.scan_on_start = true;
    schedule_activated(&rule, &key, &history, NOW);
    cr_expect_eq(history.due, NOW);
    history.due = NOW + INTERVAL;
    schedule_started(&rule, &key, &history, NOW);
    cr_expect_eq(history.due, NOW);
}

Test(schedule, scan_on_start_delays_nothing)
{
    struct schedule_rule rule = usual;
    struct schedule_history history = {.due = NOW - 1};
    struct schedule_key key = key_of(1);

    rule.scan_on_start = true;
    schedule_started(&rule, &key, &history, NOW);
    cr_expect_eq(history.due, NOW - 1);
}

Test(schedule, a_start_of_the_agent_alone_changes_nothing)
{
    static const int64_t rows[] = {NOW - DAY, NOW, NOW + INTERVAL + RANDOMIZE};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct schedule_history history = {.due = rows[i], .number = 7, .failures = 2};
        struct schedule_key key = key_of(1);

        schedule_started(&usual, &key, &history, NOW);
        cr_expect_eq(history.due, rows[i]);
        cr_expect_eq(history.number, 7);
        cr_expect_eq(history.failures, 2);
    }
}

/* ---- the next one ---- */

typedef void event_fn(const struct schedule_rule *rule, const struct schedule_key *key,
                      struct schedule_history *history, int64_t at);

/* After each of them end + interval + h, over all hosts, and over all turns of one host. */
static void
check_turn(event_fn *fn)
{
    static int64_t of_hosts[HOSTS], of_turns[HOSTS];
    struct schedule_history one = {0};
    struct schedule_key first = key_of(0);

    for (int h = 0; h < HOSTS; h++) {
        struct schedule_history history = {.due = NOW - 5, .failures = 2};
        struct schedule_key key = key_of(h);

        fn(&usual, &key, &history, NOW);
        cr_assert_eq(history.failures, 0);
        cr_assert_eq(history.number, 1);
        of_hosts[h] = history.due;
        fn(&usual, &first, &one, NOW);
        of_turns[h] = one.due;
    }
    check_even(of_hosts, NOW + INTERVAL, NOW + INTERVAL + RANDOMIZE);
    check_even(of_turns, NOW + INTERVAL, NOW + INTERVAL + RANDOMIZE);
}

Test(schedule, after_a_success_it_is_an_interval_and_less_than_randomize)
{
    check_turn(schedule_succeeded);
}

Test(schedule, after_a_skipped_turn_it_is_the_same)
{
    check_turn(schedule_skipped);
}

Test(schedule, randomize_0_makes_it_an_interval_exactly)
{
    struct schedule_rule rule = usual;
    struct schedule_history history = {0};
    struct schedule_key key = key_of(1);

    rule.randomize_s = 0;
    schedule_succeeded(&rule, &key, &history, NOW);
    cr_expect_eq(history.due, NOW + INTERVAL);
}

Test(schedule, a_failed_one_is_tried_after_1_5_15_60_minutes_and_each_hour)
{
    static const int64_t minutes[] = {1, 5, 15, 60, 60, 60};
    static const int64_t intervals[] = {INTERVAL, 10 * MINUTE, 30};

    for (size_t k = 0; k < sizeof intervals / sizeof intervals[0]; k++) {
        struct schedule_rule rule = usual;
        struct schedule_history history = {.number = 7};
        struct schedule_key key = key_of(1);

        rule.interval_s = intervals[k];
        for (size_t i = 0; i < sizeof minutes / sizeof minutes[0]; i++) {
            int64_t wait = minutes[i] * MINUTE;

            schedule_failed(&rule, &key, &history, NOW);
            cr_expect_eq(history.due - NOW, wait < intervals[k] ? wait : intervals[k],
                         "interval %lld, failure %zu: %lld s", (long long)intervals[k],
                         i + 1, (long long)(history.due - NOW));
        }
        cr_expect_eq(history.number, 7);
    }
}

Test(schedule, a_success_or_a_skipped_turn_ends_the_failures)
{
    event_fn *const rows[] = {schedule_succeeded, schedule_skipped};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct schedule_history history = {0};
        struct schedule_key key = key_of(1);

        for (int k = 0; k < 3; k++)
            schedule_failed(&usual, &key, &history, NOW);
        rows[i](&usual, &key, &history, NOW);
        schedule_failed(&usual, &key, &history, NOW);
        cr_expect_eq(history.due, NOW + MINUTE);
    }
}

Test(schedule, what_was_missed_starts_once_and_at_once)
{
    struct schedule_history history = {.due = NOW - 30 * DAY};
    struct schedule_key key = key_of(1);

    cr_expect_leq(schedule_start(&usual, &key, &history, NOW), NOW);
    schedule_succeeded(&usual, &key, &history, NOW);
    cr_expect_geq(schedule_start(&usual, &key, &history, NOW), NOW + INTERVAL);
}

Test(schedule, what_came_due_while_suspended_is_spread_over_an_interval)
{
    static int64_t due[HOSTS];

    for (int h = 0; h < HOSTS; h++) {
        struct schedule_history history = {.due = NOW - h};
        struct schedule_key key = key_of(h);

        schedule_resumed(&usual, &key, &history, NOW);
        due[h] = history.due;
    }
    check_even(due, NOW, NOW + INTERVAL);
}

Test(schedule, resuming_leaves_what_is_not_due_and_what_is_not_to_be_spread)
{
    static const struct {
        int64_t due, randomize_s;
    } rows[] = {{NOW + 1, RANDOMIZE}, {NOW + INTERVAL, RANDOMIZE}, {NOW - HOUR, 0}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct schedule_rule rule = usual;
        struct schedule_history history = {.due = rows[i].due};
        struct schedule_key key = key_of(1);

        rule.randomize_s = rows[i].randomize_s;
        schedule_resumed(&rule, &key, &history, NOW);
        cr_expect_eq(history.due, rows[i].due, "row %zu", i);
    }
}

/* ---- steps of the clock ---- */

Test(schedule, a_step_that_due_follows_leaves_it_as_far_away)
{
    for (int64_t step = -DAY; step <= DAY; step += HOUR) {
        struct schedule_history history = {0};
        struct schedule_key key = key_of(1);
        int64_t away;

        schedule_succeeded(&usual, &key, &history, NOW);
        away = history.due - NOW;
        history.due += step;
        schedule_clamp(&usual, &key, &history, NOW + step);
        cr_expect_eq(history.due - (NOW + step), away);
    }
}

Test(schedule, what_is_too_far_away_is_within_an_interval)
{
    static const int64_t rows[] = {MINUTE, HOUR, DAY, 300 * DAY};
    static int64_t due[HOSTS];

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (int h = 0; h < HOSTS; h++) {
            struct schedule_history history = {.due =
                                                   NOW + INTERVAL + RANDOMIZE + rows[i]};
            struct schedule_key key = key_of(h);

            schedule_clamp(&usual, &key, &history, NOW);
            due[h] = history.due;
        }
        check_even(due, NOW, NOW + INTERVAL);
    }
}

/* It may have been scanned a moment ago. */
/* Seconds of two clocks do not begin at the same moment: a step may look a second longer. */
Test(schedule, what_is_a_moment_too_far_away_is_not_moved_to_another_time)
{
    struct schedule_rule rule = rule_with(NULL, 0);
    struct schedule_key key = key_of(1);
    struct schedule_history history = {.due = NOW + INTERVAL + RANDOMIZE + 1};

    schedule_clamp(&rule, &key, &history, NOW);
    cr_expect_eq(history.due, NOW + INTERVAL + RANDOMIZE);
}

Test(schedule, when_the_agent_finds_the_clock_set_back_no_scan_is_double)
{
    static int64_t due[HOSTS];

    for (int h = 0; h < HOSTS; h++) {
        struct schedule_history history = {0};
        struct schedule_key key = key_of(h);

        schedule_succeeded(&usual, &key, &history, NOW);
        schedule_started(&usual, &key, &history, NOW - DAY);
        due[h] = history.due;
    }
    check_even(due, NOW - DAY + INTERVAL / 2, NOW - DAY + INTERVAL + RANDOMIZE);
}

/* ---- windows ---- */

enum { EVERY_DAY = 0x7f };

Test(schedule, after_a_window_starts_are_spread)
{
    static const struct {
        int minutes;
        int64_t randomize_s, spread_s;
    } rows[] = {{1, RANDOMIZE, RANDOMIZE},     {10, RANDOMIZE, 50 * MINUTE},
                {47, RANDOMIZE, 235 * MINUTE}, {240, RANDOMIZE, INTERVAL},
                {720, RANDOMIZE, INTERVAL},    {10, 2 * HOUR, 2 * HOUR},
                {1, 2 * INTERVAL, INTERVAL}};
    static int64_t start[HOSTS];

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct window window = {
            .days = EVERY_DAY, .from = 600, .to = 600 + rows[i].minutes, .collect = true};
        struct schedule_rule rule = rule_with(&window, 1);
        int64_t end = MONDAY + window.to * MINUTE;

        rule.randomize_s = rows[i].randomize_s;
        for (int h = 0; h < HOSTS; h++) {
            struct schedule_history history = {.due = end - 1 - h % 60};
            struct schedule_key key = key_of(h);

            start[h] = schedule_start(&rule, &key, &history, MONDAY);
            cr_assert_eq(schedule_start(&rule, &key, &history, end - 1), start[h],
                         "asked again");
        }
        check_even(start, end, end + rows[i].spread_s);
    }
}

Test(schedule, a_window_from_a_fifth_of_the_interval_leaves_out_a_turn)
{
    static const int minutes[] = {48, 60, 120, 239};
    static int64_t start[HOSTS];

    for (size_t i = 0; i < sizeof minutes / sizeof minutes[0]; i++) {
        const struct window window = {
            .days = EVERY_DAY, .from = 600, .to = 600 + minutes[i], .collect = true};
        struct schedule_rule rule = rule_with(&window, 1);
        struct schedule_history history = {.due = MONDAY + 10 * HOUR + 7};

        for (int h = 0; h < HOSTS; h++) {
            struct schedule_key key = key_of(h);

            start[h] = schedule_start(&rule, &key, &history, MONDAY);
            cr_assert_eq(schedule_start(&rule, &key, &history, history.due + INTERVAL),
                         start[h], "asked again");
        }
        check_even(start, history.due + INTERVAL, history.due + INTERVAL + RANDOMIZE);
    }
}

/* What failed, or came too late for its turn, has no turn to leave out. */
Test(schedule, a_new_try_does_not_wait_for_a_turn)
{
    const struct window window = {
        .days = EVERY_DAY, .from = 720, .to = 780, .collect = true};
    static const struct schedule_history rows[] = {{.due = NOW + MINUTE, .failures = 1},
                                                   {.due = NOW - MINUTE}};
    static int64_t start[HOSTS];

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct schedule_rule rule = rule_with(&window, 1);

        for (int h = 0; h < HOSTS; h++) {
            struct schedule_key key = key_of(h);

            start[h] = schedule_start(&rule, &key, &rows[i], NOW);
        }
        check_even(start, NOW + 60 * MINUTE, NOW + 60 * MINUTE + INTERVAL);
    }
}

/* Else a host with a daily window and a daily interval might wait for weeks. */
Test(schedule, a_turn_that_would_be_in_a_window_again_is_not_left_out)
{
    const struct window window = {
        .days = EVERY_DAY, .from = 600, .to = 600 + 360, .collect = true};
    static int64_t start[HOSTS];
    struct schedule_rule rule = rule_with(&window, 1);

    rule.interval_s = 24 * HOUR;
    rule.randomize_s = MINUTE;
    for (int h = 0; h < HOSTS; h++) {
        struct schedule_history history = {.due = MONDAY + 11 * HOUR};
        struct schedule_key key = key_of(h);

        start[h] = schedule_start(&rule, &key, &history, MONDAY);
        cr_expect_leq(start[h], MONDAY + (16 + 24 + 6) * HOUR);
        cr_expect(!window_covers(&window, start[h]));
    }
}

Test(schedule, with_randomize_0_it_starts_when_the_window_ends)
{
    static const int minutes[] = {1, 30, 120, 300};

    for (size_t i = 0; i < sizeof minutes / sizeof minutes[0]; i++) {
        const struct window window = {
            .days = EVERY_DAY, .from = 600, .to = 600 + minutes[i], .collect = true};
        struct schedule_rule rule = rule_with(&window, 1);
        struct schedule_history history = {.due = MONDAY + 10 * HOUR};
        struct schedule_key key = key_of(1);

        rule.randomize_s = 0;
        cr_expect_eq(schedule_start(&rule, &key, &history, MONDAY),
                     MONDAY + window.to * MINUTE, "%d minutes", minutes[i]);
    }
}

Test(schedule, what_is_late_waits_for_the_window_too)
{
    const struct window window = {
        .days = EVERY_DAY, .from = 600, .to = 780, .collect = true};
    struct schedule_rule rule = rule_with(&window, 1);
    struct schedule_history history = {.due = MONDAY + 9 * HOUR};
    struct schedule_key key = key_of(1);
    int64_t start = schedule_start(&rule, &key, &history, NOW);

    cr_expect(start >= MONDAY + 13 * HOUR && start < MONDAY + 17 * HOUR);
    cr_expect_eq(schedule_start(&rule, &key, &history, NOW + MINUTE), start);
}

Test(schedule, other_windows_hold_nothing)
{
    const struct window rows[] = {
        {.days = EVERY_DAY, .from = 600, .to = 780, .transmit = true},
        {.days = EVERY_DAY,
         .from = 600,
         .to = 780,
         .collect = true,
         .n_applications = 1,
         .applications = {"vm"}},
        {.days = 1 << 2, .from = 600, .to = 780, .collect = true},
    };
    struct schedule_history history = {.due = NOW};
    struct schedule_key key = key_of(1);

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct schedule_rule rule = rule_with(&rows[i], 1);

        cr_expect_eq(schedule_start(&rule, &key, &history, MONDAY), NOW, "row %zu", i);
    }
}

/* Quarters of an hour are left between them. */
Test(schedule, a_spread_that_leads_into_another_window_is_halved_until_it_does_not)
{
    const struct window windows[] = {
        {.days = EVERY_DAY, .from = 640, .to = 660, .collect = true},
        {.days = EVERY_DAY, .from = 675, .to = 695, .collect = true},
        {.days = EVERY_DAY, .from = 710, .to = 900, .collect = true}};
    struct schedule_rule rule = rule_with(windows, 3);
    int n[2] = {0}, at_an_end = 0;

    for (int h = 0; h < HOSTS; h++) {
        struct schedule_history history = {.due = MONDAY + 640 * MINUTE + h % 1200};
        struct schedule_key key = key_of(h);
        int64_t start = schedule_start(&rule, &key, &history, MONDAY);

        for (int i = 0; i < 3; i++)
            cr_assert_not(window_covers(&windows[i], start), "host %d", h);
        at_an_end += start == MONDAY + 660 * MINUTE;
        n[start < MONDAY + 675 * MINUTE ? 0 : 1]++;
        cr_assert_lt(start, MONDAY + 660 * MINUTE + 100 * MINUTE);
    }
    cr_expect(n[0] > 0 && n[1] > 0, "%d, %d", n[0], n[1]);
    cr_expect_lt(at_an_end, 10, "all at once: %d", at_an_end);
}

Test(schedule, one_free_minute_an_hour_is_found)
{
    struct window windows[24];
    struct schedule_rule rule = rule_with(windows, 24);

    for (int i = 0; i < 24; i++)
        windows[i] = (struct window){
            .days = EVERY_DAY, .from = i * 60, .to = i * 60 + 59, .collect = true};
    for (int h = 0; h < HOSTS; h++) {
        struct schedule_history history = {.due = MONDAY + h * INT64_C(7)};
        struct schedule_key key = key_of(h);
        int64_t start = schedule_start(&rule, &key, &history, MONDAY);

        cr_assert_eq(start % HOUR / MINUTE, 59, "host %d", h);
    }
}

Test(schedule, where_all_of_the_week_is_covered_it_never_starts)
{
    const struct window windows[] = {
        {.days = EVERY_DAY, .from = 0, .to = 0, .collect = true},
        {.days = EVERY_DAY, .from = 0, .to = 720, .collect = true},
        {.days = EVERY_DAY, .from = 720, .to = 0, .collect = true}};
    struct schedule_history history = {.due = NOW};
    struct schedule_key key = key_of(1);
    struct schedule_rule whole = rule_with(windows, 1),
                         halves = rule_with(windows + 1, 2);

    cr_expect_eq(schedule_start(&whole, &key, &history, MONDAY), SCHEDULE_NEVER);
    cr_expect_eq(schedule_start(&halves, &key, &history, NOW + DAY), SCHEDULE_NEVER);
}

/* ---- hashes ---- */

Test(schedule, hosts_and_applications_have_times_of_their_own)
{
    static const char *const rows[][2] = {
        {"a", "inv"}, {"b", "inv"}, {"a", "vm"}, {"ai", "nv"}, {"", "ainv"}};
    int64_t due[sizeof rows / sizeof rows[0]];

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct schedule_history history = {0};
        struct schedule_key key;

        schedule_key(rows[i][0], rows[i][1], &key);
        schedule_activated(&usual, &key, &history, NOW);
        due[i] = history.due;
        for (size_t k = 0; k < i; k++)
            cr_expect_neq(due[k], due[i], "rows %zu and %zu", k, i);
    }
}

/* An agent that is upgraded keeps its times; these were computed by 0.2.0. */
Test(schedule, a_host_keeps_its_times)
{
    const struct window window = {
        .days = EVERY_DAY, .from = 600, .to = 610, .collect = true};
    struct schedule_rule rule = rule_with(&window, 1);
    struct schedule_history history = {0};
    struct schedule_key key = key_of(1);

    schedule_activated(&rule, &key, &history, NOW);
    cr_expect_eq(history.due - NOW, 13871, "%lld", (long long)(history.due - NOW));
    for (int i = 0; i < 2; i++)
        schedule_succeeded(&rule, &key, &history, NOW);
    cr_expect_eq(history.due - NOW, 15125, "%lld", (long long)(history.due - NOW));
    history.due = MONDAY + 10 * HOUR;
    cr_expect_eq(schedule_start(&rule, &key, &history, MONDAY) - MONDAY, 37300, "%lld",
                 (long long)(schedule_start(&rule, &key, &history, MONDAY) - MONDAY));
}

/* ---- what is true of any sequence of events ---- */

/* An application in true time; its clock may show another one. */
struct world {
    uint64_t random;
    struct schedule_rule rule;
    struct schedule_key key;
    struct schedule_history history;
    struct window windows[3];
    int64_t t, offset, start; /* start: by its clock */
    int64_t success;          /* end of the last one, or 0 */
    int64_t at_most;          /* when the next one starts at the latest, windows aside */
    bool unsettled;           /* down, suspended or the clock set while held */
};

static int64_t
below(struct world *w, int64_t n)
{
    uint64_t z = w->random += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return (int64_t)((z ^ z >> 31) % (uint64_t)n);
}

static int64_t
clock_of(const struct world *w)
{
    return w->t + w->offset;
}

/* By arithmetic of its own: the clock shows UTC. */
static bool
is_blackout(const struct world *w, int64_t clock)
{
    for (int i = 0; i < w->rule.n_windows; i++) {
        const struct window *window = &w->windows[i];
        int64_t length = (window->to - window->from + 1440) % 1440;

        for (int64_t day = clock / DAY - 1; day <= clock / DAY; day++) {
            int64_t from = day * DAY + window->from * MINUTE;

            if (window->days >> (day + 4) % 7 & 1 && clock >= from &&
                clock < from + (length ? length : 1440) * MINUTE)
                return true;
        }
    }
    return false;
}

static void
world_make(struct world *w, int seed)
{
    static const int64_t intervals[] = {10 * MINUTE, HOUR, INTERVAL, DAY};
    static const int64_t percents[] = {0, 10, 50, 100};

    *w = (struct world){.random = (uint64_t)seed, .t = NOW};
    w->rule.interval_s = intervals[below(w, 4)];
    w->rule.randomize_s = w->rule.interval_s * percents[below(w, 4)] / 100;
    w->rule.scan_on_start = below(w, 2);
    w->rule.application = "inv";
    w->rule.windows = w->windows;
    w->rule.n_windows = (int)below(w, 4);
    for (int i = 0; i < w->rule.n_windows; i++) {
        int from = (int)below(w, 1440);

        w->windows[i] = (struct window){.days = 1 + (uint8_t)below(w, 127),
                                        .from = from,
                                        .to = (from + 1 + (int)below(w, 500)) % 1440,
                                        .collect = true};
    }
    w->key = key_of(seed);
}

static void
world_plan(struct world *w)
{
    w->start = schedule_start(&w->rule, &w->key, &w->history, clock_of(w));
}

/* No later than at_most; else windows held it, with no more than an interval between two. */
static void
check_gap(const struct world *w, int seed)
{
    int64_t free = 0, held = 0;

    if (w->t <= w->at_most || w->unsettled)
        return;
    for (int64_t c = w->history.due; c < clock_of(w); c += MINUTE / 2) {
        bool blackout = is_blackout(w, c);

        held += blackout;
        free = blackout ? 0 : free + MINUTE / 2;
        cr_assert_leq(free, w->rule.interval_s + w->rule.randomize_s + MINUTE, "seed %d",
                      seed);
    }
    cr_assert(held > 0, "seed %d: %lld s late", seed, (long long)(w->t - w->at_most));
}

/* It is started, and ends in one way or another. */
static void
world_scan(struct world *w, int seed)
{
    const int64_t of_a_failure = w->rule.interval_s < HOUR ? w->rule.interval_s : HOUR;
    event_fn *fn = schedule_succeeded;

    cr_assert_not(is_blackout(w, clock_of(w)), "seed %d", seed);
    cr_assert(!w->success || w->t - w->success >= w->rule.interval_s / 2,
              "seed %d: double, after %lld s", seed, (long long)(w->t - w->success));
    check_gap(w, seed);
    w->t += 1 + below(w, 5 * MINUTE);
    w->at_most = w->t + w->rule.interval_s + w->rule.randomize_s;
    w->unsettled = false;
    if (below(w, 4) == 0) {
        fn = schedule_failed;
        w->at_most = w->t + of_a_failure;
    } else if (below(w, 8) == 0)
        fn = schedule_skipped;
    else
        w->success = w->t;
    fn(&w->rule, &w->key, &w->history, clock_of(w));
}

/* Down for a while; the clock may be found set back. */
static void
world_restart(struct world *w)
{
    w->t += below(w, 2 * HOUR);
    if (below(w, 4) == 0) {
        w->offset -= below(w, DAY);
        w->at_most = w->t + w->rule.interval_s + w->rule.randomize_s;
    }
    if (w->history.due <= clock_of(w)) {
        w->at_most = w->t;
        w->unsettled = w->rule.n_windows > 0;
    }
    schedule_started(&w->rule, &w->key, &w->history, clock_of(w));
    if (w->rule.scan_on_start)
        w->success = 0; /* this one may be soon after it */
}

static void
world_step(struct world *w)
{
    const int64_t step = below(w, 2 * DAY) - DAY;

    w->unsettled |= w->rule.n_windows > 0 && w->history.due <= clock_of(w);
    w->offset += step;
    w->history.due += step;
    schedule_clamp(&w->rule, &w->key, &w->history, clock_of(w));
}

static void
world_resume(struct world *w)
{
    w->t += below(w, DAY);
    w->at_most = w->history.due - w->offset;
    if (w->history.due <= clock_of(w)) {
        w->at_most = w->t + (w->rule.randomize_s ? w->rule.interval_s : 0);
        w->unsettled = w->rule.n_windows > 0;
    }
    schedule_resumed(&w->rule, &w->key, &w->history, clock_of(w));
}

static void
world_request(struct world *w)
{
    w->t += 1 + below(w, MINUTE);
    w->success = w->t;
    w->at_most = w->t + w->rule.interval_s + w->rule.randomize_s;
    w->unsettled = false;
    schedule_succeeded(&w->rule, &w->key, &w->history, clock_of(w));
}

static void
world_go(struct world *w, int seed)
{
    void (*const events[])(struct world * w) = {world_restart, world_step, world_resume,
                                                world_request};
    int64_t next = w->start - w->offset, other = w->t + below(w, 2 * w->rule.interval_s);

    if (next <= other) {
        w->t = next;
        world_scan(w, seed);
    } else {
        w->t = other;
        events[below(w, 4)](w);
    }
    world_plan(w);
}

Test(schedule, no_start_is_in_a_window_or_too_soon_or_too_late)
{
    int never = 0;

    for (int seed = 1; seed <= 400; seed++) {
        struct world w;

        world_make(&w, seed);
        w.at_most =
            w.t + (w.rule.interval_s > 10 * MINUTE ? w.rule.interval_s : 10 * MINUTE);
        schedule_activated(&w.rule, &w.key, &w.history, clock_of(&w));
        world_plan(&w);
        for (int i = 0; i < 200 && w.start != SCHEDULE_NEVER; i++)
            world_go(&w, seed);
        never += w.start == SCHEDULE_NEVER;
    }
    cr_expect_lt(never, 20, "windows leave some time: %d", never);
}
