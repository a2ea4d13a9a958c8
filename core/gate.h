/* SPDX-License-Identifier: Apache-2.0 */
/* The gate: what a shared object must be before it is run as a plugin. */
#pragma once

#include <sys/types.h>

#include "plugin-abi.h"
#include "why.h"

/* Open <path> for loading: a regular file, no link, owned by root or own_uid, writable by no
 * other and by no foreign group; a shared object is whole and for this machine.  Returns the
 * descriptor; -errno and the reason otherwise.
 */
int gate_open(const char *path, uid_t own_uid, gid_t own_gid, struct why *why);

/* Load the checked descriptor (constructors run here) and judge its `sonde_plugin`.  On
 * success ret holds a copy at our own size; members beyond the author's size are zero.
 */
int gate_load(int fd, const char *name, struct sonde_plugin *ret, struct why *why);

/* The judgement alone, on a struct in memory.  room: bytes that the symbol has, or 0 when
 * the C library does not tell.
 */
int gate_judge(const struct sonde_plugin *theirs, size_t room, const char *name,
               struct sonde_plugin *ret, struct why *why);
