/* SPDX-License-Identifier: Apache-2.0 */
/* The agent's clocks, in one place so that a test can put other ones in theirs
 * (tests/system/clock.c).
 */
#pragma once

#include <stdint.h>

/* UTC, seconds since 1970. */
int64_t clock_utc(void);
/* Seconds that never step and go on while the host is suspended. */
int64_t clock_boot(void);

/* A descriptor that becomes readable when UTC was stepped, or -errno; take what it says. */
int clock_steps_open(void);
void clock_steps_take(int fd);
