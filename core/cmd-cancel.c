/* SPDX-License-Identifier: Apache-2.0 */
#include "cli.h"

static int
run(struct cli *cli, int argc, char **argv)
{
    struct client_request request = {.verb = "cancel"};

    (void)argc;
    client_name(&request, argv[0]);
    return client_tell(cli, &request, argv[0]);
}

const struct command cmd_cancel = {
    .name = "cancel",
    .words = "CONTROLID | APP",
    .summary = "Withdraw a request, or end an interval scan",
    .help = "The scan of a request ends, unless others asked for the same one.  APP: its "
            "interval\n"
            "scan ends; the next one is an interval later.\n",
    .min = 1,
    .max = 1,
    .run = run,
};
