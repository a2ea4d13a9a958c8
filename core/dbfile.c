/* SPDX-License-Identifier: Apache-2.0 */
/* The pages.  Words of fileformat2.html: a log is a list of frames, each with a page, a salt
 * that is the log's, and a checksum that goes on from the frame before; a frame with a size
 * ends a transaction.
 */
#include "dbfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "bytes.h"
#include "cleanup.h"
#include "dbfile-pages.h"

enum {
    HEAD_BYTES = 100,
    PAGE_BYTES = 4096, /* SQLite's own choice, and so ours, since 2016 */
    LOG_HEAD_BYTES = 32,
    FRAME_HEAD_BYTES = 24,
};

#define LOG_MAGIC 0x377f0682 /* | 1: checksums are of big-endian words */

/* Bytes at this place, with zeros for those that are not there.  Returns how many there are. */
static ssize_t
read_at(int fd, int64_t at, unsigned char *ret, size_t n)
{
    size_t got = 0;

    memset(ret, 0, n);
    while (got < n) {
        ssize_t r = pread(fd, ret + got, n - got, (off_t)at + (off_t)got);

        if (r < 0)
            return -errno;
        if (r == 0)
            break;
        got += (size_t)r;
    }
    return (ssize_t)got;
}

static bool
is_page_size(uint32_t size)
{
    return size >= 512 && size <= 65536 && (size & (size - 1)) == 0;
}

/* ---- the head ---- */

static uint32_t
head_page_size(const unsigned char *head)
{
    uint32_t size = bytes_u16(head + 16);

    return size == 1 ? 65536 : size;
}

/* NULL, or what is wrong with the head of a database of ours. */
static const char *
head_trouble(const unsigned char *head, uint32_t page_size)
{
    if (memcmp(head, "SQLite format 3", 16) != 0)
        return "it does not begin as a database does";
    if (head_page_size(head) != page_size)
        return "its page size is wrong";
    if (head[18] < 1 || head[18] > 2 || head[19] < 1 || head[19] > 2 || head[20] != 0)
        return "its format version is unknown";
    if (head[21] != 64 || head[22] != 32 || head[23] != 32)
        return "its payload fractions are wrong";
    if (bytes_u32(head + 44) > 4 || bytes_u32(head + 56) > 1)
        return "its schema format or text encoding is unknown";
    if (bytes_u32(head + 52) != 0 || bytes_u32(head + 64) != 0)
        return "its vacuum mode is wrong";
    return NULL;
}

/* The head may be wrong; then the log knows, or the size of the file, or we do. */
static uint32_t
choose_page_size(const unsigned char *head, const unsigned char *log_head, int64_t size)
{
    uint32_t of_head = head_page_size(head), of_log = bytes_u32(log_head + 8);

    if ((bytes_u32(log_head) & ~1U) == LOG_MAGIC && is_page_size(of_log))
        return of_log;
    if (is_page_size(of_head) && !head_trouble(head, of_head) &&
        ((int64_t)bytes_u32(head + 28) * of_head == size ||
         (int64_t)bytes_u32(head + 28) * PAGE_BYTES != size))
        return of_head;
    return PAGE_BYTES;
}

/* ---- the log ---- */

struct log {
    int fd;
    uint32_t page_size;
    bool big_endian;
    unsigned char salt[8];
    uint32_t sum[2]; /* with which the first frame goes on */
};

static void
checksum(bool big_endian, const unsigned char *bytes, size_t n, uint32_t sum[2])
{
    for (size_t i = 0; i + 8 <= n; i += 8) {
        sum[0] += (big_endian ? bytes_u32 : bytes_u32_le)(bytes + i) + sum[1];
        sum[1] += (big_endian ? bytes_u32 : bytes_u32_le)(bytes + i + 4) + sum[0];
    }
}

/* Read what the head says; when that cannot be, what the first frames say.  Is it in order? */
static bool
log_begin(struct log *log, const unsigned char *head)
{
    unsigned char first[FRAME_HEAD_BYTES], second[FRAME_HEAD_BYTES];
    uint32_t sum[2] = {0, 0}, magic = bytes_u32(head);
    bool good;

    log->big_endian = magic & 1;
    checksum(log->big_endian, head, 24, sum);
    good = (magic & ~1U) == LOG_MAGIC && bytes_u32(head + 8) == log->page_size &&
           bytes_u32(head + 4) == 3007000 && sum[0] == bytes_u32(head + 24) &&
           sum[1] == bytes_u32(head + 28);
    log->sum[0] = bytes_u32(head + 24);
    log->sum[1] = bytes_u32(head + 28);
    memcpy(log->salt, head + 16, 8);
    if (good)
        return true;
    log->big_endian = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__;
    read_at(log->fd, LOG_HEAD_BYTES, first, sizeof first);
    read_at(log->fd, LOG_HEAD_BYTES + FRAME_HEAD_BYTES + log->page_size, second,
            sizeof second);
    memcpy(log->salt, memcmp(first + 8, second + 8, 8) == 0 ? second + 8 : first + 8, 8);
    return false;
}

/* Does the frame go on from this sum?  The sum that it has itself comes out: the next frame
 * can be known as good though this one is not.
 */
static bool
frame_is_whole(const struct log *log, const unsigned char *frame, uint32_t sum[2])
{
    uint32_t is[2] = {sum[0], sum[1]};

    checksum(log->big_endian, frame, 8, is);
    checksum(log->big_endian, frame + FRAME_HEAD_BYTES, log->page_size, is);
    sum[0] = bytes_u32(frame + 16);
    sum[1] = bytes_u32(frame + 20);
    return is[0] == sum[0] && is[1] == sum[1];
}

static int
log_grow(struct dbfile *file, uint32_t page)
{
    uint32_t room = file->log_room ? file->log_room : 64;
    int64_t *at;

    if (page < file->log_room)
        return 0;
    while (room <= page)
        room *= 2;
    at = reallocarray(file->log_at, room, sizeof *at);
    if (!at)
        return -ENOMEM;
    memset(at + file->log_room, 0, (room - file->log_room) * sizeof *at);
    file->log_at = at;
    file->log_room = room;
    return 0;
}

/* The pages of the frames from *begin to end are newer than what was known of them. */
static int
log_take(struct dbfile *file, const struct log *log, int64_t *begin, int64_t end,
         const unsigned char *whole)
{
    const int64_t step = FRAME_HEAD_BYTES + (int64_t)log->page_size;

    for (; *begin <= end; ++*begin) {
        unsigned char head[FRAME_HEAD_BYTES];
        int64_t at = LOG_HEAD_BYTES + *begin * step;
        uint32_t page;
        int r;

        if (!(whole[*begin / 8] & 1 << *begin % 8))
            continue;
        if (read_at(log->fd, at, head, sizeof head) < (ssize_t)sizeof head)
            return -EIO;
        page = bytes_u32(head);
        r = log_grow(file, page);
        if (r < 0)
            return r;
        file->log_at[page] = at + FRAME_HEAD_BYTES;
        if (page > file->pages)
            file->pages = page;
    }
    return 0;
}

/* A page number that a database of ours never reaches: 2^24 pages of 4 KiB are 64 GiB. */
#define PAGE_MAX (UINT32_C(1) << 24)

/* On the way through all frames. */
struct frames {
    struct dbfile *file;
    struct log *log;
    unsigned char *frame, *whole; /* the one at hand; a bit for each that is whole */
    uint32_t sum[2];
    bool broken; /* SQLite would have ended */
    bool before; /* the last one was whole */
    bool torn; /* the first bad one is not of this log, which has nothing behind it yet */
    int64_t taken; /* up to here they count */
    int64_t held;  /* the end of a transaction that may be torn; -1: there is none */
};

/* What frame i is: *ret_salted: of this log; *ret_end: whole, and the end of a transaction. */
static int
frame_look(struct frames *f, int64_t i, bool *ret_salted, bool *ret_end)
{
    const int64_t step = FRAME_HEAD_BYTES + (int64_t)f->log->page_size;
    ssize_t got = read_at(f->log->fd, LOG_HEAD_BYTES + i * step, f->frame, (size_t)step);
    uint32_t page = bytes_u32(f->frame);
    bool is_whole;

    if (got < 0)
        return (int)got;
    *ret_salted = memcmp(f->frame + 8, f->log->salt, 8) == 0;
    is_whole = frame_is_whole(f->log, f->frame, f->sum) && (*ret_salted || f->before) &&
               page > 0 && page < PAGE_MAX;
    if (!f->broken)
        f->torn = !*ret_salted;
    f->broken = f->broken || !is_whole || !*ret_salted;
    f->before = is_whole;
    *ret_end = is_whole && bytes_u32(f->frame + 4) != 0;
    if (is_whole && (!f->broken || f->file->newest))
        f->whole[i / 8] |= (unsigned char)(1 << i % 8);
    return 0;
}

static int
frames_take(struct frames *f, int64_t end)
{
    f->file->log_damaged = f->file->log_damaged || f->broken;
    return log_take(f->file, f->log, &f->taken, end, f->whole);
}

/* SQLite's way ends at the first frame that is not whole; ours goes on behind it.  But not when
 * that one is not of this log, and nothing was written behind the transaction that it is in:
 * this was never on disk as a whole, so nobody was told of it.
 */
static int
frames_walk(struct frames *f, int64_t n)
{
    int r = 0;

    for (int64_t i = 0; r >= 0 && i < n; i++) {
        bool salted = false, is_end = false;

        r = frame_look(f, i, &salted, &is_end);
        if (r < 0 || (f->broken && !f->file->newest))
            break;
        if (f->torn && is_end && f->held < 0) {
            f->held = i;
            continue;
        }
        if (f->held >= 0 && salted) { /* there is more of this log: it was whole */
            f->torn = false;
            r = frames_take(f, f->held);
            f->held = -1;
        }
        if (r >= 0 && is_end)
            r = frames_take(f, i);
    }
    return r;
}

static int
log_frames(struct dbfile *file, struct log *log, bool good, int64_t n)
{
    cleanup_free unsigned char *frame = malloc(FRAME_HEAD_BYTES + (size_t)log->page_size);
    cleanup_free unsigned char *whole = calloc((size_t)n / 8 + 1, 1);
    struct frames f = {.file = file,
                       .log = log,
                       .frame = frame,
                       .whole = whole,
                       .sum = {log->sum[0], log->sum[1]},
                       .broken = !good,
                       .before = true,
                       .held = -1};

    return frame && whole ? frames_walk(&f, n) : -ENOMEM;
}

static int
log_read(struct dbfile *file, int fd, const unsigned char *head, int64_t size)
{
    struct log log = {.fd = fd, .page_size = file->page_size};
    const int64_t step = FRAME_HEAD_BYTES + (int64_t)file->page_size;
    bool good;

    if (size < LOG_HEAD_BYTES + step)
        return 0;
    good = log_begin(&log, head);
    return log_frames(file, &log, good, (size - LOG_HEAD_BYTES) / step);
}

/* ---- the file ---- */

static int
look(struct dbfile *file)
{
    unsigned char head[HEAD_BYTES], log_head[LOG_HEAD_BYTES] = {0};
    struct stat st, log_st = {0};
    int r;

    if (fstat(file->fd, &st) < 0 || (file->log >= 0 && fstat(file->log, &log_st) < 0))
        return -errno;
    if (!S_ISREG(st.st_mode) || (file->log >= 0 && !S_ISREG(log_st.st_mode)))
        return -EINVAL;
    r = (int)read_at(file->fd, 0, head, sizeof head);
    if (r >= 0 && file->log >= 0)
        r = (int)read_at(file->log, 0, log_head, sizeof log_head);
    if (r < 0)
        return r;
    file->page_size = choose_page_size(head, log_head, st.st_size);
    file->size = st.st_size;
    if (st.st_size / file->page_size >= PAGE_MAX)
        return -EFBIG;
    file->pages = (uint32_t)((st.st_size + file->page_size - 1) / file->page_size);
    r = log_read(file, file->log, log_head, log_st.st_size);
    if (r < 0 || file->pages == 0)
        return r;
    if (file->log_damaged)
        file->trouble = "its write-ahead log";
    else if (file->size == 0)
        file->trouble = "it is empty, and its write-ahead log is not";
    if (file->log_room > 1 && file->log_at[1])
        r = (int)read_at(file->log, file->log_at[1], head, sizeof head);
    if (r >= 0 && !file->trouble)
        file->trouble = head_trouble(head, file->page_size);
    return r < 0 ? r : 0;
}

int
dbfile_of(int fd, int log, enum dbfile_view view, struct dbfile **ret)
{
    struct dbfile *file = calloc(1, sizeof *file);
    int r;

    if (!file)
        return -ENOMEM;
    file->fd = fd;
    file->log = log;
    file->newest = view == DBFILE_NEWEST;
    r = look(file);
    if (r < 0)
        dbfile_close(file);
    else
        *ret = file;
    return r;
}

static int
open_file(const char *path)
{
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

    return fd < 0 ? -errno : fd;
}

int
dbfile_open(const char *path, enum dbfile_view view, struct dbfile **ret)
{
    cleanup_free char *log_path = NULL;
    cleanup_fd int fd = -1, log = -1;
    int r;

    if (asprintf(&log_path, "%s-wal", path) < 0)
        return -ENOMEM;
    fd = open_file(path);
    log = open_file(log_path);
    if (fd < 0 || (log < 0 && log != -ENOENT))
        return fd < 0 ? fd : log;
    r = dbfile_of(fd, log < 0 ? -1 : log, view, ret);
    if (r < 0)
        return r;
    (*ret)->owned = true;
    steal_fd(&fd);
    steal_fd(&log);
    return 0;
}

void
dbfile_close(struct dbfile *file)
{
    if (!file)
        return;
    if (file->owned) {
        close(file->fd);
        if (file->log >= 0)
            close(file->log);
    }
    free(file->log_at);
    free(file);
}

const char *
dbfile_trouble(const struct dbfile *file)
{
    return file->trouble;
}

bool
dbfile_log_is_damaged(const struct dbfile *file)
{
    return file->log_damaged;
}

bool
dbfile_is_empty(const struct dbfile *file)
{
    return file->pages == 0;
}

uint32_t
dbfile_pages(const struct dbfile *file)
{
    return file->pages;
}

uint32_t
dbfile_page_size(const struct dbfile *file)
{
    return file->page_size;
}

int
dbfile_page(const struct dbfile *file, uint32_t page, unsigned char *ret)
{
    int64_t at = (int64_t)(page - 1) * file->page_size;
    ssize_t n;

    if (page == 0 || page > file->pages)
        return -EUCLEAN;
    if (page < file->log_room && file->log_at[page])
        n = read_at(file->log, file->log_at[page], ret, file->page_size);
    else
        n = read_at(file->fd, at, ret, file->page_size);
    return n < 0 ? (int)n : n == 0 ? -EUCLEAN : 0;
}
