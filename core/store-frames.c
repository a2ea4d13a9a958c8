/* SPDX-License-Identifier: Apache-2.0 */
#include "store-frames.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "json-check.h"
#include "json-text.h"
#include "record.h"

enum { BUFFER_SIZE = 2 * FRAME_MAX };

int
frames_init(struct frames *frames, int fd)
{
    *frames = (struct frames){.fd = fd, .buffer = malloc(BUFFER_SIZE)};
    return frames->buffer ? 0 : -ENOMEM;
}

void
frames_done(struct frames *frames)
{
    free(frames->buffer);
}

/* Have `need` bytes in the buffer: 1, or 0 when the file ends before. */
static int
frames_fill(struct frames *frames, size_t need)
{
    if (frames->end - frames->begin >= need)
        return 1;
    memmove(frames->buffer, frames->buffer + frames->begin, frames->end - frames->begin);
    frames->end -= frames->begin;
    frames->begin = 0;
    while (frames->end < need) {
        ssize_t n = pread(frames->fd, frames->buffer + frames->end,
                          BUFFER_SIZE - frames->end, frames->next + (off_t)frames->end);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        if (n == 0)
            return 0;
        frames->end += (size_t)n;
    }
    return 1;
}

int
frames_next(struct frames *frames, struct frame *ret, struct why *why)
{
    int64_t len = 0;
    int r = frames_fill(frames, sizeof(struct frame_head));

    if (r == 0 && frames->begin == frames->end)
        return 0;
    if (r == 1) {
        len = frame_length(frames->buffer + frames->begin, frames->end - frames->begin,
                           why);
        if (len < 0)
            return -EBADMSG;
        r = frames_fill(frames, (size_t)len);
    }
    if (r < 0)
        return why_set(why, r, "cannot read: %s", strerror(-r));
    if (r == 0)
        return why_set(why, -EBADMSG, "the file ends in a frame");
    frame_split(frames->buffer + frames->begin, ret);
    frames->begin += (size_t)len;
    frames->next += len;
    return 1;
}

struct kind *
kinds_get(struct kinds *kinds, const char *name, size_t len)
{
    struct kind *kind = &kinds->kind[kinds->n];

    for (int i = 0; i < kinds->n; i++)
        if (strlen(kinds->kind[i].name) == len &&
            memcmp(kinds->kind[i].name, name, len) == 0)
            return &kinds->kind[i];
    if (kinds->n == KINDS_MAX)
        return NULL;
    *kind = (struct kind){.covered = false};
    memcpy(kind->name, name, len);
    kinds->n++;
    return kind;
}

static bool
is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Two objects that are valid each must be valid as one, which shows a name that both have. */
static int
check_together(const struct frame *frame, struct why *why)
{
    size_t a = frame->stable_len, b = 0, c;
    cleanup_free char *both = malloc(frame->stable_len + frame->vol_len);
    struct why inner;

    if (!both)
        return -ENOMEM;
    while (frame->stable[a - 1] != '}') /* only white space is behind it */
        a--;
    for (c = --a; is_space(frame->stable[c - 1]); c--)
        continue;
    while (frame->vol[b] != '{')
        b++;
    if (frame->stable[c - 1] == '{') /* an empty object; so is the other when it is */
        return 0;
    for (c = ++b; is_space(frame->vol[c]); c++)
        continue;
    if (frame->vol[c] == '}')
        return 0;
    memcpy(both, frame->stable, a);
    both[a] = ',';
    memcpy(both + a + 1, frame->vol + b, frame->vol_len - b);
    if (json_check_flat(both, a + 1 + frame->vol_len - b, &inner) < 0)
        return why_set(why, -EBADMSG, "together with the stable one: %s", inner.text);
    return 0;
}

static int
check_record(const struct frame *frame, struct why *why)
{
    struct why inner = {""};
    int r;

    if (!json_text_is_clean(frame->key, frame->key_len))
        return why_set(why, -EBADMSG, "its key is not UTF-8");
    r = json_check_flat(frame->stable, frame->stable_len, &inner);
    if (r < 0)
        return why_set(why, r, "stable text: %s", inner.text);
    if (frame->vol_len == 0)
        return 0;
    r = json_check_flat(frame->vol, frame->vol_len, &inner);
    if (r == 0)
        r = check_together(frame, &inner);
    return r < 0 ? why_set(why, r, "volatile text: %s", inner.text) : 0;
}

/* Note the failure as words: what (made clean), and the error. */
static int
check_failed(const struct frame *frame, struct kind *kind, struct why *why)
{
    char digits[12] = "";
    int err, what_len = (int)(frame->key_len < 80 ? frame->key_len : 80);

    memcpy(digits, frame->stable, frame->stable_len); /* <= 11 */
    if (strspn(digits, "0123456789") != frame->stable_len || frame->stable_len > 9)
        return why_set(why, -EBADMSG, "its errno is no number");
    err = atoi(digits);
    if (!kind->failed) /* the first one tells most */
        snprintf(kind->what, sizeof kind->what, "%.*s: %.40s", what_len, frame->key,
                 err ? strerror(err) : "could not look");
    for (char *p = kind->what; *p; p++)
        if ((unsigned char)*p < 0x20 || (unsigned char)*p >= 0x7f)
            *p = '?';
    kind->failed = true;
    return 0;
}

static int
check_end(const struct frame *frame, struct why *why)
{
    static const char *const words[] = {END_DONE, END_NONE, END_ERROR, END_REFUSED};

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strlen(words[i]) == frame->key_len &&
            memcmp(words[i], frame->key, frame->key_len) == 0)
            return 0;
    return why_set(why, -EBADMSG, "unknown result");
}

static int
check_frame(const struct frame *frame, struct kinds *kinds, struct why *why)
{
    struct kind *kind;

    if (frame->type == FRAME_END)
        return check_end(frame, why);
    if (frame->type == FRAME_LOG)
        return *frame->key >= '1' && *frame->key <= '4'
                   ? 0
                   : why_set(why, -EBADMSG, "unknown level");
    if (!kind_is_valid(frame->kind, frame->kind_len))
        return why_set(why, -EBADMSG, "its kind is no name");
    kind = kinds_get(kinds, frame->kind, frame->kind_len);
    if (!kind)
        return why_set(why, -EBADMSG, "more than %d kinds", KINDS_MAX);
    if (frame->type == FRAME_RECORD)
        return check_record(frame, why);
    if (frame->type == FRAME_FAILED)
        return check_failed(frame, kind, why);
    kind->covered = true;
    return 0;
}

int
frames_check(int fd, struct kinds *ret, struct why *why)
{
    cleanup(frames_done) struct frames frames = {.fd = -1};
    struct why inner = {""};
    struct frame frame;
    int64_t place = 0, number = 1;
    bool ended = false;
    int r = frames_init(&frames, fd);

    ret->n = 0;
    if (r < 0)
        return why_set(why, r, "frames: %s", strerror(-r));
    for (; (r = frames_next(&frames, &frame, &inner)) == 1; number++) {
        r = ended ? why_set(&inner, -EBADMSG, "it comes after the end")
                  : check_frame(&frame, ret, &inner);
        if (r < 0)
            break;
        ended = frame.type == FRAME_END;
        place = frames.next;
    }
    if (r < 0)
        return why_set(why, r, "frame %" PRId64 " at byte %" PRId64 ": %s", number, place,
                       inner.text[0] ? inner.text : strerror(-r));
    return 0;
}
