/* SPDX-License-Identifier: Apache-2.0 */
/* stopwatch N COMMAND [ARG…] [--vs COMMAND [ARG…]]: run it N times, the two in turn, with their
 * output thrown away, and print one line a run: A or B, wall ms, CPU ms (with all that it
 * waited for), peak KiB of its largest process, exit status.
 * stopwatch now: monotonic time in ns.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double
now_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

static double
timeval_ms(struct timeval t)
{
    return (double)t.tv_sec * 1e3 + (double)t.tv_usec / 1e3;
}

static int
run(char name, char **argv)
{
    double start = now_ms(), wall;
    struct rusage usage;
    int status, null;
    pid_t pid = fork();

    if (pid == 0) {
        null = open("/dev/null", O_RDWR | O_CLOEXEC);
        dup2(null, 0);
        dup2(null, 1);
        dup2(null, 2);
        execvp(argv[0], argv);
        _exit(127);
    }
    if (pid < 0 || wait4(pid, &status, 0, &usage) < 0)
        return -1;
    wall = now_ms() - start;
    printf("%c %.3f %.3f %ld %d\n", name, wall,
           timeval_ms(usage.ru_utime) + timeval_ms(usage.ru_stime), usage.ru_maxrss,
           WIFEXITED(status) ? WEXITSTATUS(status) : 256 + WTERMSIG(status));
    return 0;
}

int
main(int argc, char **argv)
{
    char **a = argv + 2, **b = NULL;
    int n = argc > 2 ? atoi(argv[1]) : 0;

    if (argc == 2 && strcmp(argv[1], "now") == 0)
        return printf("%.0f\n", now_ms() * 1e6) < 0;
    for (int i = 2; i < argc; i++)
        if (strcmp(argv[i], "--vs") == 0) {
            argv[i] = NULL;
            b = argv + i + 1;
        }
    if (n <= 0 || !*a || (b && !*b)) {
        fprintf(stderr, "usage: stopwatch N COMMAND... [--vs COMMAND...] | now\n");
        return 64;
    }
    for (int i = 0; i < n; i++)
        if (run('A', a) < 0 || (b && run('B', b) < 0))
            return 1;
    return 0;
}
