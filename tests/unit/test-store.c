/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "db.h"
#include "frame.h"
#include "json.h"
#include "store-history.h"
#include "store-repair.h"
#include "store-schema.h"
#include "store.h"

static char folder[32], path[64];
static FILE *frames;      /* of the scan that is being built */
static int64_t last_scan; /* its number */
static struct json *said; /* the summary of the last scan */
static struct why why;

static void
setup(void)
{
    strcpy(folder, "/tmp/sonde-XXXXXX");
    cr_assert(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/sonde.db", folder);
    frames = tmpfile();
}

static void
teardown(void)
{
    DIR *dir = opendir(folder);
    struct dirent *entry;

    while ((entry = readdir(dir)))
        unlinkat(dirfd(dir), entry->d_name, 0);
    closedir(dir);
    rmdir(folder);
    fclose(frames);
    json_free(said);
}

TestSuite(store, .init = setup, .fini = teardown);

/* ---- building a scan ---- */

static void
put(enum frame_type type, const char *kind, const char *key, const char *stable,
    const char *vol)
{
    struct frame f = {type,        kind,           key,        stable, vol, strlen(kind),
                      strlen(key), strlen(stable), strlen(vol)};
    char bytes[8192];

    cr_assert_leq(frame_size(&f), sizeof bytes);
    frame_write(&f, bytes);
    fwrite(bytes, 1, frame_size(&f), frames);
}

static void
record(const char *kind, const char *key, const char *stable)
{
    put(FRAME_RECORD, kind, key, stable, "");
}

static void
covers(const char *kind)
{
    put(FRAME_COVERS, kind, "", "", "");
}

/* Packages p<from> to p<to - 1> of this version. */
static void
packages(int from, int to, const char *version)
{
    for (int i = from; i < to; i++) {
        char key[32], stable[128];

        snprintf(key, sizeof key, "dpkg/p%d/all", i);
        snprintf(stable, sizeof stable,
                 "{\"arch\":\"all\",\"name\":\"p%d\",\"version\":\"%s\"}", i, version);
        record("package", key, stable);
    }
}

static int
store_job(const struct store_job *job)
{
    char *line = NULL;
    size_t size = 0;
    FILE *summary = open_memstream(&line, &size);
    int r;

    why.text[0] = '\0';
    fflush(frames);
    r = store_scan(path, fileno(frames), job, summary, &why);
    fclose(summary);
    fclose(frames);
    frames = tmpfile();
    json_free(said);
    said = NULL;
    if (r == 0) {
        cr_expect_eq(line[size - 1], '\n');
        cr_expect_eq(json_parse(line, size, &said, &why), 0, "%s: %s", why.text, line);
    }
    free(line);
    return r;
}

/* Store what was built as the next scan of inv that ended like this. */
static int
store(const char *end, const char *reason)
{
    char started[32];
    struct store_job job = {.application = "inv",
                            .scan = ++last_scan,
                            .trigger = "ondemand",
                            .root_id = "root-1",
                            .end = end,
                            .reason = reason,
                            .started = started,
                            .ended = "2026-11-25T04:00:00Z",
                            .cpu_s = 0.25,
                            .cputhrottle = 90,
                            .manifest_serial = 3,
                            .origin = "packaged"};

    snprintf(started, sizeof started, "2026-11-25T03:00:%02dZ", (int)last_scan);
    return store_job(&job);
}

static void
stored(const char *end)
{
    int r = store(end, "");

    cr_assert_eq(r, 0, "%d %s", r, why.text);
}

/* ---- looking at it ---- */

/* All rows of a query, columns with '|', rows with a line break. */
static const char *
query(const char *sql)
{
    static char text[4096];
    struct db *db = NULL;
    struct db_rows *rows = NULL;
    size_t n = 0;

    text[0] = '\0';
    cr_assert_eq(db_open_readonly(path, &db), 0, "%s", db_error(NULL));
    cr_assert_eq(db_query(db, &rows, sql, ""), 0, "%s", db_error(db));
    while (db_next(rows) == 1)
        for (int i = 0; i < db_columns(rows); i++) {
            const char *value = db_text(rows, i, NULL);

            n += (size_t)snprintf(text + n, sizeof text - n, "%s%s",
                                  i > 0   ? "|"
                                  : n > 0 ? "\n"
                                          : "",
                                  value ? value : "NULL");
        }
    db_rows_done(rows);
    db_close(db);
    return text;
}

#define expect_query(sql, expected)                                                      \
    cr_expect_str_eq(query(sql), expected, "%s", query(sql))

static void
expect_said(const char *outcome, int64_t added, int64_t changed, int64_t removed)
{
    const struct json *changes = json_get(said, "changes");

    cr_expect_str_eq(json_get_str(said, "outcome"), outcome);
    cr_expect_eq(json_get_int(changes, "added", -1), added);
    cr_expect_eq(json_get_int(changes, "changed", -1), changed);
    cr_expect_eq(json_get_int(changes, "removed", -1), removed);
}

/* ---- what is true ---- */

Test(store, a_first_scan_adds_all)
{
    packages(0, 2, "1.0");
    put(FRAME_RECORD, "host", "host", "{\"name\":\"h\"}", "{\"uptime\":5}");
    covers("package");
    covers("host");
    covers("disk");
    put(FRAME_LOG, "", "3", "words", "");
    put(FRAME_END, "", END_DONE, "", "");
    stored(END_DONE);
    expect_said("DONE", 3, 0, 0);
    cr_expect_eq(json_get_int(json_get(said, "records"), "package", -1), 2);
    cr_expect_eq(json_get_int(json_get(said, "records"), "disk", -1), 0);
    cr_expect_str_eq(json_get_str(json_first(json_get(said, "examples")), "change"),
                     "added");
    expect_query("SELECT * FROM scans",
                 "1|inv|ondemand|DONE||2026-11-25T03:00:01Z|2026-11-25T04:00:00Z|0.25|90"
                 "|packaged|3|3|0|3|0|0");
    expect_query(
        "SELECT application, kind, key, length(digest), data, volatile, first_seen,"
        " last_changed, scan FROM records WHERE kind = 'host'",
        "inv|host|host|16|{\"name\":\"h\"}|{\"uptime\":5}|2026-11-25T03:00:01Z"
        "|2026-11-25T03:00:01Z|1");
    expect_query("SELECT kind, scan, records FROM coverage",
                 "disk|1|0\nhost|1|1\npackage|1|2");
    expect_query("SELECT * FROM meta ORDER BY key", "root_id|root-1\nschema|1");
    expect_query(
        "SELECT kind, key, change, before, after FROM changes WHERE kind = 'host'",
        "host|host|added|NULL|{\"name\":\"h\"}");
}

Test(store, packages_are_a_table_for_people)
{
    record("package", "dpkg/a/all",
           "{\"arch\":\"all\",\"db\":\"dpkg\",\"name\":\"a\",\"source\":\"s\","
           "\"source_version\":\"2\",\"version\":\"1\"}");
    record("thing", "a", "{}");
    stored(END_DONE);
    expect_query("SELECT * FROM packages",
                 "a|1|all|s|2|dpkg|inv|dpkg/a/all|2026-11-25T03:00:01Z"
                 "|2026-11-25T03:00:01Z");
}

Test(store, an_unchanged_second_scan_writes_no_record)
{
    for (int i = 0; i < 2; i++) {
        packages(0, 30, "1.0");
        covers("package");
        stored(END_DONE);
    }
    expect_said("DONE", 0, 0, 0);
    expect_query("SELECT count(*), max(scan) FROM records", "30|1");
    expect_query("SELECT scan, records FROM coverage", "2|30");
    expect_query("SELECT count(*) FROM changes WHERE scan = 2", "0");
}

Test(store, changes_are_kept_with_before_and_after)
{
    packages(0, 3, "1.0");
    covers("package");
    stored(END_DONE);
    packages(1, 2, "2.0");
    packages(2, 4, "1.0");
    covers("package");
    stored(END_DONE);
    expect_said("DONE", 1, 1, 1);
    expect_query("SELECT key, change, before IS NULL, after IS NULL,"
                 " json_extract(before, '$.version'), json_extract(after, '$.version')"
                 " FROM changes WHERE scan = 2 ORDER BY key",
                 "dpkg/p0/all|removed|0|1|1.0|NULL\n"
                 "dpkg/p1/all|changed|0|0|1.0|2.0\n"
                 "dpkg/p3/all|added|1|0|NULL|1.0");
    expect_query("SELECT key, first_seen, last_changed, scan FROM records",
                 "dpkg/p1/all|2026-11-25T03:00:01Z|2026-11-25T03:00:02Z|2\n"
                 "dpkg/p2/all|2026-11-25T03:00:01Z|2026-11-25T03:00:01Z|1\n"
                 "dpkg/p3/all|2026-11-25T03:00:02Z|2026-11-25T03:00:02Z|2");
}

Test(store, volatile_text_is_kept_up_to_date_and_is_no_change)
{
    static const char *const vols[] = {"{\"up\":1}", "{\"up\":2}", ""};
    static const char *const expected[] = {"{\"up\":1}|1", "{\"up\":2}|2", "NULL|3"};

    for (int i = 0; i < 3; i++) {
        put(FRAME_RECORD, "host", "h", "{\"a\":1}", vols[i]);
        covers("host");
        stored(END_DONE);
        expect_said("DONE", i == 0, 0, 0);
        expect_query("SELECT volatile, scan FROM records", expected[i]);
    }
    expect_query("SELECT DISTINCT last_changed FROM records", "2026-11-25T03:00:01Z");
}

Test(store, a_second_record_of_the_same_key_is_dropped)
{
    record("thing", "a", "{\"n\":1}");
    record("thing", "a", "{\"n\":2}");
    record("other", "a", "{\"n\":3}");
    covers("thing");
    stored(END_DONE);
    cr_expect_eq(json_get_int(said, "dropped", -1), 1);
    expect_query("SELECT kind, data FROM records", "other|{\"n\":3}\nthing|{\"n\":1}");
    expect_query("SELECT records, dropped FROM scans", "2|1");
}

/* First scan: kinds a and b have two records each.  Then one comes back of each. */
static void
two_kinds(void)
{
    for (int i = 0; i < 2; i++) {
        record(i ? "b" : "a", "1", "{}");
        record(i ? "b" : "a", "2", "{}");
        covers(i ? "b" : "a");
    }
    stored(END_DONE);
    record("a", "1", "{\"new\":1}");
    record("b", "1", "{\"new\":1}");
}

#define STATE "SELECT kind, key, data FROM records"

Test(store, only_covered_kinds_lose_records)
{
    two_kinds();
    covers("a");
    stored(END_DONE);
    expect_said("DONE", 0, 2, 1);
    expect_query(STATE, "a|1|{\"new\":1}\nb|1|{\"new\":1}\nb|2|{}");
    expect_query("SELECT kind, scan FROM coverage", "a|2\nb|1");
}

Test(store, a_kind_that_failed_stays_as_it_was)
{
    two_kinds();
    covers("a");
    covers("b");
    put(FRAME_FAILED, "b", "/var/lib/\xff\x01", "13", "");
    stored(END_DONE);
    expect_said("INCOMPLETE", 0, 1, 1);
    cr_expect_str_eq(json_get_str(said, "reason"), "b: /var/lib/??: Permission denied");
    cr_expect_null(json_get(json_get(said, "records"), "b"));
    expect_query(STATE, "a|1|{\"new\":1}\nb|1|{}\nb|2|{}");
}

Test(store, an_error_keeps_what_was_covered_before)
{
    two_kinds();
    covers("a");
    cr_assert_eq(store(END_ERROR, "killed by signal 11"), 0);
    expect_said("INCOMPLETE", 0, 1, 1);
    cr_expect_str_eq(json_get_str(said, "reason"), "killed by signal 11");
    expect_query(STATE, "a|1|{\"new\":1}\nb|1|{}\nb|2|{}");
}

Test(store, ends_without_coverage_change_nothing)
{
    static const struct {
        const char *end, *outcome;
    } rows[] = {{END_ERROR, "FAILED"}, {"limit", "INCOMPLETE"}, {END_REFUSED, "FAILED"}};

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        two_kinds();
        cr_assert_eq(store(rows[i].end, "why"), 0);
        expect_said(rows[i].outcome, 0, 0, 0);
        expect_query(STATE, "a|1|{}\na|2|{}\nb|1|{}\nb|2|{}");
        expect_query("SELECT outcome, reason FROM scans ORDER BY id DESC LIMIT 1",
                     rows[i].end[0] == 'l' ? "INCOMPLETE|why" : "FAILED|why");
        teardown();
        said = NULL;
        setup();
    }
}

Test(store, an_application_that_is_not_there_loses_all_kinds)
{
    two_kinds();
    fclose(frames);
    frames = tmpfile();
    put(FRAME_END, "", END_NONE, "", "");
    stored(END_NONE);
    expect_said("DONE", 0, 0, 4);
    expect_query(STATE, "");
    expect_query("SELECT kind, scan, records FROM coverage", "a|2|0\nb|2|0");
    record("a", "1", "{}");
    cr_expect_eq(store(END_NONE, ""), -EBADMSG);
}

Test(store, applications_do_not_touch_each_other)
{
    struct store_job job = {"vm",
                            100,
                            "interval",
                            "root-1",
                            END_DONE,
                            "",
                            "2026-11-25T03:00:00Z",
                            "2026-11-25T03:00:01Z",
                            0,
                            0,
                            1,
                            "local"};

    packages(0, 2, "1.0");
    covers("package");
    stored(END_DONE);
    record("package", "x", "{}");
    covers("package");
    cr_assert_eq(store_job(&job), 0);
    expect_said("DONE", 1, 0, 0);
    expect_query("SELECT application, count(*) FROM records GROUP BY 1", "inv|2\nvm|1");
}

Test(store, a_loss_of_more_than_half_needs_a_second_scan)
{
    packages(0, 20, "1.0");
    covers("package");
    stored(END_DONE);

    packages(0, 9, "2.0");
    packages(20, 21, "1.0");
    covers("package");
    stored(END_DONE);
    expect_said("INCOMPLETE", 1, 9, 0);
    cr_expect(strstr(json_get_str(said, "reason"), "package: 11 of 20"), "%s",
              json_get_str(said, "reason"));
    expect_query("SELECT scan FROM coverage", "1");
    expect_query("SELECT count(*) FROM records", "21");

    packages(0, 9, "2.0");
    covers("package");
    stored(END_DONE);
    expect_said("DONE", 0, 0, 12);
    expect_query("SELECT scan, records FROM coverage", "3|9");
    expect_query("SELECT count(*) FROM meta", "2");
}

Test(store, a_loss_is_forgotten_when_the_records_come_back)
{
    static const int counts[] = {20, 9, 20, 9};
    static const char *const outcomes[] = {"DONE", "INCOMPLETE", "DONE", "INCOMPLETE"};

    for (int i = 0; i < 4; i++) {
        packages(0, counts[i], "1.0");
        covers("package");
        stored(END_DONE);
        cr_expect_str_eq(json_get_str(said, "outcome"), outcomes[i]);
    }
    expect_query("SELECT count(*) FROM records", "20");
}

Test(store, half_of_20_or_all_of_19_may_go_at_once)
{
    packages(0, 20, "1.0");
    covers("package");
    stored(END_DONE);
    packages(0, 10, "1.0");
    covers("package");
    stored(END_DONE);
    expect_said("DONE", 0, 0, 10);
    packages(0, 19, "1.0");
    covers("package");
    stored(END_DONE);
    covers("package");
    stored(END_DONE);
    expect_said("DONE", 0, 0, 19);
}

Test(store, a_scan_is_stored_once)
{
    packages(0, 1, "1.0");
    stored(END_DONE);
    last_scan--;
    packages(0, 1, "2.0");
    cr_expect_eq(store(END_DONE, ""), -EEXIST);
    cr_expect(strstr(why.text, "already stored"), "%s", why.text);
    expect_query("SELECT version FROM packages", "1.0");
}

Test(store, examples_are_bounded)
{
    int n = 0;

    packages(0, 50, "1.0");
    stored(END_DONE);
    for (const struct json *e = json_first(json_get(said, "examples")); e;
         e = json_next(e))
        n++;
    cr_expect_eq(n, 20);
}

/* ---- frames that are refused ---- */

Test(store, a_bad_frame_fails_the_scan_with_its_place)
{
    static const struct {
        enum frame_type type;
        const char *kind, *key, *stable, *vol, *reason;
    } rows[] = {
        {FRAME_RECORD, "Package", "k", "{}", "", "kind"},
        {FRAME_RECORD, "k", "\xff", "{}", "", "key is not UTF-8"},
        {FRAME_RECORD, "k", "k", "[]", "", "stable text: byte 0: expected an object"},
        {FRAME_RECORD, "k", "k", "{\"a\":{}}", "", "flat"},
        {FRAME_RECORD, "k", "k", "{\"a\":1,\"a\":1}", "", "twice"},
        {FRAME_RECORD, "k", "k", "{\"a\":\"\xff\"}", "", "not UTF-8"},
        {FRAME_RECORD, "k", "k", "{\"a\":01}", "", "leading zero"},
        {FRAME_RECORD, "k", "k", "{}{}", "", "after"},
        {FRAME_RECORD, "k", "k", "{}", "x", "volatile text: byte 0"},
        {FRAME_RECORD, "k", "k", "{\"a\":1}", "{\"\\u0061\":2}",
         "together with the stable one"},
        {FRAME_RECORD, "k", "k", " { \"a\":1 } ", " {\"b\":1, \"a\":2 } ", "twice"},
        {FRAME_COVERS, "A", "", "", "", "kind"},
        {FRAME_FAILED, "k", "w", "EACCES", "", "errno"},
        {FRAME_FAILED, "k", "w", "-13", "", "errno"},
        {FRAME_FAILED, "k", "w", "9999999999", "", "errno"},
        {FRAME_LOG, "", "5", "x", "", "level"},
        {FRAME_END, "", "fine", "", "", "unknown result"},
        {0, "k", "k", "{}", "", "unknown frame type"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        record("good", "k", "{}");
        put(rows[i].type, rows[i].kind, rows[i].key, rows[i].stable, rows[i].vol);
        covers("good");
        cr_expect_eq(store(END_DONE, ""), -EBADMSG, "row %zu", i);
        cr_expect(strstr(why.text, "frame 2 at byte 23: "), "row %zu: %s", i, why.text);
        cr_expect(strstr(why.text, rows[i].reason), "row %zu: %s", i, why.text);
    }
    cr_expect_eq(access(path, F_OK), -1);
}

Test(store, texts_that_share_no_name_are_fine_whatever_their_white_space)
{
    static const char *const pairs[][2] = {
        {"{}", "{}"},
        {"{ }", "{\"a\":1}"},
        {"{\"a\":1}", "{ }"},
        {" {\"a\":1\n}\t", "\r{ \"b\":[\"}\"] } "},
    };

    for (size_t i = 0; i < 4; i++) {
        put(FRAME_RECORD, "k", "k", pairs[i][0], pairs[i][1]);
        cr_expect_eq(store(END_DONE, ""), 0, "row %zu: %s", i, why.text);
    }
    expect_query("SELECT data FROM records", " {\"a\":1\n}\t"); /* the original text */
}

Test(store, nothing_comes_after_the_end)
{
    put(FRAME_END, "", END_DONE, "", "");
    record("k", "k", "{}");
    cr_expect_eq(store(END_DONE, ""), -EBADMSG);
    cr_expect(strstr(why.text, "after the end"), "%s", why.text);
}

Test(store, a_cut_file_is_refused)
{
    for (int cut = 1; cut < 23; cut++) {
        record("good", "k", "{}");
        fflush(frames);
        cr_assert_eq(ftruncate(fileno(frames), cut), 0);
        cr_expect_eq(store(END_DONE, ""), -EBADMSG);
        cr_expect(strstr(why.text, "ends in a frame"), "%d: %s", cut, why.text);
    }
}

Test(store, kinds_are_bounded)
{
    for (int i = 0; i < 129; i++) {
        char kind[16];

        snprintf(kind, sizeof kind, "k%d", i);
        covers(kind);
    }
    cr_expect_eq(store(END_DONE, ""), -EBADMSG);
    cr_expect(strstr(why.text, "kinds"), "%s", why.text);
}

Test(store, an_unknown_end_is_refused)
{
    cr_expect_eq(store("great", ""), -EINVAL);
}

/* ---- databases that are refused ---- */

static void
change_database(const char *sql)
{
    struct db *db = NULL;

    cr_assert_eq(db_open(path, true, &db), 0);
    cr_assert_eq(db_exec(db, sql), 0, "%s", db_error(db));
    db_close(db);
}

Test(store, a_newer_database_is_refused)
{
    stored(END_DONE);
    change_database("UPDATE meta SET value = 2 WHERE key = 'schema'");
    cr_expect_eq(store(END_DONE, ""), -ENOTSUP);
    cr_expect(strstr(why.text, "newer"), "%s", why.text);
    expect_query("SELECT count(*) FROM scans", "1");
}

Test(store, another_root_is_refused)
{
    stored(END_DONE);
    change_database("UPDATE meta SET value = 'root-2' WHERE key = 'root_id'");
    cr_expect_eq(store(END_DONE, ""), -EXDEV);
    cr_expect(strstr(why.text, "root-2"), "%s", why.text);
}

/* ---- databases that are repaired ---- */

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

Test(store, a_database_of_others_is_kept_aside)
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
Test(store, a_damaged_database_is_repaired_and_the_scan_stored)
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

Test(store, a_file_that_is_no_database_is_kept_aside)
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
Test(store, a_record_that_is_not_what_was_stored_is_not_kept)
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

Test(store, a_damaged_newer_database_is_refused_and_left_alone)
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

Test(store, a_check_repairs_what_is_damaged)
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

Test(store, a_repair_waits_for_others)
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

Test(store, a_lock_of_others_is_refused)
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
Test(store, scans_that_are_too_old_go_with_their_changes)
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

Test(store, when_there_is_too_much_the_oldest_scans_go)
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

Test(store, a_scan_bounds_the_history)
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

Test(store, the_group_may_read_and_others_may_not)
{
    static const char *const ends[] = {"", "-wal", "-shm"};

    umask(022);
    stored(END_DONE);
    for (size_t i = 0; i < 3; i++) {
        char file[80];
        struct stat st;

        snprintf(file, sizeof file, "%s%s", path, ends[i]);
        cr_assert_eq(stat(file, &st), 0);
        cr_expect_eq(st.st_mode & 0777, 0640, "%s %o", file, st.st_mode);
    }
    cr_expect_eq(umask(022), 022);
}
