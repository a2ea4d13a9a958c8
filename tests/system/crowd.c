/* SPDX-License-Identifier: Apache-2.0 */
/* crowd SOCKET CLIENTS LINE [deaf | timed]: so many connections to the control socket, each of
 * which sends this line; the first answer is read when all have sent.  Prints how many got an
 * answer that says ok, one that refuses, and none.  deaf: nothing is ever read; prints "ready",
 * and hangs up when stdin ends.  timed: all connect first, then all send at once, and how long
 * their answers took is printed, too.
 */
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Connections of one process: fewer than the 1,024 descriptors that it may have. */
enum { EACH = 500 };
enum how { IN_TURN, DEAF, TIMED };

/* Of one process; less than a pipe takes at once. */
struct heard {
    int ok, refused, nothing, n_us, us[EACH];
};

static int
come(const struct sockaddr_un *address)
{
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    if (fd < 0 || connect(fd, (const struct sockaddr *)address, sizeof *address) < 0)
        perror("crowd");
    return fd;
}

static int
say(int fd, const char *line)
{
    if (send(fd, line, strlen(line), MSG_NOSIGNAL) < 0)
        perror("crowd");
    return fd;
}

static int64_t
now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * INT64_C(1000000) + t.tv_nsec / 1000;
}

/* Read all that comes; the last line is the answer. */
static void
hear(int fd, struct heard *heard)
{
    char text[16 * 1024];
    size_t len = 0;
    ssize_t n;

    while ((n = read(fd, text + len, sizeof text - 1 - len)) > 0) {
        len += (size_t)n;
        if (len > sizeof text / 2) { /* only the end matters */
            memmove(text, text + len / 2, len - len / 2);
            len -= len / 2;
        }
    }
    text[len] = '\0';
    if (len == 0 || text[len - 1] != '\n')
        heard->nothing++;
    else if (strstr(text, "\"ok\":true"))
        heard->ok++;
    else
        heard->refused++;
    close(fd);
}

/* Say it on all of them, and note when each begins to be answered: with one line. */
static void
say_timed(const int *fds, int n, const char *line, struct heard *heard)
{
    struct pollfd polls[EACH];
    int64_t since[EACH];

    for (int i = 0; i < n; i++) {
        since[i] = now_us();
        polls[i] = (struct pollfd){.fd = say(fds[i], line), .events = POLLIN};
    }
    while (heard->n_us < n && poll(polls, (nfds_t)n, -1) > 0)
        for (int i = 0; i < n; i++)
            if (polls[i].revents) {
                heard->us[heard->n_us++] = (int)(now_us() - since[i]);
                polls[i].fd = -1;
            }
}

/* One process of the crowd: says `said` when it is ready, goes on when `go` ends. */
static void
clients(const struct sockaddr_un *address, const char *line, int n, int said, int go,
        enum how how)
{
    struct heard heard = {.ok = 0};
    int fds[EACH];
    char c = 0;

    for (int i = 0; i < n; i++) {
        fds[i] = come(address);
        if (how != TIMED)
            say(fds[i], line);
    }
    if (write(said, &c, 1) != 1 || read(go, &c, 1) != 0)
        _exit(1);
    if (how == TIMED)
        say_timed(fds, n, line, &heard);
    for (int i = 0; i < n && how != DEAF; i++)
        hear(fds[i], &heard);
    _exit(write(said, &heard, sizeof heard) != sizeof heard);
}

/* ---- all of them ---- */

static int
by_size(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

static void
print_times(int *us, int n)
{
    int p50 = n / 2, p99 = (int)((int64_t)n * 99 / 100);

    qsort(us, (size_t)n, sizeof *us, by_size);
    printf("p50 %.1f ms, p99 %.1f ms, longest %.1f ms\n", us[p50] / 1000.0,
           us[p99] / 1000.0, us[n - 1] / 1000.0);
}

/* What the processes heard; how long it took them is left in us. */
static struct heard
gather(int said, int processes, int *us)
{
    struct heard all = {.ok = 0}, heard;

    for (int i = 0; i < processes && read(said, &heard, sizeof heard) == sizeof heard;
         i++) {
        memcpy(us + all.n_us, heard.us, (size_t)heard.n_us * sizeof *us);
        all.ok += heard.ok;
        all.refused += heard.refused;
        all.nothing += heard.nothing;
        all.n_us += heard.n_us;
    }
    return all;
}

int
main(int argc, char **argv)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int said[2], go[2], left = argc > 2 ? atoi(argv[2]) : 0, processes = 0;
    enum how how = argc < 5 ? IN_TURN : strcmp(argv[4], "deaf") == 0 ? DEAF : TIMED;
    int *us = calloc((size_t)left + EACH, sizeof *us);
    struct heard all;
    char *line, c;

    if (argc < 4 || !us || strlen(argv[1]) >= sizeof address.sun_path || pipe(said) < 0 ||
        pipe(go) < 0 || asprintf(&line, "%s\n", argv[3]) < 0)
        return 64;
    strcpy(address.sun_path, argv[1]);
    for (; left > 0; left -= EACH, processes++)
        if (fork() == 0) {
            close(go[1]);
            clients(&address, line, left < EACH ? left : EACH, said[1], go[0], how);
        }
    close(said[1]);
    for (int i = 0; i < processes && read(said[0], &c, 1) == 1; i++)
        continue;
    if (how == DEAF) {
        puts("ready");
        fflush(stdout);
        while (read(STDIN_FILENO, &c, 1) > 0)
            continue;
    }
    close(go[1]);
    all = gather(said[0], processes, us);
    printf("%d ok, %d refused, %d nothing\n", all.ok, all.refused, all.nothing);
    if (all.n_us > 0)
        print_times(us, all.n_us);
    free(us);
    free(line);
    return 0;
}
