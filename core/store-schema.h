/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of sonde.db: made, brought up to date, and known to be this root's. */
#pragma once

#include "db.h"
#include "why.h"

/* Open the store for writing; a new one is readable for the group.  -ENOTSUP: it is newer
 * than this program; -EXDEV: it belongs to another root; -EUCLEAN: damaged, or no store.
 */
int store_open(const char *path, const char *root_id, struct db **ret, struct why *why);

/* Its folder can be written by the group: 0, or -EPERM when what lies at path, or at a name that
 * SQLite would look for beside it, is no file of ours.
 */
int store_files_check(const char *path, struct why *why);

/* The schema that this program knows, and its tables, made in a fresh database: in the caller's
 * transaction, and of no root yet.
 */
int store_schema(void);
int store_make(struct db *db, struct why *why);
/* Can this be the id of a root?  What is damaged mostly cannot. */
bool store_root_is_valid(const char *root_id);

/* Begin to write; waits two minutes at most for the scans of other applications (-EBUSY). */
int store_begin(struct db *db);
