/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include <criterion/criterion.h>

#include "controlid.h"

static void
zone(const char *tz)
{
    setenv("TZ", tz, 1);
    tzset();
}

Test(controlid, the_stamp_is_local_time)
{
    char text[CONTROLID_SIZE];

    zone("UTC0");
    cr_assert_eq(controlid_format(1709138655, 0, text), 0);
    cr_expect_str_eq(text, "20240228164415.0");
    zone("XST-2");
    cr_assert_eq(controlid_format(1709138655, 17, text), 0);
    cr_expect_str_eq(text, "20240228184415.17");
}

Test(controlid, an_hour_comes_twice_at_the_end_of_summer_time)
{
    char one[CONTROLID_SIZE], two[CONTROLID_SIZE];

    zone("CET-1CEST,M3.5.0,M10.5.0/3");
    cr_assert_eq(controlid_format(1729987200, 0, one), 0);
    cr_assert_eq(controlid_format(1729987200 + 3600, 0, two), 0);
    cr_expect_str_eq(one, two);
}

Test(controlid, what_does_not_fit_is_refused)
{
    char text[CONTROLID_SIZE];

    zone("UTC0");
    cr_expect_eq(controlid_format(0, -1, text), -ERANGE);
    cr_expect_eq(controlid_format(0, (int64_t)CONTROLID_N_MAX + 1, text), -ERANGE);
    cr_expect_eq(controlid_format(0, CONTROLID_N_MAX, text), 0);
    cr_expect_eq(controlid_format((time_t)300000000000, 0, text), -ERANGE);
    cr_expect_eq(controlid_format((time_t)-62200000000, 0, text), -ERANGE);
}

Test(controlid, what_is_formatted_is_parsed)
{
    char text[CONTROLID_SIZE];
    struct controlid id;

    zone("UTC0");
    cr_assert_eq(controlid_format(1709138655, 123, text), 0);
    cr_assert_eq(controlid_parse(text, &id), 0);
    cr_expect_str_eq(id.stamp, "20240228164415");
    cr_expect_eq(id.n, 123);
}

Test(controlid, only_that_form_is_valid)
{
    static const struct {
        const char *text;
        bool valid;
    } rows[] = {
        {"20240228164415.0", true},
        {"20240229000000.0", true},
        {"20231231235960.999999999", true},
        {"20230229000000.0", false},
        {"21000229000000.0", false},
        {"20241301000000.0", false},
        {"20240001000000.0", false},
        {"20240100000000.0", false},
        {"20240431000000.0", false},
        {"20240101240000.0", false},
        {"20240101006000.0", false},
        {"20240101000061.0", false},
        {"00000101000000.0", false},
        {"20240228164415", false},
        {"20240228164415.", false},
        {"20240228164415.00", false},
        {"20240228164415.01", false},
        {"20240228164415.1000000000", false},
        {"20240228164415.-1", false},
        {"20240228164415.0 ", false},
        {" 20240228164415.0", false},
        {"2024022816441.0", false},
        {"202402281644155.0", false},
        {"20240228164415,0", false},
        {"20240228164415.0'; DROP TABLE", false},
        {".0", false},
        {"", false},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        cr_expect_eq(controlid_is_valid(rows[i].text), rows[i].valid, "\"%s\"",
                     rows[i].text);
}
