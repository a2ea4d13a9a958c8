/* SPDX-License-Identifier: Apache-2.0 */
#include "processes.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static size_t
read_cmdline(int pid, char *ret, size_t size)
{
    char path[64];
    ssize_t n = 0;
    int fd;

    snprintf(path, sizeof path, "/proc/%d/cmdline", pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        n = read(fd, ret, size - 1);
        close(fd);
    }
    ret[n > 0 ? n : 0] = '\0';
    return n > 0 ? (size_t)n : 0;
}

/* The worker's mode ("run", "store", "verify"), "agent", or "": none of ours. */
static const char *
mode_of(int pid, const char *folder)
{
    static char line[8192];
    size_t n = read_cmdline(pid, line, sizeof line);
    const char *slash = strrchr(line, '/'), *program = slash ? slash + 1 : line;

    if (!n || !memmem(line, n, folder, strlen(folder)))
        return "";
    if (strcmp(program, "sonde-worker") == 0)
        return line + strlen(line) + 1;
    return strcmp(program, "sonde-agent") == 0 ? "agent" : "";
}

void
processes_each(const char *folder, bool (*fn)(int pid, const char *what, void *arg),
               void *arg)
{
    DIR *dir = opendir("/proc");
    struct dirent *entry;
    bool more = true;

    while (dir && more && (entry = readdir(dir))) {
        int pid = atoi(entry->d_name);
        const char *what = pid > 0 ? mode_of(pid, folder) : "";

        if (what[0])
            more = fn(pid, what, arg);
    }
    if (dir)
        closedir(dir);
}

struct search {
    const char *who;
    int found;
};

/* Keeper and runner have the same command line; the runner leads a session of its own. */
static bool
is_it(int pid, const char *what, void *arg)
{
    struct search *search = arg;
    bool runner = strcmp(search->who, "runner") == 0,
         keeper = strcmp(search->who, "keeper") == 0;

    if (strcmp(what, runner || keeper ? "run" : search->who) == 0 &&
        (runner ? getsid(pid) == pid : !keeper || getsid(pid) != pid))
        search->found = pid;
    return !search->found;
}

int
process_find(const char *who, const char *folder)
{
    struct search search = {who, 0};

    processes_each(folder, is_it, &search);
    return search.found;
}

bool
process_signal(int pidfd, int signum)
{
    return syscall(SYS_pidfd_send_signal, pidfd, signum, NULL, 0) == 0;
}

int
process_open(int pid)
{
    return (int)syscall(SYS_pidfd_open, pid, 0);
}
