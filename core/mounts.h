/* SPDX-License-Identifier: Apache-2.0 */
/* What is mounted: which mount ids are local file systems.  From /proc/self/mountinfo
 * (proc_pid_mountinfo(5)), so that a mount is known before it is touched.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum mount_kind {
    MOUNT_UNKNOWN, /* not in the table */
    MOUNT_LOCAL, /* files of this host: on a block device, in memory, or layers of such */
    MOUNT_OTHER, /* network, cluster, FUSE, and file systems the kernel makes up */
    MOUNT_AUTOFS, /* a trigger: entering it may mount something, or hang */
};

struct mounts {
    struct mount {
        uint64_t id;
        enum mount_kind kind;
    } * list;
    size_t n;
};

/* Lines that cannot be read are left out: their mounts are MOUNT_UNKNOWN then.  *ret is
 * set in any case; free it with mounts_done.
 */
int mounts_parse(const char *text, struct mounts *ret);
int mounts_read(struct mounts *ret); /* the table of this process */
void mounts_done(struct mounts *mounts);

enum mount_kind mounts_find(const struct mounts *mounts, uint64_t id);

/* The mount id of an open file, where statx does not tell it (before Linux 5.8). */
int mounts_id_of(int fd, uint64_t *ret);
