/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store-scan.h"

TestSuite(store, .init = scan_setup, .fini = scan_teardown);

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
        scan_teardown();
        said = NULL;
        scan_setup();
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
