/* SPDX-License-Identifier: Apache-2.0 */
/* Is this application's manifest to be trusted?  In two steps, since the worker opens it
 * as it was started and judges it as the user it becomes between them.
 *
 * The manifest is <local>/<app>/manifest.json if there is anything of that name,
 * whatever it is worth; else <packaged>/<app>/manifest.json.
 */
#pragma once

#include <linux/limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "verdict.h"
#include "why.h"

struct verify {
    char application[NAME_MAX_LEN + 1];
    bool local;
    char path[PATH_MAX];
    int fd;    /* of the manifest, or -1 */
    int error; /* why there is no fd: -ENOENT when there is no manifest at all */
    struct stat file;
    struct stat app_dir, dir; /* <dir>/<app> and <dir> */
};

/* Find and open.  0 also when nothing is there or it cannot be opened, which
 * verify_judge then says; -EINVAL for what is no name, -ENAMETOOLONG.  The caller's:
 * verify_done.
 */
int verify_open(const char *application, const char *local_dir, const char *packaged_dir,
                struct verify *ret, struct why *why);
void verify_done(struct verify *verify);

/* Judge it.  The manifest must be a regular file, and it and both folders above it must
 * belong to root or own_uid and not be writable by group or others.  A valid one is
 * written to memfd (made with MFD_ALLOW_SEALING; -1: none), at offset 0, which is then
 * sealed.  0 whatever the verdict; a negated errno when the memfd fails or memory does.
 */
int verify_judge(const struct verify *verify, uid_t own_uid, int memfd,
                 struct verdict *ret, struct why *why);

/* What the verdict rests on, without opening anything: as long as this text is the same,
 * so is the verdict.  Take it before the verdict.  0, or -ENOMEM.
 */
enum { VERIFY_IDENTITY_SIZE = 1024 };
int verify_identity(const char *application, const char *local_dir,
                    const char *packaged_dir, char ret[VERIFY_IDENTITY_SIZE]);
