/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "json-check.h"

/* A text of a table; its length is that of the literal, NUL bytes in it included. */
struct row {
    const char *text;
    size_t len;
    const char *reason; /* a part of it; NULL: accepted */
};
#define YES(text)                                                                        \
    {                                                                                    \
        text, sizeof(text) - 1, NULL                                                     \
    }
#define NO(text, reason)                                                                 \
    {                                                                                    \
        text, sizeof(text) - 1, reason                                                   \
    }

typedef int check_function(const char *text, size_t len, struct why *why);

/* Each text is checked in a buffer of just its size, so that a sanitizer sees a byte too far. */
static void
check_rows(const struct row *rows, size_t n, check_function *check)
{
    for (size_t i = 0; i < n; i++) {
        char *copy = malloc(rows[i].len + !rows[i].len);
        struct why why = {""};
        int r;

        memcpy(copy, rows[i].text, rows[i].len);
        r = check(copy, rows[i].len, &why);
        free(copy);
        cr_expect_eq(r, rows[i].reason ? -EBADMSG : 0, "row %zu <%s>: %d %s", i,
                     rows[i].text, r, why.text);
        cr_expect(!rows[i].reason || strstr(why.text, rows[i].reason), "row %zu <%s>: %s",
                  i, rows[i].text, why.text);
    }
}
#define CHECK_ROWS(rows, check) check_rows(rows, sizeof rows / sizeof *rows, check)

static const struct row numbers[] = {
    YES("0"),
    YES("-0"),
    YES("1"),
    YES("-1"),
    YES("10"),
    YES("0.0"),
    YES("0.10"),
    YES("1e5"),
    YES("1E5"),
    YES("1e+5"),
    YES("1e-5"),
    YES("0e0"),
    YES("1.5e007"),
    YES("-0.0e-0"),
    YES("9223372036854775808"),
    YES("1e999"),
    NO("01", "leading zero"),
    NO("-01", "leading zero"),
    NO("00", "leading zero"),
    NO("+1", "not a value"),
    NO("-", "expected a digit"),
    NO("--1", "expected a digit"),
    NO("1.", "expected a digit"),
    NO(".1", "not a value"),
    NO("1.e1", "expected a digit"),
    NO("1e", "expected a digit"),
    NO("1e+", "expected a digit"),
    NO("1e1.5", "something after"),
    NO("0x10", "something after"),
    NO("1 2", "something after"),
    NO("1,2", "something after"),
    NO("1_000", "something after"),
    NO("NaN", "not a value"),
    NO("Infinity", "not a value"),
    NO("-Infinity", "expected a digit"),
    NO("1\0", "something after"),
    NO("\xd9\xa1", "not a value"),
    YES("123456789012345678901234567890"),
    YES("0.00000000000000000000000000000001"),
    YES("1E-0"),
    YES("-1e-999"),
    YES("20e1"),
    YES("1.0E+2"),
    YES("-123123123123123123123123123123"),
    YES("100000000000000000000e-10"),
    NO("-00", "leading zero"),
    NO("-012.5", "leading zero"),
    NO("00.5", "leading zero"),
    NO("-.5", "expected a digit"),
    NO("-1.", "expected a digit"),
    NO("-e1", "expected a digit"),
    NO("- 1", "expected a digit"),
    NO("++1", "not a value"),
    NO("1..2", "expected a digit"),
    NO("1.2.3", "something after"),
    NO("1e-", "expected a digit"),
    NO("1E", "expected a digit"),
    NO("1ee1", "expected a digit"),
    NO("1e++1", "expected a digit"),
    NO("1e+-1", "expected a digit"),
    NO("0e", "expected a digit"),
    NO("0.e0", "expected a digit"),
    NO("0x", "something after"),
    NO("0b1", "something after"),
    NO("1l", "something after"),
    NO("1a", "something after"),
    NO("1'000", "something after"),
    NO("1+2", "something after"),
    NO("1-2", "something after"),
    NO("1 000.0", "something after"),
    NO("1e5 5", "something after"),
    NO("1\xe2\x82\xac", "something after"),
    NO("\xef\xbc\x91", "not a value"),
    NO("inf", "not a value"),
    NO("nan", "not a value"),
    NO("-NaN", "expected a digit"),
    NO("-foo", "expected a digit"),
};

Test(json_check, numbers_follow_the_grammar)
{
    CHECK_ROWS(numbers, json_check);
}

static const struct row words[] = {
    YES("null"),
    YES("true"),
    YES("false"),
    YES(" \t\r\n null \t\r\n"),
    NO("", "ends before a value"),
    NO(" ", "ends before a value"),
    NO("nul", "not a value"),
    NO("nulll", "something after"),
    NO("True", "not a value"),
    NO("TRUE", "not a value"),
    NO("undefined", "not a value"),
    NO("'a'", "not a value"),
    NO("\0", "not a value"),
    NO("null\0", "something after"),
    NO("null//", "something after"),
    NO("/**/null", "not a value"),
    NO("\xef\xbb\xbfnull", "not a value"),
    NO("\fnull", "not a value"),
    NO("\vnull", "not a value"),
    NO("\xc2\xa0null", "not a value"),
    NO(",", "not a value"),
    NO("]", "not a value"),
    NO("}", "not a value"),
    YES("\ntrue"),
    YES("false\n\n\n"),
    YES("\r\nnull\r\n"),
    NO("t", "not a value"),
    NO("tru", "not a value"),
    NO("fals", "not a value"),
    NO("nUll", "not a value"),
    NO("NULL", "not a value"),
    NO("None", "not a value"),
    NO("truefalse", "something after"),
    NO("true false", "something after"),
    NO("true,", "something after"),
    NO("null;", "something after"),
    NO("null # x", "something after"),
    NO("null /* x */", "something after"),
    NO("// x\nnull", "not a value"),
    NO("# x\nnull", "not a value"),
    NO("\t\r\n ", "ends before a value"),
    NO("\0null", "not a value"),
    NO("null\f", "something after"),
    NO("null\v", "something after"),
    NO("null\xc2\x85", "something after"),
    NO("null\xe2\x80\xa8", "something after"),
    NO("\xe2\x81\xa0null", "not a value"),
    NO("\xff\xfen\0u\0l\0l\0", "not a value"),
    NO("n\0u\0l\0l\0", "not a value"),
    NO("&", "not a value"),
    NO("*", "not a value"),
    NO("`a`", "not a value"),
    NO("a", "not a value"),
    NO(":", "not a value"),
    NO("\\u0031", "not a value"),
    NO("\x1b[0mnull", "not a value"),
    NO("null\x1a", "something after"),
};

Test(json_check, words_and_white_space_are_exact)
{
    CHECK_ROWS(words, json_check);
}

static const struct row strings[] = {
    YES("\"\""),
    YES("\"a\""),
    YES("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""),
    YES("\"\\u0041\\u00e9\\uFFFF\\uabCD\""),
    YES("\"\\ud83d\\ude00\""),
    YES("\"\\ud800\\udc00\""),
    YES("\"\\udbff\\udfff\""),
    YES("\"\\u0001\""),
    YES("\"\x7f\""),
    YES("\"\xc2\x80\""),
    YES("\"\xdf\xbf\""),
    YES("\"\xe0\xa0\x80\""),
    YES("\"\xed\x9f\xbf\""),
    YES("\"\xee\x80\x80\""),
    YES("\"\xef\xbf\xbf\""),
    YES("\"\xf0\x90\x80\x80\""),
    YES("\"\xf4\x8f\xbf\xbf\""),
    YES("\"\\\\u0000\""),
    NO("\"", "ends in a string"),
    NO("\"a", "ends in a string"),
    NO("\"\\", "ends in a string"),
    NO("\"\\\"", "ends in a string"),
    NO("\"\\a\"", "unknown escape"),
    NO("\"\\'\"", "unknown escape"),
    NO("\"\\x41\"", "unknown escape"),
    NO("\"\\U0041\"", "unknown escape"),
    NO("\"\\\0\"", "unknown escape"),
    NO("\"\\u\"", "four hex"),
    NO("\"\\u004\"", "four hex"),
    NO("\"\\u004g\"", "four hex"),
    NO("\"\\u-041\"", "four hex"),
    NO("\"\\u00", "four hex"),
    NO("\"\\u0000\"", "\\u0000"),
    NO("\"a\0b\"", "control byte"),
    NO("\"\n\"", "control byte"),
    NO("\"\t\"", "control byte"),
    NO("\"\x1f\"", "control byte"),
    NO("\"\\ud800\"", "high surrogate"),
    NO("\"\\ud800a\"", "high surrogate"),
    NO("\"\\ud800\\n\"", "high surrogate"),
    NO("\"\\ud800\\u0041\"", "high surrogate"),
    NO("\"\\ud800\\ud800\"", "high surrogate"),
    NO("\"\\ud800\\u\"", "high surrogate"),
    NO("\"\\ud800\\udc0\"", "high surrogate"),
    NO("\"\\udc00\"", "low surrogate"),
    NO("\"\\udfff\\ud800\"", "low surrogate"),
    NO("\"\x80\"", "not UTF-8"),
    NO("\"\xbf\"", "not UTF-8"),
    NO("\"\xff\"", "not UTF-8"),
    NO("\"\xfe\"", "not UTF-8"),
    NO("\"\xc0\x80\"", "not UTF-8"),
    NO("\"\xc1\xbf\"", "not UTF-8"),
    NO("\"\xc2\"", "not UTF-8"),
    NO("\"\xc2", "not UTF-8"),
    NO("\"\xc2\xc2\"", "not UTF-8"),
    NO("\"\xe0\x9f\xbf\"", "not UTF-8"),
    NO("\"\xe2\x82\"", "not UTF-8"),
    NO("\"\xe2\x82\x28\"", "not UTF-8"),
    NO("\"\xed\xa0\x80\"", "not UTF-8"),
    NO("\"\xed\xbf\xbf\"", "not UTF-8"),
    NO("\"\xf0\x8f\xbf\xbf\"", "not UTF-8"),
    NO("\"\xf0\x9f\x98\"", "not UTF-8"),
    NO("\"\xf4\x90\x80\x80\"", "not UTF-8"),
    NO("\"\xf5\x80\x80\x80\"", "not UTF-8"),
    NO("\"\xf8\x88\x80\x80\x80\"", "not UTF-8"),
    NO("\"a\" \"b\"", "something after"),
    YES("\"\\u0022\\u005c\\u002F\""),
    YES("\"\\u0009\\u001f\\u007F\\u0080\""),
    YES("\"\\ud7ff\\ue000\""),
    YES("\"\\uD834\\uDd1e\""),
    YES("\"\\ufeff\""),
    YES("\"\xef\xbb\xbf\""),
    YES("\"\xe2\x80\xa8\xe2\x80\xa9\""),
    YES("\"\\uffff\xef\xbf\xbe\""),
    YES("\"/* no comment */ // none\""),
    YES("\"'\""),
    YES("\"{[\""),
    NO("\"\\u12\xc3\xa9\"", "four hex"),
    NO("\"\\u 041\"", "four hex"),
    NO("\"\\u+041\"", "four hex"),
    NO("\"\\u0x41\"", "four hex"),
    NO("\"\\uD800\\u0000\"", "high surrogate"),
    NO("\"\\ud800\\udbff\"", "high surrogate"),
    NO("\"\\ud800\\ue000\"", "high surrogate"),
    NO("\"\\ud800", "high surrogate"),
    NO("\"\\ud800\\", "high surrogate"),
    NO("\"\\ud800\\udc00\\udc00\"", "low surrogate"),
    NO("\"\\0\"", "unknown escape"),
    NO("\"\\v\"", "unknown escape"),
    NO("\"\\e\"", "unknown escape"),
    NO("\"\\N\"", "unknown escape"),
    NO("\"\\ \"", "unknown escape"),
    NO("\"\\\n\"", "unknown escape"),
    NO("\"\\\xc3\xa9\"", "unknown escape"),
    NO("\"\\\\\\\"", "ends in a string"),
    NO("\"\r\"", "control byte"),
    NO("\"\x1b\"", "control byte"),
    NO("\"\x08\"", "control byte"),
    NO("\"\0\"", "control byte"),
    NO("\"\xe0\x80\x80\"", "not UTF-8"),
    NO("\"\xe1\x80\"", "not UTF-8"),
    NO("\"\xed\xa0\xbd\xed\xb8\x80\"", "not UTF-8"),
    NO("\"\xf0\x80\x80\x80\"", "not UTF-8"),
    NO("\"\xf7\xbf\xbf\xbf\"", "not UTF-8"),
    NO("\"\xfc\x83\xbf\xbf\xbf\xbf\"", "not UTF-8"),
    NO("\"\xc3\"", "not UTF-8"),
    NO("\"\xc3\xa9\xa9\"", "not UTF-8"),
    NO("\"\xf0\x9f\x98\x80\x80\"", "not UTF-8"),
    NO("\"\xe9\"", "not UTF-8"),
    NO("\"a\"b", "something after"),
    NO("\"a\"\"", "something after"),
    NO("\xe2\x80\x9c"
       "a\xe2\x80\x9d",
       "not a value"),
    NO("\"a'", "ends in a string"),
};

Test(json_check, strings_are_whole_and_utf8)
{
    CHECK_ROWS(strings, json_check);
}

static const struct row containers[] = {
    YES("[]"),
    YES("[ ]"),
    YES("[1]"),
    YES("[ 1 , \"a\" , null , [ ] , { } ]"),
    YES("{}"),
    YES("{ }"),
    YES("{\"\":1}"),
    YES("{ \"a\" : 1 , \"b\" : [ { \"a\" : { } } ] }"),
    YES("{\"a\":{\"a\":{\"a\":1}}}"),
    YES("[{\"a\":1},{\"a\":1}]"),
    YES("{\"a\":1,\"A\":1}"),
    YES("{\"a\":1,\"a \":1}"),
    YES("{\"a\":1,\"aa\":1,\"\":1}"),
    YES("{\"\\ud83d\\ude00\":1,\"\\ud83d\\ude01\":1}"),
    NO("[", "ends before a value"),
    NO("[1", "',' or ']'"),
    NO("[1,", "ends before a value"),
    NO("[1,]", "not a value"),
    NO("[,1]", "not a value"),
    NO("[,]", "not a value"),
    NO("[1 2]", "',' or ']'"),
    NO("[1}", "',' or ']'"),
    NO("[]]", "something after"),
    NO("[][]", "something after"),
    NO("{", "ends in an object"),
    NO("{\"a\"", "':'"),
    NO("{\"a\":", "ends before a value"),
    NO("{\"a\":1", "',' or '}'"),
    NO("{\"a\":1,", "ends in an object"),
    NO("{\"a\":1,}", "member's name"),
    NO("{,}", "member's name"),
    NO("{a:1}", "member's name"),
    NO("{'a':1}", "member's name"),
    NO("{1:1}", "member's name"),
    NO("{null:1}", "member's name"),
    NO("{\"a\"1}", "':'"),
    NO("{\"a\",1}", "':'"),
    NO("{\"a\"::1}", "not a value"),
    NO("{\"a\":}", "not a value"),
    NO("{\"a\":1 \"b\":2}", "',' or '}'"),
    NO("{\"a\":1]", "',' or '}'"),
    NO("{\"a\":1}}", "something after"),
    NO("{}\0", "something after"),
    NO("{\"a\":1,\"a\":1}", "twice"),
    NO("{\"a\":1,\"b\":2,\"a\":3}", "twice"),
    NO("{\"\":1,\"\":1}", "twice"),
    NO("{\"a\":1,\"\\u0061\":1}", "twice"),
    NO("{\"\\u0061\":1,\"a\":1}", "twice"),
    NO("{\"/\":1,\"\\/\":1}", "twice"),
    NO("{\"\\n\":1,\"\\u000a\":1}", "twice"),
    NO("{\"\xc3\xa9\":1,\"\\u00E9\":1}", "twice"),
    NO("{\"\xf0\x9f\x98\x80\":1,\"\\ud83d\\ude00\":1}", "twice"),
    NO("[[{\"x\":{\"a\":1,\"a\":1}}]]", "twice"),
    NO("{\"a\":{\"b\":1},\"a\":1}", "twice"),
    NO("{\"a\":{\"b\":1,\"c\":2},\"b\":1,\"b\":1}", "twice"),
    YES("[[[[[[]]]]]]"),
    YES("[{},[],{}]"),
    YES("{\"a\":[{\"a\":[{\"a\":1}]}]}"),
    YES("{\"a\\u0062\":1,\"a\":2}"),
    YES("{\"\\u00e9\":1,\"e\xcc\x81\":1}"),
    YES("{\"a\":\"a\",\"b\":\"a\"}"),
    YES("[\r\n1\t,\n2\r]"),
    NO("[1,,2]", "not a value"),
    NO("[,", "not a value"),
    NO("[1,2,]", "not a value"),
    NO("[1;2]", "',' or ']'"),
    NO("[1:2]", "',' or ']'"),
    NO("[\"a\":1]", "',' or ']'"),
    NO("[\"a\" \"b\"]", "',' or ']'"),
    NO("[\"a", "ends in a string"),
    NO("[[1]", "',' or ']'"),
    NO("[1]x", "something after"),
    NO("[1],", "something after"),
    NO("[a]", "not a value"),
    NO("[01]", "leading zero"),
    NO("[1.]", "expected a digit"),
    NO("[\f1]", "not a value"),
    NO("(1)", "not a value"),
    NO("{[]:1}", "member's name"),
    NO("{\"a\":1,b:2}", "member's name"),
    NO("{\"a\":1,,\"b\":2}", "member's name"),
    NO("{\"a\":1;\"b\":2}", "',' or '}'"),
    NO("{\"a\":1 2}", "',' or '}'"),
    NO("{\"a\"=1}", "':'"),
    NO("{\"a\":/*x*/1}", "not a value"),
    NO("{/*x*/\"a\":1}", "member's name"),
    NO("{\"a\":1/*x*/}", "',' or '}'"),
    NO("{\"a", "ends in a string"),
    NO("{\"a\\u00\":1}", "four hex"),
    NO("{\"\xff\":1}", "not UTF-8"),
    NO("{\"a\0\":1}", "control byte"),
    NO("{\"a\\u0000\":1}", "\\u0000"),
    NO("{\"a\":\"b\":1}", "',' or '}'"),
    NO("{\"a\":[}", "not a value"),
    NO("{}{}", "something after"),
    NO("{},", "something after"),
    NO("{\"a\":{\"b\":1,\"b\":2},\"c\":1}", "twice"),
    NO("{\"\\\"\":1,\"\\u0022\":1}", "twice"),
    NO("{\"a\":[{\"b\":1}],\"c\":[{\"d\":1,\"d\":1}]}", "twice"),
};

Test(json_check, objects_and_lists_are_whole_and_names_are_there_once)
{
    CHECK_ROWS(containers, json_check);
}

static const struct row flat[] = {
    YES("{}"),
    YES(" {\"a\":null, \"b\":true, \"c\":-1.5, \"d\":\"x\"} "),
    YES("{\"a\":[]}"),
    YES("{\"a\":[\"x\",\"y\",\"x\"]}"),
    NO("[]", "expected an object"),
    NO("\"a\"", "expected an object"),
    NO("1", "expected an object"),
    NO("", "expected an object"),
    NO("{\"a\":{}}", "an object in a flat object"),
    NO("{\"a\":[1]}", "strings only"),
    NO("{\"a\":[null]}", "strings only"),
    NO("{\"a\":[[]]}", "strings only"),
    NO("{\"a\":[{}]}", "strings only"),
    NO("{\"a\":[\"x\",1]}", "strings only"),
    NO("{\"a\":[\"x\",]}", "strings only"),
    NO("{\"a\":1,\"a\":1}", "twice"),
    NO("{\"a\":1}{}", "something after"),
    YES("{\"a\":\"\",\"b\":[\"\"]}"),
    YES("{\"a\":[],\"b\":[]}"),
    YES("{\"a\":-0.5e-7,\"a_hex\":\"ff\"}"),
    YES("{\"\":null}"),
    NO("null", "expected an object"),
    NO("true", "expected an object"),
    NO("[{\"a\":1}]", "expected an object"),
    NO("{\"a\":{\"b\":1}}", "an object in a flat object"),
    NO("{\"a\":[true]}", "strings only"),
    NO("{\"a\":[-1]}", "strings only"),
    NO("{\"a\":[\"x\",null]}", "strings only"),
    NO("{\"a\":[\"x\",[\"y\"]]}", "strings only"),
    NO("{\"a\":[\"x\" \"y\"]}", "',' or ']'"),
    NO("{\"a\":[\"\\ud800\"]}", "high surrogate"),
    NO("{\"a\":01}", "leading zero"),
    NO("{\"a\":\"x\",\"b\":\"y\",\"\\u0061\":\"z\"}", "twice"),
    NO("{\"a\":1},", "something after"),
    NO("{\"a\":1", "',' or '}'"),
};

Test(json_check, a_records_object_is_flat)
{
    CHECK_ROWS(flat, json_check_flat);
}

Test(json_check, nesting_ends_at_32)
{
    char text[200000];

    for (int depth = 1; depth <= 34; depth++) {
        memset(text, '[', (size_t)depth);
        memset(text + depth, ']', (size_t)depth);
        cr_expect_eq(json_check(text, 2 * (size_t)depth, NULL),
                     depth <= 32 ? 0 : -EBADMSG, "%d", depth);
    }
    memset(text, '[', sizeof text);
    cr_expect_eq(json_check(text, sizeof text, NULL), -EBADMSG);
}

/* {"0":0,"1":0,…}, from a first number on */
static size_t
object_of(char *text, int n)
{
    char *to = text;

    for (int i = 0; i < n; i++)
        to += sprintf(to, "%c\"%d\":0", i ? ',' : '{', i);
    *to++ = '}';
    return (size_t)(to - text);
}

Test(json_check, an_object_has_at_most_1024_members)
{
    char text[32768];
    struct why why;

    cr_expect_eq(json_check(text, object_of(text, 1024), NULL), 0);
    cr_expect_eq(json_check(text, object_of(text, 1025), &why), -EBADMSG);
    cr_expect(strstr(why.text, "1024"), "%s", why.text);
}

Test(json_check, the_reason_tells_the_place)
{
    struct why why;

    json_check("{\"a\":1,\"b\":x}", 13, &why);
    cr_expect_str_eq(why.text, "byte 11: not a value");
    json_check("{\"a\":1,\"\\u0061\":1}", 18, &why);
    cr_expect_str_eq(why.text, "byte 7: a name twice in one object");
}

Test(json_check, every_cut_of_a_good_text_is_refused)
{
    static const char text[] =
        "{\"a\":[\"x\\u00e9\\ud83d\\ude00\xc3\xa9\",\"\"],\"b\":-1.5e+3,\"c\":null}";

    cr_expect_eq(json_check(text, sizeof text - 1, NULL), 0);
    for (size_t len = 0; len < sizeof text - 1; len++) {
        char *copy = malloc(len + 1);

        memcpy(copy, text, len);
        cr_expect_eq(json_check(copy, len, NULL), -EBADMSG, "%zu", len);
        free(copy);
    }
}

Test(json_check, a_sequence_has_the_length_of_its_character)
{
    static const struct {
        const char *s;
        size_t len, expected;
    } rows[] = {
        {"", 0, 0},
        {"a", 1, 1},
        {"\0", 1, 1},
        {"\xc3\xa9x", 3, 2},
        {"\xc3\xa9", 1, 0},
        {"\xe2\x82\xac", 3, 3},
        {"\xe2\x82", 2, 0},
        {"\xf0\x9f\x98\x80", 4, 4},
        {"\xf0\x9f\x98\x80", 3, 0},
        {"\xed\xa0\x80", 3, 0},
        {"\x80", 1, 0},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        cr_expect_eq(utf8_sequence((const unsigned char *)rows[i].s, rows[i].len),
                     rows[i].expected, "row %zu", i);
}
