/* SPDX-License-Identifier: Apache-2.0 */
/* A text file below the root, line by line, in bounded memory. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "inv.h"

enum { LINE_MAX_BYTES = 256 * 1024 }; /* a longer line is an error, -EMSGSIZE */

struct lines {
    char *buffer; /* NULL: not open */
    int fd;
    size_t begin, end; /* what is read and not yet handed out */
    bool eof;
    bool unfinished; /* the last line has no newline */
    unsigned number; /* of the line that came last, from 1 */
};

int lines_open(struct lines *lines, struct sonde_host *host, const char *path);
/* 1 and the next line, NUL instead of its newline, valid until the next call; 0 at the
 * end; or an error.
 */
int lines_next(struct lines *lines, char **ret_text, size_t *ret_len);
void lines_close(struct lines *lines);
