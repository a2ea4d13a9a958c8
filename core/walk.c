/* SPDX-License-Identifier: Apache-2.0 */
#include "walk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#include "cleanup.h"
#include "folders.h"
#include "mounts.h"

#define FOUND_FLAGS (O_PATH | O_NOFOLLOW | O_CLOEXEC)
#define FOLDER_MAX 65536 /* length of a folder's path; longer ones are not entered */

struct sonde_walk {
    struct root *root;
    bool all_fs;
    bool has_mount_id; /* statx tells it */
    int statx_flags;
    struct mounts mounts;
    uint64_t root_mount;
    int start; /* O_PATH of the first folder */
    struct folders *folders;
    char *path;
    size_t path_room;
    struct sonde_entry entry; /* the current one, */
    struct sonde_stat st;     /* and what it is */
    uint64_t mount;           /* that the current entry is on */
    size_t path_len;
    bool begin; /* nothing was given yet */
    bool enter; /* the next step goes into the current entry */
};

/* The folder that the current entry is in, and its name there. */
static int
current_folder(struct sonde_walk *w, const char **ret_name)
{
    bool first = w->entry.depth == 0;

    *ret_name = first ? "." : w->entry.name;
    return first ? w->start : folders_fd(w->folders);
}

/* ---- What an entry is ------------------------------------------------------------ */

/* 1: the mount may be entered, 0: not, -EXDEV: nobody knows what it is.  The mount that the
 * root itself lies on is entered whatever it is.
 */
static int
may_enter(struct sonde_walk *w, uint64_t mount)
{
    enum mount_kind kind = mounts_find(&w->mounts, mount);

    if (mount == w->root_mount)
        return 1;
    if (kind == MOUNT_UNKNOWN) { /* mounted since the walk began? */
        mounts_done(&w->mounts);
        mounts_read(&w->mounts);
        kind = mounts_find(&w->mounts, mount);
    }
    if (kind == MOUNT_UNKNOWN)
        return -EXDEV;
    return kind == MOUNT_LOCAL || (w->all_fs && kind != MOUNT_AUTOFS);
}

/* Without statx's word, another device tells another mount; two mounts of one device are of
 * one kind.
 */
static int
find_mount(struct sonde_walk *w, int dir, const char *name, uint64_t *ret)
{
    const struct folder *in = folders_top(w->folders);

    if (*name == '\0')
        return mounts_id_of(dir, ret);
    if (w->st.dev == in->dev) {
        *ret = in->mount;
        return 0;
    }
    cleanup_fd int fd = openat(dir, name, FOUND_FLAGS);
    return fd < 0 ? -errno : mounts_id_of(fd, ret);
}

static int
describe(struct sonde_walk *w, int dir, const char *name)
{
    const struct folder *in = folders_top(w->folders);
    struct statx stx;
    unsigned int mask = STATX_BASIC_STATS | (w->has_mount_id ? STATX_MNT_ID : 0);
    int r = 0;

    if (statx(dir, name, w->statx_flags, mask, &stx) < 0)
        return -errno;
    root_fill_stat(&stx, &w->st);
    w->enter = false;
    if (!S_ISDIR(stx.stx_mode))
        return 0;
    if (w->has_mount_id && stx.stx_mask & STATX_MNT_ID)
        w->mount = stx.stx_mnt_id;
    else
        r = find_mount(w, dir, name, &w->mount);
    if (r == 0)
        r = in && w->mount == in->mount ? 1 : may_enter(w, w->mount);
    w->enter = r > 0;
    return r < 0 ? r : 0;
}

/* Give the entry whose path is in w->path; err: it could not be read. */
static int
give(struct sonde_walk *w, size_t path_len, uint32_t depth, int err,
     const struct sonde_entry **ret)
{
    w->path[path_len] = '\0';
    w->path_len = path_len;
    const char *slash = memrchr(w->path, '/', path_len);
    w->enter = w->enter && err == 0;
    w->entry = (struct sonde_entry){
        .size = sizeof w->entry,
        .err = err,
        .path = w->path,
        .name = path_len > 1 ? slash + 1 : w->path,
        .st = err == 0 ? &w->st : NULL,
        .depth = depth,
    };
    *ret = &w->entry;
    return 1;
}

/* Go into the current entry. */
static int
enter(struct sonde_walk *w)
{
    const struct folder folder = {
        .dev = w->st.dev,
        .ino = w->st.ino,
        .mount = w->mount,
        .path_len = w->path_len,
    };
    const char *name;
    int dir = current_folder(w, &name);

    w->enter = false;
    if (w->path_len > FOLDER_MAX)
        return -ENAMETOOLONG;
    return folders_enter(w->folders, dir, name, &folder);
}

/* ---- The walk -------------------------------------------------------------------- */

/* Put the name behind the path of the deepest folder. */
static int
path_add(struct sonde_walk *w, const char *name, size_t *ret_len)
{
    size_t len = folders_top(w->folders)->path_len;
    size_t name_len = strlen(name);

    if (len + name_len + 2 > w->path_room) {
        size_t room = 2 * (len + name_len + 2);
        char *path = realloc(w->path, room);
        if (!path)
            return -ENOMEM;
        w->path = path;
        w->path_room = room;
    }
    if (len > 1)
        w->path[len++] = '/';
    memcpy(w->path + len, name, name_len);
    *ret_len = len + name_len;
    return 0;
}

int
walk_next(struct sonde_walk *w, const struct sonde_entry **ret)
{
    const struct folder *in;
    const char *name;
    size_t len;
    int r = 0;

    if (w->begin) {
        w->begin = false;
        return give(w, w->path_len, 0, 0, ret);
    }
    if (w->enter && (r = enter(w)) < 0 && r != -ENOENT) /* ENOENT: gone, and no error */
        return give(w, w->path_len, w->entry.depth, r, ret);
    while ((in = folders_top(w->folders))) {
        uint32_t depth = folders_depth(w->folders);
        r = folders_next(w->folders, w->root, w->path, &name);
        if (r < 0)
            return give(w, in->path_len, depth - 1, r, ret);
        if (r == 0) {
            folders_leave(w->folders);
            continue;
        }
        r = path_add(w, name, &len);
        if (r < 0)
            return r;
        r = describe(w, folders_fd(w->folders), name);
        if (r != -ENOENT)
            return give(w, len, depth, r, ret);
    }
    w->entry.err = -EINVAL;
    return 0;
}

/* O_PATH descriptor of the current entry. */
static int
find_current(struct sonde_walk *w)
{
    const char *name;
    int dir = current_folder(w, &name);

    if (w->entry.err < 0)
        return w->entry.err;
    int fd = openat(dir, name, FOUND_FLAGS);
    if (fd < 0)
        return -errno;
    if (folders_same(fd, w->st.dev, w->st.ino))
        return fd;
    close(fd);
    return -ESTALE;
}

int
walk_open_file(struct sonde_walk *w)
{
    const char *name;
    cleanup_fd int found = find_current(w);

    if (found < 0)
        return found;
    int r = root_reopen(w->root, found, SONDE_NOFOLLOW);
    if (r != -ENOSYS)
        return r;
    int dir = current_folder(w, &name);
    int fd = openat(dir, name, ROOT_READ_FLAGS | O_NOFOLLOW);
    return fd < 0 ? -errno : root_same_file(found, fd);
}

int
walk_get_xattr(struct sonde_walk *w, const char *name, void *buf, size_t size)
{
    cleanup_fd int found = find_current(w);

    return found < 0 ? found : root_xattr_of(w->root, found, name, buf, size);
}

void
walk_prune(struct sonde_walk *w)
{
    w->enter = false;
}

/* ---- Begin and end --------------------------------------------------------------- */

/* "/usr//lib/" becomes "/usr/lib". */
static int
set_path(struct sonde_walk *w, const char *path)
{
    w->path_room = strlen(path) + 1;
    w->path = malloc(w->path_room);
    if (!w->path)
        return -ENOMEM;
    for (; *path; path++)
        if (path[0] != '/' || (path[1] != '/' && path[1] != '\0'))
            w->path[w->path_len++] = *path;
    if (w->path_len == 0)
        w->path[w->path_len++] = '/';
    return 0;
}

static int
find_root_mount(struct sonde_walk *w)
{
    struct statx stx;
    cleanup_fd int top = root_resolve(w->root, "/", 0);

    if (top < 0)
        return top;
    if (statx(top, "", AT_EMPTY_PATH, STATX_MNT_ID, &stx) < 0)
        return -errno;
    w->has_mount_id = stx.stx_mask & STATX_MNT_ID && root_has_openat2(w->root);
    w->root_mount = stx.stx_mnt_id;
    return w->has_mount_id ? 0 : mounts_id_of(top, &w->root_mount);
}

static int
set_start(struct sonde_walk *w, const char *path)
{
    w->start = root_resolve(w->root, path, 0);
    if (w->start < 0)
        return w->start;
    int r = set_path(w, path);
    if (r == 0)
        r = find_root_mount(w);
    if (r == 0)
        r = describe(w, w->start, "");
    return r < 0 || S_ISDIR(w->st.mode) ? r : -ENOTDIR;
}

int
walk_open(struct root *root, const char *path, uint32_t flags, struct sonde_walk **ret)
{
    struct sonde_walk *w = calloc(1, sizeof *w);
    if (!w)
        return -ENOMEM;
    w->root = root;
    w->start = -1;
    w->begin = true;
    w->all_fs = flags & SONDE_WALK_ALL_FS;
    /* A mount that is not entered is not asked over the network either. */
    w->statx_flags = AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT |
                     (w->all_fs ? AT_STATX_SYNC_AS_STAT : AT_STATX_DONT_SYNC);
    w->entry.err = -EINVAL;
    mounts_read(&w->mounts); /* without it: the root's own mount only */
    w->folders = folders_new();
    int r = w->folders ? set_start(w, path) : -ENOMEM;
    if (r == 0)
        *ret = w;
    else
        walk_close(w);
    return r;
}

void
walk_close(struct sonde_walk *w)
{
    if (!w)
        return;
    folders_free(w->folders);
    mounts_done(&w->mounts);
    cleanup_fd_p(&w->start);
    free(w->path);
    free(w);
}
