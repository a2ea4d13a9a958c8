/* SPDX-License-Identifier: Apache-2.0 */
#include "fact.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <unistd.h>

#include "frame.h"
#include "fuzz.h"
#include "json-check.h"
#include "json-text.h"
#include "record.h"

enum { STEPS_MAX = 1000000 };

struct made_up {
    struct sonde_host api; /* first */
    struct sonde_record *record;
    const char *kind, *path;
    const uint8_t *data;
    size_t size;
    char *text; /* what read_file gave last */
};

static struct made_up *
of(struct sonde_host *api)
{
    return (struct made_up *)api;
}

static size_t
size_of(struct sonde_host *api, const char *path)
{
    return !of(api)->path || strcmp(of(api)->path, path) == 0 ? of(api)->size : 0;
}

static int
host_open_file(struct sonde_host *api, const char *path, uint32_t flags)
{
    int fd;

    if (flags & SONDE_DIRECTORY)
        return -ENOENT;
    fd = file_of(of(api)->data, size_of(api, path));
    return fcntl(fd, F_DUPFD_CLOEXEC, 0);
}

static int
host_read_file(struct sonde_host *api, const char *path, size_t max,
               const char **ret_text, size_t *ret_len)
{
    size_t size = size_of(api, path);

    if (size > max)
        return -EFBIG;
    free(of(api)->text);
    *ret_text = of(api)->text = text_of(of(api)->data, size);
    *ret_len = size;
    return 0;
}

static int
host_stat(struct sonde_host *api, const char *path, uint32_t flags,
          struct sonde_stat *ret)
{
    (void)api;
    (void)flags;
    *ret = (struct sonde_stat){.size = sizeof *ret, .mode = 0100644};
    return strcmp(path, "/") == 0 ? 0 : -ENOENT;
}

__attribute__((format(printf, 3, 4))) static void
host_log(struct sonde_host *api, int level, const char *format, ...)
{
    char line[2048];
    va_list ap;

    (void)api;
    need(level >= SONDE_LOG_ERROR && level <= SONDE_LOG_DEBUG);
    va_start(ap, format);
    need(vsnprintf(line, sizeof line, format, ap) > 0);
    va_end(ap);
}

static int64_t
host_scan_time(struct sonde_host *api)
{
    (void)api;
    return INT64_C(1764039600);
}

static uint32_t
host_live(struct sonde_host *api)
{
    (void)api;
    return SONDE_LIVE_PROC | SONDE_LIVE_NET | SONDE_LIVE_RUN;
}

static struct sonde_record *
host_record(struct sonde_host *api, const char *kind, const char *key)
{
    need(strcmp(kind, of(api)->kind) == 0);
    record_begin(of(api)->record, kind, key);
    return of(api)->record;
}

static int
host_emit(struct sonde_host *api, struct sonde_record *record)
{
    struct frame frame;
    int r = record_end(record, &frame);

    (void)api;
    need(r == 0 || r == -EINVAL || r == -EMSGSIZE || r == -E2BIG);
    if (r < 0)
        return r;
    need(json_text_is_clean(frame.key, frame.key_len));
    need(json_check_flat(frame.stable, frame.stable_len, NULL) == 0);
    need(frame.vol_len == 0 || json_check_flat(frame.vol, frame.vol_len, NULL) == 0);
    return 0;
}

/* ---- straight to the builder ---- */

#define PUT(name, ...)                                                                   \
    static void host_put_##name(struct sonde_host *api, struct sonde_record *record,     \
                                const char *key, __VA_ARGS__)
PUT(str, const char *text)
{
    (void)api;
    record_str(record, key, text);
}
PUT(bytes, const void *bytes, size_t len)
{
    (void)api;
    record_bytes(record, key, bytes, len);
}
PUT(int, int64_t value)
{
    (void)api;
    record_int(record, key, value);
}
PUT(real, double value)
{
    (void)api;
    record_real(record, key, value);
}
PUT(bool, int value)
{
    (void)api;
    record_bool(record, key, value != 0);
}
PUT(time, int64_t seconds)
{
    (void)api;
    record_time(record, key, seconds);
}
PUT(list, const char *const *texts, size_t n)
{
    (void)api;
    record_list(record, key, texts, n);
}
PUT(none, int err)
{
    (void)api;
    record_none(record, key, err);
}

static void
host_volatile_from(struct sonde_host *api, struct sonde_record *record)
{
    (void)api;
    record_volatile(record);
}

static const struct sonde_host services = {
    .size = sizeof services,
    .abi = SONDE_ABI,
    .log = host_log,
    .scan_time = host_scan_time,
    .live = host_live,
    .open_file = host_open_file,
    .read_file = host_read_file,
    .stat = host_stat,
    .record = host_record,
    .put_str = host_put_str,
    .put_bytes = host_put_bytes,
    .put_int = host_put_int,
    .put_real = host_put_real,
    .put_bool = host_put_bool,
    .put_time = host_put_time,
    .put_list = host_put_list,
    .put_none = host_put_none,
    .volatile_from = host_volatile_from,
    .emit = host_emit,
};

void
fact_run(const struct fact *fact, const char *path, const uint8_t *data, size_t size)
{
    struct made_up host = {services, record_new(), fact->kind, path, data, size, NULL};
    struct fact_scan scan = {.host = &host.api};
    int r = SONDE_MORE;

    scan.state = calloc(1, fact->state_size ? fact->state_size : 1);
    need(host.record && scan.state);
    for (int steps = 0; r == SONDE_MORE; steps++) {
        need(steps < STEPS_MAX);
        r = fact->step(&scan);
    }
    need(r == SONDE_DONE || (r < 0 && scan.what[0]));
    if (fact->close)
        fact->close(scan.state);
    free(scan.state);
    free(host.text);
    record_free(host.record);
}
