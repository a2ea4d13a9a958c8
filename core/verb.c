/* SPDX-License-Identifier: Apache-2.0 */
/* What the verbs have in common. */
#include "verb.h"

#include <string.h>

#include "control.h"
#include "exit-code.h"

/* What runs without a job of ours is an earlier agent's, and only its store can live on. */
const char *
verbs_app_state(struct agent *agent, const char *name)
{
    static const char *const states[][3] = {
        {"ONDEMAND_EVENT_QUEUED", "ONDEMAND_EVENT_SCAN", "ONDEMAND_EVENT_STORE"},
        {"INTERVAL_EVENT_QUEUED", "INTERVAL_EVENT_SCAN", "INTERVAL_EVENT_STORE"}};
    const struct job *job = job_of_app(agent, name);
    struct queue_scan scan;

    if (queue_scan_of(agent->queue, name, TICKET_RUNNING, &scan) == 1)
        return states[scan.interval][job && job_state(job) == JOB_SCAN ? 1 : 2];
    if (queue_scan_of(agent->queue, name, NULL, &scan) == 1)
        return states[scan.interval][0];
    return "IDLE";
}

void
verbs_ok(struct conn *conn, const char *state, const char *note)
{
    struct reply reply;

    reply_final(&reply, conn);
    if (state)
        json_out_str(&reply.out, "state", state);
    if (note)
        json_out_str(&reply.out, "note", note);
    reply_final_end(&reply);
}

/* The application that a request names: known, or the request is refused. */
struct app *
verbs_app(struct conn *conn, const struct json *request)
{
    struct agent *agent = conn_agent(conn);
    const char *name = json_get_str(request, "application");
    struct app *app = name && app_is_known(agent, name) ? app_get(agent, name) : NULL;
    struct why why;

    if (app)
        return app;
    why_set(
        &why, 0,
        "application \"%.64s\" is not known: there is neither a manifest nor a plugin of "
        "that name; sonde apps lists them",
        name ? name : "");
    conn_refuse(conn, EXIT_USAGE_ERROR, why.text);
    return NULL;
}

static void
send_ticket(const struct ticket *ticket, void *arg)
{
    struct reply reply;

    reply_begin(&reply, arg);
    ticket_write(ticket, &reply.out);
    reply_end(&reply);
}

void
verbs_tickets(struct conn *conn, const struct queue_filter *filter)
{
    queue_tickets(conn_agent(conn)->queue, filter, send_ticket, conn);
}
