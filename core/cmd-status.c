/* SPDX-License-Identifier: Apache-2.0 */
#include "cli.h"

static int
run(struct cli *cli, int argc, char **argv)
{
    struct client_request request = {.verb = "status"};

    if (argc == 1)
        client_name(&request, argv[0]);
    return listing_ask(cli, &request);
}

const struct command cmd_status = {
    .name = "status",
    .words = "[APP | CONTROLID]",
    .summary = "Say what the agent does and has done",
    .max = 1,
    .run = run,
};
