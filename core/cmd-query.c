/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "cleanup.h"
#include "cli.h"

/* One row as a JSON object; a column that occurs twice keeps its last value. */
static void
print_row_json(struct db_rows *rows)
{
    struct json_out out;
    int n = db_columns(rows);

    json_out_init(&out, stdout);
    json_out_object(&out, NULL);
    for (int i = 0; i < n; i++) {
        const char *name = db_column_name(rows, i);

        switch (db_type(rows, i)) {
        case 'n':
            json_out_null(&out, name);
            break;
        case 'i':
            json_out_int(&out, name, db_int(rows, i));
            break;
        case 'f':
            json_out_real(&out, name, db_real(rows, i));
            break;
        default:
            json_out_str(&out, name, db_text(rows, i, NULL));
        }
    }
    json_out_end(&out, '}');
    putchar('\n');
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
                for (int i = 0; i < db_columns(rows) && i < TABLE_COLUMNS_MAX; i++)
                    table_cell(&table, db_text(rows, i, NULL));
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
        "Fields of a record: json_extract(data, '$.name').  A question may take 30 s.\n"
        "  sonde query 'SELECT name, version FROM packages ORDER BY name LIMIT 5'\n",
    .min = 1,
    .max = 1,
    .run = run,
};
