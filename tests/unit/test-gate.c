/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
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

/* ---- shared objects that were damaged ---- */

static struct {
    unsigned char *bytes; /* of the built inv.so */
    size_t size, plugin;  /* where its sonde_plugin begins */
} object;

static struct why *said; /* shared with the children that load */

static void
read_object(void)
{
    const char *folder = getenv("SONDE_BUILDDIR");
    const struct sonde_plugin head = {SONDE_PLUGIN_HEAD, NULL, NULL, NULL, NULL, NULL};
    char path[1024];
    struct stat st;
    int fd;

    make_file();
    snprintf(path, sizeof path, "%s/.libs/inv.so", folder ? folder : ".");
    fd = open(path, O_RDONLY | O_CLOEXEC);
    cr_assert(fd >= 0 && fstat(fd, &st) == 0, "%s is not there", path);
    object.size = (size_t)st.st_size;
    object.bytes = mmap(NULL, object.size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    said = mmap(NULL, sizeof *said, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                -1, 0);
    cr_assert(object.bytes != MAP_FAILED && (void *)said != MAP_FAILED);
    object.plugin =
        (size_t)((unsigned char *)memmem(object.bytes, object.size, &head, 16) -
                 object.bytes);
    cr_assert_lt(object.plugin, object.size);
    close(fd);
}

TestSuite(gate_object, .init = read_object, .fini = remove_file);

/* Write the first bytes of the object to the file, and load it as a runner does.  Returns
 * what the gate does: 0, an error with its reason, or the signal that it died of.
 */
static int
load(size_t size)
{
    int status = 0;
    FILE *stream = fopen(file, "w");
    pid_t pid;

    cr_assert(stream && fwrite(object.bytes, 1, size, stream) == size);
    cr_assert_eq(fclose(stream), 0);
    said->text[0] = '\0';
    pid = fork();
    if (pid == 0) {
        struct sonde_plugin copy;
        int fd = gate_open(file, getuid(), getgid(), said);

        _exit(fd < 0 ? -fd : -gate_load(fd, "inv", &copy, said));
    }
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    return WIFSIGNALED(status) ? WTERMSIG(status) : -WEXITSTATUS(status);
}

Test(gate_object, the_one_that_was_built_is_loaded)
{
    cr_expect_eq(load(object.size), 0, "%s", said->text);
}

Test(gate_object, one_that_is_cut_off_is_refused_wherever_that_is)
{
    enum { PLACES = 200 };

    for (size_t i = 0; i < PLACES; i++) {
        size_t size = object.size * i / PLACES;
        int r = load(size);

        cr_expect_eq(r, -ENOEXEC, "cut to %zu bytes: %d %s", size, r, said->text);
        cr_expect(
            strstr(said->text, size < sizeof(ElfW(Ehdr)) ? "too short" : "is cut off"),
            "cut to %zu bytes: %s", size, said->text);
    }
    cr_expect_eq(load(object.size - 1), -ENOEXEC);
}

Test(gate_object, without_its_table_of_sections_it_is_still_seen_that_it_is_cut_off)
{
    ElfW(Ehdr) *head = (ElfW(Ehdr) *)object.bytes;
    const ElfW(Phdr) *part = (const ElfW(Phdr) *)(object.bytes + head->e_phoff);
    size_t end = 0;

    for (size_t i = 0; i < head->e_phnum; i++)
        if (part[i].p_offset + part[i].p_filesz > end)
            end = part[i].p_offset + part[i].p_filesz;
    head->e_shoff = head->e_shnum = head->e_shstrndx = 0;
    cr_expect_eq(load(end), 0, "%s", said->text);
    cr_expect_eq(load(end - 1), -ENOEXEC);
    cr_expect(strstr(said->text, "is cut off"), "%s", said->text);
}

Test(gate_object, a_damaged_one_is_refused_with_its_own_reason)
{
    const size_t plugin = object.plugin;
    const struct {
        size_t at, len;
        uint64_t value;
        const char *reason;
    } rows[] = {
        {0, 1, 0, "invalid ELF header"},
        {EI_CLASS, 1, ELFCLASSNONE, "another machine"},
        {EI_CLASS, 1, sizeof(void *) == 8 ? ELFCLASS32 : ELFCLASS64, "another machine"},
        {EI_DATA, 1, 3, "another machine"},
        {offsetof(ElfW(Ehdr), e_machine), 2, 0x1234, "another machine (ELF class"},
        {offsetof(ElfW(Ehdr), e_type), 2, ET_REL, "cannot be loaded"},
        {offsetof(ElfW(Ehdr), e_version), 4, 7, "cannot be loaded"},
        {offsetof(ElfW(Ehdr), e_phentsize), 2, 1, "is cut off"},
        {offsetof(ElfW(Ehdr), e_phoff), 4, 0x7fffffff, "is cut off"},
        {offsetof(ElfW(Ehdr), e_phnum), 2, 0xffff, "is cut off"},
        {offsetof(ElfW(Ehdr), e_phnum), 2, 0, "cannot be loaded"},
        {offsetof(ElfW(Ehdr), e_shoff), sizeof(void *), UINT64_MAX, "is cut off"},
        {plugin, 4, 0, "wrong magic"},
        {plugin, 4, 0x534e4445, "wrong magic"}, /* of a machine of the other order */
        {plugin + 4, 4, 1, "ABI level 1"},
        {plugin + 4, 4, UINT32_MAX, "ABI level 4294967295"},
        {plugin + 8, 4, 0, "has 0 bytes"},
        {plugin + 8, 4, sizeof(struct sonde_plugin) - 1, "has at least"},
        {plugin + 8, 4, sizeof(struct sonde_plugin) + 8, "but its symbol has"},
        {plugin + 8, 4, UINT32_MAX, "but its symbol has"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        unsigned char kept[8];
        int r;

        memcpy(kept, object.bytes + rows[i].at, rows[i].len);
        memcpy(object.bytes + rows[i].at, &rows[i].value, rows[i].len);
        r = load(object.size);
        cr_expect_eq(r, -ENOEXEC, "row %zu: %d %s", i, r, said->text);
        cr_expect(strstr(said->text, rows[i].reason), "row %zu: \"%s\" is not in \"%s\"",
                  i, rows[i].reason, said->text);
        memcpy(object.bytes + rows[i].at, kept, rows[i].len);
    }
    cr_expect_eq(load(object.size), 0, "%s", said->text);
}
