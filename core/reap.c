/* SPDX-License-Identifier: Apache-2.0 */
#include "reap.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cleanup.h"

/* The parent in /proc/<pid>/stat: the second field after the last ')'. */
static pid_t
parent_of(pid_t pid)
{
    char path[32], text[512];
    cleanup_file FILE *f = NULL;
    int parent = -1;
    size_t n;

    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    f = fopen(path, "re");
    if (!f)
        return -1;
    n = fread(text, 1, sizeof text - 1, f);
    while (n > 0 && text[n - 1] != ')')
        n--;
    text[sizeof text - 1] = '\0';
    if (n == 0 || sscanf(text + n, " %*c %d", &parent) != 1)
        return -1;
    return parent;
}

/* Slower than the kernel's own list, for kernels that have none. */
static int
children_by_parent(void (*fn)(pid_t pid, void *arg), void *arg)
{
    cleanup_dir DIR *dir = opendir("/proc");
    struct dirent *entry;
    int n = 0;

    if (!dir)
        return -errno;
    while ((entry = readdir(dir))) {
        pid_t pid = (pid_t)atoi(entry->d_name);

        if (pid > 0 && parent_of(pid) == getpid()) {
            fn(pid, arg);
            n++;
        }
    }
    return n;
}

int
reap_children(void (*fn)(pid_t pid, void *arg), void *arg)
{
    char path[64];
    cleanup_file FILE *f = NULL;
    int pid, n = 0;

    snprintf(path, sizeof path, "/proc/self/task/%d/children", getpid());
    f = fopen(path, "re");
    if (!f)
        return children_by_parent(fn, arg);
    while (fscanf(f, "%d", &pid) == 1) {
        fn(pid, arg);
        n++;
    }
    return n;
}

static void
kill_child(pid_t pid, void *arg)
{
    (void)arg;
    kill(pid, SIGKILL);
}

int
reap_all(int ms)
{
    for (; ms > 0; ms -= 5) {
        reap_children(kill_child, NULL);
        for (;;) {
            pid_t pid = waitpid(-1, NULL, WNOHANG);

            if (pid < 0 && errno == ECHILD)
                return 0;
            if (pid <= 0)
                break;
        }
        nanosleep(&(struct timespec){0, 5000000}, NULL);
    }
    return -ETIMEDOUT;
}
