/* SPDX-License-Identifier: Apache-2.0 */
#include "resolve.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "cleanup.h"

#define LINKS_MAX 40 /* as the kernel's own */

static int
open_at(int dir, const char *name, int flags)
{
    int fd = openat(dir, name, flags | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

struct trail {
    int dir;                 /* O_PATH of the folder that was reached */
    char done[PATH_MAX];     /* its path, free of links and ".." */
    char todo[2 * PATH_MAX]; /* from here on */
    int links;
};

/* Go to the folder `done`, from the root.  ".." is never asked of the kernel: a folder that
 * was moved out of the root meanwhile would lead there.
 */
static int
trail_again(struct trail *t, int root)
{
    char path[PATH_MAX], *rest = path, *name;
    cleanup_fd int dir = open_at(root, ".", O_PATH | O_DIRECTORY);

    strcpy(path, t->done);
    while (dir >= 0 && (name = strsep(&rest, "/"))) {
        if (!*name)
            continue;
        int next = open_at(dir, name, O_PATH | O_DIRECTORY | O_NOFOLLOW);
        close(dir);
        dir = next;
    }
    if (dir < 0) /* no folder any more: it changed under us */
        return dir == -ENOTDIR || dir == -ENOENT ? -EAGAIN : dir;
    cleanup_fd_p(&t->dir);
    t->dir = steal_fd(&dir);
    return 0;
}

static int
trail_up(struct trail *t, int root)
{
    char *slash = strrchr(t->done, '/');

    if (slash)
        *slash = '\0';
    return trail_again(t, root);
}

static int
trail_down(struct trail *t, int dir, const char *name)
{
    size_t len = strlen(t->done);

    if (len + 1 + strlen(name) >= sizeof t->done)
        return -ENAMETOOLONG;
    t->done[len] = '/';
    strcpy(t->done + len + 1, name);
    close(t->dir);
    t->dir = dir;
    return 0;
}

/* The kernel's links that are no text (/proc/1/exe, fd/3) lie in /proc, though not in its
 * uppermost folder: there are /proc/self and /proc/mounts, which are text.
 */
static bool
is_magic(int dir)
{
    struct statfs fs;
    struct stat st;

    return fstatfs(dir, &fs) == 0 && fs.f_type == PROC_SUPER_MAGIC &&
           fstat(dir, &st) == 0 && st.st_ino != 1;
}

/* Put the text of a link in front of what is left. */
static int
trail_follow(struct trail *t, int root, int link, const char *rest)
{
    char text[sizeof t->todo];
    ssize_t len = readlinkat(link, "", text, PATH_MAX);

    if (len < 0)
        return -errno;
    if (++t->links > LINKS_MAX || is_magic(t->dir))
        return -ELOOP;
    if (len == 0)
        return -ENOENT;
    if ((size_t)len + strlen(rest) >= sizeof text)
        return -ENAMETOOLONG;
    strcpy(text + len, rest);
    strcpy(t->todo, text);
    if (text[0] != '/')
        return 0;
    t->done[0] = '\0';
    return trail_again(t, root);
}

/* Cut the next name off; false: nothing is left. */
static bool
next_name(const char **rest, char name[NAME_MAX + 2])
{
    *rest += strspn(*rest, "/");
    size_t len = strcspn(*rest, "/");

    snprintf(name, NAME_MAX + 2, "%.*s", (int)len, *rest);
    *rest += len;
    return len > 0;
}

static void
trail_done(struct trail *t)
{
    cleanup_fd_p(&t->dir);
}

int
resolve_by_component(int root, const char *path, int flags)
{
    cleanup(trail_done) struct trail t = {.dir = -1};
    const char *rest = strcpy(t.todo, path);
    char name[NAME_MAX + 2];
    struct stat st;
    int r = trail_again(&t, root);

    while (r == 0 && next_name(&rest, name)) {
        if (strcmp(name, ".") == 0)
            continue;
        if (strcmp(name, "..") == 0) {
            r = trail_up(&t, root);
            continue;
        }
        cleanup_fd int fd = open_at(t.dir, name, O_PATH | O_NOFOLLOW);
        if (fd < 0 || fstat(fd, &st) < 0)
            return fd < 0 ? fd : -errno;
        bool last = *rest == '\0'; /* "name/" is not: it must be a folder */
        if (S_ISLNK(st.st_mode) && !(last && flags & O_NOFOLLOW)) {
            r = trail_follow(&t, root, fd, rest);
            rest = t.todo;
        } else if (last) {
            return flags & O_PATH ? steal_fd(&fd)
                                  : open_at(t.dir, name, flags | O_NOFOLLOW);
        } else if (!S_ISDIR(st.st_mode)) {
            return -ENOTDIR;
        } else if ((r = trail_down(&t, fd, name)) == 0) {
            fd = -1;
        }
    }
    if (r < 0)
        return r;
    return flags & O_PATH ? steal_fd(&t.dir) : open_at(t.dir, ".", flags);
}
