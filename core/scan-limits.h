/* SPDX-License-Identifier: Apache-2.0 */
/* Limits of one scan. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct limits {
    int64_t cpu_s;      /* CPU time of the whole scan */
    int64_t stall_s;    /* wall time without 10 ms of CPU or a record */
    int64_t deadline_s; /* wall time of the scan */
    int64_t memory_mib; /* data memory of the runner */
    int64_t records;
    int64_t bytes_mib; /* of frames */
};

#define LIMITS_DEFAULT                                                                   \
    (struct limits)                                                                      \
    {                                                                                    \
        .cpu_s = 1800, .stall_s = 600, .deadline_s = 86400, .memory_mib = 256,           \
        .records = 2000000, .bytes_mib = 512                                             \
    }

/* One row per limit: its name in manifest and profile (the configuration's section [limits]
 * has the same without the unit), and where it is.
 */
struct limits_field {
    const char *name, *conf_name;
    size_t offset;
    int64_t most; /* the largest value that may be asked */
};
extern const struct limits_field limits_fields[];
extern const int limits_n_fields;

int64_t *limits_at(struct limits *limits, int field);

/* The smaller of each pair; a value of 0 in b says nothing. */
struct limits limits_smaller(struct limits a, struct limits b);
