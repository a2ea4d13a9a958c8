/* SPDX-License-Identifier: Apache-2.0 */
/* Files of a repair: PATH.repair is being filled, PATH.repaired is whole and on disk: from then
 * on all that is missing are the renames, and whoever comes next does them.
 */
#include "repair.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "aside.h"
#include "cleanup.h"
#include "dbfile.h"
#include "salvage.h"
#include "sync-folder.h"

enum { CHECK_MS = 120000 };

static void
file_close_p(struct dbfile **file)
{
    dbfile_close(*file);
}

static void
db_close_p(struct db **db)
{
    db_close(*db);
}

static int
path_with(char ret[PATH_MAX], const char *path, const char *end)
{
    return snprintf(ret, PATH_MAX, "%s%s", path, end) < PATH_MAX ? 0 : -ENAMETOOLONG;
}

/* 1: a repair of it has all but its renames; 0: not; or -errno. */
static int
is_pending(const char *path, struct stat *ret)
{
    char repaired[PATH_MAX];
    int r = path_with(repaired, path, ".repaired");

    if (r < 0)
        return r;
    if (lstat(repaired, ret) < 0)
        return errno == ENOENT ? 0 : -errno;
    return S_ISREG(ret->st_mode) && ret->st_uid == geteuid() ? 1 : -EPERM;
}

bool
repair_is_pending(const char *path)
{
    struct stat st;

    return is_pending(path, &st) != 0;
}

/* ---- is it in order? ---- */

/* What SQLite does not say of its own: the head, and what it would leave out of the log. */
static int
check_bytes(const char *path, bool *ret_empty, struct why *why)
{
    cleanup(file_close_p) struct dbfile *file = NULL;
    int r = dbfile_open(path, DBFILE_NEWEST, &file);

    *ret_empty = r == -ENOENT;
    if (r == -ENOENT)
        return 0;
    if (r == -EINVAL || r == -ELOOP)
        return why_set(why, -EPERM, "%s: is no regular file", path);
    if (r < 0)
        return why_set(why, r, "%s: cannot be read: %s", path, strerror(-r));
    *ret_empty = dbfile_is_empty(file);
    if (!*ret_empty && dbfile_trouble(file))
        return why_set(why, -EUCLEAN, "%s: damaged: %s", path, dbfile_trouble(file));
    return 0;
}

/* For a reader there must be a -shm file when there is a log; SQLite trusts nothing in it. */
static int
open_reader(const char *path, struct db **ret)
{
    char shm[PATH_MAX];
    int r = db_open_readonly(path, ret), fd;

    if (r != -ENOENT || path_with(shm, path, "-shm") < 0)
        return r;
    fd = open(shm, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
    if (fd < 0)
        return r;
    close(fd);
    return db_open_readonly(path, ret);
}

static int
check_rows(const char *path, struct why *why)
{
    cleanup(db_close_p) struct db *db = NULL;
    cleanup(db_rows_done_p) struct db_rows *rows = NULL;
    int r = open_reader(path, &db);

    if (r == 0) {
        db_time_limit(db, CHECK_MS);
        r = db_query(db, &rows, "PRAGMA integrity_check(1)", "");
    }
    if (r == 0)
        r = db_next(rows);
    if (r == 1 && db_text(rows, 0, NULL) && strcmp(db_text(rows, 0, NULL), "ok") == 0)
        return 0;
    if (r == 1)
        return why_set(why, -EUCLEAN, "%s: damaged: %.200s", path,
                       db_text(rows, 0, NULL) ? db_text(rows, 0, NULL) : "?");
    if (r == 0)
        r = -EUCLEAN;
    return why_set(why, r, "%s: %s%s", path, r == -EUCLEAN ? "damaged: " : "",
                   db_error(db));
}

int
repair_check(const char *path, struct why *why)
{
    struct stat st;
    bool empty = false;
    int r = is_pending(path, &st);

    if (r < 0)
        return why_set(why, r, "%s.repaired: %s", path,
                       r == -EPERM ? "is no file of ours; remove it" : strerror(-r));
    if (r == 1)
        return why_set(why, -EUCLEAN, "%s: its repair was interrupted", path);
    r = check_bytes(path, &empty, why);
    return r < 0 || empty ? r : check_rows(path, why);
}

/* ---- a fresh one ---- */

/* Remove what an earlier repair has left of its work. */
static int
remove_work(const char *work)
{
    static const char *const ends[] = {"-wal", "-shm", "-journal", ""};
    char path[PATH_MAX];
    int r = 0;

    for (size_t i = 0; r == 0 && i < sizeof ends / sizeof *ends; i++) {
        r = path_with(path, work, ends[i]);
        if (r == 0 && unlink(path) < 0 && errno != ENOENT)
            r = -errno;
    }
    return r;
}

/* The file is on disk when this returns 0. */
static int
sync_file(const char *path)
{
    cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);

    return fd < 0 || fsync(fd) < 0 ? -errno : 0;
}

/* Nobody else sees it: without a log the file alone is all, and what is lost in a crash is made
 * again.
 */
static int
without_log(struct db *db)
{
    cleanup(db_rows_done_p) struct db_rows *rows = NULL;
    int r = db_query(db, &rows, "PRAGMA journal_mode=DELETE", "");

    if (r == 0)
        r = db_next(rows);
    if (r == 1 && strcmp(db_text(rows, 0, NULL), "delete") != 0)
        r = -EBUSY;
    return r < 0 ? r : db_exec(db, "PRAGMA synchronous=OFF");
}

/* What one view of the file has: 1 when there is more in another one. */
static int
copy_view(struct db *db, const char *path, enum dbfile_view view,
          const struct repair_plan *plan, int64_t *ret_rows, struct why *why)
{
    cleanup(file_close_p) struct dbfile *file = NULL;
    int64_t rows = 0;
    int r = dbfile_open(path, view, &file);

    if (r < 0)
        return why_set(why, r, "%s", strerror(-r));
    r = salvage_tables(file, db, plan->tables, &rows, why);
    *ret_rows += rows;
    return r < 0 ? r : dbfile_log_is_damaged(file);
}

/* What is newest, then what was valid before a damage in the log: pages that rows have left may
 * be on disk when those that they went to are not.
 */
static int
copy_rows(struct db *db, const char *path, const struct repair_plan *plan,
          int64_t *ret_rows, struct why *why)
{
    int r;

    *ret_rows = 0;
    r = copy_view(db, path, DBFILE_NEWEST, plan, ret_rows, why);
    if (r > 0)
        r = copy_view(db, path, DBFILE_AS_SQLITE, plan, ret_rows, why);
    return r < 0 ? r : 0;
}

/* Tables and rows, in one transaction. */
static int
fill(struct db *db, const char *path, const struct repair_plan *plan, int64_t *ret_rows,
     struct why *why)
{
    int r = without_log(db);

    if (r == 0)
        r = db_exec(db, "BEGIN");
    if (r < 0)
        return why_set(why, r, "%s", db_error(db));
    r = plan->make(db, plan->arg, why);
    if (r >= 0)
        r = copy_rows(db, path, plan, ret_rows, why);
    if (r >= 0 && plan->mend)
        r = plan->mend(db, plan->arg, why);
    if (r < 0)
        return r;
    r = db_exec(db, "COMMIT");
    return r < 0 ? why_set(why, r, "%s", db_error(db)) : 0;
}

static int
check_version(const char *path, const struct repair_plan *plan, struct why *why)
{
    cleanup(file_close_p) struct dbfile *file = NULL;
    int r = dbfile_open(path, DBFILE_NEWEST, &file);
    int64_t schema = r < 0 ? 0 : salvage_meta(file, "schema");

    if (r < 0)
        return why_set(why, r, "%s", strerror(-r));
    if (schema > plan->schema)
        return why_set(why, -ENOTSUP,
                       "its schema %lld is newer than this program, which knows %lld",
                       (long long)schema, (long long)plan->schema);
    return 0;
}

static int
build(const char *path, const char *work, const struct repair_plan *plan,
      int64_t *ret_rows, struct why *why)
{
    struct db *db = NULL;
    cleanup_fd int fd = -1; /* others may write the folder: made by us, it stays ours */
    int r = check_version(path, plan, why);

    if (r < 0)
        return r;
    r = remove_work(work);
    if (r < 0)
        return why_set(why, r, "%s: %s", work, strerror(-r));
    fd = open(work, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0)
        return why_set(why, -errno, "%s: %s", work, strerror(errno));
    r = db_open(work, false, &db);
    if (r < 0)
        return why_set(why, r, "%s", db_error(NULL));
    r = fill(db, path, plan, ret_rows, why);
    db_close(db);
    return r;
}

/* Fill PATH.repair, and make it PATH.repaired. */
static int
prepare(const char *path, const struct repair_plan *plan, int64_t *ret_rows,
        struct why *why)
{
    char work[PATH_MAX], repaired[PATH_MAX];
    int r = path_with(work, path, ".repair");

    if (r == 0)
        r = path_with(repaired, path, ".repaired");
    if (r < 0)
        return why_set(why, r, "%s", strerror(-r));
    r = build(path, work, plan, ret_rows, why);
    if (r == 0) {
        r = sync_file(work);
        if (r == 0 && rename(work, repaired) < 0)
            r = -errno;
        if (r == 0)
            r = sync_folder_of(path);
        if (r < 0)
            why_put(why, "%s.repair: %s", path, strerror(-r));
    }
    remove_work(work);
    return r;
}

/* The renames; they may have been begun before. */
static int
finish(const char *path, char ret_aside[PATH_MAX], struct why *why)
{
    char repaired[PATH_MAX];
    struct stat st;
    int r = is_pending(path, &st);

    if (r == 1)
        r = aside_move(path, st.st_mtime, ret_aside);
    if (r == 0)
        r = path_with(repaired, path, ".repaired");
    if (r == 0 && rename(repaired, path) < 0)
        r = -errno;
    if (r == 0)
        r = sync_folder_of(path);
    if (r < 0)
        return why_set(why, r, "it cannot be moved aside: %s", strerror(-r));
    aside_bound(path, ret_aside);
    return 0;
}

int
repair_database(const char *path, const struct repair_plan *plan, struct repair_done *ret,
                struct why *why)
{
    struct why reason = {""};
    struct stat st;
    int r = is_pending(path, &st);

    *ret = (struct repair_done){.rows = -1};
    if (r < 0)
        why_put(&reason, "%s", strerror(-r));
    else if (r == 0)
        r = prepare(path, plan, &ret->rows, &reason);
    if (r >= 0)
        r = finish(path, ret->aside, &reason);
    if (r < 0)
        return why_set(why, r, "%.150s: damaged, and not repaired: %.300s", path,
                       reason.text);
    return 0;
}
