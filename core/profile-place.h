/* SPDX-License-Identifier: Apache-2.0 */
/* What is wrong with a profile, and where. */
#pragma once

#include "json.h"
#include "why.h"

/* What of a file may be shown in a message: names and texts, and a value as it stands there. */
struct profile_shown {
    char text[80];
};
struct profile_shown profile_show(const char *text);
struct profile_shown profile_show_value(const struct json *value);

/* Where a value is: "applications.inv.limits", "blackout[2]"; "" is the profile itself. */
struct profile_place {
    char text[96];
};
struct profile_place profile_place_member(const char *place, const char *name);
struct profile_place profile_place_index(const char *place, int i);

/* -EBADMSG, with these words: what was expected there, or that there is no such member. */
int profile_expected(struct why *why, const char *place, const char *what,
                     const struct json *value);
int profile_unknown(struct why *why, const char *place, const struct json *member);
