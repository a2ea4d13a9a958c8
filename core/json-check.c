/* SPDX-License-Identifier: Apache-2.0 */
#include "json-check.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

enum { DEPTH_MAX = 32, KEYS_MAX = 1024 };

/* The keys of the object at hand and of those around it: a hash of the unescaped key, and
 * where its text begins.
 */
struct keys {
    size_t n;
    struct {
        uint32_t hash;
        const unsigned char *text;
    } key[KEYS_MAX];
};

struct check {
    const unsigned char *begin, *at, *end;
    bool flat;
    int depth;
    struct keys keys;
    struct why *why;
};

static int check_value(struct check *c);

static int
refuse(const struct check *c, const char *reason)
{
    return why_set(c->why, -EBADMSG, "byte %zu: %s", (size_t)(c->at - c->begin), reason);
}

size_t
utf8_sequence(const unsigned char *s, size_t len)
{
    if (len == 0)
        return 0;
    if (s[0] < 0x80)
        return 1;

    /* RFC 3629, section 4: the second byte has a range of its own after some first ones. */
    unsigned char lowest = s[0] == 0xe0 ? 0xa0 : s[0] == 0xf0 ? 0x90 : 0x80;
    unsigned char highest = s[0] == 0xed ? 0x9f : s[0] == 0xf4 ? 0x8f : 0xbf;
    size_t n = s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : s[0] < 0xf5 ? 4 : 0;

    if (n == 0 || len < n || s[1] < lowest || s[1] > highest)
        return 0;
    for (size_t i = 2; i < n; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    return n;
}

static void
skip_space(struct check *c)
{
    while (c->at < c->end && strchr(" \t\n\r", *c->at) && *c->at)
        c->at++;
}

/* The byte at hand, or -1 at the end. */
static int
peek(const struct check *c)
{
    return c->at < c->end ? *c->at : -1;
}

/* Four hexadecimal digits, or -1. */
static int
hex4(const unsigned char *s, const unsigned char *end)
{
    int value = 0;

    if (end - s < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        int c = s[i];

        if (c >= '0' && c <= '9')
            value = value * 16 + c - '0';
        else if ((c | 32) >= 'a' && (c | 32) <= 'f')
            value = value * 16 + (c | 32) - 'a' + 10;
        else
            return -1;
    }
    return value;
}

/* After a backslash and 'u': the code point, which may take a second escape. */
static const char *
unicode_escape(const unsigned char **s, const unsigned char *end, uint32_t *ret)
{
    int high = hex4(*s, end), low;

    if (high < 0)
        return "\\u without four hexadecimal digits";
    if (high == 0)
        return "\\u0000 is not allowed";
    if (high >= 0xdc00 && high <= 0xdfff)
        return "a low surrogate without a high one";
    *s += 4;
    *ret = (uint32_t)high;
    if (high < 0xd800 || high > 0xdbff)
        return NULL;
    if (end - *s < 6 || (*s)[0] != '\\' || (*s)[1] != 'u')
        return "a high surrogate without a low one";
    low = hex4(*s + 2, end);
    if (low < 0xdc00 || low > 0xdfff)
        return "a high surrogate without a low one";
    *s += 6;
    *ret = 0x10000 + (((uint32_t)high - 0xd800) << 10) + ((uint32_t)low - 0xdc00);
    return NULL;
}

/* One character of a string: moves *s behind it.  Returns what is wrong, or NULL.  *ret is
 * the same for the same character however it is written.
 */
static const char *
string_char(const unsigned char **s, const unsigned char *end, uint32_t *ret)
{
    static const char escapes[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
    const unsigned char *p = *s;

    if (*p < 0x20)
        return "a control byte in a string";
    if (*p == '\\') {
        const char *e;

        *s += 1;
        if (p + 1 == end)
            return "the text ends in a string";
        *s += 1;
        if (p[1] == 'u')
            return unicode_escape(s, end, ret);
        e = p[1] ? strchr(escapes, p[1]) : NULL;
        if (!e)
            return "an unknown escape";
        *ret = (unsigned char)meanings[e - escapes];
        return NULL;
    }

    static const unsigned char head_bits[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    size_t n = utf8_sequence(p, (size_t)(end - p));

    if (n == 0)
        return "not UTF-8";
    *ret = p[0] & head_bits[n];
    for (size_t i = 1; i < n; i++)
        *ret = *ret << 6 | (p[i] & 0x3f);
    *s += n;
    return NULL;
}

/* A string, from its opening quote; ret_hash: or NULL. */
static int
check_string(struct check *c, uint32_t *ret_hash)
{
    uint32_t hash = 2166136261u, ch = 0; /* FNV-1a */

    for (c->at++; c->at < c->end && *c->at != '"';) {
        const char *wrong = NULL;

        if (*c->at >= 0x20 && *c->at < 0x80 && *c->at != '\\')
            ch = *c->at++; /* most of them */
        else
            wrong = string_char(&c->at, c->end, &ch);
        if (wrong)
            return refuse(c, wrong);
        hash = (hash ^ ch) * 16777619u;
    }
    if (c->at == c->end)
        return refuse(c, "the text ends in a string");
    c->at++;
    if (ret_hash)
        *ret_hash = hash;
    return 0;
}

/* Both point behind the opening quote of a string that was accepted. */
static bool
same_string(const unsigned char *a, const unsigned char *b, const unsigned char *end)
{
    while (*a != '"' && *b != '"') {
        uint32_t x = 0, y = 0;

        string_char(&a, end, &x);
        string_char(&b, end, &y);
        if (x != y)
            return false;
    }
    return *a == *b;
}

/* A member's name; `first` is the index of this object's first key. */
static int
check_key(struct check *c, size_t first)
{
    const unsigned char *text = c->at + 1;
    uint32_t hash;
    int r;

    if (peek(c) != '"')
        return refuse(c, c->at == c->end ? "the text ends in an object"
                                         : "expected a member's name in quotes");
    r = check_string(c, &hash);
    if (r < 0)
        return r;
    for (size_t i = first; i < c->keys.n; i++)
        if (c->keys.key[i].hash == hash &&
            same_string(c->keys.key[i].text, text, c->end)) {
            c->at = text - 1;
            return refuse(c, "a name twice in one object");
        }
    if (c->keys.n == KEYS_MAX)
        return refuse(c, "more than 1024 members");
    c->keys.key[c->keys.n].hash = hash;
    c->keys.key[c->keys.n].text = text;
    c->keys.n++;
    return 0;
}

static int
check_member(struct check *c, size_t first)
{
    int r = check_key(c, first);

    if (r < 0)
        return r;
    skip_space(c);
    if (peek(c) != ':')
        return refuse(c, "expected ':'");
    c->at++;
    skip_space(c);
    return check_value(c);
}

static int
check_element(struct check *c, size_t first)
{
    (void)first;
    return check_value(c);
}

/* An object or array, from its opening bracket: items with commas between them. */
static int
check_items(struct check *c, int closing, int (*item)(struct check *, size_t))
{
    size_t first = c->keys.n;

    if (c->depth == DEPTH_MAX)
        return refuse(c, "nested too deeply");
    c->depth++;
    c->at++;
    skip_space(c);
    if (peek(c) != closing)
        for (;;) {
            int r = item(c, first);

            if (r < 0)
                return r;
            skip_space(c);
            if (peek(c) != ',')
                break;
            c->at++;
            skip_space(c);
        }
    if (peek(c) != closing)
        return refuse(c, closing == '}' ? "expected ',' or '}'" : "expected ',' or ']'");
    c->at++;
    c->depth--;
    c->keys.n = first;
    return 0;
}

static bool
skip_digits(struct check *c)
{
    const unsigned char *start = c->at;

    while (c->at < c->end && *c->at >= '0' && *c->at <= '9')
        c->at++;
    return c->at > start;
}

static int
check_number(struct check *c)
{
    if (peek(c) == '-')
        c->at++;
    if (peek(c) == '0')
        c->at++;
    else if (!skip_digits(c))
        return refuse(c, "expected a digit");
    if (peek(c) >= '0' && peek(c) <= '9')
        return refuse(c, "a number with a leading zero");
    if (peek(c) == '.') {
        c->at++;
        if (!skip_digits(c))
            return refuse(c, "expected a digit");
    }
    if (peek(c) == 'e' || peek(c) == 'E') {
        c->at++;
        if (peek(c) == '+' || peek(c) == '-')
            c->at++;
        if (!skip_digits(c))
            return refuse(c, "expected a digit");
    }
    return 0;
}

static int
check_word(struct check *c)
{
    static const char *const words[] = {"true", "false", "null"};

    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        size_t n = strlen(words[i]);

        if ((size_t)(c->end - c->at) >= n && memcmp(c->at, words[i], n) == 0) {
            c->at += n;
            return 0;
        }
    }
    return refuse(c, c->at == c->end ? "the text ends before a value" : "not a value");
}

static int
check_value(struct check *c)
{
    int ch = peek(c);

    if (c->flat && c->depth == 0 && ch != '{')
        return refuse(c, "expected an object");
    if (c->flat && c->depth == 1 && ch == '{')
        return refuse(c, "an object in a flat object");
    if (c->flat && c->depth == 2 && ch != '"')
        return refuse(c, "a list may hold strings only");

    switch (ch) {
    case '{':
        return check_items(c, '}', check_member);
    case '[':
        return check_items(c, ']', check_element);
    case '"':
        return check_string(c, NULL);
    case '-':
    case '0' ... '9':
        return check_number(c);
    default:
        return check_word(c);
    }
}

static int
check_text(const char *text, size_t len, bool flat, struct why *why)
{
    struct check c;
    int r;

    c.begin = c.at = (const unsigned char *)text;
    c.end = c.begin + len;
    c.flat = flat;
    c.depth = 0;
    c.keys.n = 0; /* the table itself stays as it is: 16 KiB */
    c.why = why;

    skip_space(&c);
    r = check_value(&c);
    if (r < 0)
        return r;
    skip_space(&c);
    return c.at == c.end ? 0 : refuse(&c, "something after the value");
}

int
json_check(const char *text, size_t len, struct why *why)
{
    return check_text(text, len, false, why);
}

int
json_check_flat(const char *text, size_t len, struct why *why)
{
    return check_text(text, len, true, why);
}
