/* SPDX-License-Identifier: Apache-2.0 */
/* What can be asked of the agent about itself, its applications, and the profile. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "config.h"
#include "control.h"
#include "exit-code.h"
#include "timestamp.h"
#include "verb.h"

/* ---- items ---- */

/* RFC 3339, or null. */
static void
put_time(struct json_out *out, const char *key, int64_t t)
{
    char text[TIMESTAMP_SIZE];

    timestamp_utc(t, text);
    json_out_str(out, key, t != 0 && t != SCHEDULE_NEVER ? text : NULL);
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
    json_out_bool(&reply.out, "active", policy_is_active(agent, app->name));
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
    json_out_str(&reply.out, "state", verbs_app_state(agent, app->name));
    put_time(&reply.out, "last_success", app->interval.success);
    put_time(&reply.out, "next_scan", interval_next(agent, app));
    put_time(&reply.out, "blackout_until", interval_blackout_until(agent, app->name));
    json_out_end(&reply.out, '}');
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
    verbs_ok(conn, NULL, NULL);
}

void
verbs_apps(struct conn *conn, const struct json *request)
{
    (void)request;
    survey_all(conn, answer_apps);
}

/* ---- status ---- */

static void
answer_status(struct conn *conn)
{
    send_agent(conn);
    app_each(conn_agent(conn), send_app, conn);
    verbs_tickets(conn, &(struct queue_filter){.limit = STATUS_TICKETS});
    verbs_ok(conn, NULL, NULL);
}

static void
status_checked(struct app *app, void *arg)
{
    struct conn *conn = arg;

    send_app(conn_agent(conn), app, conn);
    verbs_tickets(
        conn, &(struct queue_filter){.application = app->name, .limit = STATUS_TICKETS});
    verbs_ok(conn, NULL, NULL);
}

void
verbs_status(struct conn *conn, const struct json *request)
{
    struct app *app;

    if (json_get(request, "control_id"))
        verbs_one_ticket(conn, request);
    else if (json_get(request, "application")) {
        app = verbs_app(conn, request);
        if (!app)
            return;
        conn_hold(conn);
        app_check(conn_agent(conn), app, status_checked, conn);
    } else
        survey_all(conn, answer_status);
}

/* ---- activate, deactivate ---- */

static void
set_active(struct conn *conn, const struct json *request, bool active)
{
    struct agent *agent = conn_agent(conn);
    struct app *app = verbs_app(conn, request);
    struct why why = {""}, note;
    int r;

    if (!app)
        return;
    r = policy_set_active(agent, app->name, active, &why);
    if (r < 0) {
        log_error("%s", why.text);
        conn_refuse(conn, r == -EBADMSG ? EXIT_BAD_DATA : EXIT_REFUSED_FOR_NOW, why.text);
        return;
    }
    why_set(&note, 0, "application %s is %s", app->name,
            active ? "activated" : "deactivated");
    log_info("%s, by uid %u", note.text, conn_uid(conn));
    verbs_ok(conn, NULL, note.text);
}

void
verbs_activate(struct conn *conn, const struct json *request)
{
    set_active(conn, request, true);
}

void
verbs_deactivate(struct conn *conn, const struct json *request)
{
    set_active(conn, request, false);
}

/* ---- the profile ---- */

void
verbs_profile_load(struct conn *conn, const struct json *request)
{
    struct agent *agent = conn_agent(conn);
    const struct json *profile = json_get(request, "profile");
    cleanup_free char *text = profile ? json_print(profile) : NULL;
    struct why why = {""};
    int r = text ? policy_load(agent, text, &why) : -EINVAL;

    if (!text)
        conn_refuse(conn, EXIT_USAGE_ERROR, "profile: is missing in the request");
    else if (r < 0) {
        log_warning("profile refused, from uid %u: %s", conn_uid(conn), why.text);
        conn_refuse(conn, r == -EBADMSG ? EXIT_BAD_DATA : EXIT_REFUSED_FOR_NOW, why.text);
    } else {
        log_info("profile loaded, by uid %u", conn_uid(conn));
        verbs_ok(conn, NULL, "the profile is in force");
    }
}

struct shown {
    struct conn *conn;
    const char *application; /* NULL: of all */
};

static void
send_setting(const struct profile_setting *setting, void *arg)
{
    const struct shown *shown = arg;
    struct reply reply;

    reply_begin(&reply, shown->conn);
    json_out_object(&reply.out, "setting");
    json_out_str(&reply.out, "application", shown->application);
    json_out_str(&reply.out, "name", setting->name);
    json_out_raw(&reply.out, "value", setting->text);
    json_out_str(&reply.out, "origin", setting->origin);
    json_out_end(&reply.out, '}');
    reply_end(&reply);
}

static void
send_settings(struct agent *agent, struct app *app, void *arg)
{
    struct shown shown = {arg, app->name};
    const struct limits *of_manifest =
        app->verdict.state == VERDICT_VALID ? &app->verdict.limits : NULL;

    if (app_is_known(agent, app->name))
        profile_settings(&agent->profile, app->name, &agent->conf.limits, of_manifest,
                         send_setting, &shown);
}

static void
answer_profile(struct conn *conn)
{
    struct agent *agent = conn_agent(conn);

    policy_refresh(agent);
    profile_settings(&agent->profile, NULL, NULL, NULL, send_setting,
                     &(struct shown){conn, NULL});
    app_each(agent, send_settings, conn);
    verbs_ok(conn, NULL, NULL);
}

void
verbs_profile_show(struct conn *conn, const struct json *request)
{
    (void)request;
    survey_all(conn, answer_profile);
}
