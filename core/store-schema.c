/* SPDX-License-Identifier: Apache-2.0 */
#include "store-schema.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"

enum { LOCK_TRIES = 24 }; /* of five seconds each, see db.c */

/* Step i leads from schema i to schema i + 1; a released one never changes. */
static const char *const steps[] = {
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;"
    "CREATE TABLE scans ("
    " id INTEGER PRIMARY KEY, application TEXT, \"trigger\" TEXT, outcome TEXT,"
    " reason TEXT, started TEXT, ended TEXT, cpu_seconds REAL, cputhrottle INTEGER,"
    " manifest_origin TEXT, manifest_serial INTEGER, records INTEGER, dropped INTEGER,"
    " added INTEGER, changed INTEGER, removed INTEGER);"
    "CREATE TABLE records ("
    " application TEXT, kind TEXT, key TEXT, digest BLOB, data TEXT, volatile TEXT,"
    " first_seen TEXT, last_changed TEXT, scan INTEGER,"
    " PRIMARY KEY (application, kind, key)) WITHOUT ROWID;"
    "CREATE TABLE coverage ("
    " application TEXT, kind TEXT, scan INTEGER, time TEXT, records INTEGER,"
    " PRIMARY KEY (application, kind)) WITHOUT ROWID;"
    "CREATE TABLE changes ("
    " scan INTEGER, application TEXT, kind TEXT, key TEXT, change TEXT, before TEXT,"
    " after TEXT, PRIMARY KEY (scan, application, kind, key)) WITHOUT ROWID;"
    "CREATE VIEW packages AS SELECT"
    " json_extract(data, '$.name') AS name, json_extract(data, '$.version') AS version,"
    " json_extract(data, '$.arch') AS arch, json_extract(data, '$.source') AS source,"
    " json_extract(data, '$.source_version') AS source_version,"
    " json_extract(data, '$.db') AS db, application, key, first_seen, last_changed"
    " FROM records WHERE kind = 'package';",
};

enum { SCHEMA = sizeof steps / sizeof *steps };

/* The first value of a query as text: 1, or 0 when there is no row. */
static int
one_text(struct db *db, const char *sql, char *text, size_t size)
{
    cleanup(db_rows_done_p) struct db_rows *rows = NULL;
    int r = db_query(db, &rows, sql, "");

    if (r == 0)
        r = db_next(rows);
    if (r == 1)
        snprintf(text, size, "%s", db_text(rows, 0, NULL) ? db_text(rows, 0, NULL) : "");
    return r;
}

/* Our statements are right: where SQLite says that one is not, tables are not what they were. */
static int
failed(struct db *db, int r, struct why *why)
{
    if (r == -EINVAL)
        r = -EUCLEAN;
    return why_set(why, r, "store: %s%s", r == -EUCLEAN ? "damaged: " : "", db_error(db));
}

/* The schema of the file, 0 when there is nothing in it. */
static int
version_read(struct db *db, struct why *why)
{
    char text[24];
    int r = one_text(db, "SELECT 1 FROM sqlite_schema LIMIT 1", text, sizeof text);

    if (r < 0)
        return failed(db, r, why);
    if (r == 0)
        return 0;
    r = one_text(db, "SELECT value FROM meta WHERE key = 'schema'", text, sizeof text);
    if (r == -EINVAL || r == 0 || (r == 1 && atoi(text) <= 0))
        return why_set(why, -EUCLEAN, "store: this database is no store of Sonde");
    return r < 0 ? failed(db, r, why) : atoi(text);
}

/* The steps from this version on, in the open transaction. */
static int
migrate(struct db *db, int version, struct why *why)
{
    int r = 0;

    for (; r >= 0 && version < SCHEMA; version++)
        r = db_exec(db, steps[version]);
    if (r >= 0)
        r = db_run(db, "INSERT OR REPLACE INTO meta VALUES ('schema', ?)", "i",
                   (int64_t)SCHEMA);
    return r < 0 ? failed(db, r, why) : 0;
}

int
store_schema(void)
{
    return SCHEMA;
}

int
store_make(struct db *db, struct why *why)
{
    return migrate(db, 0, why);
}

bool
store_root_is_valid(const char *root_id)
{
    size_t len = strlen(root_id);

    return len > 0 && len < 64 &&
           strspn(root_id, "abcdefghijklmnopqrstuvwxyz0123456789-") == len;
}

static int
root_check(struct db *db, const char *root_id, struct why *why)
{
    char text[256];
    int r =
        one_text(db, "SELECT value FROM meta WHERE key = 'root_id'", text, sizeof text);

    if (r == 0)
        r = db_run(db, "INSERT INTO meta VALUES ('root_id', ?)", "s", root_id);
    else if (r == 1 && !store_root_is_valid(text))
        return why_set(why, -EUCLEAN, "store: damaged: the id of its root");
    else if (r == 1 && strcmp(text, root_id) != 0)
        return why_set(why, -EXDEV,
                       "store: it belongs to root %s, and this scan is of %s", text,
                       root_id);
    return r < 0 ? failed(db, r, why) : 0;
}

int
store_begin(struct db *db)
{
    int r = -EBUSY;

    for (int i = 0; r == -EBUSY && i < LOCK_TRIES; i++)
        r = db_exec(db, "BEGIN IMMEDIATE");
    return r;
}

static int
schema_check(struct db *db, const char *root_id, struct why *why)
{
    int version, r = store_begin(db);

    if (r < 0)
        return failed(db, r, why);
    version = version_read(db, why);
    if (version < 0)
        return version;
    if (version > SCHEMA)
        return why_set(why, -ENOTSUP,
                       "store: its schema %d is newer than this program, which knows %d",
                       version, SCHEMA);
    if (version < SCHEMA)
        r = migrate(db, version, why);
    if (r == 0)
        r = root_check(db, root_id, why);
    if (r < 0)
        return r;
    r = db_exec(db, "COMMIT");
    return r < 0 ? failed(db, r, why) : 0;
}

int
store_files_check(const char *path, struct why *why)
{
    static const char *const suffixes[] = {"", "-wal", "-shm", "-journal", ".repair"};
    char file[PATH_MAX];
    struct stat st;

    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
        if ((size_t)snprintf(file, sizeof file, "%s%s", path, suffixes[i]) >= sizeof file)
            return why_set(why, -ENAMETOOLONG, "store: %.200s: the path is too long",
                           path);
        if (lstat(file, &st) < 0)
            continue;
        if (!S_ISREG(st.st_mode) || st.st_uid != geteuid())
            return why_set(why, -EPERM, "store: %s is no file of user %u; remove it",
                           file, geteuid());
    }
    return 0;
}

int
store_open(const char *path, const char *root_id, struct db **ret, struct why *why)
{
    struct db *db = NULL;
    int r = store_files_check(path, why);
    mode_t mask;

    if (r < 0)
        return r;
    mask = umask(027);
    r = db_open(path, true, &db);
    umask(mask);
    if (r < 0)
        return failed(NULL, r, why);
    r = schema_check(db, root_id, why); /* what it began ends with the connection */
    if (r < 0) {
        db_close(db);
        return r;
    }
    *ret = db;
    return 0;
}
