/* SPDX-License-Identifier: Apache-2.0 */
/* mount: what is mounted where, from mountinfo. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "inv.h"
#include "seen.h"

enum { FILE_MAX = 16 << 20, LINES_PER_STEP = 100, MAX_OPTIONS = 128 };

struct mount {
    char *text, *end; /* the lines that are still to be emitted: the last one first */
    const char *path;
    struct seen seen;
};

/* The fields of a line, proc_pid_mountinfo(5). */
struct mount_line {
    char *device, *root, *target, *options, *type, *source, *super_options;
};

/* Mounts of containers and sessions come and go with them; they are no facts of the
 * host.
 */
static const char *const passing[] = {
    "/var/lib/docker/",
    "/var/lib/containerd/",
    "/var/lib/containers/storage/",
    "/var/lib/kubelet/pods/",
    "/run/containerd/",
    "/run/docker/",
    "/run/netns/",
    "/run/user/",
};

static int
is_passing(const struct mount_line *line)
{
    if (strcmp(line->type, "nsfs") == 0)
        return 1;
    for (size_t i = 0; i < sizeof passing / sizeof passing[0]; i++)
        if (strncmp(line->target, passing[i], strlen(passing[i])) == 0)
            return 1;
    return 0;
}

/* \040 and the like become the bytes that they stand for. */
static void
unescape(char *text)
{
    char *out = text;

    while (*text) {
        if (text[0] == '\\' && text[1] >= '0' && text[1] <= '3' && text[2] >= '0' &&
            text[2] <= '7' && text[3] >= '0' && text[3] <= '7') {
            *out++ =
                (char)((text[1] - '0') << 6 | (text[2] - '0') << 3 | (text[3] - '0'));
            text += 4;
        } else {
            *out++ = *text++;
        }
    }
    *out = '\0';
}

/* id parent major:minor root target options tag… - type source super_options */
static int
line_split(char *text, struct mount_line *ret)
{
    char *save, *word = strtok_r(text, " ", &save);
    char **const heads[] = {NULL,       NULL,         &ret->device,
                            &ret->root, &ret->target, &ret->options};
    char **const tails[] = {&ret->type, &ret->source, &ret->super_options};
    size_t i;

    for (i = 0; i < sizeof heads / sizeof heads[0] && word; i++) {
        if (heads[i])
            *heads[i] = word;
        word = strtok_r(NULL, " ", &save);
    }
    while (word && strcmp(word, "-") != 0)
        word = strtok_r(NULL, " ", &save);
    for (i = 0; i < sizeof tails / sizeof tails[0] && word; i++) {
        word = strtok_r(NULL, " ", &save);
        *tails[i] = word;
    }
    if (!word)
        return 0;
    unescape(ret->target);
    unescape(ret->source);
    unescape(ret->root);
    return 1;
}

/* The options of the mount, then those of its file system which it does not have. */
static size_t
options_split(struct mount_line *line, const char *list[MAX_OPTIONS])
{
    char *const texts[] = {line->options, line->super_options};
    size_t n = 0, i;

    for (size_t t = 0; t < 2; t++) {
        char *save, *word = strtok_r(texts[t], ",", &save);

        for (; word && n < MAX_OPTIONS; word = strtok_r(NULL, ",", &save)) {
            for (i = 0; i < n && strcmp(list[i], word) != 0; i++)
                ;
            /* "ro" and "rw" are the mount's word, not the file system's */
            if (i == n &&
                (t == 0 || (strcmp(word, "rw") != 0 && strcmp(word, "ro") != 0)))
                list[n++] = word;
        }
    }
    return n;
}

static int
mount_emit(struct sonde_host *host, struct mount_line *line)
{
    const char *options[MAX_OPTIONS];
    size_t n = options_split(line, options);
    struct sonde_record *record = host->record(host, "mount", line->target);
    int read_only = 0;

    for (size_t i = 0; i < n; i++)
        read_only |= strcmp(options[i], "ro") == 0;
    host->put_bytes(host, record, "target", line->target, strlen(line->target));
    host->put_bytes(host, record, "source", line->source, strlen(line->source));
    host->put_str(host, record, "fstype", line->type);
    host->put_bool(host, record, "read_only", read_only);
    host->put_list(host, record, "options", options, n);
    if (strcmp(line->root, "/") != 0)
        host->put_bytes(host, record, "fs_root", line->root, strlen(line->root));
    return host->emit(host, record);
}

#define OWN_MOUNTS "/proc/self/mountinfo"
#define FIRST_MOUNTS "/proc/1/mountinfo" /* of the host's first process */

/* What is mounted at "/": the fields "device root" of its last line, up to *ret_len. */
static const char *
root_mount(const char *text, size_t *ret_len)
{
    const char *found = NULL;

    for (const char *line = text; line && *line; line = strchr(line, '\n')) {
        int from = 0, to = 0, end = 0;

        line += *line == '\n';
        if (sscanf(line, "%*s %*s %n%*s %*s%n /%n", &from, &to, &end) == 0 && end > to &&
            line[end] == ' ') {
            found = line + from;
            *ret_len = (size_t)(to - from);
        }
    }
    return found;
}

static int
is_same_root(const char *a, const char *b)
{
    size_t a_len = 0, b_len = 0;

    a = root_mount(a, &a_len);
    b = root_mount(b, &b_len);
    return a && b && a_len == b_len && memcmp(a, b, a_len) == 0;
}

/* The file becomes the mounts that are to be emitted. */
static int
mount_read(struct mount *mount, struct sonde_host *host, const char *path)
{
    const char *text;
    size_t len;
    int r = host->read_file(host, path, FILE_MAX, &text, &len);

    if (r < 0)
        return r;
    free(mount->text);
    mount->text = malloc(len + 1);
    if (!mount->text)
        return -ENOMEM;
    memcpy(mount->text, text, len + 1);
    mount->end = mount->text + len;
    return 0;
}

/* The mounts of the host's first process: ours may be a service's, with folders that are
 * read-only or hidden for it alone.  But when its root is another one than that which is
 * scanned (we are in a chroot), or cannot be seen, they are ours.
 */
static int
mount_load(struct mount *mount, struct sonde_host *host)
{
    struct sonde_stat scanned = {.size = sizeof scanned};
    const char *text;
    struct stat own;
    size_t len;
    int r = host->stat(host, "/", 0, &scanned);

    if (r < 0)
        return r;
    if (stat("/", &own) < 0 || own.st_dev != scanned.dev || own.st_ino != scanned.ino) {
        mount->path = FIRST_MOUNTS;
        return mount_read(mount, host, mount->path);
    }
    mount->path = OWN_MOUNTS;
    r = mount_read(mount, host, mount->path);
    if (r == 0 && host->read_file(host, FIRST_MOUNTS, FILE_MAX, &text, &len) == 0 &&
        is_same_root(mount->text, text)) {
        mount->path = FIRST_MOUNTS;
        r = mount_read(mount, host, mount->path);
    }
    return r;
}

/* From the last line backwards: of mounts on the same place the last one is what is
 * seen.
 */
static int
mount_line_take(struct mount *mount, struct sonde_host *host)
{
    struct mount_line line;
    char *text = mount->end;
    int r;

    while (text > mount->text && text[-1] != '\n')
        text--;
    mount->end = text > mount->text ? text - 1 : text;
    if (text > mount->text)
        text[-1] = '\0';
    if (!line_split(text, &line) || is_passing(&line))
        return 0;
    r = seen_add(&mount->seen, line.target, strlen(line.target));
    return r > 0 ? mount_emit(host, &line) : r;
}

static int
mount_step(struct fact_scan *scan)
{
    struct mount *mount = scan->state;
    int r = 0;

    if (!mount->text)
        r = mount_load(mount, scan->host);
    for (int i = 0; i < LINES_PER_STEP && r == 0 && mount->end > mount->text; i++)
        r = mount_line_take(mount, scan->host);
    if (r < 0)
        return fact_failed(scan, r, "%s", mount->path ? mount->path : "/");
    return mount->end > mount->text ? SONDE_MORE : SONDE_DONE;
}

static void
mount_close(void *state)
{
    struct mount *mount = state;

    free(mount->text);
    seen_done(&mount->seen);
}

const struct fact fact_mount = {.kind = "mount",
                                .needs = SONDE_LIVE_PROC,
                                .state_size = sizeof(struct mount),
                                .step = mount_step,
                                .close = mount_close};
