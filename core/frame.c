/* SPDX-License-Identifier: Apache-2.0 */
#include "frame.h"

#include <errno.h>
#include <string.h>

/* The least and the most bytes that each part of a frame may have. */
struct bounds {
    const char *name;
    struct {
        size_t least, most;
    } kind, key, stable, vol;
};

static const struct bounds *
bounds_of(uint32_t type)
{
    static const struct bounds all[] = {
        {"RECORD",
         {1, FRAME_KIND_MAX},
         {1, FRAME_KEY_MAX},
         {2, FRAME_TEXT_MAX},
         {0, FRAME_TEXT_MAX}},
        {"COVERS", {1, FRAME_KIND_MAX}, {0, 0}, {0, 0}, {0, 0}},
        {"FAILED", {1, FRAME_KIND_MAX}, {0, FRAME_KEY_MAX}, {1, 11}, {0, 0}},
        {"LOG", {0, 0}, {1, 1}, {0, FRAME_TEXT_MAX}, {0, 0}},
        {"END", {0, 0}, {1, FRAME_KEY_MAX}, {0, FRAME_TEXT_MAX}, {0, 0}},
    };

    if (type < FRAME_RECORD || type > FRAME_END)
        return NULL;
    return &all[type - FRAME_RECORD];
}

int64_t
frame_length(const void *bytes, size_t len, struct why *why)
{
    struct frame_head head;
    const struct bounds *b;

    if (len < sizeof head)
        return 0;
    memcpy(&head, bytes, sizeof head);
    b = bounds_of(head.type);
    if (!b)
        return why_set(why, -EBADMSG, "unknown frame type 0x%08x", head.type);
    if (head.kind_len < b->kind.least || head.kind_len > b->kind.most)
        return why_set(why, -EBADMSG, "%s frame with a kind of %u bytes", b->name,
                       head.kind_len);
    if (head.key_len < b->key.least || head.key_len > b->key.most)
        return why_set(why, -EBADMSG, "%s frame with a key of %u bytes", b->name,
                       head.key_len);
    if (head.stable_len < b->stable.least || head.stable_len > b->stable.most)
        return why_set(why, -EBADMSG, "%s frame with a stable text of %u bytes", b->name,
                       head.stable_len);
    if (head.volatile_len > b->vol.most)
        return why_set(why, -EBADMSG, "%s frame with a volatile text of %u bytes",
                       b->name, head.volatile_len);
    /* At most FRAME_MAX: every part is bounded. */
    return (int64_t)(sizeof head + head.kind_len + head.key_len + head.stable_len +
                     head.volatile_len);
}

void
frame_split(const void *bytes, struct frame *ret)
{
    struct frame_head head;

    memcpy(&head, bytes, sizeof head);
    ret->type = head.type;
    ret->kind = (const char *)bytes + sizeof head;
    ret->kind_len = head.kind_len;
    ret->key = ret->kind + head.kind_len;
    ret->key_len = head.key_len;
    ret->stable = ret->key + head.key_len;
    ret->stable_len = head.stable_len;
    ret->vol = ret->stable + head.stable_len;
    ret->vol_len = head.volatile_len;
}

size_t
frame_size(const struct frame *frame)
{
    return sizeof(struct frame_head) + frame->kind_len + frame->key_len +
           frame->stable_len + frame->vol_len;
}

/* Copy one part, which may be NULL when it is empty; returns where the next one goes. */
static char *
part_write(char *to, const char *text, size_t len)
{
    if (len > 0)
        memcpy(to, text, len);
    return to + len;
}

void
frame_write(const struct frame *frame, void *buffer)
{
    struct frame_head head = {
        .type = frame->type,
        .kind_len = (uint16_t)frame->kind_len,
        .key_len = (uint16_t)frame->key_len,
        .stable_len = (uint32_t)frame->stable_len,
        .volatile_len = (uint32_t)frame->vol_len,
    };
    char *to = part_write(buffer, (const char *)&head, sizeof head);

    to = part_write(to, frame->kind, frame->kind_len);
    to = part_write(to, frame->key, frame->key_len);
    to = part_write(to, frame->stable, frame->stable_len);
    part_write(to, frame->vol, frame->vol_len);
}
