/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "cli.h"
#include "controlid.h"

/* A word that names a scan. */
struct word {
    const char *text;
    int64_t scan;
    char state[16]; /* of the request that it names, or "" */
};

static void
take_ticket(const struct json *line, void *arg)
{
    const struct json *ticket = json_get(line, "ticket");
    const char *state = json_get_str(ticket, "state");
    struct word *word = arg;

    word->scan = json_get_int(ticket, "scan", 0);
    snprintf(word->state, sizeof word->state, "%s", state ? state : "");
}

/* The number of the scan: 0, or an exit code. */
static int
find_number(const struct cli *cli, struct word *word)
{
    const struct client_request request = {
        .verb = "status", .key = "control_id", .value = word->text};

    if (controlid_is_valid(word->text))
        return client_ask(cli, &request, take_ticket, word, NULL);
    cli_number(word->text, 0, INT64_MAX, &word->scan);
    return 0;
}

static int
is_no_scan(const char *word)
{
    int64_t number;

    if (controlid_is_valid(word) || cli_number(word, 0, INT64_MAX, &number))
        return 0;
    return cli_fail(EXIT_USAGE_ERROR, "\"%s\" is no ControlId; sonde status lists them",
                    word);
}

/* Why is it not there?  Returns the exit code. */
static int
explain_missing(struct db *db, const struct word *word, const char *application)
{
    int64_t first = 0;
    int code;

    if (word->state[0] && strcmp(word->state, "DONE") != 0 &&
        strcmp(word->state, "INCOMPLETE") != 0)
        return cli_fail(EXIT_NO_INPUT, "%s: is %s, and nothing of its scan is stored",
                        word->text, word->state);
    code = results_first_scan(db, application, &first);
    if (code != 0)
        return code;
    if (word->scan > 0 && word->scan < first)
        return cli_fail(EXIT_NO_INPUT,
                        "scan %lld: is not kept; history begins with scan "
                        "%lld%s%s",
                        (long long)word->scan, (long long)first,
                        application ? " of " : "", application ? application : "");
    return cli_fail(EXIT_NO_INPUT, "scan %lld: nothing of it is stored",
                    (long long)word->scan);
}

static int
print_one(const struct cli *cli, struct db *db, const char *text)
{
    struct word word = {.text = text};
    struct stored_scan scan;
    int code = text ? find_number(cli, &word) : results_newest_scan(db, &word.scan);

    if (code == 0)
        code = results_scan(db, word.scan, &scan);
    if (code == 0 && scan.id == 0)
        code = text ? explain_missing(db, &word, NULL)
                    : cli_fail(EXIT_NO_INPUT, "no scan has been stored yet");
    return code ? code : changes_print(cli, db, &scan);
}

/* Both are stored: print what lies between them. */
static int
print_between(const struct cli *cli, struct db *db, const struct stored_scan *a,
              const struct stored_scan *b)
{
    bool ordered = a->id <= b->id;

    if (strcmp(a->application, b->application) != 0)
        return cli_fail(EXIT_USAGE_ERROR,
                        "scan %lld is of %s, scan %lld of %s: both must be of one "
                        "application",
                        (long long)a->id, a->application, (long long)b->id,
                        b->application);
    return changes_print_between(cli, db, ordered ? a : b, ordered ? b : a);
}

static int
print_two(const struct cli *cli, struct db *db, char **texts)
{
    struct word words[2] = {{.text = texts[0]}, {.text = texts[1]}};
    struct stored_scan scans[2];
    int code = 0;

    for (int i = 0; i < 2 && code == 0; i++) {
        code = find_number(cli, &words[i]);
        if (code == 0)
            code = results_scan(db, words[i].scan, &scans[i]);
    }
    for (int i = 0; i < 2 && code == 0; i++)
        if (scans[i].id == 0)
            code = explain_missing(db, &words[i],
                                   scans[!i].id ? scans[!i].application : NULL);
    return code ? code : print_between(cli, db, &scans[0], &scans[1]);
}

static int
run(struct cli *cli, int argc, char **argv)
{
    struct db *db = NULL;
    int code = 0;

    for (int i = 0; i < argc && code == 0; i++)
        code = is_no_scan(argv[i]);
    if (code == 0)
        code = results_open(cli, &db);
    if (code == 0)
        code = argc == 2 ? print_two(cli, db, argv)
                         : print_one(cli, db, argc ? argv[0] : NULL);
    db_close(db);
    return code;
}

const struct command cmd_changes = {
    .name = "changes",
    .words = "[SCAN [SCAN]]",
    .summary = "Print what changed in a scan, or between two",
    .help = "SCAN is a ControlId or the number of a scan; without one it is the newest.\n"
            "Of two scans of one application, in any order: what the younger found "
            "different.\n",
    .max = 2,
    .run = run,
};
