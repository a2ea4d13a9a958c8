/* SPDX-License-Identifier: Apache-2.0 */
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "reap.h"

void
child_args_add(struct child_args *args, const char *format, ...)
{
    const int room = sizeof args->argv / sizeof args->argv[0] - 1;
    va_list ap;

    if (args->error || args->n == room) {
        args->error = args->error ? args->error : -E2BIG;
        return;
    }
    va_start(ap, format);
    if (vasprintf(&args->argv[args->n], format, ap) < 0)
        args->error = -ENOMEM;
    else
        args->argv[++args->n] = NULL;
    va_end(ap);
}

void
child_args_done(struct child_args *args)
{
    for (int i = 0; i < args->n; i++)
        free(args->argv[i]);
    *args = (struct child_args){.n = 0};
}

enum { SAFE_FD = 32, FDS_MAX = 8 }; /* copies that no target number can meet */

static int
add_fds(posix_spawn_file_actions_t *actions, const struct child_fds *fds,
        int copies[FDS_MAX + 1])
{
    int r = posix_spawn_file_actions_addopen(actions, 0, "/dev/null", O_RDONLY, 0);

    for (int i = 0; r == 0 && i <= fds->n; i++) {
        int fd = i < fds->n ? fds->fds[i] : fds->out;

        copies[i] = -1;
        if (fd < 0)
            continue;
        copies[i] = fcntl(fd, F_DUPFD_CLOEXEC, SAFE_FD);
        if (copies[i] < 0)
            return errno;
        if (i < fds->n)
            r = posix_spawn_file_actions_adddup2(actions, copies[i], fds->first + i);
        else {
            r = posix_spawn_file_actions_adddup2(actions, copies[i], 1);
            if (r == 0)
                r = posix_spawn_file_actions_adddup2(actions, copies[i], 2);
        }
    }
    if (r == 0 && fds->out < 0) {
        r = posix_spawn_file_actions_addopen(actions, 1, "/dev/null", O_WRONLY, 0);
        if (r == 0)
            r = posix_spawn_file_actions_adddup2(actions, 1, 2);
    }
    return r;
}

int
child_spawn(struct children *children, struct child *child, const char *program,
            const struct child_args *args, const struct child_fds *fds)
{
    static char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
    char *const environment[] = {path, NULL};
    int copies[FDS_MAX + 1] = {-1, -1, -1, -1, -1, -1, -1, -1, -1};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attr;
    sigset_t none, all;
    int r;

    if (args->error)
        return args->error;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attr);
    posix_spawnattr_setsigmask(&attr, &none);
    posix_spawnattr_setsigdefault(&attr, &all);
    posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                                        POSIX_SPAWN_SETPGROUP);
    r = add_fds(&actions, fds, copies);
    if (r == 0)
        r = posix_spawn(&child->pid, program, &actions, &attr, args->argv, environment);
    posix_spawnattr_destroy(&attr);
    posix_spawn_file_actions_destroy(&actions);
    for (int i = 0; i <= fds->n; i++)
        if (copies[i] >= 0)
            close(copies[i]);
    if (r != 0)
        return -r;
    child->deadline_ns = 0;
    child->next = children->list;
    children->list = child;
    return 0;
}

static void
note_before(pid_t pid, void *arg)
{
    struct children *children = arg;

    if (children->n_before < CHILDREN_BEFORE_MAX)
        children->before[children->n_before++] = pid;
}

void
children_init(struct children *children)
{
    *children = (struct children){NULL, {0}, 0};
    reap_children(note_before, children);
}

static void
kill_orphan(pid_t pid, void *arg)
{
    const struct children *children = arg;

    for (const struct child *c = children->list; c; c = c->next)
        if (c->pid == pid)
            return;
    for (int i = 0; i < children->n_before; i++)
        if (children->before[i] == pid)
            return;
    kill(pid, SIGKILL);
}

int
children_overdue(struct children *children, int64_t now_ns)
{
    int n = 0;

    for (struct child *c = children->list; c; c = c->next) {
        if (!c->deadline_ns)
            continue;
        n++;
        if (now_ns >= c->deadline_ns)
            kill(c->pid, SIGKILL);
    }
    return n;
}

void
children_kill(struct children *children)
{
    for (struct child *c = children->list; c; c = c->next)
        kill(c->pid, SIGKILL);
}

void
children_reap(struct children *children)
{
    struct rusage usage;
    int status;
    pid_t pid;

    while ((pid = wait4(-1, &status, WNOHANG, &usage)) > 0) {
        struct child **at = &children->list, *child;

        while (*at && (*at)->pid != pid)
            at = &(*at)->next;
        child = *at;
        if (!child)
            continue; /* an orphan, ended */
        *at = child->next;
        child->on_exit(child, status, &usage);
    }
    reap_children(kill_orphan, children);
}
