/* SPDX-License-Identifier: Apache-2.0 */
/* sonde.db, read only. */
#include <errno.h>
#include <linux/limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "cli.h"
#include "json-check.h"

enum { TIME_LIMIT_MS = 30000, SCHEMA = 1 /* as in store-schema.c */ };

/* Is it a store that this program can read?  0, or an exit code. */
static int
check_schema(struct db *db, const char *path)
{
    struct db_rows *rows = NULL;
    int64_t schema = 0;
    int r = db_query(db, &rows,
                     "SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'schema'", "");

    if (r == 0 && (r = db_next(rows)) == 1)
        schema = db_int(rows, 0);
    db_rows_done(rows);
    if (r == 0 || r == -EINVAL) /* the first scan is about to make its tables */
        return cli_fail(EXIT_NO_INPUT, "no scan has been stored yet (%s is empty)", path);
    if (r < 0)
        return results_fail(db, r);
    if (schema > SCHEMA)
        return cli_fail(EXIT_BAD_DATA,
                        "%s: its schema %lld is newer than this program, which knows %d",
                        path, (long long)schema, SCHEMA);
    return 0;
}

int
results_open(const struct cli *cli, struct db **ret)
{
    char path[PATH_MAX];
    int r;

    snprintf(path, sizeof path, "%s/results/sonde.db", cli->conf.paths.state);
    if (access(path, R_OK) < 0) {
        if (errno == EACCES)
            return cli_fail(EXIT_NOT_PERMITTED,
                            "not permitted to read %s: ask as root or as a member of the "
                            "group %s",
                            path, cli->conf.agent.group);
        return cli_fail(EXIT_NO_INPUT, "no scan has been stored yet (%s: %s)", path,
                        strerror(errno));
    }
    r = db_open_readonly(path, ret);
    if (r < 0)
        return results_fail(NULL, r);
    db_time_limit(*ret, TIME_LIMIT_MS);
    r = db_restrict(*ret);
    return r < 0 ? results_fail(*ret, r) : check_schema(*ret, path);
}

int
results_fail(struct db *db, int r)
{
    if (r == -ETIMEDOUT)
        return cli_fail(EXIT_REFUSED_FOR_NOW, "the question took longer than %d s",
                        TIME_LIMIT_MS / 1000);
    if (r == -EINVAL)
        return cli_fail(EXIT_USAGE_ERROR, "%s",
                        strcmp(db_error(db), "not an error") == 0
                            ? "one statement is wanted, neither none nor several"
                            : db_error(db));
    if (r == -EPERM)
        return cli_fail(EXIT_USAGE_ERROR, "%s: results can only be read", db_error(db));
    if (r == -EBUSY)
        return cli_fail(EXIT_REFUSED_FOR_NOW, "results: %s; try again", db_error(db));
    if (r == -EUCLEAN)
        return cli_fail(EXIT_BAD_DATA, "the results are damaged: %s", db_error(db));
    return cli_fail(EXIT_UNAVAILABLE, "results: %s", db_error(db));
}

/* The one number of a query: 0, or an exit code. */
static int
one_number(struct db *db, const char *sql, const char *text, int64_t *ret)
{
    struct db_rows *rows = NULL;
    int r = db_query(db, &rows, sql, "s", text);

    *ret = 0;
    if (r >= 0 && (r = db_next(rows)) == 1)
        *ret = db_int(rows, 0);
    db_rows_done(rows);
    return r < 0 ? results_fail(db, r) : 0;
}

int
results_newest_scan(struct db *db, int64_t *ret)
{
    return one_number(db, "SELECT max(id) FROM scans WHERE ?1 IS NULL", NULL, ret);
}

int
results_first_scan(struct db *db, const char *application, int64_t *ret)
{
    return one_number(db,
                      "SELECT min(id) FROM scans WHERE ?1 IS NULL OR application = ?1",
                      application, ret);
}

static void
copy_text(char *ret, size_t size, const char *text)
{
    snprintf(ret, size, "%s", text ? text : "");
}

int
results_scan(struct db *db, int64_t id, struct stored_scan *ret)
{
    struct db_rows *rows = NULL;
    int r = db_query(db, &rows,
                     "SELECT id, application, ended, outcome, added, changed, removed"
                     " FROM scans WHERE id = ?",
                     "i", id);

    *ret = (struct stored_scan){.id = 0};
    if (r >= 0 && (r = db_next(rows)) == 1) {
        ret->id = db_int(rows, 0);
        copy_text(ret->application, sizeof ret->application, db_text(rows, 1, NULL));
        cli_local_time(db_text(rows, 2, NULL), ret->ended);
        copy_text(ret->outcome, sizeof ret->outcome, db_text(rows, 3, NULL));
        ret->added = db_int(rows, 4);
        ret->changed = db_int(rows, 5);
        ret->removed = db_int(rows, 6);
    }
    db_rows_done(rows);
    return r < 0 ? results_fail(db, r) : 0;
}

int
results_merge(const char *data, const char *vol, char **ret)
{
    cleanup_free char *text = NULL;

    if (!data)
        return -EBADMSG;
    if (!vol || strcmp(vol, "{}") == 0)
        text = strdup(data);
    else if (strcmp(data, "{}") == 0)
        text = strdup(vol);
    else if (!data[0] || asprintf(&text, "%.*s,%s", (int)strlen(data) - 1, data,
                                  vol + (vol[0] == '{')) < 0)
        text = NULL;
    if (!text || json_check_flat(text, strlen(text), NULL) < 0)
        return -EBADMSG;
    *ret = steal_ptr(&text);
    return 0;
}
