/* SPDX-License-Identifier: Apache-2.0 */
#include "cli.h"
#include "demand.h"

static int
run(struct cli *cli, int argc, char **argv)
{
    struct client_request request = {.verb = "throttle", .number_key = "cputhrottle"};
    struct why why = {""};

    (void)argc;
    client_name(&request, argv[0]);
    if (demand_parse_throttle(argv[1], &request.number, &why) < 0)
        return cli_fail(EXIT_USAGE_ERROR, "%s", why.text);
    return client_tell(cli, &request, argv[0]);
}

const struct command cmd_throttle = {
    .name = "throttle",
    .words = "CONTROLID | APP N",
    .summary = "Change the pace of a scan",
    .help =
        "After every 10 ms of CPU time it sleeps N ms (0 to 1000).  APP: its interval "
        "scan.\n",
    .min = 2,
    .max = 2,
    .run = run,
};
