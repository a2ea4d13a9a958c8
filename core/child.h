/* SPDX-License-Identifier: Apache-2.0 */
/* Starting sonde-worker, and learning of its end. */
#pragma once

#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

struct child {
    struct child *next;
    pid_t pid;
    int64_t deadline_ns; /* monotonic; 0: none */
    /* Called once, from children_reap; cpu and peak memory include all that it waited for. */
    void (*on_exit)(struct child *child, int status, const struct rusage *usage);
};

/* A program's words; each is made by printf. */
struct child_args {
    char *argv[32]; /* ends with NULL */
    int n;
    int error; /* the first one, or 0 */
};
void child_args_add(struct child_args *args, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void child_args_done(struct child_args *args);

/* All that were started and have not ended.  Children that the process had before (its
 * program was exec'd by a shell, say) are not ours to end.
 */
enum { CHILDREN_BEFORE_MAX = 32 };
struct children {
    struct child *list;
    pid_t before[CHILDREN_BEFORE_MAX];
    int n_before;
};
void children_init(struct children *children);

/* Start `program args...` with fds[i] as descriptor first + i, out as stdout and stderr (-1:
 * /dev/null), whatever of ours is not close-on-exec, a clean environment and a process group
 * of its own.  The child is in the list until its on_exit was called.  0 or -errno.
 */
struct child_fds {
    int first, n;
    const int *fds; /* -1: leave that one out */
    int out;
};
int child_spawn(struct children *children, struct child *child, const char *program,
                const struct child_args *args, const struct child_fds *fds);

/* Kill those whose deadline has passed.  Returns how many have one and live. */
int children_overdue(struct children *children, int64_t now_ns);
void children_kill(struct children *children);

/* Reap all that has ended.  A child that is in no list is somebody's orphan (we are a
 * subreaper): it is killed.
 */
void children_reap(struct children *children);
