/* SPDX-License-Identifier: Apache-2.0 */
#include "lines.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int
lines_open(struct lines *lines, struct sonde_host *host, const char *path)
{
    int fd = host->open_file(host, path, 0);

    if (fd < 0)
        return fd;
    *lines = (struct lines){.fd = fd, .buffer = malloc(LINE_MAX_BYTES + 1)};
    if (!lines->buffer) {
        close(fd);
        return -ENOMEM;
    }
    return 0;
}

/* Read more behind what is there; 0 also at the end of the file. */
static int
fill(struct lines *lines)
{
    ssize_t n;

    memmove(lines->buffer, lines->buffer + lines->begin, lines->end - lines->begin);
    lines->end -= lines->begin;
    lines->begin = 0;
    if (lines->end == LINE_MAX_BYTES)
        return -EMSGSIZE;
    do
        n = read(lines->fd, lines->buffer + lines->end, LINE_MAX_BYTES - lines->end);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return -errno;
    lines->eof = n == 0;
    lines->end += (size_t)n;
    return 0;
}

int
lines_next(struct lines *lines, char **ret_text, size_t *ret_len)
{
    size_t looked = 0; /* bytes after begin without a newline */

    for (;;) {
        char *begin = lines->buffer + lines->begin;
        size_t len = lines->end - lines->begin;
        char *newline = memchr(begin + looked, '\n', len - looked);
        int r;

        if (newline)
            len = (size_t)(newline - begin);
        if (newline || (lines->eof && len > 0)) {
            lines->unfinished = !newline;
            lines->begin += len + (newline != NULL);
            lines->number++;
            begin[len] = '\0';
            *ret_text = begin;
            *ret_len = len;
            return 1;
        }
        if (lines->eof)
            return 0;
        looked = len;
        r = fill(lines);
        if (r < 0)
            return r;
    }
}

void
lines_close(struct lines *lines)
{
    if (!lines->buffer)
        return;
    close(lines->fd);
    free(lines->buffer);
    lines->buffer = NULL;
}
