/* SPDX-License-Identifier: Apache-2.0 */
#include "sync-folder.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"

int
sync_folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    cleanup_free char *folder =
        slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
    cleanup_fd int fd = -1;

    if (!folder)
        return -ENOMEM;
    fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 || fsync(fd) < 0 ? -errno : 0;
}
