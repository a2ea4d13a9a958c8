/* SPDX-License-Identifier: Apache-2.0 */
#include "cli.h"

static int
run(struct cli *cli, int argc, char **argv)
{
    const struct client_request request = {.verb = "apps"};

    (void)argc;
    (void)argv;
    return listing_ask(cli, &request);
}

const struct command cmd_apps = {
    .name = "apps",
    .words = "",
    .summary = "List the applications",
    .run = run,
};
