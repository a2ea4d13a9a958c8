/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "table.h"

/* Two rows of three columns; the caller frees. */
static char *
print(const char *const heads[3], const char *const cells[6], size_t width)
{
    char *text = NULL;
    size_t len;
    FILE *stream = open_memstream(&text, &len);
    struct table table;

    table_init(&table);
    for (int i = 0; i < 3; i++)
        table_column(&table, heads[i]);
    for (int i = 0; i < 6; i++)
        table_cell(&table, cells[i]);
    cr_assert_eq(table_print(&table, stream, width), 0);
    table_done(&table);
    fclose(stream);
    return text;
}

static const char *const heads[3] = {"NAME", "N", "NOTE"};

static void
expect(const char *const cells[6], size_t width, const char *expected)
{
    char *text = print(heads, cells, width);

    cr_expect_str_eq(text, expected);
    free(text);
}

Test(table, columns_are_as_wide_as_their_widest_cell)
{
    static const char *const cells[6] = {"bash", "1", "a shell", "libc6", "22", NULL};

    expect(cells, 0,
           "NAME    N  NOTE\n"
           "bash    1  a shell\n"
           "libc6  22\n");
}

Test(table, numbers_are_right_aligned_and_texts_are_left_aligned)
{
    static const char *const cells[6] = {"a", "-5", "x", "bc", "1000.25", "y"};
    static const char *const mixed[6] = {"a", "5", "x", "bc", "many", "y"};

    expect(cells, 0,
           "NAME        N  NOTE\n"
           "a          -5  x\n"
           "bc    1000.25  y\n");
    expect(mixed, 0,
           "NAME  N     NOTE\n"
           "a     5     x\n"
           "bc    many  y\n");
}

Test(table, a_version_is_no_number_and_neither_is_nothing)
{
    static const char *const versions[6] = {"a", "1.2.3", "x", "bc", "10.0", "y"};
    static const char *const none[6] = {"a", NULL, "x", "bc", "", "y"};
    static const char *const last[6] = {"a", "5", NULL, "bc", NULL, NULL};

    expect(versions, 0,
           "NAME  N      NOTE\n"
           "a     1.2.3  x\n"
           "bc    10.0   y\n");
    expect(none, 0,
           "NAME  N  NOTE\n"
           "a        x\n"
           "bc       y\n");
    expect(last, 0,
           "NAME  N  NOTE\n"
           "a     5\n"
           "bc\n");
}

Test(table, what_plays_with_a_terminal_is_made_visible)
{
    static const char *const cells[6] = {"a\x1b[2J", "1", "b\nc",
                                         "\xc2\x9b", "2", "\xff"};
    static const char *const evil[3] = {"NA\x1b", "N", "NO\nTE"};
    static const char *const plain[6] = {"a", "1", "b", "c", "2", "d"};
    char *text = print(heads, cells, 0);

    cr_expect_str_eq(text, "NAME      N  NOTE\n"
                           "a\\x1b[2J  1  b\\x0ac\n"
                           "\\xc2\\x9b  2  \\xff\n");
    free(text);
    text = print(evil, plain, 0);
    cr_expect_str_eq(text, "NA\\x1b  N  NO\\x0aTE\n"
                           "a       1  b\n"
                           "c       2  d\n");
    free(text);
}

Test(table, a_character_of_several_bytes_takes_one_column)
{
    static const char *const cells[6] = {
        "gr\xc3\xbc\xc3\x9f", "1", "\xe2\x82\xac", "plain", "2", "x"};

    cr_expect_eq(table_text_width("gr\xc3\xbc\xc3\x9f"), 4);
    expect(cells, 0,
           "NAME   N  NOTE\n"
           "gr\xc3\xbc\xc3\x9f   1  \xe2\x82\xac\n"
           "plain  2  x\n");
}

#define KANJI "\xe6\xbc\xa2"
#define ACUTE "\xcc\x81" /* upon the letter before */

Test(table, wide_characters_take_two_columns_and_marks_none)
{
    static const char *const cells[6] = {(KANJI KANJI), "1", ("e" ACUTE),
                                         "plain",       "2", "x"};
    static const char *const many[6] = {
        KANJI KANJI KANJI KANJI KANJI KANJI, "1", "x", "y", "2", "z"};

    cr_expect_eq(table_text_width(KANJI "a" ACUTE), 3);
    cr_expect_eq(table_text_width("\xf0\x9f\x98\x80"), 2);
    expect(cells, 0,
           "NAME   N  NOTE\n" KANJI KANJI "   1  e" ACUTE "\n"
           "plain  2  x\n");
    /* Three and a half of them and the mark of the cut do not go into eight columns. */
    expect(many, 17,
           "NAME      N  NOTE\n" KANJI KANJI KANJI "~   1  x\n"
           "y         2  z\n");
}

/* Lines of a text that are wider than this. */
static int
too_wide(char *text, size_t width)
{
    int n = 0;

    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
        n += table_text_width(line) > width;
    return n;
}

Test(table, the_widest_texts_are_cut_to_fit_a_narrow_terminal)
{
    static const char *const cells[6] = {"a short name",
                                         "20240228164415",
                                         "a reason that goes on and on and on and on",
                                         "b",
                                         "7",
                                         "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4"};

    expect(cells, 48,
           "NAME                       N  NOTE\n"
           "a short name  20240228164415  a reason that goe~\n"
           "b                          7  "
           "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\n");
    for (size_t width = 34; width < 100; width++) {
        char *text = print(heads, cells, width);

        cr_expect_eq(too_wide(text, width), 0, "width %zu", width);
        free(text);
    }
}

Test(table, a_number_is_never_cut)
{
    static const char *const cells[6] = {"a long name", "20240228164415", "a long note",
                                         "b",           "20240228164416", "x"};

    for (size_t width = 1; width < 60; width++) {
        char *text = print(heads, cells, width);

        cr_expect(strstr(text, " 20240228164415 "), "width %zu", width);
        cr_expect(strstr(text, " 20240228164416 "), "width %zu", width);
        free(text);
    }
}

#define EURO "\xe2\x82\xac"
#define EUROS_7 EURO EURO EURO EURO EURO EURO EURO

Test(table, a_cut_text_ends_at_a_whole_character)
{
    static const char *const cells[6] = {EUROS_7 EURO EURO EURO, "1", "x", "y", "2", "z"};

    expect(cells, 17,
           "NAME      N  NOTE\n" EUROS_7 "~  1  x\n"
           "y         2  z\n");
}

Test(table, an_endless_text_is_bounded)
{
    static char longest[100000];
    const char *const cells[6] = {longest, "1", "x", "y", "2", "z"};
    char *text;

    memset(longest, 'x', sizeof longest - 1);
    text = print(heads, cells, 0);
    cr_expect_lt(strlen(text), 3 * (TABLE_CELL_MAX + 20));
    cr_expect(strstr(text, "[cut]"));
    free(text);
}

Test(table, more_columns_than_there_may_be_are_left_out)
{
    char *text = NULL;
    size_t len;
    FILE *stream = open_memstream(&text, &len);
    struct table table;

    table_init(&table);
    for (int i = 0; i < TABLE_COLUMNS_MAX + 5; i++)
        table_column(&table, "c");
    for (int i = 0; i < TABLE_COLUMNS_MAX; i++)
        table_int(&table, i);
    cr_expect_eq(table.n_columns, TABLE_COLUMNS_MAX);
    cr_expect_eq(table_print(&table, stream, 0), 0);
    table_done(&table);
    fclose(stream);
    free(text);
}

Test(table, one_without_columns_prints_nothing)
{
    struct table table;

    table_init(&table);
    table_cell(&table, "lost");
    cr_expect_eq(table_print(&table, stdout, 80), 0);
    cr_expect_eq(table.n_cells, 0);
    table_done(&table);
}

Test(table, a_stream_that_fails_is_told)
{
    FILE *full = fopen("/dev/full", "w");
    struct table table;

    cr_assert(full);
    setvbuf(full, NULL, _IONBF, 0);
    table_init(&table);
    table_column(&table, "NAME");
    table_cell(&table, "x");
    cr_expect_lt(table_print(&table, full, 0), 0);
    table_done(&table);
    fclose(full);
}
