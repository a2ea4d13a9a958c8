/* SPDX-License-Identifier: Apache-2.0 */
/* core/clock.c for tests: UTC is as many seconds off as the file says that SONDE_TEST_CLOCK
 * names (a decimal number, written in place), and steps when it is written.  The other clock is
 * the host's.
 */
#include "clock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <time.h>
#include <unistd.h>

static int64_t
seconds(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return t.tv_sec;
}

static const char *
path(void)
{
    const char *name = getenv("SONDE_TEST_CLOCK");

    return name ? name : "/dev/null";
}

/* A file that is being written may be empty: it says what it said before. */
static int64_t
offset(void)
{
    static int64_t last;
    static int fd = -1;
    char text[32];
    ssize_t n;

    if (fd < 0)
        fd = open(path(), O_RDONLY | O_CLOEXEC);
    n = pread(fd, text, sizeof text - 1, 0);
    if (n > 0) {
        text[n] = '\0';
        last = strtoll(text, NULL, 10);
    }
    return last;
}

int64_t
clock_utc(void)
{
    return seconds(CLOCK_REALTIME) + offset();
}

int64_t
clock_boot(void)
{
    return seconds(CLOCK_BOOTTIME);
}

int
clock_steps_open(void)
{
    int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);

    if (fd < 0 || inotify_add_watch(fd, path(), IN_MODIFY) < 0)
        return -errno; /* the agent ends then */
    return fd;
}

void
clock_steps_take(int fd)
{
    char events[4096];

    (void)!read(fd, events, sizeof events);
}
