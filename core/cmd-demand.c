/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "demand.h"

int
demand_scan(const struct cli *cli, const char *application, int64_t cputhrottle,
            char **ret_id)
{
    const struct client_request request = {.verb = "demand",
                                           .key = "application",
                                           .value = application,
                                           .number_key = "cputhrottle",
                                           .number = cputhrottle};
    struct json *final = NULL;
    int r = client_ask(cli, &request, NULL, NULL, &final);
    const char *id = json_get_str(final, "control_id");

    if (r == 0 && !id)
        r = cli_fail(EXIT_UNAVAILABLE, "the agent's answer has no ControlId");
    if (r != 0) {
        json_free(final);
        return r;
    }
    for (const struct json *note = json_first(json_get(final, "notes")); note;
         note = json_next(note)) {
        cli_print(stderr, "%s", json_str(note));
        fputc('\n', stderr);
    }
    if (cli->json)
        cli_print_json(final);
    else {
        cli_print(stdout, "On-Demand-Request ControlId: %s", id);
        putchar('\n');
    }
    fflush(stdout);
    if (ret_id)
        *ret_id = strdup(id);
    json_free(final);
    return 0;
}

static int
run(struct cli *cli, int argc, char **argv)
{
    struct demand demand;
    struct why why = {""};

    if (demand_parse(argc, argv, &demand, &why) < 0)
        return cli_fail(EXIT_USAGE_ERROR, "%s", why.text);
    return demand_scan(cli, demand.application, demand.cputhrottle, NULL);
}

const struct command cmd_demand = {
    .name = "demand",
    .words = "KEY=VALUE...",
    .summary = "Ask for a scan as cloudagentctl.sh does",
    .help = "  action=demand type=APP [cputhrottle=N]\n"
            "Prints the ControlId and returns at once.  cputhrottle: after every 10 ms "
            "of CPU\n"
            "time the scan sleeps that many ms (0 to 1000, default 0: unpaced).\n",
    .max = 64,
    .run = run,
};
