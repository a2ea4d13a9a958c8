/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "scan-limits.h"

Test(limits, the_smaller_of_each_pair_holds)
{
    struct limits a = LIMITS_DEFAULT, b = {.cpu_s = 5, .stall_s = 100000, .records = 1};
    struct limits c = limits_smaller(a, b);

    cr_expect_eq(c.cpu_s, 5);
    cr_expect_eq(c.stall_s, a.stall_s);
    cr_expect_eq(c.records, 1);
}

Test(limits, zero_says_nothing)
{
    struct limits a = LIMITS_DEFAULT, none = {0}, c = limits_smaller(a, none);

    for (int i = 0; i < limits_n_fields; i++)
        cr_expect_eq(*limits_at(&c, i), *limits_at(&a, i), "%s", limits_fields[i].name);
}

Test(limits, the_table_has_each_limit_once)
{
    struct limits l = {0};

    cr_assert_eq((size_t)limits_n_fields, sizeof l / sizeof(int64_t));
    for (int i = 0; i < limits_n_fields; i++) {
        cr_expect_eq(*limits_at(&l, i), 0, "%s", limits_fields[i].name);
        *limits_at(&l, i) = i + 1;
    }
}

Test(limits, each_default_may_be_asked)
{
    struct limits l = LIMITS_DEFAULT;

    for (int i = 0; i < limits_n_fields; i++) {
        cr_expect_gt(*limits_at(&l, i), 0, "%s", limits_fields[i].name);
        cr_expect_leq(*limits_at(&l, i), limits_fields[i].most, "%s",
                      limits_fields[i].name);
    }
}
