/* SPDX-License-Identifier: Apache-2.0 */
/* Users, groups and capabilities: who a process is, and how it becomes less.  Whatever
 * changes a process is for one with a single thread.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "why.h"

struct user_ids {
    uid_t uid;
    gid_t gid;
};

/* The numbers of our own users (sonde, sonde-sync, sonde-scan) on a host without those
 * names.
 */
enum { USERS_STORE_ID = 64997, USERS_SYNC_ID = 64998, USERS_SCAN_ID = 64999 };

/* A user by name, or by number ("64999": its gid is that of the user with this number,
 * else the same number).  One of our own names that this host does not have becomes
 * fallback, as uid and gid.  Any other unknown name is -ENOENT, uid 0 is -EPERM, each
 * with the reason.
 */
int users_find(const char *name_or_number, uid_t fallback, struct user_ids *ret,
               struct why *why);
int users_find_group(const char *name_or_number, gid_t fallback, gid_t *ret,
                     struct why *why);

/* A set of capabilities has bit CAP_… (linux/capability.h) for each. */
#define USERS_CAP(cap) (UINT64_C(1) << (cap))

/* The capabilities this process may use (its permitted set). */
uint64_t users_caps(void);

/* Become that user for good: no other groups, no way back, no_new_privs, and of the
 * capabilities just those of keep that the process has now.  A process that is that user
 * already keeps its groups and only loses the rest.  After a failure: leave the process.
 */
int users_drop(struct user_ids ids, uint64_t keep, struct why *why);

/* Stay who we are with just those of keep that the process has now; programs it starts
 * cannot have more either.
 */
int users_keep_caps(uint64_t keep, struct why *why);
