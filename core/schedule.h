/* SPDX-License-Identifier: Apache-2.0 */
/* When an application is scanned by itself.  Pure: values in, values out; times are UTC seconds
 * since 1970.
 *
 *   after a success (either kind)  end + interval + h, h = hash(agent, application, number of
 *                                  the success) mod randomize
 *   the first one                  activation + hash mod interval; with scan_on_start activation
 *                                  or start of the agent + hash mod min(10 min, randomize)
 *   after a failure                1, 5, 15, 60, 60, … minutes later, at most the interval
 *   after a skipped turn           now + interval + h
 *   in a window                    its end + hash mod min(interval, max(randomize, 5 × length of
 *                                  the window)), half of it where that is in the next window;
 *                                  randomize 0: at its end.  A window from a fifth of the
 *                                  interval to all of it leaves out this turn: due + interval
 *                                  + h, unless that is in a window, too
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "window.h"

#define SCHEDULE_NEVER WINDOW_NEVER

/* Of the profile. */
struct schedule_rule {
    int64_t interval_s, randomize_s;
    bool scan_on_start;
    const struct window *windows;
    int n_windows;
    const char *application; /* for the windows */
};

/* What spreads hosts and applications; made once. */
struct schedule_key {
    unsigned char bytes[16];
};
void schedule_key(const char *agent_id, const char *application,
                  struct schedule_key *ret);

/* What is kept of an application. */
struct schedule_history {
    int64_t due;      /* 0: not known yet */
    int64_t number;   /* of turns so far: successes and skipped ones */
    int64_t failures; /* since the last of them */
};

/* The application has been activated, or is new here. */
void schedule_activated(const struct schedule_rule *rule, const struct schedule_key *key,
                        struct schedule_history *history, int64_t now);
/* The agent has started; scan_on_start counts.  What is further away than interval + randomize
 * is within that then, and no sooner than half an interval.
 */
void schedule_started(const struct schedule_rule *rule, const struct schedule_key *key,
                      struct schedule_history *history, int64_t now);
/* The clock was stepped, or the interval is another one: what is further away than interval +
 * randomize is within the interval then, at a time of this host's own.
 */
void schedule_clamp(const struct schedule_rule *rule, const struct schedule_key *key,
                    struct schedule_history *history, int64_t now);
/* Interval scans were suspended and are not any more. */
void schedule_resumed(const struct schedule_rule *rule, const struct schedule_key *key,
                      struct schedule_history *history, int64_t now);

void schedule_succeeded(const struct schedule_rule *rule, const struct schedule_key *key,
                        struct schedule_history *history, int64_t end);
/* Of an interval scan; a request that fails changes nothing. */
void schedule_failed(const struct schedule_rule *rule, const struct schedule_key *key,
                     struct schedule_history *history, int64_t end);
void schedule_skipped(const struct schedule_rule *rule, const struct schedule_key *key,
                      struct schedule_history *history, int64_t now);

/* When the next one starts: now or earlier means at once.  SCHEDULE_NEVER: windows leave no
 * time.  Ask again when the profile changes, the clock is stepped, or that time has come.
 */
int64_t schedule_start(const struct schedule_rule *rule, const struct schedule_key *key,
                       const struct schedule_history *history, int64_t now);
