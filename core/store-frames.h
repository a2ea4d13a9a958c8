/* SPDX-License-Identifier: Apache-2.0 */
/* The frames of one scan, read from a file and trusted in nothing. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "frame.h"
#include "why.h"

struct frames {
    int fd; /* borrowed */
    char *buffer;
    size_t begin, end; /* what of the buffer is not yet taken */
    int64_t next;      /* where the next frame begins in the file */
};

/* From the start of the file. */
int frames_init(struct frames *frames, int fd);
void frames_done(struct frames *frames);
/* 1 and the next frame, which is valid until the next call; 0 at the end of the file. */
int frames_next(struct frames *frames, struct frame *ret, struct why *why);

/* What a scan says of one kind. */
struct kind {
    char name[FRAME_KIND_MAX + 1];
    bool covered, failed;
    bool lost;              /* the mass-loss guard holds its removals */
    int64_t records, added; /* stored, without doubles; those not known before */
    char what[128];         /* failed: what, and why */
};

enum { KINDS_MAX = 128 };
struct kinds {
    int n;
    struct kind kind[KINDS_MAX];
};

/* The kind of this name, added when it is new; NULL: too many. */
struct kind *kinds_get(struct kinds *kinds, const char *name, size_t len);

/* Check every frame and all that is in it, and collect the kinds.  -EBADMSG with the frame's
 * place and what is wrong with it.
 */
int frames_check(int fd, struct kinds *ret, struct why *why);
