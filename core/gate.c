/* SPDX-License-Identifier: Apache-2.0 */
#include "gate.h"

#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"

/* The struct as level 0 had it first: no plugin has less. */
#define FIRST_SIZE sizeof(struct sonde_plugin)

/* Of the program that runs here; the linker makes it. */
/* NOLINTNEXTLINE: the name is the linker's */
extern const ElfW(Ehdr) __ehdr_start __attribute__((weak, visibility("hidden")));

/* Where the file must end at least: its linker puts the table of sections last.  0: a table is
 * nowhere.
 */
static uint64_t
end_of(int fd, const ElfW(Ehdr) * head)
{
    uint64_t end = head->e_shoff + (uint64_t)head->e_shnum * head->e_shentsize;
    ElfW(Phdr) part;

    if (head->e_phentsize != sizeof part || end < head->e_shoff)
        return 0;
    for (size_t i = 0; i < head->e_phnum; i++) {
        if (pread(fd, &part, sizeof part, (off_t)(head->e_phoff + i * sizeof part)) !=
                sizeof part ||
            part.p_offset + part.p_filesz < part.p_offset)
            return 0;
        if (part.p_offset + part.p_filesz > end)
            end = part.p_offset + part.p_filesz;
    }
    return end;
}

/* What the loader would not see, or not say: it maps a file that was cut off, takes zeros for
 * what is missing of a page, and dies of a page that is missing.  What is no shared object at
 * all is left to it.
 */
static int
check_object(int fd, const char *path, uint64_t size, struct why *why)
{
    const ElfW(Ehdr) *own = &__ehdr_start;
    ElfW(Ehdr) head;
    uint64_t end;

    if (pread(fd, &head, sizeof head, 0) != sizeof head ||
        memcmp(head.e_ident, ELFMAG, SELFMAG) != 0)
        return 0;
    if (own && (memcmp(head.e_ident, own->e_ident, EI_VERSION) != 0 ||
                head.e_machine != own->e_machine))
        return why_set(why, -ENOEXEC,
                       "plugin %s: is built for another machine (ELF class %d, machine "
                       "%d; this one is %d, %d)",
                       path, head.e_ident[EI_CLASS], head.e_machine,
                       own->e_ident[EI_CLASS], own->e_machine);
    end = end_of(fd, &head);
    if (end == 0 || end > size)
        return why_set(why, -ENOEXEC,
                       "plugin %s: is cut off after %llu bytes; install it again", path,
                       (unsigned long long)size);
    return 0;
}

int
gate_open(const char *path, uid_t own_uid, gid_t own_gid, struct why *why)
{
    cleanup_fd int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    struct stat st;
    int r;

    if (fd < 0 && errno == ELOOP)
        return why_set(why, -ELOOP, "plugin %s: is a link; install the file itself",
                       path);
    if (fd < 0 || fstat(fd, &st) < 0)
        return why_set(why, -errno, "plugin %s: %s", path, strerror(errno));
    if (!S_ISREG(st.st_mode))
        return why_set(why, -EINVAL, "plugin %s: is not a regular file", path);
    if (st.st_uid != 0 && st.st_uid != own_uid)
        return why_set(why, -EPERM, "plugin %s: belongs to uid %u, not to root", path,
                       st.st_uid);
    if (st.st_mode & S_IWOTH)
        return why_set(why, -EPERM, "plugin %s: is writable by others; chmod o-w", path);
    if ((st.st_mode & S_IWGRP) && st.st_gid != 0 && st.st_gid != own_gid)
        return why_set(why, -EPERM,
                       "plugin %s: is writable by group %u, which is neither root's nor "
                       "the agent's; chmod g-w",
                       path, st.st_gid);
    r = check_object(fd, path, (uint64_t)st.st_size, why);
    return r < 0 ? r : steal_fd(&fd);
}

int
gate_judge(const struct sonde_plugin *theirs, size_t room, const char *name,
           struct sonde_plugin *ret, struct why *why)
{
    size_t size;

    if (room && room < 16)
        return why_set(why, -ENOEXEC, "plugin %s: sonde_plugin has %zu bytes only", name,
                       room);
    if (theirs->magic != SONDE_MAGIC)
        return why_set(why, -ENOEXEC,
                       "plugin %s: sonde_plugin has the wrong magic number", name);
    if (theirs->abi > SONDE_ABI)
        return why_set(why, -ENOEXEC,
                       "plugin %s: is built for ABI level %u, this engine knows %u; "
                       "use a newer engine",
                       name, theirs->abi, SONDE_ABI);
    size = theirs->size;
    if (size < FIRST_SIZE)
        return why_set(
            why, -ENOEXEC,
            "plugin %s: says its struct has %zu bytes, level %u has at least %zu", name,
            size, theirs->abi, FIRST_SIZE);
    if (room && size > room)
        return why_set(why, -ENOEXEC,
                       "plugin %s: says its struct has %zu bytes, but its symbol has %zu",
                       name, size, room);
    *ret = (struct sonde_plugin){0};
    memcpy(ret, theirs, size < sizeof *ret ? size : sizeof *ret);
    if (!ret->name || !ret->version || !ret->open || !ret->next || !ret->close)
        return why_set(why, -ENOEXEC, "plugin %s: %s is NULL", name,
                       !ret->name      ? "name"
                       : !ret->version ? "version"
                       : !ret->open    ? "open"
                       : !ret->next    ? "next"
                                       : "close");
    if (strcmp(ret->name, name) != 0)
        return why_set(why, -ENOEXEC, "plugin %s: calls itself \"%.32s\"", name,
                       ret->name);
    return 0;
}

/* What the C library knows about the symbol's size; 0 where it does not tell. */
static size_t
symbol_size(const void *symbol)
{
#ifdef __GLIBC__
    const ElfW(Sym) *entry = NULL;
    Dl_info info;

    if (dladdr1(symbol, &info, (void **)&entry, RTLD_DL_SYMENT) && entry)
        return entry->st_size;
#else
    (void)symbol;
#endif
    return 0;
}

int
gate_load(int fd, const char *name, struct sonde_plugin *ret, struct why *why)
{
    const struct sonde_plugin *theirs;
    char path[32];
    void *handle;

    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    handle = dlopen(path, RTLD_NOW | RTLD_LOCAL); /* never closed: its threads may live */
    if (!handle)
        return why_set(why, -ENOEXEC, "plugin %s: cannot be loaded: %s", name, dlerror());
    theirs = dlsym(handle, "sonde_plugin");
    if (!theirs)
        return why_set(why, -ENOEXEC, "plugin %s: exports no symbol sonde_plugin", name);
    return gate_judge(theirs, symbol_size(theirs), name, ret, why);
}
