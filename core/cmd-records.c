/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "cli.h"

enum { FIELDS_MAX = 8 }; /* columns for people; --json has all */

enum { APP, KIND, KEY, FIRST_SEEN, LAST_CHANGED, DATA, VOLATILE };

static const char sql[] = "SELECT application, kind, key, first_seen, last_changed, data,"
                          " volatile FROM records WHERE (?1 IS NULL OR kind = ?1)"
                          " ORDER BY application, kind, key";

static void
print_json(struct db_rows *rows, const char *data)
{
    struct cli_object object;
    struct json_out *out = &object.out;

    cli_object_begin(&object);
    json_out_str(out, "app", db_text(rows, APP, NULL));
    json_out_str(out, "kind", db_text(rows, KIND, NULL));
    json_out_str(out, "key", db_text(rows, KEY, NULL));
    json_out_str(out, "first_seen", db_text(rows, FIRST_SEEN, NULL));
    json_out_str(out, "last_changed", db_text(rows, LAST_CHANGED, NULL));
    json_out_raw(out, "data", data);
    cli_object_end(&object);
}

/* ---- the table of one kind: what says most first, then what else it has ---- */

static bool
is_shown(const struct table *table, const char *name)
{
    for (int i = 0; i < table->n_columns; i++)
        if (strcmp(table->heads[i], name) == 0)
            return true;
    return false;
}

static void
choose_columns(struct table *table, const struct json *data)
{
    static const char *const first[] = {"name", "version", "arch", "source",
                                        "source_version"};

    table_column(table, "key");
    for (size_t i = 0; i < sizeof first / sizeof first[0]; i++)
        if (json_get(data, first[i]))
            table_column(table, first[i]);
    for (const struct json *field = json_first(data);
         field && table->n_columns < FIELDS_MAX; field = json_next(field))
        if (!is_shown(table, json_name(field)))
            table_column(table, json_name(field));
}

/* The members of a list with commas between them. */
static char *
list_text(const struct json *list)
{
    char *text = NULL;
    size_t size;
    FILE *f = open_memstream(&text, &size);

    if (!f)
        return NULL;
    for (const struct json *item = json_first(list); item; item = json_next(item))
        fprintf(f, "%s%s", item == json_first(list) ? "" : ",", json_str(item));
    if (fclose(f) != 0) {
        free(text);
        return NULL;
    }
    return text;
}

static void
add_value(struct table *table, const struct json *value)
{
    cleanup_free char *text = NULL;

    if (!value || json_type(value) == JSON_NULL)
        table_cell(table, NULL);
    else if (json_type(value) == JSON_STRING)
        table_cell(table, json_str(value));
    else {
        text = json_type(value) == JSON_ARRAY ? list_text(value) : json_print(value);
        table_cell(table, text);
    }
}

/* Records of all kinds have these in common. */
static void
add_summary(struct table *table, struct db_rows *rows)
{
    static const char *const heads[] = {"app", "kind", "key", "last_changed"};
    char time[CLI_TIME_SIZE];

    for (int i = 0; table->n_columns < 4; i++)
        table_column(table, heads[i]);
    table_cell(table, db_text(rows, APP, NULL));
    table_cell(table, db_text(rows, KIND, NULL));
    table_cell(table, db_text(rows, KEY, NULL));
    table_cell(table, cli_local_time(db_text(rows, LAST_CHANGED, NULL), time));
}

static void
add_record(struct table *table, struct db_rows *rows, const char *text)
{
    struct json *data = NULL;

    if (json_parse(text, strlen(text), &data, NULL) < 0)
        return; /* it was checked: out of memory */
    if (table->n_columns == 0)
        choose_columns(table, data);
    table_cell(table, db_text(rows, KEY, NULL));
    for (int i = 1; i < table->n_columns; i++)
        add_value(table, json_get(data, table->heads[i]));
    json_free(data);
}

/* One row; 0, or an exit code when it is damaged, which is said. */
static int
take_row(const struct cli *cli, struct table *table, struct db_rows *rows, bool one_kind)
{
    cleanup_free char *data = NULL;

    if (results_merge(db_text(rows, DATA, NULL), db_text(rows, VOLATILE, NULL), &data) <
        0)
        return cli_fail(EXIT_BAD_DATA, "record %s of kind %s: damaged, skipped",
                        db_text(rows, KEY, NULL), db_text(rows, KIND, NULL));
    if (cli->json)
        print_json(rows, data);
    else if (one_kind)
        add_record(table, rows, data);
    else
        add_summary(table, rows);
    return 0;
}

/* Nothing was found: is there nothing of it, or was it never looked for? */
static int
explain_none(struct db *db, const char *kind)
{
    struct db_rows *rows = NULL;
    int r = db_query(db, &rows,
                     "SELECT max(kind = ?1), group_concat(kind, ', ') FROM"
                     " (SELECT kind FROM coverage UNION SELECT kind FROM records)",
                     "s", kind);
    int code = 0;

    if (r >= 0 && (r = db_next(rows)) == 1) {
        const char *kinds = db_text(rows, 1, NULL);

        if (kind && !db_int(rows, 0))
            code = cli_fail(EXIT_NO_INPUT, "kind \"%s\" is not known; there are: %s",
                            kind, kinds ? kinds : "none");
        else
            fputs(kind ? "no records of this kind\n" : "no records\n", stderr);
    }
    db_rows_done(rows);
    return r < 0 ? results_fail(db, r) : code;
}

static int
run(struct cli *cli, int argc, char **argv)
{
    const char *kind = argc > 0 ? argv[0] : NULL;
    struct db_rows *rows = NULL;
    struct db *db = NULL;
    struct table table;
    int code = results_open(cli, &db), r, n = 0;

    table_init(&table);
    if (code == 0) {
        r = db_query(db, &rows, sql, "s", kind);
        for (; r >= 0 && (r = db_next(rows)) == 1; n++) {
            int damaged = take_row(cli, &table, rows, kind != NULL);

            code = damaged ? damaged : code;
        }
        if (r < 0)
            code = results_fail(db, r);
        else if (cli_print_table(cli, &table) != 0)
            code = EXIT_SCAN_FAILED;
        if (code == 0 && n == 0)
            code = explain_none(db, kind);
    }
    table_done(&table);
    db_rows_done(rows);
    db_close(db);
    return code;
}

const struct command cmd_records = {
    .name = "records",
    .words = "[KIND]",
    .summary = "Print what was found",
    .help = "With a KIND (package, user, ...) its first fields are columns; --json has "
            "all.\n",
    .max = 1,
    .run = run,
};
