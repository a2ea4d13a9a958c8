/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "cli.h"

enum { LIMIT = 20, LIMIT_MAX = 1000 };

static int
run(struct cli *cli, int argc, char **argv)
{
    struct client_request request = {
        .verb = "list", .number_key = "limit", .number = LIMIT};
    const char *text;

    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--open") == 0)
            request.open = true;
        else if (cli_option(argv, &i, "--limit", &text)) {
            if (!cli_number(text, 1, LIMIT_MAX, &request.number))
                return cli_fail(EXIT_USAGE_ERROR,
                                "--limit \"%s\": not a number from 1 to %d", text,
                                LIMIT_MAX);
        } else if (request.key || argv[i][0] == '-')
            return cli_fail(EXIT_USAGE_ERROR, "\"%s\" is not understood; sonde help list",
                            argv[i]);
        else {
            request.key = "application";
            request.value = argv[i];
        }
    }
    return listing_ask(cli, &request);
}

const struct command cmd_list = {
    .name = "list",
    .words = "[APP] [--open] [--limit N]",
    .summary = "List requests and interval scans",
    .help = "Newest first.\n"
            "--open       those that have not ended\n"
            "--limit N    at most N of them (1 to 1000, default 20)\n",
    .max = 4,
    .options = true,
    .run = run,
};
