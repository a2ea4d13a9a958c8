/* SPDX-License-Identifier: Apache-2.0 */
#include "profile-window.h"

#include <errno.h>
#include <string.h>

#include "profile-place.h"
#include "profile-text.h"

/* ---- in ---- */

static int
take_days(const char *place, const struct json *value, struct window *window,
          struct why *why)
{
    int i = 0;

    if (json_type(value) != JSON_ARRAY || !json_first(value))
        return profile_expected(why, place, "a list of days that is not empty", value);
    window->days = 0;
    for (const struct json *c = json_first(value); c; c = json_next(c), i++) {
        const struct profile_place here = profile_place_index(place, i);
        int day = json_str(c) ? profile_day_parse(json_str(c)) : -EINVAL;

        if (day < 0)
            return profile_expected(
                why, here.text,
                "\"mon\", \"tue\", \"wed\", \"thu\", \"fri\", \"sat\" or "
                "\"sun\"",
                c);
        if (window->days >> day & 1)
            return why_set(why, -EBADMSG, "%s: \"%s\" is there twice", here.text,
                           profile_days[day]);
        window->days |= (uint8_t)(1 << day);
    }
    return 0;
}

static int
take_from(const char *place, const struct json *value, struct window *window,
          struct why *why)
{
    if (!json_str(value) || profile_time_parse(json_str(value), &window->from) < 0 ||
        window->from == WINDOW_DAY_MINUTES)
        return profile_expected(why, place, "a time from \"00:00\" to \"23:59\"", value);
    return 0;
}

static int
take_to(const char *place, const struct json *value, struct window *window,
        struct why *why)
{
    if (!json_str(value) || profile_time_parse(json_str(value), &window->to) < 0)
        return profile_expected(why, place, "a time from \"00:00\" to \"24:00\"", value);
    window->to %= WINDOW_DAY_MINUTES;
    return 0;
}

static int
take_app(const char *place, const struct json *value, struct window *window,
         struct why *why)
{
    const char *name = json_str(value);

    if (!name || !name_is_valid(name))
        return profile_expected(
            why, place, "the name of an application, [a-z][a-z0-9-]{0,31}", value);
    for (int i = 0; i < window->n_applications; i++)
        if (strcmp(window->applications[i], name) == 0)
            return why_set(why, -EBADMSG, "%s: \"%s\" is there twice", place, name);
    memcpy(window->applications[window->n_applications++], name, strlen(name) + 1);
    return 0;
}

static int
take_apps(const char *place, const struct json *value, struct window *window,
          struct why *why)
{
    int r = 0, i = 0;

    if (json_type(value) != JSON_ARRAY || !json_first(value))
        return profile_expected(why, place, "a list of applications that is not empty",
                                value);
    if (json_count(value) > WINDOW_APPS_MAX)
        return why_set(why, -EBADMSG,
                       "%s: %d applications are more than %d; another window with the "
                       "same times may have the rest",
                       place, json_count(value), WINDOW_APPS_MAX);
    for (const struct json *c = json_first(value); c && r == 0; c = json_next(c))
        r = take_app(profile_place_index(place, i++).text, c, window, why);
    return r;
}

static int
take_bool(const char *place, const struct json *value, bool *ret, struct why *why)
{
    if (json_type(value) != JSON_BOOL)
        return profile_expected(why, place, "true or false", value);
    *ret = json_bool(value, false);
    return 0;
}

static int
take_collect(const char *place, const struct json *value, struct window *window,
             struct why *why)
{
    return take_bool(place, value, &window->collect, why);
}

static int
take_transmit(const char *place, const struct json *value, struct window *window,
              struct why *why)
{
    return take_bool(place, value, &window->transmit, why);
}

static const struct {
    const char *name;
    int (*take)(const char *place, const struct json *value, struct window *window,
                struct why *why);
} members[] = {
    {"days", take_days},         {"from", take_from},       {"to", take_to},
    {"applications", take_apps}, {"collect", take_collect}, {"transmit", take_transmit},
};

static int
take_member(const char *place, const struct json *value, struct window *window,
            struct why *why)
{
    const char *name = json_name(value);

    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
        if (strcmp(members[i].name, name) == 0)
            return members[i].take(profile_place_member(place, name).text, value, window,
                                   why);
    return profile_unknown(why, place, value);
}

int
profile_window_take(const char *place, const struct json *value, struct window *window,
                    struct why *why)
{
    int r = 0;

    *window = (struct window){.days = PROFILE_ALL_DAYS, .collect = true};
    if (json_type(value) != JSON_OBJECT)
        return profile_expected(why, place, "an object", value);
    for (const struct json *c = json_first(value); c && r == 0; c = json_next(c))
        r = take_member(place, c, window, why);
    if (r < 0)
        return r;
    if (!json_get(value, "from") || !json_get(value, "to"))
        return why_set(why, -EBADMSG, "%s.%s: is missing", place,
                       json_get(value, "from") ? "to" : "from");
    if (!window->collect && !window->transmit)
        return why_set(why, -EBADMSG,
                       "%s: collect and transmit are both false, so that it says "
                       "nothing; take it out",
                       place);
    return 0;
}

/* ---- out ---- */

/* From Monday on, as people write them. */
static void
print_days(const struct window *window, struct json_out *out)
{
    if (window->days == PROFILE_ALL_DAYS)
        return;
    json_out_array(out, "days");
    for (int i = 1; i <= PROFILE_DAYS; i++)
        if (window->days >> i % PROFILE_DAYS & 1)
            json_out_str(out, NULL, profile_days[i % PROFILE_DAYS]);
    json_out_end(out, ']');
}

static void
print_apps(const struct window *window, struct json_out *out)
{
    if (window->n_applications == 0)
        return;
    json_out_array(out, "applications");
    for (int i = 0; i < window->n_applications; i++)
        json_out_str(out, NULL, window->applications[i]);
    json_out_end(out, ']');
}

void
profile_window_print(const struct window *window, struct json_out *out)
{
    char from[PROFILE_TIME_TEXT], to[PROFILE_TIME_TEXT];

    profile_time_text(window->from, from);
    profile_time_text(window->to, to);
    json_out_object(out, NULL);
    print_days(window, out);
    json_out_str(out, "from", from);
    json_out_str(out, "to", to);
    print_apps(window, out);
    if (!window->collect)
        json_out_bool(out, "collect", false);
    if (window->transmit)
        json_out_bool(out, "transmit", true);
    json_out_end(out, '}');
}
