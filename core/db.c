/* SPDX-License-Identifier: Apache-2.0 */
#include "db.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cleanup.h"
#include "sync-folder.h"

enum { BUSY_MS = 5000, STEPS_PER_LOOK = 1000, WAL_KEEP_BYTES = 4 << 20 };

/* Of SQLite's file formats (fileformat2.html, walformat.html): the head of a WAL, and the byte
 * of the -shm file that keeps checkpoints off the database while it is read-locked.
 */
enum { WAL_HEAD_BYTES = 32, SHM_READ_LOCK_0 = 123 };

struct db {
    sqlite3 *handle;
    int lock_fd;         /* holds a lock of SQLite's for us; -1: none */
    int64_t deadline_ns; /* CLOCK_MONOTONIC; 0: none */
};

struct db_rows {
    sqlite3_stmt *stmt;
};

/* Why the last open failed: there is no struct db to keep it in. */
static char open_error[256] = "no database";

static int
error_of(int rc)
{
    switch (rc & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
        return 0;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return -EBUSY;
    case SQLITE_FULL:
        return -ENOSPC;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return -EUCLEAN;
    case SQLITE_READONLY:
        return -EROFS;
    case SQLITE_CANTOPEN:
        return -ENOENT;
    case SQLITE_CONSTRAINT:
        return -EEXIST;
    case SQLITE_INTERRUPT:
        return -ETIMEDOUT;
    case SQLITE_NOMEM:
        return -ENOMEM;
    case SQLITE_AUTH:
    case SQLITE_PERM:
        return -EPERM;
    case SQLITE_ERROR:
    case SQLITE_RANGE:
    case SQLITE_MISMATCH:
        return -EINVAL; /* the statement is wrong */
    case SQLITE_TOOBIG:
        return -EFBIG;
    default:
        return -EIO;
    }
}

static int64_t
now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int
past_deadline(void *data)
{
    const struct db *db = data;

    return db->deadline_ns != 0 && now_ns() >= db->deadline_ns;
}

/* Opens path with these flags; on failure the words are kept and the handle is gone. */
static int
open_handle(const char *path, int flags, struct db **ret)
{
    struct db *db = calloc(1, sizeof *db);
    int rc;

    if (!db)
        return -ENOMEM;
    db->lock_fd = -1;
    rc = sqlite3_open_v2(path, &db->handle,
                         flags | SQLITE_OPEN_EXRESCODE | SQLITE_OPEN_NOMUTEX, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_busy_timeout(db->handle, BUSY_MS);
    *ret = db;
    return error_of(rc);
}

/* Keep the words of a failed open, and close. */
static int
open_failed(struct db *db, int r)
{
    snprintf(open_error, sizeof open_error, "%s",
             db && db->handle ? sqlite3_errmsg(db->handle) : strerror(-r));
    db_close(db);
    return r;
}

static int
set_up_writer(struct db *db, bool durable)
{
    int persist = 1, r;
    char sql[160];

    snprintf(sql, sizeof sql,
             "PRAGMA journal_mode=WAL; PRAGMA synchronous=%s;"
             "PRAGMA journal_size_limit=%d; PRAGMA temp_store=MEMORY",
             durable ? "FULL" : "NORMAL", WAL_KEEP_BYTES);
    /* SQLite does not wait by itself while another process turns a new file to WAL. */
    for (int tries = 0; (r = db_exec(db, sql)) == -EBUSY && tries < BUSY_MS / 20; tries++)
        usleep(20000);
    if (r < 0)
        return r;
    return error_of(
        sqlite3_file_control(db->handle, "main", SQLITE_FCNTL_PERSIST_WAL, &persist));
}

int
db_open(const char *path, bool durable, struct db **ret)
{
    bool is_new = access(path, F_OK) < 0;
    struct db *db = NULL;
    int r = open_handle(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, &db);

    if (r == 0)
        r = set_up_writer(db, durable);
    if (r == 0 && is_new)
        r = sync_folder_of(path);
    if (r < 0)
        /* Our statements are right. */
        return open_failed(db, r == -EINVAL ? -EUCLEAN : r);
    *ret = db;
    return 0;
}

/* Is nothing pending in the WAL?  Nothing is where a database lies without one (a copy).
 * When a writer was killed between the head of its WAL and the first frame nothing is, either,
 * but readers without a -shm of their own would go round for 10 s and fail (SQLite 3.40): then
 * the database alone is read, and *ret_lock keeps checkpoints off it meanwhile.
 */
static bool
wal_is_empty(const char *path, int *ret_lock)
{
    struct flock lock = {.l_type = F_RDLCK, .l_start = SHM_READ_LOCK_0, .l_len = 1};
    cleanup_free char *wal = NULL, *shm = NULL;
    cleanup_fd int fd = -1;
    struct stat st;

    if (asprintf(&wal, "%s-wal", path) < 0 || asprintf(&shm, "%s-shm", path) < 0)
        return false;
    if (lstat(wal, &st) < 0)
        return errno == ENOENT;
    if (st.st_size != WAL_HEAD_BYTES)
        return false;
    fd = open(shm, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 || fcntl(fd, F_OFD_SETLK, &lock) < 0 || lstat(wal, &st) < 0 ||
        st.st_size != WAL_HEAD_BYTES)
        return false;
    *ret_lock = steal_fd(&fd);
    return true;
}

/* file: URI of a path.  What readers need: no -shm of their own. */
static char *
readonly_uri(const char *path, bool immutable)
{
    static const char tail[] = "?mode=ro&readonly_shm=1&immutable=";
    char *uri = malloc(3 * strlen(path) + sizeof tail + 16), *to = uri;

    if (!uri)
        return NULL;
    to += sprintf(to, "file:");
    if (*path == '/')
        to += sprintf(to, "//"); /* an empty authority: "//x" stays a path */
    for (const char *p = path; *p; p++)
        if (strchr("%?#", *p) || (unsigned char)*p < 0x21 || (unsigned char)*p > 0x7e)
            to += sprintf(to, "%%%02X", (unsigned char)*p);
        else
            *to++ = *p;
    sprintf(to, "%s%d", tail, immutable);
    return uri;
}

int
db_open_readonly(const char *path, struct db **ret)
{
    cleanup_fd int lock = -1;
    cleanup_free char *uri = readonly_uri(path, wal_is_empty(path, &lock));
    struct db *db = NULL;
    int r;

    if (!uri)
        return open_failed(NULL, -ENOMEM);
    r = open_handle(uri, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, &db);
    if (db)
        db->lock_fd = steal_fd(&lock);
    /* The file is looked at only now. */
    if (r == 0)
        r = db_exec(db, "SELECT count(*) FROM sqlite_schema");
    if (r < 0)
        return open_failed(db, r == -EINVAL ? -EUCLEAN : r);
    *ret = db;
    return 0;
}

int
db_open_memory(struct db **ret)
{
    struct db *db = NULL;
    int r = open_handle(":memory:", SQLITE_OPEN_READWRITE | SQLITE_OPEN_MEMORY, &db);

    if (r < 0)
        return open_failed(db, r);
    *ret = db;
    return 0;
}

void
db_close(struct db *db)
{
    if (!db)
        return;
    sqlite3_close_v2(db->handle);
    if (db->lock_fd >= 0)
        close(db->lock_fd);
    free(db);
}

const char *
db_error(struct db *db)
{
    return db ? sqlite3_errmsg(db->handle) : open_error;
}

int
db_exec(struct db *db, const char *sql)
{
    return error_of(sqlite3_exec(db->handle, sql, NULL, NULL, NULL));
}

static int
bind_one(sqlite3_stmt *stmt, int i, char type, va_list *ap)
{
    const void *bytes;

    switch (type) {
    case 's': /* NULL binds null */
        return sqlite3_bind_text(stmt, i, va_arg(*ap, const char *), -1,
                                 SQLITE_TRANSIENT);
    case 't':
        bytes = va_arg(*ap, const char *);
        return sqlite3_bind_text64(stmt, i, bytes, va_arg(*ap, size_t), SQLITE_TRANSIENT,
                                   SQLITE_UTF8);
    case 'b':
        bytes = va_arg(*ap, const void *);
        return sqlite3_bind_blob64(stmt, i, bytes, va_arg(*ap, size_t), SQLITE_TRANSIENT);
    case 'i':
        return sqlite3_bind_int64(stmt, i, va_arg(*ap, int64_t));
    case 'f':
        return sqlite3_bind_double(stmt, i, va_arg(*ap, double));
    default:
        return SQLITE_MISUSE;
    }
}

static int
bind_all(sqlite3_stmt *stmt, const char *types, va_list *ap)
{
    int rc = SQLITE_OK;

    for (int i = 0; types[i] && rc == SQLITE_OK; i++)
        rc = bind_one(stmt, i + 1, types[i], ap);
    return error_of(rc);
}

/* One statement and nothing after it, bound and ready to step. */
static int
prepare(struct db *db, const char *sql, const char *types, va_list *ap,
        sqlite3_stmt **ret)
{
    const char *rest = "";
    int r = error_of(sqlite3_prepare_v2(db->handle, sql, -1, ret, &rest));

    if (r < 0)
        return r;
    if (!*ret || rest[strspn(rest, " \t\r\n;")] != '\0')
        r = -EINVAL;
    else
        r = bind_all(*ret, types, ap);
    if (r < 0)
        sqlite3_finalize(*ret);
    return r;
}

int
db_run(struct db *db, const char *sql, const char *types, ...)
{
    sqlite3_int64 before = sqlite3_total_changes64(db->handle);
    sqlite3_stmt *stmt = NULL;
    va_list ap;
    int r, rc;

    va_start(ap, types);
    r = prepare(db, sql, types, &ap, &stmt);
    va_end(ap);
    if (r < 0)
        return r;
    while (sqlite3_step(stmt) == SQLITE_ROW)
        continue;
    rc = sqlite3_finalize(stmt);
    if (rc != SQLITE_OK)
        return error_of(rc);
    return (int)(sqlite3_total_changes64(db->handle) - before);
}

int
db_query(struct db *db, struct db_rows **ret, const char *sql, const char *types, ...)
{
    struct db_rows *rows = malloc(sizeof *rows);
    va_list ap;
    int r;

    if (!rows)
        return -ENOMEM;
    va_start(ap, types);
    r = prepare(db, sql, types, &ap, &rows->stmt);
    va_end(ap);
    if (r < 0) {
        free(rows);
        return r;
    }
    *ret = rows;
    return 0;
}

int
db_rebind(struct db_rows *rows, const char *types, ...)
{
    va_list ap;
    int r;

    sqlite3_reset(rows->stmt); /* its error came out of db_next */
    va_start(ap, types);
    r = bind_all(rows->stmt, types, &ap);
    va_end(ap);
    return r;
}

int
db_bind(struct db_rows *rows, int argument, int type, ...)
{
    va_list ap;
    int rc;

    va_start(ap, type);
    rc = bind_one(rows->stmt, argument, (char)type, &ap);
    va_end(ap);
    return error_of(rc);
}

int
db_next(struct db_rows *rows)
{
    int rc = sqlite3_step(rows->stmt);

    return rc == SQLITE_ROW ? 1 : error_of(rc);
}

void
db_rows_done(struct db_rows *rows)
{
    if (!rows)
        return;
    sqlite3_finalize(rows->stmt);
    free(rows);
}

void
db_rows_done_p(struct db_rows **rows)
{
    db_rows_done(*rows);
}

int
db_columns(const struct db_rows *rows)
{
    return sqlite3_column_count(rows->stmt);
}

const char *
db_column_name(struct db_rows *rows, int column)
{
    return sqlite3_column_name(rows->stmt, column);
}

const char *
db_text(struct db_rows *rows, int column, size_t *ret_len)
{
    const char *text = (const char *)sqlite3_column_text(rows->stmt, column);

    if (ret_len)
        *ret_len = (size_t)sqlite3_column_bytes(rows->stmt, column);
    return text;
}

const void *
db_blob(struct db_rows *rows, int column, size_t *ret_len)
{
    const void *blob = sqlite3_column_blob(rows->stmt, column);

    if (ret_len)
        *ret_len = (size_t)sqlite3_column_bytes(rows->stmt, column);
    return blob;
}

int64_t
db_int(struct db_rows *rows, int column)
{
    return sqlite3_column_int64(rows->stmt, column);
}

double
db_real(struct db_rows *rows, int column)
{
    return sqlite3_column_double(rows->stmt, column);
}

char
db_type(struct db_rows *rows, int column)
{
    switch (sqlite3_column_type(rows->stmt, column)) {
    case SQLITE_INTEGER:
        return 'i';
    case SQLITE_FLOAT:
        return 'f';
    case SQLITE_TEXT:
        return 's';
    case SQLITE_BLOB:
        return 'b';
    default:
        return 'n';
    }
}

int64_t
db_last_id(struct db *db)
{
    return sqlite3_last_insert_rowid(db->handle);
}

int64_t
db_changes(struct db *db)
{
    return sqlite3_total_changes64(db->handle);
}

void
db_time_limit(struct db *db, int64_t ms)
{
    db->deadline_ns = ms > 0 ? now_ns() + ms * 1000000 : 0;
    sqlite3_progress_handler(db->handle, STEPS_PER_LOOK, ms > 0 ? past_deadline : NULL,
                             db);
}

/* Pragmas that only tell something, whatever their argument. */
static bool
pragma_is_harmless(const char *name)
{
    static const char *const names[] = {
        "table_info",  "table_xinfo",    "table_list",    "index_list",      "index_info",
        "index_xinfo", "collation_list", "function_list", "compile_options",
    };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (sqlite3_stricmp(name, names[i]) == 0)
            return true;
    return false;
}

/* Called by SQLite while it prepares a statement, for each thing that it would do. */
static int
authorize(void *data, int action, const char *a, const char *b, const char *schema,
          const char *trigger)
{
    (void)data;
    (void)schema;
    (void)trigger;
    switch (action) {
    case SQLITE_SELECT:
    case SQLITE_READ:
    case SQLITE_RECURSIVE:
        return SQLITE_OK;
    case SQLITE_FUNCTION: /* b is its name */
        return sqlite3_stricmp(b, "load_extension") == 0 ? SQLITE_DENY : SQLITE_OK;
    case SQLITE_PRAGMA:
        return pragma_is_harmless(a) ? SQLITE_OK : SQLITE_DENY;
    default:
        return SQLITE_DENY;
    }
}

/* Tables that are functions declare themselves to SQLite at their first use, which would be
 * refused then; those that are not compiled in are none to use.
 */
static void
prepare_table_functions(struct db *db)
{
    static const char *const statements[] = {
        "SELECT 1 FROM json_each('[]')",
        "SELECT 1 FROM json_tree('[]')",
        "SELECT 1 FROM pragma_table_info('sqlite_schema')",
        "SELECT 1 FROM pragma_table_xinfo('sqlite_schema')",
        "SELECT 1 FROM pragma_table_list",
    };

    for (size_t i = 0; i < sizeof statements / sizeof *statements; i++)
        db_exec(db, statements[i]);
}

int
db_restrict(struct db *db)
{
    prepare_table_functions(db);
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, NULL);
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_limit(db->handle, SQLITE_LIMIT_ATTACHED, 0);
    return error_of(sqlite3_set_authorizer(db->handle, authorize, NULL));
}
