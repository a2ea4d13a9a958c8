/* SPDX-License-Identifier: Apache-2.0 */
#include "profile-write.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "profile-field.h"
#include "profile-window.h"

/* ---- text ---- */

static void
print_fields(const struct profile_field *fields, int n, const void *of,
             struct json_out *out)
{
    char text[PROFILE_FIELD_TEXT];

    for (int i = 0; i < n; i++) {
        int64_t said = profile_field_get(&fields[i], of);

        if (said < 0)
            continue;
        profile_field_text(&fields[i], said, text);
        json_out_raw(out, fields[i].name, text);
    }
}

static void
print_windows(const struct profile *profile, struct json_out *out)
{
    if (profile->n_windows == 0)
        return;
    json_out_array(out, "blackout");
    for (size_t i = 0; i < profile->n_windows; i++)
        profile_window_print(&profile->windows[i], out);
    json_out_end(out, ']');
}

static void
print_limits(const struct limits *limits, struct json_out *out)
{
    struct limits l = *limits;
    bool any = false;

    for (int i = 0; i < limits_n_fields; i++) {
        if (*limits_at(&l, i) == 0)
            continue;
        if (!any)
            json_out_object(out, "limits");
        any = true;
        json_out_int(out, limits_fields[i].name, *limits_at(&l, i));
    }
    if (any)
        json_out_end(out, '}');
}

static void
print_apps(const struct profile *profile, struct json_out *out)
{
    json_out_object(out, "applications");
    for (size_t i = 0; i < profile->n; i++) {
        json_out_object(out, profile->apps[i].name);
        print_fields(profile_app_fields, PROFILE_N_APP_FIELDS, &profile->apps[i], out);
        print_limits(&profile->apps[i].limits, out);
        json_out_end(out, '}');
    }
    json_out_end(out, '}');
}

int
profile_print(const struct profile *profile, char **ret, size_t *ret_len)
{
    FILE *stream;
    struct json_out out;
    bool bad;

    *ret = NULL;
    stream = open_memstream(ret, ret_len);
    if (!stream)
        return -ENOMEM;
    json_out_init(&out, stream);
    json_out_object(&out, NULL);
    print_fields(profile_fields, PROFILE_N_FIELDS, profile, &out);
    print_windows(profile, &out);
    print_apps(profile, &out);
    json_out_end(&out, '}');
    fputc('\n', stream);
    bad = ferror(stream);
    return fclose(stream) == 0 && !bad ? 0 : -ENOMEM;
}
