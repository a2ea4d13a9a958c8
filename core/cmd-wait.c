/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli.h"
#include "logtext.h"

struct follow {
    struct cli *cli;
    bool live;     /* stderr is a terminal that can take a line back: progress is shown */
    bool shown;    /* a progress line is on the screen */
    int exit_code; /* of the outcome; -1: no ticket has come */
};

static bool
can_take_back(int fd)
{
    const char *term = getenv("TERM");

    return isatty(fd) && term && term[0] && strcmp(term, "dumb") != 0;
}

static void
clear_line(struct follow *follow)
{
    if (follow->shown)
        fputs("\r\033[K", stderr);
    follow->shown = false;
}

/* A line that is longer than the terminal is wide could not be taken back. */
static void
show_line(struct follow *follow, const char *text)
{
    struct winsize size = {.ws_col = 0}; /* it may have changed since the last line */
    int width = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col
                    ? size.ws_col - 1
                    : 79;

    clear_line(follow);
    fprintf(stderr, "%.*s", width, text);
    fflush(stderr);
    follow->shown = true;
}

static void
show_progress(struct follow *follow, const struct json *p)
{
    double done = json_get_real(p, "done", 0), total = json_get_real(p, "total", 0);
    const char *application = json_get_str(p, "application");
    char text[160], clean[160], percent[32] = "";

    if (total > 0 && done <= total)
        snprintf(percent, sizeof percent, "%.0f %%, ", done * 100 / total);
    snprintf(text, sizeof text, "%.32s: %s%lld records, %.2f s of CPU time, %.0f s",
             application ? application : "", percent,
             (long long)json_get_int(p, "records", 0), json_get_real(p, "cpu_seconds", 0),
             json_get_real(p, "elapsed_seconds", 0));
    log_text(text, strlen(text), clean, sizeof clean);
    show_line(follow, clean);
}

static int
outcome_code(const char *state)
{
    return strcmp(state, "DONE") == 0         ? 0
           : strcmp(state, "INCOMPLETE") == 0 ? EXIT_SCAN_INCOMPLETE
           : strcmp(state, "CANCELLED") == 0  ? EXIT_SCAN_CANCELLED
                                              : EXIT_SCAN_FAILED;
}

static void
show_outcome(struct follow *follow, const struct json *ticket)
{
    const char *state = json_get_str(ticket, "state"), *before = "records: ";
    const char *reason = json_get_str(ticket, "reason");
    const struct json *records = json_get(ticket, "records");

    follow->exit_code = outcome_code(state ? state : "");
    if (follow->cli->json) {
        cli_print_json(ticket);
        return;
    }
    cli_print(stdout, "%s of %s: %s%s%s (%.3f s of CPU time)",
              json_get_str(ticket, "control_id"), json_get_str(ticket, "application"),
              state, reason && reason[0] ? ": " : "", reason ? reason : "",
              json_get_real(ticket, "cpu_seconds", 0));
    putchar('\n');
    for (const struct json *kind = json_first(records); kind; kind = json_next(kind)) {
        cli_print(stdout, "%s%s %lld", before, json_name(kind),
                  (long long)json_int(kind, 0));
        before = ", ";
    }
    if (json_first(records))
        putchar('\n');
}

static void
take_item(const struct json *line, void *arg)
{
    struct follow *follow = arg;
    const struct json *progress = json_get(line, "progress");
    const struct json *ticket = json_get(line, "ticket");

    if (progress && follow->live)
        show_progress(follow, progress);
    if (ticket) {
        clear_line(follow);
        show_outcome(follow, ticket);
    }
}

int
wait_for_ticket(struct cli *cli, const char *control_id)
{
    const struct client_request request = {
        .verb = "wait", .key = "control_id", .value = control_id};
    struct follow follow = {
        .cli = cli, .live = can_take_back(STDERR_FILENO) && !cli->json, .exit_code = -1};
    int r = client_ask(cli, &request, take_item, &follow, NULL);

    clear_line(&follow);
    if (r == 0 && follow.exit_code < 0)
        return cli_fail(EXIT_UNAVAILABLE, "the agent's answer has no outcome");
    return r ? r : follow.exit_code;
}

static int
run(struct cli *cli, int argc, char **argv)
{
    (void)argc;
    return wait_for_ticket(cli, argv[0]);
}

const struct command cmd_wait = {
    .name = "wait",
    .words = "CONTROLID",
    .summary = "Follow a request to its end",
    .help =
        "The exit code is the outcome: 0 done, 1 failed, 2 incomplete, 3 cancelled.\n",
    .min = 1,
    .max = 1,
    .run = run,
};
