/* SPDX-License-Identifier: Apache-2.0 */
/* The scanned root: opening below it, never outside.  Used by the runner only.  Flags and
 * structs are those of sonde/plugin.h, and so are the errors.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "plugin-abi.h"

struct root; /* an open root folder, and what is mounted where */

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
/* For the tests: use the component-wise resolver although openat2 is there. */
void root_without_openat2(struct root *root);
