/* SPDX-License-Identifier: Apache-2.0 */
#include "mock-host.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cleanup.h"
#include "frame.h"
#include "host.h"
#include "json.h"

/* The engine looks at much more before it loads a plugin: core/gate.c. */
static const struct sonde_plugin *
plugin_load(const char *path)
{
    void *object = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    const struct sonde_plugin *plugin = object ? dlsym(object, "sonde_plugin") : NULL;

    if (!plugin)
        fprintf(stderr, "mock: %s\n", dlerror());
    return plugin;
}

static void
put_text(struct json_out *out, const char *key, const char *text, size_t len)
{
    char *copy = strndup(text, len);

    json_out_str(out, key, copy);
    free(copy);
}

static void
put_json(struct json_out *out, const char *key, const char *text, size_t len)
{
    char *copy = strndup(text, len);

    json_out_raw(out, key, copy);
    free(copy);
}

static void
frame_print(const struct frame *frame, FILE *stream)
{
    struct json_out out;

    if (frame->type == FRAME_LOG) {
        fprintf(stderr, "log: %.*s\n", (int)frame->stable_len, frame->stable);
        return;
    }
    json_out_init(&out, stream);
    json_out_object(&out, NULL);
    if (frame->type == FRAME_RECORD) {
        put_text(&out, "kind", frame->kind, frame->kind_len);
        put_text(&out, "key", frame->key, frame->key_len);
        put_json(&out, "data", frame->stable, frame->stable_len);
        if (frame->vol_len > 0)
            put_json(&out, "volatile", frame->vol, frame->vol_len);
    } else if (frame->type == FRAME_COVERS) {
        put_text(&out, "covers", frame->kind, frame->kind_len);
    } else if (frame->type == FRAME_FAILED) {
        put_text(&out, "failed", frame->kind, frame->kind_len);
        put_text(&out, "what", frame->key, frame->key_len);
        put_json(&out, "error", frame->stable, frame->stable_len);
    }
    json_out_end(&out, '}');
    fputc('\n', stream);
}

/* The host has written its frames to a file in memory instead of the keeper's socket. */
static int
frames_print(int fd, FILE *stream)
{
    off_t size = lseek(fd, 0, SEEK_END);
    struct why why = {""};
    struct frame frame;
    int64_t len = 0;
    char *bytes;

    if (size <= 0)
        return 0;
    bytes = mmap(NULL, (size_t)size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (bytes == MAP_FAILED)
        return -errno;
    for (off_t at = 0; at < size; at += len) {
        len = frame_length(bytes + at, (size_t)(size - at), &why);
        if (len <= 0 || len > size - at) {
            fprintf(stderr, "mock: bad frame: %s\n", why.text);
            break;
        }
        frame_split(bytes + at, &frame);
        frame_print(&frame, stream);
    }
    munmap(bytes, (size_t)size);
    return len > 0 ? 0 : -EBADMSG;
}

static int
end_print(int r, const char *where, FILE *stream)
{
    bool none = r == -ENODATA && strcmp(where, "open") == 0;

    if (r == 0 || none) {
        fprintf(stream, "{\"end\":\"%s\"}\n", r == 0 ? "done" : "none");
        return 0;
    }
    fprintf(stream, "{\"end\":\"error\",\"where\":\"%s\",\"error\":%d}\n", where, -r);
    return r;
}

int
mock_run(const struct mock_how *how, FILE *out)
{
    static struct host host;
    static struct shared_page page;
    const char *where = "";
    int r;

    memset(&host, 0, sizeof host);
    memset(&page, 0, sizeof page);
    host.live = how->live ? SONDE_LIVE_PROC | SONDE_LIVE_NET | SONDE_LIVE_RUN : 0;
    host.scan_time = INT64_C(1764039600); /* 2025-11-25T03:00:00Z */
    host.scan.page = &page;
    host.scan.plugin = plugin_load(how->plugin);
    if (!host.scan.plugin)
        return -ENOENT;
    if (how->manifest) {
        host.manifest = strdup(how->manifest);
        host.manifest_len = strlen(how->manifest);
    }
    cleanup_fd int fd = memfd_create("frames", MFD_CLOEXEC);
    host.keeper_fd = fd;
    r = root_open(how->root, &host.root);
    if (r == 0)
        r = host_init(&host);
    if (r < 0) {
        fprintf(stderr, "mock: %s: %s\n", how->root, strerror(-r));
        host_done(&host);
        return r;
    }
    r = scan_run(&host.scan, &where);
    if (host_flush(&host) < 0 || frames_print(fd, out) < 0)
        r = -EIO;
    host_done(&host);
    return end_print(r, where, out);
}
