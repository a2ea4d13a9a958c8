/* SPDX-License-Identifier: Apache-2.0 */
/* All packages of a dpkg database, until it is known which of them hold.  Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dpkg-stanza.h"

enum { TABLE_PACKAGES_MAX = 256 * 1024, TABLE_CHUNKS_MAX = 1024 };

/* Where a package was read: later ones have the last word. */
enum package_origin { ORIGIN_LISTING, ORIGIN_STATUS, ORIGIN_UPDATE };

struct package {
    const char *name, *arch, *version, *source, *source_version;
    const char *section, *priority, *maintainer;
    int64_t installed_size_bytes;
    uint32_t number; /* in the order of reading */
    unsigned char state, origin;
    bool same, essential, held;
};

struct dpkg_table {
    struct package *packages;
    size_t n, size;
    struct dpkg_table_chunk *chunks; /* the strings; the first one has room */
    size_t n_chunks;
};

/* 0, -ENOMEM, or -E2BIG: the table would be larger than it may be. */
int dpkg_table_add(struct dpkg_table *table, const struct stanza *stanza,
                   enum package_origin origin);

/* Leave the installed packages, sorted by name, as dpkg sees them after it has read the
 * status file and its updates in their order.  -EBADMSG: dpkg refuses such a database;
 * *ret_name (in the table) has several instances that cannot live side by side.
 */
int dpkg_table_settle(struct dpkg_table *table, const char **ret_name);
void dpkg_table_done(struct dpkg_table *table);
