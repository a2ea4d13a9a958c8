/* SPDX-License-Identifier: Apache-2.0 */
/* One paragraph of dpkg's database (deb822; dpkg's own rules, as its lib/dpkg/parse.c
 * has them, where they bear on what is reported).  Pure: lines go in, packages come out.
 *
 * Refused as dpkg refuses: bad syntax, a field twice, bad names, versions and states.
 * Not judged: the texts of relations (Depends, …), conffiles and triggers.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* In dpkg's order. */
enum package_state {
    PACKAGE_NOT_INSTALLED,
    PACKAGE_CONFIG_FILES,
    PACKAGE_HALF_INSTALLED,
    PACKAGE_UNPACKED,
    PACKAGE_HALF_CONFIGURED,
    PACKAGE_TRIGGERS_AWAITED,
    PACKAGE_TRIGGERS_PENDING,
    PACKAGE_INSTALLED,
};

enum stanza_field {
    STANZA_PACKAGE,
    STANZA_STATUS,
    STANZA_VERSION,
    STANZA_REVISION, /* obsolete, and still understood */
    STANZA_ARCHITECTURE,
    STANZA_MULTI_ARCH,
    STANZA_SOURCE,
    STANZA_SECTION,
    STANZA_PRIORITY,
    STANZA_MAINTAINER,
    STANZA_INSTALLED_SIZE,
    STANZA_ESSENTIAL,
    STANZA_CONFIG_VERSION,
    STANZA_TRIGGERS_PENDING,
    STANZA_TRIGGERS_AWAITED,
    STANZA_ARCHIVE, /* any field that belongs in an archive's index only */
    STANZA_KEPT,    /* how many fields are kept */
};

enum { STANZA_TEXT_MAX = 32 * 1024, STANZA_FIELDS_MAX = 256 };

struct stanza {
    bool lists_installed; /* set by the caller: status.d, where a paragraph without Status
                           * is an installed package, and the last newline may lack */
    const char *why;      /* the reason of the last -EBADMSG or -EMSGSIZE */

    /* What was found; valid from the end of a paragraph to the next line. */
    const char *name, *arch, *version, *source;
    const char *source_version;                  /* "": it has bad syntax */
    const char *section, *priority, *maintainer; /* "": not given */
    int64_t installed_size_bytes;                /* -1: not given */
    enum package_state state;
    bool same; /* Multi-Arch: same */
    bool essential, held;

    /* The paragraph that is being read. */
    bool open, last_is_empty;
    int field; /* the one that a further line belongs to; -1: not kept */
    uint64_t seen[STANZA_FIELDS_MAX]; /* hashes of the field names */
    size_t n_seen;
    char *values[STANZA_KEPT]; /* into text; NULL: not there */
    char text[STANZA_TEXT_MAX];
    size_t used;
};

/* Take a line without its newline.  1: it ended a paragraph; 0: more to come; -EBADMSG,
 * -EMSGSIZE: refused.
 */
int stanza_line(struct stanza *stanza, const char *line, size_t len);
/* The file ends here; unfinished: without a newline.  Returns as stanza_line does. */
int stanza_end(struct stanza *stanza, bool unfinished);
