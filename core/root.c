/* SPDX-License-Identifier: Apache-2.0 */
#include "root.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "cleanup.h"
#include "resolve.h"

#define TRIES_MAX 64   /* "try again": someone renames folders while we pass */
#define KEEP_MAX 65536 /* a text buffer larger than this is not kept */

struct root {
    int fd; /* O_PATH */
    bool has_openat2;
    bool has_proc; /* of ours, not the root's */
    char *text;    /* of root_read_file */
    size_t room;
};

static int
open_at(int dir, const char *name, int flags)
{
    int fd = openat(dir, name, flags | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

static int
open_in_root(int root, const char *path, int flags)
{
    struct open_how how = {
        .flags = (unsigned int)(flags | O_CLOEXEC),
        .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
    };
    long fd = syscall(SYS_openat2, root, path, &how, sizeof how);
    return fd < 0 ? -errno : (int)fd;
}

/* ---- Finding and opening --------------------------------------------------------- */

/* EXDEV: the folder that ".." left was moved out of the root at that moment. */
static bool
is_race(int r)
{
    return r == -EAGAIN || r == -EXDEV;
}

static int
find(const struct root *root, const char *path, uint32_t flags, int how)
{
    int r = -EAGAIN;

    if (!path || path[0] != '/')
        return -EINVAL;
    if (strlen(path) >= PATH_MAX)
        return -ENAMETOOLONG;
    if (flags & SONDE_NOFOLLOW)
        how |= O_NOFOLLOW;
    for (int i = 0; root->has_openat2 && i < TRIES_MAX && is_race(r); i++)
        r = open_in_root(root->fd, path, how);
    for (int i = 0; i < TRIES_MAX && is_race(r); i++)
        r = resolve_by_component(root->fd, path, how);
    return r;
}

int
root_resolve(struct root *root, const char *path, uint32_t flags)
{
    return find(root, path, flags, O_PATH);
}

/* May this be opened?  0, or why not. */
static int
look(int fd, uint32_t flags)
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        return -errno;
    if (S_ISLNK(st.st_mode))
        return -ELOOP;
    if (flags & SONDE_DIRECTORY)
        return S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
    if (S_ISDIR(st.st_mode))
        return -EISDIR;
    return S_ISREG(st.st_mode) ? 0 : -ENOTSUP;
}

int
root_reopen(const struct root *root, int found, uint32_t flags)
{
    char path[64];
    int r = look(found, flags);

    if (r < 0)
        return r;
    if (!root->has_proc)
        return -ENOSYS;
    snprintf(path, sizeof path, "/proc/self/fd/%d", found);
    return open_at(AT_FDCWD, path, ROOT_READ_FLAGS);
}

int
root_same_file(int found, int opened)
{
    struct stat a, b;

    if (opened < 0)
        return opened;
    if (fstat(found, &a) == 0 && fstat(opened, &b) == 0 && a.st_dev == b.st_dev &&
        a.st_ino == b.st_ino)
        return opened;
    close(opened);
    return -ESTALE;
}

int
root_open_file(struct root *root, const char *path, uint32_t flags)
{
    cleanup_fd int found = find(root, path, flags, O_PATH);
    if (found < 0)
        return found;
    int r = root_reopen(root, found, flags);
    if (r != -ENOSYS)
        return r;
    return root_same_file(found, find(root, path, flags, ROOT_READ_FLAGS));
}

/* The size that stat tells means nothing in /proc and /sys: read to the end. */
static int
read_all(struct root *root, int fd, size_t max, size_t *ret_len)
{
    for (size_t len = 0;;) {
        if (root->room - len < 2) { /* one for the NUL, one to see what is beyond max */
            size_t room = root->room ? 2 * root->room : 4096;
            char *text = realloc(root->text, room);
            if (!text)
                return -ENOMEM;
            root->text = text;
            root->room = room;
        }
        size_t want = root->room - len - 1;
        if (want > max - len)
            want = max - len + 1;
        ssize_t n = read(fd, root->text + len, want);
        if (n < 0 && errno != EINTR)
            return -errno;
        if (n == 0) {
            root->text[len] = '\0';
            *ret_len = len;
            return 0;
        }
        len += n > 0 ? (size_t)n : 0;
        if (len > max)
            return -EFBIG;
    }
}

int
root_read_file(struct root *root, const char *path, size_t max, const char **ret_text,
               size_t *ret_len)
{
    cleanup_fd int fd = root_open_file(root, path, 0);
    if (fd < 0)
        return fd;
    if (root->room > KEEP_MAX) {
        free(steal_ptr(&root->text));
        root->room = 0;
    }
    int r = read_all(root, fd, max, ret_len);
    if (r == 0)
        *ret_text = root->text;
    return r;
}

/* ---- Describing ------------------------------------------------------------------ */

static int64_t
to_ns(const struct statx_timestamp *t)
{
    int64_t ns;

    if (__builtin_mul_overflow(t->tv_sec, INT64_C(1000000000), &ns) ||
        __builtin_add_overflow(ns, (int64_t)t->tv_nsec, &ns))
        return t->tv_sec < 0 ? INT64_MIN : INT64_MAX;
    return ns;
}

void
root_fill_stat(const struct statx *from, struct sonde_stat *ret)
{
    *ret = (struct sonde_stat){
        .size = sizeof *ret,
        .mode = from->stx_mode,
        .uid = from->stx_uid,
        .gid = from->stx_gid,
        .dev = makedev(from->stx_dev_major, from->stx_dev_minor),
        .ino = from->stx_ino,
        .nlink = from->stx_nlink,
        .rdev = makedev(from->stx_rdev_major, from->stx_rdev_minor),
        .length = (int64_t)from->stx_size,
        .allocated = (int64_t)from->stx_blocks * 512,
        .mtime_ns = to_ns(&from->stx_mtime),
        .ctime_ns = to_ns(&from->stx_ctime),
    };
}

int
root_stat(struct root *root, const char *path, uint32_t flags, struct sonde_stat *ret)
{
    struct sonde_stat full;
    struct statx stx;
    uint32_t size = ret->size;

    if (size < sizeof size)
        return -EINVAL;
    cleanup_fd int fd = find(root, path, flags, O_PATH);
    if (fd < 0)
        return fd;
    if (statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &stx) < 0)
        return -errno;
    root_fill_stat(&stx, &full);
    full.size = size;
    memset(ret, 0, size); /* what a newer caller has beyond ours */
    memcpy(ret, &full, size < sizeof full ? size : sizeof full);
    return 0;
}

int
root_read_link(struct root *root, const char *path, char *buf, size_t size)
{
    cleanup_fd int fd = find(root, path, SONDE_NOFOLLOW, O_PATH);
    if (fd < 0)
        return fd;
    if (size == 0)
        return -ERANGE;
    ssize_t len = readlinkat(fd, "", buf, size);
    if (len < 0)
        return errno == ENOENT ? -EINVAL : -errno; /* ENOENT: it is no link */
    if ((size_t)len == size)
        return -ERANGE;
    buf[len] = '\0';
    return (int)len;
}

/* fgetxattr refuses O_PATH.  The magic link leads to the very file; where that is a link
 * itself, it is not followed any further.
 */
int
root_xattr_of(const struct root *root, int found, const char *name, void *buf,
              size_t size)
{
    char path[64];

    if (!root->has_proc)
        return -ENOSYS;
    snprintf(path, sizeof path, "/proc/self/fd/%d", found);
    ssize_t len = getxattr(path, name, buf, size);
    return len < 0 ? -errno : (int)len;
}

int
root_get_xattr(struct root *root, const char *path, const char *name, void *buf,
               size_t size)
{
    cleanup_fd int fd = find(root, path, SONDE_NOFOLLOW, O_PATH);
    if (fd < 0)
        return fd;
    return root_xattr_of(root, fd, name, buf, size);
}

/* ---- The root itself ------------------------------------------------------------- */

int
root_open(const char *path, struct root **ret)
{
    cleanup_fd int fd = open_at(AT_FDCWD, path, O_PATH | O_DIRECTORY);
    if (fd < 0)
        return fd;
    struct root *root = calloc(1, sizeof *root);
    if (!root)
        return -ENOMEM;
    /* EPERM: a container's seccomp filter that does not know the call. */
    cleanup_fd int probe = open_in_root(fd, "/", O_PATH);
    root->has_openat2 = probe != -ENOSYS && probe != -EPERM;
    root->has_proc = access("/proc/self/fd", F_OK) == 0;
    root->fd = steal_fd(&fd);
    *ret = root;
    return 0;
}

void
root_close(struct root *root)
{
    if (!root)
        return;
    close(root->fd);
    free(root->text);
    free(root);
}

void
root_without_openat2(struct root *root)
{
    root->has_openat2 = false;
}

void
root_without_proc(struct root *root)
{
    root->has_proc = false;
}

bool
root_has_openat2(const struct root *root)
{
    return root->has_openat2;
}
