/* SPDX-License-Identifier: Apache-2.0 */
/* strike WHO FOLDER DELAY_US kill|stop|stop-kill: wait until there is such a process (agent,
 * keeper, runner, store, verify) with the folder on its command line, then DELAY_US, then end
 * it, stop it, or stop it first and end it 20 ms later.  Prints its number.  Exit status: 1
 * when it had ended before, 2 when none came.
 */
#include <dirent.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { WAIT_MS = 10000, STOPPED_US = 20000 };

static void
sleep_us(long us)
{
    nanosleep(&(struct timespec){us / 1000000, us % 1000000 * 1000}, NULL);
}

static size_t
read_cmdline(int pid, char *ret, size_t size)
{
    char path[64];
    FILE *f;
    size_t n = 0;

    snprintf(path, sizeof path, "/proc/%d/cmdline", pid);
    f = fopen(path, "re");
    if (f) {
        n = fread(ret, 1, size - 1, f);
        fclose(f);
    }
    ret[n] = '\0';
    return n;
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

/* Keeper and runner have the same command line; the runner leads a session of its own. */
static bool
is_it(int pid, const char *who, const char *folder)
{
    bool runner = strcmp(who, "runner") == 0, keeper = strcmp(who, "keeper") == 0;
    const char *mode = runner || keeper ? "run" : who;

    if (strcmp(mode_of(pid, folder), mode) != 0)
        return false;
    return runner ? getsid(pid) == pid : !keeper || getsid(pid) != pid;
}

static int
find(const char *who, const char *folder)
{
    DIR *dir = opendir("/proc");
    struct dirent *entry;
    int found = 0;

    while (dir && !found && (entry = readdir(dir))) {
        int pid = atoi(entry->d_name);

        if (pid > 0 && is_it(pid, who, folder))
            found = pid;
    }
    if (dir)
        closedir(dir);
    return found;
}

static bool
send_signal(int pidfd, int signum)
{
    return syscall(SYS_pidfd_send_signal, pidfd, signum, NULL, 0) == 0;
}

int
main(int argc, char **argv)
{
    int pid = 0, pidfd;
    bool hit = true;

    if (argc != 5)
        return 64;
    for (int ms = 0; !pid && ms < WAIT_MS; ms++) {
        pid = find(argv[1], argv[2]);
        if (!pid)
            sleep_us(1000);
    }
    if (!pid)
        return 2;
    pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    sleep_us(atol(argv[3]));
    if (pidfd < 0)
        return 1;
    if (strncmp(argv[4], "stop", 4) == 0)
        hit = send_signal(pidfd, SIGSTOP);
    if (hit && strcmp(argv[4], "stop-kill") == 0)
        sleep_us(STOPPED_US);
    if (hit && strstr(argv[4], "kill"))
        hit = send_signal(pidfd, SIGKILL);
    printf("%d\n", pid);
    return !hit;
}
