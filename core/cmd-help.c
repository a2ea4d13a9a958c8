/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "cli.h"

enum { WORDS_WIDTH = 32 }; /* of a command with its words */

/* "  NAME WORDS   SUMMARY", on two lines where the words are many. */
static void
print_command(const struct command *c)
{
    int width = WORDS_WIDTH - (int)strlen(c->name);

    if ((int)strlen(c->words) > width)
        printf("  %s %s\n%*s%s\n", c->name, c->words, WORDS_WIDTH + 4, "", c->summary);
    else
        printf("  %s %-*s %s\n", c->name, width, c->words, c->summary);
}

static void
print_all(void)
{
    puts("Usage: sonde [--config FILE] [--json] COMMAND [WORD...]\n");
    for (const struct command *const *c = commands; *c; c++)
        print_command(*c);
    puts("\n"
         "  --config FILE  agent.conf of the agent that is asked (or SONDE_CONFIG)\n"
         "  --json         for programs: one object a line\n"
         "  --help, --version\n\n"
         "Exit codes: 0 accepted, done; 1 scan failed; 2 incomplete; 3 cancelled;\n"
         "64 usage, unknown application; 65 manifest, profile or results not valid;\n"
         "66 no manifest, not activated, unknown ControlId, no results; 69 no agent;\n"
         "75 refused for now, or the time to wait is over; 77 not permitted;\n"
         "78 configuration.");
}

int
command_unknown(const char *name)
{
    cli_print(stderr, "sonde: \"%s\" is no command; there are", name);
    for (const struct command *const *c = commands; *c; c++)
        fprintf(stderr, " %s", (*c)->name);
    fputc('\n', stderr);
    return EXIT_USAGE_ERROR;
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
        return command_unknown(argv[0]);
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
