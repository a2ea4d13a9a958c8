/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "queue.h"

static char folder[64], path[96];
static struct queue *q;

static const time_t now = 1772000000;

static void
open_queue(void)
{
    struct why why = {""};

    cr_assert_eq(queue_open(path, &q, &why), 0, "%s", why.text);
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

    cr_assert_eq(queue_demand(q, app, throttle, when, &t, &why), 0, "%s", why.text);
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
    cr_assert_geq(
        queue_end(q, scan, now, &(struct queue_end){outcome, "", 0.5, "{\"a\":1}", 0}),
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
    int64_t scan = 0;

    cr_expect_eq(queue_cancel(q, "20010101000000.0", now, &scan), CANCEL_UNKNOWN);
    cr_expect_eq(queue_cancel(q, "nonsense", now, &scan), CANCEL_UNKNOWN);
    cr_expect_eq(queue_cancel(q, a.control_id, now, &scan), CANCEL_SHARED);
    cr_expect_eq(queue_cancel(q, a.control_id, now, &scan), CANCEL_FINAL);
    cr_assert_eq(start(b.scan), 1);
    cr_expect_eq(queue_cancel(q, b.control_id, now, &scan), CANCEL_RUNNING);
    cr_expect_eq(scan, b.scan);
    expect_state(b.control_id, TICKET_RUNNING);
    c = demand("inv", 0, now);
    cr_expect_eq(queue_cancel(q, c.control_id, now, &scan), CANCEL_WAITING);
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
    ticket_write(ticket, &out, NULL);
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
    cr_expect_str_eq(text, "{\"control_id\":\"20260225071320.0\",\"application\":\"inv\","
                           "\"state\":\"DONE\",\"reason\":\"\","
                           "\"requested\":\"2026-02-25T06:13:20Z\","
                           "\"started\":\"2026-02-25T06:13:20Z\","
                           "\"ended\":\"2026-02-25T06:13:20Z\",\"cputhrottle\":90,"
                           "\"cpu_seconds\":0.5,\"scan\":1,\"records\":{\"a\":1}}");
}
