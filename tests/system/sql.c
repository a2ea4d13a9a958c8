/* SPDX-License-Identifier: Apache-2.0 */
/* sql FILE STATEMENT [hold]: change a database, or print the first value of each row; hold: keep
 * what it began (BEGIN IMMEDIATE) until the end of stdin.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "db.h"

/* One statement may have rows; several have none. */
static int
print_rows(struct db *db, const char *sql)
{
    struct db_rows *rows = NULL;
    int r = db_query(db, &rows, sql, "");

    if (r < 0)
        return db_exec(db, sql);
    while ((r = db_next(rows)) == 1)
        puts(db_text(rows, 0, NULL) ? db_text(rows, 0, NULL) : "");
    db_rows_done(rows);
    return r;
}

int
main(int argc, char **argv)
{
    struct db *db = NULL;
    bool words = argc == 3 || (argc == 4 && strcmp(argv[3], "hold") == 0);
    int r = words ? db_open(argv[1], true, &db) : -1;

    if (r >= 0)
        r = print_rows(db, argv[2]);
    if (r < 0)
        fprintf(stderr, "sql: %s\n", words ? db_error(db) : "two words are wanted");
    while (r >= 0 && argc == 4 && getchar() != EOF)
        continue;
    db_close(db);
    return r < 0;
}
