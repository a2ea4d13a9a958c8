/* SPDX-License-Identifier: Apache-2.0 */
/* What is done in a round: one function, one row of the table at the end. */
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "chaos.h"
#include "processes.h"

const char *const app_names[APPS] = {"work", "batch", "failed", "error", "sleep"};

struct target targets[N_TARGETS] = {
    {"agent", 0, 0}, {"keeper", 0, 0}, {"runner", 0, 0}, {"store", 0, 0}};

/* ---- requests ---- */

static const char *
some_app(struct chaos *chaos)
{
    return app_names[below(chaos, APPS)];
}

/* NULL: there is none yet.  Mostly one of the last. */
static const char *
some_ticket(struct chaos *chaos)
{
    int64_t n = chaos->n_tickets, last = n < 6 || below(chaos, 10) == 0 ? n : 6;

    return n ? chaos->tickets[n - 1 - below(chaos, last)].id : NULL;
}

static int64_t
some_throttle(struct chaos *chaos)
{
    static const int of[] = {0, 0, 0, 0, 10, 90, 300};

    return of[below(chaos, sizeof of / sizeof of[0])];
}

void
demand(struct chaos *chaos, const char *application)
{
    ask(chaos, ASK_DEMAND, NULL,
        "{\"v\":1,\"verb\":\"demand\",\"application\":\"%s\",\"cputhrottle\":%lld}\n",
        application, (long long)some_throttle(chaos));
}

static void
do_demand(struct chaos *chaos)
{
    const char *application = some_app(chaos);

    for (int64_t n = below(chaos, 4); n >= 0; n--)
        demand(chaos, below(chaos, 2) ? application : some_app(chaos));
}

/* About a ticket: the verb, and what it has beside the ControlId. */
static void
about_ticket(struct chaos *chaos, enum verb verb, const char *name, const char *more)
{
    char id[CONTROLID_SIZE];
    const char *some = some_ticket(chaos);

    if (!some)
        return;
    snprintf(id, sizeof id, "%s", some);
    ask(chaos, verb, id, "{\"v\":1,\"verb\":\"%s\",\"control_id\":\"%s\"%s}\n", name, id,
        more);
}

/* Half of the time there is a ticket that was asked for a moment before. */
static void
demand_first(struct chaos *chaos)
{
    if (below(chaos, 2)) {
        demand(chaos, some_app(chaos));
        wait_us(chaos, below(chaos, 20000));
    }
}

/* Some wait to the end, some give up. */
static void
do_wait(struct chaos *chaos)
{
    demand_first(chaos);
    for (int64_t n = below(chaos, 3); n >= 0; n--)
        about_ticket(chaos, ASK_WAIT, "wait", "");
    if (below(chaos, 4) == 0) {
        wait_us(chaos, below(chaos, 50000));
        hang_up(chaos);
    }
}

static void
do_cancel(struct chaos *chaos)
{
    demand_first(chaos);
    for (int64_t n = below(chaos, 4); n >= 0; n--)
        about_ticket(chaos, ASK_CANCEL, "cancel", "");
}

static void
do_cancel_interval(struct chaos *chaos)
{
    const char *application = some_app(chaos);

    ask(chaos, ASK_CANCEL_INTERVAL, application,
        "{\"v\":1,\"verb\":\"cancel\",\"application\":\"%s\"}\n", application);
}

void
wait_for_last(struct chaos *chaos)
{
    for (int i = 0; i < APPS; i++)
        demand(chaos, app_names[i]);
    wait_us(chaos, 30000);
    for (int i = chaos->n_tickets - 1; i >= 0 && i >= chaos->n_tickets - APPS; i--)
        ask(chaos, ASK_WAIT, chaos->tickets[i].id,
            "{\"v\":1,\"verb\":\"wait\",\"control_id\":\"%s\"}\n", chaos->tickets[i].id);
}

static void
do_throttle(struct chaos *chaos)
{
    char more[64];

    snprintf(more, sizeof more, ",\"cputhrottle\":%lld", (long long)some_throttle(chaos));
    demand_first(chaos);
    if (below(chaos, 3))
        about_ticket(chaos, ASK_THROTTLE, "throttle", more);
    else
        ask(chaos, ASK_THROTTLE, NULL,
            "{\"v\":1,\"verb\":\"throttle\",\"application\":\"%s\"%s}\n", some_app(chaos),
            more);
}

static void
do_look(struct chaos *chaos)
{
    switch (below(chaos, 4)) {
    case 0:
        ask(chaos, ASK_LOOK, NULL, "{\"v\":1,\"verb\":\"status\"}\n");
        break;
    case 1:
        about_ticket(chaos, ASK_LOOK, "status", "");
        break;
    case 2:
        ask(chaos, ASK_LOOK, NULL, "{\"v\":1,\"verb\":\"apps\"}\n");
        break;
    default:
        ask(chaos, ASK_LOOK, NULL, "{\"v\":1,\"verb\":\"list\",\"limit\":%lld}\n",
            1 + (long long)below(chaos, 100));
    }
}

/* ---- ends ---- */

/* Requests that the end of the agent meets at any stage. */
static void
some_requests(struct chaos *chaos)
{
    for (int64_t n = below(chaos, 3); n > 0; n--)
        demand(chaos, some_app(chaos));
    if (below(chaos, 4) == 0)
        do_cancel(chaos);
    wait_us(chaos, below(chaos, 30000));
}

/* Wait for such a process, then for that long, then kill it. */
static void
kill_worker(struct chaos *chaos, struct target *target, int64_t delay_us)
{
    int64_t end = now_ms() + 200 * chaos->slow;
    int pid = 0, fd;

    demand(chaos, below(chaos, 2) ? "batch" : some_app(chaos));
    while (!pid && now_ms() < end) {
        hear(chaos, 1);
        pid = process_find(target->name, chaos->folder);
    }
    target->tries++;
    fd = pid ? process_open(pid) : -1;
    if (fd < 0)
        return;
    wait_us(chaos, delay_us);
    if (process_signal(fd, SIGKILL)) {
        target->hits++;
        trace(chaos, "killed %s %d", target->name, pid);
    }
    close(fd);
}

static void
do_kill_keeper(struct chaos *chaos)
{
    kill_worker(chaos, &targets[TARGET_KEEPER], below(chaos, 100000));
}

static void
do_kill_runner(struct chaos *chaos)
{
    kill_worker(chaos, &targets[TARGET_RUNNER], below(chaos, 100000));
}

static void
do_kill_store(struct chaos *chaos)
{
    kill_worker(chaos, &targets[TARGET_STORE], below(chaos, 12000 * chaos->slow));
}

static void
do_kill_agent(struct chaos *chaos)
{
    some_requests(chaos);
    targets[TARGET_AGENT].tries++;
    targets[TARGET_AGENT].hits++;
    trace(chaos, "kill agent");
    agent_kill(chaos);
    if (below(chaos, 4) == 0)
        agent_kill_early(chaos, below(chaos, 40 * chaos->slow));
    else if (below(chaos, 2) &&
             agent_start(chaos)) /* what is queued again is cancelled */
        do_cancel(chaos);
}

static void
do_stop_agent(struct chaos *chaos)
{
    some_requests(chaos);
    trace(chaos, "stop agent");
    agent_stop(chaos, below(chaos, 2) ? SIGTERM : SIGINT);
}

/* Somebody has no patience: SIGTERM, and soon SIGKILL. */
static void
do_stop_and_kill(struct chaos *chaos)
{
    some_requests(chaos);
    trace(chaos, "stop and kill agent");
    chaos->generation++;
    agent_signal(chaos, SIGTERM);
    wait_us(chaos, below(chaos, 20000 * chaos->slow));
    agent_kill(chaos);
}

/* ---- clock and profile ---- */

static void
do_clock(struct chaos *chaos)
{
    static const int64_t most[] = {3, 90, 1200, 3600, 86400};
    int64_t by = 1 + below(chaos, most[below(chaos, 5)]);

    agent_step_clock(chaos, below(chaos, 2) ? by : -by);
    if (below(chaos, 2))
        demand(chaos, some_app(chaos));
}

/* A window that covers the agent's now, or all times. */
static void
window_text(struct chaos *chaos, char *ret, size_t size)
{
    time_t from = time(NULL) + chaos->offset - 600, to = from + 1200;
    struct tm a, b;

    localtime_r(&from, &a);
    localtime_r(&to, &b);
    if (below(chaos, 2))
        snprintf(ret, size, "{\"from\":\"00:00\",\"to\":\"24:00\"}");
    else
        snprintf(ret, size, "{\"from\":\"%02d:%02d\",\"to\":\"%02d:%02d\"}", a.tm_hour,
                 a.tm_min, b.tm_hour, b.tm_min);
}

static void
do_profile(struct chaos *chaos)
{
    char text[1024], window[128];
    int off = (int)below(chaos, APPS);

    if (below(chaos, 3) == 0) {
        agent_profile_normal(chaos);
        return;
    }
    window_text(chaos, window, sizeof window);
    snprintf(
        text, sizeof text,
        "{\"suspend\":%s,\"ondemand_in_blackout\":%s,\"blackout\":[%s],"
        "\"applications\":{\"%s\":{\"active\":%s,\"interval\":\"10m\",\"randomize\":0,"
        "\"scan_on_start\":true}}}",
        below(chaos, 3) ? "false" : "true", below(chaos, 2) ? "false" : "true",
        below(chaos, 2) ? window : "", app_names[off],
        below(chaos, 2) ? "false" : "true");
    agent_profile(chaos, text, below(chaos, 4) != 0);
}

/* ---- all of it ---- */

struct action actions[] = {
    {"demand", 30, do_demand, 0},
    {"wait", 10, do_wait, 0},
    {"cancel", 10, do_cancel, 0},
    {"cancel an interval scan", 4, do_cancel_interval, 0},
    {"throttle", 7, do_throttle, 0},
    {"list, status, apps", 7, do_look, 0},
    {"kill -9 of the agent", 5, do_kill_agent, 0},
    {"kill -9 of a keeper", 4, do_kill_keeper, 0},
    {"kill -9 of a runner", 4, do_kill_runner, 0},
    {"kill -9 of a store", 4, do_kill_store, 0},
    {"SIGTERM or SIGINT and restart", 3, do_stop_agent, 0},
    {"SIGTERM, soon kill -9", 2, do_stop_and_kill, 0},
    {"clock step", 6, do_clock, 0},
    {"another profile", 4, do_profile, 0},
};
const int n_actions = sizeof actions / sizeof actions[0];
