/* SPDX-License-Identifier: Apache-2.0 */
#include "clock.h"

#include <errno.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

/* Further away than anybody waits, and as far as the kernel's arithmetic goes well. */
#define FAR_S (INT64_C(1) << 32)

static int64_t
seconds(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return t.tv_sec;
}

int64_t
clock_utc(void)
{
    return seconds(CLOCK_REALTIME);
}

int64_t
clock_boot(void)
{
    return seconds(CLOCK_BOOTTIME);
}

/* A timer that never comes, but is cancelled when the clock is set (timerfd_create(2)). */
static int
arm(int fd)
{
    const struct itimerspec far = {.it_value = {.tv_sec = clock_utc() + FAR_S}};

    return timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &far, NULL) <
                   0
               ? -errno
               : 0;
}

int
clock_steps_open(void)
{
    int fd = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);
    int r = fd < 0 ? -errno : arm(fd);

    if (r < 0 && fd >= 0)
        close(fd);
    return r < 0 ? r : fd;
}

void
clock_steps_take(int fd)
{
    uint64_t n;

    (void)!read(fd, &n, sizeof n);
    arm(fd);
}
