/* SPDX-License-Identifier: Apache-2.0 */
#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "cleanup.h"
#include "logtext.h"

/* One file that lines go to. */
struct sink {
    char *path; /* NULL: stderr */
    int fd;     /* -1: stderr */
    int64_t
        size; /* of the file, or of what may still be written before the next rotation */
    bool regular; /* what is no regular file is not rotated */
    bool failed;  /* the last write did, and stderr has been told */
};

static struct sink lines = {.fd = -1}, done_lines = {.fd = -1};
static enum log_level least_level = LOG_INFO;
static int64_t max_size = INT64_MAX;
static int keep_files = 1;
static int file_gid = -1;

const char *
log_level_name(enum log_level level)
{
    static const char *const names[] = {"Error", "Warning", "Information", "Debug"};

    return level >= LOG_ERROR && level <= LOG_DEBUG ? names[level - 1] : "Debug";
}

/* Mode and group are for a file that we make; one that is there keeps its own. */
static int
open_file(const char *path)
{
    const int flags = O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY;
    int fd = open(path, flags | O_CREAT | O_EXCL, 0640);

    if (fd < 0)
        return errno == EEXIST ? open(path, flags) : -1;
    if (file_gid >= 0 && fchown(fd, (uid_t)-1, (gid_t)file_gid) < 0)
        fprintf(stderr, "log: %s: cannot give it to group %d: %s\n", path, file_gid,
                strerror(errno));
    if (fchmod(fd, 0640) < 0)
        fprintf(stderr, "log: %s: mode: %s\n", path, strerror(errno));
    return fd;
}

/* (Re)open; what was open stays so when that fails. */
static int
sink_open(struct sink *sink)
{
    struct stat st;
    int fd;

    if (!sink->path)
        return 0;
    fd = open_file(sink->path);
    if (fd < 0)
        return -errno;
    if (fstat(fd, &st) < 0)
        memset(&st, 0, sizeof st);
    if (sink->fd >= 0)
        close(sink->fd);
    sink->fd = fd;
    sink->regular = S_ISREG(st.st_mode);
    sink->size = st.st_size;
    return 0;
}

static void
sink_close(struct sink *sink)
{
    if (sink->fd >= 0)
        close(sink->fd);
    free(sink->path);
    *sink = (struct sink){.fd = -1};
}

/* <path>.N, or <path> itself for 0. */
static int
move_file(const char *path, int from)
{
    cleanup_free char *old = NULL, *new = NULL;

    if (asprintf(&new, "%s.%d", path, from + 1) < 0) {
        new = NULL;
        return -ENOMEM;
    }
    if (from > 0 && asprintf(&old, "%s.%d", path, from) < 0) {
        old = NULL;
        return -ENOMEM;
    }
    if (rename(old ? old : path, new) < 0 && errno != ENOENT)
        return -errno;
    return 0;
}

/* A log that cannot be rotated grows on, and is tried again one max_size later. */
static void
sink_rotate(struct sink *sink)
{
    int r = 0;

    for (int i = keep_files - 1; i >= 0 && r == 0; i--)
        r = move_file(sink->path, i);
    if (r == 0)
        r = sink_open(sink);
    if (r < 0) {
        fprintf(stderr, "log: %s: cannot be rotated: %s\n", sink->path, strerror(-r));
        sink->size = 0;
    }
}

/* Half a line, on a full disk, would spoil the next one: it is taken back. */
static bool
write_whole(struct sink *sink, const struct iovec *iov, int n_iov, size_t len)
{
    ssize_t n = writev(sink->fd, iov, n_iov);
    struct stat st;

    if (n == (ssize_t)len) {
        sink->size += n;
        return true;
    }
    if (n < 0)
        return false;
    if (sink->regular && fstat(sink->fd, &st) == 0 &&
        ftruncate(sink->fd, st.st_size - n) < 0)
        sink->size += n;
    errno = ENOSPC;
    return false;
}

/* A log that cannot be written is no reason to stop: stderr gets the first such line. */
static void
sink_write(struct sink *sink, const char *text, size_t len)
{
    struct iovec iov[2] = {{(char *)text, len}, {(char *)"\n", 1}};
    bool ended = len > 0 && text[len - 1] == '\n';
    int n_iov = ended ? 1 : 2, saved_errno = errno;

    if (!ended)
        len++;
    if (sink->fd < 0) {
        if (writev(STDERR_FILENO, iov, n_iov) < 0)
            sink->failed = true;
        errno = saved_errno;
        return;
    }
    if (sink->regular && sink->size > 0 && sink->size + (int64_t)len > max_size)
        sink_rotate(sink);
    if (write_whole(sink, iov, n_iov, len)) {
        sink->failed = false;
    } else if (!sink->failed) {
        fprintf(stderr, "log: %s: %s; the line was: %.*s%s", sink->path, strerror(errno),
                (int)iov[0].iov_len, text, ended ? "" : "\n");
        sink->failed = true;
    }
    errno = saved_errno;
}

int
log_open(const char *path, enum log_level level, int64_t max_bytes, int keep, int gid)
{
    int r;

    log_close();
    least_level = level;
    max_size = max_bytes > 0 ? max_bytes : INT64_MAX;
    keep_files = keep > 0 ? keep : 1;
    file_gid = gid;
    if (strcmp(path, "-") == 0)
        return 0;
    lines.path = strdup(path);
    if (!lines.path || asprintf(&done_lines.path, "%s.done", path) < 0) {
        done_lines.path = NULL;
        log_close();
        return -ENOMEM;
    }
    r = log_reopen();
    if (r < 0)
        log_close();
    return r;
}

int
log_reopen(void)
{
    int r = sink_open(&lines), r_done = sink_open(&done_lines);

    return r < 0 ? r : r_done;
}

bool
log_is_open(void)
{
    return lines.fd >= 0;
}

void
log_close(void)
{
    sink_close(&lines);
    sink_close(&done_lines);
}

/* "2024-02-28 15:11:36.474 [sonde-agent][9710]:[Information]:[9710]:" */
static size_t
put_head(char *ret, size_t size, enum log_level level)
{
    struct timespec now;
    struct tm tm;
    size_t n = 0;

    clock_gettime(CLOCK_REALTIME, &now);
    if (localtime_r(&now.tv_sec, &tm))
        n = strftime(ret, size, "%Y-%m-%d %H:%M:%S", &tm);
    n += (size_t)snprintf(ret + n, size - n,
                          ".%03ld [sonde-agent][%d]:[%s]:[%d]:", now.tv_nsec / 1000000,
                          (int)getpid(), log_level_name(level), (int)gettid());
    return n;
}

void
log_write(enum log_level level, const char *format, ...)
{
    char text[LOG_TEXT_MAX +
              8]; /* longer than what is shown, so that log_text sees the cut */
    char line[160 + LOG_TEXT_MAX + 1];
    va_list ap;
    size_t n;
    int len;

    if (level > least_level)
        return;
    va_start(ap, format);
    len = vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    if (len < 0)
        return;
    if ((size_t)len >= sizeof text)
        len = sizeof text - 1;
    n = put_head(line, 160, level);
    n += log_text(text, (size_t)len, line + n, LOG_TEXT_MAX + 1);
    sink_write(&lines, line, n);
}

void
log_done(const char *text)
{
    sink_write(&done_lines, text, strlen(text));
}
