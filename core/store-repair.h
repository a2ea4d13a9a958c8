/* SPDX-License-Identifier: Apache-2.0 */
/* sonde.db when it is damaged.  Stores of several applications and a check may run at a time:
 * each holds PATH.lock while it uses the database, a repair holds it alone.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "why.h"

/* Take the lock together with others, or wait for a repair.  A descriptor, or -errno. */
int store_lock(const char *path, struct why *why);

/* Repair the database that was found damaged; lock: of store_lock, which has it together with
 * others again afterwards.  Somebody else may have repaired it meanwhile: 0, and *ret_words is
 * empty.  force: repair it though SQLite finds it in order.  1: it was, and how is in the words.
 */
int store_repair(const char *path, int lock, bool force, struct why *ret_words,
                 struct why *why);

/* Check the database, and repair it when it is damaged; prints one line: "good", or what was
 * wrong and what became of it.
 */
int store_check(const char *path, FILE *out, struct why *why);
