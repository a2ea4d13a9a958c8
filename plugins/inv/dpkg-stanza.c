/* SPDX-License-Identifier: Apache-2.0 */
#include "dpkg-stanza.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "dpkg-version.h"

static const struct {
    const char *name;
    enum stanza_field field;
} rows[] = {
    {"Package", STANZA_PACKAGE},
    {"Status", STANZA_STATUS},
    {"Version", STANZA_VERSION},
    {"Revision", STANZA_REVISION},
    {"Package-Revision", STANZA_REVISION},
    {"Package_Revision", STANZA_REVISION},
    {"Architecture", STANZA_ARCHITECTURE},
    {"Multi-Arch", STANZA_MULTI_ARCH},
    {"Source", STANZA_SOURCE},
    {"Section", STANZA_SECTION},
    {"Priority", STANZA_PRIORITY},
    {"Class", STANZA_PRIORITY},
    {"Maintainer", STANZA_MAINTAINER},
    {"Installed-Size", STANZA_INSTALLED_SIZE},
    {"Essential", STANZA_ESSENTIAL},
    {"Config-Version", STANZA_CONFIG_VERSION},
    {"Triggers-Pending", STANZA_TRIGGERS_PENDING},
    {"Triggers-Awaited", STANZA_TRIGGERS_AWAITED},
    {"Filename", STANZA_ARCHIVE},
    {"MSDOS-Filename", STANZA_ARCHIVE},
    {"Size", STANZA_ARCHIVE},
    {"MD5sum", STANZA_ARCHIVE},
};

static int
refuse(struct stanza *s, const char *why)
{
    s->why = why;
    return -EBADMSG;
}

/* isspace of the C locale, without the newline that ends a line */
static bool
is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\v' || c == '\f' || c == '\r' || c == '\n';
}

static bool
is_letter_or_digit(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* FNV-1a of the name in small letters. */
static uint64_t
name_hash(const char *name, size_t len)
{
    uint64_t h = UINT64_C(14695981039346656037);

    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)name[i];

        h = (h ^ (c >= 'A' && c <= 'Z' ? c + 32u : c)) * UINT64_C(1099511628211);
    }
    return h;
}

/* ---- reading ---- */

static void
stanza_begin(struct stanza *s)
{
    memset(s->values, 0, sizeof s->values);
    s->open = true;
    s->last_is_empty = false;
    s->field = -1;
    s->n_seen = 0;
    s->used = 0;
}

/* Behind what is there; the NUL is overwritten when more follows. */
static int
text_append(struct stanza *s, const char *text, size_t len)
{
    if (len >= STANZA_TEXT_MAX - s->used) {
        s->why = "the fields of a package are too long";
        return -EMSGSIZE;
    }
    if (memchr(text, '\0', len))
        return refuse(s, "a NUL byte in a field");
    memcpy(s->text + s->used, text, len);
    s->used += len;
    s->text[s->used] = '\0';
    return 0;
}

/* Dpkg cuts white space off the end of a value. */
static void
field_close(struct stanza *s)
{
    if (s->field < 0)
        return;
    while (s->text + s->used > s->values[s->field] && is_space(s->text[s->used - 1]))
        s->used--;
    s->text[s->used++] = '\0';
    s->field = -1;
}

/* A further line of the value of the field before. */
static int
field_continue(struct stanza *s, const char *line, size_t len)
{
    int r;

    s->last_is_empty = false;
    if (s->field < 0)
        return 0;
    r = text_append(s, "\n", 1);
    return r < 0 ? r : text_append(s, line, len);
}

static int
field_find(const char *name, size_t len)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (strlen(rows[i].name) == len && strncasecmp(rows[i].name, name, len) == 0)
            return rows[i].field;
    return -1;
}

static int
field_note(struct stanza *s, const char *name, size_t len)
{
    uint64_t h = name_hash(name, len);

    for (size_t i = 0; i < s->n_seen; i++)
        if (s->seen[i] == h)
            return refuse(s, "a field is there twice");
    if (s->n_seen == STANZA_FIELDS_MAX) {
        s->why = "a package has too many fields";
        return -EMSGSIZE;
    }
    s->seen[s->n_seen++] = h;
    return 0;
}

static int
field_begin(struct stanza *s, const char *line, size_t len)
{
    size_t name_len = 0, at;
    int field, r;

    while (name_len < len && line[name_len] != ':' && !is_space(line[name_len]))
        name_len++;
    for (at = name_len; at < len && is_space(line[at]); at++)
        ;
    if (name_len == 0)
        return refuse(s, "a field has no name");
    if (at == len || line[at] != ':')
        return refuse(s, "a field name must be followed by a colon");
    for (at++; at < len && is_space(line[at]); at++)
        ;
    s->last_is_empty = at == len;
    r = field_note(s, line, name_len);
    if (r < 0)
        return r;
    field = field_find(line, name_len);
    if (field < 0)
        return name_len < 2 ? refuse(s, "a field name is too short") : 0;
    if (s->values[field] && field != STANZA_ARCHIVE)
        return refuse(s, "a field is there twice");
    s->field = field;
    s->values[field] = s->text + s->used;
    return text_append(s, line + at, len - at);
}

/* ---- judging ---- */

/* Step over one of the words, whatever its case; dpkg asks for no space behind it. */
static int
word_take(const char **text, const char *const words[])
{
    for (int i = 0; words[i]; i++) {
        size_t len = strlen(words[i]);

        if (strncasecmp(*text, words[i], len) != 0)
            continue;
        *text += len;
        while (is_space(**text))
            (*text)++;
        return i;
    }
    return -1;
}

static int
judge_status(struct stanza *s)
{
    static const char *const wants[] = {"unknown",   "install", "hold",
                                        "deinstall", "purge",   NULL};
    static const char *const flags[] = {"ok", "reinstreq", NULL};
    static const char *const states[] = {
        "not-installed",    "config-files",    "half-installed",
        "unpacked",         "half-configured", "triggers-awaited",
        "triggers-pending", "installed",       NULL};
    const char *text = s->values[STANZA_STATUS];
    int want, state;

    s->state = s->lists_installed && s->values[STANZA_VERSION] ? PACKAGE_INSTALLED
                                                               : PACKAGE_NOT_INSTALLED;
    if (!text)
        return 0;
    want = word_take(&text, wants);
    if (want < 0 || word_take(&text, flags) < 0)
        return refuse(s, "Status has an unknown word");
    state = word_take(&text, states);
    if (state < 0 || *text)
        return refuse(s, "Status has an unknown word");
    s->held = want == 2;
    s->state = (enum package_state)state;
    return 0;
}

static int
judge_name(struct stanza *s)
{
    char *name = s->values[STANZA_PACKAGE];

    if (!name || !*name)
        return refuse(s, "a package has no name");
    if (!is_letter_or_digit(*name))
        return refuse(s, "a package name begins with no letter and no digit");
    for (char *c = name; *c; c++) {
        if (!is_letter_or_digit(*c) && !strchr("-+._", *c))
            return refuse(s, "a character is not allowed in a package name");
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c + 32);
    }
    s->name = name;
    return 0;
}

/* Room for a version as dpkg prints it, in text. */
static int
version_print(struct stanza *s, const char *text, size_t len, const char *revision,
              const char **ret)
{
    char *out = s->text + s->used;
    int r = dpkg_version_print(text, len, revision, out, STANZA_TEXT_MAX - s->used);

    if (r == -EMSGSIZE) {
        s->why = "the fields of a package are too long";
        return r;
    }
    if (r < 0)
        return refuse(s, "a version has bad syntax");
    s->used += strlen(out) + 1;
    *ret = out;
    return 0;
}

static int
judge_version(struct stanza *s)
{
    const char *version = s->values[STANZA_VERSION],
               *revision = s->values[STANZA_REVISION];
    const char *config = s->values[STANZA_CONFIG_VERSION], *unused;

    if (revision && version && revision < version)
        revision = NULL; /* the Version that follows has the last word */
    if (config && version_print(s, config, strlen(config), NULL, &unused) < 0)
        return -EBADMSG;
    if (version)
        return version_print(s, version, strlen(version), revision, &s->version);
    s->version = "";
    if (s->state != PACKAGE_NOT_INSTALLED && s->state != PACKAGE_HALF_INSTALLED)
        return refuse(s, "a package has no Version");
    return 0;
}

/* "name" or "name (version)"; without a version it is the package's own.  dpkg looks at
 * this version only when it is asked for it, so a bad one does not make a bad database.
 */
static int
judge_source(struct stanza *s)
{
    char *source = s->values[STANZA_SOURCE], *version;

    s->source = s->name;
    s->source_version = s->version;
    if (!source || !*source)
        return 0;
    version = strchr(source, '(');
    if (version && version_print(s, version + 1, strcspn(version + 1, ")"), NULL,
                                 &s->source_version) < 0)
        s->source_version = "";
    source[strcspn(source, " ")] = '\0';
    s->source = source;
    return 0;
}

static int
judge_arch(struct stanza *s)
{
    static const char *const words[] = {"no", "same", "allowed", "foreign", NULL};
    static const char *const booleans[] = {"no", "yes", NULL};
    const char *multi = s->values[STANZA_MULTI_ARCH];
    const char *essential = s->values[STANZA_ESSENTIAL];
    int word;

    s->arch = s->values[STANZA_ARCHITECTURE] ? s->values[STANZA_ARCHITECTURE] : "";
    s->same = s->essential = false;
    if (multi && *multi) {
        word = word_take(&multi, words);
        if (word < 0 || *multi)
            return refuse(s, "Multi-Arch has an unknown word");
        s->same = word == 1;
    }
    if (essential && *essential) {
        word = word_take(&essential, booleans);
        if (word < 0 || *essential)
            return refuse(s, "Essential has an unknown word");
        s->essential = word == 1;
    }
    if (s->same && (!*s->arch || strcmp(s->arch, "all") == 0))
        return refuse(s, "a package for side by side has no architecture of its own");
    return 0;
}

/* What must not be there in some states, and what must. */
static int
judge_state(struct stanza *s)
{
    const char *pending = s->values[STANZA_TRIGGERS_PENDING];
    const char *awaited = s->values[STANZA_TRIGGERS_AWAITED];

    if (s->values[STANZA_ARCHIVE] && !s->lists_installed)
        return refuse(s, "a field of an archive's index is in the status file");
    if (s->values[STANZA_CONFIG_VERSION] &&
        (s->state == PACKAGE_INSTALLED || s->state == PACKAGE_NOT_INSTALLED))
        return refuse(s, "Config-Version does not belong to this Status");
    if (pending && *pending && s->state != PACKAGE_TRIGGERS_PENDING &&
        s->state != PACKAGE_TRIGGERS_AWAITED)
        return refuse(s, "Triggers-Pending does not belong to this Status");
    if (s->state == PACKAGE_TRIGGERS_PENDING && !(pending && *pending))
        return refuse(s, "Status says that triggers are pending, and there are none");
    if (awaited && *awaited &&
        (s->state <= PACKAGE_CONFIG_FILES || s->state >= PACKAGE_TRIGGERS_PENDING))
        return refuse(s, "Triggers-Awaited does not belong to this Status");
    if (s->state == PACKAGE_TRIGGERS_AWAITED && !(awaited && *awaited))
        return refuse(s, "Status says that triggers are awaited, and there are none");
    return 0;
}

/* dpkg has it in KiB; what is no number is not reported. */
static int64_t
size_parse(const char *text)
{
    size_t len = text ? strspn(text, "0123456789") : 0;

    return len == 0 || len > 15 || text[len] ? -1 : strtoll(text, NULL, 10) * 1024;
}

static int
stanza_judge(struct stanza *s)
{
    static int (*const judges[])(struct stanza *) = {
        judge_name, judge_status, judge_version, judge_source, judge_arch, judge_state,
    };
    char **values = s->values;
    int r;

    s->open = false;
    field_close(s);
    s->held = false;
    for (size_t i = 0; i < sizeof judges / sizeof judges[0]; i++) {
        r = judges[i](s);
        if (r < 0)
            return r;
    }
    s->section = values[STANZA_SECTION] ? values[STANZA_SECTION] : "";
    s->priority = values[STANZA_PRIORITY] ? values[STANZA_PRIORITY] : "";
    s->maintainer = values[STANZA_MAINTAINER] ? values[STANZA_MAINTAINER] : "";
    s->installed_size_bytes = size_parse(values[STANZA_INSTALLED_SIZE]);
    return 1;
}

/* ---- lines ---- */

int
stanza_line(struct stanza *s, const char *line, size_t len)
{
    if (len == 0)
        return s->open ? stanza_judge(s) : 0;
    if (memchr(line, 0x1a, len)) /* ^Z ended files once */
        return refuse(s, "a ^Z byte");
    if (!s->open)
        stanza_begin(s);
    if (s->n_seen > 0 && is_space(line[0]))
        return field_continue(s, line, len);
    field_close(s);
    return field_begin(s, line, len);
}

int
stanza_end(struct stanza *s, bool unfinished)
{
    if (!s->open)
        return 0;
    if ((unfinished || s->last_is_empty) && !s->lists_installed)
        return refuse(s, "the file ends within a field");
    return stanza_judge(s);
}
