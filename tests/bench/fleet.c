/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet.h"

#include <stddef.h>
#include <stdio.h>

enum { EVENTS_MAX = 64 };

static const char *const applications[] = {"inv", "vm", "pc"};

/* What happens to a host, in true time. */
struct event {
    enum { RESTART, STEP, REQUEST } kind;
    int64_t at, down_s, step_s; /* a restart may find the clock set back */
};

struct host {
    uint64_t random;
    int n_events;
    struct event events[EVENTS_MAX];
};

struct life {
    const struct fleet_run *run;
    struct fleet_count *count;
    struct schedule_rule rule;
    struct schedule_key key;
    struct schedule_history history;
    uint64_t random;
    int64_t offset;   /* what its clock shows less the true time */
    int64_t start;    /* by its clock, as the agent keeps it */
    int64_t ends;     /* of the scan that runs, or 0 */
    int64_t success;  /* end of the last one, or 0 */
    int64_t gap_from; /* 0: the gap is over */
    bool requested;   /* the scan that runs is on demand */
    bool follow_up;   /* one is asked for while a scan runs */
    bool late;        /* when it was due the agent was down, a request ran, or the clock
                          * showed a blackout and was set since */
};

/* splitmix64; n is less than 2^32. */
static int64_t
random_below(uint64_t *state, int64_t n)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return (int64_t)(((z ^ z >> 31) >> 32) * (uint64_t)n >> 32);
}

int64_t
fleet_blackout_end(const struct window *window, int64_t t)
{
    const int64_t today = t / DAY_S;

    for (int64_t day = today; window && day >= today - 1; day--) {
        int64_t from = day * DAY_S + window->from * MINUTE_S,
                to = day * DAY_S + window->to * MINUTE_S;

        if (window->to <= window->from)
            to += DAY_S;
        /* 1970 began on a Thursday. */
        if (window->days >> (day + 4) % 7 & 1 && t >= from && t < to)
            return to;
    }
    return 0;
}

/* ---- what happens to a host ---- */

/* Most are short; some are a night, and some find the clock set back. */
static struct event
make_restart(uint64_t *random, int64_t at)
{
    struct event e = {RESTART, at, MINUTE_S + random_below(random, 9 * MINUTE_S), 0};

    if (random_below(random, 8) == 0)
        e.down_s = random_below(random, 12 * HOUR_S);
    if (random_below(random, 8) == 0)
        e.step_s = -random_below(random, DAY_S);
    return e;
}

/* A wrong clock is set right within six hours; else there is a restart or a step every few
 * days.
 */
static void
make_events(struct host *host, const struct fleet_run *run)
{
    const int64_t end = FLEET_BEGIN + run->days * DAY_S;
    int64_t at = FLEET_BEGIN, offset = 0;

    for (host->n_events = 0; host->n_events < EVENTS_MAX - 1;) {
        struct event e = {STEP, at, 0, -offset};

        e.at += MINUTE_S + random_below(&host->random, offset ? 6 * HOUR_S : 10 * DAY_S);
        if (!offset && random_below(&host->random, 2) == 0)
            e = make_restart(&host->random, e.at);
        else if (!offset)
            e.step_s = random_below(&host->random, 2 * DAY_S) - DAY_S;
        if (e.at >= end)
            break;
        host->events[host->n_events++] = e;
        offset += e.step_s;
        at = e.at + e.down_s;
    }
}

/* A host that is down is asked when it is up again. */
static void
add_request(struct host *host, const struct fleet_run *run)
{
    struct event e = {REQUEST, run->mass_at + random_below(&host->random, 5 * MINUTE_S),
                      0, 0};
    int i = host->n_events++;

    for (; i > 0 && host->events[i - 1].at > e.at; i--)
        host->events[i] = host->events[i - 1];
    if (i > 0 && host->events[i - 1].at + host->events[i - 1].down_s > e.at)
        e.at = host->events[i - 1].at + host->events[i - 1].down_s;
    host->events[i] = e;
}

/* ---- what its agent does about an application ---- */

static void
plan(struct life *l, int64_t t)
{
    l->start = l->run->rule->start(&l->rule, &l->key, &l->history, t + l->offset);
}

static void
begin(struct life *l, int64_t t, bool requested)
{
    l->requested = requested;
    l->ends = t + MINUTE_S / 2 + random_below(&l->random, MINUTE_S);
}

static void
finish(struct life *l)
{
    const int64_t t = l->ends, now = t + l->offset;
    const bool fails = random_below(&l->random, l->history.failures ? 2 : 64) == 0;

    l->ends = 0;
    if (!fails) {
        schedule_succeeded(&l->rule, &l->key, &l->history, now);
        l->success = l->gap_from = t;
        l->late = false;
    } else if (!l->requested)
        schedule_failed(&l->rule, &l->key, &l->history, now);
    else
        l->late |= l->history.due <= now;
    plan(l, t);
    if (l->follow_up)
        begin(l, t, true);
    l->follow_up = false;
}

static void
restart(struct life *l, const struct event *e)
{
    const int64_t t = e->at + e->down_s;

    l->ends = 0; /* it is queued again, with what was due */
    l->offset += e->step_s;
    l->late |= l->history.due <= t + l->offset;
    schedule_started(&l->rule, &l->key, &l->history, t + l->offset);
    if (e->step_s && l->gap_from) /* no agent can know better */
        l->gap_from = t;
    plan(l, t);
}

static void
happen(struct life *l, const struct event *e)
{
    switch (e->kind) {
    case RESTART:
        restart(l, e);
        break;
    case STEP:
        l->late |= fleet_blackout_end(l->run->window, l->history.due) &&
                   l->history.due <= e->at + l->offset;
        l->offset += e->step_s;
        l->history.due += e->step_s;
        schedule_clamp(&l->rule, &l->key, &l->history, e->at + l->offset);
        plan(l, e->at);
        break;
    case REQUEST:
        if (l->ends)
            l->follow_up = true;
        else
            begin(l, e->at, true);
        break;
    }
}

/* ---- what is counted ---- */

static void
count_gap(const struct life *l, int64_t t, int64_t held_until)
{
    struct fleet_count *c = l->count;
    int64_t due = l->history.due - l->offset;
    int64_t gap = (held_until || l->late ? due : t) - l->gap_from;

    if (gap > c->longest_gap_s)
        c->longest_gap_s = gap;
}

static void
count_start(struct life *l, int64_t t)
{
    struct fleet_count *c = l->count;
    const int64_t now = t + l->offset;
    int64_t blackout = fleet_blackout_end(l->run->window, now), held_until = blackout;
    int64_t wait;

    if (now != l->history.due)
        held_until = fleet_blackout_end(l->run->window, l->history.due);
    wait = held_until && !l->late ? now - held_until : 0;
    c->starts[(t - FLEET_BEGIN) / MINUTE_S]++;
    c->in_blackout += blackout != 0;
    c->doubles += l->success && t - l->success < l->rule.interval_s / 2;
    if (l->gap_from)
        count_gap(l, t, held_until);
    l->gap_from = 0;
    c->held += held_until && !l->late;
    c->wait_s += wait;
    if (wait > c->longest_wait_s)
        c->longest_wait_s = wait;
}

/* ---- lives ---- */

static int64_t
next_of_its_own(const struct life *l)
{
    if (l->ends)
        return l->ends;
    return l->start == SCHEDULE_NEVER ? SCHEDULE_NEVER : l->start - l->offset;
}

static void
live(struct life *l, const struct host *host)
{
    const int64_t end = FLEET_BEGIN + l->run->days * DAY_S;
    int i = 0;

    schedule_activated(&l->rule, &l->key, &l->history, FLEET_BEGIN);
    plan(l, FLEET_BEGIN);
    for (;;) {
        int64_t next = next_of_its_own(l);

        if (i < host->n_events && host->events[i].at <= next)
            happen(l, &host->events[i++]);
        else if (next >= end)
            return;
        else if (l->ends)
            finish(l);
        else {
            count_start(l, next);
            begin(l, next, false);
        }
    }
}

void
fleet_live(const struct fleet_run *run, struct fleet_count *count)
{
    for (int h = 0; h < run->hosts; h++) {
        struct host host = {.random = run->seed + (uint64_t)h * 1000003};
        char name[32];

        snprintf(name, sizeof name, "host-%d", h);
        make_events(&host, run);
        if (run->mass_at)
            add_request(&host, run);
        for (size_t a = 0; a < sizeof applications / sizeof applications[0]; a++) {
            struct life l = {
                .run = run,
                .count = count,
                .rule = {run->interval_s, run->randomize_s, false, run->window,
                         run->window ? 1 : 0, applications[a]},
                .random = host.random + (a + 1) * UINT64_C(0x100000001b3),
            };

            schedule_key(name, applications[a], &l.key);
            live(&l, &host);
        }
    }
}
