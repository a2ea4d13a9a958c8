/* SPDX-License-Identifier: Apache-2.0 */
/* Frames as `store` meets them: a file, as it is (first byte even), or made of lengths and
 * bytes so that whole frames come out more often (odd).
 */
#include <errno.h>

#include "fuzz.h"
#include "json-check.h"
#include "record.h"
#include "store-frames.h"

/* type, kind_len, key_len, stable_len, vol_len, and as many bytes */
static size_t
build(const uint8_t *data, size_t size, uint8_t *out)
{
    size_t at = 0, len;

    need(out);
    for (; size > 5; data += 5 + len, size -= 5 + len) {
        struct frame_head head = {FRAME_RECORD + data[0] % 6, data[1], data[2], data[3],
                                  data[4]};

        len = (size_t)data[1] + data[2] + data[3] + data[4];
        if (len > size - 5)
            len = size - 5; /* the file ends in a frame */
        memcpy(out + at, &head, sizeof head);
        memcpy(out + at + sizeof head, data + 5, len);
        at += sizeof head + len;
    }
    return at;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct kinds kinds;
    uint8_t *built = malloc(4 * size + 32);
    struct frames frames;
    struct frame frame;
    struct why why = {""};
    bool raw = size == 0 || data[0] % 2 == 0;
    size_t len = raw ? size - (size > 0) : build(data + 1, size - 1, built);
    int fd = file_of(raw ? data + (size > 0) : built, len), r;

    r = frames_check(fd, &kinds, &why);
    need(r == 0 || (r == -EBADMSG && strncmp(why.text, "frame ", 6) == 0));
    need(kinds.n <= KINDS_MAX);
    for (int i = 0; i < kinds.n; i++)
        need(kind_is_valid(kinds.kind[i].name, strlen(kinds.kind[i].name)));
    need(frames_init(&frames, fd) == 0);
    while (r == 0 && (r = frames_next(&frames, &frame, &why)) == 1) {
        r = 0;
        if (frame.type == FRAME_RECORD)
            need(json_check_flat(frame.stable, frame.stable_len, NULL) == 0);
    }
    need(r < 0 || frames.next == (int64_t)len);
    frames_done(&frames);
    free(built);
    return 0;
}
