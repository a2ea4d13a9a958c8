/* SPDX-License-Identifier: Apache-2.0 */
/* The profile's file. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "profile-write.h"
#include "read-fd.h"
#include "sync-folder.h"

int
profile_read(const char *path, struct profile *ret, struct why *why)
{
    cleanup_fd int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    cleanup_free char *text = NULL;
    struct why reason = {""};
    size_t len = 0;
    int r;

    *ret = PROFILE_EMPTY;
    if (fd < 0 && errno == ENOENT)
        return 0;
    r = fd < 0 ? -errno : read_fd(fd, PROFILE_MAX, &text, &len);
    if (r < 0)
        return why_set(why, r, "profile %s: %s", path, strerror(-r));
    r = profile_parse(text, len, ret, &reason);
    return r < 0 ? why_set(why, r, "profile %s: %s", path, reason.text) : 0;
}

static int
put(int fd, const char *text, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, text, len);

        if (n < 0 && errno != EINTR)
            return -errno;
        if (n > 0) {
            text += n;
            len -= (size_t)n;
        }
    }
    return 0;
}

/* The new text, on the disk, in a file of its own. */
static int
write_new(const char *path, const char *text, size_t len)
{
    cleanup_fd int fd = -1;
    int r;

    if (unlink(path) < 0 && errno != ENOENT)
        return -errno;
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (fd < 0)
        return -errno;
    r = put(fd, text, len);
    if (r == 0 && (fchmod(fd, 0644) < 0 || fsync(fd) < 0))
        r = -errno;
    return r;
}

int
profile_write(const char *path, const struct profile *profile, struct why *why)
{
    cleanup_free char *new_path = NULL, *text = NULL;
    size_t len = 0;
    int r = profile_print(profile, &text, &len);

    if (r < 0 || asprintf(&new_path, "%s.new", path) < 0) {
        new_path = NULL;
        return why_set(why, -ENOMEM, "profile %s: out of memory", path);
    }
    r = write_new(new_path, text, len);
    if (r == 0 && rename(new_path, path) < 0)
        r = -errno;
    if (r < 0)
        unlink(new_path);
    else
        r = sync_folder_of(path);
    return r < 0 ? why_set(why, r, "profile %s: %s", path, strerror(-r)) : 0;
}
