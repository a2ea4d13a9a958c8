/* SPDX-License-Identifier: Apache-2.0 */
#include "manifest.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "json.h"
#include "logtext.h"

#define NUMBER_MAX ((INT64_C(1) << 53) - 1) /* every JSON reader has these exactly */

enum { PAYLOAD_NAME_MAX = 128, PATH_LEN_MAX = 1024, SHA256_HEX = 64 };

/* Judges one field: 0, or -EBADMSG with the reason. */
typedef int field_fn(const struct json *value, struct manifest *m, struct why *why);

struct field {
    const char *name;
    field_fn *judge;
    bool required;
};

bool
name_is_valid(const char *name)
{
    size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-");

    return name[0] >= 'a' && name[0] <= 'z' && len <= NAME_MAX_LEN && name[len] == '\0';
}

static int
expected(struct why *why, const char *field, const char *what, const struct json *value)
{
    char shown[100];
    const char *text = json_str(value);

    if (!text)
        return why_set(why, -EBADMSG, "%s: expected %s, got %s", field, what,
                       json_type_name(json_type(value)));
    log_text(text, strlen(text), shown, sizeof shown);
    return why_set(why, -EBADMSG, "%s: expected %s, got \"%s\"", field, what, shown);
}

static bool
has_control(const char *text)
{
    for (const unsigned char *s = (const unsigned char *)text; *s; s++)
        if (*s < 0x20 || *s == 0x7f)
            return true;
    return false;
}

static int
judge_application(const struct json *value, struct manifest *m, struct why *why)
{
    const char *text = json_str(value);

    if (!text || strcmp(text, m->application) != 0) {
        char what[80];

        snprintf(what, sizeof what, "\"%s\", the name of its folder", m->application);
        return expected(why, "application", what, value);
    }
    return 0;
}

static int
judge_plugin(const struct json *value, struct manifest *m, struct why *why)
{
    const char *text = json_str(value);

    if (!text || !name_is_valid(text))
        return expected(why, "plugin", "a name, [a-z][a-z0-9-]{0,31}", value);
    memcpy(m->plugin, text, strlen(text) + 1);
    return 0;
}

static int
judge_title(const struct json *value, struct manifest *m, struct why *why)
{
    const char *text = json_str(value);

    if (!text || strlen(text) > MANIFEST_TITLE_MAX || has_control(text))
        return expected(why, "title", "one line of up to 128 bytes", value);
    memcpy(m->title, text, strlen(text) + 1);
    return 0;
}

static int
judge_serial(const struct json *value, struct manifest *m, struct why *why)
{
    m->serial = json_int(value, -1);
    if (m->serial < 0 || m->serial > NUMBER_MAX)
        return expected(why, "serial", "an integer from 0 to 2^53 - 1", value);
    return 0;
}

/* "2026-11-23T00:00:00Z" (RFC 3339, UTC alone, whole seconds). */
static int
parse_time(const char *text, int64_t *ret)
{
    struct tm tm = {0}, again;
    const char *end = strptime(text, "%Y-%m-%dT%H:%M:%SZ", &tm);
    char back[32];
    time_t t;

    if (!end || *end)
        return -EINVAL;
    t = timegm(&tm);
    if (!gmtime_r(&t, &again) ||
        strftime(back, sizeof back, "%Y-%m-%dT%H:%M:%SZ", &again) == 0 ||
        strcmp(back, text) != 0)
        return -EINVAL;
    *ret = t;
    return 0;
}

static int
judge_time(const char *field, const struct json *value, int64_t *ret, struct why *why)
{
    const char *text = json_str(value);

    if (!text || parse_time(text, ret) < 0)
        return expected(why, field, "a time in UTC like 2026-11-23T00:00:00Z", value);
    return 0;
}

static int
judge_issued(const struct json *value, struct manifest *m, struct why *why)
{
    return judge_time("issued", value, &m->issued, why);
}

static int
judge_expires(const struct json *value, struct manifest *m, struct why *why)
{
    return judge_time("expires", value, &m->expires, why);
}

static int
judge_paths(const char *field, const struct json *value, struct why *why)
{
    if (json_type(value) != JSON_ARRAY)
        return expected(why, field, "a list of absolute paths", value);
    for (const struct json *c = json_first(value); c; c = json_next(c)) {
        const char *path = json_str(c);

        if (!path || path[0] != '/' || strlen(path) > PATH_LEN_MAX || has_control(path))
            return expected(why, field, "absolute paths in the list", c);
    }
    return 0;
}

static int
judge_exec(const struct json *value, struct manifest *m, struct why *why)
{
    (void)m;
    return judge_paths("exec", value, why);
}

static int
judge_sockets(const struct json *value, struct manifest *m, struct why *why)
{
    (void)m;
    return judge_paths("sockets", value, why);
}

/* A field that nobody knows, whose name may be anything. */
static int
unknown(struct why *why, const char *where, const struct json *member)
{
    const char *name = json_name(member);
    char shown[100];

    log_text(name, strlen(name), shown, sizeof shown);
    return why_set(why, -EBADMSG, "%s\"%s\": there is no such field", where, shown);
}

static int
judge_limit(const struct json *value, struct manifest *m, struct why *why)
{
    for (int i = 0; i < limits_n_fields; i++) {
        const struct limits_field *f = &limits_fields[i];
        char field[48], what[80];
        int64_t n = json_int(value, 0);

        if (strcmp(json_name(value), f->name) != 0)
            continue;
        if (n >= 1 && n <= f->most) {
            *limits_at(&m->limits, i) = n;
            return 0;
        }
        snprintf(field, sizeof field, "limits.%s", f->name);
        snprintf(what, sizeof what, "an integer from 1 to %lld", (long long)f->most);
        return expected(why, field, what, value);
    }
    return unknown(why, "limits: ", value);
}

static int
judge_limits(const struct json *value, struct manifest *m, struct why *why)
{
    int r = 0;

    if (json_type(value) != JSON_OBJECT)
        return expected(why, "limits", "an object", value);
    for (const struct json *c = json_first(value); c && r == 0; c = json_next(c))
        r = judge_limit(c, m, why);
    return r;
}

/* A file beside the manifest: no path, no hidden file. */
static bool
is_payload_name(const char *name)
{
    size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                              "0123456789._-");

    return len > 0 && len <= PAYLOAD_NAME_MAX && name[len] == '\0' && name[0] != '.' &&
           name[0] != '-';
}

static int
judge_payload(const struct json *value, struct why *why)
{
    const struct json *name = json_get(value, "name"), *size = json_get(value, "size"),
                      *sha256 = json_get(value, "sha256");
    const char *hex = json_str(sha256);
    int64_t bytes = json_int(size, -1);

    if (json_type(value) != JSON_OBJECT || !name || !size || !sha256)
        return why_set(why, -EBADMSG,
                       "payloads: expected objects with name, size and sha256");
    for (const struct json *c = json_first(value); c; c = json_next(c))
        if (c != name && c != size && c != sha256)
            return unknown(why, "payloads: ", c);
    if (!json_str(name) || !is_payload_name(json_str(name)))
        return expected(why, "payloads: name", "the name of a file", name);
    if (bytes < 0 || bytes > NUMBER_MAX)
        return expected(why, "payloads: size", "an integer from 0 to 2^53 - 1", size);
    if (!hex || strlen(hex) != SHA256_HEX ||
        strspn(hex, "0123456789abcdef") != SHA256_HEX)
        return expected(why, "payloads: sha256", "64 hexadecimal digits, a to f small",
                        sha256);
    return 0;
}

static int
judge_payloads(const struct json *value, struct manifest *m, struct why *why)
{
    int r = 0;

    (void)m;
    if (json_type(value) != JSON_ARRAY)
        return expected(why, "payloads", "a list of objects", value);
    for (const struct json *c = json_first(value); c && r == 0; c = json_next(c)) {
        r = judge_payload(c, why);
        for (const struct json *b = json_first(value); r == 0 && b != c; b = json_next(b))
            if (strcmp(json_get_str(b, "name"), json_get_str(c, "name")) == 0)
                r = why_set(why, -EBADMSG, "payloads: two are named \"%s\"",
                            json_get_str(c, "name"));
    }
    return r;
}

static int
judge_content(const struct json *value, struct manifest *m, struct why *why)
{
    (void)m;
    if (json_type(value) != JSON_OBJECT)
        return expected(why, "content", "an object", value);
    return 0;
}

static const struct field fields[] = {
    {"application", judge_application, true},
    {"serial", judge_serial, true},
    {"plugin", judge_plugin, true},
    {"title", judge_title, false},
    {"issued", judge_issued, false},
    {"expires", judge_expires, false},
    {"exec", judge_exec, false},
    {"sockets", judge_sockets, false},
    {"limits", judge_limits, false},
    {"payloads", judge_payloads, false},
    {"content", judge_content, false},
};

enum { N_FIELDS = sizeof fields / sizeof fields[0] };

static int
judge_field(const struct json *value, struct manifest *m, struct why *why)
{
    for (int i = 0; i < N_FIELDS; i++)
        if (strcmp(fields[i].name, json_name(value)) == 0)
            return fields[i].judge(value, m, why);
    return unknown(why, "", value);
}

static int
judge(const struct json *root, struct manifest *m, struct why *why)
{
    int r = 0;

    if (json_type(root) != JSON_OBJECT)
        return expected(why, "manifest", "an object", root);
    for (const struct json *c = json_first(root); c && r == 0; c = json_next(c))
        r = judge_field(c, m, why);
    for (int i = 0; i < N_FIELDS && r == 0; i++)
        if (fields[i].required && !json_get(root, fields[i].name))
            r = why_set(why, -EBADMSG, "%s: is missing", fields[i].name);
    if (r == 0 && json_get(root, "issued") && json_get(root, "expires") &&
        m->expires <= m->issued)
        r = why_set(why, -EBADMSG, "expires: expected a time after issued");
    return r;
}

int
manifest_parse(const char *text, size_t len, const char *application,
               struct manifest *ret, struct why *why)
{
    struct json *root = NULL;
    int r;

    *ret = (struct manifest){0};
    if (!name_is_valid(application))
        return why_set(why, -EBADMSG, "the folder's name is not [a-z][a-z0-9-]{0,31}");
    if (len > MANIFEST_MAX)
        return why_set(why, -EBADMSG, "larger than %d bytes", MANIFEST_MAX);
    memcpy(ret->application, application, strlen(application) + 1);
    r = json_parse(text, len, &root, why);
    if (r == 0)
        r = judge(root, ret, why);
    json_free(root);
    return r;
}
