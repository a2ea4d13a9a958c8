/* SPDX-License-Identifier: Apache-2.0 */
#include "folders.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cleanup.h"

#define FOLDER_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)

enum {
    OPEN_MAX = 64,      /* folders open at a time */
    NAMES_SIZE = 32768, /* bytes of names read at a time */
};

/* An open folder.  Folders share slots: n, n + OPEN_MAX, ...; the deepest one has it. */
struct slot {
    int fd;
    size_t owner;
    char *names;
    size_t at, end;
};

struct folders {
    struct slot slots[OPEN_MAX];
    struct folder *list;
    size_t depth, room; /* in use, allocated */
    int left;           /* the folder that was just left, or -1 */
};

struct folders *
folders_new(void)
{
    struct folders *f = calloc(1, sizeof *f);

    if (!f)
        return NULL;
    f->left = -1;
    for (int i = 0; i < OPEN_MAX; i++)
        f->slots[i].fd = -1;
    return f;
}

void
folders_free(struct folders *f)
{
    if (!f)
        return;
    for (int i = 0; i < OPEN_MAX; i++) {
        cleanup_fd_p(&f->slots[i].fd);
        free(f->slots[i].names);
    }
    cleanup_fd_p(&f->left);
    free(f->list);
    free(f);
}

const struct folder *
folders_top(const struct folders *f)
{
    return f->depth ? &f->list[f->depth - 1] : NULL;
}

uint32_t
folders_depth(const struct folders *f)
{
    return (uint32_t)f->depth;
}

static struct slot *
slot_of_top(struct folders *f)
{
    return &f->slots[(f->depth - 1) % OPEN_MAX];
}

int
folders_fd(const struct folders *f)
{
    return f->slots[(f->depth - 1) % OPEN_MAX].fd;
}

bool
folders_same(int fd, uint64_t dev, uint64_t ino)
{
    struct stat st;

    return fstat(fd, &st) == 0 && st.st_dev == dev && st.st_ino == ino;
}

static int
list_add(struct folders *f, const struct folder *folder)
{
    if (f->depth == f->room) {
        size_t room = f->room ? 2 * f->room : OPEN_MAX;
        struct folder *list = reallocarray(f->list, room, sizeof *list);
        if (!list)
            return -ENOMEM;
        f->list = list;
        f->room = room;
    }
    f->list[f->depth++] = *folder;
    return 0;
}

/* The deepest folder takes its slot, and fd. */
static int
slot_take(struct folders *f, int *fd)
{
    struct slot *slot = slot_of_top(f);

    if (!slot->names && !(slot->names = malloc(NAMES_SIZE)))
        return -ENOMEM;
    cleanup_fd_p(&slot->fd);
    slot->fd = steal_fd(fd);
    slot->owner = f->depth - 1;
    slot->at = slot->end = 0;
    return 0;
}

int
folders_enter(struct folders *f, int dir, const char *name, const struct folder *as)
{
    cleanup_fd int fd = openat(dir, name, FOLDER_FLAGS);

    if (fd < 0)
        return -errno;
    if (!folders_same(fd, as->dev, as->ino))
        return -ESTALE;
    int r = list_add(f, as);
    if (r < 0)
        return r;
    r = slot_take(f, &fd);
    if (r < 0)
        f->depth--;
    return r;
}

static bool
is_open(struct folders *f)
{
    const struct slot *slot = slot_of_top(f);

    return slot->fd >= 0 && slot->owner == f->depth - 1;
}

void
folders_leave(struct folders *f)
{
    if (is_open(f))
        f->left = steal_fd(&slot_of_top(f)->fd);
    f->depth--;
}

/* From the folder that was just left, or else by its path; sure that it is the same. */
static int
open_again(struct folders *f, struct root *root, char *path)
{
    const struct folder *top = &f->list[f->depth - 1];
    cleanup_fd int fd = f->left >= 0 ? openat(f->left, "..", FOLDER_FLAGS) : -1;

    if (fd < 0 || !folders_same(fd, top->dev, top->ino)) {
        path[top->path_len] = '\0';
        cleanup_fd int found = root_resolve(root, path, 0);
        if (found < 0)
            return found;
        cleanup_fd_p(&fd);
        fd = openat(found, ".", FOLDER_FLAGS);
        if (fd < 0)
            return -errno;
        if (!folders_same(fd, top->dev, top->ino))
            return -ESTALE;
    }
    if (lseek(fd, top->next, SEEK_SET) < 0)
        return -errno;
    return slot_take(f, &fd);
}

/* 1: names are there; 0: no more. */
static int
read_names(struct slot *slot)
{
    long n = syscall(SYS_getdents64, slot->fd, slot->names, NAMES_SIZE);

    slot->at = 0;
    slot->end = n > 0 ? (size_t)n : 0;
    if (n < 0)
        return errno == ENOENT ? 0 : -errno; /* the folder was removed */
    return n > 0;
}

int
folders_next(struct folders *f, struct root *root, char *path, const char **ret)
{
    struct folder *top = &f->list[f->depth - 1];
    struct slot *slot = slot_of_top(f);
    int r = 1;

    if (top->over)
        r = 0;
    else if (!is_open(f) && (r = open_again(f, root, path)) == 0)
        r = 1;
    if (f->left >= 0)
        close(steal_fd(&f->left));
    while (r > 0 && (slot->at < slot->end || (r = read_names(slot)) > 0)) {
        const struct dirent64 *d = (const struct dirent64 *)(slot->names + slot->at);
        slot->at += d->d_reclen;
        top->next = d->d_off;
        *ret = d->d_name;
        if (strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0)
            return 1;
    }
    top->over = true;
    return r;
}
