/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include <criterion/criterion.h>

#include "demand.h"

enum { WORDS_MAX = 6 };

struct row {
    const char *words[WORDS_MAX + 1];
    const char *application; /* or the reason must contain: */
    const char *reason;
    int64_t cputhrottle;
};

static int
parse(const char *const words[], struct demand *ret, struct why *why)
{
    int n = 0;

    while (words[n])
        n++;
    return demand_parse(n, (char *const *)words, ret, why);
}

static void
expect_rows(const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct demand demand;
        struct why why = {""};
        int r = parse(rows[i].words, &demand, &why);

        if (rows[i].application) {
            cr_expect_eq(r, 0, "row %zu: %s", i, why.text);
            cr_expect_str_eq(demand.application, rows[i].application, "row %zu", i);
            cr_expect_eq(demand.cputhrottle, rows[i].cputhrottle, "row %zu", i);
        } else {
            cr_expect_eq(r, -EINVAL, "row %zu", i);
            cr_expect(strstr(why.text, rows[i].reason), "row %zu: %s", i, why.text);
        }
    }
}

Test(demand, the_words_of_the_contract_are_understood)
{
    static const struct row rows[] = {
        {{"action=demand", "type=vm", "cputhrottle=0"}, "vm", NULL, 0},
        {{"action=demand", "type=vm"}, "vm", NULL, 0},
        {{"cputhrottle=1000", "type=inv", "action=demand"}, "inv", NULL, 1000},
        {{"action=demand", "type=my-app2", "cputhrottle=007"}, "my-app2", NULL, 7},
        {{"action=demand", "type=abcdefghijabcdefghijabcdefghij12"},
         "abcdefghijabcdefghijabcdefghij12",
         NULL,
         0},
    };

    expect_rows(rows, sizeof rows / sizeof *rows);
}

Test(demand, keys_and_values_are_case_insensitive)
{
    static const struct row rows[] = {
        {{"ACTION=DEMAND", "TYPE=VM", "CPUTHROTTLE=90"}, "vm", NULL, 90},
        {{"Action=Demand", "tYpE=iNv", "cpuThrottle=5"}, "inv", NULL, 5},
    };

    expect_rows(rows, sizeof rows / sizeof *rows);
}

Test(demand, of_a_repeated_key_the_last_one_holds)
{
    static const struct row rows[] = {
        {{"action=demand", "type=vm", "TYPE=pc"}, "pc", NULL, 0},
        {{"action=demand", "type=vm", "cputhrottle=5", "cputhrottle=6"}, "vm", NULL, 6},
        {{"action=stop", "type=vm", "action=demand"}, "vm", NULL, 0},
        {{"action=demand", "type=vm", "cputhrottle=x", "cputhrottle=6"}, "vm", NULL, 6},
        {{"action=demand", "type=vm", "cputhrottle=6", "cputhrottle=x"},
         NULL,
         "cputhrottle",
         0},
        {{"action=demand", "type=vm", "action=stop"}, NULL, "stop", 0},
        {{"action=demand", "type=vm", "type="}, NULL, "type", 0},
    };

    expect_rows(rows, sizeof rows / sizeof *rows);
}

Test(demand, anything_else_is_refused_with_its_reason)
{
    static const struct row rows[] = {
        {{NULL}, NULL, "action is missing", 0},
        {{"type=vm"}, NULL, "action is missing", 0},
        {{"action=demand"}, NULL, "type is missing", 0},
        {{"action=", "type=vm"}, NULL, "action", 0},
        {{"action=demands", "type=vm"}, NULL, "demands", 0},
        {{"action=deman", "type=vm"}, NULL, "deman", 0},
        {{"action", "type=vm"}, NULL, "key=value", 0},
        {{"action=demand", "type=vm", "now"}, NULL, "key=value", 0},
        {{"action=demand", "type=vm", ""}, NULL, "key=value", 0},
        {{"action=demand", "type=vm", "=1"}, NULL, "unknown key", 0},
        {{"action=demand", "type=vm", "throttle=1"}, NULL, "unknown key", 0},
        {{"action=demand", "type=vm", "cputhrottl=1"}, NULL, "unknown key", 0},
        {{"action=demand", "type=vm", "cputhrottle2=1"}, NULL, "unknown key", 0},
        {{"action=demand", " type=vm"}, NULL, "unknown key", 0},
        {{"action=demand", "type=../vm"}, NULL, "type", 0},
        {{"action=demand", "type=v m"}, NULL, "type", 0},
        {{"action=demand", "type=vm=pc"}, NULL, "type", 0},
        {{"action=demand", "type=2vm"}, NULL, "type", 0},
        {{"action=demand", "type=v\xc3\xa4"}, NULL, "type", 0},
        {{"action=demand", "type=abcdefghijabcdefghijabcdefghij123"}, NULL, "type", 0},
    };

    expect_rows(rows, sizeof rows / sizeof *rows);
}

Test(demand, a_throttle_is_0_to_1000_in_digits_alone)
{
    static const struct {
        const char *text;
        int64_t value; /* -1: refused */
    } rows[] = {
        {"0", 0},           {"1", 1},
        {"1000", 1000},     {"00000010", 10},
        {"1001", -1},       {"", -1},
        {"-1", -1},         {"+1", -1},
        {" 1", -1},         {"1 ", -1},
        {"1.5", -1},        {"1e2", -1},
        {"0x10", -1},       {"ten", -1},
        {"1\n", -1},        {"99999999999999999999", -1},
        {"4294967296", -1}, {"18446744073709551616", -1},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct why why = {""};
        int64_t value = -2;
        int r = demand_parse_throttle(rows[i].text, &value, &why);

        cr_expect_eq(r, rows[i].value < 0 ? -EINVAL : 0, "\"%s\"", rows[i].text);
        if (rows[i].value >= 0)
            cr_expect_eq(value, rows[i].value, "\"%s\"", rows[i].text);
        else
            cr_expect(strstr(why.text, "cputhrottle"), "\"%s\"", rows[i].text);
    }
}

Test(demand, a_long_word_makes_a_bounded_reason)
{
    static char word[9000];
    char *words[] = {word};
    struct demand demand;
    struct why why = {""};

    memset(word, 'x', sizeof word - 1);
    cr_expect_eq(demand_parse(1, words, &demand, &why), -EINVAL);
    cr_expect_lt(strlen(why.text), 100);
    word[5000] = '=';
    cr_expect_eq(demand_parse(1, words, &demand, &why), -EINVAL);
    cr_expect_lt(strlen(why.text), 120);
}
