/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "cleanup.h"
#include "cli.h"
#include "controlid.h"
#include "log-lines.h"

static void
print_text(const char *line, void *arg)
{
    (void)arg;
    cli_print(stdout, "%s", line);
    putchar('\n');
}

static void
print_json(const char *line, void *arg)
{
    struct log_line parts;
    struct cli_object object;
    cleanup_free char *time = NULL, *level = NULL;

    (void)arg;
    if (!log_line_split(line, &parts))
        return; /* of another form: it belongs to nobody */
    time = strndup(parts.time, parts.time_len);
    level = strndup(parts.level, parts.level_len);
    cli_object_begin(&object);
    json_out_str(&object.out, "time", time);
    json_out_str(&object.out, "level", level);
    json_out_str(&object.out, "text", parts.text);
    cli_object_end(&object);
}

static int
run(struct cli *cli, int argc, char **argv)
{
    struct ticket_log *log = NULL;
    struct why why = {""};
    int64_t n;
    int code;

    (void)argc;
    if (!controlid_is_valid(argv[0]))
        return cli_fail(EXIT_USAGE_ERROR,
                        "\"%s\" is no ControlId; sonde status lists them", argv[0]);
    code = ticket_log_open(cli, argv[0], &log, &why);
    if (code != 0)
        return cli_fail(code, "%s", why.text);
    n = ticket_log_take(log, cli->json ? print_json : print_text, NULL);
    ticket_log_free(log);
    if (n > 0)
        return 0;
    return cli_fail(EXIT_NO_INPUT,
                    "%s: the log %s has no line of it: the ControlId is not known, or "
                    "older than the log that is kept",
                    argv[0], cli->conf.paths.log);
}

const struct command cmd_log = {
    .name = "log",
    .words = "CONTROLID",
    .summary = "Print what the log has of a request",
    .help = "Lines of its scan, too; from the files that are kept, without the agent.\n",
    .min = 1,
    .max = 1,
    .run = run,
};
