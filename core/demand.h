/* SPDX-License-Identifier: Apache-2.0 */
/* The words of `cloudagentctl.sh action=demand type=vm cputhrottle=0`.  Pure. */
#pragma once

#include <stdint.h>

#include "manifest.h"
#include "why.h"

struct demand {
    char application[NAME_MAX_LEN + 1]; /* in lower case */
    int64_t cputhrottle;
};

/* Keys and values are case-insensitive; of a repeated key the last one holds; action and type
 * must be there.  0, or -EINVAL with the reason and the remedy.
 */
int demand_parse(int n, char *const words[], struct demand *ret, struct why *why);

/* 0 to 1000, in digits alone; or -EINVAL. */
int demand_parse_throttle(const char *text, int64_t *ret, struct why *why);
