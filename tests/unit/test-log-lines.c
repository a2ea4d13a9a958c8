/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#include "log-lines.h"

#define ID "20261125041441.1"
#define REQUEST "OnDemand request for Control ID: " ID

static struct log_lines lines;

/* The text as a line of the log. */
static enum log_belongs
take(const char *text)
{
    char line[1024];

    snprintf(line, sizeof line,
             "2026-11-25 04:14:41.474 [sonde-agent][9710]:[Information]:[9710]:%s", text);
    return log_lines_take(&lines, line);
}

static void
begin(void)
{
    log_lines_init(&lines, ID);
}

TestSuite(log_lines, .init = begin);

Test(log_lines, a_line_has_time_level_and_text)
{
    struct log_line l;

    cr_assert(log_line_split(
        "2024-02-28 15:11:36.474 [sonde-agent][9710]:[Warning]:[9711]:a:[b]: c", &l));
    cr_expect_eq(l.time_len, 23);
    cr_expect_eq(strncmp(l.time, "2024-02-28 15:11:36.474 ", 24), 0);
    cr_expect_eq(l.level_len, 7);
    cr_expect_eq(strncmp(l.level, "Warning]", 8), 0);
    cr_expect_str_eq(l.text, "a:[b]: c");
}

Test(log_lines, other_lines_are_of_nobody)
{
    static const char *const rows[] = {
        "",
        ("Control ID: " ID),
        "2024-02-28 15:11:36.47 [sonde-agent][9710]:[Warning]:[9711]:x",
        "2024-02-28T15:11:36.474 [sonde-agent][9710]:[Warning]:[9711]:x",
        "2024-02-28 15:11:36.474 [sonde-agent][]:[Warning]:[9711]:x",
        "2024-02-28 15:11:36.474 [sonde-agent][97x]:[Warning]:[9711]:x",
        "2024-02-28 15:11:36.474 [sonde-agent][9710]:[]:[9711]:x",
        "2024-02-28 15:11:36.474 [sonde-agent][9710]:[Warning]:[]:x",
        "2024-02-28 15:11:36.474 [sonde-agent][9710]:[Warning]:[9711]",
        "2024-02-28 15:11:36.474 [other-agent][9710]:[Warning]:[9711]:x",
    };
    struct log_line l;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        cr_expect_not(log_line_split(rows[i], &l), "row %zu", i);
        cr_expect_eq(log_lines_take(&lines, rows[i]), LOG_OTHER, "row %zu", i);
    }
}

Test(log_lines, a_line_that_names_the_ticket_is_its)
{
    static const struct {
        const char *text;
        enum log_belongs expected;
    } rows[] = {
        {REQUEST, LOG_THIS},
        {"cancel of Control ID: " ID ", by uid 0", LOG_THIS},
        {"Control ID: " ID, LOG_THIS},
        {"Control ID: " ID "0", LOG_OTHER}, /* .10 */
        {"Control ID: 20261125041441.11 and Control ID: " ID ".", LOG_THIS},
        {"Control ID: 20261125041441.0", LOG_OTHER},
        {"ControlId: " ID, LOG_OTHER},
        {ID, LOG_OTHER},
        {"[evil][scan 3] Control ID: " ID, LOG_OTHER}, /* the words of a plugin */
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        begin();
        cr_expect_eq(take(rows[i].text), rows[i].expected, "row %zu", i);
    }
}

Test(log_lines, the_request_tells_its_scan)
{
    static const struct {
        const char *text;
        enum log_belongs expected;
    } rows[] = {
        {"scan 12 of inv started, cputhrottle 0", LOG_THIS},
        {"scan 12 of inv: was running when the agent ended; queued again", LOG_THIS},
        {"scan 12 of inv", LOG_THIS},
        {"scan 12 of inv-2 started", LOG_OTHER},
        {"scan 12 of invx started", LOG_OTHER},
        {"scan 12 of vm started", LOG_OTHER},
        {"scan 1 of inv started", LOG_OTHER},
        {"scan 123 of inv started", LOG_OTHER},
        {"a scan 12 of inv started", LOG_OTHER},
        {"[inv][scan 12] could not look", LOG_THIS},
        {"[inv][scan 12]", LOG_THIS},
        {"[inv][scan 1] x", LOG_OTHER},
        {"[inv][scan 123] x", LOG_OTHER},
        {"[vm][scan 12] x", LOG_OTHER},
    };

    cr_expect_eq(take(rows[0].text), LOG_OTHER, "not known yet");
    cr_expect_eq(take(REQUEST ", application inv, by uid 0: QUEUED as scan 12, which "
                              "others asked for, too, cputhrottle 5"),
                 LOG_THIS);
    cr_expect_eq(lines.scan, 12);
    cr_expect_str_eq(lines.application, "inv");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        cr_expect_eq(take(rows[i].text), rows[i].expected, "row %zu", i);
}

Test(log_lines, what_is_no_request_teaches_nothing)
{
    static const char *const rows[] = {
        "x" REQUEST ", application inv, by uid 0: QUEUED as scan 12",
        REQUEST "0, application inv, by uid 0: QUEUED as scan 12",
        REQUEST ", application , by uid 0: QUEUED as scan 12",
        REQUEST ", application a-name-that-is-longer-than-thirty-two-bytes, by uid 0: "
                "QUEUED as scan 12",
        REQUEST ", application inv, by uid : QUEUED as scan 12",
        REQUEST ", application inv, by uid 0: QUEUED as scan ",
        REQUEST ", application inv, by uid 0: QUEUED as scan 1234567890123456789",
        REQUEST ", application inv",
        "OnDemand request for Control ID: 20261125041441.0, application inv, by uid 0: "
        "QUEUED as scan 12, Control ID: " ID,
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        take(rows[i]);
        cr_expect_eq(lines.scan, 0, "row %zu", i);
    }
}

Test(log_lines, a_delayed_request_claims_the_line_before)
{
    static const char *const before[] = {
        "Interval Event of same type is in progress with state INTERVAL_EVENT_SCAN",
        "OnDemand Event of same type is in progress with state ONDEMAND_EVENT_STORE",
    };

    for (size_t i = 0; i < 2; i++) {
        cr_expect_eq(take(before[i]), LOG_OTHER);
        cr_expect_eq(take(REQUEST " will be delayed."), LOG_THIS_AND_BEFORE);
        cr_expect_eq(take(REQUEST " will be delayed."), LOG_THIS, "it has gone");
        take(before[i]);
        cr_expect_eq(take("something else"), LOG_OTHER);
        cr_expect_eq(take(REQUEST " will be delayed."), LOG_THIS, "it is not next to it");
        take(before[i]);
        cr_expect_eq(take(REQUEST "0 will be delayed."), LOG_OTHER, "of another");
    }
}

Test(log_lines, what_is_known_of_the_scan_needs_no_request_line)
{
    log_lines_scan(&lines, "inv", 12);
    cr_expect_eq(take("scan 12 of inv ended: DONE"), LOG_THIS);
    log_lines_scan(&lines, "inv", 0);
    cr_expect_eq(take("scan 0 of inv ended: DONE"), LOG_OTHER);
}
