/* SPDX-License-Identifier: Apache-2.0 */
#include "logtext.h"

#include <stdio.h>
#include <string.h>

#include "json-check.h"

static const char cut_mark[] = " [cut]";

/* Whether this valid UTF-8 sequence could move a cursor or end a line. */
static bool
is_control(const unsigned char *s, size_t len)
{
    if (len == 1)
        return s[0] < 0x20 || s[0] == 0x7f;
    if (len == 2)
        return s[0] == 0xc2 && s[1] < 0xa0; /* U+0080–U+009F */
    return len == 3 && s[0] == 0xe2 && s[1] == 0x80 &&
           (s[2] == 0xa8 || s[2] == 0xa9); /* U+2028, U+2029 */
}

/* What the first sequence of s becomes, up to 12 bytes in ret; *ret_len is its length.
 * Returns the bytes of s that this took.
 */
static size_t
one_sequence(const unsigned char *s, size_t len, char ret[17], size_t *ret_len)
{
    size_t n = utf8_sequence(s, len);

    if (n > 0 && !is_control(s, n)) {
        memcpy(ret, s, n);
        *ret_len = n;
        return n;
    }
    if (n == 0)
        n = 1;
    for (size_t i = 0; i < n; i++)
        snprintf(ret + 4 * i, 5, "\\x%02x", s[i]);
    *ret_len = 4 * n;
    return n;
}

size_t
log_text(const char *text, size_t len, char *ret, size_t size)
{
    const size_t mark_len = sizeof cut_mark - 1;
    const unsigned char *s = (const unsigned char *)text, *end = s + len;
    size_t at = 0, fit = 0; /* fit: the last place where the mark still finds room */

    while (s < end) {
        char piece[17];
        size_t piece_len;

        s += one_sequence(s, (size_t)(end - s), piece, &piece_len);
        if (at + piece_len >= size) {
            memcpy(ret + fit, cut_mark, mark_len + 1);
            return fit + mark_len;
        }
        memcpy(ret + at, piece, piece_len);
        at += piece_len;
        if (at + mark_len < size)
            fit = at;
    }
    ret[at] = '\0';
    return at;
}

bool
log_cap_take(struct log_cap *cap, int64_t now_ns, uint64_t *ret_left_out)
{
    *ret_left_out = 0;
    if (cap->lines == 0 || now_ns - cap->window_ns >= LOG_CAP_WINDOW_NS) {
        *ret_left_out = log_cap_end(cap);
        cap->window_ns = now_ns;
        cap->lines = 0;
    }
    if (cap->lines >= LOG_CAP_LINES) {
        cap->left_out++;
        return false;
    }
    cap->lines++;
    return true;
}

uint64_t
log_cap_end(struct log_cap *cap)
{
    uint64_t n = cap->left_out;

    cap->left_out = 0;
    return n;
}
