/* SPDX-License-Identifier: Apache-2.0 */
/* The folders on the way from the start of a walk down to where it is.  However deep that
 * is, a bounded number of descriptors is open: folders far up are closed and opened again,
 * at the name where they were left, when the walk comes back.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "root.h"

struct folders;

struct folder {
    uint64_t dev, ino; /* to know it again */
    uint64_t mount;    /* mount id */
    size_t path_len;   /* of its path; that of a deeper folder begins with it */
    int64_t next;      /* position of the next name, as getdents told */
    bool over;         /* it failed: no more names */
};

struct folders *folders_new(void);
void folders_free(struct folders *f);

/* Go into the folder `name` of `dir`.  -ESTALE: another one is there than `as` says. */
int folders_enter(struct folders *f, int dir, const char *name, const struct folder *as);
void folders_leave(struct folders *f);

/* The deepest one (NULL: none), its descriptor, and how many there are. */
const struct folder *folders_top(const struct folders *f);
int folders_fd(const struct folders *f);
uint32_t folders_depth(const struct folders *f);

/* The next name in the deepest folder, valid until the next call: 1; 0 at its end; or what
 * went wrong, after which it has no more.  path: of the deepest folder, maybe with more
 * behind it, which may be cut off.
 */
int folders_next(struct folders *f, struct root *root, char *path, const char **ret);

/* Is this descriptor that file? */
bool folders_same(int fd, uint64_t dev, uint64_t ino);
