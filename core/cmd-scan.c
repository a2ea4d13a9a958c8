/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "cli.h"
#include "demand.h"

struct words {
    const char *application;
    int64_t throttle, timeout_s;
    bool wait;
};

/* One word, or an option with its value: 0, or an exit code. */
static int
take_word(char **argv, int *i, struct words *words)
{
    struct why why = {""};
    const char *text;

    if (strcmp(argv[*i], "--wait") == 0)
        words->wait = true;
    else if (cli_option(argv, i, "--timeout", &text))
        return wait_parse_timeout(text, &words->timeout_s);
    else if (cli_option(argv, i, "--throttle", &text)) {
        if (demand_parse_throttle(text, &words->throttle, &why) < 0)
            return cli_fail(EXIT_USAGE_ERROR, "%s", why.text);
    } else if (words->application || argv[*i][0] == '-')
        return cli_fail(EXIT_USAGE_ERROR, "\"%s\" is not understood; sonde help scan",
                        argv[*i]);
    else
        words->application = argv[*i];
    return 0;
}

static int
run(struct cli *cli, int argc, char **argv)
{
    char word[64], *contract[] = {(char[]){"action=demand"}, word};
    cleanup_free char *id = NULL;
    struct words words = {.throttle = 0};
    struct demand demand;
    struct why why = {""};
    int r = 0;

    for (int i = 0; i < argc && r == 0; i++)
        r = take_word(argv, &i, &words);
    if (r != 0)
        return r;
    if (!words.application)
        return cli_fail(EXIT_USAGE_ERROR, "which application?  sonde apps lists them");
    if (words.timeout_s && !words.wait)
        return cli_fail(EXIT_USAGE_ERROR, "--timeout says how long to --wait");
    snprintf(word, sizeof word, "type=%s", words.application);
    if (demand_parse(2, contract, &demand, &why) < 0)
        return cli_fail(EXIT_USAGE_ERROR, "%s", why.text);
    r = demand_scan(cli, demand.application, words.throttle, &id);
    return r == 0 && words.wait && id ? wait_for_ticket(cli, id, words.timeout_s, true)
                                      : r;
}

const struct command cmd_scan = {
    .name = "scan",
    .words = "APP [--throttle N] [--wait [--timeout S]]",
    .summary = "Ask for a scan",
    .help =
        "--throttle N  after every 10 ms of CPU time sleep N ms (0 to 1000, default 0)\n"
        "--wait        wait for its end; the exit code is its outcome: 0 done,\n"
        "              1 failed, 2 incomplete, 3 cancelled\n"
        "--timeout S   at most S seconds, then 75; the scan goes on\n",
    .max = 8,
    .options = true,
    .run = run,
};
