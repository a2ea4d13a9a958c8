/* SPDX-License-Identifier: Apache-2.0 */
/* The page that keeper and runner share.  The runner can write all of it: the keeper believes
 * nothing it reads here beyond showing it.
 */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

struct shared_page {
    _Atomic uint32_t throttle;      /* keeper -> runner */
    _Atomic uint32_t wake;          /* futex word: grows with each change by the keeper */
    _Atomic uint32_t cancel;        /* keeper -> runner: give up */
    _Atomic uint64_t keeper_cpu_ns; /* keeper -> runner: its own CPU, for the pacing */
    _Atomic uint64_t done, total;   /* runner -> keeper: progress */
};
