/* SPDX-License-Identifier: Apache-2.0 */
/* sonde: asks the agent, waits, and reads the results. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "cleanup.h"
#include "cli.h"
#include "config.h"
#include "logtext.h"

const struct command *const commands[] = {
    &cmd_scan, &cmd_demand,   &cmd_status,     &cmd_list,    &cmd_wait,    &cmd_follow,
    &cmd_log,  &cmd_cancel,   &cmd_throttle,   &cmd_records, &cmd_changes, &cmd_query,
    &cmd_apps, &cmd_activate, &cmd_deactivate, &cmd_profile, &cmd_help,    NULL,
};

const struct command *
command_find(const char *name)
{
    for (const struct command *const *c = commands; *c; c++)
        if (strcmp((*c)->name, name) == 0)
            return *c;
    return NULL;
}

static void
print_clean(FILE *stream, const char *format, va_list ap)
{
    cleanup_free char *text = NULL, *clean = NULL;
    int len = vasprintf(&text, format, ap);
    size_t size = 4 * (size_t)(len < 0 ? 0 : len) + 16; /* \xNN for each byte */

    if (len < 0)
        text = NULL;
    else if ((clean = malloc(size))) {
        log_text(text, (size_t)len, clean, size);
        fputs(clean, stream);
    }
}

void
cli_print(FILE *stream, const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    print_clean(stream, format, ap);
    va_end(ap);
}

int
cli_fail(int exit_code, const char *format, ...)
{
    va_list ap;

    fputs("sonde: ", stderr);
    va_start(ap, format);
    print_clean(stderr, format, ap);
    va_end(ap);
    fputc('\n', stderr);
    return exit_code;
}

int64_t
cli_now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

bool
cli_option(char **argv, int *i, const char *name, const char **ret)
{
    size_t len = strlen(name);

    if (strncmp(argv[*i], name, len) != 0)
        return false;
    if (argv[*i][len] == '=')
        *ret = argv[*i] + len + 1;
    else if (argv[*i][len])
        return false;
    else
        *ret = argv[*i + 1] ? argv[++*i] : "";
    return true;
}

bool
cli_number(const char *text, int64_t least, int64_t most, int64_t *ret)
{
    size_t len = strlen(text);

    if (len == 0 || len > 18 || strspn(text, "0123456789") != len)
        return false;
    *ret = strtoll(text, NULL, 10);
    return *ret >= least && *ret <= most;
}

/* Checked JSON as one line that no terminal obeys.  Line breaks are white space between its
 * tokens; DEL and C1 occur in strings only, where they have an escape.
 */
static void
print_json_text(const char *text)
{
    for (const unsigned char *s = (const unsigned char *)text; *s; s++)
        if (s[0] == 0xc2 && s[1] >= 0x80 && s[1] < 0xa0)
            printf("\\u00%02x", *++s);
        else if (*s == 0x7f)
            fputs("\\u007f", stdout);
        else
            putchar(*s < ' ' ? ' ' : *s);
    putchar('\n');
}

void
cli_print_json(const struct json *value)
{
    cleanup_free char *text = value ? json_print(value) : NULL;

    if (text)
        print_json_text(text);
}

void
cli_object_begin(struct cli_object *object)
{
    *object = (struct cli_object){.text = NULL};
    object->stream = open_memstream(&object->text, &object->len);
    if (!object->stream)
        exit(cli_fail(EXIT_UNAVAILABLE, "out of memory"));
    json_out_init(&object->out, object->stream);
    json_out_object(&object->out, NULL);
}

void
cli_object_end(struct cli_object *object)
{
    json_out_end(&object->out, '}');
    if (fclose(object->stream) != 0)
        exit(cli_fail(EXIT_UNAVAILABLE, "out of memory"));
    print_json_text(object->text);
    free(object->text);
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
    const char *other; /* the first option that is none of these */
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
        } else {
            if (!over && word[0] == '-' && word[1] && !ret->other)
                ret->other = word;
            argv[n++] = argv[i];
        }
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
    if (options->other && !command->options)
        return cli_fail(EXIT_USAGE_ERROR, "%s: there is no option %s; sonde help %s",
                        command->name, options->other, command->name);
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
    if (n == 0 && !options.help)
        return cli_fail(EXIT_USAGE_ERROR, "which command?  sonde help lists them");
    command = n == 0 ? &cmd_help : command_find(argv[0]);
    if (!command)
        return command_unknown(argv[0]);
    return run_command(command, &options, n, argv);
}
