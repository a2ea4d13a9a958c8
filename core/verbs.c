/* SPDX-License-Identifier: Apache-2.0 */
/* What can be asked of the agent. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "config.h"
#include "control.h"
#include "exit-code.h"
#include "pacer.h"

enum { STATUS_TICKETS = 20 };

/* ---- items ---- */

static const char *
app_state(struct agent *agent, const char *name)
{
    const struct job *job = job_of_app(agent, name);
    struct queue_scan queued[64];
    int n;

    if (job)
        return job_state(job) == JOB_SCAN ? "ONDEMAND_EVENT_SCAN"
                                          : "ONDEMAND_EVENT_STORE";
    n = queue_scans(agent->queue, TICKET_QUEUED, queued, 64);
    for (int i = 0; i < n; i++)
        if (strcmp(queued[i].application, name) == 0)
            return "ONDEMAND_EVENT_QUEUED";
    return "IDLE";
}

static void
send_app(struct agent *agent, struct app *app, void *arg)
{
    struct conn *conn = arg;
    const struct verdict *v = &app->verdict;
    struct reply reply;

    if (!app_is_known(agent, app->name))
        return;
    reply_begin(&reply, conn);
    json_out_object(&reply.out, "application");
    json_out_str(&reply.out, "application", app->name);
    json_out_str(&reply.out, "title", v->state == VERDICT_VALID ? v->title : "");
    json_out_bool(&reply.out, "active", app_is_active(agent, app->name));
    json_out_str(&reply.out, "manifest",
                 v->state == VERDICT_VALID     ? v->origin
                 : v->state == VERDICT_MISSING ? "none"
                 : v->state == VERDICT_INVALID ? "invalid"
                                               : "unknown");
    if (v->state == VERDICT_VALID)
        json_out_int(&reply.out, "serial", v->serial);
    else
        json_out_null(&reply.out, "serial");
    json_out_str(&reply.out, "reason",
                 v->state == VERDICT_INVALID || v->state == VERDICT_UNKNOWN ? v->reason
                                                                            : "");
    json_out_str(&reply.out, "state", app_state(agent, app->name));
    json_out_end(&reply.out, '}');
    reply_end(&reply);
}

static void
send_ticket(const struct ticket *ticket, void *arg)
{
    struct reply reply;

    reply_begin(&reply, arg);
    ticket_write(ticket, &reply.out, "ticket");
    reply_end(&reply);
}

static void
send_agent(struct conn *conn)
{
    const struct agent *agent = conn_agent(conn);
    struct reply reply;

    reply_begin(&reply, conn);
    json_out_object(&reply.out, "agent");
    json_out_int(&reply.out, "pid", getpid());
    json_out_str(&reply.out, "version", PACKAGE_VERSION);
    json_out_str(&reply.out, "id", agent->id);
    json_out_str(&reply.out, "root", agent->conf.agent.root);
    json_out_str(&reply.out, "state_folder", agent->conf.paths.state);
    json_out_str(&reply.out, "socket", agent->conf.paths.socket);
    json_out_end(&reply.out, '}');
    reply_end(&reply);
}

static void
send_ok(struct conn *conn, const char *state, const char *note)
{
    struct reply reply;

    reply_final(&reply, conn);
    if (state)
        json_out_str(&reply.out, "state", state);
    if (note)
        json_out_str(&reply.out, "note", note);
    reply_final_end(&reply);
}

/* ---- applications: their verdicts first, then the answer ---- */

struct survey {
    struct conn *conn;
    int pending;
    void (*then)(struct conn *conn);
};

static void
survey_one_done(struct app *app, void *arg)
{
    struct survey *survey = arg;

    (void)app;
    if (--survey->pending > 0)
        return;
    survey->then(survey->conn);
    free(survey);
}

static void
survey_one(struct agent *agent, struct app *app, void *arg)
{
    struct survey *survey = arg;

    survey->pending++;
    app_check(agent, app, survey_one_done, survey);
}

static void
survey_all(struct conn *conn, void (*then)(struct conn *conn))
{
    struct survey *survey = calloc(1, sizeof *survey);

    if (!survey) {
        conn_refuse(conn, EXIT_REFUSED_FOR_NOW, "out of memory");
        return;
    }
    *survey = (struct survey){conn, 1, then}; /* 1: until all have been asked */
    conn_hold(conn);
    app_each(conn_agent(conn), survey_one, survey);
    survey_one_done(NULL, survey);
}

static void
answer_apps(struct conn *conn)
{
    app_each(conn_agent(conn), send_app, conn);
    send_ok(conn, NULL, NULL);
}

static void
verb_apps(struct conn *conn, const struct json *request)
{
    (void)request;
    survey_all(conn, answer_apps);
}

/* The application that a request names: known, or the request is refused. */
static struct app *
requested_app(struct conn *conn, const struct json *request)
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

/* ---- demand ---- */

struct demand {
    struct conn *conn;
    int64_t cputhrottle;
};

static void
log_demand(struct conn *conn, const struct app *app, const struct queue_ticket *t)
{
    log_info(
        "OnDemand request for Control ID: %s, application %s, by uid %u: %s as scan %lld"
        "%s, cputhrottle %lld",
        t->control_id, app->name, conn_uid(conn), t->state, (long long)t->scan,
        t->joined ? ", which others asked for, too" : "", (long long)t->cputhrottle);
}

static void
answer_demand(struct conn *conn, const struct app *app, const struct queue_ticket *t)
{
    struct agent *agent = conn_agent(conn);
    struct reply reply;
    struct why note = {""};

    log_demand(conn, app, t);
    if (strcmp(t->state, TICKET_DELAYED) == 0) {
        log_info("OnDemand Event of same type is in progress with state %s",
                 app_state(agent, app->name));
        why_set(&note, 0, "OnDemand request for Control ID: %s will be delayed.",
                t->control_id);
        log_info("%s", note.text);
    }
    reply_final(&reply, conn);
    json_out_str(&reply.out, "control_id", t->control_id);
    json_out_str(&reply.out, "state", t->state);
    json_out_array(&reply.out, "notes");
    if (note.text[0])
        json_out_str(&reply.out, NULL, note.text);
    json_out_end(&reply.out, ']');
    reply_final_end(&reply);
    jobs_start(agent);
}

static void
demand_checked(struct app *app, void *arg)
{
    struct demand *demand = arg;
    struct conn *conn = demand->conn;
    struct agent *agent = conn_agent(conn);
    struct queue_ticket ticket;
    struct why why = {""};
    int r = app_gate(agent, app, &why);

    if (r != 0) {
        log_warning("OnDemand request refused: %s", why.text);
        conn_refuse(conn, r, why.text);
    } else if (agent->stopping)
        conn_refuse(conn, EXIT_REFUSED_FOR_NOW, "the agent is stopping");
    else if (queue_demand(agent->queue, app->name, demand->cputhrottle, time(NULL),
                          &ticket, &why) < 0) {
        log_error("%s", why.text);
        conn_refuse(conn, EXIT_REFUSED_FOR_NOW, why.text);
    } else
        answer_demand(conn, app, &ticket);
    free(demand);
}

static void
verb_demand(struct conn *conn, const struct json *request)
{
    int64_t throttle = json_get_int(request, "cputhrottle", -1);
    struct demand *demand;
    struct app *app;

    if (!json_get(request, "cputhrottle"))
        throttle = 0;
    if (throttle < 0 || throttle > PACER_THROTTLE_MAX) {
        conn_refuse(conn, EXIT_USAGE_ERROR, "cputhrottle: not a number from 0 to 1000");
        return;
    }
    app = requested_app(conn, request);
    if (!app)
        return;
    demand = calloc(1, sizeof *demand);
    if (!demand) {
        conn_refuse(conn, EXIT_REFUSED_FOR_NOW, "out of memory");
        return;
    }
    *demand = (struct demand){conn, throttle};
    conn_hold(conn);
    app_check(conn_agent(conn), app, demand_checked, demand);
}

/* ---- tickets ---- */

/* What a verb needs to know of one ticket. */
struct look {
    bool found, final;
    int64_t scan;
    char state[16];
};

static void
look_at(const struct ticket *ticket, void *arg)
{
    struct look *look = arg;

    look->found = true;
    look->scan = ticket_scan(ticket);
    snprintf(look->state, sizeof look->state, "%s", ticket_state(ticket));
    look->final = ticket_state_is_final(look->state);
}

/* The ticket that a request names, or the request is refused. */
static const char *
requested_ticket(struct conn *conn, const struct json *request, struct look *ret)
{
    const char *id = json_get_str(request, "control_id");
    struct why why;

    *ret = (struct look){0};
    if (id && controlid_is_valid(id))
        queue_tickets(conn_agent(conn)->queue,
                      &(struct queue_filter){.control_id = id, .limit = 1}, look_at, ret);
    if (ret->found)
        return id;
    why_set(&why, 0, "ControlId \"%.40s\" is not known; sonde status lists the last ones",
            id ? id : "");
    conn_refuse(conn, EXIT_NO_INPUT, why.text);
    return NULL;
}

static void
answer_status(struct conn *conn)
{
    send_agent(conn);
    app_each(conn_agent(conn), send_app, conn);
    queue_tickets(conn_agent(conn)->queue,
                  &(struct queue_filter){.limit = STATUS_TICKETS}, send_ticket, conn);
    send_ok(conn, NULL, NULL);
}

static void
status_checked(struct app *app, void *arg)
{
    struct conn *conn = arg;

    send_app(conn_agent(conn), app, conn);
    queue_tickets(
        conn_agent(conn)->queue,
        &(struct queue_filter){.application = app->name, .limit = STATUS_TICKETS},
        send_ticket, conn);
    send_ok(conn, NULL, NULL);
}

static void
verb_status(struct conn *conn, const struct json *request)
{
    struct look look;
    struct app *app;
    const char *id;

    if (json_get(request, "control_id")) {
        id = requested_ticket(conn, request, &look);
        if (!id)
            return;
        queue_tickets(conn_agent(conn)->queue,
                      &(struct queue_filter){.control_id = id, .limit = 1}, send_ticket,
                      conn);
        send_ok(conn, NULL, NULL);
    } else if (json_get(request, "application")) {
        app = requested_app(conn, request);
        if (!app)
            return;
        conn_hold(conn);
        app_check(conn_agent(conn), app, status_checked, conn);
    } else
        survey_all(conn, answer_status);
}

static void
answer_wait(struct conn *conn, const char *control_id)
{
    queue_tickets(conn_agent(conn)->queue,
                  &(struct queue_filter){.control_id = control_id, .limit = 1},
                  send_ticket, conn);
    send_ok(conn, NULL, NULL);
}

static void
verb_wait(struct conn *conn, const struct json *request)
{
    struct look look;
    const char *id = requested_ticket(conn, request, &look);

    if (!id)
        return;
    if (look.final)
        answer_wait(conn, id);
    else
        conn_wait(conn, id, look.scan, true, answer_wait);
}

static void
answer_cancel(struct conn *conn, const char *control_id)
{
    struct look look = {0};

    queue_tickets(conn_agent(conn)->queue,
                  &(struct queue_filter){.control_id = control_id, .limit = 1}, look_at,
                  &look);
    send_ok(conn, look.state,
            strcmp(look.state, TICKET_CANCELLED) == 0 ? "the scan was ended"
                                                      : "the scan ended before it");
}

static void
cancel_running(struct conn *conn, const char *id, int64_t scan)
{
    struct job *job = job_of_scan(conn_agent(conn), scan);

    if (!job)
        conn_refuse(conn, EXIT_REFUSED_FOR_NOW,
                    "the scan is of an agent before this one and not decided; try again");
    else if (job_state(job) != JOB_SCAN)
        send_ok(conn, TICKET_RUNNING, "unchanged: the scan is being stored");
    else {
        job_cancel(job);
        conn_wait(conn, id, scan, false, answer_cancel);
    }
}

static void
verb_cancel(struct conn *conn, const struct json *request)
{
    struct agent *agent = conn_agent(conn);
    struct look look;
    const char *id = requested_ticket(conn, request, &look);
    int64_t scan = 0;
    int r;

    if (!id)
        return;
    r = queue_cancel(agent->queue, id, time(NULL), &scan);
    log_info("cancel of Control ID: %s, by uid %u", id, conn_uid(conn));
    switch (r) {
    case CANCEL_FINAL:
        send_ok(conn, look.state, "unchanged: it had ended already");
        break;
    case CANCEL_SHARED:
        send_ok(conn, TICKET_CANCELLED, "others share its scan, which goes on");
        control_ended_ticket(agent, id);
        break;
    case CANCEL_WAITING:
        send_ok(conn, TICKET_CANCELLED, "its scan had not begun");
        control_ended_ticket(agent, id);
        jobs_start(agent);
        break;
    case CANCEL_RUNNING:
        cancel_running(conn, id, scan);
        break;
    default:
        conn_refuse(conn, EXIT_REFUSED_FOR_NOW, "the cancel could not be kept");
    }
}

/* ---- activate, deactivate ---- */

static void
set_active(struct conn *conn, const struct json *request, bool active)
{
    struct agent *agent = conn_agent(conn);
    struct app *app = requested_app(conn, request);
    struct why why = {""}, note;

    if (!app)
        return;
    if (app_set_active(agent, app->name, active, &why) < 0) {
        log_error("%s", why.text);
        conn_refuse(conn, EXIT_REFUSED_FOR_NOW, why.text);
        return;
    }
    why_set(&note, 0, "application %s is %s", app->name,
            active ? "activated" : "deactivated");
    log_info("%s, by uid %u", note.text, conn_uid(conn));
    send_ok(conn, NULL, note.text);
}

static void
verb_activate(struct conn *conn, const struct json *request)
{
    set_active(conn, request, true);
}

static void
verb_deactivate(struct conn *conn, const struct json *request)
{
    set_active(conn, request, false);
}

/* ---- the table ---- */

static const struct {
    const char *name;
    void (*answer)(struct conn *conn, const struct json *request);
} verbs[] = {
    {"demand", verb_demand},         {"status", verb_status}, {"wait", verb_wait},
    {"cancel", verb_cancel},         {"apps", verb_apps},     {"activate", verb_activate},
    {"deactivate", verb_deactivate},
};

void
verbs_answer(struct conn *conn, const struct json *request)
{
    const char *name = json_get_str(request, "verb");
    struct why why;

    for (size_t i = 0; name && i < sizeof verbs / sizeof verbs[0]; i++)
        if (strcmp(verbs[i].name, name) == 0) {
            verbs[i].answer(conn, request);
            return;
        }
    why_set(&why, 0, "request: unknown verb \"%.40s\"", name ? name : "");
    conn_refuse(conn, EXIT_USAGE_ERROR, why.text);
}
