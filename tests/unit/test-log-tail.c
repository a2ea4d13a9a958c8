/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "log-tail.h"

enum { KEEP = 3 };

static char folder[64], path[96];
static struct log_tail *tail;
static struct why why;

/* Append to <path>.N, or (0) to <path>. */
static void
put(int number, const char *text)
{
    char name[128];
    FILE *f;

    snprintf(name, sizeof name, number ? "%s.%d" : "%s", path, number);
    f = fopen(name, "a");
    cr_assert(f && fputs(text, f) >= 0 && fclose(f) == 0);
}

static void
shift(int from, int to)
{
    char old[128], new[128];

    snprintf(old, sizeof old, from ? "%s.%d" : "%s", path, from);
    snprintf(new, sizeof new, "%s.%d", path, to);
    cr_assert(rename(old, new) == 0 || errno == ENOENT);
}

/* As log.c does. */
static void
rotate(const char *text)
{
    for (int i = KEEP - 1; i >= 0; i--)
        shift(i, i + 1);
    put(0, text);
}

static void
expect(const char *line)
{
    const char *got = log_tail_next(tail);

    if (line)
        cr_expect(got && strcmp(got, line) == 0, "got %s, not %s", got ? got : "nothing",
                  line);
    else
        cr_expect_null(got, "got %s", got);
}

static void
begin(void)
{
    strcpy(folder, "/tmp/test-log-tail.XXXXXX");
    cr_assert(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/agent.log", folder);
}

static void
end(void)
{
    char command[128];

    log_tail_free(tail);
    snprintf(command, sizeof command, "rm -rf %s", folder);
    cr_expect_eq(system(command), 0);
}

static void
open_tail(void)
{
    cr_assert_eq(log_tail_open(path, KEEP, &tail, &why), 0, "%s", why.text);
}

TestSuite(log_tail, .init = begin, .fini = end);

Test(log_tail, rotated_files_come_oldest_first)
{
    put(4, "too old\n");
    put(3, "1\n");
    put(1, "2\n3\n"); /* one may be missing */
    put(0, "4\n");
    open_tail();
    expect("1");
    expect("2");
    expect("3");
    expect("4");
    expect(NULL);
}

Test(log_tail, lines_come_when_they_are_whole)
{
    put(0, "ha");
    open_tail();
    expect(NULL);
    put(0, "lf\nnext");
    expect("half");
    expect(NULL);
    put(0, "\n\n");
    expect("next");
    expect("");
    expect(NULL);
}

Test(log_tail, a_rotation_loses_nothing)
{
    put(1, "0\n");
    put(0, "1\n");
    open_tail();
    expect("0");
    expect("1");
    expect(NULL);
    put(0, "2\n");
    rotate("3\n");
    expect("2");
    expect("3");
    expect(NULL);
    rotate("4\n");
    rotate("5\n"); /* two at once */
    put(0, "6\n");
    expect("4");
    expect("5");
    expect("6");
    expect(NULL);
}

Test(log_tail, a_log_that_is_away_for_a_moment_comes_back)
{
    put(0, "1\n");
    open_tail();
    expect("1");
    shift(0, 1);
    expect(NULL);
    put(0, "2\n");
    expect("2");
    expect(NULL);
}

Test(log_tail, a_log_that_was_removed_brings_nothing_old_again)
{
    put(2, "1\n");
    put(1, "2\n");
    usleep(20000); /* the clock of a file system is coarse */
    put(0, "3\n");
    open_tail();
    expect("1");
    expect("2");
    expect("3");
    cr_assert_eq(unlink(path), 0);
    put(0, "4\n");
    expect("4");
    expect(NULL);
}

Test(log_tail, a_log_that_was_emptied_is_read_from_its_start)
{
    put(0, "1\n2\nhalf");
    open_tail();
    expect("1");
    expect("2");
    expect(NULL);
    cr_assert_eq(truncate(path, 0), 0);
    put(0, "3\n");
    expect("3");
    expect(NULL);
}

Test(log_tail, the_last_line_of_an_old_file_needs_no_end)
{
    put(1, "1\nhalf");
    put(0, "2\n");
    open_tail();
    expect("1");
    expect("half");
    expect("2");
    expect(NULL);
}

Test(log_tail, a_long_line_is_cut)
{
    char text[3 * LOG_LINE_MAX], cut[LOG_LINE_MAX];

    memset(text, 'x', sizeof text);
    memcpy(text + sizeof text - 3, "\ny", 3);
    memset(cut, 'x', sizeof cut - 1);
    cut[sizeof cut - 1] = '\0';
    put(0, text);
    put(0, "\n");
    open_tail();
    expect(cut);
    expect("y");
}

Test(log_tail, what_cannot_be_read_is_said)
{
    cr_expect_eq(log_tail_open(path, KEEP, &tail, &why), -ENOENT);
    cr_expect(strstr(why.text, path));
    cr_assert_eq(mkdir(path, 0700), 0);
    cr_expect_eq(log_tail_open(path, KEEP, &tail, &why), -EINVAL);
    cr_expect(strstr(why.text, "no regular file"));
}
