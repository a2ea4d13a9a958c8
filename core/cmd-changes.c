/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "cli.h"
#include "controlid.h"
#include "json-check.h"

enum { SCAN, APP, KIND, KEY, CHANGE, BEFORE, AFTER };

static const char sql[] = "SELECT scan, application, kind, key, change, before, after"
                          " FROM changes WHERE scan = ? ORDER BY kind, key";

static void
take_scan(const struct json *line, void *arg)
{
    *(int64_t *)arg = json_get_int(json_get(line, "ticket"), "scan", 0);
}

/* The scan that is meant: by its number, of a ControlId, or the newest.  0, or an exit code. */
static int
which_scan(struct cli *cli, struct db *db, const char *word, int64_t *ret)
{
    const struct client_request request = {
        .verb = "status", .key = "control_id", .value = word};
    struct db_rows *rows = NULL;
    int r;

    *ret = 0;
    if (word && !controlid_is_valid(word)) {
        *ret = strtoll(word, NULL, 10);
        return 0;
    }
    if (word)
        return client_ask(cli, &request, take_scan, ret, NULL);
    r = db_query(db, &rows, "SELECT max(id) FROM scans", "");
    if (r >= 0 && (r = db_next(rows)) == 1)
        *ret = db_int(rows, 0);
    db_rows_done(rows);
    return r < 0 ? results_fail(db, r) : 0;
}

/* One line about the scan itself, for people.  0, or an exit code. */
static int
print_scan(const struct cli *cli, struct db *db, int64_t scan)
{
    struct db_rows *rows = NULL;
    char time[CLI_TIME_SIZE];
    int r =
        db_query(db, &rows,
                 "SELECT application, ended, outcome, added, changed, removed FROM scans"
                 " WHERE id = ?",
                 "i", scan);

    if (r >= 0)
        r = db_next(rows);
    if (r == 1 && !cli->json) {
        cli_print(stdout,
                  "scan %lld of %s, %s, %s: %lld added, %lld changed, %lld removed",
                  (long long)scan, db_text(rows, 0, NULL),
                  cli_local_time(db_text(rows, 1, NULL), time), db_text(rows, 2, NULL),
                  (long long)db_int(rows, 3), (long long)db_int(rows, 4),
                  (long long)db_int(rows, 5));
        putchar('\n');
    }
    db_rows_done(rows);
    if (r == 0 && scan == 0)
        return cli_fail(EXIT_NO_INPUT, "no scan has been stored yet");
    if (r == 0)
        return cli_fail(EXIT_NO_INPUT, "scan %lld: nothing of it is stored",
                        (long long)scan);
    return r < 0 ? results_fail(db, r) : 0;
}

static void
print_json(struct db_rows *rows)
{
    struct cli_object object;
    struct json_out *out = &object.out;

    cli_object_begin(&object);
    json_out_int(out, "scan", db_int(rows, SCAN));
    json_out_str(out, "app", db_text(rows, APP, NULL));
    json_out_str(out, "kind", db_text(rows, KIND, NULL));
    json_out_str(out, "key", db_text(rows, KEY, NULL));
    json_out_str(out, "change", db_text(rows, CHANGE, NULL));
    json_out_raw(out, "before", db_text(rows, BEFORE, NULL));
    json_out_raw(out, "after", db_text(rows, AFTER, NULL));
    cli_object_end(&object);
}

/* ---- fields that differ, as people read them: "version 1.2 -> 1.3" ---- */

struct difference {
    char text[TABLE_CELL_MAX];
    size_t len;
};

static void
add_field(struct difference *d, const char *name, const struct json *before,
          const struct json *after)
{
    cleanup_free char *was = before ? json_print(before) : NULL;
    cleanup_free char *is = after ? json_print(after) : NULL;

    if (d->len < sizeof d->text - 1 && (!was || !is || strcmp(was, is) != 0))
        d->len += (size_t)snprintf(d->text + d->len, sizeof d->text - d->len,
                                   "%s%s %s -> %s", d->len ? ", " : "", name,
                                   was ? was : "nothing", is ? is : "nothing");
}

static void
add_difference(struct table *table, const char *before, const char *after)
{
    struct json *old = NULL, *new = NULL;
    struct difference d = {.len = 0};

    if (before && after && json_parse(before, strlen(before), &old, NULL) == 0 &&
        json_parse(after, strlen(after), &new, NULL) == 0) {
        for (const struct json *f = json_first(new); f; f = json_next(f))
            add_field(&d, json_name(f), json_get(old, json_name(f)), f);
        for (const struct json *f = json_first(old); f; f = json_next(f))
            if (!json_get(new, json_name(f)))
                add_field(&d, json_name(f), f, NULL);
    }
    json_free(old);
    json_free(new);
    table_cell(table, d.text);
}

static bool
is_damaged(const char *data)
{
    return data && json_check_flat(data, strlen(data), NULL) < 0;
}

/* One row; 0, or an exit code when it is damaged, which is said. */
static int
take_row(const struct cli *cli, struct table *table, struct db_rows *rows)
{
    const char *before = db_text(rows, BEFORE, NULL), *after = db_text(rows, AFTER, NULL);

    if (is_damaged(before) || is_damaged(after))
        return cli_fail(EXIT_BAD_DATA, "change of %s of kind %s: damaged, skipped",
                        db_text(rows, KEY, NULL), db_text(rows, KIND, NULL));
    if (cli->json) {
        print_json(rows);
        return 0;
    }
    table_cell(table, db_text(rows, CHANGE, NULL));
    table_cell(table, db_text(rows, KIND, NULL));
    table_cell(table, db_text(rows, KEY, NULL));
    add_difference(table, before, after);
    return 0;
}

static int
print_changes(struct cli *cli, struct db *db, int64_t scan)
{
    static const char *const heads[] = {"CHANGE", "KIND", "KEY", "DIFFERENCE"};
    struct db_rows *rows = NULL;
    struct table table;
    int code = print_scan(cli, db, scan), r;

    if (code != 0)
        return code;
    table_init(&table);
    for (int i = 0; i < 4; i++)
        table_column(&table, heads[i]);
    r = db_query(db, &rows, sql, "i", scan);
    while (r >= 0 && (r = db_next(rows)) == 1) {
        int damaged = take_row(cli, &table, rows);

        code = damaged ? damaged : code;
    }
    if (r < 0)
        code = results_fail(db, r);
    else if (table.n_cells && cli_print_table(cli, &table) != 0)
        code = EXIT_SCAN_FAILED;
    table_done(&table);
    db_rows_done(rows);
    return code;
}

static int
run(struct cli *cli, int argc, char **argv)
{
    const char *word = argc > 0 ? argv[0] : NULL;
    struct db *db = NULL;
    int64_t scan;
    int code;

    if (word && !controlid_is_valid(word) &&
        (strlen(word) > 18 || strspn(word, "0123456789") != strlen(word)))
        return cli_fail(EXIT_USAGE_ERROR,
                        "\"%s\" is no ControlId; sonde status lists them", word);
    code = results_open(cli, &db);
    if (code == 0)
        code = which_scan(cli, db, word, &scan);
    if (code == 0)
        code = print_changes(cli, db, scan);
    db_close(db);
    return code;
}

const struct command cmd_changes = {
    .name = "changes",
    .words = "[CONTROLID | SCAN]",
    .summary = "Print what a scan found changed",
    .help = "Without a word: the newest scan.\n",
    .max = 1,
    .run = run,
};
