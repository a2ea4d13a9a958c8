/* SPDX-License-Identifier: Apache-2.0 */
#include "walk.h"

#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/xattr.h>

#include "tree.h"

static const char *const modes[] = {"new kernel", "old kernel", "no /proc"};
#define MODES (sizeof modes / sizeof modes[0])

static struct sonde_walk *
begin(const char *path, const char *start, uint32_t flags, size_t mode,
      struct root **ret_root)
{
    struct sonde_walk *walk;

    cr_assert_eq(root_open(path, ret_root), 0);
    if (mode == 1)
        root_without_openat2(*ret_root);
    if (mode == 2)
        root_without_proc(*ret_root);
    int r = walk_open(*ret_root, start, flags, &walk);
    cr_assert_eq(r, 0, "%s: %d", start, r);
    return walk;
}

static void
end(struct sonde_walk *walk, struct root *root)
{
    walk_close(walk);
    root_close(root);
}

/* Walk on until the entry of this path; NULL: it does not come. */
static const struct sonde_entry *
walk_to(struct sonde_walk *walk, const char *path)
{
    const struct sonde_entry *e;

    while (walk_next(walk, &e) > 0)
        if (strcmp(e->path, path) == 0)
            return e;
    return NULL;
}

/* How many entries come, and how many of them are errors. */
static size_t
count(struct sonde_walk *walk, size_t *ret_errors)
{
    const struct sonde_entry *e;
    size_t n = 0;

    *ret_errors = 0;
    while (walk_next(walk, &e) > 0) {
        n++;
        *ret_errors += e->err != 0;
        cr_expect((e->err == 0) == (e->st != NULL));
    }
    return n;
}

static void
make_tree(void)
{
    tree_init();
    tree_folder("root/d");
    tree_folder("root/d/e");
    tree_folder("root/empty");
    tree_file("root/f", "f");
    tree_file("root/d/f", "df");
    tree_file("root/d/e/f", "def");
    tree_file("root/a\nb", "newline");
    tree_file("root/\xff\xfe", "no UTF-8");
    tree_link("root/out", "/etc");
    tree_link("root/up", "..");
    tree_link("root/loop", "loop");
    tree_link("root/folder", "d");
    tree_file("out/outside", "outside");
    cr_assert_eq(mkfifo(tree("root/fifo"), 0644), 0);
    tree_socket("root/socket");
}

TestSuite(walk, .init = make_tree, .fini = tree_done, .timeout = 60);

Test(walk, every_entry_comes_once_folders_before_what_is_in_them)
{
    static const struct {
        const char *path, *name;
        uint32_t depth, type;
    } rows[] = {
        {"/", "/", 0, S_IFDIR},
        {"/d", "d", 1, S_IFDIR},
        {"/d/e", "e", 2, S_IFDIR},
        {"/d/e/f", "f", 3, S_IFREG},
        {"/d/f", "f", 2, S_IFREG},
        {"/empty", "empty", 1, S_IFDIR},
        {"/f", "f", 1, S_IFREG},
        {"/a\nb", "a\nb", 1, S_IFREG},
        {"/out", "out", 1, S_IFLNK},
        {"/up", "up", 1, S_IFLNK},
        {"/loop", "loop", 1, S_IFLNK},
        {"/folder", "folder", 1, S_IFLNK},
        {"/fifo", "fifo", 1, S_IFIFO},
        {"/socket", "socket", 1, S_IFSOCK},
        {"/\xff\xfe", "\xff\xfe", 1, S_IFREG},
    };
    enum { N = sizeof rows / sizeof rows[0] };
    int before = tree_open_files();

    for (size_t m = 0; m < MODES; m++) {
        struct root *root;
        struct sonde_walk *walk = begin(tree("root"), "/", 0, m, &root);
        const struct sonde_entry *e;
        bool seen[N] = {false};
        char last_folder[64] = "";

        while (walk_next(walk, &e) > 0) {
            size_t i = 0;
            while (i < N && strcmp(rows[i].path, e->path) != 0)
                i++;
            cr_assert_lt(i, (size_t)N, "%s: %s", modes[m], e->path);
            cr_expect_not(seen[i], "%s twice", e->path);
            seen[i] = true;
            cr_expect(e->err == 0 && e->st && (e->st->mode & S_IFMT) == rows[i].type);
            cr_expect_eq(e->depth, rows[i].depth, "%s", e->path);
            cr_expect_str_eq(e->name, rows[i].name);
            if (strcmp(e->path, "/d/f") == 0 || strcmp(e->path, "/d/e") == 0)
                cr_expect(seen[1]);
            if (strcmp(last_folder, "/d/e") == 0)
                cr_expect_str_eq(e->path, "/d/e/f");
            snprintf(last_folder, sizeof last_folder, "%s", e->path);
        }
        for (size_t i = 0; i < N; i++)
            cr_expect(seen[i], "%s: no %s", modes[m], rows[i].path);
        cr_expect_eq(walk_next(walk, &e), 0);
        end(walk, root);
    }
    cr_expect_eq(tree_open_files(), before, "a descriptor was left open");
}

Test(walk, a_walk_begins_at_a_folder_only)
{
    static const struct {
        const char *path, *first;
        int err;
    } rows[] = {
        {"/d", "/d", 0},         {"//d//e/", "/d/e", 0},    {"/folder", "/folder", 0},
        {"/..", "/..", 0},       {"/f", NULL, -ENOTDIR},    {"/none", NULL, -ENOENT},
        {"/loop", NULL, -ELOOP}, {"/fifo", NULL, -ENOTDIR}, {"d", NULL, -EINVAL},
    };
    struct sonde_walk *walk;
    const struct sonde_entry *e;
    struct root *root;

    cr_assert_eq(root_open(tree("root"), &root), 0);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int r = walk_open(root, rows[i].path, 0, &walk);
        cr_expect_eq(r, rows[i].err, "%s: %d", rows[i].path, r);
        if (r < 0)
            continue;
        cr_expect_eq(walk_next(walk, &e), 1);
        cr_expect_str_eq(e->path, rows[i].first);
        walk_close(walk);
    }
    root_close(root);
    walk_close(NULL);
}

Test(walk, a_pruned_folder_is_not_entered)
{
    struct root *root;
    struct sonde_walk *walk = begin(tree("root"), "/", 0, 0, &root);
    const struct sonde_entry *e = walk_to(walk, "/d");

    cr_assert(e);
    walk_prune(walk);
    while (walk_next(walk, &e) > 0)
        cr_expect(strncmp(e->path, "/d/", 3) != 0);
    end(walk, root);
    walk = begin(tree("root"), "/", 0, 0, &root);
    cr_expect_eq(walk_next(walk, &e), 1);
    walk_prune(walk);
    cr_expect_eq(walk_next(walk, &e), 0);
    end(walk, root);
}

Test(walk, open_file_opens_the_current_entry)
{
    static const struct {
        const char *path;
        int err;
        const char *text;
    } rows[] = {
        {"/d/e/f", 0, "def"},      {"/\xff\xfe", 0, "no UTF-8"},
        {"/a\nb", 0, "newline"},   {"/d/e", -EISDIR, NULL},
        {"/", -EISDIR, NULL},      {"/folder", -ELOOP, NULL},
        {"/fifo", -ENOTSUP, NULL}, {"/socket", -ENOTSUP, NULL},
    };

    for (size_t m = 0; m < MODES; m++)
        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
            char text[16] = "";
            struct root *root;
            struct sonde_walk *walk = begin(tree("root"), "/", 0, m, &root);
            cr_expect_eq(walk_open_file(walk), -EINVAL);
            cr_assert(walk_to(walk, rows[i].path));
            int fd = walk_open_file(walk);
            cr_expect_eq(fd < 0 ? fd : 0, rows[i].err, "%s, %s: %d", modes[m],
                         rows[i].path, fd);
            if (fd >= 0) {
                cr_expect(read(fd, text, sizeof text - 1) >= 0);
                cr_expect_str_eq(text, rows[i].text);
                close(fd);
            }
            end(walk, root);
        }
}

Test(walk, get_xattr_asks_the_current_entry)
{
    char value[8];
    struct root *root;

    if (setxattr(tree("root/d/f"), "user.sonde", "abc", 3, 0) < 0)
        tree_skip("no user attributes in /tmp");
    struct sonde_walk *walk = begin(tree("root"), "/", 0, 0, &root);
    cr_assert(walk_to(walk, "/d/f"));
    cr_expect_eq(walk_get_xattr(walk, "user.sonde", value, sizeof value), 3);
    cr_expect_eq(walk_get_xattr(walk, "user.sonde", value, 1), -ERANGE);
    cr_expect_eq(walk_get_xattr(walk, "user.none", value, 1), -ENODATA);
    end(walk, root);
}

Test(walk, a_file_that_was_replaced_is_not_opened)
{
    static const char *const by[] = {"root/other", "root/fifo", "root/loop",
                                     "out/outside"};

    tree_file("root/other", "other");
    for (size_t i = 0; i < sizeof by / sizeof by[0]; i++)
        for (size_t m = 0; m < MODES; m++) {
            struct root *root;
            struct sonde_walk *walk = begin(tree("root"), "/d", 0, m, &root);
            cr_assert(walk_to(walk, "/d/f"));
            tree_move("root/d/f", "kept");
            tree_move(by[i], "root/d/f");
            cr_expect_eq(walk_open_file(walk), -ESTALE, "%s, %s", modes[m], by[i]);
            tree_move("root/d/f", by[i]);
            cr_expect_eq(walk_open_file(walk), -ENOENT);
            tree_move("kept", "root/d/f");
            end(walk, root);
        }
}

Test(walk, a_folder_that_was_replaced_is_an_error_and_not_entered)
{
    for (size_t m = 0; m < MODES; m++)
        for (int link = 0; link < 2; link++) {
            struct root *root;
            struct sonde_walk *walk = begin(tree("root"), "/", 0, m, &root);
            const struct sonde_entry *e = walk_to(walk, "/d");
            cr_assert(e);
            tree_move("root/d", "kept");
            if (link)
                tree_link("root/d", "../out");
            else
                tree_move("out", "root/d");
            cr_expect_eq(walk_next(walk, &e), 1);
            cr_expect_str_eq(e->path, "/d");
            cr_expect(e->err == (link ? -ENOTDIR : -ESTALE) && !e->st && e->depth == 1);
            cr_expect_eq(walk_open_file(walk), e->err);
            while (walk_next(walk, &e) > 0)
                cr_expect(strncmp(e->path, "/d", 2) != 0, "%s", e->path);
            if (link)
                unlink(tree("root/d"));
            else
                tree_move("root/d", "out");
            tree_move("kept", "root/d");
            end(walk, root);
        }
}

Test(walk, what_vanishes_meanwhile_is_no_error)
{
    struct root *root;
    struct sonde_walk *walk = begin(tree("root"), "/", 0, 0, &root);
    const struct sonde_entry *e;
    size_t errors;

    cr_assert_eq(walk_next(walk, &e), 1);
    cr_assert_eq(walk_next(walk, &e), 1); /* names were read: now all else goes */
    tree_move("root/d", "kept");
    unlink(tree("root/f"));
    unlink(tree("root/out"));
    rmdir(tree("root/empty"));
    count(walk, &errors);
    cr_expect_eq(errors, 0);
    end(walk, root);
}

Test(walk, a_deep_tree_is_walked_to_its_bottom)
{
    tree_chain("root/empty", "x", 1000);
    for (size_t m = 0; m < MODES; m++) {
        struct root *root;
        size_t errors;
        int before = tree_open_files();
        struct sonde_walk *walk = begin(tree("root"), "/empty", 0, m, &root);
        const struct sonde_entry *e;
        int most = 0;

        for (uint32_t depth = 0; depth < 1000 && walk_next(walk, &e) > 0;) {
            int files = tree_open_files() - before;
            most = files > most ? files : most;
            depth = e->depth;
        }
        cr_expect(most < 80, "%d files open", most);
        end(walk, root);
        walk = begin(tree("root"), "/empty", 0, m, &root);
        cr_expect_eq(count(walk, &errors), 2001, "%s", modes[m]);
        cr_expect_eq(errors, 0);
        end(walk, root);
    }
}

Test(walk, a_path_longer_than_the_system_allows_is_walked)
{
    tree_chain("root/empty", "a-name-of-twenty-one-", 400);
    for (size_t m = 0; m < MODES; m++) {
        struct root *root;
        size_t errors;
        struct sonde_walk *walk = begin(tree("root"), "/empty", 0, m, &root);
        cr_expect_eq(count(walk, &errors), 801, "%s", modes[m]);
        cr_expect_eq(errors, 0);
        end(walk, root);
    }
}

Test(walk, a_folder_is_left_where_it_was_entered_although_it_was_moved)
{
    char path[512] = "/empty";

    tree_chain("root/empty", "x", 100);
    for (int i = 0; i < 90; i++)
        strcat(path, "/x");
    for (size_t m = 0; m < MODES; m++) {
        struct root *root;
        struct sonde_walk *walk = begin(tree("root"), "/", 0, m, &root);
        const struct sonde_entry *e;
        size_t files = 0, errors = 0;

        while (walk_next(walk, &e) > 0) {
            errors += e->err != 0;
            files += strcmp(e->name, "z") == 0;
            cr_expect(strstr(e->path, "outside") == NULL);
            if (strcmp(e->path, path) == 0 && !e->err)
                tree_move("root/empty/x/x/x", "out/x");
        }
        cr_expect_eq(files, 100, "%s: %zu", modes[m], files);
        cr_expect_eq(errors, 0);
        tree_move("out/x", "root/empty/x/x/x");
        end(walk, root);
    }
}

Test(walk, a_folder_with_many_names_is_read_to_its_end)
{
    char name[64];
    size_t errors;
    struct root *root;

    for (int i = 0; i < 3000; i++) {
        snprintf(name, sizeof name, "root/empty/a-name-that-takes-some-room-%d", i);
        tree_file(name, "");
    }
    struct sonde_walk *walk = begin(tree("root"), "/empty", 0, 0, &root);
    cr_expect_eq(count(walk, &errors), 3001);
    end(walk, root);
}

Test(walk, an_unreadable_folder_is_described_and_then_an_error)
{
    cr_assert_eq(chmod(tree("root/d/e"), 0711), 0);
    if (geteuid() == 0) {
        cr_assert_eq(chown(tree("root/d/e"), 0, 0), 0);
        cr_assert_eq(setgroups(0, NULL), 0);
        cr_assert_eq(setresuid(-1, 65534, 0), 0);
    } else {
        cr_assert_eq(chmod(tree("root/d/e"), 0111), 0);
    }
    for (size_t m = 0; m < MODES; m++) {
        struct root *root;
        struct sonde_walk *walk = begin(tree("root"), "/d", 0, m, &root);
        const struct sonde_entry *e = walk_to(walk, "/d/e");
        cr_assert(e && e->err == 0 && S_ISDIR(e->st->mode));
        cr_expect_eq(walk_next(walk, &e), 1);
        cr_expect(e->err == -EACCES && !e->st && e->depth == 1, "%s: %d", modes[m],
                  e->err);
        cr_expect_str_eq(e->path, "/d/e");
        cr_expect_str_eq(e->name, "e");
        while (walk_next(walk, &e) > 0)
            cr_expect_eq(e->err, 0);
        end(walk, root);
    }
    if (getuid() == 0)
        cr_assert_eq(setresuid(-1, 0, -1), 0);
    chmod(tree("root/d/e"), 0755);
}

/* ---- Mounts ---------------------------------------------------------------------- */

/* Entries below the path, in a walk of "/" that goes nowhere else; at most `most`. */
static int
entries_below(const char *root_path, const char *path, uint32_t flags, size_t mode,
              int most)
{
    struct root *root;
    struct sonde_walk *walk = begin(root_path, "/", flags, mode, &root);
    const struct sonde_entry *e;
    size_t len = strlen(path);
    int n = 0;

    while (n < most && walk_next(walk, &e) > 0) {
        if (strncmp(e->path, path, len) == 0 && e->path[len] == '/')
            n++;
        else if (e->depth > 0 && strcmp(e->path, path) != 0)
            walk_prune(walk);
    }
    end(walk, root);
    return n;
}

Test(walk, proc_and_sys_are_entered_only_when_asked)
{
    for (size_t m = 0; m < 2; m++) {
        cr_expect_eq(entries_below("/", "/proc", 0, m, 9), 0);
        cr_expect_eq(entries_below("/", "/sys", 0, m, 9), 0);
        cr_expect_eq(entries_below("/", "/proc", SONDE_WALK_ALL_FS, m, 9), 9);
        cr_expect_eq(entries_below("/proc", "/self", 0, m, 9), 0, "a link");
        cr_expect_eq(entries_below("/proc", "/sys", 0, m, 9), 9, "the root's own mount");
    }
}

static void
own_mounts(void)
{
    if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
        tree_skip("mounts cannot be made here");
}

Test(walk, local_mounts_are_entered_and_others_are_not)
{
    own_mounts();
    tree_folder("root/bind");
    tree_folder("root/tmpfs");
    tree_folder("root/proc");
    cr_assert_eq(mount(tree("root/d"), tree("root/bind"), NULL, MS_BIND, NULL), 0);
    cr_assert_eq(mount("x", tree("root/tmpfs"), "tmpfs", 0, NULL), 0);
    cr_assert_eq(mount("x", tree("root/proc"), "proc", 0, NULL), 0);
    tree_file("root/tmpfs/f", "");
    for (size_t m = 0; m < 2; m++) {
        cr_expect_eq(entries_below(tree("root"), "/bind", 0, m, 9), 3);
        cr_expect_eq(entries_below(tree("root"), "/tmpfs", 0, m, 9), 1);
        cr_expect_eq(entries_below(tree("root"), "/proc", 0, m, 9), 0);
        cr_expect_eq(entries_below(tree("root"), "/proc", SONDE_WALK_ALL_FS, m, 9), 9);
    }
    cr_assert_eq(umount(tree("root/bind")), 0);
    cr_assert_eq(umount(tree("root/tmpfs")), 0);
    cr_assert_eq(umount(tree("root/proc")), 0);
}

Test(walk, a_mount_made_during_the_walk_is_known)
{
    struct root *root;
    const struct sonde_entry *e;

    own_mounts();
    for (size_t m = 0; m < 2; m++) {
        struct sonde_walk *walk = begin(tree("root"), "/", 0, m, &root);
        cr_assert_eq(walk_next(walk, &e), 1);
        cr_assert_eq(mount("x", tree("root/empty"), "tmpfs", 0, NULL), 0);
        tree_file("root/empty/new", "");
        cr_expect(walk_to(walk, "/empty/new"), "%s", modes[m]);
        end(walk, root);
        cr_assert_eq(umount(tree("root/empty")), 0);
    }
}

/* A trigger whose daemon is another process, which never answers: entering would hang. */
Test(walk, autofs_is_never_entered_nor_triggered)
{
    int pipes[2];
    char options[128];

    own_mounts();
    tree_folder("root/auto");
    cr_assert_eq(pipe(pipes), 0);
    pid_t daemon = fork();
    if (daemon == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        setpgid(0, 0);
        pause();
        _exit(0);
    }
    setpgid(daemon, daemon);
    alarm(10); /* whoever waits for autofs can be killed only */
    snprintf(options, sizeof options, "fd=%d,pgrp=%d,minproto=5,maxproto=5,direct",
             pipes[1], daemon);
    int r = mount("test", tree("root/auto"), "autofs", 0, options);
    if (r == 0) {
        for (size_t m = 0; m < 2; m++) {
            cr_expect_eq(entries_below(tree("root"), "/auto", 0, m, 9), 0);
            cr_expect_eq(entries_below(tree("root"), "/auto", SONDE_WALK_ALL_FS, m, 9),
                         0);
        }
        cr_assert_eq(fcntl(pipes[0], F_SETFL, O_NONBLOCK), 0);
        cr_expect_eq(read(pipes[0], options, sizeof options), -1, "it was triggered");
        umount2(tree("root/auto"), MNT_DETACH);
    }
    kill(daemon, SIGKILL);
    if (r < 0)
        tree_skip("autofs cannot be mounted here");
}
