/* SPDX-License-Identifier: Apache-2.0 */
#include "conf.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <ini.h>

#include "cleanup.h"
#include "read-fd.h"

enum { FILE_MAX_BYTES = 64 * 1024, ID_MAX_LEN = 64 };

struct reading;
struct key;

/* Set the value, or return false after saying what was expected. */
typedef bool take_fn(struct reading *r, const struct key *key, const char *value);

struct key {
    const char *section, *name;
    size_t offset; /* in struct conf */
    take_fn *take;
    const char *def;     /* of texts; of values: NULL, see set_defaults */
    int64_t least, most; /* of numbers */
};

enum { MAX_KEYS = 32 };

struct reading {
    const char *file;
    struct conf *conf;
    struct why *why;
    const char *at, *end; /* what of the file is still to be read */
    int line;
    bool failed; /* the first failure is the one that is told */
    int seen[MAX_KEYS];
};

__attribute__((format(printf, 2, 3))) static bool
fail(struct reading *r, const char *format, ...)
{
    char text[400];
    va_list ap;

    if (r->failed)
        return false;
    va_start(ap, format);
    vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    r->failed = true;
    why_set(r->why, -EINVAL, "%s:%d: %s", r->file, r->line, text);
    return false;
}

static bool
fail_value(struct reading *r, const struct key *key, const char *value,
           const char *expected)
{
    return fail(r, "[%s] %s: \"%.100s\" is not %s", key->section, key->name, value,
                expected);
}

static void *
place(struct reading *r, const struct key *key)
{
    return (char *)r->conf + key->offset;
}

static bool
take_text(struct reading *r, const struct key *key, const char *value)
{
    char **text = place(r, key), *copy = strdup(value);

    if (!copy)
        return fail(r, "out of memory");
    free(*text);
    *text = copy;
    return true;
}

static bool
take_path(struct reading *r, const struct key *key, const char *value)
{
    if (value[0] != '/')
        return fail_value(r, key, value, "an absolute path");
    return take_text(r, key, value);
}

/* "-" is stderr. */
static bool
take_log(struct reading *r, const struct key *key, const char *value)
{
    return strcmp(value, "-") == 0 ? take_text(r, key, value) : take_path(r, key, value);
}

static bool
take_socket(struct reading *r, const struct key *key, const char *value)
{
    struct sockaddr_un address;

    if (strlen(value) >= sizeof address.sun_path)
        return fail_value(r, key, value, "a socket's path: it is longer than 107 bytes");
    return take_path(r, key, value);
}

static bool
is_path_list(const char *item)
{
    while (item[0] == '/') {
        item = strchr(item, ':');
        if (!item)
            return true;
        item++;
    }
    return false;
}

static bool
take_path_list(struct reading *r, const struct key *key, const char *value)
{
    if (!is_path_list(value))
        return fail_value(r, key, value,
                          "a list of absolute paths with \":\" between them");
    return take_text(r, key, value);
}

static bool
take_id(struct reading *r, const struct key *key, const char *value)
{
    size_t len = strlen(value);

    for (size_t i = 0; i < len; i++)
        if (!isalnum((unsigned char)value[i]) && (i == 0 || !strchr("._-", value[i])))
            len = ID_MAX_LEN + 1;
    if (len > ID_MAX_LEN)
        return fail_value(r, key, value,
                          "an id of up to 64 letters, digits, \".\", \"_\" and \"-\"");
    return take_text(r, key, value);
}

static bool
take_user(struct reading *r, const struct key *key, const char *value)
{
    if (value[0] == '\0' || value[0] == '-' || strpbrk(value, " \t:/,"))
        return fail_value(r, key, value, "a name or number");
    return take_text(r, key, value);
}

/* A decimal number, digits alone; -1 when it is none, or larger than most. */
static int64_t
decimal(const char *value, size_t len, int64_t most)
{
    int64_t n = 0;

    if (len == 0)
        return -1;
    for (size_t i = 0; i < len; i++) {
        if (value[i] < '0' || value[i] > '9')
            return -1;
        n = n * 10 + (value[i] - '0');
        if (n > most)
            return -1;
    }
    return n;
}

static bool
take_number(struct reading *r, const struct key *key, const char *value)
{
    int64_t n = decimal(value, strlen(value), key->most);
    char expected[80];

    if (n < key->least) {
        snprintf(expected, sizeof expected, "a number from %" PRId64 " to %" PRId64,
                 key->least, key->most);
        return fail_value(r, key, value, expected);
    }
    *(int64_t *)place(r, key) = n;
    return true;
}

static bool
take_size(struct reading *r, const struct key *key, const char *value)
{
    size_t len = strlen(value);
    int64_t unit = 1, n;
    char expected[120];

    if (len > 0 && value[len - 1] == 'K')
        unit = 1024;
    else if (len > 0 && value[len - 1] == 'M')
        unit = INT64_C(1) << 20;
    n = decimal(value, len - (unit > 1), key->most / unit);
    if (n < 0 || n * unit < key->least) {
        snprintf(expected, sizeof expected,
                 "a size from %" PRId64 " to %" PRId64 " bytes (suffixes K and M)",
                 key->least, key->most);
        return fail_value(r, key, value, expected);
    }
    *(int64_t *)place(r, key) = n * unit;
    return true;
}

static bool
take_allow(struct reading *r, const struct key *key, const char *value)
{
    if (strcmp(value, "allow") != 0 && strcmp(value, "deny") != 0)
        return fail_value(r, key, value, "\"deny\" or \"allow\"");
    *(bool *)place(r, key) = strcmp(value, "allow") == 0;
    return true;
}

static bool
take_level(struct reading *r, const struct key *key, const char *value)
{
    static const char *const names[] = {"error", "warning", "information", "debug"};

    for (int i = 0; i < 4; i++) {
        if (strcmp(value, names[i]) == 0) {
            *(enum log_level *)place(r, key) = LOG_ERROR + i;
            return true;
        }
    }
    return fail_value(r, key, value,
                      "\"error\", \"warning\", \"information\" or \"debug\"");
}

#define KEY(section, name) #section, #name, offsetof(struct conf, section.name)

static const struct key keys[] = {
    {KEY(paths, state), take_path, SONDE_STATEDIR, 0, 0},
    {KEY(paths, log), take_log, SONDE_LOGDIR "/agent.log", 0, 0},
    {KEY(paths, socket), take_socket, SONDE_RUNSTATEDIR "/agent.sock", 0, 0},
    {KEY(paths, plugins), take_path_list, SONDE_LIBDIR "/plugins", 0, 0},
    {KEY(paths, manifests), take_path, SONDE_DATADIR "/manifests", 0, 0},
    {KEY(paths, local_manifests), take_path, SONDE_SYSCONFDIR "/manifests", 0, 0},
    {KEY(paths, profile), take_path, SONDE_SYSCONFDIR "/profile.json", 0, 0},
    {KEY(paths, worker), take_path, SONDE_LIBEXECDIR "/sonde-worker", 0, 0},
    {KEY(agent, root), take_path, "/", 0, 0},
    {KEY(agent, id), take_id, "", 0, 0},
    {KEY(agent, max_scans), take_number, NULL, 1, 64},
    {KEY(agent, same_uid), take_allow, NULL, 0, 0},
    {KEY(agent, scan_user), take_user, "sonde-scan", 0, 0},
    {KEY(agent, store_user), take_user, "sonde", 0, 0},
    {KEY(agent, group), take_user, "sonde", 0, 0},
    {KEY(log, level), take_level, NULL, 0, 0},
    {KEY(log, max_size), take_size, NULL, 4096, INT64_C(1) << 40},
    {KEY(log, keep), take_number, NULL, 1, 99},
};

enum { N_KEYS = sizeof keys / sizeof keys[0] };
_Static_assert(N_KEYS + sizeof(struct limits) / sizeof(int64_t) <= MAX_KEYS, "seen");

static bool
set_defaults(struct reading *r)
{
    *r->conf = (struct conf){
        .agent = {.max_scans = 4, .same_uid = false},
        .log = {.level = LOG_INFO, .max_size = INT64_C(10) << 20, .keep = 5},
        .limits = LIMITS_DEFAULT,
    };
    for (int i = 0; i < N_KEYS; i++)
        if (keys[i].def && !take_text(r, &keys[i], keys[i].def))
            return false;
    return true;
}

/* The key of that name; the limits have their own table.  Returns its number, or -1. */
static int
find_key(const char *section, const char *name, struct key *ret)
{
    for (int i = 0; i < N_KEYS; i++) {
        if (strcmp(keys[i].section, section) == 0 && strcmp(keys[i].name, name) == 0) {
            *ret = keys[i];
            return i;
        }
    }
    for (int i = 0; strcmp(section, "limits") == 0 && i < limits_n_fields; i++) {
        const struct limits_field *f = &limits_fields[i];

        if (strcmp(f->conf_name, name) == 0) {
            *ret = (struct key){.section = "limits",
                                .name = f->conf_name,
                                .offset = offsetof(struct conf, limits) + f->offset,
                                .take = take_number,
                                .least = 1,
                                .most = f->most};
            return N_KEYS + i;
        }
    }
    return -1;
}

static bool
is_section(const char *name)
{
    static const char *const names[] = {"paths", "agent", "log", "limits"};

    for (int i = 0; i < 4; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

/* inih's handler, for each key: 1 is success. */
static int
handle_key(void *user, const char *section, const char *name, const char *value)
{
    struct reading *r = user;
    struct key key;
    int i;

    if (r->failed)
        return 0;
    if (!section[0])
        return fail(r, "key outside a section");
    i = find_key(section, name, &key);
    if (i < 0)
        return fail(r, "[%s] %.60s: no such key", section, name);
    if (r->seen[i])
        return fail(r, "[%s] %s: was set in line %d already", section, name, r->seen[i]);
    r->seen[i] = r->line;
    return key.take(r, &key, value);
}

/* What inih would pass over without a word. */
static bool
line_is_good(struct reading *r, const char *line, size_t len, int room)
{
    const char *bracket;
    char section[32];

    if (len + 2 > (size_t)room)
        return fail(r, "the line is longer than %d bytes", room - 2);
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)line[i];

        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return fail(r, "control byte \\x%02x", c);
    }
    if (len == 0 || line[0] == '#' || line[0] == ';')
        return true;
    if (line[0] != '[') {
        for (size_t i = 0; i < len && line[i] != '='; i++)
            if (line[i] == ':')
                return fail(r, "\":\" where \"=\" belongs");
        return true;
    }
    bracket = memchr(line, ']', len);
    if (!bracket)
        return fail(r, "\"]\" is missing");
    snprintf(section, sizeof section, "%.*s", (int)(bracket - line - 1), line + 1);
    if (!is_section(section))
        return fail(r, "[%s]: no such section", section);
    while (++bracket < line + len && (*bracket == ' ' || *bracket == '\t'))
        continue;
    if (bracket < line + len && *bracket != ';' && *bracket != '#')
        return fail(r, "text after \"]\"");
    return true;
}

/* inih's reader, like fgets: the next line, without the white space in front of it, which
 * for inih would make it a part of the value before.
 */
static char *
next_line(char *ret, int room, void *stream)
{
    struct reading *r = stream;
    const char *line = r->at, *end;

    if (r->failed || line == r->end)
        return NULL;
    r->line++;
    end = memchr(line, '\n', (size_t)(r->end - line));
    r->at = end ? end + 1 : r->end;
    if (!end)
        end = r->end;
    while (line < end && (*line == ' ' || *line == '\t'))
        line++;
    if (!line_is_good(r, line, (size_t)(end - line), room))
        return NULL;
    memcpy(ret, line, (size_t)(end - line));
    strcpy(ret + (end - line), "\n");
    return ret;
}

/* inih goes on after a bad line, and returns the first one's number. */
static int
parse(struct reading *r)
{
    int n = ini_parse_stream(next_line, r, handle_key, r);

    if (n > 0 && (!r->failed || n < r->line)) {
        r->failed = false;
        r->line = n;
        fail(r, "neither [section] nor key = value");
    } else if (n < 0) {
        fail(r, "out of memory");
    }
    return r->failed ? -EINVAL : 0;
}

static int
read_text(const char *file, char **ret, size_t *ret_len, struct why *why)
{
    cleanup_fd int fd = open(file, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    struct stat st = {0};
    int r = fd < 0 || fstat(fd, &st) < 0 ? -errno : 0;

    if (r == 0 && !S_ISREG(st.st_mode) && !S_ISCHR(st.st_mode)) /* /dev/null is empty */
        return why_set(why, -EINVAL, "%s: not a regular file", file);
    if (r == 0)
        r = read_fd(fd, FILE_MAX_BYTES, ret, ret_len);
    return r < 0 ? why_set(why, r, "%s: %s", file, strerror(-r)) : 0;
}

int
conf_read(const char *file, struct conf *ret, struct why *why)
{
    cleanup_free char *text = NULL;
    struct reading r = {.file = file, .conf = ret, .why = why};
    size_t len = 0;
    int n;

    n = read_text(file, &text, &len, why);
    if (n < 0)
        return n;
    r.at = text;
    r.end = text + len;
    if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
        r.at += 3; /* a byte order mark, which inih would skip, too */
    n = set_defaults(&r) ? parse(&r) : -ENOMEM;
    if (n < 0)
        conf_done(ret);
    return n;
}

void
conf_done(struct conf *conf)
{
    for (int i = 0; i < N_KEYS; i++) {
        char **text = (char **)((char *)conf + keys[i].offset);

        if (keys[i].def) {
            free(*text);
            *text = NULL;
        }
    }
}
