/* SPDX-License-Identifier: Apache-2.0 */
#include "log-lines.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Behind the pattern, in which '0' is any digit; NULL: the text is another one. */
static const char *
behind(const char *text, const char *pattern)
{
    for (; *pattern; pattern++, text++)
        if (*pattern == '0' ? !isdigit((unsigned char)*text) : *pattern != *text)
            return NULL;
    return text;
}

/* Behind one or more digits. */
static const char *
behind_number(const char *text)
{
    size_t n = strspn(text, "0123456789");

    return n ? text + n : NULL;
}

bool
log_line_split(const char *line, struct log_line *ret)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    const char *at = behind(line, "0000-00-00 00:00:00.000");

    ret->time = line;
    ret->time_len = at ? (size_t)(at - line) : 0;
    at = at ? behind(at, " [sonde-agent][") : NULL;
    at = at ? behind_number(at) : NULL;
    ret->level = at = at ? behind(at, "]:[") : NULL;
    ret->level_len = at ? strspn(at, letters) : 0;
    at = ret->level_len ? behind(at + ret->level_len, "]:[") : NULL;
    at = at ? behind_number(at) : NULL;
    ret->text = at ? behind(at, "]:") : NULL;
    return ret->text;
}

void
log_lines_init(struct log_lines *lines, const char *control_id)
{
    *lines = (struct log_lines){.scan = 0};
    snprintf(lines->control_id, sizeof lines->control_id, "%s", control_id);
}

void
log_lines_scan(struct log_lines *lines, const char *application, int64_t scan)
{
    snprintf(lines->application, sizeof lines->application, "%s", application);
    lines->scan = scan;
}

static bool
begins_with(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

/* Behind "OnDemand request for Control ID: ID" of this ticket. */
static const char *
behind_request(const struct log_lines *lines, const char *text)
{
    text = behind(text, "OnDemand request for Control ID: ");
    return text && begins_with(text, lines->control_id) ? text + strlen(lines->control_id)
                                                        : NULL;
}

/* A request's ", application A, by uid U: QUEUED as scan N…" */
static void
learn(struct log_lines *lines, const char *text)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    char name[NAME_MAX_LEN + 1];
    size_t len;

    text = behind(text, ", application ");
    len = text ? strcspn(text, ",") : 0;
    if (len == 0 || len > NAME_MAX_LEN)
        return;
    memcpy(name, text, len);
    name[len] = '\0';
    text = behind(text + len, ", by uid ");
    text = text ? behind_number(text) : NULL;
    text = text ? behind(text, ": ") : NULL;
    text = text ? behind(text + strspn(text, letters), " as scan ") : NULL;
    len = text ? strspn(text, "0123456789") : 0;
    if (len > 0 && len <= 18)
        log_lines_scan(lines, name, strtoll(text, NULL, 10));
}

/* Nobody but the agent begins a line without "[", so no plugin names a ticket. */
static bool
names_ticket(const struct log_lines *lines, const char *text)
{
    static const char before[] = "Control ID: ";
    size_t len = strlen(lines->control_id);

    if (*text == '[')
        return false;
    for (; (text = strstr(text, before)); text++) {
        const char *id = text + sizeof before - 1;

        if (strncmp(id, lines->control_id, len) == 0 && !isdigit((unsigned char)id[len]))
            return true;
    }
    return false;
}

static bool
is_of_scan(const struct log_lines *lines, const char *text)
{
    char start[NAME_MAX_LEN + 48];
    int n;

    if (lines->scan <= 0)
        return false;
    snprintf(start, sizeof start, "[%s][scan %" PRId64 "]", lines->application,
             lines->scan);
    if (begins_with(text, start))
        return true;
    n = snprintf(start, sizeof start, "scan %" PRId64 " of %s", lines->scan,
                 lines->application);
    return begins_with(text, start) && !isalnum((unsigned char)text[n]) && text[n] != '-';
}

enum log_belongs
log_lines_take(struct log_lines *lines, const char *line)
{
    bool may_belong = lines->may_belong;
    struct log_line parts;
    const char *rest;

    lines->may_belong = false;
    if (!log_line_split(line, &parts))
        return LOG_OTHER;
    lines->may_belong = begins_with(parts.text, "Interval Event of same type ") ||
                        begins_with(parts.text, "OnDemand Event of same type ");
    rest = behind_request(lines, parts.text);
    if (rest && strcmp(rest, " will be delayed.") == 0)
        return may_belong ? LOG_THIS_AND_BEFORE : LOG_THIS;
    if (rest)
        learn(lines, rest);
    return names_ticket(lines, parts.text) || is_of_scan(lines, parts.text) ? LOG_THIS
                                                                            : LOG_OTHER;
}
