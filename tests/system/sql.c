/* SPDX-License-Identifier: Apache-2.0 */
/* sql FILE STATEMENT: change a database, or print the first value of each row. */
#include <stdio.h>

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
    int r = argc == 3 ? db_open(argv[1], true, &db) : -1;

    if (r >= 0)
        r = print_rows(db, argv[2]);
    if (r < 0)
        fprintf(stderr, "sql: %s\n", argc == 3 ? db_error(db) : "two words are wanted");
    db_close(db);
    return r < 0;
}
