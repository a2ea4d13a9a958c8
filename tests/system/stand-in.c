/* SPDX-License-Identifier: Apache-2.0 */
/* stand-in SOCKET SEEN: an agent that says what is on stdin.  Each connection gets the next
 * lines, as they are, up to a line "." or the end, and is closed; then comes the next one.
 * "sleep MS" waits; "hold" waits until the other side closes; "hang up" closes before the
 * request is read.  Requests are lines of the file SEEN.  The socket is left behind.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* The socket is there under its name only when it listens. */
static int
listen_at(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    if (fd < 0 || strlen(path) + 1 >= sizeof address.sun_path)
        return -1;
    sprintf(address.sun_path, "%s~", path);
    unlink(address.sun_path);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(fd, 16) < 0 ||
        rename(address.sun_path, path) < 0)
        return -1;
    return fd;
}

/* One line of the connection, copied to `seen`. */
static void
take_request(int fd, FILE *seen)
{
    char c = ' ';

    while (c != '\n' && read(fd, &c, 1) == 1)
        putc(c, seen);
    fflush(seen);
}

static void
hold(int fd)
{
    char c;

    while (read(fd, &c, 1) > 0)
        continue;
}

/* One line of the script: 0 when the connection is over. */
static int
say(int fd, const char *line)
{
    size_t len = strlen(line);

    if (strcmp(line, ".\n") == 0)
        return 0;
    if (strncmp(line, "sleep ", 6) == 0)
        usleep((useconds_t)atoi(line + 6) * 1000);
    else if (strcmp(line, "hold\n") == 0)
        hold(fd);
    else if (send(fd, line, len, MSG_NOSIGNAL) != (ssize_t)len)
        perror("send");
    return 1;
}

int
main(int argc, char **argv)
{
    FILE *seen = argc == 3 ? fopen(argv[2], "w") : NULL;
    int at = seen ? listen_at(argv[1]) : -1;
    char *line = NULL;
    size_t size = 0;
    int more = 1;

    if (at < 0) {
        perror("stand-in");
        return 69;
    }
    while (getline(&line, &size, stdin) > 0) {
        int fd = accept(at, NULL, NULL);

        if (strcmp(line, "hang up\n") != 0)
            take_request(fd, seen);
        do
            more = say(fd, strcmp(line, "hang up\n") == 0 ? "sleep 0\n" : line);
        while (more && getline(&line, &size, stdin) > 0);
        close(fd);
    }
    free(line);
    fclose(seen);
    return 0;
}
