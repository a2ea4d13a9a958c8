/* SPDX-License-Identifier: Apache-2.0 */
#include "read-fd.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "cleanup.h"

int
read_fd(int fd, size_t most, char **ret, size_t *ret_len)
{
    cleanup_free char *text = malloc(most + 1);
    size_t len = 0;
    ssize_t n = 1;

    if (!text)
        return -ENOMEM;
    while (n != 0 && len <= most) {
        n = read(fd, text + len, most + 1 - len);
        if (n < 0 && errno != EINTR)
            return -errno;
        if (n > 0)
            len += (size_t)n;
    }
    if (len > most)
        return -EFBIG;
    text[len] = '\0';
    *ret = steal_ptr(&text);
    *ret_len = len;
    return 0;
}
