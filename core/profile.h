/* SPDX-License-Identifier: Apache-2.0 */
/* The profile: which applications are activated, and when they are scanned by themselves.
 * sonde-profile(5) has the fields; manifests/profile.schema.json is its JSON schema.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "manifest.h"
#include "scan-limits.h"
#include "why.h"
#include "window.h"

/* json-check.h takes a few more members than so many. */
enum { PROFILE_MAX = 64 * 1024, PROFILE_APPS_MAX = 1000 };
enum {
    PROFILE_INTERVAL_LEAST = 600,       /* 10 minutes */
    PROFILE_INTERVAL_MOST = 30 * 86400, /* 30 days */
    PROFILE_INTERVAL = 4 * 3600, /* of an application that the profile says nothing of */
    PROFILE_CPUTHROTTLE = 90,
    PROFILE_RANDOMIZE_PERCENT = 10, /* of the interval */
};

/* -1, and 0 of a limit: the profile does not say. */
struct profile_app {
    char name[NAME_MAX_LEN + 1];
    int active, scan_on_start;
    int64_t interval_s, randomize_s, cputhrottle;
    struct limits limits;
};

struct profile {
    int suspend, ondemand_in_blackout; /* -1: the profile does not say */
    struct window *windows;
    size_t n_windows;
    struct profile_app *apps; /* in the order of the file */
    size_t n;
};
/* One that says nothing.  (One of zeros says no to both.) */
#define PROFILE_EMPTY ((struct profile){.suspend = -1, .ondemand_in_blackout = -1})

/* What holds for an application, defaults where the profile does not say; limits: 0 there. */
struct profile_values {
    bool active, scan_on_start;
    int64_t interval_s, randomize_s, cputhrottle;
    struct limits limits;
};
void profile_values(const struct profile *profile, const char *application,
                    struct profile_values *ret);
bool profile_is_suspended(const struct profile *profile);         /* default: no */
bool profile_ondemand_in_blackout(const struct profile *profile); /* default: yes */

/* 0 (*ret is the caller's: profile_done), or -EBADMSG with the place and the reason, or -ENOMEM;
 * then *ret is an empty one.
 */
int profile_parse(const char *text, size_t len, struct profile *ret, struct why *why);
void profile_done(struct profile *profile);

/* As profile_parse, of a file; one that is not there is an empty profile. */
int profile_read(const char *path, struct profile *ret, struct why *why);

/* An application that the profile does not name is active. */
bool profile_is_active(const struct profile *profile, const char *application);

/* They say the same, in the same order. */
bool profile_is_same(const struct profile *a, const struct profile *b);

/* 0, -EINVAL when that is no name, -ENOSPC when the profile would get too large to be
 * read, -ENOMEM.
 */
int profile_set_active(struct profile *profile, const char *application, bool active);

/* Replace the file, mode 0644: after a crash or power loss there is the old one or the
 * new one, and after 0 it is the new one.  All that the profile says is kept.
 */
int profile_write(const char *path, const struct profile *profile, struct why *why);

/* One value that is in force, and whose word it is. */
struct profile_setting {
    const char *name;   /* "interval", "limits.cpu_s", "suspend", "blackout" */
    const char *origin; /* "profile", "default", "configuration", "manifest" */
    char text[1024]; /* as it would stand in the profile: true, 90, "4h" (quoted), {…} */
};
/* Call fn for each setting of an application, or (NULL) for those of all, each window a
 * "blackout" of its own; "[]" when there is none.  Of the limits the smallest holds: of_manifest
 * (or NULL), of_conf (or NULL), and the profile's; those that nobody names are left out.
 */
void profile_settings(const struct profile *profile, const char *application,
                      const struct limits *of_conf, const struct limits *of_manifest,
                      void (*fn)(const struct profile_setting *setting, void *arg),
                      void *arg);
