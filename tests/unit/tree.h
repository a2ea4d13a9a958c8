/* SPDX-License-Identifier: Apache-2.0 */
/* A temporary folder for a test: <tree>/root is what is scanned, <tree>/out is outside. */
#pragma once

#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static char tree_path[64];

/* Paths of the tree: "root/f" → "/tmp/sonde-test-…/root/f"; eight may be in use. */
static inline const char *
tree(const char *name)
{
    static char paths[8][8192];
    static int turn;
    char *path = paths[turn++ % 8];

    snprintf(path, sizeof paths[0], "%s/%s", tree_path, name);
    return path;
}

static inline void
tree_file(const char *name, const char *text)
{
    FILE *f = fopen(tree(name), "w");

    cr_assert(f, "%s", name);
    fputs(text, f);
    fclose(f);
}

static inline void
tree_folder(const char *name)
{
    cr_assert(mkdir(tree(name), 0755) == 0, "%s", name);
}

static inline void
tree_link(const char *name, const char *target)
{
    cr_assert(symlink(target, tree(name)) == 0, "%s", name);
}

static inline void
tree_move(const char *from, const char *to)
{
    cr_assert(rename(tree(from), tree(to)) == 0, "%s: %s", from, strerror(errno));
}

static inline void
tree_socket(const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    snprintf(address.sun_path, sizeof address.sun_path, "%s/%.32s", tree_path, name);
    cr_assert(bind(fd, (struct sockaddr *)&address, sizeof address) == 0);
    close(fd);
}

/* A chain of folders, each called `name`, depth of them, a file "z" in each. */
static inline void
tree_chain(const char *top, const char *name, int depth)
{
    int dir = open(tree(top), O_RDONLY | O_DIRECTORY);

    for (int i = 0; i < depth; i++) {
        cr_assert(mkdirat(dir, name, 0755) == 0);
        int next = openat(dir, name, O_RDONLY | O_DIRECTORY);
        cr_assert(next >= 0);
        close(dir);
        dir = next;
        close(openat(dir, "z", O_CREAT | O_WRONLY, 0644));
    }
    close(dir);
}

static inline void
tree_init(void)
{
    strcpy(tree_path, "/tmp/sonde-test-XXXXXX");
    cr_assert(mkdtemp(tree_path));
    cr_assert(chmod(tree_path, 0755) == 0);
    tree_folder("root");
    tree_folder("out");
}

static inline void
tree_done(void)
{
    char command[128];

    snprintf(command, sizeof command, "rm -rf '%s'", tree_path);
    cr_assert(system(command) == 0);
}

/* A case that is skipped is not followed by its suite's fini. */
#define tree_skip(reason)                                                                \
    do {                                                                                 \
        tree_done();                                                                     \
        cr_skip(reason);                                                                 \
    } while (0)

/* Descriptors that are open now. */
static inline int
tree_open_files(void)
{
    DIR *dir = opendir("/proc/self/fd");
    int n = 0;

    while (dir && readdir(dir))
        n++;
    if (dir)
        closedir(dir);
    return n;
}
