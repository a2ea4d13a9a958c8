/* SPDX-License-Identifier: Apache-2.0 */
/* One verb, one function: those of verbs-app.c (the agent, its applications, the profile) and of
 * verbs-ticket.c (requests), and what they share (verb.c).
 */
#pragma once

#include "agent.h"
#include "json.h"

enum { STATUS_TICKETS = 20, LIST_TICKETS_MAX = 1000 };

/* The last line of an answer: state and note, each when it is not NULL. */
void verbs_ok(struct conn *conn, const char *state, const char *note);
/* The application that a request names: known, or the request is refused (NULL). */
struct app *verbs_app(struct conn *conn, const struct json *request);
/* IDLE, or what is done about it: ONDEMAND_EVENT_… or INTERVAL_EVENT_…. */
const char *verbs_app_state(struct agent *agent, const char *name);
/* A line for each of these. */
void verbs_tickets(struct conn *conn, const struct queue_filter *filter);
/* The whole answer: the ticket that the request names. */
void verbs_one_ticket(struct conn *conn, const struct json *request);

void verbs_demand(struct conn *conn, const struct json *request);
void verbs_wait(struct conn *conn, const struct json *request);
void verbs_list(struct conn *conn, const struct json *request);
void verbs_cancel(struct conn *conn, const struct json *request);
void verbs_throttle(struct conn *conn, const struct json *request);

void verbs_status(struct conn *conn, const struct json *request);
void verbs_apps(struct conn *conn, const struct json *request);
void verbs_activate(struct conn *conn, const struct json *request);
void verbs_deactivate(struct conn *conn, const struct json *request);
void verbs_profile_load(struct conn *conn, const struct json *request);
void verbs_profile_show(struct conn *conn, const struct json *request);
