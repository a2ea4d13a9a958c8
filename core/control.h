/* SPDX-License-Identifier: Apache-2.0 */
/* Connections to the control socket, as verbs see them. */
#pragma once

#include "agent.h"
#include "json.h"

enum { CONTROL_VERSION = 1, CONTROL_LINE_MAX = 128 * 1024 };

struct conn;

struct agent *conn_agent(const struct conn *conn);
/* Who asks, for the log. */
uid_t conn_uid(const struct conn *conn);

/* One line of an answer: begin, put members, end.  On a connection that is gone it does
 * nothing.
 */
struct reply {
    struct conn *conn;
    FILE *stream;
    char *text;
    size_t len;
    struct json_out out;
};
void reply_begin(struct reply *reply, struct conn *conn);
void reply_end(struct reply *reply);

/* The last line; the connection closes after it.  reply_final begins an ok answer. */
void reply_final(struct reply *reply, struct conn *conn);
void reply_final_end(struct reply *reply);
void conn_refuse(struct conn *conn, int exit_code, const char *text);

/* The answer comes later: the connection is kept until the last line, even if the client
 * goes away.
 */
void conn_hold(struct conn *conn);
/* Wait for the end of a scan: `progress` lines, then fn, which answers. */
void conn_wait(struct conn *conn, const char *control_id, int64_t scan, bool progress,
               void (*fn)(struct conn *conn, const char *control_id));
