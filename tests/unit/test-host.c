/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "frame.h"
#include "host.h"

static struct host host;
static struct shared_page page;

static void
setup(void)
{
    static const char text[] = "{\"application\":\"t\",\"content\":{\"folder\":\"/etc\","
                               "\"deep\":{\"er\":{\"n\":7}},\"on\":true,\"list\":[1],"
                               "\"bytes\":1000000000000000}}";

    host.keeper_fd = memfd_create("frames", 0);
    host.scan.page = &page;
    host.manifest = strdup(text);
    host.manifest_len = strlen(text);
    cr_assert_eq(host_init(&host), 0);
}

static void
teardown(void)
{
    host_done(&host);
    close(host.keeper_fd);
}

TestSuite(host, .init = setup, .fini = teardown);

Test(host, params_are_found_by_dotted_names_and_come_as_text)
{
    struct sonde_host *h = &host.api;
    const char *seven = h->param(h, "deep.er.n");

    cr_expect_str_eq(h->param(h, "folder"), "/etc");
    cr_expect_str_eq(seven, "7");
    cr_expect_str_eq(h->param(h, "on"), "true");
    cr_expect_str_eq(h->param(h, "bytes"), "1000000000000000");
    cr_expect_eq(h->param(h, "deep.er.n"), seven, "the same text all through the scan");
}

Test(host, what_is_no_scalar_is_no_param)
{
    static const char *const names[] = {"",        "list",     "deep",
                                        "deep.er", "none",     "folder.x",
                                        "deep..",  "deep.er.", ".folder"};
    struct sonde_host *h = &host.api;

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        cr_expect_null(h->param(h, names[i]), "%s", names[i]);
}

Test(host, the_manifest_comes_byte_for_byte)
{
    size_t len = 0;

    cr_expect_str_eq(host.api.manifest(&host.api, &len), host.manifest);
    cr_expect_eq(len, host.manifest_len);
}

/* The n-th frame that was sent; the bytes are freed with the process. */
static struct frame
sent(int n)
{
    off_t size = lseek(host.keeper_fd, 0, SEEK_END);
    char *bytes = malloc((size_t)size + 1);
    struct frame frame = {0};
    int64_t at = 0;

    cr_assert_eq(pread(host.keeper_fd, bytes, (size_t)size, 0), size);
    for (int i = 0; i <= n; i++) {
        int64_t len = frame_length(bytes + at, (size_t)(size - at), NULL);

        cr_assert(len > 0 && at + len <= size, "there are %d frames", i);
        frame_split(bytes + at, &frame);
        at += len;
    }
    return frame;
}

static void
expect_text(const char *is, size_t len, const char *want)
{
    cr_expect(len == strlen(want) && memcmp(is, want, len) == 0, "\"%.*s\" is not \"%s\"",
              (int)len, is, want);
}

Test(host, a_record_becomes_one_frame)
{
    struct sonde_host *h = &host.api;
    struct sonde_record *r = h->record(h, "package", "dpkg/a/all");
    struct frame f;

    h->put_str(h, r, "version", "1.0");
    h->put_str(h, r, "name", "a");
    h->volatile_from(h, r);
    h->put_int(h, r, "age", 3);
    cr_assert_eq(h->emit(h, r), 0);
    cr_assert_eq(host_flush(&host), 0);
    f = sent(0);
    cr_expect_eq(f.type, FRAME_RECORD);
    expect_text(f.kind, f.kind_len, "package");
    expect_text(f.key, f.key_len, "dpkg/a/all");
    expect_text(f.stable, f.stable_len, "{\"name\":\"a\",\"version\":\"1.0\"}");
    expect_text(f.vol, f.vol_len, "{\"age\":3}");
}

Test(host, the_first_error_of_a_record_comes_out_at_emit_and_nothing_is_sent)
{
    struct sonde_host *h = &host.api;
    struct sonde_record *r = h->record(h, "No Kind", "key");

    h->put_str(h, r, "name", "a");
    cr_expect_lt(h->emit(h, r), 0);
    host_flush(&host);
    cr_expect_eq(lseek(host.keeper_fd, 0, SEEK_END), 0);
}

Test(host, covers_log_and_failed_reach_the_keeper_at_once)
{
    struct sonde_host *h = &host.api;
    struct frame f;

    cr_expect_eq(h->covers(h, "package"), 0);
    cr_expect_eq(h->covers(h, "Bad Kind"), -EINVAL);
    h->log(h, SONDE_LOG_WARNING, "%s %d", "text", 1);
    h->failed(h, "user", "/etc/passwd", -EACCES);
    f = sent(0);
    cr_expect_eq(f.type, FRAME_COVERS);
    f = sent(1);
    cr_expect_eq(f.type, FRAME_LOG);
    expect_text(f.key, f.key_len, "2");
    expect_text(f.stable, f.stable_len, "text 1");
    f = sent(2);
    cr_expect_eq(f.type, FRAME_FAILED);
    expect_text(f.kind, f.kind_len, "user");
    expect_text(f.key, f.key_len, "/etc/passwd");
    expect_text(f.stable, f.stable_len, "13");
}

Test(host, a_frame_larger_than_the_buffer_is_sent_whole)
{
    struct sonde_host *h = &host.api;
    struct sonde_record *r = h->record(h, "big", "key");
    char *text = calloc(1, 2 * HOST_BUFFER);

    memset(text, 'x', 2 * HOST_BUFFER - 1);
    h->put_str(h, r, "text", text);
    cr_assert_eq(h->emit(h, r), 0);
    h->covers(h, "big");
    cr_expect_eq(sent(0).stable_len, 2 * HOST_BUFFER - 1 + strlen("{\"text\":\"\"}"));
    cr_expect_eq(sent(1).type, FRAME_COVERS);
    free(text);
}

Test(host, what_this_engine_does_not_offer_is_null)
{
    struct sonde_host *h = &host.api;

    cr_expect(SONDE_HAS(h, emit));
    cr_expect_not(SONDE_HAS(h, payload));
    cr_expect_not(SONDE_HAS(h, run));
    cr_expect_not(SONDE_HAS(h, connect));
}

Test(host, progress_is_on_the_shared_page)
{
    host.api.progress(&host.api, 3, 10);
    cr_expect_eq(atomic_load(&page.done), 3);
    cr_expect_eq(atomic_load(&page.total), 10);
}
