/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "frame.h"

Test(frame, what_is_written_is_read_back)
{
    static const struct frame rows[] = {
        {FRAME_RECORD, "package", "dpkg/a", "{\"a\":1}", "{\"b\":2}", 7, 6, 7, 7},
        {FRAME_RECORD, "package", "k", "{}", NULL, 7, 1, 2, 0},
        {FRAME_COVERS, "package", NULL, NULL, NULL, 7, 0, 0, 0},
        {FRAME_FAILED, "package", "/x", "13", NULL, 7, 2, 2, 0},
        {FRAME_LOG, NULL, "3", "words", NULL, 0, 1, 5, 0},
        {FRAME_END, NULL, END_DONE, NULL, NULL, 0, 4, 0, 0},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct frame *f = &rows[i];
        size_t size = frame_size(f);
        char *bytes = malloc(size);
        struct frame back;

        frame_write(f, bytes);
        cr_expect_eq(frame_length(bytes, size, NULL), (int64_t)size);
        frame_split(bytes, &back);
        cr_expect_eq(back.type, f->type);
        cr_expect_eq(back.kind_len, f->kind_len);
        cr_expect_eq(back.key_len, f->key_len);
        cr_expect_eq(back.stable_len, f->stable_len);
        cr_expect_eq(back.vol_len, f->vol_len);
        cr_expect(f->kind_len == 0 || memcmp(back.kind, f->kind, f->kind_len) == 0);
        cr_expect(f->key_len == 0 || memcmp(back.key, f->key, f->key_len) == 0);
        cr_expect(f->stable_len == 0 ||
                  memcmp(back.stable, f->stable, f->stable_len) == 0);
        cr_expect(f->vol_len == 0 || memcmp(back.vol, f->vol, f->vol_len) == 0);
        cr_expect_eq(back.vol + back.vol_len, bytes + size);
        free(bytes);
    }
}

Test(frame, a_head_that_is_not_whole_says_nothing_yet)
{
    struct frame_head head = {.type = 0xffffffff};

    for (size_t len = 0; len < sizeof head; len++)
        cr_expect_eq(frame_length(&head, len, NULL), 0);
    cr_expect_eq(frame_length(&head, sizeof head, NULL), -EBADMSG);
}

/* Each head at the edge of what is allowed, and one beyond. */
Test(frame, every_part_is_bounded)
{
    static const struct {
        struct frame_head head;
        bool good;
    } rows[] = {
        {{FRAME_RECORD, 1, 1, 2, 0}, true},
        {{FRAME_RECORD, 32, 1024, 262144, 262144}, true},
        {{FRAME_RECORD, 0, 1, 2, 0}, false},
        {{FRAME_RECORD, 33, 1, 2, 0}, false},
        {{FRAME_RECORD, 1, 0, 2, 0}, false},
        {{FRAME_RECORD, 1, 1025, 2, 0}, false},
        {{FRAME_RECORD, 1, 1, 1, 0}, false},
        {{FRAME_RECORD, 1, 1, 262145, 0}, false},
        {{FRAME_RECORD, 1, 1, 2, 262145}, false},
        {{FRAME_RECORD, 0xffff, 0xffff, 0xffffffff, 0xffffffff}, false},
        {{FRAME_RECORD, 1, 1, 0x80000000, 0x80000000}, false},
        {{FRAME_COVERS, 1, 0, 0, 0}, true},
        {{FRAME_COVERS, 0, 0, 0, 0}, false},
        {{FRAME_COVERS, 1, 1, 0, 0}, false},
        {{FRAME_COVERS, 1, 0, 1, 0}, false},
        {{FRAME_COVERS, 1, 0, 0, 1}, false},
        {{FRAME_FAILED, 1, 0, 1, 0}, true},
        {{FRAME_FAILED, 1, 1024, 11, 0}, true},
        {{FRAME_FAILED, 1, 1, 0, 0}, false},
        {{FRAME_FAILED, 1, 1, 12, 0}, false},
        {{FRAME_FAILED, 1, 1, 1, 1}, false},
        {{FRAME_LOG, 0, 1, 0, 0}, true},
        {{FRAME_LOG, 0, 0, 1, 0}, false},
        {{FRAME_LOG, 0, 2, 1, 0}, false},
        {{FRAME_LOG, 1, 1, 1, 0}, false},
        {{FRAME_END, 0, 4, 0, 0}, true},
        {{FRAME_END, 0, 0, 0, 0}, false},
        {{FRAME_END, 1, 4, 0, 0}, false},
        {{FRAME_END, 0, 4, 0, 1}, false},
        {{0, 1, 1, 2, 0}, false},
        {{FRAME_RECORD - 1, 1, 1, 2, 0}, false},
        {{FRAME_END + 1, 0, 4, 0, 0}, false},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct frame_head *h = &rows[i].head;
        struct why why = {""};
        int64_t r = frame_length(h, sizeof *h, &why);

        if (rows[i].good) {
            cr_expect_eq(r, (int64_t)sizeof *h + h->kind_len + h->key_len +
                                h->stable_len + h->volatile_len);
            cr_expect_leq(r, FRAME_MAX);
        } else {
            cr_expect_eq(r, -EBADMSG, "row %zu", i);
            cr_expect_str_not_empty(why.text);
        }
    }
}
