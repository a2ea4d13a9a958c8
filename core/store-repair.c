/* SPDX-License-Identifier: Apache-2.0 */
#include "store-repair.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sodium.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cleanup.h"
#include "json-check.h"
#include "repair.h"
#include "store-schema.h"

enum { LOCK_MS = 120000, LOCK_STEP_MS = 20, DIGEST_SIZE = 16 };

/* Numbers of scans that no host reaches; as in stored.c. */
#define SCANS "(id BETWEEN 1 AND 4294967295)"

/* ---- the lock ---- */

/* Its folder can be written by the group: the lock must be a file of ours. */
static int
lock_open(const char *path, struct why *why)
{
    char file[PATH_MAX];
    cleanup_fd int fd = -1;
    struct stat st;

    if (snprintf(file, sizeof file, "%s.lock", path) >= PATH_MAX)
        return why_set(why, -ENAMETOOLONG, "store: %.200s: the path is too long", path);
    fd = open(file, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
    if (fd < 0 && errno != ELOOP && errno != EACCES)
        return why_set(why, -errno, "store: %s: %s", file, strerror(errno));
    if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_uid != geteuid())
        return why_set(why, -EPERM, "store: %s is no file of user %u; remove it", file,
                       geteuid());
    return steal_fd(&fd);
}

static int
lock_take(int fd, short type, struct why *why)
{
    const struct timespec step = {0, LOCK_STEP_MS * 1000000L};
    struct flock lock = {.l_type = type, .l_whence = SEEK_SET};

    for (int i = 0; fcntl(fd, F_OFD_SETLK, &lock) < 0; i++) {
        if (errno != EACCES && errno != EAGAIN && errno != EINTR)
            return why_set(why, -errno, "store: its lock: %s", strerror(errno));
        if (i >= LOCK_MS / LOCK_STEP_MS)
            return why_set(why, -EBUSY, "store: others have used it for %d s",
                           LOCK_MS / 1000);
        nanosleep(&step, NULL);
    }
    return 0;
}

int
store_lock(const char *path, struct why *why)
{
    cleanup_fd int fd = lock_open(path, why);
    int r = fd < 0 ? fd : lock_take(fd, F_RDLCK, why);

    return r < 0 ? r : steal_fd(&fd);
}

/* ---- what is kept ---- */

static int
make(struct db *fresh, void *arg, struct why *why)
{
    (void)arg;
    return store_make(fresh, why);
}

/* Is it an object, or null? */
static bool
is_flat(struct db_rows *rows, int column)
{
    size_t len;
    const char *text = db_text(rows, column, &len);

    return !text || json_check_flat(text, len, NULL) == 0;
}

static bool
has_its_digest(struct db_rows *rows, int digest, int data)
{
    unsigned char is[DIGEST_SIZE];
    size_t len, digest_len;
    const char *text = db_text(rows, data, &len);
    const void *was = db_blob(rows, digest, &digest_len);

    if (!text || !was || digest_len != sizeof is)
        return false;
    crypto_generichash(is, sizeof is, (const unsigned char *)text, len, NULL, 0);
    return memcmp(is, was, sizeof is) == 0;
}

/* A record whose text is not what was stored would stay so: the next scan compares digests. */
static bool
record_is_good(struct db_rows *rows)
{
    return has_its_digest(rows, 3, 4) && is_flat(rows, 4) && is_flat(rows, 5);
}

static bool
change_is_good(struct db_rows *rows)
{
    return is_flat(rows, 4) && is_flat(rows, 5);
}

static const struct {
    const char *query;
    bool (*is_good)(struct db_rows *rows);
    const char *delete;
} checks[] = {
    {"SELECT application, kind, key, digest, data, volatile FROM records", record_is_good,
     "DELETE FROM records WHERE application = ? AND kind = ? AND key = ? AND ? IS NOT "
     "NULL"},
    {"SELECT application, kind, key, scan, before, after FROM changes", change_is_good,
     "DELETE FROM changes WHERE application = ? AND kind = ? AND key = ? AND scan = ?"},
};

/* Take out the rows that say themselves that they are damaged. */
static int
check_each(struct db *db, size_t i)
{
    cleanup(db_rows_done_p) struct db_rows *rows = NULL;
    int r = db_query(db, &rows, checks[i].query, "");

    while (r >= 0 && (r = db_next(rows)) == 1) {
        if (checks[i].is_good(rows))
            continue;
        r = db_run(db, checks[i].delete, "sssi", db_text(rows, 0, NULL),
                   db_text(rows, 1, NULL), db_text(rows, 2, NULL), db_int(rows, 3));
    }
    return r;
}

/* Without one it belongs to the root of the next scan. */
static int
root_mend(struct db *db)
{
    cleanup(db_rows_done_p) struct db_rows *rows = NULL;
    int r = db_query(db, &rows, "SELECT value FROM meta WHERE key = 'root_id'", "");

    if (r == 0)
        r = db_next(rows);
    if (r != 1 || (db_text(rows, 0, NULL) && store_root_is_valid(db_text(rows, 0, NULL))))
        return r < 0 ? r : 0;
    return db_run(db, "DELETE FROM meta WHERE key = 'root_id'", "");
}

static int
mend(struct db *fresh, void *arg, struct why *why)
{
    int r =
        db_exec(fresh, "DELETE FROM scans WHERE NOT " SCANS
                       " OR application IS NULL OR outcome IS NULL;"
                       "DELETE FROM changes WHERE change IS NULL OR change NOT IN"
                       " ('added', 'changed', 'removed')"
                       " OR scan NOT BETWEEN 1 AND 4294967295;"
                       "INSERT OR IGNORE INTO scans (id, application, outcome, reason,"
                       " ended, added, changed, removed) SELECT scan,"
                       " min(application), 'INCOMPLETE', 'its entry was damaged',"
                       " (SELECT ended FROM scans AS s WHERE s.id < changes.scan"
                       "  ORDER BY id DESC LIMIT 1), sum(change = 'added'),"
                       " sum(change = 'changed'), sum(change = 'removed')"
                       " FROM changes WHERE scan NOT IN (SELECT id FROM scans)"
                       " GROUP BY scan");

    (void)arg;
    for (size_t i = 0; r >= 0 && i < sizeof checks / sizeof *checks; i++)
        r = check_each(fresh, i);
    if (r >= 0)
        r = root_mend(fresh);
    return r < 0 ? why_set(why, r, "%s", db_error(fresh)) : 0;
}

static const char *const tables[] = {"meta",     "scans",   "records",
                                     "coverage", "changes", NULL};

/* ---- check and repair ---- */

static int
repair(const char *path, const char *what, struct why *ret_words, struct why *why)
{
    const struct repair_plan plan = {
        .tables = tables, .schema = store_schema(), .make = make, .mend = mend};
    struct repair_done done;
    const char *aside;
    mode_t mask = umask(027);
    int r = sodium_init() < 0 ? why_set(why, -EIO, "libsodium does not start")
                              : repair_database(path, &plan, &done, why);

    umask(mask);
    if (r < 0)
        return r;
    aside = strrchr(done.aside, '/') ? strrchr(done.aside, '/') + 1 : done.aside;
    if (done.rows < 0)
        why_put(ret_words, "%.250s; finished, and the damaged file is kept as %.150s",
                what, aside);
    else
        why_put(ret_words,
                "%.250s; %" PRId64 " rows could be read and are in a fresh one, and the"
                " damaged file is kept as %.150s",
                what, done.rows, aside);
    return 1;
}

int
store_repair(const char *path, int lock, bool force, struct why *ret_words,
             struct why *why)
{
    struct why what = {""};
    int r = lock_take(lock, F_UNLCK, why); /* or two of us would wait for each other */

    if (r == 0)
        r = lock_take(lock, F_WRLCK, why);
    if (r < 0)
        return r;
    r = store_files_check(path, &what);
    if (r == 0)
        r = repair_check(path, &what);
    if (r == 0 && force) {
        why_put(&what, "%s: damaged", path);
        r = -EUCLEAN;
    }
    if (r == -EUCLEAN)
        r = repair(path, what.text, ret_words, why);
    else if (r < 0)
        why_put(why, "%s", what.text);
    if (lock_take(lock, F_RDLCK, NULL) < 0 && r >= 0)
        return why_set(why, -EBUSY, "store: its lock is lost");
    return r;
}

int
store_check(const char *path, FILE *out, struct why *why)
{
    cleanup_fd int lock = store_lock(path, why);
    struct why words = {"good"};
    int r = lock < 0 ? lock : store_files_check(path, why);

    if (r == 0)
        r = repair_check(path, why);
    if (r == -EUCLEAN)
        r = store_repair(path, lock, false, &words, why);
    if (r < 0)
        return r;
    return fprintf(out, "%s\n", words.text) < 0 ? -EIO : 0;
}
