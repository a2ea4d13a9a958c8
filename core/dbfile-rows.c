/* SPDX-License-Identifier: Apache-2.0 */
/* The rows: b-tree pages, cells and records of fileformat2.html. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "cleanup.h"
#include "dbfile-pages.h"
#include "dbfile.h"

enum { INDEX_INNER = 2, TABLE_INNER = 5, INDEX_LEAF = 10, TABLE_LEAF = 13 };
enum { DEPTH_MAX = 40, HEAD_BYTES = 100, VARINT_MAX = 9 };

#define PAYLOAD_MAX (UINT64_C(64) << 20)

struct reader {
    const struct dbfile *file;
    dbrow_fn *fn;
    void *arg;
    unsigned char *payload; /* of the row at hand */
    size_t room;
    struct dbrow row;
    bool orphan; /* do not go into other pages of the tree */
};

/* The bytes of a page that are left. */
struct span {
    const unsigned char *at, *end;
};

/* The number at the span's begin, which goes on behind it; 0 when there is none. */
static uint64_t
varint(struct span *s)
{
    uint64_t value = 0;

    for (int i = 0; i < VARINT_MAX && s->at < s->end; i++) {
        unsigned char byte = *s->at++;

        if (i == VARINT_MAX - 1)
            return value << 8 | byte;
        value = value << 7 | (byte & 0x7f);
        if (!(byte & 0x80))
            return value;
    }
    s->at = s->end;
    return 0;
}

/* ---- payload ---- */

/* How much of a payload is in the cell itself. */
static size_t
local_size(uint32_t usable, bool is_table, uint64_t payload)
{
    uint64_t most = is_table ? usable - 35 : (usable - 12) * 64 / 255 - 23;
    uint64_t least = (usable - 12) * 32 / 255 - 23, n;

    if (payload <= most)
        return (size_t)payload;
    n = least + (payload - least) % (usable - 4);
    return (size_t)(n <= most ? n : least);
}

static int
payload_room(struct reader *reader, size_t n)
{
    unsigned char *bytes;

    if (n <= reader->room)
        return 0;
    bytes = realloc(reader->payload, n);
    if (!bytes)
        return -ENOMEM;
    reader->payload = bytes;
    reader->room = n;
    return 0;
}

/* Bytes from the chain of pages; returns how many of the payload are there then. */
static size_t
overflow(struct reader *reader, uint32_t page, size_t have, size_t all)
{
    uint32_t size = reader->file->page_size;
    cleanup_free unsigned char *bytes = malloc(size);

    while (bytes && have < all && dbfile_page(reader->file, page, bytes) == 0) {
        size_t n = all - have < size - 4 ? all - have : size - 4;

        memcpy(reader->payload + have, bytes + 4, n);
        have += n;
        page = bytes_u32(bytes);
    }
    return have;
}

/* The payload of a cell, as far as it can be had: its bytes, or -errno.  *ret_all: how many it
 * should have.
 */
static int64_t
payload_read(struct reader *reader, struct span *cell, bool is_table, uint64_t *ret_all)
{
    uint32_t page_size = reader->file->page_size;
    uint64_t all = varint(cell), local;
    int r;

    if (is_table)
        reader->row.rowid = (int64_t)varint(cell);
    reader->row.has_rowid = is_table;
    if (all == 0 || all > PAYLOAD_MAX || all / page_size > reader->file->pages)
        return 0;
    local = local_size(page_size, is_table, all);
    if (local > (size_t)(cell->end - cell->at))
        local = (size_t)(cell->end - cell->at);
    r = payload_room(reader, all);
    if (r < 0)
        return r;
    memcpy(reader->payload, cell->at, local);
    *ret_all = all;
    if (local < all && cell->end - cell->at - (int64_t)local >= 4)
        local = overflow(reader, bytes_u32(cell->at + local), local, all);
    return (int64_t)local;
}

/* ---- values ---- */

/* Bytes of a value of this serial type; SIZE_MAX: there is no such type. */
static size_t
value_size(uint64_t type)
{
    static const unsigned char sizes[] = {0, 1, 2, 3, 4, 6, 8, 8, 0, 0};

    if (type >= 12)
        return (size_t)((type - 12) / 2);
    return type < sizeof sizes ? sizes[type] : SIZE_MAX;
}

static void
value_read(struct dbvalue *value, uint64_t type, const unsigned char *bytes, size_t n)
{
    uint64_t bits = n > 0 && type < 12 && (bytes[0] & 0x80) ? UINT64_MAX : 0;

    *value = (struct dbvalue){.type = 'n'};
    if (type >= 12) {
        value->type = type % 2 ? 's' : 'b';
        value->bytes = bytes;
        value->len = n;
        return;
    }
    for (size_t i = 0; i < n; i++)
        bits = bits << 8 | bytes[i];
    if (type == 7) {
        value->type = 'f';
        memcpy(&value->f, &bits, sizeof bits);
    } else if (type > 0) {
        value->type = 'i';
        value->i = type == 8 ? 0 : type == 9 ? 1 : (int64_t)bits;
    }
}

/* A value that is not all there is '?'.  False: this is no record. */
static bool
record_read(struct reader *reader, uint64_t have, uint64_t all)
{
    const unsigned char *bytes = reader->payload;
    struct span head = {bytes, bytes + have};
    uint64_t at = varint(&head);
    struct dbrow *row = &reader->row;

    row->n = 0;
    row->whole = have == all;
    if (at < 2 || at > have || at > (size_t)VARINT_MAX * (DBROW_VALUES_MAX + 1))
        return false;
    head.end = bytes + at;
    while (head.at < head.end && row->n < DBROW_VALUES_MAX) {
        struct dbvalue *value = &row->values[row->n++];
        uint64_t type = varint(&head);
        size_t n = value_size(type);

        *value = (struct dbvalue){.type = '?'};
        if (n > all - at) {
            row->whole = false;
            at = all; /* and so is the rest */
            continue;
        }
        if (at + n <= have)
            value_read(value, type, bytes + at, n);
        at += n;
    }
    row->whole = row->whole && at == all && head.at == head.end;
    return true;
}

/* 1: taken; 0: not, or no row; or -errno. */
static int
cell_read(struct reader *reader, struct span cell, bool is_table)
{
    uint64_t all = 0;
    int64_t have = payload_read(reader, &cell, is_table, &all);

    if (have <= 0)
        return (int)have;
    if (!record_read(reader, (uint64_t)have, all))
        return 0;
    return reader->fn(reader->arg, &reader->row);
}

/* ---- pages ---- */

static void
mark(unsigned char *marks, uint32_t page, bool on)
{
    if (on)
        marks[page / 8] |= (unsigned char)(1 << page % 8);
    else
        marks[page / 8] &= (unsigned char)~(1 << page % 8);
}

bool
dbfile_is_marked(const unsigned char *marks, uint32_t page)
{
    return marks[page / 8] & 1 << page % 8;
}

unsigned char *
dbfile_marks(const struct dbfile *file)
{
    return calloc(file->pages / 8 + 1, 1);
}

static int tree_read(struct reader *reader, uint32_t page, unsigned char *marks,
                     int depth);

/* What is left of one cell, and the last pointer, lead to. */
static int
child_read(struct reader *reader, uint32_t page, unsigned char *marks, int depth)
{
    if ((reader->orphan && depth > 0) || page == 0 || page > reader->file->pages ||
        depth == DEPTH_MAX || dbfile_is_marked(marks, page))
        return 0;
    return tree_read(reader, page, marks, depth + 1);
}

/* Where cell i of n begins; NULL: not in the page. */
static const unsigned char *
cell_at(const unsigned char *head, const unsigned char *page, uint32_t size, bool inner,
        uint32_t i)
{
    const unsigned char *pointer = head + (inner ? 12 : 8) + (size_t)2 * i;
    uint32_t at;

    if (pointer + 2 > page + size)
        return NULL;
    at = bytes_u16(pointer);
    return at < 8 || at + 4 > size ? NULL : page + at;
}

/* Returns how many rows were taken, or -errno; *ret_rows: how many a leaf should have. */
static int
page_read(struct reader *reader, const unsigned char *bytes, uint32_t page,
          unsigned char *marks, int depth, uint32_t *ret_rows)
{
    uint32_t size = reader->file->page_size;
    const unsigned char *head = bytes + (page == 1 ? HEAD_BYTES : 0), *at;
    bool inner = head[0] == INDEX_INNER || head[0] == TABLE_INNER;
    bool is_table = head[0] == TABLE_INNER || head[0] == TABLE_LEAF;
    uint32_t n = bytes_u16(head + 3);
    int r = 0, taken = 0;

    if (!inner && head[0] != INDEX_LEAF && head[0] != TABLE_LEAF)
        return 0;
    *ret_rows = inner ? 0 : n;
    for (uint32_t i = 0; r >= 0 && i < n; i++) {
        at = cell_at(head, bytes, size, inner, i);
        if (!at)
            continue;
        if (inner)
            r = child_read(reader, bytes_u32(at), marks, depth);
        if (r >= 0 && reader->fn && head[0] != TABLE_INNER)
            r = cell_read(reader, (struct span){at + (inner ? 4 : 0), bytes + size},
                          is_table);
        if (r == 1 && head[0] != TABLE_INNER)
            taken++;
    }
    if (r >= 0 && inner)
        r = child_read(reader, bytes_u32(head + 8), marks, depth);
    return r < 0 ? r : taken;
}

static int
tree_read(struct reader *reader, uint32_t page, unsigned char *marks, int depth)
{
    cleanup_free unsigned char *bytes = malloc(reader->file->page_size);
    uint32_t rows = 0;
    int r;

    if (!bytes)
        return -ENOMEM;
    r = dbfile_page(reader->file, page, bytes);
    if (r == -EUCLEAN)
        return 0;
    if (r < 0)
        return r;
    mark(marks, page, true);
    r = page_read(reader, bytes, page, marks, depth, &rows);
    if (r < 0)
        return r;
    if (r == 0 && rows > 0 && reader->fn)
        mark(marks, page, false); /* it may be another tree's */
    return 0;
}

static int
read_from(const struct dbfile *file, uint32_t page, unsigned char *marks, bool orphan,
          dbrow_fn *fn, void *arg)
{
    struct reader *reader = calloc(1, sizeof *reader);
    int r;

    if (!reader)
        return -ENOMEM;
    reader->file = file;
    reader->fn = fn;
    reader->arg = arg;
    reader->orphan = orphan;
    r = child_read(reader, page, marks, 0);
    free(reader->payload);
    free(reader);
    return r;
}

int
dbfile_tree(const struct dbfile *file, uint32_t root, unsigned char *marks, dbrow_fn *fn,
            void *arg)
{
    return read_from(file, root, marks, false, fn, arg);
}

int
dbfile_orphan(const struct dbfile *file, uint32_t page, unsigned char *marks,
              dbrow_fn *fn, void *arg)
{
    return read_from(file, page, marks, true, fn, arg);
}

void
dbfile_mark_free(const struct dbfile *file, unsigned char *marks)
{
    cleanup_free unsigned char *bytes = malloc(file->page_size);
    uint32_t trunk;

    if (!bytes || dbfile_page(file, 1, bytes) < 0)
        return;
    trunk = bytes_u32(bytes + 32);
    while (trunk > 1 && trunk <= file->pages && !dbfile_is_marked(marks, trunk) &&
           dbfile_page(file, trunk, bytes) == 0) {
        uint32_t n = bytes_u32(bytes + 4);

        mark(marks, trunk, true);
        if (n > file->page_size / 4 - 2)
            return; /* this is no list */
        for (uint32_t i = 0; i < n; i++) {
            uint32_t page = bytes_u32(bytes + 8 + (size_t)4 * i);

            if (page > 1 && page <= file->pages)
                mark(marks, page, true);
        }
        trunk = bytes_u32(bytes);
    }
}
