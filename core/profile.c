/* SPDX-License-Identifier: Apache-2.0 */
#include "profile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "profile-field.h"
#include "profile-write.h"

void
profile_done(struct profile *profile)
{
    if (!profile)
        return;
    free(profile->windows);
    free(profile->apps);
    *profile = PROFILE_EMPTY;
}

/* ---- what holds ---- */

void
profile_values(const struct profile *profile, const char *application,
               struct profile_values *ret)
{
    const struct profile_app *app = profile_app_find(profile, application);

    *ret = (struct profile_values){
        .active = profile_app_value(app, PROFILE_APP_ACTIVE),
        .scan_on_start = profile_app_value(app, PROFILE_APP_SCAN_ON_START),
        .interval_s = profile_app_value(app, PROFILE_APP_INTERVAL),
        .randomize_s = profile_app_value(app, PROFILE_APP_RANDOMIZE),
        .cputhrottle = profile_app_value(app, PROFILE_APP_CPUTHROTTLE),
    };
    if (app)
        ret->limits = app->limits;
}

bool
profile_is_suspended(const struct profile *profile)
{
    return profile_value(profile, PROFILE_SUSPEND);
}

bool
profile_ondemand_in_blackout(const struct profile *profile)
{
    return profile_value(profile, PROFILE_ONDEMAND_IN_BLACKOUT);
}

bool
profile_is_active(const struct profile *profile, const char *application)
{
    return profile_app_value(profile_app_find(profile, application), PROFILE_APP_ACTIVE);
}

/* ---- two of them ---- */

static bool
fields_are_same(const struct profile_field *fields, int n, const void *a, const void *b)
{
    bool same = true;

    for (int i = 0; same && i < n; i++)
        same = profile_field_get(&fields[i], a) == profile_field_get(&fields[i], b);
    return same;
}

static bool
windows_are_same(const struct window *a, const struct window *b)
{
    bool same = a->days == b->days && a->from == b->from && a->to == b->to &&
                a->collect == b->collect && a->transmit == b->transmit &&
                a->n_applications == b->n_applications;

    for (int i = 0; same && i < a->n_applications; i++)
        same = strcmp(a->applications[i], b->applications[i]) == 0;
    return same;
}

static bool
apps_are_same(const struct profile_app *a, const struct profile_app *b)
{
    struct limits of_a = a->limits, of_b = b->limits;
    bool same = strcmp(a->name, b->name) == 0 &&
                fields_are_same(profile_app_fields, PROFILE_N_APP_FIELDS, a, b);

    for (int i = 0; same && i < limits_n_fields; i++)
        same = *limits_at(&of_a, i) == *limits_at(&of_b, i);
    return same;
}

bool
profile_is_same(const struct profile *a, const struct profile *b)
{
    bool same = a->n == b->n && a->n_windows == b->n_windows &&
                fields_are_same(profile_fields, PROFILE_N_FIELDS, a, b);

    for (size_t i = 0; same && i < a->n_windows; i++)
        same = windows_are_same(&a->windows[i], &b->windows[i]);
    for (size_t i = 0; same && i < a->n; i++)
        same = apps_are_same(&a->apps[i], &b->apps[i]);
    return same;
}

/* ---- change ---- */

static int
add(struct profile *profile, const char *application, struct profile_app **ret)
{
    struct profile_app *apps;

    if (!name_is_valid(application))
        return -EINVAL;
    if (profile->n >= PROFILE_APPS_MAX)
        return -ENOSPC;
    apps = reallocarray(profile->apps, profile->n + 1, sizeof *apps);
    if (!apps)
        return -ENOMEM;
    profile->apps = apps;
    *ret = &apps[profile->n++];
    profile_app_init(*ret, application);
    return 0;
}

static int
fits(const struct profile *profile)
{
    cleanup_free char *text = NULL;
    size_t len = 0;
    int r = profile_print(profile, &text, &len);

    return r < 0 || len <= PROFILE_MAX ? r : -ENOSPC;
}

int
profile_set_active(struct profile *profile, const char *application, bool active)
{
    struct profile_app *app = profile_app_find(profile, application);
    const size_t n = profile->n;
    int r = app ? 0 : add(profile, application, &app), before;

    if (r < 0 || app->active == active)
        return r;
    before = app->active;
    app->active = active;
    r = fits(profile);
    if (r < 0) {
        app->active = before;
        profile->n = n;
    }
    return r;
}
