/* SPDX-License-Identifier: Apache-2.0 */
/* ControlIds: which have been given, of tickets that are there and of those that are not. */
#include "queue-db.h"

int
queue_next_n(struct queue *queue, const char *stamp, int64_t *ret)
{
    struct db_rows *rows = NULL;
    int r = db_query(queue->db, &rows,
                     "SELECT max(n) + 1 FROM (SELECT n FROM tickets WHERE stamp=?1"
                     " UNION ALL SELECT CAST(m.value AS INTEGER) FROM meta AS m WHERE"
                     " m.key='forgotten_n' AND ?1 <="
                     "  (SELECT value FROM meta WHERE key='forgotten_stamp'))",
                     "s", stamp);

    return r < 0 ? r : queue_int(rows, 0, ret);
}

int
queue_forget(struct db *db, const char *stamp, int64_t n)
{
    int r = db_run(db,
                   "INSERT INTO meta VALUES('forgotten_stamp', ?1) ON CONFLICT DO UPDATE"
                   " SET value=max(value, ?1)",
                   "s", stamp);

    return r < 0
               ? r
               : db_run(db,
                        "INSERT INTO meta VALUES('forgotten_n', ?1) ON CONFLICT DO UPDATE"
                        " SET value=max(CAST(value AS INTEGER), ?1)",
                        "i", n);
}
