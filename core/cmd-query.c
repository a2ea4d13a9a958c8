/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "cli.h"

enum { BYTES_SHOWN = 64 };

/* Bytes as people and programs read them: hexadecimal, for people not all of many. */
static char *
hex(struct db_rows *rows, int column, size_t most)
{
    size_t len;
    const unsigned char *bytes = db_blob(rows, column, &len);
    char *text = malloc(2 * len + 1);

    if (!text)
        return NULL;
    text[0] = '\0';
    for (size_t i = 0; i < len && i < most; i++)
        sprintf(text + 2 * i, "%02x", bytes[i]);
    return text;
}

/* Objects have no name twice: of columns that share one, the last holds. */
static bool
comes_again(struct db_rows *rows, int column)
{
    for (int i = column + 1; i < db_columns(rows); i++)
        if (strcmp(db_column_name(rows, i), db_column_name(rows, column)) == 0)
            return true;
    return false;
}

static void
print_row_json(struct db_rows *rows)
{
    struct cli_object object;
    struct json_out *out = &object.out;

    cli_object_begin(&object);
    for (int i = 0; i < db_columns(rows); i++) {
        const char *name = db_column_name(rows, i);
        cleanup_free char *bytes = NULL;

        if (comes_again(rows, i))
            continue;
        switch (db_type(rows, i)) {
        case 'n':
            json_out_null(out, name);
            break;
        case 'i':
            json_out_int(out, name, db_int(rows, i));
            break;
        case 'f':
            json_out_real(out, name, db_real(rows, i));
            break;
        case 'b':
            bytes = hex(rows, i, SIZE_MAX);
            json_out_str(out, name, bytes);
            break;
        default:
            json_out_str(out, name, db_text(rows, i, NULL));
        }
    }
    cli_object_end(&object);
}

static void
add_row(struct table *table, struct db_rows *rows)
{
    for (int i = 0; i < table->n_columns; i++) {
        cleanup_free char *bytes =
            db_type(rows, i) == 'b' ? hex(rows, i, BYTES_SHOWN) : NULL;

        table_cell(table, bytes ? bytes : db_text(rows, i, NULL));
    }
}

static int
run(struct cli *cli, int argc, char **argv)
{
    struct db_rows *rows = NULL;
    struct db *db = NULL;
    struct table table;
    int r = results_open(cli, &db), code = r;

    (void)argc;
    table_init(&table);
    if (r == 0) {
        r = db_query(db, &rows, argv[0], "");
        for (int i = 0; r >= 0 && i < db_columns(rows); i++)
            table_column(&table, db_column_name(rows, i));
        while (r >= 0 && (r = db_next(rows)) == 1) {
            if (cli->json)
                print_row_json(rows);
            else
                add_row(&table, rows);
        }
        code = r < 0 ? results_fail(db, r) : cli->json ? 0 : cli_print_table(cli, &table);
    }
    table_done(&table);
    db_rows_done(rows);
    db_close(db);
    return code;
}

const struct command cmd_query = {
    .name = "query",
    .words = "SQL",
    .summary = "Ask the results in SQL, read only",
    .help =
        "Tables: scans, records, coverage, changes; views for people: packages.\n"
        "Fields of a record: json_extract(data, '$.name').  A question may take 30 s;\n"
        "one that begins with a dash stands behind --.\n"
        "  sonde query 'SELECT name, version FROM packages ORDER BY name LIMIT 5'\n",
    .min = 1,
    .max = 1,
    .run = run,
};
