/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gate.h"

static int
plugin_open(struct sonde_host *host, void **ret_state)
{
    (void)host;
    (void)ret_state;
    return 0;
}

static int
plugin_next(void *state, uint32_t budget_us)
{
    (void)state;
    (void)budget_us;
    return 0;
}

static void
plugin_close(void *state)
{
    (void)state;
}

#define GOOD                                                                             \
    (struct sonde_plugin)                                                                \
    {                                                                                    \
        SONDE_PLUGIN_HEAD, "good", "1", plugin_open, plugin_next, plugin_close           \
    }

static void
expect(struct sonde_plugin plugin, size_t room, int r, const char *reason)
{
    struct sonde_plugin copy;
    struct why why = {""};

    cr_expect_eq(gate_judge(&plugin, room, "good", &copy, &why), r, "%s", reason);
    cr_expect(strstr(why.text, reason), "\"%s\" is not in \"%s\"", reason, why.text);
}

Test(gate, a_good_plugin_is_copied)
{
    struct sonde_plugin copy, good = GOOD;
    struct why why;

    cr_assert_eq(gate_judge(&good, sizeof good, "good", &copy, &why), 0);
    cr_expect_eq(memcmp(&copy, &good, sizeof good), 0);
}

Test(gate, each_refusal_has_its_own_reason)
{
    struct sonde_plugin p;

#define BUT(change, room, reason)                                                        \
    p = GOOD;                                                                            \
    change;                                                                              \
    expect(p, room, -ENOEXEC, reason)

    BUT((void)0, 8, "has 8 bytes only");
    BUT(p.magic++, sizeof p, "wrong magic");
    BUT(p.abi = 7, sizeof p, "ABI level 7");
    BUT(p.size = 24, sizeof p, "says its struct has 24 bytes, level 0 has at least");
    BUT(p.size += 8, sizeof p, "but its symbol has");
    BUT(p.name = NULL, sizeof p, "name is NULL");
    BUT(p.version = NULL, sizeof p, "version is NULL");
    BUT(p.open = NULL, sizeof p, "open is NULL");
    BUT(p.next = NULL, sizeof p, "next is NULL");
    BUT(p.close = NULL, sizeof p, "close is NULL");
    BUT(p.name = "other", sizeof p, "calls itself \"other\"");
}

Test(gate, a_newer_and_longer_struct_is_cut_to_ours)
{
    struct {
        struct sonde_plugin plugin;
        void *later[2];
    } newer = {GOOD, {NULL, NULL}};
    struct sonde_plugin copy;
    struct why why = {""};

    newer.plugin.size = sizeof newer;
    cr_assert_eq(gate_judge(&newer.plugin, sizeof newer, "good", &copy, &why), 0, "%s",
                 why.text);
    cr_expect_eq(copy.size, sizeof newer);
}

Test(gate, without_a_symbol_size_the_struct_is_believed)
{
    expect(GOOD, 0, 0, "");
}

static char file[64];

static void
make_file(void)
{
    int fd;

    strcpy(file, "/tmp/test-gate-XXXXXX");
    fd = mkstemp(file);
    cr_assert(fd >= 0 && write(fd, "text", 4) == 4 && close(fd) == 0);
}

static void
remove_file(void)
{
    unlink(file);
}

TestSuite(gate_open, .init = make_file, .fini = remove_file);

static void
expect_open(const char *path, int r, const char *reason)
{
    struct why why = {""};
    int fd = gate_open(path, getuid(), getgid(), &why);

    cr_expect(r ? fd == r : fd >= 0, "%d: %s", fd, why.text);
    cr_expect(strstr(why.text, reason), "\"%s\" is not in \"%s\"", reason, why.text);
    if (fd >= 0)
        close(fd);
}

Test(gate_open, a_regular_file_of_ours_is_opened)
{
    expect_open(file, 0, "");
}

Test(gate_open, what_others_may_write_is_refused)
{
    chmod(file, 0602);
    expect_open(file, -EPERM, "writable by others");
}

Test(gate_open, what_a_foreign_group_may_write_is_refused)
{
    if (getuid() != 0)
        cr_skip("needs root to make a file of another group");
    cr_assert_eq(chown(file, 0, 12345), 0);
    chmod(file, 0660);
    expect_open(file, -EPERM, "writable by group 12345");
}

Test(gate_open, what_a_foreign_user_owns_is_refused)
{
    if (getuid() != 0)
        cr_skip("needs root to give a file away");
    cr_assert_eq(chown(file, 12345, 0), 0);
    expect_open(file, -EPERM, "belongs to uid 12345");
}

Test(gate_open, a_link_a_folder_and_nothing_are_refused)
{
    char link[80];

    snprintf(link, sizeof link, "%s.link", file);
    cr_assert_eq(symlink(file, link), 0);
    expect_open(link, -ELOOP, "is a link");
    unlink(link);
    expect_open("/tmp", -EINVAL, "not a regular file");
    expect_open("/tmp/there/is/no/such.so", -ENOENT, "No such file");
}

Test(gate_open, a_fifo_does_not_block)
{
    char fifo[80];

    snprintf(fifo, sizeof fifo, "%s.fifo", file);
    cr_assert_eq(mkfifo(fifo, 0600), 0);
    expect_open(fifo, -EINVAL, "not a regular file");
    unlink(fifo);
}

Test(gate_open, a_text_file_is_no_plugin)
{
    struct sonde_plugin copy;
    struct why why = {""};
    int fd = gate_open(file, getuid(), getgid(), &why);

    cr_assert_geq(fd, 0);
    cr_expect_eq(gate_load(fd, "text", &copy, &why), -ENOEXEC);
    cr_expect(strstr(why.text, "cannot be loaded"), "%s", why.text);
    close(fd);
}
