/* SPDX-License-Identifier: Apache-2.0 */
/* Which keys a fact has emitted: a set of 64-bit hashes. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct seen {
    uint64_t *slots; /* 0: free */
    size_t n, size;  /* size: a power of two */
};

/* 1: new; 0: it was there; -ENOMEM. */
int seen_add(struct seen *seen, const char *text, size_t len);
void seen_done(struct seen *seen);
