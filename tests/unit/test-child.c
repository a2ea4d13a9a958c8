/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "child.h"
#include "reap.h"

static struct children children;
static int exits, last_status;

static void
on_exit_of(struct child *child, int status, const struct rusage *usage)
{
    (void)child;
    (void)usage;
    exits++;
    last_status = status;
}

static void
sh(struct child *child, const char *script, const int *fds, int n, int out)
{
    struct child_args args = {.n = 0};

    child->on_exit = on_exit_of;
    child_args_add(&args, "sh");
    child_args_add(&args, "-c");
    child_args_add(&args, "%s", script);
    cr_assert_eq(child_spawn(&children, child, "/bin/sh", &args,
                             &(struct child_fds){3, n, fds, out}),
                 0);
    child_args_done(&args);
}

static void
reap_until(int n)
{
    for (int i = 0; i < 1000 && exits < n; i++) {
        children_reap(&children);
        nanosleep(&(struct timespec){0, 10000000}, NULL);
    }
    cr_assert_eq(exits, n);
}

Test(child, its_end_is_told_once_with_its_status)
{
    struct child child;

    sh(&child, "exit 7", NULL, 0, -1);
    reap_until(1);
    cr_expect(WIFEXITED(last_status) && WEXITSTATUS(last_status) == 7);
    cr_expect_null(children.list);
    children_reap(&children);
    cr_expect_eq(exits, 1);
}

Test(child, it_has_the_descriptors_it_was_given_and_no_others)
{
    int out = memfd_create("out", MFD_CLOEXEC), a = memfd_create("a", MFD_CLOEXEC);
    int fds[] = {a, -1, a};
    char text[64] = "";
    struct child child;

    close_range(3, ~0U, CLOSE_RANGE_CLOEXEC); /* of the test's own program */
    sh(&child,
       "for f in 3 4 5; do [ -e /proc/self/fd/$f ] && printf $f; done; cd /proc/self/fd"
       " && printf ' %s' [0-9]*",
       fds, 3, out);
    reap_until(1);
    cr_assert_gt(pread(out, text, sizeof text - 1, 0), 0);
    cr_expect_eq(strncmp(text, "35", 2), 0, "%s", text);
    cr_expect_null(strstr(text, " 6"), "%s", text);
}

Test(child, its_environment_is_clean)
{
    int out = memfd_create("out", MFD_CLOEXEC);
    char text[256] = "";
    struct child child;

    setenv("SONDE_CONFIG", "/somebody/elses", 1);
    sh(&child, "export -p", NULL, 0, out);
    reap_until(1);
    cr_assert_gt(pread(out, text, sizeof text - 1, 0), 0);
    cr_expect_null(strstr(text, "SONDE"), "%s", text);
}

Test(child, a_program_that_is_not_there_is_an_error)
{
    struct child_args args = {.n = 0};
    struct child child = {.on_exit = on_exit_of};

    child_args_add(&args, "nothing");
    cr_expect_eq(child_spawn(&children, &child, "/there/is/nothing", &args,
                             &(struct child_fds){3, 0, NULL, -1}),
                 -ENOENT);
    cr_expect_null(children.list);
    child_args_done(&args);
}

static void
count_only(pid_t pid, void *arg)
{
    (void)pid;
    (void)arg;
}

Test(child, what_a_child_leaves_behind_is_killed_and_what_we_had_before_is_not)
{
    struct child child;
    int before_us = fork();

    if (before_us == 0)
        for (;;)
            pause();
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    children_init(&children);
    sh(&child, "(sleep 1000 & sleep 1000) & exit 0", NULL, 0, -1);
    reap_until(1);
    for (int i = 0; i < 500 && reap_children(count_only, NULL) > 1; i++) {
        children_reap(&children);
        nanosleep(&(struct timespec){0, 10000000}, NULL);
    }
    cr_expect_eq(reap_children(count_only, NULL), 1);
    cr_expect_eq(kill(before_us, 0), 0);
    kill(before_us, SIGKILL);
    waitpid(before_us, NULL, 0);
}

Test(reap, a_whole_tree_ends)
{
    int pid;

    prctl(PR_SET_CHILD_SUBREAPER, 1);
    pid = fork();
    if (pid == 0) {
        for (int i = 0; i < 3; i++)
            if (fork() == 0)
                setsid();
        for (;;)
            pause();
    }
    nanosleep(&(struct timespec){0, 50000000}, NULL);
    cr_expect_eq(reap_all(5000), 0);
    cr_expect_eq(waitpid(-1, NULL, WNOHANG), -1);
    cr_expect_eq(errno, ECHILD);
}
