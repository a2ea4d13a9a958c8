/* SPDX-License-Identifier: Apache-2.0 */
/* A database of SQLite's as the bytes that it is made of, for what SQLite itself no longer
 * reads: its pages, with what the write-ahead log has newer (fileformat2.html and walformat.html
 * of sqlite.org), and the rows on them.  Nothing here writes, and no byte is trusted.  Nobody
 * may write the database meanwhile.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dbfile;

/* -errno when the file, or a log that is there, cannot be opened or read; damage is none.
 * DBFILE_NEWEST: what is behind a damage in the log counts, too.  DBFILE_AS_SQLITE: it does not.
 */
enum dbfile_view { DBFILE_NEWEST, DBFILE_AS_SQLITE };
int dbfile_open(const char *path, enum dbfile_view view, struct dbfile **ret);
/* The same of descriptors, which stay the caller's; log -1: there is none. */
int dbfile_of(int fd, int log, enum dbfile_view view, struct dbfile **ret);
void dbfile_close(struct dbfile *file); /* NULL is fine */

/* What is wrong with head or log, of which SQLite may say nothing; NULL: nothing is.  A log
 * that ends in the middle of a transaction is in order.
 */
const char *dbfile_trouble(const struct dbfile *file);
/* Is part of it behind a damage in the log? */
bool dbfile_log_is_damaged(const struct dbfile *file);
/* There is no database yet: no byte in the file, and no transaction in the log. */
bool dbfile_is_empty(const struct dbfile *file);

/* Pages are 1 to dbfile_pages. */
uint32_t dbfile_pages(const struct dbfile *file);
uint32_t dbfile_page_size(const struct dbfile *file);
/* Copy a page, with zeros for what of it is not there.  -EUCLEAN: nothing of it is. */
int dbfile_page(const struct dbfile *file, uint32_t page, unsigned char *ret);

/* ---- rows ---- */

enum { DBROW_VALUES_MAX = 64 };

struct dbvalue {
    char type; /* as db_type says; '?': cannot be read */
    int64_t i;
    double f;
    const void *bytes; /* 's', 'b' */
    size_t len;
};

/* A row as it is stored: of a table WITHOUT ROWID, and of an index, the key comes first. */
struct dbrow {
    bool has_rowid;
    bool whole; /* nothing contradicts itself, all bytes are there */
    int64_t rowid;
    int n;
    struct dbvalue values[DBROW_VALUES_MAX];
};

/* Called with each row, which is valid until the call returns; below 0 ends it all.  1: the
 * row was taken.
 */
typedef int dbrow_fn(void *arg, const struct dbrow *row);

/* One bit for each page, clear at first; the caller frees it.  NULL: out of memory. */
unsigned char *dbfile_marks(const struct dbfile *file);
bool dbfile_is_marked(const unsigned char *marks, uint32_t page);

/* All rows of the tree whose root is this page, in its order; what of it cannot be read is left
 * out.  Pages that are marked are not gone into, those that were are marked; but not a leaf
 * with rows of which none was taken.  fn NULL: mark only.  0, or what fn returned.
 */
int dbfile_tree(const struct dbfile *file, uint32_t root, unsigned char *marks,
                dbrow_fn *fn, void *arg);
/* The same of one page alone, which is in no tree. */
int dbfile_orphan(const struct dbfile *file, uint32_t page, unsigned char *marks,
                  dbrow_fn *fn, void *arg);
/* Mark what the file says is free. */
void dbfile_mark_free(const struct dbfile *file, unsigned char *marks);
