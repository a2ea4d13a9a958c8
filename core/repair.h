/* SPDX-License-Identifier: Apache-2.0 */
/* A database that is damaged: found, kept aside as it is, and what can be read of it put into a
 * fresh one.  For whoever has the right to write it, while nobody else does; readers may go on.
 */
#pragma once

#include <linux/limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "db.h"
#include "why.h"

/* 0: in order, empty, or not there; -EUCLEAN with what is wrong; else it could not be looked
 * at, with the reason.  Writes nothing but an empty -shm file where there is none.  Counts as
 * damage: a repair that was interrupted, and a write-ahead log that SQLite would take only the
 * begin of.
 */
int repair_check(const char *path, struct why *why);

/* Was its repair cut off, so that it may not even be there?  Not to be opened then. */
bool repair_is_pending(const char *path);

/* What a database should be. */
struct repair_plan {
    const char *const *tables; /* what is kept of it; ends with NULL */
    int64_t schema; /* of meta; a file whose one is higher is not touched (-ENOTSUP) */
    /* Make all tables in the empty database; the call is in a transaction. */
    int (*make)(struct db *fresh, void *arg, struct why *why);
    /* Then rows are there that no statement of ours has written: take out what cannot be, in
     * the same transaction.  NULL: nothing to do.
     */
    int (*mend)(struct db *fresh, void *arg, struct why *why);
    void *arg;
};

struct repair_done {
    char
        aside[PATH_MAX]; /* where the damaged file is now, with -wal and -shm beside it */
    int64_t rows; /* that were kept; -1: by an earlier repair, which is finished now */
};

/* Make path a database in order, with what can be read of the one that is there.  The files of
 * that one become PATH.damaged-TIME, of which the newest three are kept.  A crash at any moment
 * leaves the damaged one or the fresh one, never less; the next repair_check says -EUCLEAN, and
 * the next repair goes on.  The new file's mode is the umask's.
 */
int repair_database(const char *path, const struct repair_plan *plan,
                    struct repair_done *ret, struct why *why);
