/* SPDX-License-Identifier: Apache-2.0 */
/* A damaged database is kept beside the one that takes its place: PATH.damaged-TIME (UTC), with
 * -wal and -shm.
 */
#pragma once

#include <linux/limits.h>
#include <time.h>

/* Rename the files of a database to a name that nothing has yet, and make that durable. */
int aside_move(const char *path, time_t when, char ret_aside[PATH_MAX]);

/* Remove all but the newest ones, three with the one just made. */
void aside_bound(const char *path, const char *newest);
