/* SPDX-License-Identifier: Apache-2.0 */
#include "seen.h"

#include <errno.h>
#include <stdlib.h>

/* FNV-1a */
static uint64_t
hash(const char *text, size_t len)
{
    uint64_t h = UINT64_C(14695981039346656037);

    for (size_t i = 0; i < len; i++)
        h = (h ^ (unsigned char)text[i]) * UINT64_C(1099511628211);
    return h ? h : 1;
}

static int
insert(uint64_t *slots, size_t size, uint64_t h)
{
    size_t i = h & (size - 1);

    while (slots[i] && slots[i] != h)
        i = (i + 1) & (size - 1);
    if (slots[i] == h)
        return 0;
    slots[i] = h;
    return 1;
}

static int
grow(struct seen *seen)
{
    size_t size = seen->size ? seen->size * 2 : 64;
    uint64_t *slots = calloc(size, sizeof *slots);

    if (!slots)
        return -ENOMEM;
    for (size_t i = 0; i < seen->size; i++)
        if (seen->slots[i])
            insert(slots, size, seen->slots[i]);
    free(seen->slots);
    seen->slots = slots;
    seen->size = size;
    return 0;
}

int
seen_add(struct seen *seen, const char *text, size_t len)
{
    int r;

    if (seen->n >= seen->size / 2) {
        r = grow(seen);
        if (r < 0)
            return r;
    }
    r = insert(seen->slots, seen->size, hash(text, len));
    seen->n += (size_t)r;
    return r;
}

void
seen_done(struct seen *seen)
{
    free(seen->slots);
    *seen = (struct seen){0};
}
