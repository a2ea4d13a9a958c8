/* SPDX-License-Identifier: Apache-2.0 */
#include "verdict.h"

#include <errno.h>
#include <string.h>

#include "json-text.h"
#include "json.h"

static const char *const state_names[] = {"missing", "invalid", "valid"};

int
verdict_write(const struct verdict *verdict, FILE *stream)
{
    struct limits limits = verdict->limits;
    struct json_out out;

    json_out_init(&out, stream);
    json_out_object(&out, NULL);
    json_out_str(&out, "application", verdict->application);
    json_out_str(&out, "verdict", state_names[verdict->state]);
    json_out_str(&out, "reason", verdict->reason);
    json_out_str(&out, "origin", verdict->origin);
    json_out_str(&out, "path", verdict->path);
    json_out_int(&out, "serial", verdict->serial);
    json_out_str(&out, "title", verdict->title);
    json_out_str(&out, "plugin", verdict->plugin);
    json_out_object(&out, "limits");
    for (int i = 0; i < limits_n_fields; i++)
        if (*limits_at(&limits, i) > 0)
            json_out_int(&out, limits_fields[i].name, *limits_at(&limits, i));
    json_out_end(&out, '}');
    json_out_end(&out, '}');
    fputc('\n', stream);
    return fflush(stream) == 0 && !ferror(stream) ? 0 : -EIO;
}

struct text {
    const char *key;
    char *ret;
    size_t size;
    bool for_people; /* is cut when it is too long; others are refused */
};

static int
take_text(const struct json *root, const struct text *t, struct why *why)
{
    const char *text = json_get_str(root, t->key);

    if (!text)
        return why_set(why, -EBADMSG, "verdict: %s: expected a string", t->key);
    if (strlen(text) >= t->size && !t->for_people)
        return why_set(why, -EBADMSG, "verdict: %s: is too long", t->key);
    snprintf(t->ret, t->size, "%s", text);
    for (size_t n = strlen(t->ret); !json_text_is_clean(t->ret, n);)
        t->ret[--n] = '\0'; /* no half of a character */
    return 0;
}

static int
take_state(const struct json *root, enum verdict_state *ret, struct why *why)
{
    const char *text = json_get_str(root, "verdict");

    for (int i = VERDICT_MISSING; text && i <= VERDICT_VALID; i++) {
        if (strcmp(text, state_names[i]) == 0) {
            *ret = (enum verdict_state)i;
            return 0;
        }
    }
    return why_set(why, -EBADMSG,
                   "verdict: expected \"valid\", \"invalid\" or \"missing\"");
}

static int
take_limits(const struct json *root, struct limits *ret, struct why *why)
{
    const struct json *limits = json_get(root, "limits");

    for (int i = 0; i < limits_n_fields; i++) {
        int64_t n = json_get_int(limits, limits_fields[i].name, 0);

        if (n < 0 || n > limits_fields[i].most)
            return why_set(why, -EBADMSG, "verdict: %s: out of range",
                           limits_fields[i].name);
        *limits_at(ret, i) = n;
    }
    return 0;
}

static int
take(const struct json *root, struct verdict *v, struct why *why)
{
    const struct text texts[] = {
        {"application", v->application, sizeof v->application, false},
        {"reason", v->reason, sizeof v->reason, true},
        {"origin", v->origin, sizeof v->origin, false},
        {"path", v->path, sizeof v->path, true},
        {"title", v->title, sizeof v->title, true},
        {"plugin", v->plugin, sizeof v->plugin, false},
    };
    int r = take_state(root, &v->state, why);

    for (size_t i = 0; i < sizeof texts / sizeof texts[0] && r == 0; i++)
        r = take_text(root, &texts[i], why);
    if (r < 0)
        return r;
    v->serial = json_get_int(root, "serial", -1);
    if (v->serial < 0)
        return why_set(why, -EBADMSG, "verdict: serial: expected an integer");
    if (v->state == VERDICT_VALID && !name_is_valid(v->plugin))
        return why_set(why, -EBADMSG, "verdict: plugin: expected a name");
    return take_limits(root, &v->limits, why);
}

int
verdict_parse(const char *line, size_t len, struct verdict *ret, struct why *why)
{
    struct json *root = NULL;
    int r;

    *ret = (struct verdict){0};
    if (len > VERDICT_LINE_MAX)
        return why_set(why, -EBADMSG, "verdict: longer than %d bytes", VERDICT_LINE_MAX);
    r = json_parse(line, len, &root, why);
    if (r == 0)
        r = take(root, ret, why);
    json_free(root);
    return r;
}
