/* SPDX-License-Identifier: Apache-2.0 */
#include "cli.h"
#include "controlid.h"

static int
run(struct cli *cli, int argc, char **argv)
{
    struct client_request request = {.verb = "status"};
    struct listing listing;
    int r;

    if (argc == 1) {
        request.key = controlid_is_valid(argv[0]) ? "control_id" : "application";
        request.value = argv[0];
    }
    listing_init(&listing, cli);
    r = client_ask(cli, &request, listing_item, &listing, NULL);
    if (r == 0)
        r = listing_print(&listing);
    listing_done(&listing);
    return r;
}

const struct command cmd_status = {
    .name = "status",
    .words = "[APP | CONTROLID]",
    .summary = "Say what the agent does and how the last requests ended",
    .max = 1,
    .run = run,
};
