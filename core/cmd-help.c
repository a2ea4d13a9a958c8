/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "cli.h"

static void
print_all(void)
{
    puts("Usage: sonde [--config FILE] [--json] COMMAND [WORD...]\n");
    for (const struct command *const *c = commands; *c; c++)
        printf("  %-11s %-24s %s\n", (*c)->name, (*c)->words, (*c)->summary);
    puts("\n"
         "  --config FILE  agent.conf of the agent that is asked (or SONDE_CONFIG)\n"
         "  --json         for programs: one object a line\n"
         "  --help, --version\n\n"
         "Exit codes: 0 accepted, done; 1 scan failed; 2 incomplete; 3 cancelled; 64 "
         "usage or\n"
         "unknown application; 65 manifest not valid; 66 no manifest, not activated, "
         "unknown\n"
         "ControlId; 69 no agent; 75 refused for now; 77 not permitted; 78 "
         "configuration.");
}

static int
run(struct cli *cli, int argc, char **argv)
{
    const struct command *command;

    (void)cli;
    (void)argc;
    if (!argv[0]) {
        print_all();
        return 0;
    }
    command = command_find(argv[0]);
    if (!command)
        return cli_fail(EXIT_USAGE_ERROR, "\"%s\" is no command; sonde help lists them",
                        argv[0]);
    printf("Usage: sonde %s%s%s\n%s.\n%s", command->name, command->words[0] ? " " : "",
           command->words, command->summary, command->help ? command->help : "");
    return 0;
}

const struct command cmd_help = {
    .name = "help",
    .words = "[COMMAND]",
    .summary = "Say what a command does",
    .max = 1,
    .run = run,
};
