/* SPDX-License-Identifier: Apache-2.0 */
#include "scan-limits.h"

#define DAY_S INT64_C(86400)

const struct limits_field limits_fields[] = {
    {"cpu_s", "cpu", offsetof(struct limits, cpu_s), 7 * DAY_S},
    {"stall_s", "stall", offsetof(struct limits, stall_s), 7 * DAY_S},
    {"deadline_s", "deadline", offsetof(struct limits, deadline_s), 7 * DAY_S},
    {"memory_mib", "memory", offsetof(struct limits, memory_mib), INT64_C(1) << 20},
    {"records", "records", offsetof(struct limits, records), 1000000000},
    {"bytes_mib", "bytes", offsetof(struct limits, bytes_mib), INT64_C(1) << 20},
};

const int limits_n_fields = sizeof limits_fields / sizeof limits_fields[0];

int64_t *
limits_at(struct limits *limits, int field)
{
    return (int64_t *)((char *)limits + limits_fields[field].offset);
}

struct limits
limits_smaller(struct limits a, struct limits b)
{
    for (int i = 0; i < limits_n_fields; i++) {
        int64_t *mine = limits_at(&a, i), other = *limits_at(&b, i);

        if (other > 0 && other < *mine)
            *mine = other;
    }
    return a;
}
