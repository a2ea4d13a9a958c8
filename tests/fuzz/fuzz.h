/* SPDX-License-Identifier: Apache-2.0 */
/* What the fuzzers of this folder share.  Each is one input function for libFuzzer, or for
 * driver.c where the compiler has none.  It says what must be true of any input, with need().
 */
#pragma once

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define need(truth)                                                                      \
    do {                                                                                 \
        if (!(truth)) {                                                                  \
            fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #truth);        \
            abort();                                                                     \
        }                                                                                \
    } while (0)

/* The bytes in a block of just their size and a NUL, so that a sanitizer sees a byte too
 * far.  Of bytes with NUL in them, a string is what is before it.
 */
static inline char *
text_of(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);

    need(text);
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    return text;
}

/* A file with these bytes, of which there is one in each fuzzer; not to be closed. */
int file_of(const void *data, size_t size);
