/* SPDX-License-Identifier: Apache-2.0 */
/* Walking a tree below the root: getdents and statx relative to descriptors. */
#pragma once

#include "plugin-abi.h"
#include "root.h"

int walk_open(struct root *root, const char *path, uint32_t flags,
              struct sonde_walk **ret);
int walk_next(struct sonde_walk *walk, const struct sonde_entry **ret);
int walk_open_file(struct sonde_walk *walk);
int walk_get_xattr(struct sonde_walk *walk, const char *name, void *buf, size_t size);
void walk_prune(struct sonde_walk *walk);
void walk_close(struct sonde_walk *walk);
