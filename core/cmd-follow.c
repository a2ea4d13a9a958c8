/* SPDX-License-Identifier: Apache-2.0 */
#include "cleanup.h"
#include "cli.h"

struct follow {
    struct cli *cli;
    struct ticket_log *log; /* NULL: it cannot be read */
    struct progress progress;
};

static void
print_line(const char *line, void *arg)
{
    struct follow *follow = arg;
    struct cli_object object;

    progress_clear(&follow->progress);
    if (follow->cli->json) {
        cli_object_begin(&object);
        json_out_str(&object.out, "log", line);
        cli_object_end(&object);
    } else {
        cli_print(stdout, "%s", line);
        putchar('\n');
    }
}

/* Who reads them in a pipe wants them now. */
static void
print_lines(void *arg)
{
    struct follow *follow = arg;

    if (follow->log && ticket_log_take(follow->log, print_line, follow) > 0)
        fflush(stdout);
}

/* {"NAME": item} */
static void
print_item(const char *name, const struct json *item)
{
    cleanup_free char *text = json_print(item);
    struct cli_object object;

    cli_object_begin(&object);
    json_out_raw(&object.out, name, text);
    cli_object_end(&object);
    fflush(stdout);
}

static void
print_progress(const struct json *item, void *arg)
{
    (void)arg;
    print_item("progress", item);
}

static void
know_scan(const struct json *line, void *arg)
{
    const struct json *ticket = json_get(line, "ticket");
    const char *application = json_get_str(ticket, "application");
    struct follow *follow = arg;

    if (application && follow->log)
        ticket_log_scan(follow->log, application, json_get_int(ticket, "scan", 0));
}

/* Its lines so far, those to come, and the end. */
static int
follow_ticket(struct follow *follow, const char *id)
{
    struct cli *cli = follow->cli;
    const struct wait wait = {.control_id = id,
                              .known = true,
                              .progress = &follow->progress,
                              .item = cli->json ? print_progress : NULL,
                              .tick = print_lines,
                              .arg = follow};
    struct json *ticket = NULL;
    int code;

    progress_init(&follow->progress, cli->json ? NULL : stdout);
    print_lines(follow);
    code = wait_for_end(cli, &wait, &ticket);
    print_lines(follow);
    if (code != 0)
        return code;
    if (cli->json)
        print_item("ticket", ticket);
    else
        outcome_print(ticket);
    code = outcome_code(ticket);
    json_free(ticket);
    return code;
}

static int
run(struct cli *cli, int argc, char **argv)
{
    const struct client_request request = {
        .verb = "status", .key = "control_id", .value = argv[0]};
    struct follow follow = {.cli = cli};
    struct why why = {""};
    int log_code = ticket_log_open(cli, argv[0], &follow.log, &why);
    int code = client_ask(cli, &request, know_scan, &follow, NULL);

    (void)argc;
    if (code == 0 && log_code != 0)
        cli_fail(0, "%s; progress alone", why.text);
    if (code == 0)
        code = follow_ticket(&follow, argv[0]);
    ticket_log_free(follow.log);
    return code;
}

const struct command cmd_follow = {
    .name = "follow",
    .words = "CONTROLID",
    .summary = "Print log and progress of a request",
    .help = "The lines that the log has of it already come first.  The exit code is the "
            "outcome,\n"
            "as with wait.\n",
    .min = 1,
    .max = 1,
    .run = run,
};
