/* SPDX-License-Identifier: Apache-2.0 */
/* The control socket: who may ask, lines in, lines out. */
#include "control.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "cleanup.h"
#include "exit-code.h"

enum {
    BACKLOG = 1024,
    CONNS_MAX = 1024,
    LINE_FIRST = 4096,            /* most requests are shorter; a profile may be longer */
    UNREAD_MAX = 4 * 1024 * 1024, /* 1000 tickets with the longest reasons */
    GROUPS_MAX = 1024
};

#define SILENT_NS INT64_C(10000000000) /* so long may a client take for its line */

struct conn {
    uv_pipe_t pipe; /* first */
    struct conn *next;
    struct agent *agent;
    uid_t uid;
    int64_t since_ns;
    char *line; /* room for `size` bytes */
    size_t len, size;
    bool answering; /* the request was read */
    bool held;      /* the answer comes later */
    bool closing;   /* after the last line, or the client is gone */
    bool closed;    /* libuv has let go of it */

    char wait_id[CONTROLID_SIZE];
    int64_t wait_scan; /* 0: none */
    bool wait_progress;
    void (*wait_fn)(struct conn *conn, const char *control_id);
};

struct control {
    uv_pipe_t pipe; /* first */
    struct conn *conns;
    int n_conns;
    bool full; /* somebody waits in the backlog */
    bool open;
    void (*answer)(struct conn *conn, const struct json *request);
};

struct agent *
conn_agent(const struct conn *conn)
{
    return conn->agent;
}

uid_t
conn_uid(const struct conn *conn)
{
    return conn->uid;
}

/* ---- closing ---- */

static void accept_one(struct control *control);

static void
conn_free_when_done(struct conn *conn)
{
    struct control *control = conn->agent->control;
    struct conn **at = &control->conns;

    if (!conn->closed || conn->held)
        return;
    while (*at != conn)
        at = &(*at)->next;
    *at = conn->next;
    control->n_conns--;
    free(conn->line);
    free(conn);
    if (control->full && control->open) {
        control->full = false;
        accept_one(control);
    }
}

static void
on_closed(uv_handle_t *handle)
{
    struct conn *conn = (struct conn *)handle;

    conn->closed = true;
    conn_free_when_done(conn);
}

static void
conn_close(struct conn *conn)
{
    conn->closing = true;
    if (conn->wait_scan) { /* nobody waits any more */
        conn->wait_scan = 0;
        conn->held = false;
    }
    if (!uv_is_closing((uv_handle_t *)&conn->pipe))
        uv_close((uv_handle_t *)&conn->pipe, on_closed);
}

void
conn_hold(struct conn *conn)
{
    conn->held = true;
}

/* ---- answers ---- */

struct answer {
    uv_write_t req; /* first */
    char *text;
    bool last;
};

static void
on_written(uv_write_t *req, int status)
{
    struct answer *answer = (struct answer *)req;
    struct conn *conn = (struct conn *)req->handle;

    if (answer->last || status < 0)
        conn_close(conn);
    free(answer->text);
    free(answer);
}

/* Takes the text over. */
static void
conn_write(struct conn *conn, char *text, size_t len, bool last)
{
    struct answer *answer = calloc(1, sizeof *answer);
    uv_buf_t buf = uv_buf_init(text, (unsigned)len);
    bool slow = !conn->closing && conn->pipe.write_queue_size > UNREAD_MAX;

    if (conn->closing || slow || !answer) {
        if (slow || !answer)
            conn_close(conn);
        free(answer);
        free(text);
        return;
    }
    answer->text = text;
    answer->last = last;
    if (uv_write(&answer->req, (uv_stream_t *)&conn->pipe, &buf, 1, on_written) < 0) {
        free(text);
        free(answer);
        conn_close(conn);
    }
}

void
reply_begin(struct reply *reply, struct conn *conn)
{
    *reply = (struct reply){.conn = conn};
    reply->stream = open_memstream(&reply->text, &reply->len);
    if (!reply->stream) /* no memory: the line goes nowhere, the client sees the end */
        reply->stream = fopen("/dev/null", "we");
    json_out_init(&reply->out, reply->stream);
    json_out_object(&reply->out, NULL);
    json_out_int(&reply->out, "v", CONTROL_VERSION);
}

static void
reply_finish(struct reply *reply, bool last)
{
    json_out_end(&reply->out, '}');
    fputc('\n', reply->stream);
    if (fclose(reply->stream) == 0 && reply->text) {
        conn_write(reply->conn, reply->text, reply->len, last);
    } else { /* no text, or one that is not whole */
        free(reply->text);
        conn_close(reply->conn);
    }
}

void
reply_end(struct reply *reply)
{
    reply_finish(reply, false);
}

void
reply_final(struct reply *reply, struct conn *conn)
{
    reply_begin(reply, conn);
    json_out_bool(&reply->out, "ok", true);
}

void
reply_final_end(struct reply *reply)
{
    struct conn *conn = reply->conn;

    reply_finish(reply, true);
    conn->held = false;
    conn_free_when_done(conn);
}

void
conn_refuse(struct conn *conn, int exit_code, const char *text)
{
    struct reply reply;

    reply_begin(&reply, conn);
    json_out_bool(&reply.out, "ok", false);
    json_out_int(&reply.out, "exit", exit_code);
    json_out_str(&reply.out, "error", text);
    reply_final_end(&reply);
}

/* ---- waiting ---- */

void
conn_wait(struct conn *conn, const char *control_id, int64_t scan, bool progress,
          void (*fn)(struct conn *conn, const char *control_id))
{
    if (conn->closing)
        return;
    snprintf(conn->wait_id, sizeof conn->wait_id, "%s", control_id);
    conn->wait_scan = scan;
    conn->wait_progress = progress;
    conn->wait_fn = fn;
    conn->held = true;
}

void
control_progress(struct agent *agent, int64_t scan,
                 void (*write)(const struct job *job, struct json_out *out,
                               const char *control_id),
                 const struct job *job)
{
    struct reply reply;

    for (struct conn *conn = agent->control->conns; conn; conn = conn->next) {
        if (conn->wait_scan != scan || !conn->wait_progress)
            continue;
        reply_begin(&reply, conn);
        write(job, &reply.out, conn->wait_id);
        reply_end(&reply);
    }
}

/* Answer all who wait for this scan, or (0) for this ticket. */
static void
answer_waiting(struct agent *agent, int64_t scan, const char *control_id)
{
    struct conn *next;

    for (struct conn *conn = agent->control->conns; conn; conn = next) {
        next = conn->next;
        if (!conn->wait_scan || (scan && conn->wait_scan != scan) ||
            (control_id && strcmp(conn->wait_id, control_id) != 0))
            continue;
        conn->wait_scan = 0;
        conn->wait_fn(conn, conn->wait_id);
    }
}

void
control_ended(struct agent *agent, int64_t scan)
{
    answer_waiting(agent, scan, NULL);
}

void
control_ended_ticket(struct agent *agent, const char *control_id)
{
    answer_waiting(agent, 0, control_id);
}

/* ---- requests ---- */

static void
take_request(struct conn *conn)
{
    struct json *request = NULL;
    struct why why = {""};

    conn->answering = true;
    if (json_parse(conn->line, conn->len, &request, &why) < 0) {
        struct why text;

        why_set(&text, 0, "request: not JSON: %.400s", why.text);
        conn_refuse(conn, EXIT_USAGE_ERROR, text.text);
    } else if (json_type(request) != JSON_OBJECT ||
               json_get_int(request, "v", 0) != CONTROL_VERSION)
        conn_refuse(conn, EXIT_USAGE_ERROR,
                    "request: not of version 1 (\"v\":1); agent and command differ");
    else
        conn->agent->control->answer(conn, request);
    json_free(request);
}

static void
grow_line(struct conn *conn)
{
    size_t size = conn->size ? 2 * conn->size : LINE_FIRST;
    char *line = size <= CONTROL_LINE_MAX ? realloc(conn->line, size) : NULL;

    if (!line)
        return;
    conn->line = line;
    conn->size = size;
}

static void
on_alloc(uv_handle_t *handle, size_t size, uv_buf_t *buf)
{
    static char waste[LINE_FIRST];
    struct conn *conn = (struct conn *)handle;

    (void)size;
    if (conn->answering) { /* one request is read; what comes after it is thrown away */
        *buf = uv_buf_init(waste, sizeof waste);
        return;
    }
    if (conn->len == conn->size)
        grow_line(conn); /* or there is no room, and the request is refused */
    *buf = uv_buf_init(conn->line + conn->len, (unsigned)(conn->size - conn->len));
}

/* At the end of its words: it is gone, too, or will read the answer (shutdown(2)). */
static bool
client_is_gone(struct conn *conn)
{
    struct pollfd client = {.events = 0};

    return uv_fileno((uv_handle_t *)&conn->pipe, &client.fd) < 0 ||
           (poll(&client, 1, 0) > 0 && (client.revents & (POLLHUP | POLLERR)));
}

static void
on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct conn *conn = (struct conn *)stream;
    char *nl;

    if (n == UV_ENOBUFS) {
        conn->answering = true;
        conn_refuse(conn, EXIT_USAGE_ERROR, "request: longer than 128 KiB");
        return;
    }
    if (n == UV_EOF && conn->answering && !client_is_gone(conn)) {
        uv_read_stop(stream);
        return;
    }
    if (n < 0) {
        conn_close(conn);
        return;
    }
    if (conn->answering)
        return;
    nl = memchr(buf->base, '\n', (size_t)n);
    conn->len += (size_t)n;
    if (nl) {
        conn->len = (size_t)(nl - conn->line);
        take_request(conn);
    }
}

/* ---- who may ask: root, the agent's own user, members of the group ---- */

static bool
peer_is_permitted(const struct agent *agent, int fd, uid_t *ret_uid)
{
    struct ucred cred = {.uid = (uid_t)-1};
    socklen_t len = sizeof cred;
    gid_t groups[GROUPS_MAX];

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0)
        return false;
    *ret_uid = cred.uid;
    if (cred.uid == 0 || cred.uid == geteuid())
        return true;
    if (agent->group == (gid_t)-1)
        return false;
    if (cred.gid == agent->group)
        return true;
    len = sizeof groups;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &len) < 0)
        return false;
    for (size_t i = 0; i < len / sizeof groups[0]; i++)
        if (groups[i] == agent->group)
            return true;
    return false;
}

/* libuv asks again only after an accept: so who comes while there are too many waits. */
static void
accept_one(struct control *control)
{
    struct agent *agent = control->pipe.data;
    struct conn *conn = control->n_conns < CONNS_MAX ? calloc(1, sizeof *conn) : NULL;
    uv_os_fd_t fd;

    if (!conn) {
        control->full = true;
        return;
    }
    conn->agent = agent;
    conn->since_ns = (int64_t)uv_hrtime();
    uv_pipe_init(&agent->loop, &conn->pipe, 0);
    conn->next = control->conns;
    control->conns = conn;
    control->n_conns++;
    if (uv_accept((uv_stream_t *)&control->pipe, (uv_stream_t *)&conn->pipe) < 0 ||
        uv_fileno((uv_handle_t *)&conn->pipe, &fd) < 0) {
        conn_close(conn);
        return;
    }
    if (!peer_is_permitted(agent, fd, &conn->uid)) {
        log_warning("control socket: uid %u is not permitted", conn->uid);
        conn->answering = true;
        conn_refuse(conn, EXIT_NOT_PERMITTED,
                    "not permitted: only root, the agent's user and its group may ask");
    }
    uv_read_start((uv_stream_t *)&conn->pipe, on_alloc, on_read);
    timers_watch(agent);
}

static void
on_connection(uv_stream_t *server, int status)
{
    if (status == 0)
        accept_one((struct control *)server);
}

bool
control_sweep(struct agent *agent)
{
    int64_t now_ns = (int64_t)uv_hrtime();
    bool more = false;

    for (struct conn *conn = agent->control->conns; conn; conn = conn->next) {
        if (conn->answering || conn->closing)
            continue;
        more = true;
        if (now_ns - conn->since_ns >= SILENT_NS)
            conn_close(conn);
    }
    return more;
}

/* ---- the socket ---- */

/* What stands at the path goes, if it is the socket of an agent that is gone. */
static int
clear_path(const char *path, struct why *why)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    cleanup_fd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    struct stat st;

    if (lstat(path, &st) < 0)
        return 0; /* binding says what else is wrong */
    if (!S_ISSOCK(st.st_mode))
        return why_set(why, -EEXIST, "socket %s: is there, but is no socket", path);
    strncpy(address.sun_path, path, sizeof address.sun_path - 1);
    if (fd >= 0 && (connect(fd, (struct sockaddr *)&address, sizeof address) == 0 ||
                    errno == EAGAIN))
        return why_set(why, -EBUSY, "socket %s: another agent answers there", path);
    if (fd < 0 || errno != ECONNREFUSED || unlink(path) < 0)
        return why_set(why, -errno, "socket %s: %s", path, strerror(errno));
    return 0;
}

int
control_open(struct agent *agent,
             void (*answer)(struct conn *conn, const struct json *request),
             struct why *why)
{
    const char *path = agent->conf.paths.socket;
    struct control *control = calloc(1, sizeof *control);
    mode_t before;
    int r;

    if (!control)
        return why_set(why, -ENOMEM, "out of memory");
    agent->control = control;
    control->answer = answer;
    control->pipe.data = agent;
    uv_pipe_init(&agent->loop, &control->pipe, 0);
    r = clear_path(path, why);
    if (r < 0)
        return r;
    before = umask(0117);
    r = uv_pipe_bind(&control->pipe, path);
    umask(before);
    if (r == 0)
        r = uv_listen((uv_stream_t *)&control->pipe, BACKLOG, on_connection);
    if (r < 0)
        return why_set(why, r, "socket %s: %s", path, uv_strerror(r));
    control->open = true;
    if (agent->group != (gid_t)-1 && chown(path, (uid_t)-1, agent->group) < 0)
        return why_set(why, -errno, "socket %s: group %u: %s", path, agent->group,
                       strerror(errno));
    return 0;
}

void
control_close(struct agent *agent)
{
    struct control *control = agent->control;

    if (!control || !control->open)
        return;
    control->open = false;
    unlink(agent->conf.paths.socket);
    uv_close((uv_handle_t *)&control->pipe, NULL);
    for (struct conn *conn = control->conns; conn; conn = conn->next)
        conn_close(conn);
}
