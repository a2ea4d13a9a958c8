/* SPDX-License-Identifier: Apache-2.0 */
#include "verify.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "read-fd.h"

static const char file_name[] = "manifest.json";

/* Each relative to the one before, so that what is judged is what was opened. */
static int
open_in(const char *dir, struct verify *v)
{
    const int folder = O_PATH | O_DIRECTORY | O_CLOEXEC;
    cleanup_fd int dir_fd = -1, app_fd = -1;

    dir_fd = open(dir, folder);
    if (dir_fd < 0 || fstat(dir_fd, &v->dir) < 0)
        return -errno;
    app_fd = openat(dir_fd, v->application, folder);
    if (app_fd < 0 || fstat(app_fd, &v->app_dir) < 0)
        return -errno;
    v->fd = openat(app_fd, file_name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (v->fd < 0 || fstat(v->fd, &v->file) < 0)
        return -errno;
    return 0;
}

int
verify_open(const char *application, const char *local_dir, const char *packaged_dir,
            struct verify *ret, struct why *why)
{
    const char *dirs[] = {local_dir, packaged_dir};

    *ret = (struct verify){.fd = -1};
    if (!name_is_valid(application))
        return why_set(why, -EINVAL, "\"%.64s\" is no name of an application",
                       application);
    memcpy(ret->application, application, strlen(application) + 1);
    for (int i = 0; i < 2; i++) {
        int n = snprintf(ret->path, sizeof ret->path, "%s/%s/%s", dirs[i], application,
                         file_name);

        if (n < 0 || (size_t)n >= sizeof ret->path)
            return why_set(why, -ENAMETOOLONG, "%.200s...: the path is too long",
                           dirs[i]);
        ret->local = i == 0;
        ret->error = open_in(dirs[i], ret);
        if (ret->error != -ENOENT && ret->error != -ENOTDIR)
            return 0;
    }
    ret->error = -ENOENT;
    return 0;
}

void
verify_done(struct verify *verify)
{
    if (verify && verify->fd >= 0)
        close(verify->fd);
    if (verify)
        verify->fd = -1;
}

/* Nobody else can have written this, or put another one in its place. */
static int
judge_owner(const char *what, const struct stat *st, uid_t own_uid, struct why *why)
{
    if (st->st_uid != 0 && st->st_uid != own_uid)
        return why_set(why, -EPERM, "%s belongs to user %u: expected root or user %u",
                       what, st->st_uid, own_uid);
    if (st->st_mode & (S_IWGRP | S_IWOTH))
        return why_set(why, -EPERM, "%s is writable by its group or others (mode %04o)",
                       what, st->st_mode & 07777);
    return 0;
}

static int
judge_place(const struct verify *v, uid_t own_uid, struct why *why)
{
    int r;

    if (v->error == -ELOOP)
        return why_set(why, v->error, "%s is a symbolic link: expected a regular file",
                       file_name);
    if (v->error < 0)
        return why_set(why, v->error, "%s cannot be opened: %s", file_name,
                       strerror(-v->error));
    if (!S_ISREG(v->file.st_mode))
        return why_set(why, -EPERM, "%s is no regular file", file_name);
    r = judge_owner(file_name, &v->file, own_uid, why);
    if (r == 0)
        r = judge_owner("the application's folder", &v->app_dir, own_uid, why);
    if (r == 0)
        r = judge_owner("the folder of manifests", &v->dir, own_uid, why);
    return r;
}

/* The descriptor's offset stays where it was, for whoever shares it. */
static int
write_sealed(int memfd, const char *text, size_t len, struct why *why)
{
    size_t at = 0;

    while (at < len) {
        ssize_t n = pwrite(memfd, text + at, len - at, (off_t)at);

        if (n < 0)
            return why_set(why, -errno, "memfd: %s", strerror(errno));
        at += (size_t)n;
    }
    if (fcntl(memfd, F_ADD_SEALS,
              F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) < 0)
        return why_set(why, -errno, "memfd: cannot be sealed: %s", strerror(errno));
    return 0;
}

static void
accept(const struct manifest *m, struct verdict *ret)
{
    ret->state = VERDICT_VALID;
    ret->reason[0] = '\0';
    ret->serial = m->serial;
    ret->limits = m->limits;
    snprintf(ret->title, sizeof ret->title, "%s", m->title);
    snprintf(ret->plugin, sizeof ret->plugin, "%s", m->plugin);
}

/* The text, after it was judged good; else the reason. */
static int
judge_text(const struct verify *v, uid_t own_uid, struct manifest *m, char **ret_text,
           size_t *ret_len, struct why *reason)
{
    int r = judge_place(v, own_uid, reason);

    if (r < 0)
        return r;
    r = read_fd(v->fd, MANIFEST_MAX, ret_text, ret_len);
    if (r == -EFBIG)
        return why_set(reason, r, "larger than %d bytes", MANIFEST_MAX);
    if (r < 0)
        return why_set(reason, r, "%s cannot be read: %s", file_name, strerror(-r));
    return manifest_parse(*ret_text, *ret_len, v->application, m, reason);
}

int
verify_judge(const struct verify *verify, uid_t own_uid, int memfd, struct verdict *ret,
             struct why *why)
{
    cleanup_free char *text = NULL;
    struct why reason = {""};
    struct manifest m = {0};
    size_t len = 0;
    int r;

    *ret = (struct verdict){.state = VERDICT_MISSING};
    snprintf(ret->application, sizeof ret->application, "%s", verify->application);
    if (verify->error == -ENOENT)
        return 0;
    ret->state = VERDICT_INVALID;
    snprintf(ret->origin, sizeof ret->origin, "%s", verify->local ? "local" : "packaged");
    snprintf(ret->path, sizeof ret->path, "%s", verify->path);
    r = judge_text(verify, own_uid, &m, &text, &len, &reason);
    if (r == -ENOMEM)
        return why_set(why, r, "out of memory");
    memcpy(ret->reason, reason.text, sizeof ret->reason);
    if (r < 0)
        return 0;
    if (memfd >= 0)
        r = write_sealed(memfd, text, len, why);
    if (r == 0)
        accept(&m, ret);
    return r;
}

/* One line of the identity: the file itself, what a link leads to for folders. */
static int
put_identity(const char *path, bool folder, FILE *out)
{
    struct stat st;

    if ((folder ? stat(path, &st) : lstat(path, &st)) < 0)
        return fprintf(out, "-%d;", errno);
    return fprintf(out, "%jx:%jx %jd %jd.%09ld %jd.%09ld;", (uintmax_t)st.st_dev,
                   (uintmax_t)st.st_ino, (intmax_t)st.st_size,
                   (intmax_t)st.st_mtim.tv_sec, st.st_mtim.tv_nsec,
                   (intmax_t)st.st_ctim.tv_sec, st.st_ctim.tv_nsec);
}

static void
put_identities(const char *application, const char *dir, FILE *out)
{
    char path[PATH_MAX];

    put_identity(dir, true, out);
    if ((size_t)snprintf(path, sizeof path, "%s/%s", dir, application) < sizeof path)
        put_identity(path, true, out);
    if ((size_t)snprintf(path, sizeof path, "%s/%s/%s", dir, application, file_name) <
        sizeof path)
        put_identity(path, false, out);
}

int
verify_identity(const char *application, const char *local_dir, const char *packaged_dir,
                char ret[VERIFY_IDENTITY_SIZE])
{
    cleanup_file FILE *out = fmemopen(ret, VERIFY_IDENTITY_SIZE, "w");

    if (!out)
        return -ENOMEM;
    put_identities(application, local_dir, out);
    put_identities(application, packaged_dir, out);
    return 0;
}
