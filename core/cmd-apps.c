/* SPDX-License-Identifier: Apache-2.0 */
#include "cli.h"

static int
run(struct cli *cli, int argc, char **argv)
{
    const struct client_request request = {.verb = "apps"};
    struct listing listing;
    int r;

    (void)argc;
    (void)argv;
    listing_init(&listing, cli);
    r = client_ask(cli, &request, listing_item, &listing, NULL);
    if (r == 0)
        r = listing_print(&listing);
    listing_done(&listing);
    return r;
}

const struct command cmd_apps = {
    .name = "apps",
    .words = "",
    .summary = "List the applications",
    .run = run,
};
