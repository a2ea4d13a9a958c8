/* SPDX-License-Identifier: Apache-2.0 */
/* What `sonde-worker verify` found: one JSON line from the worker to the agent. */
#pragma once

#include <linux/limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "manifest.h"
#include "scan-limits.h"
#include "why.h"

/* UNKNOWN is no verdict but the lack of one: the worker failed, and may not the next time. */
enum verdict_state { VERDICT_MISSING, VERDICT_INVALID, VERDICT_VALID, VERDICT_UNKNOWN };

enum { VERDICT_LINE_MAX = 32 * 1024 };

struct verdict {
    enum verdict_state state;
    char application[NAME_MAX_LEN + 1];
    char reason[512];    /* why it is not valid; "" when it is */
    char origin[16];     /* "local", "packaged"; "" when missing */
    char path[PATH_MAX]; /* of the manifest; "" when missing */
    /* The rest says something only when it is valid. */
    int64_t serial;
    char title[MANIFEST_TITLE_MAX + 1];
    char plugin[NAME_MAX_LEN + 1];
    struct limits limits; /* 0: not given */
};

/* One line with its '\n'.  -EIO when the stream failed. */
int verdict_write(const struct verdict *verdict, FILE *stream);

/* The line, with or without its '\n'.  -EBADMSG with the reason. */
int verdict_parse(const char *line, size_t len, struct verdict *ret, struct why *why);
