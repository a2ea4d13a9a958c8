/* SPDX-License-Identifier: Apache-2.0 */
#include "mounts.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"

static bool
is_one_of(const char *const *names, const char *name)
{
    for (; *names; names++)
        if (strcmp(*names, name) == 0)
            return true;
    return false;
}

/* A major number other than 0 is a block device below the file system, which makes it local;
 * except for programs (fuseblk) and clusters that sit on one.  Without a device it is local
 * only when it is known to be.
 */
static enum mount_kind
kind_of(const char *type, unsigned int major)
{
    static const char *const shared[] = {"fuseblk", "ocfs2", "gfs2", "gpfs", NULL};
    static const char *const local[] = {
        "aufs",  "bcachefs", "btrfs", "devtmpfs", "erofs", "f2fs", "overlay", "overlayfs",
        "ramfs", "rootfs",   "tmpfs", "ubifs",    "xfs",   "zfs",  NULL};

    if (strcmp(type, "autofs") == 0)
        return MOUNT_AUTOFS;
    if (major != 0)
        return is_one_of(shared, type) ? MOUNT_OTHER : MOUNT_LOCAL;
    return is_one_of(local, type) ? MOUNT_LOCAL : MOUNT_OTHER;
}

/* "36 35 98:0 /root /point rw,noatime master:1 - ext3 /dev/root rw": blanks in fields are
 * escaped, and a lone "-" ends the optional ones.
 */
static bool
parse_line(const char *line, struct mount *ret)
{
    unsigned int major;
    int at = 0;
    char type[64];

    if (sscanf(line, "%" SCNu64 " %*u %u:%*u %*s %*s%n", &ret->id, &major, &at) != 2 ||
        at == 0)
        return false;
    const char *dash = strstr(line + at, " - ");
    if (!dash || sscanf(dash + 3, "%63s", type) != 1)
        return false;
    ret->kind = kind_of(type, major);
    return true;
}

int
mounts_parse(const char *text, struct mounts *ret)
{
    *ret = (struct mounts){0};
    cleanup_free char *copy = strdup(text);
    size_t lines = 1;

    for (const char *p = text; (p = strchr(p, '\n')); p++)
        lines++;
    ret->list = calloc(lines, sizeof *ret->list);
    if (!copy || !ret->list)
        return -ENOMEM;
    for (char *rest = copy, *line; (line = strsep(&rest, "\n"));)
        if (parse_line(line, &ret->list[ret->n]))
            ret->n++;
    return 0;
}

int
mounts_read(struct mounts *ret)
{
    *ret = (struct mounts){0};
    cleanup_file FILE *f = fopen("/proc/self/mountinfo", "re");
    cleanup_free char *text = NULL;
    size_t room = 0;

    if (!f)
        return -errno;
    if (getdelim(&text, &room, '\0', f) < 0)
        return ferror(f) ? -EIO : 0;
    return mounts_parse(text, ret);
}

void
mounts_done(struct mounts *mounts)
{
    free(mounts->list);
    *mounts = (struct mounts){0};
}

enum mount_kind
mounts_find(const struct mounts *mounts, uint64_t id)
{
    for (size_t i = 0; i < mounts->n; i++)
        if (mounts->list[i].id == id)
            return mounts->list[i].kind;
    return MOUNT_UNKNOWN;
}

int
mounts_id_of(int fd, uint64_t *ret)
{
    char path[64], line[128];

    snprintf(path, sizeof path, "/proc/self/fdinfo/%d", fd);
    cleanup_file FILE *f = fopen(path, "re");
    if (!f)
        return errno == ENOENT ? -ENOSYS : -errno; /* ENOENT: there is no /proc */
    while (fgets(line, sizeof line, f))
        if (sscanf(line, "mnt_id: %" SCNu64, ret) == 1)
            return 0;
    return -ENODATA;
}
