/* SPDX-License-Identifier: Apache-2.0 */
/* To the end of a ticket, over restarts of the agent: a ticket outlives it. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

enum {
    AGAIN_MS = 200,      /* between two tries to connect */
    ABSENT_MS = 60000,   /* how long there may be no agent */
    STEADY_MS = 1000,    /* a connection that lasted was to an agent that works */
    PATIENCE_MS = 30000, /* of one try, see client_open */
    TICK_MS = 200,
    TIMEOUT_MAX_S = 1000000000
};

struct waiting {
    const struct cli *cli;
    const struct wait *wait;
    struct client client;
    int64_t end_ms;    /* of the whole, -1: never */
    int64_t opened_ms; /* when this connection was */
    int64_t lost_ms;   /* since when there is none that works, -1: none was lost yet */
    struct json *ticket;
};

/* The earlier of two times; below 0: never. */
static int64_t
earlier(int64_t a, int64_t b)
{
    return a < 0 || (b >= 0 && b < a) ? b : a;
}

static int
too_late(const struct waiting *w)
{
    progress_clear(w->wait->progress);
    return cli_fail(EXIT_REFUSED_FOR_NOW,
                    "%s: has not ended within %" PRId64 " s; it goes on: sonde wait %s",
                    w->wait->control_id, w->wait->timeout_s, w->wait->control_id);
}

static bool
is_over(const struct waiting *w)
{
    return w->end_ms >= 0 && cli_now_ms() >= w->end_ms;
}

/* It was there, and not long ago. */
static bool
may_return(const struct waiting *w)
{
    return w->lost_ms >= 0 && cli_now_ms() - w->lost_ms < ABSENT_MS;
}

/* The agent is there, or is given up: 0, 1 to try again, or (negative) an exit code. */
static int
connect_again(struct waiting *w)
{
    const struct client_request request = {
        .verb = "wait", .key = "control_id", .value = w->wait->control_id};
    int64_t now = cli_now_ms();
    int64_t patience = w->end_ms >= 0 ? w->end_ms - now : PATIENCE_MS;
    int r;

    if (patience < 1)
        patience = 1; /* 0 would be without end */
    r = client_open(&w->client, w->cli, &request,
                    patience < PATIENCE_MS ? (int)patience : PATIENCE_MS);
    w->opened_ms = now;
    if (r == 0)
        return 0;
    if (is_over(w))
        return -too_late(w);
    return may_return(w) ? 1 : -client_cannot_open(w->cli, r);
}

/* One line of the answer: 1 when it was the last one, with *ret_code. */
static int
take_line(struct waiting *w, const struct json *line, int *ret_code)
{
    const struct json *progress = json_get(line, "progress");
    const struct json *ticket = json_get(line, "ticket");
    char *text;

    if (progress)
        progress_show(w->wait->progress, progress);
    if (progress && w->wait->item)
        w->wait->item(progress, w->wait->arg);
    if (ticket && (text = json_print(ticket))) {
        json_free(w->ticket);
        w->ticket = NULL;
        json_parse(text, strlen(text), &w->ticket, NULL);
        free(text);
    }
    if (!json_get(line, "ok"))
        return 0;
    progress_clear(w->wait->progress);
    *ret_code = client_verdict(line);
    if (*ret_code == 0 && outcome_code(w->ticket) < 0)
        *ret_code = cli_fail(EXIT_UNAVAILABLE, "the agent's answer has no outcome");
    return 1;
}

/* Take lines until the next tick: as take_line, -EPIPE when the connection has ended. */
static int
listen_until(struct waiting *w, int64_t end_ms, int *ret_code)
{
    struct json *line = NULL;
    int r, last = 0;

    do {
        r = client_next(&w->client, end_ms, &line);
        if (r == 1)
            last = take_line(w, line, ret_code);
        json_free(line);
        line = NULL;
    } while (r == 1 && !last && (end_ms < 0 || cli_now_ms() < end_ms));
    if (r >= 0)
        return last;
    if (r == -EBADMSG) {
        *ret_code = EXIT_UNAVAILABLE;
        return 1;
    }
    return -EPIPE;
}

/* The connection has ended: 0 to try again, or an exit code. */
static int
lose(struct waiting *w)
{
    int64_t now = cli_now_ms();

    client_close(&w->client);
    progress_clear(w->wait->progress);
    if (w->lost_ms < 0 || now - w->opened_ms >= STEADY_MS)
        w->lost_ms = now;
    return may_return(w) ? 0
                         : cli_fail(EXIT_UNAVAILABLE,
                                    "the agent went away, again and again, before it had "
                                    "answered");
}

/* One turn: connect when that is needed, listen, tick.  1: it is over, with *ret_code. */
static int
turn(struct waiting *w, int *ret_code)
{
    const struct wait *wait = w->wait;
    int64_t tick = wait->tick ? cli_now_ms() + TICK_MS : -1;
    int r = 1;

    if (w->client.fd < 0 && (r = connect_again(w)) < 0) {
        *ret_code = -r;
        return 1;
    }
    if (w->client.fd >= 0) {
        r = listen_until(w, earlier(tick, w->end_ms), ret_code);
        if (r == 1)
            return 1;
        if (r < 0 && (*ret_code = lose(w)) != 0)
            return 1;
    }
    if (wait->tick)
        wait->tick(wait->arg);
    if (is_over(w)) {
        *ret_code = too_late(w);
        return 1;
    }
    if (w->client.fd < 0)
        usleep(AGAIN_MS * 1000);
    return 0;
}

int
wait_for_end(const struct cli *cli, const struct wait *wait, struct json **ret_ticket)
{
    int64_t now = cli_now_ms();
    struct waiting w = {.cli = cli,
                        .wait = wait,
                        .client = {.fd = -1},
                        .end_ms = wait->timeout_s ? now + wait->timeout_s * 1000 : -1,
                        .lost_ms = wait->known ? now : -1};
    int code = 0;

    while (turn(&w, &code) == 0)
        continue;
    client_close(&w.client);
    if (code == 0)
        *ret_ticket = w.ticket;
    else
        json_free(w.ticket);
    return code;
}

int
wait_parse_timeout(const char *text, int64_t *ret)
{
    if (cli_number(text, 1, TIMEOUT_MAX_S, ret))
        return 0;
    return cli_fail(EXIT_USAGE_ERROR, "--timeout \"%s\": not a number of seconds from 1",
                    text);
}
