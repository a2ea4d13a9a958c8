/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of queue.db. */
#include "queue-db.h"

/* Step i leads from schema i to schema i + 1; a released one never changes. */
static const char *const steps[] = {
    "CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;"
    "CREATE TABLE scans("
    " id INTEGER PRIMARY KEY AUTOINCREMENT, application TEXT NOT NULL,"
    " state TEXT NOT NULL, cputhrottle INTEGER NOT NULL,"
    " attempts INTEGER NOT NULL DEFAULT 0);"
    "CREATE INDEX scans_open ON scans(application, state) WHERE state <> 'ENDED';"
    "CREATE TABLE tickets("
    " stamp TEXT NOT NULL, n INTEGER NOT NULL, application TEXT NOT NULL,"
    " state TEXT NOT NULL, reason TEXT NOT NULL DEFAULT '', requested TEXT NOT NULL,"
    " started TEXT, ended TEXT, cputhrottle INTEGER NOT NULL, cpu_seconds REAL,"
    " scan INTEGER NOT NULL REFERENCES scans(id), records TEXT,"
    " PRIMARY KEY(stamp, n));"
    "CREATE INDEX tickets_scan ON tickets(scan);",

    "ALTER TABLE scans ADD COLUMN trigger TEXT NOT NULL DEFAULT 'ondemand';"
    "ALTER TABLE scans ADD COLUMN outcome TEXT;"
    "ALTER TABLE scans ADD COLUMN reason TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE scans ADD COLUMN queued TEXT;"
    "ALTER TABLE scans ADD COLUMN started TEXT;"
    "ALTER TABLE scans ADD COLUMN ended TEXT;"
    "ALTER TABLE scans ADD COLUMN cpu_seconds REAL;"
    "ALTER TABLE scans ADD COLUMN records TEXT;"
    "ALTER TABLE scans ADD COLUMN changes TEXT;"
    "UPDATE scans SET (outcome, reason, started, ended, cpu_seconds, records) ="
    " (SELECT state, reason, started, ended, cpu_seconds, records FROM tickets"
    "  WHERE scan=scans.id ORDER BY state='CANCELLED' LIMIT 1)"
    " WHERE state='ENDED' AND EXISTS (SELECT 1 FROM tickets WHERE scan=scans.id);"
    "ALTER TABLE tickets DROP COLUMN cpu_seconds;"
    "ALTER TABLE tickets DROP COLUMN records;"
    "ALTER TABLE tickets ADD COLUMN throttle INTEGER NOT NULL DEFAULT 0;"
    "UPDATE tickets SET throttle=cputhrottle;"
    "CREATE INDEX tickets_open ON tickets(stamp) WHERE ended IS NULL;"
    "CREATE INDEX tickets_ended ON tickets(ended) WHERE ended IS NOT NULL;"
    "CREATE INDEX scans_outcome ON scans(application, outcome, id) WHERE state = 'ENDED';"
    "CREATE INDEX scans_ended ON scans(ended) WHERE state = 'ENDED';"
    "CREATE TABLE intervals("
    " application TEXT PRIMARY KEY, due INTEGER NOT NULL, number INTEGER NOT NULL,"
    " failures INTEGER NOT NULL, success INTEGER NOT NULL) WITHOUT ROWID;",
};

const int64_t queue_schema = sizeof steps / sizeof *steps;

int
queue_run_all(struct db *db, const char *const *statements, int n)
{
    int r = 0;

    for (int i = 0; r >= 0 && i < n; i++)
        r = db_exec(db, statements[i]);
    return r;
}

int
queue_make(struct db *db, int64_t schema)
{
    int r = queue_run_all(db, steps + schema, (int)(queue_schema - schema));

    return r < 0 ? r
                 : db_run(db, "INSERT OR REPLACE INTO meta VALUES('schema', ?)", "i",
                          queue_schema);
}

int
queue_int(struct db_rows *rows, int64_t def, int64_t *ret)
{
    int r = db_next(rows);

    *ret = r == 1 && db_type(rows, 0) != 'n' ? db_int(rows, 0) : def;
    db_rows_done(rows);
    return r < 0 ? r : 0;
}
