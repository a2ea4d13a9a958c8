/* SPDX-License-Identifier: Apache-2.0 */
/* sonde.db when it is damaged, and what of its past is kept. */
#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "db.h"
#include "store-history.h"
#include "store-repair.h"
#include "store-scan.h"
#include "store-schema.h"

TestSuite(store_repair, .init = scan_setup, .fini = scan_teardown);

/* The one damaged database that is kept aside: its name, or "" when there is none. */
static const char *
aside(void)
{
    static char name[512];
    DIR *dir = opendir(folder);
    struct dirent *entry;
    int n = 0;

    name[0] = '\0';
    while ((entry = readdir(dir)))
        if (strncmp(entry->d_name, "sonde.db.damaged-", 17) == 0 &&
            !strstr(entry->d_name, "-wal") && !strstr(entry->d_name, "-shm")) {
            snprintf(name, sizeof name, "%s/%s", folder, entry->d_name);
            n++;
        }
    closedir(dir);
    cr_expect_leq(n, 1);
    return name;
}

static void
overwrite(const char *file, int64_t at, const char *bytes)
{
    int fd = open(file, O_RDWR);

    cr_assert_eq(pwrite(fd, bytes, strlen(bytes), at), (ssize_t)strlen(bytes));
    close(fd);
}

/* What the reason of the last scan says about it. */
static void
expect_repaired(void)
{
    const char *name = strrchr(aside(), '/');

    cr_assert(name);
    cr_expect(strstr(json_get_str(said, "reason"), "damaged"), "%s",
              json_get_str(said, "reason"));
    cr_expect(strstr(json_get_str(said, "reason"), name + 1), "%s",
              json_get_str(said, "reason"));
    cr_expect_str_eq(json_get_str(said, "outcome"), "DONE");
    expect_query("SELECT reason LIKE '%damaged%' FROM scans ORDER BY id DESC LIMIT 1",
                 "1");
    expect_query("PRAGMA integrity_check", "ok");
}

Test(store_repair, a_database_of_others_is_kept_aside)
{
    struct db *db = NULL;
    struct db_rows *rows = NULL;

    change_database("CREATE TABLE theirs (a)");
    packages(0, 2, "1.0");
    stored(END_DONE);
    expect_repaired();
    expect_query("SELECT count(*) FROM records", "2");
    cr_assert_eq(db_open_readonly(aside(), &db), 0);
    cr_assert_eq(db_query(db, &rows, "SELECT count(*) FROM theirs", ""), 0);
    cr_expect_eq(db_next(rows), 1);
    db_rows_done(rows);
    db_close(db);
}

/* The table of records is under the scan's feet: it is found while the scan is being stored. */
Test(store_repair, a_damaged_database_is_repaired_and_the_scan_stored)
{
    int64_t before, n;

    packages(0, 400, "1.0");
    covers("package");
    stored(END_DONE);
    for (int page = 8; page < 11; page++)
        overwrite(path, 4096 * page, "garbage garbage");
    packages(0, 400, "1.0");
    covers("package");
    stored(END_DONE);
    expect_repaired();
    before = json_get_int(json_get(said, "changes"), "added", -1);
    cr_expect(before > 0 && before < 150, "%d were lost", (int)before);
    expect_query("SELECT count(*), count(DISTINCT key) FROM records", "400|400");
    expect_query("SELECT id, application FROM scans", "1|inv\n2|inv");
    expect_query("SELECT * FROM meta ORDER BY key", "root_id|root-1\nschema|1");
    packages(0, 400, "1.0");
    covers("package");
    stored(END_DONE);
    n = json_get_int(json_get(said, "changes"), "added", -1);
    cr_expect_eq(n, 0);
    cr_expect_str_eq(json_get_str(said, "reason"), "");
}

Test(store_repair, a_file_that_is_no_database_is_kept_aside)
{
    FILE *f = fopen(path, "w");
    struct stat st;

    for (int i = 0; i < 1000; i++)
        fputs("not a database\n", f);
    fclose(f);
    packages(0, 2, "1.0");
    stored(END_DONE);
    expect_repaired();
    cr_assert_eq(stat(aside(), &st), 0);
    cr_expect_eq(st.st_size, 15000);
    cr_assert_eq(stat(path, &st), 0);
    cr_expect_eq(st.st_mode & 0777, 0640);
}

/* What the digest says is not what was stored goes; the next scan brings it again. */
Test(store_repair, a_record_that_is_not_what_was_stored_is_not_kept)
{
    packages(0, 40, "1.0");
    covers("package");
    stored(END_DONE);
    change_database(
        "UPDATE records SET data = '{\"name\":\"q\"}' WHERE key = 'dpkg/p7/all';"
        "UPDATE records SET volatile = 'x' WHERE key = 'dpkg/p8/all';"
        "UPDATE changes SET after = '{' WHERE key = 'dpkg/p9/all'");
    overwrite(path, 0, "X");
    packages(0, 40, "1.0");
    covers("package");
    stored(END_DONE);
    expect_repaired();
    expect_said("DONE", 2, 0, 0);
    expect_query("SELECT count(*) FROM records WHERE data LIKE '%\"q\"%'", "0");
    expect_query("SELECT count(*) FROM changes WHERE scan = 1", "39");
}

Test(store_repair, a_damaged_newer_database_is_refused_and_left_alone)
{
    stored(END_DONE);
    change_database("UPDATE meta SET value = 2 WHERE key = 'schema'");
    overwrite(path, 0, "X");
    cr_expect_eq(store(END_DONE, ""), -ENOTSUP);
    cr_expect(strstr(why.text, "newer than this program"), "%s", why.text);
    cr_expect_str_eq(aside(), "");
}

/* What `sonde-worker check` prints. */
static const char *
check(int expected)
{
    static char line[600];
    FILE *out = fmemopen(line, sizeof line, "w");

    why.text[0] = line[0] = '\0';
    cr_expect_eq(store_check(path, out, &why), expected, "%s", why.text);
    fclose(out);
    return line;
}

Test(store_repair, a_check_repairs_what_is_damaged)
{
    cr_expect_str_eq(check(0), "good\n"); /* not there */
    packages(0, 100, "1.0");
    covers("package");
    stored(END_DONE);
    cr_expect_str_eq(check(0), "good\n");
    overwrite(path, 16, "\x21\x21");
    cr_expect(strstr(check(0), "damaged"), "%s", check(0));
    cr_expect_str_eq(check(0), "good\n");
    expect_query("SELECT count(*) FROM records", "100");
    change_database("UPDATE meta SET value = 2 WHERE key = 'schema'");
    overwrite(path, 0, "X");
    check(-ENOTSUP);
    cr_expect(strstr(why.text, "newer"), "%s", why.text);
}

Test(store_repair, a_repair_waits_for_others)
{
    struct why words = {""};
    struct flock write = {.l_type = F_WRLCK};
    int first, second;

    stored(END_DONE);
    first = store_lock(path, &why);
    second = store_lock(path, &why);
    cr_assert(first >= 0 && second >= 0);
    cr_expect_lt(fcntl(first, F_OFD_SETLK, &write), 0, "two have it, one alone cannot");
    close(second);
    cr_expect_eq(store_repair(path, first, false, &words, &why), 0, "it is in order");
    second = store_lock(path, &why);
    cr_expect_geq(second, 0, "it is shared again");
    close(first);
    close(second);
}

Test(store_repair, a_lock_of_others_is_refused)
{
    char file[80], never[80];

    snprintf(file, sizeof file, "%s.lock", path);
    snprintf(never, sizeof never, "%s/never", folder);
    cr_assert_eq(symlink(never, file), 0);
    cr_expect_eq(store(END_DONE, ""), -EPERM);
    cr_expect(strstr(why.text, "remove it"), "%s", why.text);
    cr_expect_lt(access(never, F_OK), 0);
}

/* ---- history ---- */

/* Ten scans of kind "package", then one of another kind; versions change each time. */
static void
ten_scans(void)
{
    for (int i = 0; i < 10; i++) {
        char version[8];

        snprintf(version, sizeof version, "%d", i);
        packages(0, 50, version);
        covers("package");
        stored(END_DONE);
    }
    record("host", "h", "{}");
    covers("host");
    stored(END_DONE);
}

static int
bound(struct store_limits limits, const char *now)
{
    struct db *db = NULL;
    int n;

    cr_assert_eq(store_open(path, "root-1", &db, &why), 0, "%s", why.text);
    n = store_history_bound(db, &limits, now);
    db_close(db);
    expect_query("SELECT count(*) FROM changes WHERE scan NOT IN (SELECT id FROM scans)",
                 "0");
    expect_query("SELECT count(*) FROM records", "51");
    return n;
}

#define PLENTY (INT64_C(1) << 40)

/* All end at 2026-11-25T04:00:00Z. */
Test(store_repair, scans_that_are_too_old_go_with_their_changes)
{
    ten_scans();
    cr_expect_eq(bound((struct store_limits){400, PLENTY, 9999}, "2027-12-30T04:00:00Z"),
                 0);
    cr_expect_eq(bound((struct store_limits){400, PLENTY, 9999}, "2027-12-30T04:00:01Z"),
                 9);
    /* The last ones that covered a kind say where the records come from. */
    expect_query("SELECT id FROM scans", "10\n11");
    expect_query("SELECT DISTINCT scan FROM changes", "10\n11");
    cr_expect_eq(bound((struct store_limits){400, PLENTY, 9999}, "2999-01-01T00:00:00Z"),
                 0);
    cr_expect_eq(bound((struct store_limits){400, PLENTY, 9999}, "when?"), 0);
}

Test(store_repair, when_there_is_too_much_the_oldest_scans_go)
{
    struct store_limits limits = {400, 1, 120};

    ten_scans();
    cr_expect_eq(bound(limits, "2026-11-25T04:00:00Z"), 3, "about so many at a time");
    expect_query("SELECT min(id), count(*) FROM scans", "4|8");
    limits.rows = 1;
    cr_expect_eq(bound(limits, "2026-11-25T04:00:00Z"), 1, "one at least");
    limits.bytes = 72 * 1024;
    limits.rows = 9999;
    cr_expect_gt(bound(limits, "2026-11-25T04:00:00Z"), 0);
    cr_expect_eq(bound(limits, "2026-11-25T04:00:00Z"), 0, "then it is enough");
    expect_query("SELECT count(*) > 2 FROM scans", "1");
}

Test(store_repair, a_scan_bounds_the_history)
{
    struct store_job job = {"inv", 100,  "interval", "root-1", END_DONE, "",
                            NULL,  NULL, 0,          0,        1,        "local"};

    ten_scans();
    job.started = "2027-12-31T03:00:00Z";
    job.ended = "2027-12-31T04:00:00Z";
    packages(0, 50, "11");
    covers("package");
    cr_assert_eq(store_job(&job), 0);
    expect_query("SELECT id FROM scans", "11\n100");
}

/* A scan whose coverage was lost with its damage, one that seems to end in the future, and
 * changes whose scan is gone must not keep the others.
 */
Test(store_repair, what_is_damaged_keeps_no_other_scan)
{
    ten_scans();
    change_database("INSERT INTO coverage VALUES('inv', 'gone', NULL, 't', 1);"
                    "UPDATE scans SET ended = '2999-01-01T00:00:00Z' WHERE id = 1;"
                    "UPDATE scans SET ended = NULL WHERE id = 2");
    cr_expect_eq(bound((struct store_limits){400, PLENTY, 9999}, "2027-12-30T04:00:01Z"),
                 8);
    expect_query("SELECT id FROM scans", "1\n10\n11");
}

Test(store_repair, changes_whose_scan_was_lost_have_one_again)
{
    ten_scans();
    change_database("DELETE FROM scans WHERE id IN (3, 4)");
    overwrite(path, 0, "X");
    cr_expect(strstr(check(0), "damaged"), "%s", check(0));
    expect_query("SELECT id, application, outcome, changed FROM scans WHERE id IN (3, 4)",
                 "3|inv|INCOMPLETE|50\n4|inv|INCOMPLETE|50");
    cr_expect_eq(bound((struct store_limits){400, PLENTY, 9999}, "2027-12-30T04:00:01Z"),
                 9);
}

/* The renames are all that was missing: what is stored next goes into what was repaired. */
Test(store_repair, a_repair_that_was_cut_off_is_finished_before_anything_is_stored)
{
    char repaired[80];

    packages(0, 40, "1.0");
    covers("package");
    stored(END_DONE);
    snprintf(repaired, sizeof repaired, "%s.repaired", path);
    cr_assert_eq(rename(path, repaired), 0);
    packages(0, 41, "1.0");
    covers("package");
    stored(END_DONE);
    expect_said("DONE", 1, 0, 0);
    expect_query("SELECT id FROM scans", "1\n2");
    cr_expect_str_eq(check(0), "good\n");
    expect_query("SELECT id FROM scans", "1\n2");
}

Test(store_repair, files_of_others_beside_it_are_not_read)
{
    static const char *const ends[] = {"-wal", "-journal", ".repair"};
    char file[80];

    if (geteuid() != 0)
        cr_skip_test("needs root to give a file away");
    packages(0, 4, "1.0");
    stored(END_DONE);
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        snprintf(file, sizeof file, "%s%s", path, ends[i]);
        close(open(file, O_WRONLY | O_CREAT, 0600));
        cr_assert_eq(chown(file, 64321, 64321), 0);
        cr_expect_eq(store(END_DONE, ""), -EPERM, "%s", file);
        cr_expect(strstr(why.text, file), "%s", why.text);
        check(-EPERM);
        unlink(file);
    }
    packages(0, 4, "1.0");
    stored(END_DONE);
    expect_query("SELECT count(*) FROM records", "4");
}
