/* SPDX-License-Identifier: Apache-2.0 */
#include "cli.h"

static int
set_active(const struct cli *cli, const char *verb, const char *application)
{
    const struct client_request request = {
        .verb = verb, .key = "application", .value = application};

    return client_tell(cli, &request, application);
}

static int
run_activate(struct cli *cli, int argc, char **argv)
{
    (void)argc;
    return set_active(cli, "activate", argv[0]);
}

static int
run_deactivate(struct cli *cli, int argc, char **argv)
{
    (void)argc;
    return set_active(cli, "deactivate", argv[0]);
}

const struct command cmd_activate = {
    .name = "activate",
    .words = "APP",
    .summary = "Allow scans of an application",
    .help = "It is kept in the profile, over restarts.\n",
    .min = 1,
    .max = 1,
    .run = run_activate,
};

const struct command cmd_deactivate = {
    .name = "deactivate",
    .words = "APP",
    .summary = "Allow no scans of an application",
    .help = "It is kept in the profile, over restarts.  Records stay.\n",
    .min = 1,
    .max = 1,
    .run = run_deactivate,
};
