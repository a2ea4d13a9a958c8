/* SPDX-License-Identifier: Apache-2.0 */
/* What can be asked of the agent about requests. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "control.h"
#include "done.h"
#include "exit-code.h"
#include "pacer.h"
#include "verb.h"

/* ---- demand ---- */

struct demand {
    struct conn *conn;
    int64_t cputhrottle;
};

static void
log_demand(struct conn *conn, const struct app *app, const struct queue_ticket *t)
{
    char whose[CONTROLID_SIZE + 16] = "";

    if (strcmp(t->whose, t->control_id) != 0)
        snprintf(whose, sizeof whose, " (of %s)", t->whose);
    log_info("OnDemand request for Control ID: %s, application %s, by uid %u: %s as scan "
             "%lld%s%s, cputhrottle %lld%s",
             t->control_id, app->name, conn_uid(conn), t->state, (long long)t->scan,
             t->joined ? ", which others asked for, too" : "",
             t->in_place ? ", which the interval had queued" : "",
             (long long)t->cputhrottle, whose);
}

/* The contract's two lines; `before` is the first of them. */
static void
delay(const struct queue_ticket *t, const char *before, struct json_out *notes)
{
    struct why line;

    log_info("%s", before);
    why_put(&line, "OnDemand request for Control ID: %s will be delayed.", t->control_id);
    log_info("%s", line.text);
    json_out_str(notes, NULL, line.text);
}

static void
delay_behind(struct agent *agent, const struct app *app, const struct queue_ticket *t,
             struct json_out *notes)
{
    const char *state = verbs_app_state(agent, app->name);
    struct why before;

    why_put(&before, "%s Event of same type is in progress with state %s",
            strncmp(state, "INTERVAL", 8) == 0 ? "Interval" : "OnDemand", state);
    delay(t, before.text, notes);
}

static void
answer_demand(struct conn *conn, const struct app *app, const struct queue_ticket *t,
              const char *blocked)
{
    struct agent *agent = conn_agent(conn);
    struct reply reply;

    log_demand(conn, app, t);
    reply_final(&reply, conn);
    json_out_str(&reply.out, "control_id", t->control_id);
    json_out_str(&reply.out, "state", t->state);
    json_out_array(&reply.out, "notes");
    if (strcmp(t->state, TICKET_DELAYED) == 0 && blocked) {
        json_out_str(&reply.out, NULL, blocked);
        delay(t, blocked, &reply.out);
    } else if (strcmp(t->state, TICKET_DELAYED) == 0)
        delay_behind(agent, app, t, &reply.out);
    json_out_end(&reply.out, ']');
    reply_final_end(&reply);
    jobs_start(agent);
    interval_look(agent);
}

static void
take_demand(struct conn *conn, const struct app *app, int64_t cputhrottle)
{
    struct agent *agent = conn_agent(conn);
    struct why until = {""}, why = {""};
    bool blocked = interval_blackout_words(agent, app->name, &until);
    struct queue_ticket ticket;
    int r = queue_demand(agent->queue,
                         &(struct queue_demand){app->name, cputhrottle,
                                                blocked ? until.text : NULL, clock_utc()},
                         &ticket, &why);

    if (r < 0) {
        log_error("OnDemand request refused: %s", why.text);
        conn_refuse(conn, EXIT_REFUSED_FOR_NOW, why.text);
        return;
    }
    /* Behind a scan it is that scan that delays it. */
    answer_demand(conn, app, &ticket, blocked && !ticket.behind ? until.text : NULL);
}

static void
demand_checked(struct app *app, void *arg)
{
    struct demand *demand = arg;
    struct agent *agent = conn_agent(demand->conn);
    struct why why = {""};
    int r = app_gate(agent, app, &why);

    if (r != 0) {
        log_warning("OnDemand request refused: %s", why.text);
        conn_refuse(demand->conn, r, why.text);
    } else if (agent->stopping)
        conn_refuse(demand->conn, EXIT_REFUSED_FOR_NOW, "the agent is stopping");
    else
        take_demand(demand->conn, app, demand->cputhrottle);
    free(demand);
}

/* The request's cputhrottle, or def where it has none: -1 after it was refused. */
static int64_t
requested_throttle(struct conn *conn, const struct json *request, int64_t def)
{
    int64_t throttle = json_get_int(request, "cputhrottle", -1);

    if (!json_get(request, "cputhrottle"))
        throttle = def;
    if (throttle < 0 || throttle > PACER_THROTTLE_MAX) {
        conn_refuse(conn, EXIT_USAGE_ERROR, "cputhrottle: not a number from 0 to 1000");
        return -1;
    }
    return throttle;
}

void
verbs_demand(struct conn *conn, const struct json *request)
{
    int64_t throttle = requested_throttle(conn, request, 0);
    struct demand *demand;
    struct app *app;

    if (throttle < 0)
        return;
    app = verbs_app(conn, request);
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

static void
look_for(struct agent *agent, const char *control_id, struct look *ret)
{
    *ret = (struct look){0};
    queue_tickets(agent->queue,
                  &(struct queue_filter){.control_id = control_id, .limit = 1}, look_at,
                  ret);
}

/* The ticket that a request names, or the request is refused. */
static const char *
requested_ticket(struct conn *conn, const struct json *request, struct look *ret)
{
    const char *id = json_get_str(request, "control_id");
    struct why why;

    *ret = (struct look){0};
    if (id && controlid_is_valid(id))
        look_for(conn_agent(conn), id, ret);
    if (ret->found)
        return id;
    why_put(&why, "ControlId \"%.40s\" is not known; sonde list has the last ones",
            id ? id : "");
    conn_refuse(conn, EXIT_NO_INPUT, why.text);
    return NULL;
}

static void
answer_ticket(struct conn *conn, const char *control_id)
{
    verbs_tickets(conn, &(struct queue_filter){.control_id = control_id, .limit = 1});
    verbs_ok(conn, NULL, NULL);
}

void
verbs_one_ticket(struct conn *conn, const struct json *request)
{
    struct look look;
    const char *id = requested_ticket(conn, request, &look);

    if (id)
        answer_ticket(conn, id);
}

void
verbs_wait(struct conn *conn, const struct json *request)
{
    struct look look;
    const char *id = requested_ticket(conn, request, &look);

    if (!id)
        return;
    if (look.final)
        answer_ticket(conn, id);
    else
        conn_wait(conn, id, look.scan, true, answer_ticket);
}

void
verbs_list(struct conn *conn, const struct json *request)
{
    const char *application = json_get_str(request, "application");
    int64_t limit = json_get_int(request, "limit", STATUS_TICKETS);

    if (limit < 1 || limit > LIST_TICKETS_MAX) {
        conn_refuse(conn, EXIT_USAGE_ERROR, "limit: not a number from 1 to 1000");
        return;
    }
    if (json_get(request, "application") && !verbs_app(conn, request))
        return;
    verbs_tickets(conn,
                  &(struct queue_filter){.application = application,
                                         .open = json_get_bool(request, "open", false),
                                         .intervals = true,
                                         .limit = (int)limit});
    verbs_ok(conn, NULL, NULL);
}

/* ---- cancel ---- */

static void
answer_cancel(struct conn *conn, const char *control_id)
{
    struct look look;

    look_for(conn_agent(conn), control_id, &look);
    verbs_ok(conn, look.state,
             strcmp(look.state, TICKET_CANCELLED) == 0 ? "the scan was ended"
                                                       : "the scan ended before it");
}

/* True when the scan was told to end, and the caller waits for that. */
static bool
cancel_running(struct conn *conn, int64_t scan)
{
    struct job *job = job_of_scan(conn_agent(conn), scan);

    if (!job)
        conn_refuse(conn, EXIT_REFUSED_FOR_NOW,
                    "the scan is of an agent before this one and not decided; try again");
    else if (job_state(job) != JOB_SCAN)
        verbs_ok(conn, TICKET_RUNNING, "unchanged: the scan is being stored");
    else
        job_cancel(job);
    return job && job_state(job) == JOB_SCAN;
}

static void
throttle_job(struct agent *agent, const struct queue_change *change)
{
    struct job *job = job_of_scan(agent, change->scan);

    if (job)
        job_throttle(job, change->cputhrottle);
}

static void
cancel_ticket(struct conn *conn, const char *id, const char *state)
{
    struct agent *agent = conn_agent(conn);
    struct queue_change change;
    int r = queue_cancel(agent->queue, id, clock_utc(), &change);
    bool withdrawn = r == CANCEL_SHARED || r == CANCEL_WAITING;

    log_info("cancel of Control ID: %s, by uid %u%s", id, conn_uid(conn),
             withdrawn             ? ": CANCELLED"
             : r == CANCEL_RUNNING ? ""
             : r < 0               ? ": could not be kept"
                                   : ": unchanged");
    if (withdrawn)
        done_write_ticket(agent->queue, id);
    switch (r) {
    case CANCEL_FINAL:
        verbs_ok(conn, state, "unchanged: it had ended already");
        break;
    case CANCEL_SHARED:
        throttle_job(agent, &change);
        verbs_ok(conn, TICKET_CANCELLED, "others share its scan, which goes on");
        control_ended_ticket(agent, id);
        break;
    case CANCEL_WAITING:
        verbs_ok(conn, TICKET_CANCELLED, "its scan had not begun");
        control_ended_ticket(agent, id);
        jobs_start(agent);
        interval_look(agent);
        break;
    case CANCEL_RUNNING:
        if (cancel_running(conn, change.scan))
            conn_wait(conn, id, change.scan, false, answer_cancel);
        break;
    default:
        conn_refuse(conn, EXIT_REFUSED_FOR_NOW, "the cancel could not be kept");
    }
}

/* The interval scan of the application, or the request is refused or answered. */
static bool
requested_interval(struct conn *conn, const struct app *app, struct queue_scan *ret)
{
    struct agent *agent = conn_agent(conn);
    struct why note;
    int r = queue_scan_of(agent->queue, app->name, TICKET_RUNNING, ret);

    if (r == 0)
        r = queue_scan_of(agent->queue, app->name, TICKET_QUEUED, ret);
    if (r < 0) {
        conn_refuse(conn, EXIT_REFUSED_FOR_NOW, "the queue cannot be read");
        return false;
    }
    if (r == 1 && ret->interval)
        return true;
    why_put(&note, "unchanged: no interval scan of %s runs or waits", app->name);
    verbs_ok(conn, verbs_app_state(agent, app->name), note.text);
    return false;
}

/* The number of the scan stands where a ticket has its ControlId. */
static void
answer_cancel_interval(struct conn *conn, const char *scan)
{
    char outcome[16];

    queue_outcome(conn_agent(conn)->queue, strtoll(scan, NULL, 10), outcome);
    verbs_ok(conn, outcome,
             strcmp(outcome, TICKET_CANCELLED) == 0
                 ? "the interval scan was ended; its turn is skipped"
                 : "the interval scan ended before it");
}

static void
cancel_interval(struct conn *conn, const struct app *app)
{
    struct agent *agent = conn_agent(conn);
    const struct queue_end end = {TICKET_CANCELLED, "cancelled", 0, NULL, NULL, 0};
    struct queue_scan scan;
    char number[24];

    if (!requested_interval(conn, app, &scan))
        return;
    log_info("cancel of the interval scan of %s, by uid %u", app->name, conn_uid(conn));
    snprintf(number, sizeof number, "%lld", (long long)scan.id);
    if (queue_scan_of(agent->queue, app->name, TICKET_RUNNING, &scan) == 1) {
        if (cancel_running(conn, scan.id))
            conn_wait(conn, number, scan.id, false, answer_cancel_interval);
    } else if (job_ended(agent, &scan, &end, NULL) < 0)
        conn_refuse(conn, EXIT_REFUSED_FOR_NOW, "the cancel could not be kept");
    else {
        verbs_ok(conn, TICKET_CANCELLED, "it had not begun; its turn is skipped");
        jobs_start(agent);
    }
}

void
verbs_cancel(struct conn *conn, const struct json *request)
{
    struct look look;
    const struct app *app;
    const char *id;

    if (json_get(request, "application")) {
        app = verbs_app(conn, request);
        if (app)
            cancel_interval(conn, app);
        return;
    }
    id = requested_ticket(conn, request, &look);
    if (id)
        cancel_ticket(conn, id, look.state);
}

/* ---- throttle ---- */

static void
answer_throttle(struct conn *conn, const char *state, int64_t cputhrottle,
                const char *note)
{
    struct reply reply;

    reply_final(&reply, conn);
    json_out_str(&reply.out, "state", state);
    json_out_int(&reply.out, "cputhrottle", cputhrottle);
    json_out_str(&reply.out, "note", note);
    reply_final_end(&reply);
}

static void
throttle_ticket(struct conn *conn, const char *id, const char *state, int64_t wanted)
{
    struct agent *agent = conn_agent(conn);
    struct queue_change change;
    int r = queue_throttle(agent->queue, id, wanted, &change);

    if (r < 0)
        conn_refuse(conn, EXIT_REFUSED_FOR_NOW, "the change could not be kept");
    else if (r == 0)
        verbs_ok(conn, state, "unchanged: it had ended already");
    else {
        log_info("cputhrottle %lld for Control ID: %s, by uid %u: scan %lld has %lld",
                 (long long)wanted, id, conn_uid(conn), (long long)change.scan,
                 (long long)change.cputhrottle);
        throttle_job(agent, &change);
        answer_throttle(conn, state, change.cputhrottle,
                        change.cputhrottle == wanted
                            ? "from now on"
                            : "others who share its scan asked for less");
    }
}

static void
throttle_interval(struct conn *conn, const struct app *app, int64_t wanted)
{
    struct agent *agent = conn_agent(conn);
    struct queue_scan scan;

    if (!requested_interval(conn, app, &scan))
        return;
    if (queue_throttle_interval(agent->queue, scan.id, wanted) < 0) {
        conn_refuse(conn, EXIT_REFUSED_FOR_NOW, "the change could not be kept");
        return;
    }
    log_info("cputhrottle %lld for the interval scan of %s, by uid %u", (long long)wanted,
             app->name, conn_uid(conn));
    throttle_job(agent, &(struct queue_change){scan.id, wanted});
    answer_throttle(conn, verbs_app_state(agent, app->name), wanted, "for this scan");
}

void
verbs_throttle(struct conn *conn, const struct json *request)
{
    int64_t wanted = requested_throttle(conn, request, -1);
    struct look look;
    const struct app *app;
    const char *id;

    if (wanted < 0)
        return;
    if (json_get(request, "application")) {
        app = verbs_app(conn, request);
        if (app)
            throttle_interval(conn, app, wanted);
        return;
    }
    id = requested_ticket(conn, request, &look);
    if (id)
        throttle_ticket(conn, id, look.state, wanted);
}
