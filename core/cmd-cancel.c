/* SPDX-License-Identifier: Apache-2.0 */
#include "cli.h"

static int
run(struct cli *cli, int argc, char **argv)
{
    const struct client_request request = {
        .verb = "cancel", .key = "control_id", .value = argv[0]};
    struct json *final = NULL;
    int r = client_ask(cli, &request, NULL, NULL, &final);

    (void)argc;
    if (r != 0)
        return r;
    if (cli->json)
        cli_print_json(final);
    else {
        cli_print(stdout, "%s: %s (%s)", argv[0], json_get_str(final, "state"),
                  json_get_str(final, "note"));
        putchar('\n');
    }
    json_free(final);
    return 0;
}

const struct command cmd_cancel = {
    .name = "cancel",
    .words = "CONTROLID",
    .summary = "Withdraw a request",
    .help = "Its scan ends, unless others asked for the same one.\n",
    .min = 1,
    .max = 1,
    .run = run,
};
