/* SPDX-License-Identifier: Apache-2.0 */
#include "json.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "json-check.h"
#include "json-text.h"

/* A struct json is a cJSON under another name, so that nobody else sees cJSON. */
static const cJSON *
inside(const struct json *json)
{
    return (const cJSON *)json;
}

static const struct json *
outside(const cJSON *item)
{
    return (const struct json *)item;
}

int
json_parse(const char *text, size_t len, struct json **ret, struct why *why)
{
    const char *end = text;
    int r = json_check(text, len, why);

    if (r < 0)
        return r;
    /* Some versions of cJSON take 63 characters of a number; what comes after them is an
     * error to it, or at the outermost level just left over.
     */
    *ret = (struct json *)cJSON_ParseWithLengthOpts(text, len, &end, false);
    while (*ret && end < text + len && strchr(" \t\r\n", *end))
        end++;
    if (!*ret || end < text + len) {
        json_free(*ret);
        *ret = NULL;
        return why_set(why, -EBADMSG, "byte %zu: number too long, or out of memory",
                       (size_t)(end - text));
    }
    return 0;
}

void
json_free(struct json *json)
{
    cJSON_Delete((cJSON *)json);
}

const struct json *
json_get(const struct json *json, const char *key)
{
    if (!cJSON_IsObject(inside(json)))
        return NULL;
    return outside(cJSON_GetObjectItemCaseSensitive(inside(json), key));
}

const char *
json_get_str(const struct json *json, const char *key)
{
    return json_str(json_get(json, key));
}

int64_t
json_get_int(const struct json *json, const char *key, int64_t def)
{
    return json_int(json_get(json, key), def);
}

double
json_get_real(const struct json *json, const char *key, double def)
{
    return json_real(json_get(json, key), def);
}

bool
json_get_bool(const struct json *json, const char *key, bool def)
{
    return json_bool(json_get(json, key), def);
}

enum json_type
json_type(const struct json *json)
{
    const cJSON *item = inside(json);

    return cJSON_IsObject(item)   ? JSON_OBJECT
           : cJSON_IsArray(item)  ? JSON_ARRAY
           : cJSON_IsString(item) ? JSON_STRING
           : cJSON_IsNumber(item) ? JSON_NUMBER
           : cJSON_IsBool(item)   ? JSON_BOOL
                                  : JSON_NULL;
}

const char *
json_type_name(enum json_type type)
{
    static const char *const names[] = {
        [JSON_NULL] = "null",       [JSON_BOOL] = "true or false",
        [JSON_NUMBER] = "a number", [JSON_STRING] = "a string",
        [JSON_ARRAY] = "a list",    [JSON_OBJECT] = "an object",
    };

    return names[type];
}

const char *
json_str(const struct json *json)
{
    return cJSON_IsString(inside(json)) ? inside(json)->valuestring : NULL;
}

int64_t
json_int(const struct json *json, int64_t def)
{
    double value = json_real(json, NAN);

    /* 2^53 itself may be a rounded 2^53 + 1. */
    if (!(fabs(value) < 9007199254740992.0) || value != trunc(value))
        return def;
    return (int64_t)value;
}

double
json_real(const struct json *json, double def)
{
    if (!cJSON_IsNumber(inside(json)) || !isfinite(inside(json)->valuedouble))
        return def;
    return inside(json)->valuedouble;
}

bool
json_bool(const struct json *json, bool def)
{
    return cJSON_IsBool(inside(json)) ? (bool)cJSON_IsTrue(inside(json)) : def;
}

const struct json *
json_first(const struct json *json)
{
    if (!cJSON_IsArray(inside(json)) && !cJSON_IsObject(inside(json)))
        return NULL;
    return outside(inside(json)->child);
}

const struct json *
json_next(const struct json *child)
{
    return outside(inside(child)->next);
}

const char *
json_name(const struct json *child)
{
    return inside(child)->string;
}

int
json_count(const struct json *json)
{
    int n = 0;

    for (const struct json *c = json_first(json); c; c = json_next(c))
        n++;
    return n;
}

/* cJSON prints 15 digits of most numbers, which is not always the same number. */
static void
print_number(struct json_out *out, const char *key, const struct json *json)
{
    int64_t n = json_int(json, INT64_MIN);

    if (n != INT64_MIN)
        json_out_int(out, key, n);
    else
        json_out_real(out, key, json_real(json, NAN));
}

static void
print_value(struct json_out *out, const char *key, const struct json *json)
{
    switch (json_type(json)) {
    case JSON_OBJECT:
        json_out_object(out, key);
        for (const struct json *c = json_first(json); c; c = json_next(c))
            print_value(out, json_name(c), c);
        json_out_end(out, '}');
        break;
    case JSON_ARRAY:
        json_out_array(out, key);
        for (const struct json *c = json_first(json); c; c = json_next(c))
            print_value(out, NULL, c);
        json_out_end(out, ']');
        break;
    case JSON_STRING:
        json_out_str(out, key, json_str(json));
        break;
    case JSON_NUMBER:
        print_number(out, key, json);
        break;
    case JSON_BOOL:
        json_out_bool(out, key, json_bool(json, false));
        break;
    case JSON_NULL:
        json_out_null(out, key);
    }
}

char *
json_print(const struct json *json)
{
    struct json_out out;
    char *text = NULL;
    size_t len;
    FILE *stream = open_memstream(&text, &len);

    if (!stream)
        return NULL;
    json_out_init(&out, stream);
    print_value(&out, NULL, json);
    if (fclose(stream) != 0) {
        free(text);
        return NULL;
    }
    return text;
}

void
json_out_init(struct json_out *out, FILE *stream)
{
    out->stream = stream;
    out->comma = false;
}

static void
out_text(struct json_out *out, const char *text)
{
    size_t len = strlen(text);

    putc('"', out->stream);
    for (size_t used, n; len > 0; text += used, len -= used) {
        char piece[JSON_CHAR_MAX];

        used = json_text_char(text, len, piece, &n);
        fwrite(piece, 1, n, out->stream);
    }
    putc('"', out->stream);
}

/* What comes before every value. */
static void
out_begin(struct json_out *out, const char *key)
{
    if (out->comma)
        putc(',', out->stream);
    out->comma = true;
    if (key) {
        out_text(out, key);
        putc(':', out->stream);
    }
}

void
json_out_object(struct json_out *out, const char *key)
{
    out_begin(out, key);
    putc('{', out->stream);
    out->comma = false;
}

void
json_out_array(struct json_out *out, const char *key)
{
    out_begin(out, key);
    putc('[', out->stream);
    out->comma = false;
}

void
json_out_end(struct json_out *out, char bracket)
{
    putc(bracket, out->stream);
    out->comma = true;
}

void
json_out_str(struct json_out *out, const char *key, const char *text)
{
    if (!text) {
        json_out_null(out, key);
        return;
    }
    out_begin(out, key);
    out_text(out, text);
}

void
json_out_int(struct json_out *out, const char *key, int64_t value)
{
    out_begin(out, key);
    fprintf(out->stream, "%" PRId64, value);
}

void
json_out_real(struct json_out *out, const char *key, double value)
{
    char digits[JSON_REAL_MAX];

    json_text_real(value, digits);
    json_out_raw(out, key, digits);
}

void
json_out_bool(struct json_out *out, const char *key, bool value)
{
    json_out_raw(out, key, value ? "true" : "false");
}

void
json_out_null(struct json_out *out, const char *key)
{
    json_out_raw(out, key, NULL);
}

void
json_out_raw(struct json_out *out, const char *key, const char *json_text)
{
    out_begin(out, key);
    fputs(json_text ? json_text : "null", out->stream);
}
