/* SPDX-License-Identifier: Apache-2.0 */
/* The scanned root: opening below it, never outside.  Used by the runner only.  Flags and
 * structs are those of sonde/plugin.h, and so are the errors.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "plugin-abi.h"

struct root; /* an open root folder */

/* path: an existing folder.  *ret is the caller's. */
int root_open(const char *path, struct root **ret);
void root_close(struct root *root);

int root_open_file(struct root *root, const char *path, uint32_t flags);
/* The text belongs to the root until the next call. */
int root_read_file(struct root *root, const char *path, size_t max, const char **ret_text,
                   size_t *ret_len);
int root_stat(struct root *root, const char *path, uint32_t flags,
              struct sonde_stat *ret);
int root_read_link(struct root *root, const char *path, char *buf, size_t size);
int root_get_xattr(struct root *root, const char *path, const char *name, void *buf,
                   size_t size);

/* O_PATH descriptor of a path below the root. */
int root_resolve(struct root *root, const char *path, uint32_t flags);

/* For walk.c, on an O_PATH descriptor that it found: open it for reading, as root_open_file
 * does with SONDE_NOFOLLOW (-ENOSYS: no /proc is mounted here); returns `opened` when both
 * are one file, else closes it; an extended attribute.
 */
int root_reopen(const struct root *root, int found, uint32_t flags);
int root_same_file(int found, int opened);
/* O_NONBLOCK: /proc/kmsg and its like are regular files, and would wait. */
#define ROOT_READ_FLAGS (O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
int root_xattr_of(const struct root *root, int found, const char *name, void *buf,
                  size_t size);
struct statx;
void root_fill_stat(const struct statx *from, struct sonde_stat *ret);

/* For the tests: behave as on a kernel without openat2 (the component-wise resolver) and
 * without mount ids in statx; behave as where no /proc is mounted.
 */
void root_without_openat2(struct root *root);
void root_without_proc(struct root *root);
bool root_has_openat2(const struct root *root);
