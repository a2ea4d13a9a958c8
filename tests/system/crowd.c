/* SPDX-License-Identifier: Apache-2.0 */
/* crowd SOCKET CLIENTS LINE [deaf]: so many connections to the control socket, each of which
 * sends this line; the first answer is read when all have sent.  Prints how many got an answer
 * that says ok, one that refuses, and none.  deaf: nothing is ever read; prints "ready", and
 * hangs up when stdin ends.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

/* Connections of one process: fewer than the 1,024 descriptors that it may have. */
enum { EACH = 500 };

struct heard {
    int ok, refused, nothing;
};

static int
say(const struct sockaddr_un *address, const char *line)
{
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    if (fd < 0 || connect(fd, (const struct sockaddr *)address, sizeof *address) < 0 ||
        send(fd, line, strlen(line), MSG_NOSIGNAL) < 0)
        perror("crowd");
    return fd;
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

/* One process of the crowd: says `said` when it has sent all, reads when `go` ends. */
static void
clients(const struct sockaddr_un *address, const char *line, int n, int said, int go,
        bool deaf)
{
    struct heard heard = {0, 0, 0};
    int fds[EACH];
    char c = 0;

    for (int i = 0; i < n; i++)
        fds[i] = say(address, line);
    if (write(said, &c, 1) != 1 || read(go, &c, 1) != 0)
        _exit(1);
    for (int i = 0; i < n && !deaf; i++)
        hear(fds[i], &heard);
    _exit(write(said, &heard, sizeof heard) != sizeof heard);
}

int
main(int argc, char **argv)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int said[2], go[2], left = argc > 2 ? atoi(argv[2]) : 0, processes = 0;
    struct heard all = {0, 0, 0}, heard;
    char *line, c;

    if (argc < 4 || strlen(argv[1]) >= sizeof address.sun_path || pipe(said) < 0 ||
        pipe(go) < 0 || asprintf(&line, "%s\n", argv[3]) < 0)
        return 64;
    strcpy(address.sun_path, argv[1]);
    for (; left > 0; left -= EACH, processes++)
        if (fork() == 0) {
            close(go[1]);
            clients(&address, line, left < EACH ? left : EACH, said[1], go[0], argc > 4);
        }
    close(said[1]);
    for (int i = 0; i < processes && read(said[0], &c, 1) == 1; i++)
        continue;
    if (argc > 4) {
        puts("ready");
        fflush(stdout);
        while (read(STDIN_FILENO, &c, 1) > 0)
            continue;
    }
    close(go[1]);
    for (int i = 0; i < processes && read(said[0], &heard, sizeof heard) == sizeof heard;
         i++) {
        all.ok += heard.ok;
        all.refused += heard.refused;
        all.nothing += heard.nothing;
    }
    printf("%d ok, %d refused, %d nothing\n", all.ok, all.refused, all.nothing);
    free(line);
    return 0;
}
