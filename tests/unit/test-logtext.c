/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include <criterion/criterion.h>

#include "json-check.h"
#include "logtext.h"

#define SECOND INT64_C(1000000000)

Test(logtext, a_text_stays_on_one_line)
{
    static const struct {
        const char *text, *expected;
    } rows[] = {
        {"", ""},
        {"plain text", "plain text"},
        {"a\nb", "a\\x0ab"},
        {"a\r\tb\x1b[2J", "a\\x0d\\x09b\\x1b[2J"},
        {"\x7f", "\\x7f"},
        {"gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80",
         "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80"},
        {"\xff", "\\xff"},
        {"\xc3", "\\xc3"},
        {"\xc0\xaf", "\\xc0\\xaf"},
        {"\xed\xa0\x80", "\\xed\\xa0\\x80"},
        {"\xc2\x9b", "\\xc2\\x9b"},
        {"\xc2\xa0", "\xc2\xa0"},
        {"x\xe2\x80\xa8y", "x\\xe2\\x80\\xa8y"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char out[LOG_TEXT_MAX + 1];
        size_t n = log_text(rows[i].text, strlen(rows[i].text), out, sizeof out);

        cr_expect_str_eq(out, rows[i].expected, "row %zu", i);
        cr_expect_eq(n, strlen(out), "row %zu", i);
    }
}

Test(logtext, a_nul_does_not_end_it)
{
    char out[64];

    log_text("a\0b", 3, out, sizeof out);
    cr_expect_str_eq(out, "a\\x00b");
}

Test(logtext, what_just_fits_is_not_cut)
{
    char out[17];

    cr_expect_eq(log_text("0123456789abcdef", 16, out, sizeof out), 16);
    cr_expect_str_eq(out, "0123456789abcdef");
}

Test(logtext, what_is_too_long_is_cut_with_a_mark)
{
    char out[17];

    cr_expect_eq(log_text("0123456789abcdefg", 17, out, sizeof out), 16);
    cr_expect_str_eq(out, "0123456789 [cut]");
}

Test(logtext, a_cut_leaves_no_half_of_a_character)
{
    static const char *const units[] = {"\xf0\x9f\x98\x80", "\xff", "\xc3\xbc", "\n",
                                        "\xe2\x80\xa8"};

    for (size_t u = 0; u < sizeof units / sizeof units[0]; u++) {
        for (size_t shift = 0; shift < 13; shift++) {
            char in[200] = "", out[80];
            size_t n;

            memset(in, 'x', shift);
            while (strlen(in) < 120)
                strcat(in, units[u]);
            n = log_text(in, strlen(in), out, sizeof out);
            cr_expect_lt(n, sizeof out);
            cr_expect_eq(n, strlen(out));
            cr_expect_str_eq(out + n - 6, " [cut]");
            for (size_t at = 0; at < n;
                 at += utf8_sequence((unsigned char *)out + at, n - at))
                cr_assert_gt(utf8_sequence((unsigned char *)out + at, n - at), 0);
        }
    }
}

Test(logtext, a_scan_has_200_lines_a_minute)
{
    struct log_cap cap = {0};
    uint64_t left_out;
    int n = 0;

    for (int i = 0; i < 1000; i++)
        n += log_cap_take(&cap, SECOND * i / 100, &left_out);
    cr_expect_eq(n, LOG_CAP_LINES);
    cr_expect_eq(left_out, 0);
    cr_expect_eq(log_cap_end(&cap), 1000 - LOG_CAP_LINES);
    cr_expect_eq(log_cap_end(&cap), 0, "told once");
}

Test(logtext, the_first_line_of_the_next_minute_tells_the_count)
{
    struct log_cap cap = {0};
    uint64_t left_out;

    for (int i = 0; i < LOG_CAP_LINES + 7; i++)
        log_cap_take(&cap, 5 * SECOND, &left_out);
    cr_expect_not(log_cap_take(&cap, 65 * SECOND - 1, &left_out));
    cr_expect(log_cap_take(&cap, 65 * SECOND, &left_out));
    cr_expect_eq(left_out, 8);
    cr_expect(log_cap_take(&cap, 65 * SECOND, &left_out));
    cr_expect_eq(left_out, 0);
}
