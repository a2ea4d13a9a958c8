/* SPDX-License-Identifier: Apache-2.0 */
#include "demand.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "pacer.h"

int
demand_parse_throttle(const char *text, int64_t *ret, struct why *why)
{
    size_t len = strlen(text);

    *ret = len && len <= 9 && strspn(text, "0123456789") == len ? atol(text) : -1;
    if (*ret < 0 || *ret > PACER_THROTTLE_MAX)
        return why_set(why, -EINVAL,
                       "cputhrottle: \"%.40s\" is not a number from 0 (unpaced) to 1000",
                       text);
    return 0;
}

static int
parse_type(const char *text, char ret[NAME_MAX_LEN + 1], struct why *why)
{
    size_t len = strlen(text);

    if (len <= NAME_MAX_LEN)
        for (size_t i = 0; i <= len; i++)
            ret[i] = (char)(text[i] >= 'A' && text[i] <= 'Z' ? text[i] + 32 : text[i]);
    if (len > NAME_MAX_LEN || !name_is_valid(ret))
        return why_set(
            why, -EINVAL,
            "type: \"%.40s\" is no name of an application; cloudagentctl.sh show "
            "type lists them",
            text);
    return 0;
}

int
demand_parse(int n, char *const words[], struct demand *ret, struct why *why)
{
    const char *action = NULL, *type = NULL, *throttle = "0";
    int r;

    for (int i = 0; i < n; i++) {
        const char *value = strchr(words[i], '=');
        size_t len = value ? (size_t)(value - words[i]) : 0;

        if (!value)
            return why_set(why, -EINVAL, "\"%.40s\": is not of the form key=value",
                           words[i]);
        value++;
        if (len == 6 && strncasecmp(words[i], "action", len) == 0)
            action = value;
        else if (len == 4 && strncasecmp(words[i], "type", len) == 0)
            type = value;
        else if (len == 11 && strncasecmp(words[i], "cputhrottle", len) == 0)
            throttle = value;
        else
            return why_set(
                why, -EINVAL,
                "\"%.*s\": unknown key; there are action, type and cputhrottle",
                len < 40 ? (int)len : 40, words[i]);
    }
    if (!action || strcasecmp(action, "demand") != 0)
        return why_set(why, -EINVAL,
                       action ? "action: \"%.40s\" is not demand"
                              : "action is missing: action=demand",
                       action ? action : "");
    if (!type)
        return why_set(why, -EINVAL, "type is missing: type=inv, for example");
    r = parse_type(type, ret->application, why);
    return r < 0 ? r : demand_parse_throttle(throttle, &ret->cputhrottle, why);
}
