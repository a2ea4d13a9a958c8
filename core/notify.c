/* SPDX-License-Identifier: Apache-2.0 */
#include "notify.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "cleanup.h"

static int
tell(const char *text)
{
    const char *name = getenv("NOTIFY_SOCKET");
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    size_t len = name ? strlen(name) : 0;
    cleanup_fd int fd = -1;

    if (len == 0)
        return 0;
    if (len < 2 || (name[0] != '/' && name[0] != '@'))
        return -EINVAL;
    if (len > sizeof to.sun_path - (name[0] == '/')) /* a path ends with a NUL */
        return -ENAMETOOLONG;
    memcpy(to.sun_path, name, len);
    if (name[0] == '@')
        to.sun_path[0] = '\0';
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || sendto(fd, text, strlen(text), MSG_NOSIGNAL, (struct sockaddr *)&to,
                         (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) < 0)
        return -errno;
    return 1;
}

int
notify_ready(void)
{
    return tell("READY=1");
}

int
notify_stopping(void)
{
    int r = tell("STOPPING=1");

    unsetenv("NOTIFY_SOCKET");
    return r;
}
