/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "cli.h"
#include "demand.h"

static int
run(struct cli *cli, int argc, char **argv)
{
    char word[64], *words[] = {(char[]){"action=demand"}, word};
    cleanup_free char *id = NULL;
    const char *app = NULL;
    struct demand demand;
    int64_t throttle = 0;
    struct why why = {""};
    bool wait = false;
    int r;

    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--wait") == 0)
            wait = true;
        else if (strcmp(argv[i], "--throttle") == 0 ||
                 strncmp(argv[i], "--throttle=", 11) == 0) {
            const char *text = argv[i][10] ? argv[i] + 11 : i + 1 < argc ? argv[++i] : "";

            if (demand_parse_throttle(text, &throttle, &why) < 0)
                return cli_fail(EXIT_USAGE_ERROR, "%s", why.text);
        } else if (app || argv[i][0] == '-')
            return cli_fail(EXIT_USAGE_ERROR, "\"%s\" is not understood; sonde help scan",
                            argv[i]);
        else
            app = argv[i];
    }
    if (!app)
        return cli_fail(EXIT_USAGE_ERROR, "which application?  sonde apps lists them");
    snprintf(word, sizeof word, "type=%s", app);
    if (demand_parse(2, words, &demand, &why) < 0)
        return cli_fail(EXIT_USAGE_ERROR, "%s", why.text);
    r = demand_scan(cli, demand.application, throttle, &id);
    return r == 0 && wait && id ? wait_for_ticket(cli, id) : r;
}

const struct command cmd_scan = {
    .name = "scan",
    .words = "APP [--throttle N] [--wait]",
    .summary = "Ask for a scan",
    .help =
        "--throttle N  after every 10 ms of CPU time sleep N ms (0 to 1000, default 0)\n"
        "--wait        follow it to its end; the exit code is its outcome: 0 done,\n"
        "              1 failed, 2 incomplete, 3 cancelled\n",
    .max = 8,
    .options = true,
    .run = run,
};
