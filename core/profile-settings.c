/* SPDX-License-Identifier: Apache-2.0 */
/* What is in force, and whose word it is. */
#include <inttypes.h>
#include <stdio.h>

#include "profile-field.h"
#include "profile-window.h"

typedef void setting_fn(const struct profile_setting *setting, void *arg);

static void
tell_field(const struct profile_field *field, bool said, int64_t value, setting_fn *fn,
           void *arg)
{
    struct profile_setting setting = {.name = field->name,
                                      .origin = said ? "profile" : "default"};
    char text[PROFILE_FIELD_TEXT];

    profile_field_text(field, value, text);
    snprintf(setting.text, sizeof setting.text, "%s", text);
    fn(&setting, arg);
}

static void
tell_window(const struct window *window, setting_fn *fn, void *arg)
{
    struct profile_setting setting = {.name = "blackout", .origin = "profile"};
    FILE *stream = fmemopen(setting.text, sizeof setting.text, "w");
    struct json_out out;

    if (stream) {
        json_out_init(&out, stream);
        profile_window_print(window, &out);
        fclose(stream);
    }
    fn(&setting, arg);
}

static void
tell_all(const struct profile *profile, setting_fn *fn, void *arg)
{
    static const struct profile_setting none = {
        .name = "blackout", .origin = "default", .text = "[]"};

    for (int i = 0; i < PROFILE_N_FIELDS; i++)
        tell_field(&profile_fields[i],
                   profile_field_get(&profile_fields[i], profile) >= 0,
                   profile_value(profile, i), fn, arg);
    for (size_t i = 0; i < profile->n_windows; i++)
        tell_window(&profile->windows[i], fn, arg);
    if (profile->n_windows == 0)
        fn(&none, arg);
}

/* The smallest limit holds; of equal ones it is the word of the first here. */
static void
tell_limit(int field, const struct limits *of_conf, const struct limits *of_manifest,
           const struct limits *of_profile, setting_fn *fn, void *arg)
{
    const struct {
        const char *origin;
        const struct limits *limits;
    } words[] = {
        {"configuration", of_conf}, {"manifest", of_manifest}, {"profile", of_profile}};
    struct profile_setting setting = {0};
    char name[32];
    int64_t least = INT64_MAX;

    snprintf(name, sizeof name, "limits.%s", limits_fields[field].name);
    setting.name = name;
    for (int i = 0; i < 3; i++) {
        struct limits limits = words[i].limits ? *words[i].limits : (struct limits){0};
        int64_t said = *limits_at(&limits, field);

        if (said > 0 && said < least) {
            least = said;
            setting.origin = words[i].origin;
        }
    }
    snprintf(setting.text, sizeof setting.text, "%" PRId64, least);
    if (setting.origin)
        fn(&setting, arg);
}

void
profile_settings(const struct profile *profile, const char *application,
                 const struct limits *of_conf, const struct limits *of_manifest,
                 setting_fn *fn, void *arg)
{
    const struct profile_app *app;

    if (!application) {
        tell_all(profile, fn, arg);
        return;
    }
    app = profile_app_find(profile, application);
    for (int i = 0; i < PROFILE_N_APP_FIELDS; i++)
        tell_field(&profile_app_fields[i],
                   app && profile_field_get(&profile_app_fields[i], app) >= 0,
                   profile_app_value(app, i), fn, arg);
    for (int i = 0; i < limits_n_fields; i++)
        tell_limit(i, of_conf, of_manifest, app ? &app->limits : NULL, fn, arg);
}
