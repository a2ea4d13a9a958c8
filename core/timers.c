/* SPDX-License-Identifier: Apache-2.0 */
/* Timers of the agent.  Nothing wakes one that has nothing to watch and nothing to try again. */
#include "agent.h"

enum { RETRY_MS = 1000, WATCH_MS = 1000 };

static void
on_retry(uv_timer_t *timer)
{
    struct agent *agent = timer->data;

    agent->events->retry(agent);
}

void
timers_retry(struct agent *agent)
{
    if (!agent->stopping && !uv_is_active((uv_handle_t *)&agent->retry))
        uv_timer_start(&agent->retry, on_retry, RETRY_MS, 0);
}

static void
on_watchdog(uv_timer_t *timer)
{
    struct agent *agent = timer->data;
    bool more = children_overdue(&agent->children, (int64_t)uv_hrtime()) > 0;

    more = agent->events->watch(agent) || more;
    if (!more)
        uv_timer_stop(timer);
}

void
timers_watch(struct agent *agent)
{
    if (!uv_is_active((uv_handle_t *)&agent->watchdog))
        uv_timer_start(&agent->watchdog, on_watchdog, WATCH_MS, WATCH_MS);
}

void
timers_deadline(struct agent *agent, struct child *child, int64_t ms)
{
    child->deadline_ns = (int64_t)uv_hrtime() + ms * INT64_C(1000000);
    timers_watch(agent);
}

void
timers_init(struct agent *agent)
{
    uv_timer_init(&agent->loop, &agent->retry);
    uv_timer_init(&agent->loop, &agent->watchdog);
    agent->retry.data = agent->watchdog.data = agent;
}
