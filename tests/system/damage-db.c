/* SPDX-License-Identifier: Apache-2.0 */
/* damage-db SEED FILE: damage a database, or the log beside it, in place; the same for the same
 * seed and size.  stdout says what was done.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PAGE = 4096, MOST = 4 * PAGE };

static uint64_t state;

static int64_t
below(int64_t n)
{
    state ^= state << 13; /* xorshift64 */
    state ^= state >> 7;
    state ^= state << 17;
    return (int64_t)((state >> 11) % (uint64_t)n);
}

struct place {
    int fd;
    int64_t size, at, n;
};

static void
random_bytes(unsigned char *bytes, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        bytes[i] = (unsigned char)below(256);
}

static void
cut(struct place *p)
{
    if (ftruncate(p->fd, p->at) < 0)
        exit(1);
}

static void
write_bytes(const struct place *p, const unsigned char *bytes)
{
    int64_t n = p->n < p->size - p->at ? p->n : p->size - p->at;

    if (pwrite(p->fd, bytes, (size_t)n, p->at) != n)
        exit(1);
}

static void
bit(struct place *p)
{
    unsigned char byte;

    if (pread(p->fd, &byte, 1, p->at) != 1)
        exit(1);
    byte = (unsigned char)(byte ^ 1 << below(8));
    p->n = 1;
    write_bytes(p, &byte);
}

static void
garbage(struct place *p)
{
    static unsigned char bytes[MOST];

    random_bytes(bytes, p->n);
    write_bytes(p, bytes);
}

static void
zeros(struct place *p)
{
    static const unsigned char bytes[MOST];

    write_bytes(p, bytes);
}

static void
page(struct place *p)
{
    p->at -= p->at % PAGE;
    p->n = PAGE;
    if (below(2))
        garbage(p);
    else
        zeros(p);
}

static void
head(struct place *p)
{
    p->at = below(p->size < 100 ? p->size : 100);
    p->n = 1 + below(4);
    garbage(p);
}

static void
all(struct place *p)
{
    p->at = 0;
    p->n = MOST;
    garbage(p);
}

static const struct {
    const char *name;
    void (*apply)(struct place *p);
} kinds[] = {{"cut", cut},   {"bit", bit},   {"garbage", garbage}, {"zeros", zeros},
             {"page", page}, {"head", head}, {"garbage", garbage}, {"all", all}};

int
main(int argc, char **argv)
{
    struct place p = {.fd = -1};
    char log[4096];
    struct stat st;
    const char *file = argv[argc - 1];
    int64_t kind;

    if (argc != 3)
        return 64;
    state = (strtoull(argv[1], NULL, 10) + 1) * UINT64_C(0x9e3779b97f4a7c15);
    for (int i = 0; i < 8; i++)
        below(2); /* neighbours part */
    snprintf(log, sizeof log, "%s-wal", file);
    if (below(4) == 0 && stat(log, &st) == 0 && st.st_size > 0)
        file = log;
    p.fd = open(file, O_RDWR | O_CLOEXEC);
    if (p.fd < 0 || fstat(p.fd, &st) < 0 || st.st_size == 0)
        return 1;
    p.size = st.st_size;
    p.at = below(p.size);
    p.n = 1 + below(below(2) ? 16 : below(2) ? 500 : MOST);
    kind = below(sizeof kinds / sizeof *kinds);
    kinds[kind].apply(&p);
    printf("%s at %lld, %lld bytes, of %s\n", kinds[kind].name, (long long)p.at,
           (long long)p.n, file == log ? "the log" : "the file");
    return 0;
}
