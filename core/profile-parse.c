/* SPDX-License-Identifier: Apache-2.0 */
/* A profile's text becomes a struct profile, or a reason with the place. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "json.h"
#include "profile-field.h"
#include "profile-place.h"
#include "profile-text.h"
#include "profile-window.h"
#include "profile-write.h"

/* ---- one value ---- */

static bool
read_value(const struct profile_field *field, const struct json *value, int64_t *ret)
{
    if (field->kind == PROFILE_DURATION && json_type(value) == JSON_STRING)
        return profile_duration_parse(json_str(value), ret) == 0;
    if ((field->kind == PROFILE_BOOL) != (json_type(value) == JSON_BOOL))
        return false;
    *ret = field->kind == PROFILE_BOOL ? json_bool(value, false)
                                       : json_int(value, INT64_MIN);
    return *ret != INT64_MIN;
}

/* The least or the most of a field, in the middle of a sentence. */
static struct profile_shown
bound(const struct profile_field *field, int64_t value)
{
    struct profile_shown s;

    if (field->kind == PROFILE_DURATION)
        profile_duration_text(value, s.text);
    else
        profile_field_text(field, value, s.text);
    return s;
}

static int
expected_value(const struct profile_field *field, const char *place,
               const struct json *value, struct why *why)
{
    const char *form = field->kind == PROFILE_NUMBER
                           ? "a whole number"
                           : "a whole number of seconds, or one with its unit like "
                             "\"90m\" (s, m, h, d),";
    char what[256];

    if (field->kind == PROFILE_BOOL)
        return profile_expected(why, place, "true or false", value);
    snprintf(what, sizeof what, "%s from %s to %s", form, bound(field, field->least).text,
             bound(field, field->most).text);
    return profile_expected(why, place, what, value);
}

static int
take_field(const struct profile_field *field, const char *parent,
           const struct json *value, void *of, struct why *why)
{
    const struct profile_place place = profile_place_member(parent, field->name);
    int64_t n;

    if (!read_value(field, value, &n))
        return expected_value(field, place.text, value, why);
    if (n < field->least)
        return why_set(why, -EBADMSG, "%s: %s is less than %s", place.text,
                       profile_show_value(value).text, bound(field, field->least).text);
    if (n > field->most)
        return why_set(why, -EBADMSG, "%s: %s is more than %s", place.text,
                       profile_show_value(value).text, bound(field, field->most).text);
    profile_field_set(field, of, n);
    return 0;
}

/* The row of this name in a table of n, or NULL. */
static const struct profile_field *
field_named(const struct profile_field *fields, int n, const char *name)
{
    for (int i = 0; i < n; i++)
        if (strcmp(fields[i].name, name) == 0)
            return &fields[i];
    return NULL;
}

/* ---- applications ---- */

static int
take_limit(const char *place, const struct json *value, struct limits *limits,
           struct why *why)
{
    for (int i = 0; i < limits_n_fields; i++) {
        const struct profile_field field = {limits_fields[i].name,   PROFILE_NUMBER,
                                            limits_fields[i].offset, 1,
                                            limits_fields[i].most,   0};

        if (strcmp(field.name, json_name(value)) == 0)
            return take_field(&field, place, value, limits, why);
    }
    return profile_unknown(why, place, value);
}

static int
take_limits(const char *place, const struct json *value, struct limits *limits,
            struct why *why)
{
    int r = 0;

    if (json_type(value) != JSON_OBJECT)
        return profile_expected(why, place, "an object", value);
    for (const struct json *c = json_first(value); c && r == 0; c = json_next(c))
        r = take_limit(place, c, limits, why);
    return r;
}

static int
take_app_member(const char *place, const struct json *value, struct profile_app *app,
                struct why *why)
{
    const struct profile_field *field =
        field_named(profile_app_fields, PROFILE_N_APP_FIELDS, json_name(value));

    if (field)
        return take_field(field, place, value, app, why);
    if (strcmp(json_name(value), "limits") == 0)
        return take_limits(profile_place_member(place, "limits").text, value,
                           &app->limits, why);
    return profile_unknown(why, place, value);
}

static int
judge_randomize(const char *place, const struct profile_app *app, struct why *why)
{
    const int64_t interval_s = profile_app_value(app, PROFILE_APP_INTERVAL);
    char randomize[PROFILE_DURATION_TEXT], interval[PROFILE_DURATION_TEXT];

    if (app->randomize_s <= interval_s)
        return 0;
    profile_duration_text(app->randomize_s, randomize);
    profile_duration_text(interval_s, interval);
    return why_set(why, -EBADMSG, "%s.randomize: \"%s\" is more than the interval, %s%s",
                   place, randomize, interval,
                   app->interval_s < 0 ? " where none is given" : "");
}

static int
take_app(const char *parent, const struct json *value, struct profile_app *app,
         struct why *why)
{
    const char *name = json_name(value);
    struct profile_place place;
    int r = 0;

    if (!name_is_valid(name))
        return why_set(why, -EBADMSG, "%s: \"%s\" is no name, [a-z][a-z0-9-]{0,31}",
                       parent, profile_show(name).text);
    place = profile_place_member(parent, name);
    profile_app_init(app, name);
    if (json_type(value) != JSON_OBJECT)
        return profile_expected(why, place.text, "an object", value);
    for (const struct json *c = json_first(value); c && r == 0; c = json_next(c))
        r = take_app_member(place.text, c, app, why);
    return r < 0 ? r : judge_randomize(place.text, app, why);
}

static int
take_apps(const char *place, const struct json *value, struct profile *profile,
          struct why *why)
{
    const int n = json_count(value);
    int r = 0;

    if (json_type(value) != JSON_OBJECT)
        return profile_expected(why, place, "an object", value);
    if (n > PROFILE_APPS_MAX)
        return why_set(why, -EBADMSG, "%s: %d applications are more than %d", place, n,
                       PROFILE_APPS_MAX);
    if (n == 0)
        return 0;
    profile->apps = calloc((size_t)n, sizeof *profile->apps);
    if (!profile->apps)
        return why_set(why, -ENOMEM, "out of memory");
    for (const struct json *c = json_first(value); c && r == 0; c = json_next(c))
        r = take_app(place, c, &profile->apps[profile->n++], why);
    return r;
}

/* ---- all of it ---- */

static int
take_windows(const char *place, const struct json *value, struct profile *profile,
             struct why *why)
{
    const int n = json_count(value);
    int r = 0;

    if (json_type(value) != JSON_ARRAY || n == 0)
        return profile_expected(why, place, "a list of windows that is not empty", value);
    if (n > WINDOWS_MAX)
        return why_set(why, -EBADMSG, "%s: %d windows are more than %d", place, n,
                       WINDOWS_MAX);
    profile->windows = calloc((size_t)n, sizeof *profile->windows);
    if (!profile->windows)
        return why_set(why, -ENOMEM, "out of memory");
    for (const struct json *c = json_first(value); c && r == 0; c = json_next(c)) {
        const int i = (int)profile->n_windows++;

        r = profile_window_take(profile_place_index(place, i).text, c,
                                &profile->windows[i], why);
    }
    return r;
}

static int
take_member(const struct json *value, struct profile *profile, struct why *why)
{
    const char *name = json_name(value);
    const struct profile_field *field =
        field_named(profile_fields, PROFILE_N_FIELDS, name);

    if (field)
        return take_field(field, "", value, profile, why);
    if (strcmp(name, "blackout") == 0)
        return take_windows(name, value, profile, why);
    if (strcmp(name, "applications") == 0)
        return take_apps(name, value, profile, why);
    return profile_unknown(why, "", value);
}

/* What is accepted can be written and read again: "sonde activate" does so. */
static int
judge_size(const struct profile *profile, struct why *why)
{
    cleanup_free char *text = NULL;
    size_t len = 0;
    int r = profile_print(profile, &text, &len);

    if (r < 0)
        return why_set(why, r, "out of memory");
    if (len > PROFILE_MAX)
        return why_set(why, -EBADMSG,
                       "larger than %d bytes when the agent writes it, which has each "
                       "value in its own form",
                       PROFILE_MAX);
    return 0;
}

int
profile_parse(const char *text, size_t len, struct profile *ret, struct why *why)
{
    struct json *root = NULL;
    int r;

    *ret = PROFILE_EMPTY;
    if (len > PROFILE_MAX)
        return why_set(why, -EBADMSG, "larger than %d bytes", PROFILE_MAX);
    r = json_parse(text, len, &root, why);
    if (r == 0 && json_type(root) != JSON_OBJECT)
        r = profile_expected(why, "", "an object", root);
    for (const struct json *c = json_first(root); c && r == 0; c = json_next(c))
        r = take_member(c, ret, why);
    json_free(root);
    if (r == 0)
        r = judge_size(ret, why);
    if (r < 0)
        profile_done(ret);
    return r;
}
