/* SPDX-License-Identifier: Apache-2.0 */
#include "log-tail.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cleanup.h"

enum { FILES_MAX = 256, BLOCK = 64 * 1024 };

struct log_file {
    int fd;
    dev_t dev;
    ino_t ino;
    struct timespec written;
};

struct log_tail {
    char *path;
    int keep;
    struct log_file files[FILES_MAX]; /* newest first; the last one is being read */
    int n;
    char block[BLOCK], line[LOG_LINE_MAX];
    size_t at, len, line_len;
};

/* <path>.N, or <path> itself for 0: 1, 0 when there is none, or a negated errno. */
static int
open_file(const struct log_tail *tail, int number, struct log_file *ret, struct why *why)
{
    cleanup_free char *path = NULL;
    cleanup_fd int fd = -1;
    struct stat st;

    if (asprintf(&path, number ? "%s.%d" : "%s", tail->path, number) < 0) {
        path = NULL;
        return why_set(why, -ENOMEM, "log: out of memory");
    }
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0 && errno == ENOENT)
        return 0;
    if (fd < 0 || fstat(fd, &st) < 0)
        return why_set(why, -errno, "log %s: %s", path, strerror(errno));
    if (!S_ISREG(st.st_mode))
        return why_set(why, -EINVAL, "log %s: is no regular file", path);
    *ret = (struct log_file){steal_fd(&fd), st.st_dev, st.st_ino, st.st_mtim};
    return 1;
}

static bool
has_file(const struct log_file *files, int n, const struct log_file *file)
{
    for (int i = 0; i < n; i++)
        if (files[i].dev == file->dev && files[i].ino == file->ino)
            return true;
    return false;
}

/* Last written before the newest that we have: read long ago, although it is not known any
 * more.
 */
static bool
is_older(const struct log_tail *tail, const struct log_file *file)
{
    const struct timespec *a = &file->written;
    struct stat st;

    if (tail->n == 0 || fstat(tail->files[0].fd, &st) < 0)
        return false;
    return a->tv_sec < st.st_mtim.tv_sec ||
           (a->tv_sec == st.st_mtim.tv_sec && a->tv_nsec < st.st_mtim.tv_nsec);
}

/* Open what is newer than what we have.  A rotation meanwhile moves files to numbers that
 * come later here: none is missed, and what comes twice is known.
 */
static int
open_newer(struct log_tail *tail, struct why *why)
{
    struct log_file newer[FILES_MAX], file = {.fd = -1};
    int n = 0, r = 0;

    for (int i = 0; i <= tail->keep && n + tail->n < FILES_MAX; i++) {
        bool known;

        r = open_file(tail, i, &file, why);
        if (r < 0)
            break;
        if (r == 0)
            continue;
        known = has_file(tail->files, tail->n, &file) || (i > 0 && is_older(tail, &file));
        if (!known && !has_file(newer, n, &file)) {
            newer[n++] = file;
            continue;
        }
        close(file.fd);
        if (known)
            break;
    }
    memmove(tail->files + n, tail->files, (size_t)tail->n * sizeof *tail->files);
    memcpy(tail->files, newer, (size_t)n * sizeof *newer);
    tail->n += n;
    return r < 0 ? r : 0;
}

int
log_tail_open(const char *path, int keep, struct log_tail **ret, struct why *why)
{
    struct log_tail *tail = calloc(1, sizeof *tail);
    int r;

    if (!tail || !(tail->path = strdup(path))) {
        free(tail);
        return why_set(why, -ENOMEM, "log: out of memory");
    }
    tail->keep = keep;
    r = open_newer(tail, why);
    if (r == 0 && tail->n == 0)
        r = why_set(why, -ENOENT, "log %s: %s", path, strerror(ENOENT));
    if (r < 0)
        log_tail_free(tail);
    else
        *ret = tail;
    return r;
}

void
log_tail_free(struct log_tail *tail)
{
    if (!tail)
        return;
    for (int i = 0; i < tail->n; i++)
        close(tail->files[i].fd);
    free(tail->path);
    free(tail);
}

/* The line that was gathered. */
static const char *
end_line(struct log_tail *tail)
{
    tail->line[tail->line_len] = '\0';
    tail->line_len = 0;
    return tail->line;
}

/* A whole line of what was read; NULL: more must be read. */
static const char *
take_line(struct log_tail *tail)
{
    char *from = tail->block + tail->at;
    size_t left = tail->len - tail->at, room = sizeof tail->line - 1 - tail->line_len;
    char *end = left ? memchr(from, '\n', left) : NULL;
    size_t n = end ? (size_t)(end - from) : left;

    memcpy(tail->line + tail->line_len, from, n < room ? n : room);
    tail->line_len += n < room ? n : room;
    tail->at += n + (end ? 1 : 0);
    return end ? end_line(tail) : NULL;
}

/* false: at the end of the file that is being read.  One that became shorter was emptied, and
 * is read from its start.
 */
static bool
read_block(struct log_tail *tail)
{
    int fd = tail->files[tail->n - 1].fd;
    ssize_t n = read(fd, tail->block, sizeof tail->block);
    struct stat st;

    if (n == 0 && fstat(fd, &st) == 0 && st.st_size < lseek(fd, 0, SEEK_CUR)) {
        lseek(fd, 0, SEEK_SET);
        tail->line_len = 0;
        n = read(fd, tail->block, sizeof tail->block);
    }
    tail->at = 0;
    tail->len = n > 0 ? (size_t)n : 0;
    return n > 0;
}

/* Has a newer file taken the log's place? */
static bool
is_rotated(const struct log_tail *tail)
{
    struct stat st;

    return stat(tail->path, &st) == 0 &&
           (st.st_dev != tail->files[0].dev || st.st_ino != tail->files[0].ino);
}

const char *
log_tail_next(struct log_tail *tail)
{
    const char *line;

    while (!(line = take_line(tail))) {
        bool newest = tail->n == 1;

        if (read_block(tail))
            continue;
        if (newest) {
            /* What was written just before is in the old one: it is read once more. */
            if (!is_rotated(tail) || open_newer(tail, NULL) < 0 || tail->n == 1)
                return NULL;
            continue;
        }
        close(tail->files[--tail->n].fd);
        if (tail->line_len > 0) /* its end was never written */
            return end_line(tail);
    }
    return line;
}
