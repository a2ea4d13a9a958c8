/* SPDX-License-Identifier: Apache-2.0 */
/* Interval scans: what schedule.c decides, with the clock, the queue and the profile of this
 * agent.  One timer wakes for the next thing that is due, and nothing else does.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "agent.h"
#include "cleanup.h"
#include "clock.h"
#include "exit-code.h"

enum {
    INTERVALS_MAX = 1024,
    BLOCKED_MAX = 64,
    STEP_S = 2,
    LOOKS_MAX = 16,
    DAY_S = 86400
};

/* ---- rules ---- */

static struct schedule_rule
rule_of(const struct agent *agent, const struct app *app)
{
    struct profile_values values;

    profile_values(&agent->profile, app->name, &values);
    return (struct schedule_rule){values.interval_s,
                                  values.randomize_s,
                                  values.scan_on_start,
                                  agent->profile.windows,
                                  (int)agent->profile.n_windows,
                                  app->name};
}

int64_t
interval_blackout_until(const struct agent *agent, const char *application)
{
    int64_t now = clock_utc();
    int64_t end = window_free(agent->profile.windows, (int)agent->profile.n_windows,
                              application, now, NULL);

    return end > now ? end : 0;
}

bool
interval_blackout_words(const struct agent *agent, const char *application,
                        struct why *ret)
{
    char text[32] = "";
    int64_t until;
    struct tm tm;
    time_t t;

    if (profile_ondemand_in_blackout(&agent->profile))
        return false;
    until = interval_blackout_until(agent, application);
    if (!until)
        return false;
    t = until;
    if (until != WINDOW_NEVER && localtime_r(&t, &tm))
        strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &tm);
    why_put(ret, "blackout until %s", text[0] ? text : "the profile changes");
    return true;
}

int64_t
interval_next(const struct agent *agent, const struct app *app)
{
    const struct interval *i = &app->interval;

    if (profile_is_suspended(&agent->profile) || !i->history.due ||
        !profile_is_active(&agent->profile, app->name) || i->refusal[0])
        return SCHEDULE_NEVER;
    return i->start;
}

bool
interval_may_start(const struct agent *agent, const struct app *app)
{
    return profile_is_active(&agent->profile, app->name) &&
           !profile_is_suspended(&agent->profile) && app->interval.start <= clock_utc() &&
           !interval_blackout_until(agent, app->name);
}

/* ---- what is kept ---- */

static struct queue_interval
kept(const struct app *app, const struct schedule_history *history, int64_t success)
{
    struct queue_interval k = {.history = *history, .success = success};

    snprintf(k.application, sizeof k.application, "%s", app->name);
    return k;
}

static void
keep(struct agent *agent)
{
    cleanup_free struct queue_interval *all = calloc(INTERVALS_MAX, sizeof *all);
    int n = 0, r;

    for (struct app *app = agent->apps; all && app && n < INTERVALS_MAX; app = app->next)
        if (app->interval.changed)
            all[n++] = kept(app, &app->interval.history, app->interval.success);
    r = all ? queue_keep_intervals(agent->queue, all, n) : -ENOMEM;
    if (r < 0) { /* it is in force all the same, and tried again at the next look */
        if (!agent->intervals_unkept)
            log_error("when interval scans are due could not be kept: %s", strerror(-r));
        agent->intervals_unkept = true;
        return;
    }
    agent->intervals_unkept = false;
    for (struct app *app = agent->apps; app; app = app->next)
        app->interval.changed = false;
}

static void
plan(const struct agent *agent, struct app *app, int64_t now)
{
    struct schedule_rule rule = rule_of(agent, app);
    struct interval *i = &app->interval;

    i->start = i->history.due ? schedule_start(&rule, &i->key, &i->history, now)
                              : SCHEDULE_NEVER;
}

/* Change what is known of an application by one of schedule.h's functions. */
typedef void change_fn(const struct schedule_rule *rule, const struct schedule_key *key,
                       struct schedule_history *history, int64_t now);

static void
change(struct agent *agent, struct app *app, change_fn *fn, int64_t now)
{
    struct schedule_rule rule = rule_of(agent, app);
    struct schedule_history before = app->interval.history;

    fn(&rule, &app->interval.key, &app->interval.history, now);
    if (memcmp(&before, &app->interval.history, sizeof before) != 0)
        app->interval.changed = true;
    plan(agent, app, now);
}

/* ---- steps of the clock ---- */

/* UTC was set to another time: what is due stays as far away as it was. */
static void
follow_clock(struct agent *agent, int64_t now)
{
    int64_t offset = now - clock_boot(), step = offset - agent->clock_offset;

    if (step >= -STEP_S && step <= STEP_S)
        return;
    log_info("the clock was set by %lld s", (long long)step);
    agent->clock_offset = offset;
    for (struct app *app = agent->apps; app; app = app->next)
        if (app->interval.history.due) {
            app->interval.history.due += step;
            app->interval.success += app->interval.success ? step : 0;
            app->interval.changed = true;
            change(agent, app, schedule_clamp, now);
        }
}

/* UTC; before anything is reckoned from it, what is due has followed its steps. */
static int64_t
now_followed(struct agent *agent)
{
    int64_t now = clock_utc();

    follow_clock(agent, now);
    return now;
}

/* ---- what is due ---- */

/* No valid manifest, or the like: said once, tried again at the next turn. */
static void
refuse(struct agent *agent, struct app *app, int code, const char *reason)
{
    struct interval *i = &app->interval;

    if (strcmp(i->refusal, reason) != 0)
        log_warning("Interval Event of %s: no scan: %s", app->name, reason);
    snprintf(i->refusal, sizeof i->refusal, "%s", reason);
    change(agent, app, code == EXIT_REFUSED_FOR_NOW ? schedule_failed : schedule_skipped,
           now_followed(agent));
}

static void
due_checked(struct app *app, void *arg)
{
    struct agent *agent = arg;
    struct profile_values values;
    struct why why = {""};
    int64_t scan = 0;
    int r = app_gate(agent, app, &why);

    app->interval.checking = false;
    if (agent->stopping)
        return;
    if (r != 0)
        refuse(agent, app, r, why.text);
    else if (interval_may_start(agent, app)) {
        app->interval.refusal[0] = '\0';
        profile_values(&agent->profile, app->name, &values);
        r = queue_due(agent->queue, app->name, values.cputhrottle, clock_utc(), &scan);
        if (r == 1)
            log_info("Interval Event of %s: queued as scan %lld", app->name,
                     (long long)scan);
        else if (r < 0) {
            log_error("Interval Event of %s: could not be queued: %s", app->name,
                      strerror(-r));
            change(agent, app, schedule_failed, now_followed(agent));
        }
    }
    agent->events->queued(agent);
    interval_look(agent);
}

/* A scan of it is open: a request, whose end looks again, or an interval scan that waits for
 * its time or for a place.
 */
static int64_t
look_at_open(struct agent *agent, struct app *app, int64_t now)
{
    struct queue_scan scan;

    if (queue_scan_of(agent->queue, app->name, TICKET_QUEUED, &scan) != 1 ||
        !scan.interval)
        return SCHEDULE_NEVER;
    if (interval_may_start(agent, app))
        agent->events->queued(agent);
    else
        plan(agent, app, now);
    return app->interval.start > now ? app->interval.start : SCHEDULE_NEVER;
}

/* Not activated, or not here any more: what is activated again begins anew. */
static void
forget(struct agent *agent, struct app *app, int64_t now)
{
    const struct queue_end end = {.outcome = TICKET_CANCELLED,
                                  .reason = "the application is not activated any more"};
    struct queue_scan scan;

    if (app->interval.history.due)
        app->interval.changed = true;
    app->interval.history.due = 0;
    if (queue_scan_of(agent->queue, app->name, TICKET_QUEUED, &scan) == 1 &&
        scan.interval && queue_end(agent->queue, scan.id, now, &end, NULL) >= 0)
        log_info("scan %lld of %s: %s", (long long)scan.id, app->name, end.reason);
}

/* Queue what is due; returns when to look at this application again. */
static int64_t
look_at(struct agent *agent, struct app *app, int64_t now)
{
    struct interval *i = &app->interval;
    struct queue_scan open;
    int r;

    if (!profile_is_active(&agent->profile, app->name) ||
        !app_is_known(agent, app->name)) {
        forget(agent, app, now);
        return SCHEDULE_NEVER;
    }
    if (!i->history.due)
        change(agent, app, schedule_activated, now);
    if (profile_is_suspended(&agent->profile) || i->checking)
        return SCHEDULE_NEVER;
    if (i->start == SCHEDULE_NEVER)
        plan(agent, app, now);
    if (i->start == SCHEDULE_NEVER) /* windows leave no time; next week they may */
        return now + DAY_S;
    if (i->start > now)
        return i->start;
    r = queue_scan_of(agent->queue, app->name, NULL, &open);
    if (r < 0)
        timers_retry(agent);
    if (r != 0)
        return look_at_open(agent, app, now);
    plan(agent, app, now);
    if (i->start > now)
        return i->start;
    i->checking = true;
    app_check(agent, app, due_checked, agent); /* which looks again */
    return SCHEDULE_NEVER;
}

/* Requests that a window held back; returns when the next one of them may start. */
static int64_t
look_at_blocked(struct agent *agent, int64_t now)
{
    struct queue_scan scans[BLOCKED_MAX];
    int64_t next = SCHEDULE_NEVER;
    int n = queue_blocked(agent->queue, scans, BLOCKED_MAX), released = 0;

    for (int i = 0; i < n; i++) {
        int64_t until = profile_ondemand_in_blackout(&agent->profile)
                            ? 0
                            : interval_blackout_until(agent, scans[i].application);

        if (until > now)
            next = until < next ? until : next;
        else if (queue_release(agent->queue, scans[i].id) >= 0) {
            log_info("scan %lld of %s: the blackout is over, queued",
                     (long long)scans[i].id, scans[i].application);
            released++;
        } else
            timers_retry(agent);
    }
    if (released)
        agent->events->queued(agent);
    return next;
}

/* ---- the look ---- */

static void
set_timer(struct agent *agent, int64_t at, int64_t now)
{
    struct itimerspec when = {.it_value = {0, 0}}; /* none */

    if (at != SCHEDULE_NEVER)
        when.it_value.tv_sec = clock_boot() + (at > now ? at - now : 0) + 1;
    if (timerfd_settime(agent->due_fd, TFD_TIMER_ABSTIME, &when, NULL) < 0)
        log_error("interval timer: %s", strerror(errno));
}

static void
look(struct agent *agent)
{
    int64_t now = now_followed(agent), next = look_at_blocked(agent, now);

    for (struct app *app = agent->apps; app; app = app->next) {
        int64_t at = look_at(agent, app, now);

        next = at < next ? at : next;
    }
    keep(agent);
    set_timer(agent, next, now);
}

void
interval_look(struct agent *agent)
{
    agent->look_wanted = true;
    if (agent->looking ||
        !agent->control) /* what is looked at wants another look; or not yet */
        return;
    agent->looking = true;
    for (int i = 0; i < LOOKS_MAX && agent->look_wanted && !agent->stopping; i++) {
        agent->look_wanted = false;
        look(agent);
    }
    agent->looking = false;
    if (agent->look_wanted && !agent->stopping) /* enough for now */
        timers_retry(agent);
}

static void
learn(struct agent *agent, struct app *app, void *arg)
{
    (void)agent;
    (void)app;
    (void)arg; /* app_each has made its entry */
}

/* Which applications there are may have changed, too. */
static void
on_due(uv_poll_t *poll, int status, int events)
{
    struct agent *agent = poll->data;
    uint64_t n;

    (void)status;
    (void)events;
    (void)!read(agent->due_fd, &n, sizeof n);
    tzset(); /* windows are local time, and the zone may be another one now */
    policy_refresh(agent);
    app_each(agent, learn, NULL);
    interval_look(agent);
}

static void
on_step(uv_poll_t *poll, int status, int events)
{
    struct agent *agent = poll->data;

    (void)status;
    (void)events;
    clock_steps_take(agent->steps_fd);
    interval_look(agent);
}

/* ---- from elsewhere ---- */

static bool
has_another_length(const struct agent *agent, const struct app *app,
                   const struct profile *before)
{
    struct profile_values was, is;

    profile_values(before, app->name, &was);
    profile_values(&agent->profile, app->name, &is);
    return was.interval_s != is.interval_s || was.randomize_s != is.randomize_s;
}

/* The turn that is under way has the new length, too, as if it had had it from its begin; what
 * would have been due before now is spread anew.
 */
static void
set_length(struct agent *agent, struct app *app, int64_t now)
{
    struct schedule_rule rule = rule_of(agent, app);
    struct schedule_history *h = &app->interval.history;

    if (app->interval.success && h->failures == 0) {
        h->number--;
        schedule_succeeded(&rule, &app->interval.key, h, app->interval.success);
        app->interval.changed = true;
        if (h->due <= now)
            change(agent, app, schedule_resumed, now);
    }
    change(agent, app, schedule_clamp, now);
}

void
interval_changed(struct agent *agent, const struct profile *before)
{
    int64_t now = now_followed(agent);
    bool resumed =
        before && profile_is_suspended(before) && !profile_is_suspended(&agent->profile);

    tzset();
    app_each(agent, learn, NULL);
    for (struct app *app = agent->apps; app; app = app->next) {
        if (!app->interval.history.due)
            continue;
        if (resumed)
            change(agent, app, schedule_resumed, now);
        if (before && has_another_length(agent, app, before))
            set_length(agent, app, now);
        plan(agent, app, now); /* windows may be others */
    }
    interval_look(agent);
}

void
interval_verdict(struct agent *agent, struct app *app)
{
    struct interval *i = &app->interval;

    if (i->refusal[0] && app->verdict.state == VERDICT_VALID) {
        i->refusal[0] = '\0';
        change(agent, app, schedule_activated, now_followed(agent));
    } else if (i->history.due)
        return;
    interval_look(agent); /* it may be new here, too */
}

void
interval_ended(struct agent *agent, const struct app *app, bool interval,
               const char *outcome, struct queue_interval *ret)
{
    int64_t now = now_followed(agent), success = app->interval.success;
    struct schedule_rule rule = rule_of(agent, app);
    struct schedule_history history = app->interval.history;

    if (strcmp(outcome, TICKET_DONE) == 0) {
        schedule_succeeded(&rule, &app->interval.key, &history, now);
        success = now;
    } else if (interval && strcmp(outcome, TICKET_CANCELLED) == 0)
        schedule_skipped(&rule, &app->interval.key, &history, now);
    else if (interval)
        schedule_failed(&rule, &app->interval.key, &history, now);
    *ret = kept(app, &history, success);
}

void
interval_take(struct agent *agent, struct app *app, const struct queue_interval *kept_now)
{
    app->interval.history = kept_now->history;
    app->interval.success = kept_now->success;
    plan(agent, app, clock_utc());
}

/* ---- start ---- */

static void
load(struct agent *agent)
{
    cleanup_free struct queue_interval *all = calloc(INTERVALS_MAX, sizeof *all);
    int n = all ? queue_intervals(agent->queue, all, INTERVALS_MAX) : 0;

    for (int i = 0; i < n; i++) {
        struct app *app = app_get(agent, all[i].application);

        if (app) {
            app->interval.history = all[i].history;
            app->interval.success = all[i].success;
        }
    }
}

static int
watch(struct agent *agent, uv_poll_t *poll, int fd, uv_poll_cb fn)
{
    int r = fd < 0 ? fd : uv_poll_init(&agent->loop, poll, fd);

    poll->data = agent;
    return r < 0 ? r : uv_poll_start(poll, UV_READABLE, fn);
}

int
interval_open(struct agent *agent, struct why *why)
{
    int64_t now = clock_utc();
    int r;

    agent->clock_offset = now - clock_boot();
    agent->due_fd = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
    r = watch(agent, &agent->on_due, agent->due_fd < 0 ? -errno : agent->due_fd, on_due);
    agent->steps_fd = clock_steps_open();
    if (r == 0)
        r = watch(agent, &agent->on_step, agent->steps_fd, on_step);
    if (r < 0)
        return why_set(why, r, "timers: %s", strerror(-r));
    load(agent);
    app_each(agent, learn, NULL);
    for (struct app *app = agent->apps; app; app = app->next)
        if (app->interval.history.due)
            change(agent, app, schedule_started, now);
    return 0;
}

void
interval_close(struct agent *agent)
{
    const int fds[] = {agent->due_fd, agent->steps_fd};

    for (int i = 0; i < 2; i++)
        if (fds[i] > 0)
            close(fds[i]);
}
