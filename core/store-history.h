/* SPDX-License-Identifier: Apache-2.0 */
/* How much of the past sonde.db keeps. */
#pragma once

#include <stdint.h>

#include "db.h"

struct store_limits {
    int days;      /* since the end of a scan */
    int64_t bytes; /* in use; free pages are used again and not counted */
    int64_t rows;  /* at most about so many go at a time, one scan at least */
};
extern const struct store_limits store_limits_default;

/* The oldest scans go, each with its row and all its changes, until the limits hold or enough
 * was done for once.  The last scan that covered a kind stays: it says where the records come
 * from; and so does the one that is the newest of all.  now: RFC 3339, UTC.  Returns how many
 * scans went.  In a transaction of its own; -EBUSY: others write, next time then.
 */
int store_history_bound(struct db *db, const struct store_limits *limits,
                        const char *now);
