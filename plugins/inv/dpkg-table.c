/* SPDX-License-Identifier: Apache-2.0 */
#include "dpkg-table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK_BYTES = 64 * 1024 };

struct dpkg_table_chunk {
    struct dpkg_table_chunk *next;
    size_t used;
    char bytes[CHUNK_BYTES];
};

static int
dpkg_table_grow(struct dpkg_table *table)
{
    size_t size = table->size ? table->size * 2 : 1024;
    struct package *more;

    if (size > TABLE_PACKAGES_MAX)
        return -E2BIG;
    more = realloc(table->packages, size * sizeof *more);
    if (!more)
        return -ENOMEM;
    table->packages = more;
    table->size = size;
    return 0;
}

/* Room for len bytes; NULL: no memory, or too much is in use. */
static char *
chunk_take(struct dpkg_table *table, size_t len)
{
    struct dpkg_table_chunk *chunk = table->chunks;

    if (!chunk || len > CHUNK_BYTES - chunk->used) {
        if (len > CHUNK_BYTES || table->n_chunks == TABLE_CHUNKS_MAX)
            return NULL;
        chunk = malloc(sizeof *chunk);
        if (!chunk)
            return NULL;
        chunk->next = table->chunks;
        chunk->used = 0;
        table->chunks = chunk;
        table->n_chunks++;
    }
    chunk->used += len;
    return chunk->bytes + chunk->used - len;
}

int
dpkg_table_add(struct dpkg_table *table, const struct stanza *s,
               enum package_origin origin)
{
    struct package p = {.installed_size_bytes = s->installed_size_bytes,
                        .number = (uint32_t)table->n,
                        .state = (unsigned char)s->state,
                        .origin = (unsigned char)origin,
                        .same = s->same,
                        .essential = s->essential,
                        .held = s->held};
    const char *const from[] = {s->name,     s->arch,           s->version,
                                s->source,   s->source_version, s->section,
                                s->priority, s->maintainer};
    const char **const to[] = {&p.name,           &p.arch,    &p.version,  &p.source,
                               &p.source_version, &p.section, &p.priority, &p.maintainer};
    int r = table->n == table->size ? dpkg_table_grow(table) : 0;

    if (r < 0)
        return r;
    for (size_t i = 0; i < sizeof from / sizeof from[0]; i++) {
        size_t len = strlen(from[i]) + 1;
        char *text = chunk_take(table, len);

        if (!text)
            return -ENOMEM;
        *to[i] = memcpy(text, from[i], len);
    }
    table->packages[table->n++] = p;
    return 0;
}

static int
compare(const void *a, const void *b)
{
    const struct package *x = a, *y = b;
    int r = strcmp(x->name, y->name);

    return r ? r : x->number < y->number ? -1 : x->number > y->number;
}

static int
compare_arch(const void *a, const void *b)
{
    const struct package *x = a, *y = b;

    return strcmp(x->arch, y->arch);
}

/* A new instance joins those of its name that hold so far, instances[0..*n): it replaces
 * one, or comes beside them, or dpkg refuses the database.
 */
static int
instance_join(struct package *instances, size_t *n, const struct package *p)
{
    size_t live = 0, last = 0, place = *n;
    bool all_same = p->same, judged = false;

    for (size_t i = 0; i < *n; i++) {
        if (strcmp(instances[i].arch, p->arch) == 0)
            place = i;
        if (instances[i].state == PACKAGE_NOT_INSTALLED)
            continue;
        all_same &= instances[i].same;
        judged |= instances[i].origin != ORIGIN_LISTING;
        last = i;
        live++;
    }
    if (live == 1 && !all_same &&
        (p->origin == ORIGIN_UPDATE || (!judged && p->origin != ORIGIN_LISTING)))
        place = last; /* the only instance changes its architecture */
    else if (judged && !all_same &&
             (p->origin == ORIGIN_UPDATE || p->state != PACKAGE_NOT_INSTALLED))
        return -EBADMSG;
    instances[place] = *p;
    *n += place == *n;
    return 0;
}

/* Keep those that are installed. */
static size_t
instances_keep(struct package *instances, size_t n)
{
    size_t kept = 0;

    for (size_t i = 0; i < n; i++)
        if (instances[i].state == PACKAGE_INSTALLED)
            instances[kept++] = instances[i];
    qsort(instances, kept, sizeof *instances, compare_arch);
    return kept;
}

int
dpkg_table_settle(struct dpkg_table *table, const char **ret_name)
{
    struct package *packages = table->packages;
    size_t kept = 0;

    if (table->n > 0)
        qsort(packages, table->n, sizeof *packages, compare);
    for (size_t at = 0, n; at < table->n;) {
        const char *name = packages[at].name;

        /* Instances gather where what has been read has left room. */
        for (n = 0; at < table->n && strcmp(packages[at].name, name) == 0; at++) {
            struct package p = packages[at];

            *ret_name = name;
            if (instance_join(packages + kept, &n, &p) < 0)
                return -EBADMSG;
        }
        kept += instances_keep(packages + kept, n);
    }
    table->n = kept;
    return 0;
}

void
dpkg_table_done(struct dpkg_table *table)
{
    struct dpkg_table_chunk *chunk;

    while ((chunk = table->chunks)) {
        table->chunks = chunk->next;
        free(chunk);
    }
    free(table->packages);
    *table = (struct dpkg_table){0};
}
