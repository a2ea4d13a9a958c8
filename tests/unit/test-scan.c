/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "scan.h"

/* A plugin by script: what open says, and what next says in turn. */
static int open_says;
static int next_says[8], next_calls;
static bool closed;
static int flushes, flush_says;

static int
plugin_open(struct sonde_host *host, void **ret_state)
{
    (void)host;
    *ret_state = &next_calls;
    return open_says;
}

static int
plugin_next(void *state, uint32_t budget_us)
{
    (void)budget_us;
    cr_assert_eq(state, &next_calls);
    return next_says[next_calls++];
}

static void
plugin_close(void *state)
{
    cr_assert_eq(state, &next_calls);
    closed = true;
}

static const struct sonde_plugin plugin = {
    SONDE_PLUGIN_HEAD, "script", "1", plugin_open, plugin_next, plugin_close,
};

static int
flush(void *state)
{
    (void)state;
    flushes++;
    return flush_says;
}

static struct shared_page page;

static int
run(const char **ret_where)
{
    struct scan scan = {.plugin = &plugin, .page = &page, .flush = flush};

    return scan_run(&scan, ret_where);
}

Test(scan, a_plugin_is_called_until_it_is_done_and_then_closed)
{
    const char *where;

    next_says[0] = next_says[1] = SONDE_MORE;
    next_says[2] = SONDE_DONE;
    cr_expect_eq(run(&where), 0);
    cr_expect_eq(next_calls, 3);
    cr_expect(closed);
}

Test(scan, an_open_that_fails_is_not_followed_by_next_or_close)
{
    const char *where;

    open_says = -ENODATA;
    cr_expect_eq(run(&where), -ENODATA);
    cr_expect_str_eq(where, "open");
    cr_expect_eq(next_calls, 0);
    cr_expect_not(closed);
}

Test(scan, an_error_of_next_ends_the_scan_and_is_named)
{
    const char *where;

    next_says[0] = SONDE_MORE;
    next_says[1] = -EIO;
    cr_expect_eq(run(&where), -EIO);
    cr_expect_str_eq(where, "next");
    cr_expect(closed);
}

Test(scan, what_next_may_not_return_is_an_error)
{
    const char *where;

    next_says[0] = 2;
    cr_expect_eq(run(&where), -EPROTO);
}

Test(scan, a_cancelled_scan_makes_no_further_step)
{
    const char *where;

    next_says[0] = SONDE_MORE;
    atomic_store(&page.cancel, 1);
    cr_expect_eq(run(&where), -ECANCELED);
    cr_expect_eq(next_calls, 0);
    cr_expect(closed);
}

/* The keeper's CPU time is in the account: here it has used a lot. */
Test(scan, before_it_sleeps_what_is_buffered_goes_to_the_keeper)
{
    struct scan scan = {.page = &page, .flush = flush};

    pacer_init(&scan.pacer, 1, 0);
    atomic_store(&page.throttle, 1);
    atomic_store(&page.keeper_cpu_ns, UINT64_C(3600000000000000));
    flush_says = -EPIPE;
    cr_expect_eq(scan_pace(&scan), -ECANCELED);
    cr_expect_eq(flushes, 1);
}

static void *
let_go(void *arg)
{
    (void)arg;
    nanosleep(&(struct timespec){0, 50000000}, NULL);
    atomic_store(&page.throttle, 0);
    atomic_fetch_add(&page.wake, 1);
    syscall(SYS_futex, &page.wake, 1 /* FUTEX_WAKE */, 1, NULL, NULL, 0);
    return NULL;
}

Test(scan, a_new_throttle_ends_a_long_sleep, .timeout = 30)
{
    struct scan scan = {.page = &page, .flush = flush};
    pthread_t thread;

    pacer_init(&scan.pacer, 1000, 0);
    atomic_store(&page.throttle, 1000);
    atomic_store(&page.keeper_cpu_ns, UINT64_C(3600000000000000)); /* a sleep of years */
    cr_assert_eq(pthread_create(&thread, NULL, let_go, NULL), 0);
    cr_expect_eq(scan_pace(&scan), 0);
    pthread_join(thread, NULL);
}
