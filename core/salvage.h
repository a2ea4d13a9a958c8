/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of a damaged database, put into a fresh one. */
#pragma once

#include "db.h"
#include "dbfile.h"
#include "why.h"

/* Into these tables of `to` (ends with NULL), which has them as they should be, goes what the
 * file still has of them: all that its trees lead to, then pages that no tree leads to any more
 * and whose rows fit one table only.  Of two rows with one key the first stays.  A table that
 * the file does not have stays as it is; of an older one the columns that both have are taken.
 * A value that cannot be read, or is not of its column's type, is left to its default; a row
 * whose key is so, or that the table refuses, is left out.  In the caller's transaction.
 */
int salvage_tables(const struct dbfile *file, struct db *to, const char *const *tables,
                   int64_t *ret_rows, struct why *why);

/* The number that the file's table meta(key, value) has under this key, or 0. */
int64_t salvage_meta(const struct dbfile *file, const char *key);
