/* SPDX-License-Identifier: Apache-2.0 */
/* A fleet in virtual time.  Each application of each host lives through the run alone, with
 * schedule.h's functions as the agent calls them; its starts are counted by the minute.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "schedule.h"

#define FLEET_BEGIN INT64_C(1767571200) /* Monday, 2026-01-05 00:00 UTC */
#define MINUTE_S INT64_C(60)
#define HOUR_S INT64_C(3600)
#define DAY_S INT64_C(86400)

/* What a run may do in another way than schedule.c. */
struct fleet_rule {
    const char *name;
    int64_t (*start)(const struct schedule_rule *rule, const struct schedule_key *key,
                     const struct schedule_history *history, int64_t now);
};
enum { RULE_NOW, RULE_RANDOMIZE, RULE_5, N_RULES };
extern const struct fleet_rule fleet_rules[N_RULES];

struct fleet_run {
    int hosts, days;
    int64_t interval_s, randomize_s;
    const struct window *window; /* or NULL */
    int64_t mass_at;             /* all are asked for within five minutes; 0: never */
    const struct fleet_rule *rule;
    uint64_t seed;
};

/* Starts are those of interval scans; times are true ones, whatever a host's clock says. */
struct fleet_count {
    uint32_t *starts; /* a minute */
    int64_t in_blackout, doubles;
    int64_t longest_gap_s;                /* windows and downtime aside */
    int64_t held, wait_s, longest_wait_s; /* from the end of a window */
};

/* starts has room for the minutes of all days, and all is 0. */
void fleet_live(const struct fleet_run *run, struct fleet_count *count);

/* When the window that covers t by UTC ends, or 0.  Not window.c's, which is looked at here. */
int64_t fleet_blackout_end(const struct window *window, int64_t t);
