/* SPDX-License-Identifier: Apache-2.0 */
/* JSON in and out.  Reading: the strict check of json-check.h first, then cJSON, which meets
 * our code in json.c only.  Writing: straight to a stream.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "why.h"

struct json; /* any JSON value */

/* Parse one JSON text (RFC 8259) of exactly len bytes.  -EBADMSG with the reason and the
 * place.  *ret is the caller's: json_free, which takes NULL.
 */
int json_parse(const char *text, size_t len, struct json **ret, struct why *why);
void json_free(struct json *json);

/* Members of an object by name; NULL, def when they are not there or of another type.
 * What comes back belongs to the tree.  json may be NULL.
 */
const struct json *json_get(const struct json *json, const char *key);
const char *json_get_str(const struct json *json, const char *key);
int64_t json_get_int(const struct json *json, const char *key, int64_t def);
double json_get_real(const struct json *json, const char *key, double def);
bool json_get_bool(const struct json *json, const char *key, bool def);

/* The type of a value, for those who must refuse the wrong one. */
enum json_type {
    JSON_NULL,
    JSON_BOOL,
    JSON_NUMBER,
    JSON_STRING,
    JSON_ARRAY,
    JSON_OBJECT
};
enum json_type json_type(const struct json *json);
const char *json_type_name(enum json_type type); /* "a string", "an object", … */

/* The value itself, when it is of that type; NULL, def otherwise.  cJSON keeps numbers as
 * doubles, so json_int gives def too for what is no integer or not below 2^53 in magnitude.
 */
const char *json_str(const struct json *json);
int64_t json_int(const struct json *json, int64_t def);
double json_real(const struct json *json, double def);
bool json_bool(const struct json *json, bool def);

/* The children of an array or object, in order; json_name is an object member's name.
 *   for (const struct json *c = json_first(j); c; c = json_next(c))
 */
const struct json *json_first(const struct json *json);
const struct json *json_next(const struct json *child);
const char *json_name(const struct json *child);
int json_count(const struct json *json);

/* Compact text of a value (no line breaks); the caller frees it.  NULL: out of memory. */
char *json_print(const struct json *json);

/* Writer: commas, quotes and escapes are its business, nesting the caller's.  key is NULL
 * for array members and for the outermost value.  Text that is not UTF-8 is made so.
 */
struct json_out {
    FILE *stream; /* borrowed */
    bool comma;
};
void json_out_init(struct json_out *out, FILE *stream);
void json_out_object(struct json_out *out,
                     const char *key);                      /* {, end with json_out_end */
void json_out_array(struct json_out *out, const char *key); /* [ */
void json_out_end(struct json_out *out, char bracket);      /* '}' or ']' */
void json_out_str(struct json_out *out, const char *key,
                  const char *text); /* NULL: null */
void json_out_int(struct json_out *out, const char *key, int64_t value);
void json_out_real(struct json_out *out, const char *key, double value);
void json_out_bool(struct json_out *out, const char *key, bool value);
void json_out_null(struct json_out *out, const char *key);
/* A JSON text that is already checked, as it stands; NULL: null. */
void json_out_raw(struct json_out *out, const char *key, const char *json_text);
