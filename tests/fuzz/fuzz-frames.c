/* SPDX-License-Identifier: Apache-2.0 */
/* Frames as the keeper meets them: a stream, of which ever more has come. */
#include <errno.h>

#include "frame.h"
#include "fuzz.h"

/* What the first `len` bytes say, in a block of just that size. */
static int64_t
length_of(const uint8_t *data, size_t len, struct why *why)
{
    uint8_t *exact = malloc(len ? len : 1);
    int64_t n;

    need(exact);
    memcpy(exact, data, len);
    n = frame_length(exact, len, why);
    free(exact);
    return n;
}

static void
check_frame(const uint8_t *data, size_t len)
{
    const char *begin = (const char *)data;
    struct frame frame;
    uint8_t *again = malloc(len);

    frame_split(data, &frame);
    need(again && frame_size(&frame) == len);
    need(frame.kind == begin + sizeof(struct frame_head));
    need(frame.key == frame.kind + frame.kind_len && frame.kind_len <= FRAME_KIND_MAX);
    need(frame.stable == frame.key + frame.key_len && frame.key_len <= FRAME_KEY_MAX);
    need(frame.vol == frame.stable + frame.stable_len);
    need(frame.vol + frame.vol_len == begin + len);
    frame_write(&frame, again);
    need(memcmp(again, data, len) == 0);
    free(again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const size_t head = sizeof(struct frame_head);
    struct why why = {""};
    int64_t n;

    for (; size > 0; data += n, size -= (size_t)n) {
        n = length_of(data, size, &why);
        for (size_t len = 0; len < size && len < head + 2; len++)
            need(length_of(data, len, NULL) == (len < head ? 0 : n));
        need(n == -EBADMSG ? why.text[0] : n == 0 || n >= (int64_t)head);
        need(n <= FRAME_MAX && (n != 0) == (size >= head));
        if (n <= 0 || (uint64_t)n > size)
            return 0;
        check_frame(data, (size_t)n);
    }
    return 0;
}
