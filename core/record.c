/* SPDX-License-Identifier: Apache-2.0 */
#include "record.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "frame.h"
#include "json-text.h"

enum { FIELDS_MAX = 128, NAME_MAX_BYTES = 64, ARENA_MAX = 6 * FRAME_TEXT_MAX };

/* Places in the arena, which moves when it grows. */
struct field {
    size_t name, name_len;
    size_t text, text_len; /* its value as JSON */
    bool is_volatile;
};

struct sonde_record {
    int error; /* the first one */
    bool is_volatile;
    char kind[FRAME_KIND_MAX], key[FRAME_KEY_MAX];
    size_t kind_len, key_len;
    int n_fields;
    struct field fields[FIELDS_MAX];
    char *arena; /* kept from record to record */
    size_t used, size;
};

struct sonde_record *
record_new(void)
{
    struct sonde_record *record = calloc(1, sizeof *record);

    if (record)
        record->error = -EINVAL; /* nothing is open */
    return record;
}

void
record_free(struct sonde_record *record)
{
    if (record)
        free(record->arena);
    free(record);
}

static void
record_fail(struct sonde_record *record, int error)
{
    if (record->error == 0)
        record->error = error;
}

/* [a-z][a-z0-9_]*, of at most so many bytes */
static bool
word_is_valid(const char *word, size_t len, size_t most)
{
    if (len == 0 || len > most || word[0] < 'a' || word[0] > 'z')
        return false;
    for (size_t i = 1; i < len; i++)
        if ((word[i] < 'a' || word[i] > 'z') && (word[i] < '0' || word[i] > '9') &&
            word[i] != '_')
            return false;
    return true;
}

bool
kind_is_valid(const char *kind, size_t len)
{
    return word_is_valid(kind, len, FRAME_KIND_MAX);
}

/* ---- the arena ---- */

/* Make room for len more bytes; false after an error. */
static bool
arena_reserve(struct sonde_record *record, size_t len)
{
    size_t size = record->size;
    char *arena;

    if (record->error != 0)
        return false;
    if (len <= size - record->used)
        return true;
    if (len > ARENA_MAX - record->used) {
        record_fail(record, -EMSGSIZE);
        return false;
    }
    size = record->used + len + 4096 > 2 * size ? record->used + len + 4096 : 2 * size;
    arena = realloc(record->arena, size);
    if (!arena) {
        record_fail(record, -ENOMEM);
        return false;
    }
    record->arena = arena;
    record->size = size;
    return true;
}

static void
arena_put(struct sonde_record *record, const char *bytes, size_t len)
{
    if (!arena_reserve(record, len))
        return;
    memcpy(record->arena + record->used, bytes, len);
    record->used += len;
}

/* A JSON string of these bytes, with its quotes. */
static void
arena_put_text(struct sonde_record *record, const char *bytes, size_t len)
{
    arena_put(record, "\"", 1);
    for (size_t took, n; len > 0; bytes += took, len -= took) {
        char piece[JSON_CHAR_MAX];

        took = json_text_char(bytes, len, piece, &n);
        arena_put(record, piece, n);
    }
    arena_put(record, "\"", 1);
}

static void
arena_put_hex(struct sonde_record *record, const char *bytes, size_t len)
{
    static const char hex[] = "0123456789abcdef";

    arena_put(record, "\"", 1);
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)bytes[i];

        arena_put(record, (char[]){hex[c >> 4], hex[c & 15]}, 2);
    }
    arena_put(record, "\"", 1);
}

/* ---- fields ---- */

/* Begin the field <key><suffix>; its value is put next, and field_end closes it. */
static void
field_begin(struct sonde_record *record, const char *key, const char *suffix)
{
    struct field *field = &record->fields[record->n_fields];
    size_t len = key ? strnlen(key, NAME_MAX_BYTES + 1) : 0;

    if (record->error != 0)
        return;
    if (!key || !word_is_valid(key, len, NAME_MAX_BYTES)) {
        record_fail(record, -EINVAL);
        return;
    }
    if (record->n_fields == FIELDS_MAX) {
        record_fail(record, -E2BIG);
        return;
    }
    field->name = record->used;
    arena_put(record, key, len);
    arena_put(record, suffix, strlen(suffix));
    field->name_len = record->used - field->name;
    field->text = record->used;
    field->is_volatile = record->is_volatile;
}

static void
field_end(struct sonde_record *record)
{
    struct field *field = &record->fields[record->n_fields];

    if (record->error != 0)
        return;
    field->text_len = record->used - field->text;
    record->n_fields++;
}

static void
field_raw(struct sonde_record *record, const char *key, const char *text)
{
    field_begin(record, key, "");
    arena_put(record, text, strlen(text));
    field_end(record);
}

/* Identity must not be lost to U+FFFD: what is not UTF-8 in a key becomes \xNN. */
static int
key_copy(struct sonde_record *record, const char *key)
{
    size_t n = 0;

    for (size_t len = strlen(key), took, out; len > 0; key += took, len -= took) {
        char piece[JSON_CHAR_MAX];
        bool clean;

        took = json_text_char(key, len, piece, &out);
        clean = json_text_is_clean(key, took);
        if (n + (clean ? took : 4) > FRAME_KEY_MAX)
            return -EMSGSIZE;
        if (clean)
            memcpy(record->key + n, key, took);
        else {
            snprintf(piece, sizeof piece, "\\x%02x", (unsigned char)*key);
            memcpy(record->key + n, piece, 4);
        }
        n += clean ? took : 4;
    }
    record->key_len = n;
    return n == 0 ? -EINVAL : 0;
}

void
record_begin(struct sonde_record *record, const char *kind, const char *key)
{
    size_t len = kind ? strnlen(kind, FRAME_KIND_MAX + 1) : 0;

    record->error = 0;
    record->is_volatile = false;
    record->n_fields = 0;
    record->used = 0;
    record->kind_len = record->key_len = 0;
    if (!kind || !key || !kind_is_valid(kind, len)) {
        record_fail(record, -EINVAL);
        return;
    }
    memcpy(record->kind, kind, len);
    record->kind_len = len;
    record->error = key_copy(record, key);
}

void
record_bytes(struct sonde_record *record, const char *key, const void *bytes, size_t len)
{
    if (!bytes) {
        field_raw(record, key, "null");
        return;
    }
    field_begin(record, key, "");
    arena_put_text(record, bytes, len);
    field_end(record);
    if (json_text_is_clean(bytes, len))
        return;
    field_begin(record, key, "_hex");
    arena_put_hex(record, bytes, len);
    field_end(record);
}

void
record_str(struct sonde_record *record, const char *key, const char *text)
{
    record_bytes(record, key, text, text ? strlen(text) : 0);
}

void
record_int(struct sonde_record *record, const char *key, int64_t value)
{
    char text[24];

    snprintf(text, sizeof text, "%" PRId64, value);
    field_raw(record, key, text);
}

void
record_real(struct sonde_record *record, const char *key, double value)
{
    char text[JSON_REAL_MAX];

    json_text_real(value, text);
    field_raw(record, key, text);
}

void
record_bool(struct sonde_record *record, const char *key, bool value)
{
    field_raw(record, key, value ? "true" : "false");
}

/* RFC 3339 has four digits for the year; a file may have any time. */
void
record_time(struct sonde_record *record, const char *key, int64_t seconds)
{
    time_t t = (time_t)seconds;
    struct tm tm;
    char text[32];

    if ((int64_t)t != seconds || !gmtime_r(&t, &tm) || tm.tm_year < -1900 ||
        tm.tm_year > 9999 - 1900) {
        record_none(record, key, -ERANGE);
        return;
    }
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm);
    record_str(record, key, text);
}

/* The list of texts, each written by put. */
static void
field_list(struct sonde_record *record, const char *key, const char *suffix,
           const char *const *texts, size_t n,
           void (*put)(struct sonde_record *, const char *, size_t))
{
    field_begin(record, key, suffix);
    arena_put(record, "[", 1);
    for (size_t i = 0; i < n && record->error == 0; i++) {
        if (i > 0)
            arena_put(record, ",", 1);
        put(record, texts[i], strlen(texts[i]));
    }
    arena_put(record, "]", 1);
    field_end(record);
}

void
record_list(struct sonde_record *record, const char *key, const char *const *texts,
            size_t n)
{
    bool clean = true;

    for (size_t i = 0; i < n; i++) {
        if (!texts || !texts[i]) {
            record_fail(record, -EINVAL);
            return;
        }
        clean = clean && json_text_is_clean(texts[i], strlen(texts[i]));
    }
    field_list(record, key, "", texts, n, arena_put_text);
    if (!clean)
        field_list(record, key, "_hex", texts, n, arena_put_hex);
}

/* "EACCES", where the C library tells names; else "errno 13". */
static void
errno_name(int err, char *text, size_t size)
{
    const char *name = NULL;

#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 32)
    name = strerrorname_np(err);
#endif
    if (name)
        snprintf(text, size, "%s", name);
    else
        snprintf(text, size, "errno %d", err);
}

void
record_none(struct sonde_record *record, const char *key, int err)
{
    char text[32];

    field_raw(record, key, "null");
    if (err == 0)
        return;
    errno_name(err == INT32_MIN ? INT32_MAX : abs(err), text, sizeof text);
    field_begin(record, key, "_error");
    arena_put_text(record, text, strlen(text));
    field_end(record);
}

void
record_volatile(struct sonde_record *record)
{
    record->is_volatile = true;
}

/* ---- the end ---- */

static int
field_compare(const struct field *x, const struct field *y, const char *arena)
{
    size_t n = x->name_len < y->name_len ? x->name_len : y->name_len;
    int order = memcmp(arena + x->name, arena + y->name, n);

    return order != 0 ? order : (x->name_len > y->name_len) - (x->name_len < y->name_len);
}

/* Sort by name; stable and volatile fields share one name space. */
static int
fields_sort(struct sonde_record *record)
{
    struct field *fields = record->fields;

    for (int i = 1; i < record->n_fields; i++) {
        struct field field = fields[i];
        int at = i, order = 1;

        while (at > 0 &&
               (order = field_compare(&fields[at - 1], &field, record->arena)) > 0) {
            fields[at] = fields[at - 1];
            at--;
        }
        if (order == 0)
            return -EEXIST;
        fields[at] = field;
    }
    return 0;
}

/* Write one object to the end of the arena; returns its length. */
static size_t
object_put(struct sonde_record *record, bool is_volatile)
{
    size_t begin = record->used;

    for (int i = 0; i < record->n_fields; i++) {
        const struct field *f = &record->fields[i];

        if (f->is_volatile != is_volatile)
            continue;
        /* Room first: what is copied lies in the arena too. */
        if (!arena_reserve(record, f->name_len + f->text_len + 4))
            return 0;
        arena_put(record, record->used == begin ? "{\"" : ",\"", 2);
        arena_put(record, record->arena + f->name, f->name_len);
        arena_put(record, "\":", 2);
        arena_put(record, record->arena + f->text, f->text_len);
    }
    if (record->used == begin && !is_volatile)
        arena_put(record, "{", 1);
    if (record->used > begin)
        arena_put(record, "}", 1);
    if (record->used - begin > FRAME_TEXT_MAX)
        record_fail(record, -EMSGSIZE);
    return record->used - begin;
}

int
record_end(struct sonde_record *record, struct frame *ret)
{
    size_t stable_len, vol_len;
    int error = record->error;

    if (error == 0)
        error = fields_sort(record);
    record_fail(record, error);
    stable_len = object_put(record, false);
    vol_len = object_put(record, true);
    error = record->error;
    if (error == 0) {
        const char *end = record->arena + record->used;

        *ret = (struct frame){
            FRAME_RECORD,  record->kind,     record->key,     end - vol_len - stable_len,
            end - vol_len, record->kind_len, record->key_len, stable_len,
            vol_len};
    }
    record->error = -EINVAL; /* the next field needs a begin */
    return error;
}
