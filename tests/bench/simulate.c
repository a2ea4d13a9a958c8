/* SPDX-License-Identifier: Apache-2.0 */
/* simulate [HOSTS [SEED]]: how evenly a fleet's interval scans start, in virtual time with the
 * very code of the scheduler: 3 applications each, interval 4 h, 30 days, with failures, and
 * with a restart or a clock step of up to a day about every five days.  Exits with 1 when
 * schedule.c breaks a rule.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "fleet.h"

enum { DAYS = 30, SHORT_DAYS = 9, INTERVAL_H = 4, LIMIT_PERCENT = 120 };

static const struct window
    nightly = {.days = 0x7f, .from = 1320, .to = 360, .collect = true},
    two_hours = {.days = 8, .from = 720, .to = 840, .collect = true},
    half_hour = {.days = 8, .from = 720, .to = 750, .collect = true},
    ten_minutes = {.days = 8, .from = 720, .to = 730, .collect = true};

struct plan {
    const char *name;
    const struct window *window;
    int64_t mass_at;
    int days;
};

#define MASS (FLEET_BEGIN + 2 * DAY_S + 10 * HOUR_S)

/* With each randomize. */
static const struct plan plans[] = {{"ordinary", NULL, 0, DAYS},
                                    {"8 h every night", &nightly, 0, DAYS},
                                    {"2 h each Wednesday", &two_hours, 0, DAYS},
                                    {"30 min each Wednesday", &half_hour, 0, DAYS},
                                    {"mass day", NULL, MASS, DAYS}};

/* With the default one; the weekly windows are there once. */
static const struct {
    struct plan plan;
    int rule;
} others[] = {{{"8 h every night", &nightly, 0, SHORT_DAYS}, RULE_RANDOMIZE},
              {{"8 h every night", &nightly, 0, SHORT_DAYS}, RULE_NOW},
              {{"2 h once", &two_hours, 0, SHORT_DAYS}, RULE_RANDOMIZE},
              {{"2 h once", &two_hours, 0, SHORT_DAYS}, RULE_5},
              {{"2 h once", &two_hours, 0, SHORT_DAYS}, RULE_NOW},
              {{"30 min once", &half_hour, 0, SHORT_DAYS}, RULE_RANDOMIZE},
              {{"30 min once", &half_hour, 0, SHORT_DAYS}, RULE_5},
              {{"30 min once", &half_hour, 0, SHORT_DAYS}, RULE_NOW},
              {{"10 min once", &ten_minutes, 0, SHORT_DAYS}, RULE_RANDOMIZE},
              {{"10 min once", &ten_minutes, 0, SHORT_DAYS}, RULE_5},
              {{"10 min once", &ten_minutes, 0, SHORT_DAYS}, RULE_NOW}};

/* ---- what came of a run ---- */

struct result {
    double mean, peak; /* starts a minute; peak: times the mean, after what disturbs */
    int intervals;     /* until the peak of one is within the limit */
    bool within;       /* else it is not before the next window, or the end */
};

static bool
is_free(const struct plan *plan, int64_t minute)
{
    return !fleet_blackout_end(plan->window, FLEET_BEGIN + minute * MINUTE_S);
}

static double
mean_of(const struct plan *plan, const uint32_t *starts, int64_t minutes)
{
    int64_t n = 0, sum = 0;

    for (int64_t m = 0; m < minutes; m++)
        if (is_free(plan, m)) {
            n++;
            sum += starts[m];
        }
    return n ? (double)sum / (double)n : 0;
}

/* From a disturbance at minute `from` to the next one at `to`. */
static void
look_at(struct result *result, const uint32_t *starts, int64_t from, int64_t to)
{
    const int64_t interval = INTERVAL_H * HOUR_S / MINUTE_S;
    int64_t last = -1;

    for (int64_t m = from; m < to; m++) {
        double times = starts[m] / result->mean;

        if (times > result->peak)
            result->peak = times;
        if (times * 100 > LIMIT_PERCENT)
            last = (m - from) / interval;
    }
    if (last + 1 > result->intervals)
        result->intervals = (int)last + 1;
    if (last >= 0 && last == (to - 1 - from) / interval)
        result->within = false;
}

/* What disturbs: the activation of all, each window, the mass day. */
static struct result
result_of(const struct plan *plan, const uint32_t *starts)
{
    const int64_t minutes = plan->days * DAY_S / MINUTE_S;
    struct result result = {.mean = mean_of(plan, starts, minutes), .within = true};
    int64_t from = plan->mass_at ? (plan->mass_at - FLEET_BEGIN) / MINUTE_S : 0, m = from;

    while (m < minutes) {
        while (m < minutes && is_free(plan, m))
            m++;
        if (from || !plan->window) /* the activation is seen in the ordinary runs */
            look_at(&result, starts, from, m);
        while (m < minutes && !is_free(plan, m))
            m++;
        from = m;
    }
    return result;
}

/* ---- tables ---- */

static void
print_head(const char *title)
{
    printf("\n%s\n\n"
           "| %-21s | %-11s | %9s | %8s | %9s | %-22s | %-13s | %-14s | %-7s |\n"
           "| --- | --- | ---: | ---: | ---: | --- | --- | --- | --- |\n",
           title, "run", "rule", "randomize", "mean/min", "peak/mean",
           "intervals until <= 1.2", "gap s (bound)", "wait mean/most", "B / D");
}

static void
print_row(const struct plan *plan, const struct fleet_run *run,
          const struct fleet_count *count, const struct result *result)
{
    char intervals[32], gap[32], wait[32] = "", broken[48];
    const int64_t percent = run->randomize_s * 100 / run->interval_s;

    snprintf(intervals, sizeof intervals, "%d", result->intervals);
    if (!result->within)
        snprintf(intervals, sizeof intervals, "not before %s",
                 plan->window ? "the next" : "the end");
    snprintf(gap, sizeof gap, "%lld (%lld)", (long long)count->longest_gap_s,
             (long long)run->interval_s + (long long)run->randomize_s);
    if (count->held)
        snprintf(wait, sizeof wait, "%.0f / %lld",
                 (double)count->wait_s / (double)count->held / 60,
                 (long long)count->longest_wait_s / 60);
    snprintf(broken, sizeof broken, "%lld / %lld", (long long)count->in_blackout,
             (long long)count->doubles);
    printf(
        "| %-21s | %-11s | %7lld %% | %8.0f | %9.2f | %-22s | %-13s | %-14s | %-7s |\n",
        plan->name, run->rule->name, (long long)percent, result->mean, result->peak,
        intervals, gap, wait, broken);
}

/* Whether it kept to the rules. */
static bool
simulate(const struct plan *plan, int rule, int percent, int hosts, uint64_t seed)
{
    const int64_t interval_s = INTERVAL_H * HOUR_S,
                  randomize_s = interval_s * percent / 100;
    const struct fleet_run run = {.hosts = hosts,
                                  .days = plan->days,
                                  .interval_s = interval_s,
                                  .randomize_s = randomize_s,
                                  .window = plan->window,
                                  .mass_at = plan->mass_at,
                                  .rule = &fleet_rules[rule],
                                  .seed = seed};
    struct fleet_count count = {
        .starts = calloc((size_t)(plan->days * DAY_S / MINUTE_S), sizeof *count.starts)};
    struct result result;

    if (!count.starts)
        return false;
    fleet_live(&run, &count);
    result = result_of(plan, count.starts);
    print_row(plan, &run, &count, &result);
    fflush(stdout);
    free(count.starts);
    return !count.in_blackout && !count.doubles &&
           count.longest_gap_s <= interval_s + randomize_s &&
           count.longest_wait_s < interval_s + randomize_s;
}

/* ---- all runs ---- */

#define N_OF(array) (sizeof(array) / sizeof(array)[0])

static bool
simulate_all(int hosts, uint64_t seed)
{
    static const int percents[] = {10, 25, 50, 100};
    bool ok = true;

    print_head("The rules of schedule.c, 30 days:");
    for (size_t i = 0; i < N_OF(plans); i++)
        for (size_t k = 0; k < N_OF(percents); k++)
            ok &= simulate(&plans[i], RULE_NOW, percents[k], hosts, seed);
    print_head("Beside others, 9 days:");
    for (size_t i = 0; i < N_OF(others); i++) {
        bool good = simulate(&others[i].plan, others[i].rule, percents[0], hosts, seed);

        ok &= good || others[i].rule != RULE_NOW;
    }
    return ok;
}

int
main(int argc, char **argv)
{
    const int hosts = argc > 1 ? atoi(argv[1]) : 100000;
    const uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;
    bool ok;

    if (hosts <= 0) {
        fprintf(stderr, "usage: simulate [HOSTS [SEED]]\n");
        return 64;
    }
    setenv("TZ", "UTC0", 1); /* fleet_blackout_end reckons in it */
    tzset();
    printf("schedule: %d hosts x 3 applications, interval %d h, seed %llu\n", hosts,
           INTERVAL_H, (unsigned long long)seed);
    ok = simulate_all(hosts, seed);
    printf("\nB: starts in blackouts, D: double scans; wait: minutes from the end of a "
           "window\n"
           "schedule.c %s; %.0f s of CPU time\n",
           ok ? "keeps its bounds" : "BREAKS ITS BOUNDS",
           (double)clock() / CLOCKS_PER_SEC);
    return !ok;
}
