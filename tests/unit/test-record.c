/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "frame.h"
#include "json-check.h"
#include "record.h"

static struct sonde_record *record;

static void
setup(void)
{
    record = record_new();
    record_begin(record, "thing", "key");
}

static void
teardown(void)
{
    record_free(record);
}

TestSuite(record, .init = setup, .fini = teardown);

/* End the record and compare both objects, "" being no volatile one. */
static void
expect(const char *stable, const char *vol)
{
    struct frame f;
    int r = record_end(record, &f);

    cr_assert_eq(r, 0, "%d", r);
    cr_expect(f.stable_len == strlen(stable) &&
                  memcmp(f.stable, stable, f.stable_len) == 0,
              "%.*s, not %s", (int)f.stable_len, f.stable, stable);
    cr_expect(f.vol_len == strlen(vol) && memcmp(f.vol, vol, f.vol_len) == 0,
              "%.*s, not %s", (int)f.vol_len, f.vol, vol);
    cr_expect_eq(json_check_flat(f.stable, f.stable_len, NULL), 0);
    cr_expect(f.vol_len == 0 || json_check_flat(f.vol, f.vol_len, NULL) == 0);
}

static void
expect_error(int error)
{
    struct frame f;
    int r = record_end(record, &f);

    cr_expect_eq(r, error, "%d, not %d", r, error);
}

Test(record, without_fields_it_is_an_empty_object)
{
    expect("{}", "");
}

Test(record, fields_are_sorted_by_name)
{
    record_int(record, "b", 2);
    record_int(record, "ab", 3);
    record_int(record, "a", 1);
    record_int(record, "a_b", 4);
    expect("{\"a\":1,\"a_b\":4,\"ab\":3,\"b\":2}", "");
}

Test(record, what_changes_by_itself_stands_apart)
{
    record_int(record, "z", 1);
    record_volatile(record);
    record_int(record, "y", 2);
    record_int(record, "b", 3);
    expect("{\"z\":1}", "{\"b\":3,\"y\":2}");
}

Test(record, only_volatile_fields_leave_an_empty_object)
{
    record_volatile(record);
    record_int(record, "y", 2);
    expect("{}", "{\"y\":2}");
}

Test(record, every_type_has_its_form)
{
    record_str(record, "a_str", "x\"\\\n\x01\xc3\xa9");
    record_str(record, "b_null", NULL);
    record_int(record, "c_int", INT64_MIN);
    record_real(record, "d_real", 0.1);
    record_real(record, "e_nan", NAN);
    record_bool(record, "f_true", true);
    record_bool(record, "g_false", false);
    record_time(record, "h_time", 0);
    record_list(record, "i_list", (const char *const[]){"x", "", "\""}, 3);
    record_list(record, "j_none", NULL, 0);
    record_bytes(record, "k_bytes", "ab", 2);
    expect("{\"a_str\":\"x\\\"\\\\\\n\\u0001\xc3\xa9\",\"b_null\":null,"
           "\"c_int\":-9223372036854775808,\"d_real\":0.1,\"e_nan\":null,\"f_true\":true,"
           "\"g_false\":false,\"h_time\":\"1970-01-01T00:00:00Z\","
           "\"i_list\":[\"x\",\"\",\"\\\"\"],\"j_none\":[],\"k_bytes\":\"ab\"}",
           "");
}

Test(record, bytes_that_are_not_utf8_are_kept_in_hexadecimal)
{
    record_bytes(record, "a", "x\xff\0", 3);
    record_str(record, "b", "\xe2\x82");
    record_list(record, "c", (const char *const[]){"ok", "\xff"}, 2);
    expect("{\"a\":\"x\xef\xbf\xbd\xef\xbf\xbd\",\"a_hex\":\"78ff00\","
           "\"b\":\"\xef\xbf\xbd\xef\xbf\xbd\",\"b_hex\":\"e282\","
           "\"c\":[\"ok\",\"\xef\xbf\xbd\"],\"c_hex\":[\"6f6b\",\"ff\"]}",
           "");
}

Test(record, could_not_look_has_its_reason)
{
    record_none(record, "a", -EACCES);
    record_none(record, "b", 0);
    record_none(record, "c", -99999);
    expect("{\"a\":null,\"a_error\":\"EACCES\",\"b\":null,\"c\":null,"
           "\"c_error\":\"errno 99999\"}",
           "");
}

Test(record, times_have_seconds_and_four_digits_of_year)
{
    record_time(record, "a", 1795577400);
    record_time(record, "b", -1);
    record_time(record, "c", 253402300799);
    record_time(record, "d", 253402300800);
    record_time(record, "e", INT64_MAX);
    record_time(record, "f", INT64_MIN);
    expect("{\"a\":\"2026-11-25T03:30:00Z\",\"b\":\"1969-12-31T23:59:59Z\","
           "\"c\":\"9999-12-31T23:59:59Z\",\"d\":null,\"d_error\":\"ERANGE\","
           "\"e\":null,\"e_error\":\"ERANGE\",\"f\":null,\"f_error\":\"ERANGE\"}",
           "");
}

Test(record, names_of_fields_are_checked)
{
    static const char *const names[] = {"",    "A",   "1a",       "_a", "a-b",
                                        "a b", "a.b", "\xc3\xa9", "aB"};
    char name[66];

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        record_begin(record, "thing", "key");
        record_int(record, names[i], 1);
        expect_error(-EINVAL);
    }
    memset(name, 'a', sizeof name);
    name[65] = '\0';
    record_begin(record, "thing", "key");
    record_int(record, name, 1);
    expect_error(-EINVAL);
    record_begin(record, "thing", "key");
    record_int(record, NULL, 1);
    expect_error(-EINVAL);
    record_begin(record, "thing", "key");
    record_int(record, name + 1, 1);
    expect_error(0);
}

Test(record, kinds_are_checked)
{
    static const struct {
        const char *kind;
        bool good;
    } rows[] = {
        {"a", true},
        {"package", true},
        {"a_1", true},
        {"abcdefghijklmnopqrstuvwxyz_12345", true},
        {"abcdefghijklmnopqrstuvwxyz_123456", false},
        {"", false},
        {"A", false},
        {"1a", false},
        {"_a", false},
        {"a-b", false},
        {"a/b", false},
        {NULL, false},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        record_begin(record, rows[i].kind, "key");
        expect_error(rows[i].good ? 0 : -EINVAL);
    }
}

Test(record, keys_are_bounded_and_keep_their_bytes_apart)
{
    char key[1026];
    struct frame f;

    memset(key, 'k', sizeof key);
    key[1025] = '\0';
    record_begin(record, "thing", key);
    expect_error(-EMSGSIZE);
    record_begin(record, "thing", key + 1);
    expect_error(0);
    record_begin(record, "thing", "");
    expect_error(-EINVAL);
    record_begin(record, "thing", NULL);
    expect_error(-EINVAL);

    record_begin(record, "thing", "/x\xff\xc3\xa9");
    cr_assert_eq(record_end(record, &f), 0);
    cr_expect_eq(f.key_len, 8);
    cr_expect_eq(memcmp(f.key, "/x\\xff\xc3\xa9", 8), 0);
}

Test(record, a_field_twice_is_an_error_in_both_parts_together)
{
    record_int(record, "a", 1);
    record_int(record, "b", 1);
    record_int(record, "a", 2);
    expect_error(-EEXIST);
    record_begin(record, "thing", "key");
    record_int(record, "a", 1);
    record_volatile(record);
    record_int(record, "a", 1);
    expect_error(-EEXIST);
    record_begin(record, "thing", "key");
    record_str(record, "a", "\xff");
    record_str(record, "a_hex", "ff");
    expect_error(-EEXIST);
}

Test(record, there_are_at_most_128_fields)
{
    char name[16];

    for (int n = 128; n <= 129; n++) {
        record_begin(record, "thing", "key");
        for (int i = 0; i < n; i++) {
            snprintf(name, sizeof name, "f%d", i);
            record_int(record, name, i);
        }
        expect_error(n == 128 ? 0 : -E2BIG);
    }
}

Test(record, a_text_out_of_bounds_is_an_error)
{
    size_t size = 4 * FRAME_TEXT_MAX;
    char *text = malloc(size + 1);

    memset(text, 'x', size);
    text[size] = '\0';
    record_str(record, "a", text + size - (FRAME_TEXT_MAX - 8));
    expect_error(0);
    record_begin(record, "thing", "key");
    record_str(record, "a", text + size - (FRAME_TEXT_MAX - 7));
    expect_error(-EMSGSIZE);
    record_begin(record, "thing", "key");
    record_str(record, "a", text);
    record_str(record, "b", text);
    expect_error(-EMSGSIZE);
    memset(text, 1, size);
    record_begin(record, "thing", "key");
    record_str(record, "a", text);
    expect_error(-EMSGSIZE);
    free(text);
}

Test(record, both_parts_may_be_full)
{
    char *text = malloc(FRAME_TEXT_MAX);

    memset(text, 'x', FRAME_TEXT_MAX);
    record_bytes(record, "a", text, FRAME_TEXT_MAX - 8);
    record_volatile(record);
    record_bytes(record, "b", text, FRAME_TEXT_MAX - 8);
    expect_error(0);
    free(text);
}

Test(record, the_first_error_is_kept_and_begin_forgets_it)
{
    record_int(record, "BAD", 1);
    record_int(record, "a", 1);
    record_int(record, "a", 1);
    expect_error(-EINVAL);
    record_begin(record, "thing", "key");
    record_int(record, "a", 1);
    expect("{\"a\":1}", "");
}

Test(record, a_list_with_a_hole_is_an_error)
{
    record_list(record, "a", (const char *const[]){"x", NULL}, 2);
    expect_error(-EINVAL);
}

Test(record, after_its_end_a_record_takes_nothing)
{
    expect("{}", "");
    record_int(record, "a", 1);
    expect_error(-EINVAL);
}
