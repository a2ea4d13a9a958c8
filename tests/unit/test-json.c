/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <errno.h>
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "json-check.h"
#include "json-text.h"
#include "json.h"

static struct json *
parse(const char *text)
{
    struct json *json = NULL;
    struct why why = {""};

    cr_assert_eq(json_parse(text, strlen(text), &json, &why), 0, "%s: %s", text,
                 why.text);
    return json;
}

Test(json, members_come_by_name_and_type)
{
    struct json *j = parse("{\"s\":\"x\",\"i\":-7,\"r\":1.5,\"t\":true,\"f\":false,"
                           "\"n\":null,\"l\":[1],\"o\":{\"s\":\"in\"},\"S\":\"big\"}");

    cr_expect_str_eq(json_get_str(j, "s"), "x");
    cr_expect_str_eq(json_get_str(j, "S"), "big");
    cr_expect_eq(json_get_int(j, "i", 1), -7);
    cr_expect_eq(json_get_real(j, "r", 0), 1.5);
    cr_expect_eq(json_get_real(j, "i", 0), -7);
    cr_expect(json_get_bool(j, "t", false));
    cr_expect_not(json_get_bool(j, "f", true));
    cr_expect_str_eq(json_get_str(json_get(j, "o"), "s"), "in");
    json_free(j);
}

Test(json, another_type_or_nothing_gives_the_default)
{
    struct json *j = parse("{\"s\":\"1\",\"i\":1}");

    cr_expect_null(json_get_str(j, "i"));
    cr_expect_null(json_get_str(j, "none"));
    cr_expect_eq(json_get_int(j, "s", 5), 5);
    cr_expect_eq(json_get_int(j, "none", 5), 5);
    cr_expect_eq(json_get_real(j, "s", 2.5), 2.5);
    cr_expect(json_get_bool(j, "i", true));
    cr_expect_null(json_get(NULL, "s"));
    cr_expect_null(json_get_str(NULL, "s"));
    cr_expect_eq(json_get_int(json_get(j, "s"), "x", 9), 9);
    cr_expect_null(json_first(json_get(j, "s")));
    json_free(j);
    json_free(NULL);
}

Test(json, integers_are_exact_or_not_there)
{
    static const struct {
        const char *text;
        int64_t expected;
    } rows[] = {
        {"0", 0},
        {"-0", 0},
        {"1e3", 1000},
        {"9007199254740991", 9007199254740991},
        {"-9007199254740991", -9007199254740991},
        {"9007199254740992", -1},
        {"9007199254740993", -1},
        {"9223372036854775807", -1},
        {"1e999", -1},
        {"1.5", -1},
        {"\"1\"", -1},
        {"true", -1},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct json *j = parse(rows[i].text);

        cr_expect_eq(json_int(j, -1), rows[i].expected, "%s", rows[i].text);
        json_free(j);
    }
}

Test(json, what_the_strict_check_refuses_is_refused)
{
    static const char *const texts[] = {
        "", "01", "{\"a\":1,\"a\":2}", "[1]x", "\"\\u0000\"", "\"\xff\"", "{\"a\":1}{}",
    };

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct json *j = NULL;
        struct why why = {""};

        cr_expect_eq(json_parse(texts[i], strlen(texts[i]), &j, &why), -EBADMSG);
        cr_expect_eq(strncmp(why.text, "byte ", 5), 0, "%s", why.text);
        cr_expect_null(j);
    }
}

Test(json, a_long_number_is_whole_or_refused)
{
    char text[128];
    struct json *j = NULL;
    struct why why = {""};

    memset(text, '1', sizeof text);
    if (json_parse(text, sizeof text, &j, &why) == 0)
        cr_expect_gt(json_real(j, 0), 1e127);
    else
        cr_expect(strstr(why.text, "too long"), "%s", why.text);
    json_free(j);
}

Test(json, children_come_in_order)
{
    struct json *j = parse("{\"b\":[1,2,3],\"a\":null}");
    const struct json *c = json_first(j);
    int64_t sum = 0;

    cr_expect_str_eq(json_name(c), "b");
    for (const struct json *e = json_first(c); e; e = json_next(e))
        sum = sum * 10 + json_int(e, 0);
    cr_expect_eq(sum, 123);
    c = json_next(c);
    cr_expect_str_eq(json_name(c), "a");
    cr_expect_null(json_next(c));
    json_free(j);
}

Test(json, types_have_names)
{
    static const char *const names[] = {"null",     "true or false", "true or false",
                                        "a number", "a string",      "a list",
                                        "an object"};
    struct json *j = parse("[null,true,false,1,\"\",[],{}]");
    int i = 0;

    for (const struct json *c = json_first(j); c; c = json_next(c))
        cr_expect_str_eq(json_type_name(json_type(c)), names[i++]);
    json_free(j);
}

Test(json, print_is_compact)
{
    struct json *j = parse(" { \"a\" : [ 1 , \"x\" ] } ");
    char *text = json_print(j);

    cr_expect_str_eq(text, "{\"a\":[1,\"x\"]}");
    free(text);
    json_free(j);
}

Test(json, a_number_is_printed_as_the_same_number)
{
    static const struct {
        const char *text, *printed;
    } rows[] = {
        {"0", "0"},
        {"-0.0", "0"},
        {"7", "7"},
        {"-500", "-500"},
        {"5e2", "500"},
        {"0.1", "0.1"},
        {"1000000000000000", "1000000000000000"},
        {"1234567890123456", "1234567890123456"},
        {"9007199254740991", "9007199254740991"},
        {"-9007199254740991", "-9007199254740991"},
        {"1.7976931348623157e308", "1.7976931348623157e+308"},
        {"0.30000000000000004", "0.30000000000000004"},
        {"1e999", "null"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct json *j = parse(rows[i].text);
        char *text = json_print(j);

        cr_expect_str_eq(text, rows[i].printed, "%s", rows[i].text);
        free(text);
        json_free(j);
    }
}

/* What a writer wrote, in a buffer that the next call overwrites. */
static const char *
written(void (*write)(struct json_out *))
{
    static char text[4096];
    FILE *stream = fmemopen(text, sizeof text, "w");
    struct json_out out;

    json_out_init(&out, stream);
    write(&out);
    fclose(stream);
    return text;
}

static void
write_nested(struct json_out *out)
{
    json_out_object(out, NULL);
    json_out_str(out, "s", "x");
    json_out_int(out, "i", INT64_MIN);
    json_out_array(out, "l");
    json_out_object(out, NULL);
    json_out_end(out, '}');
    json_out_bool(out, NULL, true);
    json_out_array(out, NULL);
    json_out_end(out, ']');
    json_out_end(out, ']');
    json_out_str(out, "n", NULL);
    json_out_raw(out, "raw", "{\"a\":1}");
    json_out_raw(out, "none", NULL);
    json_out_real(out, "r", 0.1);
    json_out_real(out, "inf", INFINITY);
    json_out_end(out, '}');
}

Test(json_out, commas_and_nesting_are_right)
{
    cr_expect_str_eq(
        written(write_nested),
        "{\"s\":\"x\",\"i\":-9223372036854775808,\"l\":[{},true,[]],"
        "\"n\":null,\"raw\":{\"a\":1},\"none\":null,\"r\":0.1,\"inf\":null}");
}

static void
write_text(struct json_out *out)
{
    json_out_object(out, NULL);
    json_out_str(out, "k\n\xff", "\"\\\b\f\n\r\t\x01\x1f\x7f\xc3\xa9|\xc3|\xe2\x82\xac");
    json_out_end(out, '}');
}

Test(json_out, text_is_escaped_and_made_utf8)
{
    const char *text = written(write_text);

    cr_expect_str_eq(text,
                     "{\"k\\n\xef\xbf\xbd\":\"\\\"\\\\\\b\\f\\n\\r\\t\\u0001\\u001f\x7f"
                     "\xc3\xa9|\xef\xbf\xbd|\xe2\x82\xac\"}");
    cr_expect_eq(json_check(text, strlen(text), NULL), 0);
}

Test(json_text, reals_are_short_and_come_back_the_same)
{
    static const struct {
        double value;
        const char *text;
    } rows[] = {
        {0, "0"},
        {-0.0, "-0"},
        {1, "1"},
        {0.1, "0.1"},
        {1.0 / 3, "0.3333333333333333"},
        {1e20, "1e+20"},
        {1e-7, "1e-07"},
        {0.1 + 0.2, "0.30000000000000004"},
        {NAN, "null"},
        {-INFINITY, "null"},
        {DBL_MAX, "1.7976931348623157e+308"},
        {5e-324, "4.94065645841247e-324"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[JSON_REAL_MAX];

        cr_expect_eq(json_text_real(rows[i].value, text), strlen(rows[i].text));
        cr_expect_str_eq(text, rows[i].text);
        cr_expect_eq(json_check(text, strlen(text), NULL), 0, "%s", text);
    }
}

Test(json_text, clean_text_has_no_nul_and_no_bad_byte)
{
    cr_expect(json_text_is_clean("", 0));
    cr_expect(json_text_is_clean("a\xc3\xa9", 3));
    cr_expect_not(json_text_is_clean("a\xc3\xa9", 2));
    cr_expect_not(json_text_is_clean("a\0b", 3));
    cr_expect_not(json_text_is_clean("\xff", 1));
}
