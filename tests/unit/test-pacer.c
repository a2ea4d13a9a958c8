/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "pacer.h"

#define MS INT64_C(1000000)

/* Run with steps of step_ms CPU time, each stretched by `factor`, for at least total_ms of
 * wall time; sleeps take over_ms too long.  Returns the share in ppm of one core.
 */
static int64_t
share_ppm(uint32_t throttle, int64_t step_ms, int64_t threads, int64_t over_ms,
          int64_t total_ms)
{
    struct pacer p;
    int64_t now = 0, cpu = 0;

    pacer_init(&p, throttle, 0);
    while (now < total_ms * MS) {
        int64_t sleep;

        now += step_ms * MS;
        cpu += step_ms * threads * MS;
        sleep = pacer_spend(&p, now, step_ms * threads * MS);
        if (sleep)
            now += sleep + over_ms * MS;
    }
    return cpu * 1000000 / now;
}

Test(pacer, the_share_of_one_core_is_10_of_10_plus_throttle)
{
    static const struct {
        uint32_t throttle;
        int64_t ppm;
    } rows[] = {{0, 1000000}, {10, 500000}, {40, 200000}, {90, 100000},
                {190, 50000}, {490, 20000}, {990, 10000}, {1000, 9901}};
    static const int64_t steps[] = {1, 3, 10, 25, 70};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        for (size_t k = 0; k < sizeof steps / sizeof steps[0]; k++) {
            int64_t ppm = share_ppm(rows[i].throttle, steps[k], 1, 0, 1000000);

            cr_expect(ppm > rows[i].ppm * 985 / 1000 && ppm < rows[i].ppm * 1015 / 1000,
                      "throttle %u, steps of %lld ms: %lld ppm", rows[i].throttle,
                      (long long)steps[k], (long long)ppm);
        }
}

Test(pacer, threads_do_not_raise_the_share)
{
    int64_t ppm = share_ppm(90, 1, 4, 0, 1000000);

    cr_expect(ppm > 98500 && ppm < 101500, "%lld ppm", (long long)ppm);
}

Test(pacer, sleeps_that_are_too_long_are_made_up_for)
{
    int64_t ppm = share_ppm(90, 1, 1, 40, 1000000);

    cr_expect(ppm > 98500 && ppm < 101500, "%lld ppm", (long long)ppm);
}

Test(pacer, it_sleeps_the_throttle_after_each_10_ms)
{
    struct pacer p;
    int64_t now = 0;

    pacer_init(&p, 90, 0);
    for (int i = 1; i < 10; i++)
        cr_assert_eq(pacer_spend(&p, now += MS, MS), 0, "step %d", i);
    cr_assert_eq(pacer_spend(&p, now += MS, MS), 90 * MS);
}

Test(pacer, idle_time_saves_up_no_more_than_one_quantum)
{
    struct pacer p;
    int64_t now = 3600 * 1000 * MS;

    pacer_init(&p, 90, 0);
    cr_assert_eq(pacer_spend(&p, now, 0), 0);
    cr_assert_eq(p.owed_ns, -90 * MS);
    cr_assert_eq(pacer_spend(&p, now += 10 * MS, 10 * MS), 0);
    cr_assert_eq(pacer_spend(&p, now += 10 * MS, 10 * MS), 90 * MS);
}

Test(pacer, unpaced_owes_nothing)
{
    struct pacer p;

    pacer_init(&p, 0, 0);
    for (int i = 1; i < 1000; i++)
        cr_assert_eq(pacer_spend(&p, i * MS, MS), 0);
    cr_assert_eq(p.owed_ns, 0);
}

Test(pacer, a_new_throttle_holds_from_the_next_call)
{
    struct pacer p;

    pacer_init(&p, 1000, 0);
    cr_assert_eq(pacer_spend(&p, 100 * MS, 100 * MS), 10000 * MS);
    pacer_set_throttle(&p, 10);
    cr_assert_eq(pacer_spend(&p, 100 * MS, 0), 100 * MS);
    pacer_set_throttle(&p, 0);
    cr_assert_eq(pacer_spend(&p, 100 * MS, 0), 0);
}
