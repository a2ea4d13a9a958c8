/* SPDX-License-Identifier: Apache-2.0 */
/* damage json|conf SEED FILE: print the file with one damage, the same for the same seed
 * everywhere.  stderr says `CLASS LINE KIND`: CLASS is "must" when nobody may take the
 * text any more, "may" when it could be valid still; LINE is where a configuration is
 * wrong, else 0.
 *
 * json is for manifests and profiles without `\` and without numbers in a list; conf for
 * plain `key = value`.
 */
#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_MAX = 16 * 1024, PIECES_MAX = 1024, TRIES = 1000 };

struct text {
    char s[2 * TEXT_MAX];
    size_t n;
    int line; /* of a configuration: where its reader stops */
    uint64_t state;
};

/* Does it, or returns false: not with this text. */
struct kind {
    const char *name;
    bool (*apply)(struct text *t);
};

static size_t
below(struct text *t, size_t n)
{
    t->state ^= t->state << 13; /* xorshift64 */
    t->state ^= t->state >> 7;
    t->state ^= t->state << 17;
    return n ? (size_t)((t->state >> 11) % n) : 0;
}

/* Put these bytes where `cut` bytes were. */
static void
put(struct text *t, size_t at, size_t cut, const char *bytes, size_t n)
{
    char copy[TEXT_MAX];

    if (n > sizeof copy || t->n + n > sizeof t->s)
        abort();
    memcpy(copy, bytes, n); /* they may be of the text itself */
    memmove(t->s + at + n, t->s + at + cut, t->n - at - cut);
    memcpy(t->s + at, copy, n);
    t->n += n - cut;
}

static void
put_word(struct text *t, size_t at, size_t cut, const char *const words[], size_t n_words)
{
    const char *word = words[below(t, n_words)];

    put(t, at, cut, word, strlen(word));
}
#define PUT_WORD(t, at, cut, ...)                                                        \
    put_word(t, at, cut, (const char *const[]){__VA_ARGS__},                             \
             sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

/* Another letter at a place from `at` on. */
static void
change_letter(struct text *t, size_t at, size_t n)
{
    char letter;

    at += below(t, n);
    do
        letter = (char)('a' + below(t, 26));
    while (letter == t->s[at]);
    t->s[at] = letter;
}

/* ---- what may stay valid ---- */

/* A range that is not empty, mostly a short one. */
static size_t
range(struct text *t, size_t *ret_n)
{
    size_t at = below(t, t->n), most = t->n - at;

    if (most > 24 && below(t, 4) > 0)
        most = 24;
    *ret_n = 1 + below(t, most);
    return at;
}

static bool
may_byte(struct text *t)
{
    t->s[below(t, t->n)] = (char)below(t, 256);
    return true;
}

static bool
may_bit(struct text *t)
{
    size_t at = below(t, t->n);

    t->s[at] = (char)(t->s[at] ^ 1 << below(t, 8));
    return true;
}

static bool
may_letter(struct text *t)
{
    size_t at = below(t, t->n);

    while (at < t->n && !isalnum((unsigned char)t->s[at]))
        at++;
    if (at == t->n)
        return false;
    t->s[at] = "abcdefghijklmnopqrstuvwxyz0123456789"[below(t, 36)];
    return true;
}

static bool
may_digit(struct text *t)
{
    size_t at = below(t, t->n);

    while (at < t->n && !isdigit((unsigned char)t->s[at]))
        at++;
    if (at == t->n)
        return false;
    t->s[at] = (char)('0' + below(t, 10));
    return true;
}

static bool
may_space(struct text *t)
{
    PUT_WORD(t, below(t, t->n + 1), 0, " ", "\t", "\n", "\r\n", "\n\n", "  ");
    return true;
}

static bool
may_insert(struct text *t)
{
    char byte = (char)below(t, 256);

    put(t, below(t, t->n + 1), 0, &byte, 1);
    return true;
}

static bool
may_delete(struct text *t)
{
    size_t n, at = range(t, &n);

    put(t, at, n, "", 0);
    return true;
}

static bool
may_double(struct text *t)
{
    size_t n, at = range(t, &n);

    put(t, at, 0, t->s + at, n);
    return true;
}

static bool
may_swap(struct text *t)
{
    size_t n, at = range(t, &n), n2, at2 = range(t, &n2);
    char first[TEXT_MAX];

    if (at + n > at2)
        return false;
    memcpy(first, t->s + at, n);
    put(t, at, n, t->s + at2, n2);
    put(t, at2 - n + n2, n2, first, n);
    return true;
}

static const struct kind may[] = {
    {"byte", may_byte},     {"bit", may_bit},       {"letter", may_letter},
    {"digit", may_digit},   {"space", may_space},   {"insert", may_insert},
    {"delete", may_delete}, {"double", may_double}, {"swap", may_swap},
};

/* ---- JSON ---- */

struct token {
    char c; /* one of {}[]:, or " of a string, v of another value */
    size_t at, end;
};

static struct token tokens[PIECES_MAX];
static size_t n_tokens;

/* Returns false when a string has no end. */
static bool
tokenize(const struct text *t)
{
    n_tokens = 0;
    for (size_t i = 0; i < t->n && n_tokens < PIECES_MAX;) {
        struct token k = {t->s[i], i, i + 1};

        i++;
        if (isspace((unsigned char)k.c))
            continue;
        if (k.c == '"') {
            while (i < t->n && t->s[i] != '"')
                i++;
            if (i == t->n)
                return false;
            i++;
        } else if (!memchr("{}[]:,", k.c, 6)) {
            k.c = 'v';
            while (i < t->n && !memchr("{}[]:,\" \n", t->s[i], 9))
                i++;
        }
        k.end = i;
        tokens[n_tokens++] = k;
    }
    return true;
}

/* Its value is the tokens from key + 2 to last. */
struct member {
    size_t key, last;
};

static bool
is_one_of(const struct text *t, const struct token *key, const char *names)
{
    char name[64];
    int n = snprintf(name, sizeof name, " %.*s ", (int)(key->end - key->at - 2),
                     t->s + key->at + 1);

    return n < (int)sizeof name && strstr(names, name);
}

/* One of the members that are named so (NULL: any), or false. */
static bool
pick_member(struct text *t, const char *names, struct member *ret)
{
    struct member found[PIECES_MAX];
    size_t n = 0;

    tokenize(t);
    for (size_t i = 0; i + 2 < n_tokens; i++) {
        size_t last = i + 2;
        int depth = 0;

        if (tokens[i].c != '"' || tokens[i + 1].c != ':')
            continue;
        for (;; last++) {
            depth += tokens[last].c == '{' || tokens[last].c == '[';
            depth -= tokens[last].c == '}' || tokens[last].c == ']';
            if (depth == 0)
                break;
        }
        if (!names || is_one_of(t, &tokens[i], names))
            found[n++] = (struct member){i, last};
    }
    if (n == 0)
        return false;
    *ret = found[below(t, n)];
    return true;
}

/* Fields of manifests and profiles, which have to be named so; none takes null. */
static const char fields[] =
    " application plugin serial title issued expires exec sockets limits cpu_s stall_s "
    "deadline_s memory_mib records bytes_mib payloads name size sha256 content "
    "applications active blackout days from to collect transmit interval cputhrottle "
    "randomize ";
static const char integers[] = " serial cpu_s stall_s deadline_s memory_mib records "
                               "bytes_mib size cputhrottle randomize ";
static const char required[] = " application plugin serial name size sha256 from to ";

static bool
json_cut(struct text *t)
{
    tokenize(t);
    t->n = below(t, tokens[n_tokens - 1].end);
    return true;
}

/* Bytes that are neither white space nor allowed in a string. */
static bool
json_control(struct text *t)
{
    static const char bytes[] = "\0\1\2\3\4\5\6\7\10\13\14\16\17\20\33\37\xff\xc0\x80";

    t->s[below(t, t->n)] = bytes[below(t, sizeof bytes - 1)];
    return true;
}

static bool
json_token_gone(struct text *t)
{
    size_t i;

    tokenize(t);
    do
        i = below(t, n_tokens);
    while (tokens[i].c == '"' || tokens[i].c == 'v');
    put(t, tokens[i].at, 1, "", 0);
    return true;
}

/* One more, or one less: the last string has no end. */
static bool
json_quote(struct text *t)
{
    size_t at = below(t, t->n);
    const char *quote = memchr(t->s + at, '"', t->n - at);

    if (below(t, 2))
        put(t, at, 0, "\"", 1);
    else if (quote)
        put(t, (size_t)(quote - t->s), 1, "", 0);
    return true;
}

/* After the same text, the grammar never takes both and what then follows. */
static bool
json_tokens_swapped(struct text *t)
{
    size_t n = 0, i;
    char c;

    tokenize(t);
    for (i = 0; i < n_tokens; i++)
        if (tokens[i].c != '"' && tokens[i].c != 'v')
            tokens[n++] = tokens[i];
    do
        i = below(t, n - 1);
    while (tokens[i].c == tokens[i + 1].c);
    c = tokens[i].c;
    t->s[tokens[i].at] = tokens[i + 1].c;
    t->s[tokens[i + 1].at] = c;
    return true;
}

static bool
is_balanced(const struct text *t)
{
    int curly = 0, square = 0;

    if (!tokenize(t))
        return false;
    for (size_t i = 0; i < n_tokens; i++) {
        curly += (tokens[i].c == '{') - (tokens[i].c == '}');
        square += (tokens[i].c == '[') - (tokens[i].c == ']');
    }
    return curly == 0 && square == 0 && n_tokens > 0;
}

static bool
json_unbalanced(struct text *t)
{
    size_t n, at = range(t, &n);

    put(t, at, n, "", 0);
    return !is_balanced(t);
}

static bool
json_member_twice(struct text *t)
{
    struct member m;
    size_t at, n;

    if (!pick_member(t, NULL, &m))
        return false;
    at = tokens[m.key].at;
    n = tokens[m.last].end - at;
    put(t, at, 0, ",", 1);
    put(t, at, 0, t->s + at + 1, n);
    return true;
}

static bool
json_field_letter(struct text *t)
{
    struct member m;

    if (!pick_member(t, fields, &m))
        return false;
    change_letter(t, tokens[m.key].at + 1, tokens[m.key].end - tokens[m.key].at - 2);
    return true;
}

static bool
json_field_null(struct text *t)
{
    struct member m;
    size_t at;

    if (!pick_member(t, fields, &m))
        return false;
    at = tokens[m.key + 2].at;
    put(t, at, tokens[m.last].end - at, "null", 4);
    return true;
}

static bool
json_field_number(struct text *t)
{
    struct member m;
    size_t at;

    if (!pick_member(t, integers, &m))
        return false;
    at = tokens[m.key + 2].at;
    PUT_WORD(t, at, tokens[m.last].end - at, "-1", "0.5", "1e99", "01", "+1", "0x1", "1.",
             ".5", "9007199254740992", "NaN", "\"1\"", "[1]");
    return true;
}

static bool
json_field_gone(struct text *t)
{
    struct member m;
    size_t begin, end;

    if (!pick_member(t, required, &m))
        return false;
    begin = tokens[m.key].at;
    end = tokens[m.last].end;
    if (tokens[m.last + 1].c == ',')
        end = tokens[m.last + 1].end;
    else if (tokens[m.key - 1].c == ',')
        begin = tokens[m.key - 1].at;
    put(t, begin, end - begin, "", 0);
    return true;
}

static bool
json_more(struct text *t)
{
    PUT_WORD(t, t->n, 0, "}", "]", ",", "{}", "0", "x", "\"\"", "null", "/* */", "//");
    return true;
}

static const struct kind json_must[] = {
    {"cut", json_cut},
    {"control", json_control},
    {"token-gone", json_token_gone},
    {"quote", json_quote},
    {"tokens-swapped", json_tokens_swapped},
    {"unbalanced", json_unbalanced},
    {"member-twice", json_member_twice},
    {"field-letter", json_field_letter},
    {"field-null", json_field_null},
    {"field-number", json_field_number},
    {"field-gone", json_field_gone},
    {"more", json_more},
};

/* ---- the configuration ---- */

struct line {
    int number;
    size_t at, end;       /* without its newline */
    size_t key_n;         /* 0: a section, a comment, or empty */
    size_t equals, value; /* places */
};

/* One of the lines whose value begins with one of these bytes (NULL: any key; "[": a
 * section) and whose key is named so (NULL: any), or false.
 */
static bool
pick_line(struct text *t, const char *first, const char *names, struct line *ret)
{
    struct line found[PIECES_MAX];
    size_t n = 0, next;
    int number = 1;

    for (size_t at = 0; at < t->n && n < PIECES_MAX; at = next, number++) {
        const char *newline = memchr(t->s + at, '\n', t->n - at);
        struct line line = {number, at, newline ? (size_t)(newline - t->s) : t->n,
                            0,      0,  0};
        const char *equals = memmem(t->s + at, line.end - at, " = ", 3);
        char key[64];

        next = line.end + 1;
        if (first && *first == '[') {
            if (t->s[at] == '[')
                found[n++] = line;
            continue;
        }
        if (!equals || t->s[at] == '#')
            continue;
        line.key_n = (size_t)(equals - t->s) - at;
        line.equals = at + line.key_n + 1;
        line.value = line.equals + 2;
        snprintf(key, sizeof key, " %.*s ", (int)line.key_n, t->s + at);
        if ((!first || memchr(first, t->s[line.value], strlen(first))) &&
            (!names || strstr(names, key)))
            found[n++] = line;
    }
    if (n == 0)
        return false;
    *ret = found[below(t, n)];
    t->line = ret->number;
    return true;
}

static bool
conf_key_letter(struct text *t)
{
    struct line line;

    if (!pick_line(t, NULL, NULL, &line))
        return false;
    change_letter(t, line.at, line.key_n);
    return true;
}

static bool
conf_section_letter(struct text *t)
{
    struct line line;

    if (!pick_line(t, "[", NULL, &line))
        return false;
    change_letter(t, line.at + 1, line.end - line.at - 2);
    return true;
}

static bool
conf_no_equals(struct text *t)
{
    struct line line;

    if (!pick_line(t, NULL, NULL, &line))
        return false;
    PUT_WORD(t, line.equals, 1, "", "-", "x", "+", " ");
    return true;
}

static bool
conf_number_more(struct text *t)
{
    struct line line;

    if (!pick_line(t, "0123456789", NULL, &line))
        return false;
    PUT_WORD(t, line.end, 0, "x", " 1", ".5", "e3", "-", "KK", "\"", "999999999999999999",
             ",", "#");
    return true;
}

static bool
conf_number_range(struct text *t)
{
    struct line line;

    if (!pick_line(t, "0123456789", NULL, &line))
        return false;
    PUT_WORD(t, line.value, line.end - line.value, "0", "-1", "+1", "", "0x10",
             "9223372036854775807", "18446744073709551617", "99999999999999999999999");
    return true;
}

static bool
conf_key_twice(struct text *t)
{
    struct line line;

    if (!pick_line(t, NULL, NULL, &line) || line.end == t->n)
        return false;
    put(t, line.at, 0, t->s + line.at, line.end + 1 - line.at);
    t->line++;
    return true;
}

static bool
conf_no_bracket(struct text *t)
{
    struct line line;

    if (!pick_line(t, "[", NULL, &line))
        return false;
    put(t, line.end - 1, 1, "", 0);
    return true;
}

static bool
conf_bracket_more(struct text *t)
{
    struct line line;

    if (!pick_line(t, "[", NULL, &line))
        return false;
    PUT_WORD(t, line.end, 0, "]", "x", " x", "=", " a = b", "[log]");
    return true;
}

static bool
conf_control(struct text *t)
{
    static const char bytes[] = "\0\1\2\3\4\5\6\7\10\13\14\15\16\17\20\33\37\177";
    size_t at = below(t, t->n);

    put(t, at, 0, bytes + below(t, sizeof bytes - 1), 1);
    t->line = 1;
    for (size_t i = 0; i < at; i++)
        t->line += t->s[i] == '\n';
    return true;
}

static bool
conf_long_line(struct text *t)
{
    struct line line;
    char more[200];

    if (!pick_line(t, below(t, 2) ? "[" : NULL, NULL, &line))
        return false;
    memset(more, below(t, 2) ? 'x' : ' ', sizeof more);
    put(t, line.end, 0, more, sizeof more);
    return true;
}

static bool
conf_relative(struct text *t)
{
    struct line line;

    if (!pick_line(t, "/", NULL, &line))
        return false;
    PUT_WORD(t, line.value, 1, "", "./", "~/", ":/", "\"/");
    return true;
}

static bool
conf_word(struct text *t)
{
    struct line line;

    if (!pick_line(t, NULL, " level same_uid ", &line))
        return false;
    change_letter(t, line.value, line.end - line.value);
    return true;
}

/* In a key or a section's name, so that no whole line is left there. */
static bool
conf_cut(struct text *t)
{
    struct line line;

    if (!pick_line(t, below(t, 4) ? NULL : "[", NULL, &line))
        return false;
    t->n = line.at + 1 + below(t, line.key_n ? line.key_n : line.end - line.at - 1);
    return true;
}

static bool
conf_no_section(struct text *t)
{
    struct line line;

    if (!pick_line(t, NULL, NULL, &line) || line.end == t->n)
        return false;
    put(t, 0, 0, t->s + line.at, line.end + 1 - line.at);
    t->line = 1;
    return true;
}

/* Before a line, so that it is in the section of the line before, or in none. */
static bool
conf_unknown(struct text *t)
{
    struct line line;

    if (!pick_line(t, below(t, 2) ? "[" : NULL, NULL, &line))
        return false;
    PUT_WORD(t, line.at, 0, "colour = red\n", "[colour]\n", "x\n", "= x\n", "[]\n", "=\n",
             "<paths>\n", "state\n");
    return true;
}

static const struct kind conf_must[] = {
    {"key-letter", conf_key_letter},
    {"section-letter", conf_section_letter},
    {"no-equals", conf_no_equals},
    {"number-more", conf_number_more},
    {"number-range", conf_number_range},
    {"key-twice", conf_key_twice},
    {"no-bracket", conf_no_bracket},
    {"bracket-more", conf_bracket_more},
    {"control", conf_control},
    {"long-line", conf_long_line},
    {"relative", conf_relative},
    {"word", conf_word},
    {"cut", conf_cut},
    {"no-section", conf_no_section},
    {"unknown", conf_unknown},
};

/* ---- one of them ---- */

static bool
damage(struct text *t, const struct kind *kinds, size_t n, const char **ret_name)
{
    static struct text before;

    for (int i = 0; i < TRIES; i++) {
        const struct kind *kind = &kinds[below(t, n)];
        bool done;

        before = *t;
        t->line = 0;
        done = kind->apply(t);
        if (done && (t->n != before.n || memcmp(t->s, before.s, t->n) != 0)) {
            *ret_name = kind->name;
            return true;
        }
        before.state = t->state;
        *t = before;
    }
    return false;
}

int
main(int argc, char **argv)
{
    static struct text t;
    bool json = argc == 4 && strcmp(argv[1], "json") == 0, must;
    FILE *f = argc == 4 ? fopen(argv[3], "re") : NULL;
    const char *name = "";
    bool done;

    if (!f || (!json && strcmp(argv[1], "conf") != 0))
        return 64;
    t.n = fread(t.s, 1, TEXT_MAX, f);
    fclose(f);
    if (t.n == 0)
        return 1;
    t.state = (strtoull(argv[2], NULL, 10) + 1) * UINT64_C(0x9e3779b97f4a7c15);
    for (int i = 0; i < 8; i++)
        below(&t, 2); /* neighbours part */
    must = below(&t, 2);
    if (!must)
        done = damage(&t, may, sizeof may / sizeof *may, &name);
    else if (json)
        done = damage(&t, json_must, sizeof json_must / sizeof *json_must, &name);
    else
        done = damage(&t, conf_must, sizeof conf_must / sizeof *conf_must, &name);
    if (!done || fwrite(t.s, 1, t.n, stdout) != t.n || fflush(stdout) != 0)
        return 1;
    fprintf(stderr, "%s %d %s\n", must ? "must" : "may", must ? t.line : 0, name);
    return 0;
}
