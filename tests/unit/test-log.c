/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "log.h"

static char folder[64], path[128];

static void
make_folder(void)
{
    strcpy(folder, "/tmp/test-log.XXXXXX");
    cr_assert(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/agent.log", folder);
}

static void
remove_folder(void)
{
    char command[128];

    log_close();
    snprintf(command, sizeof command, "rm -rf %s", folder);
    cr_expect_eq(system(command), 0);
}

/* The text of <path><suffix>; NULL when there is no such file. */
static const char *
text_of(const char *suffix)
{
    static char text[64 * 1024];
    char name[160];
    FILE *f;
    size_t n;

    snprintf(name, sizeof name, "%s%s", path, suffix);
    f = fopen(name, "r");
    if (!f)
        return NULL;
    n = fread(text, 1, sizeof text - 1, f);
    text[n] = '\0';
    fclose(f);
    return text;
}

static mode_t
mode_of(const char *suffix)
{
    char name[160];
    struct stat st;

    snprintf(name, sizeof name, "%s%s", path, suffix);
    return stat(name, &st) == 0 ? st.st_mode & 07777 : 0;
}

TestSuite(log, .init = make_folder, .fini = remove_folder);

/* '0' stands for a digit, all else for itself. */
static bool
has_form(const char *text, const char *form)
{
    for (; *form; text++, form++)
        if (*form == '0' ? !isdigit((unsigned char)*text) : *text != *form)
            return false;
    return true;
}

Test(log, a_line_has_the_form)
{
    char end[80];
    const char *text;

    cr_assert_eq(log_open(path, LOG_INFO, 0, 5, -1), 0);
    log_info("hello %d", 42);
    text = text_of("");
    cr_assert(has_form(text, "0000-00-00 00:00:00.000 [sonde-agent]["), "%s", text);
    snprintf(end, sizeof end, "[%d]:[Information]:[%d]:hello 42\n", getpid(), gettid());
    cr_expect_str_eq(strchr(text, ']') + 1, end);
}

Test(log, a_text_cannot_forge_a_line)
{
    cr_assert_eq(log_open(path, LOG_INFO, 0, 5, -1), 0);
    log_error("%s", "a\n2024-02-28 forged\x1b");
    cr_expect(strstr(text_of(""), "[Error]"));
    cr_expect(strstr(text_of(""), "a\\x0a2024-02-28 forged\\x1b\n"));
}

Test(log, a_long_text_is_cut)
{
    static char text[10000];

    memset(text, 'x', sizeof text - 1);
    cr_assert_eq(log_open(path, LOG_INFO, 0, 5, -1), 0);
    log_error("%s", text);
    log_error("next");
    cr_expect(strstr(text_of(""), "x [cut]\n"));
    cr_expect_lt(strlen(text_of("")), 2400);
    cr_expect(strstr(text_of(""), "next\n"));
}

Test(log, what_is_below_the_level_is_not_written)
{
    cr_assert_eq(log_open(path, LOG_WARNING, 0, 5, -1), 0);
    log_info("one");
    log_debug("two");
    log_warning("three");
    log_error("four");
    cr_expect_not(strstr(text_of(""), "one"));
    cr_expect_not(strstr(text_of(""), "two"));
    cr_expect(strstr(text_of(""), "[Warning]"));
    cr_expect(strstr(text_of(""), "four"));
}

Test(log, done_is_beside_it_and_as_it_is)
{
    cr_assert_eq(log_open(path, LOG_ERROR, 0, 5, -1), 0);
    log_done("one\ntwo");
    log_done("three\n");
    cr_expect_str_eq(text_of(".done"), "one\ntwo\nthree\n");
    cr_expect_str_eq(text_of(""), "");
}

Test(log, both_files_are_0640_whatever_the_umask)
{
    umask(077);
    cr_assert_eq(log_open(path, LOG_INFO, 0, 5, -1), 0);
    cr_expect_eq(mode_of(""), 0640);
    cr_expect_eq(mode_of(".done"), 0640);
}

Test(log, it_rotates_before_it_passes_its_size_and_keeps_so_many)
{
    cr_assert_eq(log_open(path, LOG_INFO, 300, 2, -1), 0);
    for (int i = 0; i < 20; i++)
        log_info("line %02d %050d", i, 0);
    cr_expect(strstr(text_of(""), "line 19"));
    cr_expect(strstr(text_of(".1"), "line 17"));
    cr_expect(strstr(text_of(".2"), "line 15"));
    cr_expect_null(text_of(".3"));
    cr_expect_leq(strlen(text_of(".1")), 300);
    cr_expect_eq(mode_of(""), 0640);
}

Test(log, done_rotates_too)
{
    cr_assert_eq(log_open(path, LOG_INFO, 300, 2, -1), 0);
    for (int i = 0; i < 10; i++)
        log_done(
            "0123456789012345678901234567890123456789"
            "0123456789012345678901234567890123456789012345678901234567890123456789");
    cr_expect(text_of(".done.1"));
    cr_expect_null(text_of(".done.3"));
    cr_expect_null(text_of(".1"));
}

Test(log, it_goes_on_at_the_end_of_a_file_that_is_there)
{
    cr_assert_eq(log_open(path, LOG_INFO, 0, 5, -1), 0);
    log_info("one");
    cr_assert_eq(log_open(path, LOG_INFO, 0, 5, -1), 0);
    log_info("two");
    cr_expect(strstr(text_of(""), "one\n"));
    cr_expect(strstr(text_of(""), "two\n"));
}

Test(log, reopen_follows_the_name)
{
    char moved[160];

    cr_assert_eq(log_open(path, LOG_INFO, 0, 5, -1), 0);
    log_info("one");
    snprintf(moved, sizeof moved, "%s.old", path);
    cr_assert_eq(rename(path, moved), 0);
    log_info("two");
    cr_assert_eq(log_reopen(), 0);
    log_info("three");
    cr_expect(strstr(text_of(".old"), "two\n"));
    cr_expect_not(strstr(text_of(""), "two\n"));
    cr_expect(strstr(text_of(""), "three\n"));
}

Test(log, a_folder_that_is_not_there_is_an_error)
{
    cr_expect_eq(log_open("/nonexistent/agent.log", LOG_INFO, 0, 5, -1), -ENOENT);
}

/* A file that may not grow behaves like a full disk. */
Test(log, a_full_disk_costs_lines_and_leaves_no_half_ones)
{
    struct rlimit limit = {600, RLIM_INFINITY};
    const char *text;
    size_t len;

    signal(SIGXFSZ, SIG_IGN);
    cr_assert_eq(log_open(path, LOG_INFO, 0, 5, -1), 0);
    cr_assert(freopen("/dev/null", "w", stderr));
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    for (int i = 0; i < 20; i++)
        log_info("line %02d", i);
    text = text_of("");
    len = strlen(text);
    cr_expect_lt(len, 601);
    cr_expect_eq(text[len - 1], '\n');
    limit.rlim_cur = RLIM_INFINITY;
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    log_info("after");
    cr_expect(strstr(text_of(""), "after\n"));
}

Test(log, an_unwritable_log_tells_stderr_once)
{
    char name[160], text[4096];
    FILE *f;
    size_t n;

    snprintf(name, sizeof name, "%s/stderr", folder);
    cr_assert(freopen(name, "w", stderr));
    cr_assert_eq(symlink("/dev/full", path), 0);
    cr_assert_eq(log_open(path, LOG_INFO, 0, 5, -1), 0);
    log_info("first");
    log_info("second");
    fflush(stderr);
    log_close();
    f = fopen(name, "r");
    cr_assert(f);
    n = fread(text, 1, sizeof text - 1, f);
    text[n] = '\0';
    fclose(f);
    cr_expect(strstr(text, "first\n"), "%s", text);
    cr_expect_not(strstr(text, "second"), "%s", text);
}

Test(log, a_line_leaves_errno_alone)
{
    cr_assert_eq(log_open(path, LOG_INFO, 0, 5, -1), 0);
    errno = EXDEV;
    log_info("x");
    cr_expect_eq(errno, EXDEV);
}
