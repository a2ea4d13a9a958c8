/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "controlid.h"

enum { SCAN, APP, KIND, KEY, CHANGE, BEFORE, AFTER };

static const char sql[] = "SELECT scan, application, kind, key, change, before, after"
                          " FROM changes WHERE scan = ? ORDER BY kind, key";

static void
take_scan(const struct json *line, void *arg)
{
    *(int64_t *)arg = json_get_int(json_get(line, "ticket"), "scan", 0);
}

/* The scan that is meant: of a ControlId, or the newest one.  0, or an exit code. */
static int
which_scan(struct cli *cli, struct db *db, const char *control_id, int64_t *ret)
{
    const struct client_request request = {
        .verb = "status", .key = "control_id", .value = control_id};
    struct db_rows *rows = NULL;
    int r;

    *ret = 0;
    if (control_id)
        return client_ask(cli, &request, take_scan, ret, NULL);
    r = db_query(db, &rows, "SELECT max(id) FROM scans", "");
    if (r >= 0 && (r = db_next(rows)) == 1)
        *ret = db_int(rows, 0);
    db_rows_done(rows);
    return r < 0 ? results_fail(db, r) : 0;
}

/* One line about the scan itself. */
static int
print_scan(struct db *db, int64_t scan)
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
    if (r == 1)
        printf("scan %lld of %s, %s, %s: %lld added, %lld changed, %lld removed\n",
               (long long)scan, db_text(rows, 0, NULL),
               cli_local_time(db_text(rows, 1, NULL), time), db_text(rows, 2, NULL),
               (long long)db_int(rows, 3), (long long)db_int(rows, 4),
               (long long)db_int(rows, 5));
    else if (r == 0)
        printf("scan %lld: nothing of it is stored\n", (long long)scan);
    db_rows_done(rows);
    return r;
}

static void
print_json(struct db_rows *rows)
{
    struct json_out out;

    json_out_init(&out, stdout);
    json_out_object(&out, NULL);
    json_out_int(&out, "scan", db_int(rows, SCAN));
    json_out_str(&out, "app", db_text(rows, APP, NULL));
    json_out_str(&out, "kind", db_text(rows, KIND, NULL));
    json_out_str(&out, "key", db_text(rows, KEY, NULL));
    json_out_str(&out, "change", db_text(rows, CHANGE, NULL));
    json_out_raw(&out, "before", db_text(rows, BEFORE, NULL));
    json_out_raw(&out, "after", db_text(rows, AFTER, NULL));
    json_out_end(&out, '}');
    putchar('\n');
}

/* Fields that differ, as people read them: "version 1.2 -> 1.3". */
static void
add_difference(struct table *table, const char *before, const char *after)
{
    struct json *old = NULL, *new = NULL;
    char text[TABLE_CELL_MAX];
    size_t at = 0;

    text[0] = '\0';
    if (before && after && json_parse(before, strlen(before), &old, NULL) == 0 &&
        json_parse(after, strlen(after), &new, NULL) == 0)
        for (const struct json *f = json_first(new); f && at < sizeof text - 1;
             f = json_next(f)) {
            const struct json *g = json_get(old, json_name(f));
            char *is = json_print(f), *was = g ? json_print(g) : NULL;

            if (is && (!was || strcmp(is, was) != 0))
                at += (size_t)snprintf(text + at, sizeof text - at, "%s%s %s -> %s",
                                       at ? ", " : "", json_name(f),
                                       was ? was : "nothing", is);
            free(is);
            free(was);
        }
    json_free(old);
    json_free(new);
    table_cell(table, text);
}

static int
print_changes(struct cli *cli, struct db *db, int64_t scan)
{
    static const char *const heads[] = {"CHANGE", "KIND", "KEY", "DIFFERENCE"};
    struct db_rows *rows = NULL;
    struct table table;
    int r = cli->json ? 0 : print_scan(db, scan), code;

    table_init(&table);
    for (int i = 0; i < 4; i++)
        table_column(&table, heads[i]);
    if (r >= 0)
        r = db_query(db, &rows, sql, "i", scan);
    while (r >= 0 && (r = db_next(rows)) == 1) {
        if (cli->json) {
            print_json(rows);
            continue;
        }
        table_cell(&table, db_text(rows, CHANGE, NULL));
        table_cell(&table, db_text(rows, KIND, NULL));
        table_cell(&table, db_text(rows, KEY, NULL));
        add_difference(&table, db_text(rows, BEFORE, NULL), db_text(rows, AFTER, NULL));
    }
    code = r < 0 ? results_fail(db, r) : 0;
    if (code == 0 && table.n_cells)
        code = cli_print_table(cli, &table);
    table_done(&table);
    db_rows_done(rows);
    return code;
}

static int
run(struct cli *cli, int argc, char **argv)
{
    const char *id = argc > 0 ? argv[0] : NULL;
    struct db *db = NULL;
    int64_t scan;
    int code;

    if (id && !controlid_is_valid(id))
        return cli_fail(EXIT_USAGE_ERROR,
                        "\"%s\" is no ControlId; sonde status lists them", id);
    code = results_open(cli, &db);
    if (code == 0)
        code = which_scan(cli, db, id, &scan);
    if (code == 0)
        code = print_changes(cli, db, scan);
    db_close(db);
    return code;
}

const struct command cmd_changes = {
    .name = "changes",
    .words = "[CONTROLID]",
    .summary = "Print what a scan found changed (default: the newest one)",
    .max = 1,
    .run = run,
};
