/* SPDX-License-Identifier: Apache-2.0 */
/* ask SOCKET TEXT [half | quiet]: send the text (-: what is on stdin) as it is to the control
 * socket, print what comes back.  half: shut the sending side at once; quiet: hold the
 * connection and send nothing more until the other side closes it.
 */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int
main(int argc, char **argv)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    char buffer[4096];
    ssize_t n;

    if (argc < 3 || fd < 0 || strlen(argv[1]) >= sizeof address.sun_path)
        return 64;
    strcpy(address.sun_path, argv[1]);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0) {
        perror("connect");
        return 69;
    }
    if (strcmp(argv[2], "-") == 0)
        while ((n = read(STDIN_FILENO, buffer, sizeof buffer)) > 0 &&
               send(fd, buffer, (size_t)n, MSG_NOSIGNAL) == n)
            continue;
    else if (send(fd, argv[2], strlen(argv[2]), MSG_NOSIGNAL) < 0)
        perror("send");
    if (argc > 3 && strcmp(argv[3], "half") == 0)
        shutdown(fd, SHUT_WR);
    while ((n = read(fd, buffer, sizeof buffer)) > 0)
        if (write(STDOUT_FILENO, buffer, (size_t)n) != n)
            return 1;
    return 0;
}
