/* SPDX-License-Identifier: Apache-2.0 */
#include "schedule.h"

#include <sodium.h>
#include <string.h>

enum { ON_START_SPREAD_S = 600, SPREAD_OF_WINDOW = 5, CLOCK_SLACK_S = 5 };

_Static_assert(sizeof(struct schedule_key) == crypto_shorthash_KEYBYTES, "SipHash's key");

/* Which of the numbers that are drawn for one turn. */
enum draw { DRAW_TURN, DRAW_FIRST, DRAW_START, DRAW_RESUMED, DRAW_NEXT, DRAW_WINDOW };

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

void
schedule_key(const char *agent_id, const char *application, struct schedule_key *ret)
{
    crypto_generichash_state state;

    crypto_generichash_init(&state, NULL, 0, sizeof ret->bytes);
    /* With its end, so that no two pairs read the same. */
    crypto_generichash_update(&state, (const unsigned char *)agent_id,
                              strlen(agent_id) + 1);
    crypto_generichash_update(&state, (const unsigned char *)application,
                              strlen(application) + 1);
    crypto_generichash_final(&state, ret->bytes, sizeof ret->bytes);
}

/* 0 … range - 1; the same for the same key, turn and draw. */
static int64_t
draw(const struct schedule_key *key, int64_t number, enum draw which, int64_t range)
{
    const uint64_t in[2] = {(uint64_t)number, (uint64_t)which};
    unsigned char hash[crypto_shorthash_BYTES];
    uint64_t n = 0;

    if (range <= 0)
        return 0;
    crypto_shorthash(hash, (const unsigned char *)in, sizeof in, key->bytes);
    memcpy(&n, hash, sizeof hash);
    return (int64_t)(n % (uint64_t)range);
}

static int64_t
turn_length(const struct schedule_rule *rule, const struct schedule_key *key,
            int64_t number)
{
    return rule->interval_s + draw(key, number, DRAW_TURN, rule->randomize_s);
}

/* ---- what happened ---- */

static int64_t
on_start(const struct schedule_rule *rule, const struct schedule_key *key, int64_t number,
         int64_t now)
{
    return now +
           draw(key, number, DRAW_START, least(ON_START_SPREAD_S, rule->randomize_s));
}

void
schedule_activated(const struct schedule_rule *rule, const struct schedule_key *key,
                   struct schedule_history *history, int64_t now)
{
    history->failures = 0;
    history->due = rule->scan_on_start
                       ? on_start(rule, key, history->number, now)
                       : now + draw(key, history->number, DRAW_FIRST, rule->interval_s);
}

void
schedule_clamp(const struct schedule_rule *rule, const struct schedule_key *key,
               struct schedule_history *history, int64_t now)
{
    const int64_t last = now + rule->interval_s + rule->randomize_s;

    /* Clocks are read by the second: one that is a moment too far away has not been moved. */
    if (history->due > last + CLOCK_SLACK_S)
        history->due = now + draw(key, history->number, DRAW_FIRST, rule->interval_s);
    else
        history->due = least(history->due, last);
}

void
schedule_started(const struct schedule_rule *rule, const struct schedule_key *key,
                 struct schedule_history *history, int64_t now)
{
    /* The clock was set back while no agent ran: the last success may be a moment old. */
    if (history->due > now + rule->interval_s + rule->randomize_s)
        history->due = now + rule->interval_s / 2 +
                       draw(key, history->number, DRAW_FIRST,
                            rule->interval_s / 2 + rule->randomize_s);
    if (rule->scan_on_start)
        history->due = least(history->due, on_start(rule, key, history->number, now));
}

void
schedule_resumed(const struct schedule_rule *rule, const struct schedule_key *key,
                 struct schedule_history *history, int64_t now)
{
    if (history->due <= now && rule->randomize_s > 0)
        history->due = now + draw(key, history->number, DRAW_RESUMED, rule->interval_s);
}

void
schedule_succeeded(const struct schedule_rule *rule, const struct schedule_key *key,
                   struct schedule_history *history, int64_t end)
{
    history->failures = 0;
    history->number++;
    history->due = end + turn_length(rule, key, history->number);
}

void
schedule_skipped(const struct schedule_rule *rule, const struct schedule_key *key,
                 struct schedule_history *history, int64_t now)
{
    schedule_succeeded(rule, key, history, now);
}

void
schedule_failed(const struct schedule_rule *rule, const struct schedule_key *key,
                struct schedule_history *history, int64_t end)
{
    static const int minutes[] = {1, 5, 15, 60};
    const int64_t last = sizeof minutes / sizeof minutes[0] - 1;

    (void)key;
    history->due = end + least(INT64_C(60) * minutes[least(history->failures, last)],
                               rule->interval_s);
    history->failures++;
}

/* ---- when it starts ---- */

static int64_t
spread_after(const struct schedule_rule *rule, int64_t length_s)
{
    if (rule->randomize_s == 0)
        return 0;
    return least(rule->interval_s, most(rule->randomize_s, SPREAD_OF_WINDOW * length_s));
}

static bool
is_free(const struct schedule_rule *rule, int64_t at)
{
    return window_free(rule->windows, rule->n_windows, rule->application, at, NULL) == at;
}

/* Hosts that a window holds have moments as even as ever: where they would be spread over a
 * whole interval they may as well wait for their next ones, and leave no bump.  Not when those
 * are in a window again, and not when all hosts are held.
 */
static bool
leaves_out_turn(const struct schedule_rule *rule, int64_t length_s, int64_t next)
{
    return rule->randomize_s > 0 && length_s < rule->interval_s &&
           SPREAD_OF_WINDOW * length_s >= rule->interval_s && is_free(rule, next);
}

/* at, or when windows that cover it are over for this host.  is_turn: at is when a turn is due,
 * neither a new try nor any moment.
 */
static int64_t
after_windows(const struct schedule_rule *rule, const struct schedule_key *key,
              int64_t number, int64_t at, bool is_turn)
{
    int64_t length_s, next, h;
    int64_t end =
        window_free(rule->windows, rule->n_windows, rule->application, at, &length_s);

    if (end == at || end == WINDOW_NEVER)
        return end;
    next = at + rule->interval_s + draw(key, number, DRAW_NEXT, rule->randomize_s);
    if (is_turn && leaves_out_turn(rule, length_s, next))
        return next;
    h = draw(key, number, DRAW_WINDOW, spread_after(rule, length_s));
    while (!is_free(rule, end + h)) /* in the next window: half as far */
        h /= 2;
    return end + h;
}

int64_t
schedule_start(const struct schedule_rule *rule, const struct schedule_key *key,
               const struct schedule_history *history, int64_t now)
{
    int64_t at =
        after_windows(rule, key, history->number, history->due, history->failures == 0);

    return at >= now ? at : after_windows(rule, key, history->number, now, false);
}
