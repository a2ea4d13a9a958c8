/* SPDX-License-Identifier: Apache-2.0 */
/* A database and its log as a repair meets them: damaged anyhow.  The first two bytes are how
 * many of the rest are the log's.
 */
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "dbfile.h"
#include "fuzz.h"
#include "salvage.h"

static int
log_of(const void *data, size_t size)
{
    static int fd = -1;

    if (fd < 0)
        fd = memfd_create("log", MFD_CLOEXEC);
    need(fd >= 0 && ftruncate(fd, 0) == 0);
    need(pwrite(fd, data, size, 0) == (ssize_t)size);
    return fd;
}

/* Every byte of a row can be read. */
static int
on_row(void *arg, const struct dbrow *row)
{
    unsigned *sum = arg;

    need(row->n >= 0 && row->n <= DBROW_VALUES_MAX);
    for (int i = 0; i < row->n; i++) {
        const struct dbvalue *value = &row->values[i];

        need(strchr("nifsb?", value->type) && value->type);
        need(!row->whole || value->type != '?');
        for (size_t k = 0; k < value->len; k++)
            *sum += ((const unsigned char *)value->bytes)[k];
    }
    return row->n > 1; /* taken, or not */
}

static void
read_all(struct dbfile *file)
{
    unsigned char *marks = dbfile_marks(file), *page = malloc(dbfile_page_size(file));
    unsigned sum = 0;

    need(marks && page);
    need(dbfile_pages(file) > 0 || dbfile_is_empty(file));
    need(dbfile_page(file, 0, page) == -EUCLEAN);
    need(dbfile_page(file, dbfile_pages(file) + 1, page) == -EUCLEAN);
    need(dbfile_tree(file, 1, marks, on_row, &sum) == 0);
    dbfile_mark_free(file, marks);
    for (uint32_t i = 1; i <= dbfile_pages(file) && i < 100; i++)
        if (!dbfile_is_marked(marks, i))
            need(dbfile_orphan(file, i, marks, on_row, &sum) == 0);
    salvage_meta(file, "schema");
    free(page);
    free(marks);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t n = size < 2 ? 0 : (size_t)data[0] << 8 | data[1];
    struct dbfile *file = NULL;
    bool damaged[2] = {false, false};

    data += size < 2 ? size : 2;
    size -= size < 2 ? size : 2;
    n = n < size ? n : size;
    for (int i = 0; i < 2; i++) {
        int r = dbfile_of(file_of(data + n, size - n), log_of(data, n),
                          i ? DBFILE_AS_SQLITE : DBFILE_NEWEST, &file);

        need(r == 0);
        read_all(file);
        damaged[i] = dbfile_log_is_damaged(file);
        dbfile_close(file);
    }
    need(!damaged[1]); /* SQLite's view ends before it */
    return 0;
}
