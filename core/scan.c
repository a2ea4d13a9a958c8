/* SPDX-License-Identifier: Apache-2.0 */
#include "scan.h"

#include <errno.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* A step's length: long enough to be cheap to call, short enough to pace smoothly. */
enum { STEP_US = 1000 };

static int64_t
clock_ns(clockid_t clock)
{
    struct timespec ts;

    clock_gettime(clock, &ts);
    return ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
}

/* Our own CPU time, all threads, and the keeper's: the scan pays for its keeper. */
static int64_t
scan_cpu_ns(const struct scan *scan)
{
    return clock_ns(CLOCK_PROCESS_CPUTIME_ID) +
           (int64_t)atomic_load(&scan->page->keeper_cpu_ns);
}

/* Sleep until the time is over or the keeper has changed something. */
static void
sleep_until_woken(struct shared_page *page, uint32_t seen, int64_t ns)
{
    struct timespec ts = {ns / 1000000000, ns % 1000000000};

    syscall(SYS_futex, &page->wake, FUTEX_WAIT, seen, &ts, NULL, 0);
}

int
scan_pace(struct scan *scan)
{
    for (;;) {
        uint32_t seen = atomic_load(&scan->page->wake);
        uint32_t throttle = atomic_load(&scan->page->throttle);
        int64_t cpu_ns = scan_cpu_ns(scan), sleep_ns;

        if (atomic_load(&scan->page->cancel))
            return -ECANCELED;
        if (throttle != scan->pacer.throttle)
            pacer_set_throttle(&scan->pacer, throttle);
        sleep_ns =
            pacer_spend(&scan->pacer, clock_ns(CLOCK_MONOTONIC), cpu_ns - scan->cpu_ns);
        scan->cpu_ns = cpu_ns;
        if (sleep_ns == 0)
            return 0;
        if (scan->flush(scan->host_state) < 0) /* nothing waits while we sleep */
            return -ECANCELED;
        sleep_until_woken(scan->page, seen, sleep_ns);
    }
}

int
scan_run(struct scan *scan, const char **ret_where)
{
    const struct sonde_plugin *plugin = scan->plugin;
    void *state = NULL;
    int r;

    pacer_init(&scan->pacer, atomic_load(&scan->page->throttle),
               clock_ns(CLOCK_MONOTONIC));
    scan->cpu_ns = 0; /* starting up and loading the plugin are paid for, too */

    *ret_where = "open";
    r = plugin->open(scan->host, &state);
    if (r < 0)
        return r;
    *ret_where = "next";
    do {
        r = scan_pace(scan);
        if (r == 0)
            r = plugin->next(state, STEP_US);
    } while (r == SONDE_MORE);
    plugin->close(state);
    return r > 0 ? -EPROTO : r;
}
