/* SPDX-License-Identifier: Apache-2.0 */
#include "profile-place.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cleanup.h"
#include "logtext.h"

struct profile_shown
profile_show(const char *text)
{
    struct profile_shown s;

    log_text(text, strlen(text), s.text, sizeof s.text);
    return s;
}

struct profile_shown
profile_show_value(const struct json *value)
{
    const enum json_type type = json_type(value);
    const bool brief = type != JSON_ARRAY && type != JSON_OBJECT;
    cleanup_free char *text = brief ? json_print(value) : NULL;

    if (!brief && !json_first(value))
        return profile_show(type == JSON_ARRAY ? "an empty list" : "an empty object");
    return profile_show(text ? text : json_type_name(type));
}

struct profile_place
profile_place_member(const char *place, const char *name)
{
    struct profile_place p;

    snprintf(p.text, sizeof p.text, "%s%s%s", place, place[0] ? "." : "", name);
    return p;
}

struct profile_place
profile_place_index(const char *place, int i)
{
    struct profile_place p;

    snprintf(p.text, sizeof p.text, "%s[%d]", place, i);
    return p;
}

int
profile_expected(struct why *why, const char *place, const char *what,
                 const struct json *value)
{
    return why_set(why, -EBADMSG, "%s%sexpected %s, got %s", place, place[0] ? ": " : "",
                   what, profile_show_value(value).text);
}

int
profile_unknown(struct why *why, const char *place, const struct json *member)
{
    return why_set(why, -EBADMSG, "%s%s\"%s\": there is no such field", place,
                   place[0] ? ": " : "", profile_show(json_name(member)).text);
}
