/* SPDX-License-Identifier: Apache-2.0 */
/* Building a record: fields go in, two sorted JSON objects come out. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sonde_record; /* the one that is open; reused from record to record */

struct sonde_record *record_new(void);
void record_free(struct sonde_record *record);

/* Forget all and begin.  The record keeps its first error: -EINVAL (bad kind, key, field
 * name, or a NULL in a list), -EEXIST (a field twice), -E2BIG (over 128 fields), -EMSGSIZE (a
 * key or text out of bounds), -ENOMEM.  Bytes of the key that are not UTF-8 become \xNN, so
 * that two names stay two.
 */
void record_begin(struct sonde_record *record, const char *kind, const char *key);
void record_str(struct sonde_record *record, const char *key, const char *text);
void record_bytes(struct sonde_record *record, const char *key, const void *bytes,
                  size_t len);
void record_int(struct sonde_record *record, const char *key, int64_t value);
void record_real(struct sonde_record *record, const char *key, double value);
void record_bool(struct sonde_record *record, const char *key, bool value);
void record_time(struct sonde_record *record, const char *key, int64_t seconds);
void record_list(struct sonde_record *record, const char *key, const char *const *texts,
                 size_t n);
/* err: a negated errno, named in <key>_error; 0: null alone. */
void record_none(struct sonde_record *record, const char *key, int err);
void record_volatile(struct sonde_record *record);

/* The finished record, as a frame whose parts belong to the record until the next begin.
 * Returns its first error instead.
 */
struct frame;
int record_end(struct sonde_record *record, struct frame *ret);

bool kind_is_valid(const char *kind, size_t len); /* [a-z][a-z0-9_]{0,31} */
