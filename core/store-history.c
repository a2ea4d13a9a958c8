/* SPDX-License-Identifier: Apache-2.0 */
#include "store-history.h"

#include <errno.h>
#include <stdbool.h>

#include "cleanup.h"

const struct store_limits store_limits_default = {
    .days = 400, .bytes = INT64_C(256) << 20, .rows = 50000};

/* One that is not needed any more, the oldest first.  Records also have the number of a scan,
 * but tell themselves when they were seen.
 */
#define OLDEST                                                                           \
    "SELECT id, added + changed + removed, coalesce(ended, '') <"                        \
    " strftime('%Y-%m-%dT%H:%M:%SZ', ?1, '-' || ?2 || ' days') AS old FROM scans"        \
    " WHERE id NOT IN (SELECT ifnull(scan, 0) FROM coverage)"                            \
    " AND id < (SELECT max(id) FROM scans)"                                              \
    " ORDER BY old DESC, id LIMIT 1"

static int
pragma(struct db *db, const char *sql, int64_t *ret)
{
    cleanup(db_rows_done_p) struct db_rows *rows = NULL;
    int r = db_query(db, &rows, sql, "");

    if (r == 0)
        r = db_next(rows);
    *ret = r == 1 ? db_int(rows, 0) : 0;
    return r < 0 ? r : 0;
}

static int
bytes_in_use(struct db *db, int64_t *ret)
{
    int64_t pages = 0, unused = 0, size = 0;
    int r = pragma(db, "PRAGMA page_count", &pages);

    if (r == 0)
        r = pragma(db, "PRAGMA freelist_count", &unused);
    if (r == 0)
        r = pragma(db, "PRAGMA page_size", &size);
    *ret = (pages - unused) * size;
    return r;
}

/* The scan that goes next and its number of changes: 1, or 0 when none has to. */
static int
find(struct db *db, const struct store_limits *limits, const char *now, int64_t *ret_scan,
     int64_t *ret_rows)
{
    cleanup(db_rows_done_p) struct db_rows *rows = NULL;
    int64_t bytes;
    int r = db_query(db, &rows, OLDEST, "si", now, (int64_t)limits->days);

    if (r == 0)
        r = db_next(rows);
    if (r != 1)
        return r;
    *ret_scan = db_int(rows, 0);
    *ret_rows = db_int(rows, 1);
    if (db_int(rows, 2) == 1)
        return 1;
    r = bytes_in_use(db, &bytes);
    return r < 0 ? r : bytes > limits->bytes;
}

static int
bound(struct db *db, const struct store_limits *limits, const char *now)
{
    int64_t scan = 0, rows = 0, left = limits->rows;
    int r = 0, n = 0;

    while (left > 0 && (r = find(db, limits, now, &scan, &rows)) == 1) {
        r = db_run(db, "DELETE FROM changes WHERE scan = ?", "i", scan);
        if (r >= 0)
            r = db_run(db, "DELETE FROM scans WHERE id = ?", "i", scan);
        if (r < 0)
            return r;
        left -= rows + 1;
        n++;
    }
    return r < 0 ? r : n;
}

int
store_history_bound(struct db *db, const struct store_limits *limits, const char *now)
{
    int r = db_exec(db, "BEGIN IMMEDIATE"), n;

    if (r < 0)
        return r;
    n = bound(db, limits, now);
    r = n < 0 ? n : db_exec(db, "COMMIT");
    if (r < 0)
        db_exec(db, "ROLLBACK");
    return r < 0 ? r : n;
}
