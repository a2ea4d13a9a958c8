/* SPDX-License-Identifier: Apache-2.0 */
/* Attributes that release a local variable when it goes out of scope. */
#pragma once

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static inline void
cleanup_free_p(void *p)
{
    free(*(void **)p);
}

static inline void
cleanup_fd_p(const int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

static inline void
cleanup_file_p(FILE **f)
{
    if (*f)
        fclose(*f);
}

static inline void
cleanup_dir_p(DIR **d)
{
    if (*d)
        closedir(*d);
}

#define cleanup(fn) __attribute__((cleanup(fn)))
#define cleanup_free cleanup(cleanup_free_p)
#define cleanup_fd cleanup(cleanup_fd_p)
#define cleanup_file cleanup(cleanup_file_p)
#define cleanup_dir cleanup(cleanup_dir_p)

/* Hand a pointer over: returns it and leaves NULL behind. */
#define steal_ptr(p)                                                                     \
    __extension__({                                                                      \
        __typeof__(*(p)) stolen_ = *(p);                                                 \
        *(p) = NULL;                                                                     \
        stolen_;                                                                         \
    })

/* Hand a descriptor over: returns it and leaves -1 behind. */
static inline int
steal_fd(int *fd)
{
    int r = *fd;
    *fd = -1;
    return r;
}
