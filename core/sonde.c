/* SPDX-License-Identifier: Apache-2.0 */
/* sonde: asks the agent, waits, and reads the results. */
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cleanup.h"
#include "cli.h"
#include "config.h"

const struct command *const commands[] = {
    &cmd_scan,       &cmd_demand,  &cmd_status, &cmd_wait, &cmd_cancel,
    &cmd_records,    &cmd_changes, &cmd_query,  &cmd_apps, &cmd_activate,
    &cmd_deactivate, &cmd_help,    NULL,
};

const struct command *
command_find(const char *name)
{
    for (const struct command *const *c = commands; *c; c++)
        if (strcmp((*c)->name, name) == 0)
            return *c;
    return NULL;
}

int
cli_fail(int exit_code, const char *format, ...)
{
    va_list ap;

    fputs("sonde: ", stderr);
    va_start(ap, format);
    vfprintf(stderr, format, ap);
    va_end(ap);
    fputc('\n', stderr);
    return exit_code;
}

void
cli_print_json(const struct json *value)
{
    cleanup_free char *text = value ? json_print(value) : NULL;

    if (text)
        puts(text);
}

int
cli_print_table(const struct cli *cli, const struct table *table)
{
    if (table_print(table, stdout, cli->width) < 0)
        return cli_fail(EXIT_SCAN_FAILED, "the table could not be printed whole");
    return 0;
}

/* The options that every command takes, wherever they stand. */
struct global_options {
    const char *config;
    bool json, help, version;
};

/* Take them out of argv; returns how many words are left, or -1 after saying why. */
static int
take_global_options(int argc, char **argv, struct global_options *ret)
{
    int n = 0;
    bool over = false;

    for (int i = 1; i < argc; i++) {
        const char *word = argv[i];

        if (!over && strcmp(word, "--") == 0)
            over = true;
        else if (!over && strcmp(word, "--json") == 0)
            ret->json = true;
        else if (!over && (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0))
            ret->help = true;
        else if (!over && strcmp(word, "--version") == 0)
            ret->version = true;
        else if (!over && strncmp(word, "--config=", 9) == 0)
            ret->config = word + 9;
        else if (!over && strcmp(word, "--config") == 0) {
            if (++i == argc)
                return cli_fail(-1, "--config: needs a file");
            ret->config = argv[i];
        } else
            argv[n++] = argv[i];
    }
    argv[n] = NULL;
    return n;
}

static size_t
terminal_width(void)
{
    struct winsize size = {.ws_col = 0};

    if (!isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0)
        return 0;
    return size.ws_col;
}

static int
run_command(const struct command *command, const struct global_options *options, int argc,
            char **argv)
{
    struct cli cli = {.json = options->json, .width = terminal_width()};
    struct why why = {""};
    int r;

    if (options->help || command == &cmd_help) {
        cli.bare = true;
        return cmd_help.run(&cli, argc, options->help ? argv : argv + 1);
    }
    if (argc - 1 < command->min || argc - 1 > command->max)
        return cli_fail(EXIT_USAGE_ERROR, "%s: too %s words; sonde help %s",
                        command->name, argc - 1 < command->min ? "few" : "many",
                        command->name);
    if (conf_read(options->config, &cli.conf, &why) < 0)
        return cli_fail(EXIT_BAD_CONFIG, "%s", why.text);
    r = command->run(&cli, argc - 1, argv + 1);
    conf_done(&cli.conf);
    if (fflush(stdout) != 0 || ferror(stdout))
        return r ? r : cli_fail(EXIT_SCAN_FAILED, "the output could not be written");
    return r;
}

int
main(int argc, char **argv)
{
    struct global_options options = {.config = getenv("SONDE_CONFIG")};
    const struct command *command;
    int n = take_global_options(argc, argv, &options);

    if (n < 0)
        return EXIT_USAGE_ERROR;
    if (options.version)
        return puts("sonde " PACKAGE_VERSION) < 0;
    if (!options.config || !options.config[0])
        options.config = SONDE_SYSCONFDIR "/agent.conf";
    if (n == 0) {
        struct cli cli = {.bare = true};
        int r = cmd_help.run(&cli, 0, argv);

        return options.help ? r : EXIT_USAGE_ERROR;
    }
    command = command_find(argv[0]);
    if (!command)
        return cli_fail(EXIT_USAGE_ERROR, "\"%s\" is no command; sonde help lists them",
                        argv[0]);
    return run_command(command, &options, n, argv);
}
