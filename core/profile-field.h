/* SPDX-License-Identifier: Apache-2.0 */
/* What of a profile is one value under one name: a row for each, from which it is read,
 * written, compared and shown.  (Limits have the table of scan-limits.h, windows their own
 * form.)
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "profile.h"

enum profile_kind { PROFILE_BOOL, PROFILE_NUMBER, PROFILE_DURATION };

struct profile_field {
    const char *name;
    enum profile_kind kind;
    size_t offset; /* in struct profile, or in struct profile_app */
    int64_t least, most;
    int64_t otherwise; /* what holds when the profile does not say */
};

enum { PROFILE_SUSPEND, PROFILE_ONDEMAND_IN_BLACKOUT, PROFILE_N_FIELDS };
extern const struct profile_field profile_fields[PROFILE_N_FIELDS];

enum {
    PROFILE_APP_ACTIVE,
    PROFILE_APP_INTERVAL,
    PROFILE_APP_CPUTHROTTLE,
    PROFILE_APP_RANDOMIZE,
    PROFILE_APP_SCAN_ON_START,
    PROFILE_N_APP_FIELDS
};
extern const struct profile_field profile_app_fields[PROFILE_N_APP_FIELDS];

/* Of a struct profile or profile_app; -1: it does not say. */
int64_t profile_field_get(const struct profile_field *field, const void *of);
void profile_field_set(const struct profile_field *field, void *of, int64_t value);

/* What holds: what it says, or else the default.  app: NULL when the profile has none. */
int64_t profile_value(const struct profile *profile, int field);
int64_t profile_app_value(const struct profile_app *app, int field);

/* As it stands in the profile: true, 90, "4h" with its quotes. */
enum { PROFILE_FIELD_TEXT = 32 };
void profile_field_text(const struct profile_field *field, int64_t value,
                        char ret[PROFILE_FIELD_TEXT]);

/* Says nothing but its name. */
void profile_app_init(struct profile_app *app, const char *name);
/* NULL: there is none of that name. */
struct profile_app *profile_app_find(const struct profile *profile, const char *name);
