/* SPDX-License-Identifier: Apache-2.0 */
/* A manifest: what an application is and may do. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "scan-limits.h"
#include "why.h"

enum { NAME_MAX_LEN = 32, MANIFEST_MAX = 64 * 1024, MANIFEST_TITLE_MAX = 128 };

struct manifest {
    char application[NAME_MAX_LEN + 1];
    char plugin[NAME_MAX_LEN + 1];
    char title[MANIFEST_TITLE_MAX + 1];
    int64_t serial;
    int64_t issued, expires; /* UTC seconds; 0: not given */
    struct limits limits;    /* 0: not given */
};

/* [a-z][a-z0-9-]{0,31} */
bool name_is_valid(const char *name);

/* Judge a manifest's text for this application.  0, or -EBADMSG with the reason.  Unknown
 * top-level fields, wrong types, duplicate keys and trailing bytes are refused.
 */
int manifest_parse(const char *text, size_t len, const char *application,
                   struct manifest *ret, struct why *why);
