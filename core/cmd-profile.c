/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "cleanup.h"
#include "cli.h"
#include "profile.h"
#include "read-fd.h"

/* ---- load ---- */

static int
read_file(const char *path, char **ret, size_t *ret_len)
{
    cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    int r = fd < 0 ? -errno : read_fd(fd, PROFILE_MAX, ret, ret_len);

    if (r == 0)
        return 0;
    if (r == -EFBIG)
        return cli_fail(EXIT_BAD_DATA, "profile %s: larger than %d bytes", path,
                        PROFILE_MAX);
    return cli_fail(r == -EACCES ? EXIT_NOT_PERMITTED : EXIT_NO_INPUT, "profile %s: %s",
                    path, strerror(-r));
}

/* The profile on one line, after the check that the agent makes, too: *ret is the caller's. */
static int
check(const char *path, const char *text, size_t len, char **ret)
{
    struct profile profile = {0};
    struct json *json = NULL;
    struct why why = {""};
    int r = profile_parse(text, len, &profile, &why);

    profile_done(&profile);
    if (r == 0)
        r = json_parse(text, len, &json, &why);
    if (r < 0)
        return cli_fail(EXIT_BAD_DATA, "profile %s: %s", path, why.text);
    *ret = json_print(json);
    json_free(json);
    return *ret ? 0 : cli_fail(EXIT_UNAVAILABLE, "out of memory");
}

static int
load(const struct cli *cli, const char *path)
{
    struct client_request request = {.verb = "profile-load", .json_key = "profile"};
    cleanup_free char *text = NULL, *compact = NULL;
    size_t len = 0;
    int code = read_file(path, &text, &len);

    if (code == 0)
        code = check(path, text, len, &compact);
    if (code != 0)
        return code;
    request.json = compact;
    return client_tell(cli, &request, path);
}

/* ---- show ---- */

struct show {
    const struct cli *cli;
    struct table table;
};

static void
add_setting(const struct json *line, void *arg)
{
    const struct json *setting = json_get(line, "setting");
    const struct json *value = json_get(setting, "value");
    const char *application = json_get_str(setting, "application");
    cleanup_free char *text = NULL;
    struct show *show = arg;

    if (!setting)
        return;
    if (show->cli->json) {
        cli_print_json(setting);
        return;
    }
    text = value && !json_str(value) ? json_print(value) : NULL;
    table_cell(&show->table, application ? application : "-");
    table_cell(&show->table, json_get_str(setting, "name"));
    table_cell(&show->table, text ? text : json_str(value));
    table_cell(&show->table, json_get_str(setting, "origin"));
}

static int
show(const struct cli *cli)
{
    static const char *const heads[] = {"APPLICATION", "SETTING", "VALUE", "ORIGIN"};
    const struct client_request request = {.verb = "profile-show"};
    struct show s = {.cli = cli};
    int code;

    table_init(&s.table);
    for (int i = 0; i < 4; i++)
        table_column(&s.table, heads[i]);
    code = client_ask(cli, &request, add_setting, &s, NULL);
    if (code == 0 && !cli->json)
        code = cli_print_table(cli, &s.table);
    table_done(&s.table);
    return code;
}

static int
run(struct cli *cli, int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[0], "load") == 0)
        return load(cli, argv[1]);
    if (argc == 1 && strcmp(argv[0], "show") == 0)
        return show(cli);
    if (argc == 1 && strcmp(argv[0], "load") == 0)
        return cli_fail(EXIT_USAGE_ERROR, "profile load: too few words; which file?");
    return cli_fail(EXIT_USAGE_ERROR,
                    "profile: \"%s\" is not understood; sonde help profile",
                    argv[argc - 1]);
}

const struct command cmd_profile = {
    .name = "profile",
    .words = "load FILE | show",
    .summary = "Set the profile, or print settings in force",
    .help = "load FILE  check the file and give it to the agent, which keeps it\n"
            "show       each setting, its value, and where that is from: profile,\n"
            "           manifest, configuration, or the default\n",
    .min = 1,
    .max = 2,
    .run = run,
};
