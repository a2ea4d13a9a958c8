/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "db.h"

/* A folder with a name that a URI must quote, and a database in it. */
static char folder[64], path[128];

static void
setup(void)
{
    strcpy(folder, "/tmp/sonde db?%41#\xc3\xa9-XXXXXX");
    cr_assert(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/a b.db", folder);
}

static void
teardown(void)
{
    static const char *const ends[] = {"", "-wal", "-shm", "-copy"};
    char file[256];

    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        snprintf(file, sizeof file, "%s%s", path, ends[i]);
        unlink(file);
    }
    rmdir(folder);
}

TestSuite(db, .init = setup, .fini = teardown);

/* A database with one table t(a, b) and the row (1, 'one'). */
static struct db *
made(void)
{
    struct db *db = NULL;

    cr_assert_eq(db_open(path, true, &db), 0, "%s", db_error(NULL));
    cr_assert_eq(db_exec(db, "CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT)"), 0);
    cr_assert_eq(db_run(db, "INSERT INTO t VALUES (?, ?)", "is", (int64_t)1, "one"), 1);
    return db;
}

/* The one number of a query, or its error. */
static int64_t
number(struct db *db, const char *sql)
{
    struct db_rows *rows = NULL;
    int r = db_query(db, &rows, sql, "");
    int64_t value;

    if (r == 0)
        r = db_next(rows);
    value = r == 1 ? db_int(rows, 0) : r;
    db_rows_done(rows);
    return value;
}

static int
files_in_folder(void)
{
    DIR *dir = opendir(folder);
    int n = 0;

    while (readdir(dir))
        n++;
    closedir(dir);
    return n - 2;
}

Test(db, values_come_back_as_they_went_in)
{
    struct db *db = made();
    struct db_rows *rows = NULL;
    size_t len;

    cr_assert_eq(db_exec(db, "CREATE TABLE v (s, t, i, f, b, n, e)"), 0);
    cr_assert_eq(db_run(db, "INSERT INTO v VALUES (?, ?, ?, ?, ?, ?, ?)", "stifbst",
                        "text", "part", (size_t)2, INT64_MIN, 0.5, "\0\1", (size_t)2,
                        NULL, "", (size_t)0),
                 1);
    cr_assert_eq(db_query(db, &rows, "SELECT * FROM v", ""), 0);
    cr_assert_eq(db_next(rows), 1);
    cr_expect_eq(db_columns(rows), 7);
    cr_expect_str_eq(db_column_name(rows, 3), "f");
    cr_expect_str_eq(db_text(rows, 0, NULL), "text");
    cr_expect_str_eq(db_text(rows, 1, &len), "pa");
    cr_expect_eq(len, 2);
    cr_expect_eq(db_int(rows, 2), INT64_MIN);
    cr_expect_eq(db_real(rows, 3), 0.5);
    cr_expect_eq(memcmp(db_blob(rows, 4, &len), "\0\1", 2), 0);
    cr_expect_eq(len, 2);
    cr_expect_null(db_text(rows, 5, &len));
    cr_expect_eq(len, 0);
    cr_expect_str_eq(db_text(rows, 6, NULL), "");
    for (int i = 0; i < 7; i++)
        cr_expect_eq(db_type(rows, i), "ssifbns"[i]);
    cr_expect_eq(db_next(rows), 0);
    db_rows_done(rows);
    db_rows_done(NULL);
    db_close(db);
    db_close(NULL);
}

Test(db, a_kept_statement_runs_again)
{
    struct db *db = made();
    struct db_rows *rows = NULL;

    cr_assert_eq(db_query(db, &rows, "INSERT INTO t VALUES (?, ?)", ""), 0);
    for (int64_t i = 1; i <= 3; i++) {
        cr_expect_eq(db_rebind(rows, "is", i, "x"), 0);
        cr_expect_eq(db_next(rows), i == 1 ? -EEXIST : 0);
    }
    db_rows_done(rows);
    cr_expect_eq(number(db, "SELECT count(*) FROM t"), 3);
    cr_expect_eq(db_last_id(db), 3);
    db_close(db);
}

Test(db, arguments_can_be_bound_one_by_one)
{
    struct db *db = NULL;
    struct db_rows *rows = NULL;

    cr_assert_eq(db_open_memory(&db), 0);
    cr_assert_eq(db_query(db, &rows, "SELECT ?, ?, ?", ""), 0);
    cr_assert_eq(db_rebind(rows, "i", (int64_t)7), 0);
    cr_assert_eq(db_bind(rows, 2, 't', "part", (size_t)2), 0);
    cr_expect_eq(db_bind(rows, 4, 'f', 0.5), -EINVAL);
    cr_assert_eq(db_next(rows), 1);
    cr_expect_eq(db_int(rows, 0), 7);
    cr_expect_str_eq(db_text(rows, 1, NULL), "pa");
    cr_expect_eq(db_type(rows, 2), 'n');
    db_rows_done(rows);
    db_close(db);
}

Test(db, a_format_that_is_not_known_is_damage)
{
    struct db *db = made();
    int fd;

    db_close(db);
    fd = open(path, O_WRONLY);
    cr_assert_eq(pwrite(fd, "\7", 1, 47), 1); /* the schema's */
    close(fd);
    cr_expect_eq(db_open_readonly(path, &db), -EUCLEAN);
}

Test(db, run_tells_how_many_rows_changed)
{
    struct db *db = made();

    cr_expect_eq(db_run(db, "INSERT INTO t VALUES (2, 'x'), (3, 'x')", ""), 2);
    cr_expect_eq(db_run(db, "UPDATE t SET b = 'y' WHERE b = ?", "s", "x"), 2);
    cr_expect_eq(db_run(db, "SELECT * FROM t", ""), 0);
    cr_expect_eq(db_run(db, "CREATE TABLE u (a)", ""), 0);
    cr_expect_eq(db_run(db, "DELETE FROM t WHERE a > ?", "i", (int64_t)99), 0);
    db_close(db);
}

Test(db, failures_have_their_numbers)
{
    struct db *db = made(), *other = NULL;
    struct db_rows *rows = NULL;

    cr_expect_eq(db_run(db, "INSERT INTO t VALUES (1, '')", ""), -EEXIST);
    cr_expect(strstr(db_error(db), "UNIQUE"), "%s", db_error(db));
    cr_expect_eq(db_exec(db, "SELEKT"), -EINVAL);
    cr_expect_eq(db_run(db, "SELECT 1; SELECT 2", ""), -EINVAL);
    cr_expect_eq(db_run(db, "", ""), -EINVAL);
    cr_expect_eq(db_run(db, "SELECT 1", "i", (int64_t)1), -EINVAL);
    cr_expect_eq(db_query(db, &rows, "SELECT * FROM nowhere", ""), -EINVAL);
    cr_expect_eq(db_open("/nowhere/x.db", true, &other), -ENOENT);
    cr_expect_str_not_empty(db_error(NULL));
    cr_expect_eq(db_open_readonly("/nowhere/x.db", &other), -ENOENT);
    db_close(db);
    cr_assert_eq(truncate(path, 0), 0);
    cr_assert_eq(truncate(path, 8192), 0);
    cr_expect_eq(db_open_readonly(path, &other), -EUCLEAN);
    cr_expect_eq(db_open(path, true, &other), -EUCLEAN);
}

Test(db, a_damaged_file_is_called_damaged)
{
    struct db *db = made();
    int fd;

    db_close(db);
    fd = open(path, O_WRONLY);
    /* The table's page, not the head of the file. */
    cr_assert_eq(pwrite(fd, "garbage garbage garbage garbage", 31, 4096), 31);
    close(fd);
    cr_assert_eq(db_open_readonly(path, &db), 0);
    cr_expect_eq(number(db, "SELECT b FROM t"), -EUCLEAN);
    db_close(db);
}

Test(db, the_wal_stays_and_is_empty_after_a_clean_close)
{
    struct stat st;
    char wal[160];

    db_close(made());
    snprintf(wal, sizeof wal, "%s-wal", path);
    cr_assert_eq(stat(wal, &st), 0);
    cr_expect_eq(st.st_size, 0);
}

Test(db, a_reader_cannot_write_and_makes_no_file)
{
    struct db *db = NULL;
    char copy[160], command[512];

    db_close(made());
    cr_assert_eq(files_in_folder(), 3);
    cr_assert_eq(db_open_readonly(path, &db), 0);
    cr_expect_eq(number(db, "SELECT a FROM t"), 1);
    cr_expect_eq(db_exec(db, "DELETE FROM t"), -EROFS);
    cr_expect_eq(files_in_folder(), 3);
    db_close(db);

    /* A copy of the file alone. */
    snprintf(copy, sizeof copy, "%s-copy", path);
    snprintf(command, sizeof command, "cp '%s' '%s'", path, copy);
    cr_assert_eq(system(command), 0);
    cr_assert_eq(db_open_readonly(copy, &db), 0, "%s", db_error(NULL));
    cr_expect_eq(number(db, "SELECT a FROM t"), 1);
    db_close(db);
    cr_expect_eq(files_in_folder(), 4);
}

/* What another user reads: sum(a), or an error.  The group is all that he has. */
static int
read_as_another(void)
{
    pid_t pid = fork();
    int status;

    if (pid == 0) {
        struct db *db = NULL;
        int r;

        if (setgroups(0, NULL) < 0 || setgid(65533) < 0 || setuid(65534) < 0)
            _exit(200);
        r = db_open_readonly(path, &db);
        _exit(r < 0 ? 201 : (int)number(db, "SELECT sum(a) FROM t"));
    }
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    return WEXITSTATUS(status);
}

static void
for_group_only(void)
{
    char command[512];

    if (geteuid() != 0)
        cr_skip_test("needs root");
    snprintf(command, sizeof command,
             "chgrp -R 65533 '%s' && chmod 0750 '%s' && chmod 0640 '%s'*", folder, folder,
             path);
    cr_assert_eq(system(command), 0);
}

Test(db, another_user_reads_after_a_clean_close)
{
    db_close(made());
    for_group_only();
    cr_expect_eq(read_as_another(), 1);
    cr_expect_eq(files_in_folder(), 3);
}

Test(db, another_user_reads_beside_an_open_transaction)
{
    struct db *db = made();

    for_group_only();
    cr_assert_eq(db_exec(db, "BEGIN IMMEDIATE; INSERT INTO t VALUES (40, 'forty')"), 0);
    cr_expect_eq(read_as_another(), 1);
    cr_assert_eq(db_exec(db, "COMMIT"), 0);
    cr_expect_eq(read_as_another(), 41);
    db_close(db);
    cr_expect_eq(read_as_another(), 41);
}

Test(db, another_user_reads_after_the_writer_was_killed)
{
    pid_t pid = fork();
    int status;

    if (pid == 0) {
        struct db *db = made();

        db_exec(db, "INSERT INTO t VALUES (40, 'forty')");
        db_exec(db, "BEGIN IMMEDIATE; INSERT INTO t VALUES (100, 'never')");
        kill(getpid(), SIGKILL);
    }
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    cr_assert(WIFSIGNALED(status));
    for_group_only();
    cr_expect_eq(read_as_another(), 41);
    cr_expect_eq(files_in_folder(), 3);
}

/* The state between the head of a WAL and its first frame. */
Test(db, a_reader_reads_after_a_writer_was_killed_before_its_first_frame)
{
    char wal[sizeof path + 8];
    pid_t pid = fork();
    struct db *db, *writer;
    struct db_rows *rows = NULL;
    int status;

    if (pid == 0) {
        db_close(made());
        db_open(path, true, &db);
        db_exec(db, "INSERT INTO t VALUES (40, 'forty')");
        db_exec(db, "PRAGMA wal_checkpoint");
        kill(getpid(), SIGKILL);
    }
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    snprintf(wal, sizeof wal, "%s-wal", path);
    cr_assert_eq(truncate(wal, 32), 0);
    cr_assert_eq(db_open_readonly(path, &db), 0, "%s", db_error(NULL));
    cr_expect_eq(number(db, "SELECT sum(a) FROM t"), 41);
    cr_assert_eq(db_open(path, true, &writer), 0);
    cr_expect_eq(db_exec(writer, "INSERT INTO t VALUES (100, 'more')"), 0);
    cr_assert_eq(db_query(writer, &rows, "PRAGMA wal_checkpoint", ""), 0);
    cr_assert_eq(db_next(rows), 1);
    cr_expect_eq(db_int(rows, 2), 0, "no page goes into what is being read");
    db_rows_done(rows);
    db_close(writer);
    cr_expect_eq(number(db, "SELECT sum(a) FROM t"), 41, "it reads what it read");
    db_close(db);
    cr_assert_eq(db_open_readonly(path, &db), 0, "%s", db_error(NULL));
    cr_expect_eq(number(db, "SELECT sum(a) FROM t"), 141);
    db_close(db);
}

Test(db, restricted_statements_read_and_do_nothing_else)
{
    static const struct {
        const char *sql;
        bool good;
    } rows[] = {
        {"SELECT a, upper(b) FROM t", true},
        {"WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 5)"
         " SELECT x FROM c",
         true},
        {"SELECT json_extract('{\"a\":1}', '$.a')", true},
        {"SELECT value FROM json_each('[1,2]')", true},
        {"SELECT name FROM pragma_table_info('t')", true},
        {"PRAGMA table_info(t)", true},
        {"EXPLAIN SELECT a FROM t", true},
        {"INSERT INTO t VALUES (2, '')", false},
        {"UPDATE t SET b = ''", false},
        {"DELETE FROM t", false},
        {"DROP TABLE t", false},
        {"CREATE TABLE u (a)", false},
        {"CREATE TEMP TABLE u (a)", false},
        {"CREATE VIRTUAL TABLE u USING fts5(a)", false},
        {"ATTACH '/tmp/sonde-never.db' AS x", false},
        {"VACUUM INTO '/tmp/sonde-never.db'", false},
        {"BEGIN", false},
        {"PRAGMA journal_mode = DELETE", false},
        {"PRAGMA writable_schema = 1", false},
        {"PRAGMA temp_store_directory = '/tmp'", false},
        {"SELECT load_extension('x')", false},
    };
    struct db *db = made();

    cr_assert_eq(db_restrict(db), 0);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int r = db_run(db, rows[i].sql, "");

        cr_expect(rows[i].good ? r == 0 : r == -EPERM || r == -EINVAL, "%s: %d %s",
                  rows[i].sql, r, db_error(db));
    }
    cr_expect_eq(access("/tmp/sonde-never.db", F_OK), -1);
    db_close(db);
}

Test(db, a_statement_without_end_is_interrupted)
{
    struct db *db = made();

    db_time_limit(db, 50);
    cr_expect_eq(number(db,
                        "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c)"
                        " SELECT count(*) FROM c"),
                 -ETIMEDOUT);
    db_time_limit(db, 0);
    cr_expect_eq(number(db, "SELECT count(*) FROM t"), 1);
    db_close(db);
}
