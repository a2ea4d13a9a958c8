/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "chaos.h"
#include "cleanup.h"
#include "exit-code.h"
#include "json.h"

enum { ANSWER_MS = 30000 };

struct request {
    int fd;
    enum verb verb;
    char about[CONTROLID_SIZE];
    int generation;   /* of the agent that was asked */
    int64_t since_ms; /* it was asked then */
    bool final;       /* the last line was read */
    char *line;
    size_t len, size;
};

/* ---- answers ---- */

static void
take_ticket(struct chaos *chaos, const struct json *ticket)
{
    const char *id = json_get_str(ticket, "control_id"),
               *state = json_get_str(ticket, "state");

    if (id && state)
        ticket_told(chaos, id, state, json_get_int(ticket, "scan", 0));
}

static void
take_ok(struct chaos *chaos, const struct request *request, const struct json *line)
{
    const char *id = json_get_str(line, "control_id"),
               *state = json_get_str(line, "state");
    const struct ticket_seen *t =
        request->about[0] ? ticket_find(chaos, request->about) : NULL;

    if (request->verb == ASK_CANCEL_INTERVAL) {
        if (request->generation == chaos->generation && state &&
            strcmp(state, "CANCELLED") == 0)
            check_cancelled(chaos, request->about);
    } else if (request->verb == ASK_DEMAND && id)
        ticket_given(chaos, id);
    else if (request->verb == ASK_DEMAND)
        fault(chaos, FAULT_WORD, "a demand was answered without a ControlId");
    else if (request->verb == ASK_WAIT && t && !t->end[0])
        fault(chaos, FAULT_WORD, "ticket %s: wait was answered before its end", t->id);
    else if (request->verb != ASK_WAIT && t && state)
        ticket_told(chaos, request->about, state, 0);
}

static void
take_refusal(struct chaos *chaos, const struct request *request, const struct json *line)
{
    int64_t code = json_get_int(line, "exit", -1);
    const char *error = json_get_str(line, "error");

    chaos->refused++;
    trace(chaos, "refused: %s", error ? error : "?");
    if (request->verb != ASK_CANCEL_INTERVAL && request->about[0] &&
        code == EXIT_NO_INPUT)
        fault(chaos, FAULT_LOST, "ticket %s: %s", request->about, error ? error : "?");
    else if (code != EXIT_REFUSED_FOR_NOW && code != EXIT_NO_INPUT)
        fault(chaos, FAULT_WORD, "refused with %lld: %s", (long long)code,
              error ? error : "?");
}

static void
take_line(struct chaos *chaos, struct request *request, const char *text, size_t len)
{
    struct json *line = NULL;
    struct why why = {""};

    if (json_parse(text, len, &line, &why) < 0) {
        fault(chaos, FAULT_WORD, "an answer is no JSON: %s", why.text);
        return;
    }
    if (json_get(line, "ticket"))
        take_ticket(chaos, json_get(line, "ticket"));
    if (json_get(line, "ok")) {
        request->final = true;
        chaos->answered++;
        if (json_get_bool(line, "ok", false))
            take_ok(chaos, request, line);
        else
            take_refusal(chaos, request, line);
    }
    json_free(line);
}

static void
take_lines(struct chaos *chaos, struct request *request)
{
    char *nl;

    while ((nl = memchr(request->line, '\n', request->len))) {
        size_t n = (size_t)(nl + 1 - request->line);

        take_line(chaos, request, request->line, n - 1);
        request->len -= n;
        memmove(request->line, nl + 1, request->len);
    }
}

/* False at the end of its words. */
static bool
read_some(struct chaos *chaos, struct request *request)
{
    ssize_t n;

    if (request->len == request->size) {
        request->size = request->size ? 2 * request->size : 4096;
        request->line = realloc(request->line, request->size);
        if (!request->line)
            abort();
    }
    n = recv(request->fd, request->line + request->len, request->size - request->len,
             MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return true;
    if (n > 0) {
        request->len += (size_t)n;
        take_lines(chaos, request);
    }
    return n > 0;
}

/* ---- requests ---- */

static void
drop(struct chaos *chaos, int i)
{
    close(chaos->requests[i].fd);
    free(chaos->requests[i].line);
    chaos->requests[i] = chaos->requests[--chaos->n_requests];
}

static int
say(const struct chaos *chaos, const char *line)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    strncpy(address.sun_path, chaos->socket, sizeof address.sun_path - 1);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0 &&
        send(fd, line, strlen(line), MSG_NOSIGNAL) == (ssize_t)strlen(line))
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

static void
note(struct chaos *chaos, int fd, enum verb verb, const char *about)
{
    struct request *request;

    if (!chaos->requests)
        chaos->requests = calloc(REQUESTS_MAX, sizeof *chaos->requests);
    if (!chaos->requests)
        abort();
    request = &chaos->requests[chaos->n_requests++];
    *request = (struct request){
        .fd = fd, .verb = verb, .generation = chaos->generation, .since_ms = now_ms()};
    snprintf(request->about, sizeof request->about, "%s", about ? about : "");
}

void
ask(struct chaos *chaos, enum verb verb, const char *about, const char *format, ...)
{
    char line[512];
    va_list ap;
    int fd;

    if (chaos->n_requests == REQUESTS_MAX)
        return;
    va_start(ap, format);
    vsnprintf(line, sizeof line, format, ap);
    va_end(ap);
    trace(chaos, "%.*s", (int)strcspn(line, "\n"), line);
    chaos->asked++;
    fd = say(chaos, line);
    if (fd < 0) {
        if (agent_lives(chaos))
            fault(chaos, FAULT_AGENT, "it cannot be asked: %s", strerror(errno));
        return;
    }
    note(chaos, fd, verb, about);
}

/* The agent hung up, or is silent for too long; a wait may take any time. */
static bool
is_over(struct chaos *chaos, struct request *request, bool more)
{
    if (!more && !request->final && request->generation == chaos->generation &&
        agent_lives(chaos))
        fault(chaos, FAULT_WORD, "a request was not answered (verb %d, %s)",
              request->verb, request->about);
    if (!more && !request->final)
        chaos->cut++;
    if (more && request->verb != ASK_WAIT &&
        now_ms() - request->since_ms > ANSWER_MS * chaos->slow) {
        fault(chaos, FAULT_STUCK, "a request waits for its answer (verb %d, %s)",
              request->verb, request->about);
        return true;
    }
    return !more || request->final;
}

static void
hear_ready(struct chaos *chaos, const struct pollfd *fds, int n)
{
    for (int i = n - 1; i >= 0; i--) { /* what is dropped is replaced by a later one */
        struct request *request = &chaos->requests[i];
        bool more = !fds[i].revents || read_some(chaos, request);

        if (is_over(chaos, request, more))
            drop(chaos, i);
    }
}

void
hear(struct chaos *chaos, int64_t ms)
{
    struct pollfd fds[REQUESTS_MAX];
    int64_t end = now_ms() + ms, left = ms;

    do {
        int n = chaos->n_requests;

        for (int i = 0; i < n; i++)
            fds[i] = (struct pollfd){.fd = chaos->requests[i].fd, .events = POLLIN};
        if (poll(fds, (nfds_t)n, (int)left) >= 0)
            hear_ready(chaos, fds, n);
        left = end - now_ms();
    } while (left > 0);
}

void
hang_up(struct chaos *chaos)
{
    while (chaos->n_requests > 0)
        drop(chaos, 0);
    free(chaos->requests);
    chaos->requests = NULL;
}
