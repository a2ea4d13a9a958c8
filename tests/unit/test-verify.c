/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "verify.h"

#define GOOD                                                                             \
    "{\"application\":\"vm\",\"title\":\"T\",\"serial\":7,\"plugin\":\"vm-so\","         \
    "\"limits\":{\"cpu_s\":9}}\n"

static char folder[64], local[128], packaged[128];
static struct verdict verdict;
static struct why why;

static void
put(const char *dir, const char *text)
{
    char path[256];
    FILE *f;

    snprintf(path, sizeof path, "%s/vm", dir);
    cr_assert(mkdir(path, 0755) == 0 || errno == EEXIST);
    strcat(path, "/manifest.json");
    f = fopen(path, "w");
    cr_assert(f);
    fputs(text, f);
    fclose(f);
}

static const char *
path_in(const char *dir, const char *rest)
{
    static char path[256];

    snprintf(path, sizeof path, "%s/%s", dir, rest);
    return path;
}

static void
make_folders(void)
{
    umask(022);
    strcpy(folder, "/tmp/test-verify.XXXXXX");
    cr_assert(mkdtemp(folder));
    snprintf(local, sizeof local, "%s/local", folder);
    snprintf(packaged, sizeof packaged, "%s/packaged", folder);
    cr_assert_eq(mkdir(local, 0755), 0);
    cr_assert_eq(mkdir(packaged, 0755), 0);
}

static void
remove_folders(void)
{
    char command[128];

    snprintf(command, sizeof command, "rm -rf %s", folder);
    cr_expect_eq(system(command), 0);
}

TestSuite(verify, .init = make_folders, .fini = remove_folders);

static void
judge(int memfd)
{
    struct verify v;

    cr_assert_eq(verify_open("vm", local, packaged, &v, &why), 0, "%s", why.text);
    cr_assert_eq(verify_judge(&v, geteuid(), memfd, &verdict, &why), 0, "%s", why.text);
    verify_done(&v);
}

static void
expect_invalid(const char *reason)
{
    judge(-1);
    cr_expect_eq(verdict.state, VERDICT_INVALID);
    cr_expect(strstr(verdict.reason, reason), "%s", verdict.reason);
}

Test(verify, none_is_missing)
{
    judge(-1);
    cr_expect_eq(verdict.state, VERDICT_MISSING);
    cr_expect_str_eq(verdict.application, "vm");
    cr_assert_eq(mkdir(path_in(packaged, "vm"), 0755), 0);
    judge(-1);
    cr_expect_eq(verdict.state, VERDICT_MISSING);
    cr_assert_eq(rmdir(path_in(packaged, "vm")), 0);
    cr_assert_eq(rmdir(packaged), 0);
    judge(-1);
    cr_expect_eq(verdict.state, VERDICT_MISSING);
}

Test(verify, a_packaged_one_is_valid)
{
    put(packaged, GOOD);
    judge(-1);
    cr_expect_eq(verdict.state, VERDICT_VALID, "%s", verdict.reason);
    cr_expect_str_eq(verdict.origin, "packaged");
    cr_expect_str_eq(verdict.path, path_in(packaged, "vm/manifest.json"));
    cr_expect_str_eq(verdict.reason, "");
    cr_expect_str_eq(verdict.title, "T");
    cr_expect_str_eq(verdict.plugin, "vm-so");
    cr_expect_eq(verdict.serial, 7);
    cr_expect_eq(verdict.limits.cpu_s, 9);
}

Test(verify, a_local_one_wins)
{
    put(packaged, GOOD);
    put(local, "{\"application\":\"vm\",\"serial\":1,\"plugin\":\"vm\"}");
    judge(-1);
    cr_expect_eq(verdict.state, VERDICT_VALID, "%s", verdict.reason);
    cr_expect_str_eq(verdict.origin, "local");
    cr_expect_eq(verdict.serial, 1);
}

Test(verify, a_bad_local_one_wins_too)
{
    put(packaged, GOOD);
    put(local, "{");
    expect_invalid("");
    cr_expect_str_eq(verdict.origin, "local");
    cr_expect_str_neq(verdict.reason, "");
    cr_expect_str_eq(verdict.plugin, "");
    cr_assert_eq(unlink(path_in(local, "vm/manifest.json")), 0);
    cr_assert_eq(symlink("/nonexistent", path_in(local, "vm/manifest.json")), 0);
    expect_invalid("symbolic link");
    cr_expect_str_eq(verdict.origin, "local");
}

Test(verify, only_a_regular_file_is_read)
{
    put(packaged, "");
    cr_assert_eq(unlink(path_in(packaged, "vm/manifest.json")), 0);
    cr_assert_eq(mkfifo(path_in(packaged, "vm/manifest.json"), 0644), 0);
    expect_invalid("no regular file");
    cr_assert_eq(unlink(path_in(packaged, "vm/manifest.json")), 0);
    cr_assert_eq(mkdir(path_in(packaged, "vm/manifest.json"), 0755), 0);
    expect_invalid("no regular file");
}

Test(verify, nobody_else_may_write_to_file_or_folders)
{
    static const struct {
        const char *path;
        mode_t mode, good;
        const char *reason;
    } rows[] = {
        {"vm/manifest.json", 0664, 0644, "manifest.json is writable"},
        {"vm/manifest.json", 0646, 0644, "manifest.json is writable"},
        {"vm", 0775, 0755, "the application's folder is writable"},
        {"vm", 0757, 0755, "the application's folder is writable"},
        {".", 0775, 0755, "the folder of manifests is writable"},
    };

    put(packaged, GOOD);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        cr_assert_eq(chmod(path_in(packaged, rows[i].path), rows[i].mode), 0);
        expect_invalid(rows[i].reason);
        cr_assert_eq(chmod(path_in(packaged, rows[i].path), rows[i].good), 0);
        judge(-1);
        cr_expect_eq(verdict.state, VERDICT_VALID, "%s", verdict.reason);
    }
}

Test(verify, a_foreign_owner_is_refused)
{
    if (geteuid() != 0)
        cr_skip("needs root to give a file away");
    put(packaged, GOOD);
    cr_assert_eq(chown(path_in(packaged, "vm/manifest.json"), 12345, 0), 0);
    expect_invalid("manifest.json belongs to user 12345");
    cr_assert_eq(chown(path_in(packaged, "vm/manifest.json"), 0, 0), 0);
    cr_assert_eq(chown(path_in(packaged, "vm"), 12345, 0), 0);
    expect_invalid("the application's folder belongs to user 12345");
}

Test(verify, the_bytes_that_were_judged_are_sealed)
{
    int memfd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    char text[256];

    cr_assert_geq(memfd, 0);
    put(packaged, GOOD);
    judge(memfd);
    cr_assert_eq(verdict.state, VERDICT_VALID, "%s", verdict.reason);
    cr_expect_eq(read(memfd, text, sizeof text), (ssize_t)strlen(GOOD));
    cr_expect_eq(memcmp(text, GOOD, strlen(GOOD)), 0);
    cr_expect_eq(pwrite(memfd, "x", 1, 0), -1);
    cr_expect_eq(ftruncate(memfd, 0), -1);
    cr_expect_eq(fcntl(memfd, F_ADD_SEALS, 0), -1);
    close(memfd);
}

Test(verify, an_invalid_one_leaves_the_memfd_empty)
{
    int memfd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    char c;

    put(packaged, "{}");
    judge(memfd);
    cr_expect_eq(verdict.state, VERDICT_INVALID);
    cr_expect_eq(read(memfd, &c, 1), 0);
    close(memfd);
}

Test(verify, a_memfd_that_cannot_be_sealed_is_a_failure)
{
    int memfd = memfd_create("test", MFD_CLOEXEC);
    struct verify v;

    put(packaged, GOOD);
    cr_assert_eq(verify_open("vm", local, packaged, &v, &why), 0);
    cr_expect_eq(verify_judge(&v, geteuid(), memfd, &verdict, &why), -EPERM);
    cr_expect_neq(verdict.state, VERDICT_VALID);
    verify_done(&v);
    close(memfd);
}

Test(verify, a_large_one_is_refused)
{
    static char text[MANIFEST_MAX + 2];

    memset(text, ' ', sizeof text - 1);
    memcpy(text, GOOD, strlen(GOOD));
    put(packaged, text);
    expect_invalid("larger than 65536 bytes");
}

Test(verify, what_is_no_name_is_not_looked_for)
{
    struct verify v;

    cr_expect_eq(verify_open("../vm", local, packaged, &v, &why), -EINVAL);
    cr_expect_eq(v.fd, -1);
}

Test(verify, the_identity_follows_each_change)
{
    char one[VERIFY_IDENTITY_SIZE], two[VERIFY_IDENTITY_SIZE];

    put(packaged, GOOD);
    cr_assert_eq(verify_identity("vm", local, packaged, one), 0);
    cr_assert_eq(verify_identity("vm", local, packaged, two), 0);
    cr_expect_str_eq(one, two);
    usleep(20000);
    cr_assert_eq(chmod(path_in(packaged, "vm"), 0775), 0);
    cr_assert_eq(verify_identity("vm", local, packaged, two), 0);
    cr_expect_str_neq(one, two, "a mode");
    usleep(20000);
    put(packaged, GOOD);
    cr_assert_eq(verify_identity("vm", local, packaged, one), 0);
    cr_expect_str_neq(one, two, "the same text once more");
    put(local, GOOD);
    cr_assert_eq(verify_identity("vm", local, packaged, two), 0);
    cr_expect_str_neq(one, two, "a local one");
}

static int
round_trip(const struct verdict *in, struct verdict *out)
{
    char *line = NULL;
    size_t len = 0;
    FILE *f = open_memstream(&line, &len);
    int r;

    cr_assert_eq(verdict_write(in, f), 0);
    fclose(f);
    cr_expect_eq(line[len - 1], '\n');
    cr_expect_eq(strchr(line, '\n'), line + len - 1, "one line");
    r = verdict_parse(line, len, out, &why);
    free(line);
    return r;
}

Test(verdict, what_is_written_is_parsed)
{
    struct verdict in = {.state = VERDICT_INVALID,
                         .application = "vm",
                         .reason = "a \"reason\"\nof two lines",
                         .origin = "local",
                         .path = "/x/vm/manifest.json",
                         .serial = 9007199254740991,
                         .title = "T",
                         .plugin = "p",
                         .limits = {.cpu_s = 5, .bytes_mib = 6}};
    struct verdict out;

    cr_assert_eq(round_trip(&in, &out), 0, "%s", why.text);
    cr_expect_eq(memcmp(&in, &out, sizeof in), 0);
}

Test(verdict, a_reason_that_was_cut_within_a_character_is_still_read)
{
    struct verdict in = {.state = VERDICT_INVALID}, out;

    memset(in.reason, 'x', sizeof in.reason - 1);
    in.reason[sizeof in.reason - 2] = '\xc3';
    cr_assert_eq(round_trip(&in, &out), 0, "%s", why.text);
    cr_expect_eq(out.state, VERDICT_INVALID);
}

Test(verdict, a_bad_line_is_refused)
{
    static const char *const rows[] = {
        "",
        "{}",
        "[]",
        "{\"verdict\":\"valid\"}",
        "{\"application\":\"vm\",\"verdict\":\"good\",\"reason\":\"\",\"origin\":\"\","
        "\"path\":\"\",\"serial\":1,\"title\":\"\",\"plugin\":\"p\",\"limits\":{}}",
        "{\"application\":\"vm\",\"verdict\":\"valid\",\"reason\":\"\",\"origin\":\"\","
        "\"path\":\"\",\"serial\":1,\"title\":\"\",\"plugin\":\"../p\",\"limits\":{}}",
        "{\"application\":\"vm\",\"verdict\":\"valid\",\"reason\":\"\",\"origin\":\"\","
        "\"path\":\"\",\"serial\":-1,\"title\":\"\",\"plugin\":\"p\",\"limits\":{}}",
        "{\"application\":\"vm\",\"verdict\":\"valid\",\"reason\":\"\",\"origin\":\"\","
        "\"path\":\"\",\"serial\":1,\"title\":\"\",\"plugin\":\"p\",\"limits\":{\"cpu_"
        "s\":-1}}",
        "{\"application\":\"vm\",\"verdict\":\"valid\",\"reason\":\"\","
        "\"origin\":\"01234567890123456789\",\"path\":\"\",\"serial\":1,\"title\":\"\","
        "\"plugin\":\"p\",\"limits\":{}}",
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        cr_expect_eq(verdict_parse(rows[i], strlen(rows[i]), &verdict, &why), -EBADMSG,
                     "%s", rows[i]);
}
