/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "cli.h"

int
wait_for_ticket(const struct cli *cli, const char *control_id, int64_t timeout_s,
                bool known)
{
    struct progress progress;
    const struct wait wait = {.control_id = control_id,
                              .timeout_s = timeout_s,
                              .known = known,
                              .progress = &progress};
    struct json *ticket = NULL;
    int code;

    progress_init(&progress, cli->json ? NULL : stderr);
    code = wait_for_end(cli, &wait, &ticket);
    if (code != 0)
        return code;
    if (cli->json)
        cli_print_json(ticket);
    else
        outcome_print(ticket);
    code = outcome_code(ticket);
    json_free(ticket);
    return code;
}

static int
run(struct cli *cli, int argc, char **argv)
{
    const char *id = NULL, *text;
    int64_t timeout_s = 0;
    int code = 0;

    for (int i = 0; i < argc && code == 0; i++) {
        if (cli_option(argv, &i, "--timeout", &text))
            code = wait_parse_timeout(text, &timeout_s);
        else if (id || argv[i][0] == '-')
            return cli_fail(EXIT_USAGE_ERROR, "\"%s\" is not understood; sonde help wait",
                            argv[i]);
        else
            id = argv[i];
    }
    if (code == 0 && !id)
        return cli_fail(EXIT_USAGE_ERROR, "wait: too few words; sonde help wait");
    return code ? code : wait_for_ticket(cli, id, timeout_s, false);
}

const struct command cmd_wait = {
    .name = "wait",
    .words = "CONTROLID [--timeout S]",
    .summary = "Wait for the end of a request",
    .help = "The exit code is the outcome: 0 done, 1 failed, 2 incomplete, 3 cancelled.\n"
            "A restart of the agent is waited for, too.\n"
            "--timeout S   at most S seconds, then 75; the request goes on\n",
    .min = 1,
    .max = 3,
    .options = true,
    .run = run,
};
