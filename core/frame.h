/* SPDX-License-Identifier: Apache-2.0 */
/* Frames: what a runner says to its keeper, and what the keeper keeps in the spool for
 * `store`.  A head of 16 bytes in host order (same machine, same program), then kind, key,
 * stable and volatile bytes one after the other, no NUL between.
 *
 *   type      kind    key        stable                volatile
 *   RECORD    kind    key        JSON object           JSON object, or empty
 *   COVERS    kind
 *   FAILED    kind    what       errno, decimal
 *   LOG               level 1-4  text
 *   END               result     reason                            (result: below)
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "why.h"

enum frame_type {
    FRAME_RECORD = 0x534f4e01,
    FRAME_COVERS,
    FRAME_FAILED,
    FRAME_LOG,
    FRAME_END,
};

struct frame_head {
    uint32_t type;
    uint16_t kind_len;                 /* <= FRAME_KIND_MAX */
    uint16_t key_len;                  /* <= FRAME_KEY_MAX */
    uint32_t stable_len, volatile_len; /* <= FRAME_TEXT_MAX each */
};

enum {
    FRAME_KIND_MAX = 32,
    FRAME_KEY_MAX = 1024,
    FRAME_TEXT_MAX = 256 * 1024,
    FRAME_MAX =
        sizeof(struct frame_head) + FRAME_KIND_MAX + FRAME_KEY_MAX + 2 * FRAME_TEXT_MAX,
};

/* The key of an END frame. */
#define END_DONE "done"       /* the plugin said DONE */
#define END_NONE "none"       /* open said -ENODATA */
#define END_ERROR "error"     /* open or next failed; the reason says how */
#define END_REFUSED "refused" /* the plugin was not run; the reason says why */

struct frame {
    enum frame_type type;
    const char *kind, *key, *stable, *vol; /* borrowed; not NUL-terminated */
    size_t kind_len, key_len, stable_len, vol_len;
};

/* Look at the start of a byte stream.  Returns the whole length of the frame that begins
 * there (it may be longer than len: read more), 0 when len is too short to say, or -EBADMSG
 * with the reason.
 */
int64_t frame_length(const void *bytes, size_t len, struct why *why);

/* Point ret into a whole frame; bytes must be frame_length() long. */
void frame_split(const void *bytes, struct frame *ret);

/* Bytes of this frame when written; and write it to a buffer of that size. */
size_t frame_size(const struct frame *frame);
void frame_write(const struct frame *frame, void *buffer);
