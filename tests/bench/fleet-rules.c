/* SPDX-License-Identifier: Apache-2.0 */
/* Rules that schedule.c does not have, to be compared with the one that it has. */
#include <sodium.h>
#include <string.h>

#include "fleet.h"

static int64_t
least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t
most(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t
draw(const struct schedule_key *key, int64_t number, int64_t which, int64_t range)
{
    const int64_t in[2] = {number, -1 - which}; /* none of schedule.c's */
    unsigned char hash[crypto_shorthash_BYTES];
    uint64_t n;

    if (range <= 0)
        return 0;
    crypto_shorthash(hash, (const unsigned char *)in, sizeof in, key->bytes);
    memcpy(&n, hash, sizeof hash);
    return (int64_t)(n % (uint64_t)range);
}

/* ---- another spread after a window ---- */

/* max(randomize, so many times its length). */
static int64_t
after_windows(const struct schedule_rule *rule, const struct schedule_key *key,
              int64_t number, int64_t at, int64_t times)
{
    for (int i = 0; i < 16; i++) {
        int64_t length_s, spread_s;
        int64_t end =
            window_free(rule->windows, rule->n_windows, rule->application, at, &length_s);

        if (end == at || end == WINDOW_NEVER)
            return end;
        spread_s = least(rule->interval_s, most(rule->randomize_s, times * length_s));
        at = end + draw(key, number, i, spread_s);
    }
    return window_free(rule->windows, rule->n_windows, rule->application, at, NULL);
}

static int64_t
start(const struct schedule_rule *rule, const struct schedule_key *key,
      const struct schedule_history *history, int64_t now, int64_t times)
{
    int64_t at = after_windows(rule, key, history->number, history->due, times);

    return at >= now ? at : after_windows(rule, key, history->number, now, times);
}

static int64_t
start_randomize(const struct schedule_rule *rule, const struct schedule_key *key,
                const struct schedule_history *history, int64_t now)
{
    return start(rule, key, history, now, 0);
}

static int64_t
start_5(const struct schedule_rule *rule, const struct schedule_key *key,
        const struct schedule_history *history, int64_t now)
{
    return start(rule, key, history, now, 5);
}

const struct fleet_rule fleet_rules[N_RULES] = {
    [RULE_NOW] = {"schedule.c", schedule_start},
    [RULE_RANDOMIZE] = {"randomize", start_randomize},
    [RULE_5] = {"5 x window", start_5},
};
