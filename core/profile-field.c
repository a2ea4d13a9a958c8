/* SPDX-License-Identifier: Apache-2.0 */
#include "profile-field.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "profile-text.h"

const struct profile_field profile_fields[PROFILE_N_FIELDS] = {
    [PROFILE_SUSPEND] = {"suspend", PROFILE_BOOL, offsetof(struct profile, suspend), 0, 1,
                         false},
    [PROFILE_ONDEMAND_IN_BLACKOUT] = {"ondemand_in_blackout", PROFILE_BOOL,
                                      offsetof(struct profile, ondemand_in_blackout), 0,
                                      1, true},
};

#define IN_APP(member) offsetof(struct profile_app, member)

/* Of randomize, least and most are those of any interval; the default is a part of it. */
const struct profile_field profile_app_fields[PROFILE_N_APP_FIELDS] = {
    [PROFILE_APP_ACTIVE] = {"active", PROFILE_BOOL, IN_APP(active), 0, 1, true},
    [PROFILE_APP_INTERVAL] = {"interval", PROFILE_DURATION, IN_APP(interval_s),
                              PROFILE_INTERVAL_LEAST, PROFILE_INTERVAL_MOST,
                              PROFILE_INTERVAL},
    [PROFILE_APP_CPUTHROTTLE] = {"cputhrottle", PROFILE_NUMBER, IN_APP(cputhrottle), 0,
                                 1000, PROFILE_CPUTHROTTLE},
    [PROFILE_APP_RANDOMIZE] = {"randomize", PROFILE_DURATION, IN_APP(randomize_s), 0,
                               PROFILE_INTERVAL_MOST, -1},
    [PROFILE_APP_SCAN_ON_START] = {"scan_on_start", PROFILE_BOOL, IN_APP(scan_on_start),
                                   0, 1, false},
};

int64_t
profile_field_get(const struct profile_field *field, const void *of)
{
    const char *at = (const char *)of + field->offset;

    return field->kind == PROFILE_BOOL ? *(const int *)at : *(const int64_t *)at;
}

void
profile_field_set(const struct profile_field *field, void *of, int64_t value)
{
    char *at = (char *)of + field->offset;

    if (field->kind == PROFILE_BOOL)
        *(int *)at = (int)value;
    else
        *(int64_t *)at = value;
}

int64_t
profile_value(const struct profile *profile, int field)
{
    int64_t said = profile_field_get(&profile_fields[field], profile);

    return said >= 0 ? said : profile_fields[field].otherwise;
}

int64_t
profile_app_value(const struct profile_app *app, int field)
{
    int64_t said = app ? profile_field_get(&profile_app_fields[field], app) : -1;

    if (said < 0 && field == PROFILE_APP_RANDOMIZE)
        return profile_app_value(app, PROFILE_APP_INTERVAL) * PROFILE_RANDOMIZE_PERCENT /
               100;
    return said >= 0 ? said : profile_app_fields[field].otherwise;
}

void
profile_field_text(const struct profile_field *field, int64_t value,
                   char ret[PROFILE_FIELD_TEXT])
{
    char duration[PROFILE_DURATION_TEXT];

    switch (field->kind) {
    case PROFILE_BOOL:
        snprintf(ret, PROFILE_FIELD_TEXT, "%s", value ? "true" : "false");
        break;
    case PROFILE_NUMBER:
        snprintf(ret, PROFILE_FIELD_TEXT, "%" PRId64, value);
        break;
    case PROFILE_DURATION:
        profile_duration_text(value, duration);
        snprintf(ret, PROFILE_FIELD_TEXT, "\"%s\"", duration);
        break;
    }
}

void
profile_app_init(struct profile_app *app, const char *name)
{
    *app = (struct profile_app){0};
    snprintf(app->name, sizeof app->name, "%s", name);
    for (int i = 0; i < PROFILE_N_APP_FIELDS; i++)
        profile_field_set(&profile_app_fields[i], app, -1);
}

struct profile_app *
profile_app_find(const struct profile *profile, const char *name)
{
    for (size_t i = 0; i < profile->n; i++)
        if (strcmp(profile->apps[i].name, name) == 0)
            return &profile->apps[i];
    return NULL;
}
