/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "db.h"
#include "json.h"
#include "queue-db.h"

static char folder[64], path[96];
static struct queue *q;

static const time_t now = 1772000000;

static void
open_queue(void)
{
    struct why why = {""}, note = {""};

    cr_assert_eq(queue_open(path, now, &q, &note, &why), 0, "%s", why.text);
    cr_expect_str_eq(note.text, "");
}

static void
setup(void)
{
    setenv("TZ", "Europe/Berlin", 1);
    tzset();
    strcpy(folder, "/tmp/test-queue-XXXXXX");
    cr_assert(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/queue.db", folder);
    open_queue();
}

static void
teardown(void)
{
    static const char *const suffixes[] = {"", "-wal", "-shm"};
    char file[128];

    queue_close(q);
    for (int i = 0; i < 3; i++) {
        snprintf(file, sizeof file, "%s%s", path, suffixes[i]);
        unlink(file);
    }
    rmdir(folder);
}

TestSuite(queue, .init = setup, .fini = teardown);

static struct queue_ticket
demand(const char *app, int64_t throttle, time_t when)
{
    struct queue_ticket t;
    struct why why = {""};

    cr_assert_geq(
        queue_demand(q, &(struct queue_demand){app, throttle, NULL, when}, &t, &why), 0,
        "%s", why.text);
    return t;
}

static int
start(int64_t scan)
{
    struct queue_scan s = {.id = scan};

    return queue_start(q, &s, now);
}

static void
end(int64_t scan, const char *outcome)
{
    cr_assert_geq(queue_end(q, scan, now,
                            &(struct queue_end){outcome, "", 0.5, "{\"a\":1}", NULL, 0},
                            NULL),
                  0);
}

static void
keep_state(const struct ticket *ticket, void *arg)
{
    snprintf(arg, 16, "%s", ticket_state(ticket));
}

static void
expect_state(const char *control_id, const char *state)
{
    char is[16] = "none";

    queue_tickets(q, &(struct queue_filter){.control_id = control_id, .limit = 1},
                  keep_state, is);
    cr_expect_str_eq(is, state, "%s is %s, not %s", control_id, is, state);
}

Test(queue, a_control_id_is_the_local_time_and_counts_up_within_the_second)
{
    cr_expect_str_eq(demand("inv", 0, now).control_id, "20260225071320.0");
    cr_expect_str_eq(demand("vm", 0, now).control_id, "20260225071320.1");
    cr_expect_str_eq(demand("pc", 0, now + 1).control_id, "20260225071321.0");
}

Test(queue, no_control_id_comes_twice_when_the_clock_steps_back)
{
    demand("inv", 0, now);
    demand("inv", 0, now + 1);
    cr_expect_str_eq(demand("inv", 0, now).control_id, "20260225071320.1");
}

Test(queue, no_control_id_comes_twice_at_the_end_of_dst)
{
    const time_t before = 1792888200; /* 2026-10-25 02:30:00 CEST */

    cr_expect_str_eq(demand("inv", 0, before).control_id, "20261025023000.0");
    cr_expect_str_eq(demand("inv", 0, before + 3600).control_id, "20261025023000.1");
}

Test(queue, no_control_id_comes_twice_after_a_restart)
{
    demand("inv", 0, now);
    queue_close(q);
    open_queue();
    cr_expect_str_eq(demand("inv", 0, now).control_id, "20260225071320.1");
}

Test(queue, a_request_for_an_idle_application_is_queued)
{
    struct queue_ticket t = demand("inv", 90, now);

    cr_expect_str_eq(t.state, TICKET_QUEUED);
    cr_expect_not(t.joined);
    cr_expect_eq(t.cputhrottle, 90);
    expect_state(t.control_id, TICKET_QUEUED);
}

Test(queue, a_request_joins_the_scan_that_is_queued_with_the_smallest_throttle)
{
    struct queue_ticket a = demand("inv", 90, now), b = demand("inv", 10, now),
                        c = demand("inv", 500, now);

    cr_expect(b.joined && c.joined);
    cr_expect_eq(a.scan, b.scan);
    cr_expect_eq(a.scan, c.scan);
    cr_expect_eq(c.cputhrottle, 10);
}

Test(queue, all_that_come_while_it_runs_share_one_follow_up)
{
    struct queue_ticket a = demand("inv", 0, now), b, c;

    cr_assert_eq(start(a.scan), 1);
    b = demand("inv", 0, now);
    c = demand("inv", 0, now);
    cr_expect_str_eq(b.state, TICKET_DELAYED);
    cr_expect_neq(a.scan, b.scan);
    cr_expect_eq(b.scan, c.scan);
    expect_state(a.control_id, TICKET_RUNNING);
    end(a.scan, TICKET_FAILED);
    expect_state(a.control_id, TICKET_FAILED);
    expect_state(b.control_id, TICKET_QUEUED);
    expect_state(c.control_id, TICKET_QUEUED);
    cr_assert_eq(start(b.scan), 1);
    end(b.scan, TICKET_DONE);
    expect_state(c.control_id, TICKET_DONE);
}

/* It ran, the agent ended, and then a window came. */
Test(queue, what_a_window_held_back_goes_on_one_by_one)
{
    struct queue_ticket a = demand("inv", 0, now), b;
    struct queue_scan blocked[2];

    cr_assert_eq(start(a.scan), 1);
    b = demand("inv", 0, now);
    cr_assert_geq(queue_requeue(q, a.scan, false), 0);
    cr_assert_geq(queue_delay(q, a.scan, "blackout"), 0);
    cr_assert_eq(queue_blocked(q, blocked, 2), 1);
    cr_expect_eq(blocked[0].id, a.scan);
    cr_assert_geq(queue_release(q, a.scan), 0);
    expect_state(b.control_id, TICKET_DELAYED);
    cr_expect_eq(queue_blocked(q, blocked, 2), 0);
    cr_assert_eq(start(a.scan), 1);
    end(a.scan, TICKET_DONE);
    expect_state(b.control_id, TICKET_QUEUED);
}

Test(queue, a_scan_says_how_it_has_ended)
{
    struct queue_ticket a = demand("inv", 0, now);
    char outcome[16];

    cr_assert_eq(start(a.scan), 1);
    cr_expect_eq(queue_outcome(q, a.scan, outcome), 0);
    cr_expect_str_eq(outcome, "");
    end(a.scan, TICKET_INCOMPLETE);
    cr_expect_eq(queue_outcome(q, a.scan, outcome), 1);
    cr_expect_str_eq(outcome, TICKET_INCOMPLETE);
}

Test(queue, applications_do_not_wait_for_each_other)
{
    struct queue_ticket a = demand("inv", 0, now), b;

    cr_assert_eq(start(a.scan), 1);
    b = demand("vm", 0, now);
    cr_expect_str_eq(b.state, TICKET_QUEUED);
    end(a.scan, TICKET_DONE);
    expect_state(b.control_id, TICKET_QUEUED);
}

Test(queue, a_scan_starts_once)
{
    struct queue_ticket a = demand("inv", 0, now);

    cr_expect_eq(start(a.scan), 1);
    cr_expect_eq(start(a.scan), 0);
    cr_expect_eq(start(4711), 0);
}

Test(queue, an_attempt_is_counted_unless_the_agent_was_told_to_stop)
{
    struct queue_ticket a = demand("inv", 0, now);
    struct queue_scan s = {.id = a.scan};

    cr_assert_eq(queue_start(q, &s, now), 1);
    cr_expect_eq(s.attempts, 1);
    queue_requeue(q, a.scan, true);
    expect_state(a.control_id, TICKET_QUEUED);
    cr_assert_eq(queue_start(q, &s, now), 1);
    cr_expect_eq(s.attempts, 1);
    queue_requeue(q, a.scan, false);
    cr_assert_eq(queue_start(q, &s, now), 1);
    cr_expect_eq(s.attempts, 2);
}

Test(queue, the_cancel_table_holds)
{
    struct queue_ticket a = demand("inv", 0, now), b = demand("inv", 0, now), c;
    struct queue_change change;

    cr_expect_eq(queue_cancel(q, "20010101000000.0", now, &change), CANCEL_UNKNOWN);
    cr_expect_eq(queue_cancel(q, "nonsense", now, &change), CANCEL_UNKNOWN);
    cr_expect_eq(queue_cancel(q, a.control_id, now, &change), CANCEL_SHARED);
    cr_expect_eq(queue_cancel(q, a.control_id, now, &change), CANCEL_FINAL);
    cr_assert_eq(start(b.scan), 1);
    cr_expect_eq(queue_cancel(q, b.control_id, now, &change), CANCEL_RUNNING);
    cr_expect_eq(change.scan, b.scan);
    expect_state(b.control_id, TICKET_RUNNING);
    c = demand("inv", 0, now);
    cr_expect_eq(queue_cancel(q, c.control_id, now, &change), CANCEL_WAITING);
    end(b.scan, TICKET_CANCELLED);
    expect_state(c.control_id, TICKET_CANCELLED);
    expect_state(a.control_id, TICKET_CANCELLED);
    cr_expect_eq(queue_scans(q, TICKET_QUEUED, &(struct queue_scan){0}, 1), 0);
}

Test(queue, what_was_promised_is_there_after_a_restart)
{
    struct queue_ticket a = demand("inv", 7, now);
    struct queue_scan s;

    queue_close(q);
    open_queue();
    cr_assert_eq(queue_scans(q, TICKET_QUEUED, &s, 1), 1);
    cr_expect_eq(s.id, a.scan);
    cr_expect_str_eq(s.application, "inv");
    cr_expect_eq(s.cputhrottle, 7);
}

Test(queue, reserved_scan_numbers_are_not_given)
{
    cr_assert_geq(queue_reserve(q, 100), 0);
    cr_expect_eq(demand("inv", 0, now).scan, 101);
    cr_assert_geq(queue_reserve(q, 50), 0);
    cr_expect_eq(demand("vm", 0, now).scan, 102);
}

static void
print_ticket(const struct ticket *ticket, void *arg)
{
    struct json_out out;

    json_out_init(&out, arg);
    json_out_object(&out, NULL);
    ticket_write(ticket, &out);
    json_out_end(&out, '}');
}

Test(queue, a_ticket_is_written_with_all_its_fields)
{
    struct queue_ticket a = demand("inv", 90, now);
    char text[1024] = "";
    FILE *f = fmemopen(text, sizeof text, "w");

    start(a.scan);
    end(a.scan, TICKET_DONE);
    queue_tickets(q, &(struct queue_filter){.scan = a.scan, .limit = 1}, print_ticket, f);
    fclose(f);
    cr_expect_str_eq(
        text, "{\"ticket\":{\"control_id\":\"20260225071320.0\",\"application\":\"inv\","
              "\"state\":\"DONE\",\"reason\":\"\","
              "\"requested\":\"2026-02-25T06:13:20Z\","
              "\"started\":\"2026-02-25T06:13:20Z\","
              "\"ended\":\"2026-02-25T06:13:20Z\",\"cputhrottle\":90,"
              "\"effective_cputhrottle\":90,\"cpu_seconds\":0.5,\"scan\":1,"
              "\"records\":{\"a\":1},\"changes\":null}}");
}

/* ---- the table of requests, row by row; beside an interval scan ---- */

static int64_t
due(const char *app)
{
    int64_t scan = 0;

    cr_assert_eq(queue_due(q, app, 90, now, &scan), 1);
    return scan;
}

static struct queue_scan
only_scan(const char *state)
{
    struct queue_scan scans[2] = {{0}};

    cr_assert_eq(queue_scans(q, state, scans, 2), 1, "one scan is %s", state);
    return scans[0];
}

Test(queue, a_request_takes_the_place_of_an_interval_scan_that_is_queued)
{
    int64_t scan = due("inv");
    struct queue_ticket t = demand("inv", 7, now);
    struct queue_scan s = only_scan(TICKET_QUEUED);

    cr_expect_eq(t.scan, scan);
    cr_expect_str_eq(t.state, TICKET_QUEUED);
    cr_expect(t.in_place && !t.joined);
    cr_expect_not(s.interval);
    cr_expect_eq(s.cputhrottle, 7, "its own, larger or smaller");
}

Test(queue, a_request_is_delayed_by_an_interval_scan_that_runs)
{
    int64_t scan = due("inv");
    struct queue_ticket t;

    cr_assert_eq(start(scan), 1);
    cr_expect(only_scan(TICKET_RUNNING).interval);
    t = demand("inv", 0, now);
    cr_expect_str_eq(t.state, TICKET_DELAYED);
    cr_expect_neq(t.scan, scan);
    end(scan, TICKET_INCOMPLETE);
    expect_state(t.control_id, TICKET_QUEUED);
    cr_expect_not(only_scan(TICKET_QUEUED).interval);
}

Test(queue, whatever_the_end_of_the_scan_in_front_the_delayed_one_is_next)
{
    static const char *const outcomes[] = {TICKET_DONE, TICKET_INCOMPLETE, TICKET_FAILED,
                                           TICKET_CANCELLED};

    for (size_t i = 0; i < 4; i++) {
        struct queue_ticket a = demand("inv", 0, now), b;

        cr_assert_eq(start(a.scan), 1);
        b = demand("inv", 0, now);
        expect_state(b.control_id, TICKET_DELAYED);
        end(a.scan, outcomes[i]);
        expect_state(a.control_id, outcomes[i]);
        expect_state(b.control_id, TICKET_QUEUED);
        cr_assert_eq(start(b.scan), 1);
        end(b.scan, TICKET_DONE);
    }
}

Test(queue, no_interval_scan_is_queued_while_one_of_the_application_is_open)
{
    struct queue_ticket a = demand("inv", 0, now);
    int64_t scan = 0;

    cr_expect_eq(queue_due(q, "inv", 90, now, &scan), 0);
    cr_assert_eq(start(a.scan), 1);
    cr_expect_eq(queue_due(q, "inv", 90, now, &scan), 0);
    cr_expect_eq(queue_due(q, "vm", 90, now, &scan), 1);
    end(a.scan, TICKET_DONE);
    cr_expect_eq(queue_due(q, "inv", 90, now, &scan), 1);
    cr_expect_eq(queue_due(q, "inv", 90, now, &scan), 0);
}

Test(queue, what_was_asked_for_goes_before_interval_scans)
{
    struct queue_scan scans[3];

    due("pc");
    demand("inv", 0, now);
    cr_assert_eq(queue_scans(q, TICKET_QUEUED, scans, 3), 2);
    cr_expect_str_eq(scans[0].application, "inv");
    cr_expect_str_eq(scans[1].application, "pc");
}

Test(queue, an_interval_scan_that_is_interrupted_gives_way_to_the_request_behind_it)
{
    int64_t scan = due("inv");
    struct queue_ticket t;

    cr_assert_eq(start(scan), 1);
    t = demand("inv", 0, now);
    cr_assert_geq(queue_requeue(q, scan, true), 0);
    expect_state(t.control_id, TICKET_QUEUED);
    cr_expect_eq(only_scan(TICKET_QUEUED).id, t.scan);
    cr_assert_eq(start(t.scan), 1);
    end(t.scan, TICKET_DONE);

    scan = due("inv");
    cr_assert_eq(start(scan), 1);
    cr_assert_geq(queue_requeue(q, scan, false), 0);
    cr_expect_eq(only_scan(TICKET_QUEUED).id, scan, "alone it runs again");
}

Test(queue, a_request_that_a_window_holds_back_is_delayed_and_says_why)
{
    struct queue_demand d = {"inv", 0, "blackout until 06:00", now};
    struct queue_ticket a, b;
    struct queue_scan blocked;
    struct why why;

    cr_assert_geq(queue_demand(q, &d, &a, &why), 0);
    cr_assert_geq(queue_demand(q, &d, &b, &why), 0);
    cr_expect_str_eq(a.state, TICKET_DELAYED);
    cr_expect_eq(a.scan, b.scan);
    cr_assert_eq(queue_blocked(q, &blocked, 1), 1);
    cr_assert_geq(queue_release(q, blocked.id), 0);
    expect_state(a.control_id, TICKET_QUEUED);
    expect_state(b.control_id, TICKET_QUEUED);
    cr_assert_geq(queue_delay(q, a.scan, "blackout until 07:00"), 0);
    expect_state(b.control_id, TICKET_DELAYED);
}

Test(queue, what_waits_behind_a_scan_is_not_held_back_by_a_window)
{
    struct queue_ticket a = demand("inv", 0, now), b;
    struct queue_scan blocked;

    cr_assert_eq(start(a.scan), 1);
    b = demand("inv", 0, now);
    cr_expect_str_eq(b.state, TICKET_DELAYED);
    cr_expect_eq(queue_blocked(q, &blocked, 1), 0);
}

/* ---- cputhrottle ---- */

static int64_t
throttle_of(int64_t scan)
{
    struct queue_scan s = {0};

    queue_scan_of(q, "inv", NULL, &s);
    cr_assert_eq(s.id, scan);
    return s.cputhrottle;
}

Test(queue, the_smallest_cputhrottle_of_those_who_share_holds_and_it_is_said_whose)
{
    struct queue_ticket a = demand("inv", 90, now), b = demand("inv", 10, now),
                        c = demand("inv", 50, now);
    struct queue_change change;

    cr_expect_str_eq(c.whose, b.control_id);
    cr_expect_eq(throttle_of(a.scan), 10);
    cr_expect_eq(queue_cancel(q, b.control_id, now, &change), CANCEL_SHARED);
    cr_expect_eq(change.cputhrottle, 50, "who has gone asks for nothing");
    cr_expect_eq(throttle_of(a.scan), 50);
    cr_expect_eq(queue_throttle(q, c.control_id, 900, &change), 1);
    cr_expect_eq(change.cputhrottle, 90);
    cr_expect_eq(queue_throttle(q, a.control_id, 0, &change), 1);
    cr_expect_eq(throttle_of(a.scan), 0);
    cr_expect_eq(queue_throttle(q, b.control_id, 0, &change), 0, "it has ended");
    cr_expect_eq(queue_throttle(q, "20010101000000.0", 0, &change), -ENOENT);
}

static void
keep_times(const struct ticket *ticket, void *arg)
{
    static char end[32];
    struct ticket_times *times = arg;

    ticket_times(ticket, times);
    snprintf(end, sizeof end, "%s", times->ended);
    times->ended = end;
}

Test(queue, a_ticket_keeps_what_it_asked_for_beside_what_held)
{
    struct queue_ticket a = demand("inv", 90, now);
    struct ticket_times times;

    demand("inv", 10, now);
    cr_assert_eq(start(a.scan), 1);
    end(a.scan, TICKET_DONE);
    queue_tickets(q, &(struct queue_filter){.control_id = a.control_id, .limit = 1},
                  keep_times, &times);
    cr_expect_eq(times.cputhrottle, 90);
    cr_expect_eq(times.effective, 10);
    cr_expect_float_eq(times.cpu_s, 0.5, 0.001);
}

/* ---- bounds ---- */

Test(queue, a_thousand_requests_may_be_open_and_no_more)
{
    struct queue_demand d = {"inv", 0, NULL, now};
    struct queue_ticket t, first;
    struct queue_change change;
    struct why why = {""};

    first = demand("inv", 0, now);
    for (int i = 1; i < QUEUE_OPEN_MAX; i++)
        cr_assert_geq(queue_demand(q, &d, &t, &why), 0);
    cr_expect_eq(queue_demand(q, &d, &t, &why), -EDQUOT);
    cr_expect(strstr(why.text, "1000 requests are open"), "%s", why.text);
    cr_expect_eq(queue_cancel(q, first.control_id, now, &change), CANCEL_SHARED);
    cr_expect_geq(queue_demand(q, &d, &t, &why), 0, "%s", why.text);
}

static int
count_all(void)
{
    int n = 0;
    struct queue_filter all = {.limit = 100000};

    n = queue_tickets(q, &all, keep_state, (char[16]){""});
    return n;
}

static struct queue_ticket
ended(const char *app, time_t when)
{
    struct queue_ticket t = demand(app, 0, when);

    cr_assert_eq(start(t.scan), 1);
    cr_assert_geq(queue_end(q, t.scan, when,
                            &(struct queue_end){TICKET_DONE, "", 0.5, NULL, NULL, 0},
                            NULL),
                  0);
    return t;
}

Test(queue, history_is_kept_so_many_days_and_no_id_of_it_comes_again)
{
    struct queue_ticket old = ended("inv", now), open = demand("vm", 0, now);

    cr_expect_eq(count_all(), 2);
    ended("inv", now + 401 * 86400);
    expect_state(old.control_id, "none");
    expect_state(open.control_id, TICKET_QUEUED);
    cr_expect_str_eq(demand("inv", 0, now).control_id, "20260225071320.2");
    cr_expect_str_eq(demand("inv", 0, now - 1).control_id, "20260225071319.1",
                     "an earlier second may have had that many, too");
}

Test(queue, history_is_kept_up_to_so_many_bytes)
{
    int64_t before = queue_bytes_max;

    queue_bytes_max = 128 * 1024;
    for (int i = 0; i < 2000; i++)
        ended("inv", now + i);
    cr_expect_lt(count_all(), 1500);
    queue_bytes_max = before;
}

/* ---- intervals ---- */

Test(queue, when_a_scan_is_due_is_kept_with_the_end_of_the_one_before)
{
    struct queue_interval interval = {"inv", {now + 600, 3, 1}, now}, back;
    struct queue_ticket t = demand("inv", 0, now);

    cr_assert_eq(start(t.scan), 1);
    cr_assert_geq(queue_end(q, t.scan, now,
                            &(struct queue_end){TICKET_DONE, "", 0, NULL, NULL, 0},
                            &interval),
                  0);
    queue_close(q);
    open_queue();
    cr_assert_eq(queue_intervals(q, &back, 1), 1);
    cr_expect_str_eq(back.application, "inv");
    cr_expect_eq(back.history.due, now + 600);
    cr_expect_eq(back.history.number, 3);
    cr_expect_eq(back.history.failures, 1);
    cr_expect_eq(back.success, now);
}

Test(queue, what_a_scan_takes_is_known_from_the_last_ones)
{
    cr_expect_float_eq(queue_typical_cpu_s(q, "inv"), 0, 0.001);
    ended("inv", now);
    cr_expect_float_eq(queue_typical_cpu_s(q, "inv"), 0.5, 0.001);
}

/* ---- the database ---- */

static void
edit(const char *sql)
{
    struct db *db = NULL;

    queue_close(q);
    q = NULL;
    cr_assert_eq(db_open(path, true, &db), 0);
    cr_assert_eq(db_exec(db, sql), 0, "%s", db_error(db));
    db_close(db);
}

Test(queue, one_of_a_newer_version_is_refused_and_left_alone)
{
    struct why why = {""}, note = {""};

    edit("UPDATE meta SET value='999' WHERE key='schema'");
    cr_expect_eq(queue_open(path, now, &q, &note, &why), -ENOTSUP);
    cr_expect(strstr(why.text, "newer than this program"), "%s", why.text);
    cr_expect_str_eq(note.text, "");
    q = NULL;
}

Test(queue, the_first_schema_is_migrated_with_all_that_it_holds)
{
    struct queue_ticket t;
    struct ticket_times times;

    edit("DROP TABLE scans; DROP TABLE tickets; DROP TABLE intervals; DELETE FROM meta;"
         "INSERT INTO meta VALUES('schema', '1');"
         "CREATE TABLE scans(id INTEGER PRIMARY KEY AUTOINCREMENT, application TEXT NOT"
         " NULL, state TEXT NOT NULL, cputhrottle INTEGER NOT NULL, attempts INTEGER NOT"
         " NULL DEFAULT 0);"
         "CREATE TABLE tickets(stamp TEXT NOT NULL, n INTEGER NOT NULL, application TEXT"
         " NOT NULL, state TEXT NOT NULL, reason TEXT NOT NULL DEFAULT '', requested TEXT"
         " NOT NULL, started TEXT, ended TEXT, cputhrottle INTEGER NOT NULL, cpu_seconds"
         " REAL, scan INTEGER NOT NULL REFERENCES scans(id), records TEXT,"
         " PRIMARY KEY(stamp, n));"
         "INSERT INTO scans VALUES(1, 'inv', 'ENDED', 5, 1), (2, 'inv', 'QUEUED', 7, 0);"
         "INSERT INTO tickets VALUES('20260225071320', 0, 'inv', 'DONE', '',"
         " '2026-02-25T06:13:20Z', '2026-02-25T06:13:21Z', '2026-02-25T06:13:22Z', 5,"
         " 1.5, 1, '{\"a\":2}'), ('20260225071320', 1, 'inv', 'QUEUED', '',"
         " '2026-02-25T06:13:20Z', NULL, NULL, 7, NULL, 2, NULL)");
    open_queue();
    expect_state("20260225071320.1", TICKET_QUEUED);
    cr_expect_eq(only_scan(TICKET_QUEUED).id, 2);
    queue_tickets(q, &(struct queue_filter){.control_id = "20260225071320.0", .limit = 1},
                  keep_times, &times);
    cr_expect_float_eq(times.cpu_s, 1.5, 0.001);
    cr_expect_str_eq(times.ended, "2026-02-25T06:13:22Z");
    t = demand("inv", 90, now);
    cr_expect_str_eq(t.control_id, "20260225071320.2");
    cr_expect_eq(t.cputhrottle, 7);
}

Test(queue, rows_that_do_not_fit_together_leave_no_ticket_open_for_ever)
{
    struct queue_ticket a = demand("inv", 0, now), b = demand("vm", 5, now),
                        c = demand("pc", 0, now), d = demand("x", 0, now);

    edit("UPDATE tickets SET state='QUEUEX' WHERE application='inv';"
         "DELETE FROM scans WHERE application='vm';"
         "UPDATE scans SET state='ENDED' WHERE application='pc';"
         "UPDATE scans SET state='RUNNING' WHERE application='x'");
    open_queue();
    expect_state(a.control_id, TICKET_FAILED);
    expect_state(b.control_id, TICKET_QUEUED);
    expect_state(c.control_id, TICKET_FAILED);
    expect_state(d.control_id, TICKET_RUNNING);
    cr_expect_eq(only_scan(TICKET_QUEUED).id, b.scan);
    cr_expect_eq(only_scan(TICKET_RUNNING).id, d.scan);
}

Test(queue, an_end_whose_time_was_lost_is_still_that_end)
{
    struct queue_ticket t = demand("inv", 0, now);

    cr_assert_eq(start(t.scan), 1);
    end(t.scan, TICKET_DONE);
    edit("UPDATE tickets SET ended=NULL");
    open_queue();
    expect_state(t.control_id, TICKET_DONE);
}

Test(queue, numbers_that_cannot_be_are_no_interval)
{
    struct queue_interval rows[2] = {{"inv", {now, 1, 0}, now}, {"vm", {now, 1, 0}, now}};

    cr_assert_geq(queue_keep_intervals(q, rows, 2), 0);
    edit("UPDATE intervals SET failures=-100000000 WHERE application='inv'");
    open_queue();
    cr_assert_eq(queue_intervals(q, rows, 2), 1);
    cr_expect_str_eq(rows[0].application, "vm");
}
