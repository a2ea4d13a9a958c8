/* SPDX-License-Identifier: Apache-2.0 */
/* cputhrottle as arithmetic: no clock, no sleep.  Rule: after every 10 ms of CPU time that
 * the scan uses, it sleeps `throttle` ms.  So its share of one core is 10 / (10 + throttle),
 * whatever the number of its threads.
 */
#pragma once

#include <stdint.h>

enum { PACER_QUANTUM_MS = 10, PACER_THROTTLE_MAX = 1000 };

struct pacer {
    uint32_t throttle; /* 0 to PACER_THROTTLE_MAX */
    int64_t last_ns;   /* monotonic time of the last call */
    int64_t owed_ns;   /* sleep owed; below 0: what idling saved up, at most a quantum */
};

void pacer_init(struct pacer *p, uint32_t throttle, int64_t now_ns);

/* Change the knob; what is owed is kept in proportion. */
void pacer_set_throttle(struct pacer *p, uint32_t throttle);

/* Take cpu_ns, which the scan has just used, at monotonic time now_ns.  Returns the
 * nanoseconds to sleep before the next step, or 0.
 */
int64_t pacer_spend(struct pacer *p, int64_t now_ns, int64_t cpu_ns);
