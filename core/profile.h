/* SPDX-License-Identifier: Apache-2.0 */
/* The profile: which applications are activated.
 *     {"applications":{"example":{"active":false}}}
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "manifest.h"
#include "why.h"

enum { PROFILE_MAX = 64 * 1024 };

struct profile_app {
    char name[NAME_MAX_LEN + 1];
    bool active;
};

struct profile {
    struct profile_app *apps; /* in the order of the file */
    size_t n;
};

/* 0 (*ret is the caller's: profile_done), or -EBADMSG with the place and the reason. */
int profile_parse(const char *text, size_t len, struct profile *ret, struct why *why);
void profile_done(struct profile *profile);

/* As profile_parse, of a file; one that is not there is an empty profile. */
int profile_read(const char *path, struct profile *ret, struct why *why);

/* An application that the profile does not name is active. */
bool profile_is_active(const struct profile *profile, const char *application);

/* The same applications in the same order. */
bool profile_is_same(const struct profile *a, const struct profile *b);

/* 0, -EINVAL when that is no name, -ENOSPC when the profile would get too large to be
 * read, -ENOMEM.
 */
int profile_set_active(struct profile *profile, const char *application, bool active);

/* Replace the file, mode 0644: after a crash or power loss there is the old one or the
 * new one, and after 0 it is the new one.
 */
int profile_write(const char *path, const struct profile *profile, struct why *why);
