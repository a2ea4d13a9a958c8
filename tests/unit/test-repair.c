/* SPDX-License-Identifier: Apache-2.0 */
/* Databases that are damaged in each way, and at random; the failure of one is repeated with
 *
 *     REPAIR_SEED=17 REPAIR_COUNT=1 tests/unit/test-repair --filter 'repair/at_random*'
 */
#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "db.h"
#include "repair.h"

enum { PAGE = 4096, ROWS = 400, LOGGED = 60, LONG = 9000, FILE_MAX = 4 << 20 };

static char folder[32], path[64];
static struct why why;
static struct repair_done done;

static void
setup(void)
{
    strcpy(folder, "/tmp/sonde-XXXXXX");
    cr_assert(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/a.db", folder);
}

static void
empty_folder(void)
{
    DIR *dir = opendir(folder);
    struct dirent *entry;

    while ((entry = readdir(dir)))
        unlinkat(dirfd(dir), entry->d_name, 0);
    closedir(dir);
}

static void
teardown(void)
{
    empty_folder();
    rmdir(folder);
}

TestSuite(repair, .init = setup, .fini = teardown, .timeout = 60);

/* ---- a database, as ours are ---- */

static const char schema[] =
    "CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;"
    "INSERT INTO meta VALUES('schema', '3');"
    "CREATE TABLE scans(id INTEGER PRIMARY KEY AUTOINCREMENT, application TEXT NOT NULL,"
    " cpu REAL);"
    "CREATE INDEX scans_open ON scans(application);"
    "CREATE TABLE tickets(stamp TEXT NOT NULL, n INTEGER NOT NULL, state TEXT NOT NULL"
    " DEFAULT '?', records TEXT, PRIMARY KEY(stamp, n));"
    "CREATE TABLE records(application TEXT, kind TEXT, key TEXT, digest BLOB, data TEXT,"
    " PRIMARY KEY(application, kind, key)) WITHOUT ROWID;";

static const char *const tables[] = {"scans",           "tickets",   "records", "meta",
                                     "sqlite_sequence", "of_others", NULL};

static int
make(struct db *db, void *arg, struct why *reason)
{
    (void)arg;
    return db_exec(db, schema) < 0 ? why_set(reason, -EIO, "%s", db_error(db)) : 0;
}

static const struct repair_plan plan = {.tables = tables, .schema = 3, .make = make};

/* The text of row i: mostly short, sometimes longer than a page. */
static const char *
text_of(int i)
{
    static char text[LONG + 1];
    size_t n = i % 37 == 0 ? LONG : 20 + (size_t)i % 100;

    for (size_t k = 0; k < n; k++)
        text[k] = (char)('a' + (i + (int)k) % 26);
    text[n] = '\0';
    return text;
}

enum { SCAN, TICKET, RECORD, N_TABLES };
static const char *const inserts[] = {
    "INSERT INTO scans VALUES(?1, ?2, ?1 / 4.0)",
    "INSERT INTO tickets VALUES(?2, ?1, 'QUEUED', ?3)",
    "INSERT INTO records VALUES('inv', ?2, 'key' || ?1, zeroblob(16), ?3)",
};
/* Is row i there, with all that was put in? */
static const char *const lookups[] = {
    "SELECT application = ?2 AND cpu = ?1 / 4.0 AND ?3 <> '' FROM scans WHERE id = ?1",
    "SELECT state = 'QUEUED' AND records = ?3 FROM tickets WHERE stamp = ?2 AND n = ?1",
    ("SELECT digest = zeroblob(16) AND data = ?3 FROM records WHERE application = 'inv'"
     " AND kind = ?2 AND key = 'key' || ?1"),
};

/* Every third i is in the first table, and so on. */
static int
put_row(struct db *db, int i)
{
    char word[32];

    snprintf(word, sizeof word, "word%d", i % 7);
    return db_run(db, inserts[i % N_TABLES], i % N_TABLES == SCAN ? "is" : "iss",
                  (int64_t)i, word, text_of(i));
}

static bool
has_row(struct db *db, int i)
{
    struct db_rows *rows = NULL;
    char word[32];
    bool has;

    snprintf(word, sizeof word, "word%d", i % 7);
    has = db_query(db, &rows, lookups[i % N_TABLES], "iss", (int64_t)i, word,
                   text_of(i)) == 0 &&
          db_next(rows) == 1 && db_int(rows, 0) == 1;
    db_rows_done(rows);
    return has;
}

static size_t
contents(const char *file, unsigned char **ret)
{
    FILE *f = fopen(file, "re");
    size_t n;

    *ret = malloc(FILE_MAX);
    n = f ? fread(*ret, 1, FILE_MAX, f) : 0;
    if (f)
        fclose(f);
    return n;
}

static void
put_file(const char *file, const unsigned char *bytes, size_t n)
{
    FILE *f = fopen(file, "we");

    cr_assert_eq(fwrite(bytes, 1, n, f), n);
    cr_assert_eq(fclose(f), 0);
}

static void
copy_file(const char *from, const char *to)
{
    unsigned char *bytes;
    size_t n = contents(from, &bytes);

    put_file(to, bytes, n);
    free(bytes);
}

static const char *
with(const char *name, const char *end)
{
    static char text[4][PATH_MAX + 16];
    static int at;

    at = (at + 1) % 4;
    snprintf(text[at], sizeof text[at], "%s%s", name, end);
    return text[at];
}

static void
fill(struct db *db, int first, int last)
{
    for (int i = first; i <= last; i++)
        cr_assert_eq(put_row(db, i), 1, "%s", db_error(db));
}

/* The three files of a database, with ROWS rows in the file, and `logged` more in a log that a
 * killed writer left.
 */
struct files {
    unsigned char *bytes[3];
    size_t n[3];
};
static const char *const ends[] = {"", "-wal", "-shm"};

static void
make_files(int logged, struct files *ret)
{
    struct db *db = NULL;

    cr_assert_eq(db_open(path, false, &db), 0);
    cr_assert_eq(make(db, NULL, &why), 0, "%s", why.text);
    cr_assert_eq(db_exec(db, "BEGIN"), 0);
    fill(db, 1, ROWS);
    cr_assert_eq(db_exec(db, "COMMIT; PRAGMA wal_checkpoint(TRUNCATE)"), 0);
    fill(db, ROWS + 1, ROWS + logged);
    for (int i = 0; logged && i < 3; i++)
        ret->n[i] = contents(with(path, ends[i]), &ret->bytes[i]);
    db_close(db);
    for (int i = 0; !logged && i < 3; i++)
        ret->n[i] = contents(with(path, ends[i]), &ret->bytes[i]);
}

static void
made(int logged)
{
    static struct files all[2];
    struct files *files = &all[logged > 0];

    if (!files->bytes[0])
        make_files(logged, files);
    for (int i = 0; i < 3; i++)
        put_file(with(path, ends[i]), files->bytes[i], files->n[i]);
}

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

/* How many of the rows 1 to last are there. */
static int
rows_there(const char *file, int last)
{
    struct db *db = NULL;
    int n = 0;

    cr_assert_eq(db_open(file, false, &db), 0, "%s", db_error(NULL));
    for (int i = 1; i <= last; i++)
        n += has_row(db, i);
    db_close(db);
    return n;
}

/* ---- damages ---- */

static void
overwrite(const char *file, int64_t at, const void *bytes, size_t n)
{
    int fd = open(file, O_WRONLY);

    cr_assert_eq(pwrite(fd, bytes, n, at), (ssize_t)n);
    close(fd);
}

static void
overwrite_page(int page, int byte)
{
    unsigned char bytes[PAGE];

    memset(bytes, byte, sizeof bytes);
    overwrite(path, (int64_t)(page - 1) * PAGE, bytes, sizeof bytes);
}

static int64_t
size_of(const char *file)
{
    struct stat st;

    return stat(file, &st) < 0 ? -1 : st.st_size;
}

static void
check_is(int expected, const char *words)
{
    int r;

    why.text[0] = '\0';
    r = repair_check(path, &why);
    cr_expect_eq(r, expected, "%d: %s", r, why.text);
    cr_expect(strstr(why.text, words), "%s", why.text);
}

/* It is found, kept as it is, and what takes its place is in order. */
static void
is_repaired(void)
{
    unsigned char *before[2], *after[2];
    size_t n[2];
    int r;

    n[0] = contents(path, &before[0]);
    n[1] = contents(with(path, "-wal"), &before[1]);
    check_is(-EUCLEAN, "damaged");
    r = repair_database(path, &plan, &done, &why);
    cr_assert_eq(r, 0, "%s", why.text);
    for (int i = 0; i < 2; i++) {
        cr_expect_eq(contents(with(done.aside, i ? "-wal" : ""), &after[i]), n[i]);
        cr_expect_eq(memcmp(before[i], after[i], n[i]), 0, "it is not what it was");
        free(before[i]);
        free(after[i]);
    }
    check_is(0, "");
    cr_expect_lt(access(with(path, ".repair"), F_OK), 0);
    cr_expect_lt(access(with(path, ".repaired"), F_OK), 0);
    cr_expect_lt(access(with(path, ".repair-wal"), F_OK), 0);
}

/* ---- what is in order ---- */

Test(repair, what_is_in_order_is_left_alone)
{
    unsigned char *before, *after;
    size_t n;

    check_is(0, ""); /* not there */
    made(LOGGED);
    n = contents(path, &before);
    check_is(0, "");
    cr_expect_eq(contents(path, &after), n);
    cr_expect_eq(memcmp(before, after, n), 0);
    free(before);
    free(after);
    cr_expect_eq(rows_there(path, ROWS + LOGGED), ROWS + LOGGED);
    check_is(0, ""); /* after a clean close */
}

Test(repair, an_empty_file_is_a_new_one)
{
    close(open(path, O_WRONLY | O_CREAT, 0600));
    check_is(0, "");
}

Test(repair, a_log_without_an_index_is_in_order)
{
    made(LOGGED);
    unlink(with(path, "-shm"));
    check_is(0, "");
    cr_expect_eq(rows_there(path, ROWS + LOGGED), ROWS + LOGGED);
}

Test(repair, a_damaged_index_of_the_log_is_made_again)
{
    char garbage[3000];

    made(LOGGED);
    memset(garbage, 0x5a, sizeof garbage);
    overwrite(with(path, "-shm"), 0, garbage, sizeof garbage);
    check_is(0, "");
    cr_expect_eq(rows_there(path, ROWS + LOGGED), ROWS + LOGGED);
}

Test(repair, a_log_that_ends_in_a_transaction_is_in_order)
{
    int64_t size;

    made(LOGGED);
    size = size_of(with(path, "-wal"));
    cr_assert_eq(truncate(with(path, "-wal"), size - 100), 0);
    check_is(0, "");
    cr_expect_eq(rows_there(path, ROWS + LOGGED), ROWS + LOGGED - 1);
}

Test(repair, what_is_no_file_is_not_looked_at)
{
    mkfifo(path, 0600);
    check_is(-EPERM, "regular file");
}

/* ---- each kind of damage ---- */

Test(repair, a_damaged_head_costs_no_row)
{
    static const struct {
        int at;
        unsigned char byte;
    } rows[] = {{0, 'X'}, {15, 1}, {16, 0x20}, {17, 7},   {18, 9},  {18, 0}, {19, 9},
                {20, 1},  {21, 0}, {22, 1},    {23, 255}, {31, 99}, {44, 7}, {47, 9},
                {52, 1},  {55, 2}, {56, 1},    {59, 2},   {59, 3},  {67, 1}};

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        made(i % 2 ? LOGGED : 0);
        unlink(with(path, "-shm"));
        overwrite(path, rows[i].at, &rows[i].byte, 1);
        /* What the log has newer may be the head itself. */
        if (repair_check(path, &why) == 0)
            cr_expect(i % 2, "byte %d", rows[i].at);
        else
            is_repaired();
        cr_expect_eq(rows_there(path, ROWS), ROWS, "byte %d", rows[i].at);
        empty_folder();
    }
}

Test(repair, a_first_page_that_is_gone_costs_no_row)
{
    static const int bytes[] = {0, 0xff, 'x'};

    for (int i = 0; i < 3; i++) {
        made(0);
        overwrite_page(1, bytes[i]);
        is_repaired();
        cr_expect_eq(rows_there(path, ROWS), ROWS);
        empty_folder();
    }
}

Test(repair, a_file_may_end_at_any_page)
{
    made(0);
    copy_file(path, with(folder, "/whole"));
    for (int64_t size = size_of(path) - PAGE; size > 0; size -= PAGE) {
        int pages, n;

        empty_folder();
        made(0);
        cr_assert_eq(truncate(path, size), 0);
        is_repaired();
        n = rows_there(path, ROWS);
        pages = (int)(size / PAGE);
        cr_expect_geq(n, pages - 12, "%d pages: %d rows", pages, n);
    }
}

Test(repair, a_file_may_end_in_a_page)
{
    made(0);
    cr_assert_eq(truncate(path, size_of(path) - 1000), 0);
    is_repaired();
    cr_expect_gt(rows_there(path, ROWS), ROWS * 8 / 10);
}

/* Interior pages lead to others, which are found without them. */
Test(repair, a_page_that_is_gone_costs_only_its_own_rows)
{
    struct db *db = NULL;
    int64_t scans;

    made(0);
    cr_assert_eq(db_open(path, false, &db), 0);
    scans = number(db, "SELECT rootpage FROM sqlite_schema WHERE name = 'scans'");
    db_close(db);
    for (int64_t pages = size_of(path) / PAGE, page = 1; page <= pages; page++) {
        int lost;

        empty_folder();
        made(0);
        overwrite_page((int)page, page % 2 ? 0 : 0xa5);
        is_repaired();
        lost = ROWS - rows_there(path, ROWS);
        /* All scans are in one page. */
        cr_expect_leq(lost, page == scans ? ROWS / 3 : 50, "page %d: %d rows", (int)page,
                      lost);
    }
}

Test(repair, garbage_in_a_leaf_costs_the_rows_under_it)
{
    made(0);
    /* The last page of the last table: cells grow from its end. */
    overwrite(path, size_of(path) - 600, "\xff\xff\xff\xff\xff\xff\xff\xff\xff", 9);
    if (repair_check(path, &why) == -EUCLEAN)
        is_repaired();
    cr_expect_geq(rows_there(path, ROWS), ROWS - 3);
}

Test(repair, what_follows_a_damage_in_the_log_is_kept)
{
    const int64_t frame = PAGE + 24;

    for (int i = 0; i < 8; i++) {
        int64_t at = 32 + frame * (4 * i) + (i % 2 ? 200 : 12);

        made(LOGGED);
        overwrite(with(path, "-wal"), at, "\1\2\3\4\5\6\7", 7);
        is_repaired();
        cr_expect_geq(rows_there(path, ROWS + LOGGED), ROWS + LOGGED - 70, "at %lld",
                      (long long)at);
        /* The newest rows, of which SQLite would have taken none. */
        struct db *db = NULL;

        cr_assert_eq(db_open(path, false, &db), 0);
        for (int k = 0; k < 10; k++)
            cr_expect(has_row(db, ROWS + LOGGED - k), "frame %d: row %d", 4 * i, k);
        db_close(db);
        empty_folder();
    }
}

Test(repair, a_log_without_its_head_is_kept)
{
    static const int places[] = {0, 4, 8, 16, 24};

    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        made(LOGGED);
        overwrite(with(path, "-wal"), places[i], "\xaa\xbb", 2);
        is_repaired();
        cr_expect_geq(rows_there(path, ROWS + LOGGED), ROWS + LOGGED - 1, "byte %d",
                      places[i]);
        empty_folder();
    }
}

Test(repair, an_emptied_file_is_no_new_one_while_its_log_has_rows)
{
    made(LOGGED);
    cr_assert_eq(truncate(path, 0), 0);
    is_repaired();
    cr_expect_geq(rows_there(path, ROWS + LOGGED), LOGGED / 2);
}

Test(repair, a_text_file_is_kept_aside)
{
    FILE *f = fopen(path, "w");

    for (int i = 0; i < 1000; i++)
        fputs("not a database\n", f);
    fclose(f);
    is_repaired();
    cr_expect_eq(done.rows, 0);
    f = fopen(path, "w");
    fputs("short", f);
    fclose(f);
    is_repaired();
}

/* ---- what is never lost, and never comes back ---- */

Test(repair, numbers_that_were_given_stay_given)
{
    struct db *db = NULL;

    made(0);
    cr_assert_eq(db_open(path, false, &db), 0);
    cr_assert_eq(db_exec(db, "UPDATE sqlite_sequence SET seq = 5000"), 0);
    db_close(db);
    overwrite(path, 0, "X", 1);
    is_repaired();
    cr_assert_eq(db_open(path, false, &db), 0);
    cr_expect_eq(number(db, "SELECT seq FROM sqlite_sequence"), 5000);
    cr_expect_eq(number(db, "SELECT count(*) FROM sqlite_sequence"), 1);
    db_close(db);
}

Test(repair, deleted_rows_do_not_come_back)
{
    struct db *db = NULL;

    made(0);
    cr_assert_eq(db_open(path, false, &db), 0);
    cr_assert_eq(db_exec(db, "PRAGMA secure_delete = 0; DELETE FROM records"), 0);
    db_close(db);
    overwrite(path, 40, "\xff", 1);
    overwrite(path, 0, "X", 1);
    is_repaired();
    cr_assert_eq(db_open(path, false, &db), 0);
    cr_expect_eq(number(db, "SELECT count(*) FROM records"), 0);
    cr_expect_eq(number(db, "SELECT count(*) FROM tickets"), ROWS / 3 + 1);
    db_close(db);
}

Test(repair, a_newer_one_is_not_touched)
{
    struct db *db = NULL;
    int64_t size;

    made(0);
    cr_assert_eq(db_open(path, false, &db), 0);
    cr_assert_eq(db_exec(db, "UPDATE meta SET value = '4' WHERE key = 'schema'"), 0);
    db_close(db);
    check_is(0, "");
    overwrite(path, 18, "\xff", 1);
    size = size_of(path);
    cr_expect_eq(repair_database(path, &plan, &done, &why), -ENOTSUP);
    cr_expect(strstr(why.text, "is newer than this program"), "%s", why.text);
    cr_expect_eq(size_of(path), size);
    check_is(-EUCLEAN, "");
}

Test(repair, an_older_one_gives_the_columns_that_both_have)
{
    struct db *db = NULL;

    cr_assert_eq(db_open(path, false, &db), 0);
    cr_assert_eq(
        db_exec(db, "CREATE TABLE tickets(n INTEGER NOT NULL, old TEXT, stamp TEXT NOT"
                    " NULL, PRIMARY KEY(stamp, n));"
                    "INSERT INTO tickets VALUES(7, 'x', '20261125040000');"
                    "ALTER TABLE tickets ADD COLUMN records TEXT;"
                    "INSERT INTO tickets VALUES(8, 'x', '20261125040000', '{}')"),
        0);
    db_close(db);
    overwrite(path, 0, "X", 1);
    is_repaired();
    cr_assert_eq(db_open(path, false, &db), 0);
    cr_expect_eq(number(db, "SELECT count(*) FROM tickets WHERE stamp = '20261125040000'"
                            " AND state = '?' AND (n = 7) = (records IS NULL)"),
                 2);
    db_close(db);
}

static int
mend(struct db *db, void *arg, struct why *reason)
{
    *(int *)arg += 1;
    (void)reason;
    return db_exec(db, "DELETE FROM tickets WHERE n > 100");
}

Test(repair, rows_are_mended_before_anybody_sees_them)
{
    int called = 0;
    struct repair_plan mending = plan;
    struct db *db = NULL;

    mending.mend = mend;
    mending.arg = &called;
    made(0);
    overwrite(path, 0, "X", 1);
    cr_assert_eq(repair_database(path, &mending, &done, &why), 0, "%s", why.text);
    cr_expect_eq(called, 1);
    cr_assert_eq(db_open(path, false, &db), 0);
    cr_expect_eq(number(db, "SELECT max(n) FROM tickets"), 100);
    db_close(db);
}

Test(repair, one_that_cannot_be_made_leaves_the_damaged_one)
{
    static const char *const none[] = {NULL};
    struct repair_plan bad = {.tables = none, .schema = 3, .make = make, .mend = NULL};
    int64_t size;

    made(0);
    overwrite(path, 0, "X", 1);
    size = size_of(path);
    mkdir(with(path, ".repair"), 0700);
    cr_expect_lt(repair_database(path, &bad, &done, &why), 0);
    cr_expect(strstr(why.text, "not repaired"), "%s", why.text);
    rmdir(with(path, ".repair"));
    cr_expect_eq(size_of(path), size);
    check_is(-EUCLEAN, "damaged");
}

/* The renames, cut off after each of them. */
/* What was copied to PATH.cut is all there is. */
static void
empty_but_cut(void)
{
    static const char *const gone[] = {"", "-wal", "-shm"};

    for (int i = 0; i < 3; i++)
        unlink(with(path, gone[i]));
    cr_assert_eq(rename(with(path, ".cut"), path), 0);
    cr_assert_eq(rename(with(path, ".cut-wal"), with(path, "-wal")), 0);
}

/* Pages of the last transaction that never came to the disk, though its end did: power was lost
 * before the commit had returned, so nobody was told of it.
 */
Test(repair, a_transaction_that_power_loss_tore_is_no_damage)
{
    static const unsigned char zeros[24 + PAGE];
    struct db *db = NULL;
    int64_t first;
    int last;

    made(LOGGED);
    cr_assert_eq(db_open(path, false, &db), 0);
    fill(db, ROWS + LOGGED + 1, ROWS + LOGGED + 1); /* it recovers the log */
    first = size_of(with(path, "-wal"));
    cr_assert_eq(db_exec(db, "BEGIN"), 0);
    last = ROWS + LOGGED + 200;
    fill(db, ROWS + LOGGED + 2, last);
    cr_assert_eq(db_exec(db, "COMMIT"), 0);
    cr_assert_gt(size_of(with(path, "-wal")), first + 10 * (int64_t)sizeof zeros);
    copy_file(path, with(path, ".cut"));
    copy_file(with(path, "-wal"), with(path, ".cut-wal"));
    db_close(db);
    empty_but_cut();
    overwrite(with(path, "-wal"), first + 3 * (int64_t)sizeof zeros, zeros, sizeof zeros);
    check_is(0, "");
    cr_expect_eq(rows_there(path, last), ROWS + LOGGED + 1);
}

Test(repair, an_interrupted_one_is_finished)
{
    for (int cut = 0; cut <= 3; cut++) {
        made(LOGGED);
        overwrite(path, 0, "X", 1);
        copy_file(path, with(path, ".as-it-was"));
        copy_file(with(path, "-wal"), with(path, ".as-it-was-wal"));
        copy_file(with(path, "-shm"), with(path, ".as-it-was-shm"));
        overwrite(path, 40, "\xff", 1);
        cr_assert_eq(repair_database(path, &plan, &done, &why), 0);
        rename(path, with(path, ".repaired"));
        for (int i = cut; i < 3; i++) {
            char from[80];

            snprintf(from, sizeof from, "%s.as-it-was%s", path, ends[i]);
            rename(from, with(path, ends[i]));
        }
        check_is(-EUCLEAN, "interrupted");
        cr_assert_eq(repair_database(path, &plan, &done, &why), 0, "%s", why.text);
        cr_expect_eq(done.rows, -1);
        for (int i = 0; i < 3; i++)
            cr_expect_eq(access(with(done.aside, ends[i]), F_OK), 0, "cut %d: %s%s", cut,
                         done.aside, ends[i]);
        check_is(0, "");
        cr_expect_eq(rows_there(path, ROWS + LOGGED), ROWS + LOGGED, "cut %d", cut);
        empty_folder();
    }
}

Test(repair, the_newest_three_are_kept)
{
    char asides[6][PATH_MAX];

    made(0);
    for (int i = 0; i < 6; i++) {
        overwrite(path, 0, "X", 1);
        cr_assert_eq(repair_database(path, &plan, &done, &why), 0);
        snprintf(asides[i], PATH_MAX, "%s", done.aside);
    }
    close(open(with(path, ".damaged-by-hand"), O_CREAT | O_WRONLY, 0600));
    cr_assert_eq(repair_database(path, &plan, &done, &why), 0);
    for (int i = 0; i < 6; i++)
        cr_expect_eq(access(asides[i], F_OK) == 0, i >= 4, "%s", asides[i]);
    cr_expect_eq(access(done.aside, F_OK), 0);
    cr_expect_eq(access(with(path, ".damaged-by-hand"), F_OK), 0);
}

/* ---- at random ---- */

static uint64_t state;

static int64_t
below(int64_t n)
{
    state ^= state << 13; /* xorshift64 */
    state ^= state >> 7;
    state ^= state << 17;
    return (int64_t)((state >> 11) % (uint64_t)n);
}

/* One damage of the file or its log. */
static void
damage(void)
{
    const char *file =
        below(4) == 0 && size_of(with(path, "-wal")) > 0 ? with(path, "-wal") : path;
    int64_t size = size_of(file), at, n;
    static unsigned char bytes[3 * PAGE];

    if (size <= 0)
        return;
    at = below(6) == 0 ? below(size < 2048 ? size : 2048) : below(size);
    n = 1 + below(below(2) ? 8 : below(2) ? 200 : 3 * PAGE);
    n = n > size - at ? size - at : n;
    for (int64_t i = 0; i < n; i++)
        bytes[i] = (unsigned char)below(256);
    switch (below(6)) {
    case 0:
        memset(bytes, 0, sizeof bytes);
        break;
    case 1: /* a whole page */
        at -= at % PAGE;
        n = size - at < PAGE ? size - at : PAGE;
        break;
    case 2:
        cr_assert_eq(truncate(file, at), 0);
        return;
    }
    overwrite(file, at, bytes, (size_t)n);
}

/* Which rows a lookup by its key still reads, on a copy. */
static int
rows_readable(bool readable[ROWS + LOGGED + 1], int last)
{
    const char *copy = with(folder, "/copy.db");
    struct db *db = NULL;
    int n = 0;

    memset(readable, 0, ROWS + LOGGED + 1);
    copy_file(path, copy);
    if (size_of(with(path, "-wal")) >= 0)
        copy_file(with(path, "-wal"), with(folder, "/copy.db-wal"));
    if (db_open(copy, false, &db) < 0)
        return 0;
    for (int i = 1; i <= last; i++)
        n += readable[i] = has_row(db, i);
    db_close(db);
    return n;
}

Test(repair, at_random_all_that_can_be_read_is_kept)
{
    const char *seed = getenv("REPAIR_SEED"), *count = getenv("REPAIR_COUNT");
    uint64_t first = seed ? strtoull(seed, NULL, 10) : 1;
    int n = count ? atoi(count) : 150, found = 0, more = 0, read = 0;
    bool readable[ROWS + LOGGED + 1];

    for (uint64_t s = first; s < first + (uint64_t)n; s++) {
        int last, was, is = 0;
        struct db *db = NULL;

        state = (s + 1) * UINT64_C(0x9e3779b97f4a7c15);
        for (int i = 0; i < 8; i++)
            below(2);
        last = below(2) ? ROWS : ROWS + LOGGED;
        made(last - ROWS);
        for (int64_t i = 1 + below(3); i > 0; i--)
            damage();
        if (repair_check(path, &why) == -EUCLEAN) {
            found++;
            was = rows_readable(readable, last);
            is_repaired();
            cr_assert_eq(db_open(path, false, &db), 0, "%s", db_error(NULL));
            for (int i = 1; i <= last; i++) {
                bool has = has_row(db, i);

                is += has;
                cr_expect(has || !readable[i], "REPAIR_SEED=%llu REPAIR_COUNT=1: row %d",
                          (unsigned long long)s, i);
            }
            db_close(db);
            more += is > was;
            read += was > 0;
        }
        empty_folder();
    }
    fprintf(stderr,
            "%d damages from REPAIR_SEED=%llu on: %d found; SQLite reads something of %d,"
            " more was kept of %d\n",
            n, (unsigned long long)first, found, read, more);
    cr_expect(count || (found > n / 2 && more > 0 && read > 0));
}
