/* SPDX-License-Identifier: Apache-2.0 */
#include "host.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "frame.h"
#include "record.h"
#include "walk.h"

/* A number or boolean of the manifest as text, kept for the scan. */
struct host_param {
    struct host_param *next;
    const struct json *value;
    char *text;
};

static struct host *
of(struct sonde_host *api)
{
    return (struct host *)api;
}

/* ---- frames to the keeper ---- */

static int
write_all(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, bytes, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        bytes += n;
        len -= (size_t)n;
    }
    return 0;
}

int
host_flush(void *arg)
{
    struct host *host = arg;
    int r = write_all(host->keeper_fd, host->buffer, host->used);

    host->used = 0;
    return r;
}

int
host_send(struct host *host, const struct frame *frame)
{
    size_t size = frame_size(frame);
    cleanup_free char *large = NULL;
    int r = 0;

    if (size > HOST_BUFFER - host->used)
        r = host_flush(host);
    if (r < 0)
        return r;
    if (size <= HOST_BUFFER) {
        frame_write(frame, host->buffer + host->used);
        host->used += size;
        return 0;
    }
    large = malloc(size);
    if (!large)
        return -ENOMEM;
    frame_write(frame, large);
    return write_all(host->keeper_fd, large, size);
}

/* ---- the scan ---- */

static void
service_log(struct sonde_host *api, int level, const char *format, ...)
{
    char text[2048 + 1], digit[2];
    va_list ap;

    va_start(ap, format);
    vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    if (level < SONDE_LOG_ERROR || level > SONDE_LOG_DEBUG)
        level = SONDE_LOG_INFO;
    snprintf(digit, sizeof digit, "%d", level);
    host_send(of(api), &(struct frame){.type = FRAME_LOG,
                                       .key = digit,
                                       .key_len = 1,
                                       .stable = text,
                                       .stable_len = strlen(text)});
    host_flush(of(api)); /* the last words of a plugin that crashes next */
}

static void
service_progress(struct sonde_host *api, uint64_t done, uint64_t total)
{
    atomic_store(&of(api)->scan.page->done, done);
    atomic_store(&of(api)->scan.page->total, total);
}

static int
service_pace(struct sonde_host *api)
{
    return scan_pace(&of(api)->scan);
}

static int64_t
service_scan_time(struct sonde_host *api)
{
    return of(api)->scan_time;
}

static uint32_t
service_live(struct sonde_host *api)
{
    return of(api)->live;
}

/* ---- content ---- */

static const char *
param_text(struct host *host, const struct json *value)
{
    struct host_param *p;
    char *text;

    for (p = host->params; p; p = p->next)
        if (p->value == value)
            return p->text;
    p = malloc(sizeof *p);
    text = json_print(value);
    if (!p || !text) {
        free(p);
        free(text);
        return NULL;
    }
    *p = (struct host_param){host->params, value, text};
    host->params = p;
    return text;
}

static const char *
service_param(struct sonde_host *api, const char *key)
{
    const struct json *value = json_get(of(api)->manifest_json, "content");
    char name[128];

    while (value && *key) {
        size_t len = strcspn(key, ".");

        if (len >= sizeof name)
            return NULL;
        memcpy(name, key, len);
        name[len] = '\0';
        value = json_get(value, name);
        key += len + (key[len] == '.');
    }
    if (!value)
        return NULL;
    switch (json_type(value)) {
    case JSON_STRING:
        return json_str(value);
    case JSON_NUMBER:
    case JSON_BOOL:
        return param_text(of(api), value);
    default:
        return NULL;
    }
}

static const char *
service_manifest(struct sonde_host *api, size_t *ret_len)
{
    *ret_len = of(api)->manifest_len;
    return of(api)->manifest;
}

/* ---- files ---- */

static int
service_open_file(struct sonde_host *api, const char *path, uint32_t flags)
{
    return root_open_file(of(api)->root, path, flags);
}

static int
service_read_file(struct sonde_host *api, const char *path, size_t max,
                  const char **ret_text, size_t *ret_len)
{
    return root_read_file(of(api)->root, path, max, ret_text, ret_len);
}

static int
service_stat(struct sonde_host *api, const char *path, uint32_t flags,
             struct sonde_stat *ret)
{
    return root_stat(of(api)->root, path, flags, ret);
}

static int
service_read_link(struct sonde_host *api, const char *path, char *buf, size_t size)
{
    return root_read_link(of(api)->root, path, buf, size);
}

static int
service_get_xattr(struct sonde_host *api, const char *path, const char *name, void *buf,
                  size_t size)
{
    return root_get_xattr(of(api)->root, path, name, buf, size);
}

static int
service_walk_open(struct sonde_host *api, const char *path, uint32_t flags,
                  struct sonde_walk **ret)
{
    return walk_open(of(api)->root, path, flags, ret);
}

static int
service_walk_next(struct sonde_host *api, struct sonde_walk *walk,
                  const struct sonde_entry **ret)
{
    (void)api;
    return walk_next(walk, ret);
}

static int
service_walk_open_file(struct sonde_host *api, struct sonde_walk *walk)
{
    (void)api;
    return walk_open_file(walk);
}

static int
service_walk_get_xattr(struct sonde_host *api, struct sonde_walk *walk, const char *name,
                       void *buf, size_t size)
{
    (void)api;
    return walk_get_xattr(walk, name, buf, size);
}

static void
service_walk_prune(struct sonde_host *api, struct sonde_walk *walk)
{
    (void)api;
    walk_prune(walk);
}

static void
service_walk_close(struct sonde_host *api, struct sonde_walk *walk)
{
    (void)api;
    walk_close(walk);
}

/* ---- facts ---- */

static struct sonde_record *
service_record(struct sonde_host *api, const char *kind, const char *key)
{
    record_begin(of(api)->record, kind, key);
    return of(api)->record;
}

static void
service_put_str(struct sonde_host *api, struct sonde_record *record, const char *key,
                const char *text)
{
    (void)api;
    record_str(record, key, text);
}

static void
service_put_bytes(struct sonde_host *api, struct sonde_record *record, const char *key,
                  const void *bytes, size_t len)
{
    (void)api;
    record_bytes(record, key, bytes, len);
}

static void
service_put_int(struct sonde_host *api, struct sonde_record *record, const char *key,
                int64_t value)
{
    (void)api;
    record_int(record, key, value);
}

static void
service_put_real(struct sonde_host *api, struct sonde_record *record, const char *key,
                 double value)
{
    (void)api;
    record_real(record, key, value);
}

static void
service_put_bool(struct sonde_host *api, struct sonde_record *record, const char *key,
                 int value)
{
    (void)api;
    record_bool(record, key, value != 0);
}

static void
service_put_time(struct sonde_host *api, struct sonde_record *record, const char *key,
                 int64_t seconds)
{
    (void)api;
    record_time(record, key, seconds);
}

static void
service_put_list(struct sonde_host *api, struct sonde_record *record, const char *key,
                 const char *const *texts, size_t n)
{
    (void)api;
    record_list(record, key, texts, n);
}

static void
service_put_none(struct sonde_host *api, struct sonde_record *record, const char *key,
                 int err)
{
    (void)api;
    record_none(record, key, err);
}

static void
service_volatile_from(struct sonde_host *api, struct sonde_record *record)
{
    (void)api;
    record_volatile(record);
}

static int
service_emit(struct sonde_host *api, struct sonde_record *record)
{
    struct frame frame;
    int r = record_end(record, &frame);

    return r < 0 ? r : host_send(of(api), &frame);
}

static int
service_covers(struct sonde_host *api, const char *kind)
{
    size_t len = strlen(kind);
    int r;

    if (!kind_is_valid(kind, len))
        return -EINVAL;
    r = host_send(of(api),
                  &(struct frame){.type = FRAME_COVERS, .kind = kind, .kind_len = len});
    return r < 0 ? r : host_flush(of(api));
}

static void
service_failed(struct sonde_host *api, const char *kind, const char *what, int err)
{
    size_t len = strlen(kind), what_len = strnlen(what, FRAME_KEY_MAX);
    char number[16];

    snprintf(number, sizeof number, "%d", err < 0 ? -err : err);
    if (!kind_is_valid(kind, len)) {
        service_log(api, SONDE_LOG_ERROR, "failed: \"%.40s\" is no name of a kind", kind);
        return;
    }
    host_send(of(api), &(struct frame){.type = FRAME_FAILED,
                                       .kind = kind,
                                       .kind_len = len,
                                       .key = what,
                                       .key_len = what_len,
                                       .stable = number,
                                       .stable_len = strlen(number)});
    service_log(api, SONDE_LOG_WARNING, "%s: could not look at %s: %s", kind, what,
                strerror(err < 0 ? -err : err));
}

/* payload, run and connect are not offered: their members stay NULL. */
static const struct sonde_host services = {
    .size = sizeof(struct sonde_host),
    .abi = SONDE_ABI,
    .log = service_log,
    .progress = service_progress,
    .pace = service_pace,
    .scan_time = service_scan_time,
    .live = service_live,
    .param = service_param,
    .manifest = service_manifest,
    .open_file = service_open_file,
    .read_file = service_read_file,
    .stat = service_stat,
    .read_link = service_read_link,
    .get_xattr = service_get_xattr,
    .walk_open = service_walk_open,
    .walk_next = service_walk_next,
    .walk_open_file = service_walk_open_file,
    .walk_get_xattr = service_walk_get_xattr,
    .walk_prune = service_walk_prune,
    .walk_close = service_walk_close,
    .record = service_record,
    .put_str = service_put_str,
    .put_bytes = service_put_bytes,
    .put_int = service_put_int,
    .put_real = service_put_real,
    .put_bool = service_put_bool,
    .put_time = service_put_time,
    .put_list = service_put_list,
    .put_none = service_put_none,
    .volatile_from = service_volatile_from,
    .emit = service_emit,
    .covers = service_covers,
    .failed = service_failed,
};

int
host_init(struct host *host)
{
    host->api = services;
    host->scan.host = &host->api;
    host->scan.flush = host_flush;
    host->scan.host_state = host;
    host->record = record_new();
    if (!host->record)
        return -ENOMEM;
    if (!host->manifest)
        return 0;
    return json_parse(host->manifest, host->manifest_len, &host->manifest_json, NULL);
}

void
host_done(struct host *host)
{
    struct host_param *p;

    while ((p = host->params)) {
        host->params = p->next;
        free(p->text);
        free(p);
    }
    json_free(host->manifest_json);
    record_free(host->record);
    root_close(host->root);
    free(host->manifest);
}
