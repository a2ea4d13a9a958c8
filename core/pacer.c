/* SPDX-License-Identifier: Apache-2.0 */
#include "pacer.h"

#define MS INT64_C(1000000)

void
pacer_init(struct pacer *p, uint32_t throttle, int64_t now_ns)
{
    *p = (struct pacer){.throttle = throttle, .last_ns = now_ns};
}

void
pacer_set_throttle(struct pacer *p, uint32_t throttle)
{
    p->owed_ns = p->throttle ? p->owed_ns / p->throttle * throttle : 0;
    p->throttle = throttle;
}

int64_t
pacer_spend(struct pacer *p, int64_t now_ns, int64_t cpu_ns)
{
    int64_t quantum_ns = p->throttle * MS, wall_ns = now_ns - p->last_ns;

    p->last_ns = now_ns;
    if (p->throttle == 0) {
        p->owed_ns = 0;
        return 0;
    }
    /* The wall time that this CPU time ought to take, less what it took: sleeps that were
     * too long and time spent waiting pay the debt in the same way.
     */
    p->owed_ns += cpu_ns / PACER_QUANTUM_MS * (PACER_QUANTUM_MS + p->throttle) - wall_ns;
    if (p->owed_ns < -quantum_ns)
        p->owed_ns = -quantum_ns;
    return p->owed_ns >= quantum_ns ? p->owed_ns : 0;
}
