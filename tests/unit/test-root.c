/* SPDX-License-Identifier: Apache-2.0 */
#include "root.h"

#include <limits.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "tree.h"

/* Every case holds with and without openat2, with and without /proc. */
static const struct mode {
    const char *name;
    bool openat2, proc;
} modes[] = {
    {"openat2", true, true},
    {"components", false, true},
    {"openat2 without /proc", true, false},
    {"components without /proc", false, false},
};
#define MODES (sizeof modes / sizeof modes[0])

static struct root *
open_root(const char *path, const struct mode *mode)
{
    struct root *root;

    cr_assert_eq(root_open(path, &root), 0);
    if (!mode->openat2)
        root_without_openat2(root);
    if (!mode->proc)
        root_without_proc(root);
    return root;
}

static void
make_tree(void)
{
    char name[32], target[32];

    tree_init();
    tree_folder("root/etc");
    tree_folder("root/d");
    tree_folder("root/d/e");
    tree_file("root/etc/passwd", "inside");
    tree_file("root/f", "f");
    tree_file("root/d/f", "df");
    tree_file("root/empty", "");
    tree_file("root/a\nb\xff", "odd");
    tree_file("out/secret", "outside");
    tree_file("secret", "outside");
    tree_link("root/absolute", "/etc/passwd");
    tree_link("root/climbing", "../../../../../../../../etc/passwd");
    tree_link("root/d/e/climbing", "../../../../../../../../../etc/passwd");
    tree_link("root/outside", "../secret");
    tree_link("root/outside-absolute", tree("secret"));
    tree_link("root/d/up", "..");
    tree_link("root/folder", "d");
    tree_link("root/slash", "d/");
    tree_link("root/dangling", "nothing");
    tree_link("root/self", "self");
    tree_link("root/loop1", "loop2");
    tree_link("root/loop2", "d/../loop1");
    tree_link("root/link0", "f");
    for (int i = 1; i <= 40; i++) {
        snprintf(name, sizeof name, "root/link%d", i);
        snprintf(target, sizeof target, "link%d", i - 1);
        tree_link(name, target);
    }
    cr_assert_eq(mkfifo(tree("root/fifo"), 0644), 0);
    tree_socket("root/socket");
}

TestSuite(root, .init = make_tree, .fini = tree_done, .timeout = 60);

static const struct {
    const char *path;
    uint32_t flags;
    int err;          /* negated errno, or 0 and … */
    const char *text; /* … what is in the file; NULL: a folder */
} rows[] = {
    {"/f", 0, 0, "f"},
    {"//d///f", 0, 0, "df"},
    {"/d/./e/../f", 0, 0, "df"},
    {"/a\nb\xff", 0, 0, "odd"},
    {"/empty", 0, 0, ""},
    {"/folder/f", 0, 0, "df"},
    {"/folder/f", SONDE_NOFOLLOW, 0, "df"},
    {"/folder/../f", 0, 0, "f"},
    {"/slash/f", 0, 0, "df"},
    {"/d/up/d/up/f", 0, 0, "f"},
    {"/link39", 0, 0, "f"}, /* 40 links */
    {"/", SONDE_DIRECTORY, 0, NULL},
    {"/..", SONDE_DIRECTORY, 0, NULL},
    {"/d", SONDE_DIRECTORY, 0, NULL},
    {"/d/", SONDE_DIRECTORY, 0, NULL},
    {"/d/.", SONDE_DIRECTORY, 0, NULL},
    {"/d/e/..", SONDE_DIRECTORY, 0, NULL},
    {"/folder", SONDE_DIRECTORY, 0, NULL},
    {"/slash", SONDE_DIRECTORY, 0, NULL},
    {"/folder/", SONDE_DIRECTORY | SONDE_NOFOLLOW, 0, NULL},
    /* what wants to get out stays in */
    {"/absolute", 0, 0, "inside"},
    {"/climbing", 0, 0, "inside"},
    {"/d/e/climbing", 0, 0, "inside"},
    {"/../../../../../../etc/passwd", 0, 0, "inside"},
    {"/d/up/../../../etc/passwd", 0, 0, "inside"},
    {"/outside", 0, -ENOENT, NULL},
    {"/outside-absolute", 0, -ENOENT, NULL},
    {"/../secret", 0, -ENOENT, NULL},
    /* links */
    {"/absolute", SONDE_NOFOLLOW, -ELOOP, NULL},
    {"/folder", SONDE_DIRECTORY | SONDE_NOFOLLOW, -ELOOP, NULL},
    {"/dangling", 0, -ENOENT, NULL},
    {"/dangling", SONDE_NOFOLLOW, -ELOOP, NULL},
    {"/self", 0, -ELOOP, NULL},
    {"/self/x", 0, -ELOOP, NULL},
    {"/loop1", 0, -ELOOP, NULL},
    {"/link40", 0, -ELOOP, NULL},
    {"/folder/up/link39", 0, -ELOOP, NULL},
    /* what is no regular file */
    {"/fifo", 0, -ENOTSUP, NULL},
    {"/socket", 0, -ENOTSUP, NULL},
    {"/fifo", SONDE_DIRECTORY, -ENOTDIR, NULL},
    {"/f", SONDE_DIRECTORY, -ENOTDIR, NULL},
    {"/d", 0, -EISDIR, NULL},
    {"/folder", 0, -EISDIR, NULL},
    {"/", 0, -EISDIR, NULL},
    {"/f/", 0, -ENOTDIR, NULL},
    {"/f/.", 0, -ENOTDIR, NULL},
    {"/f/..", 0, -ENOTDIR, NULL},
    {"/f/x", 0, -ENOTDIR, NULL},
    {"/fifo/x", 0, -ENOTDIR, NULL},
    {"/link0/", 0, -ENOTDIR, NULL},
    {"/nothing", 0, -ENOENT, NULL},
    {"/nothing/x", 0, -ENOENT, NULL},
    {"/nothing/../f", 0, -ENOENT, NULL},
    /* what is no path */
    {"", 0, -EINVAL, NULL},
    {"f", 0, -EINVAL, NULL},
    {"./f", 0, -EINVAL, NULL},
    {NULL, 0, -EINVAL, NULL},
};

static void
check_open(struct root *root, size_t row, const char *mode)
{
    char text[16] = "";
    int fd = root_open_file(root, rows[row].path, rows[row].flags);

    cr_expect_eq(fd < 0 ? fd : 0, rows[row].err, "%s, %s, flags %u: %d", mode,
                 rows[row].path, rows[row].flags, fd);
    if (fd < 0)
        return;
    if (rows[row].text) {
        cr_expect(read(fd, text, sizeof text - 1) >= 0);
        cr_expect_str_eq(text, rows[row].text, "%s, %s", mode, rows[row].path);
    }
    close(fd);
}

Test(root, open_file_stays_below_the_root_and_opens_regular_files_only)
{
    int before = tree_open_files();

    for (size_t m = 0; m < MODES; m++) {
        struct root *root = open_root(tree("root"), &modes[m]);
        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
            check_open(root, i, modes[m].name);
        root_close(root);
    }
    cr_expect_eq(tree_open_files(), before, "a descriptor was left open");
}

Test(root, a_path_or_a_name_that_is_too_long_is_refused)
{
    static char path[PATH_MAX + 2], name[300] = "/";

    memset(name + 1, 'x', 256);
    memset(path, '/', PATH_MAX);
    path[PATH_MAX - 1] = 'f';
    for (size_t m = 0; m < MODES; m++) {
        struct root *root = open_root(tree("root"), &modes[m]);
        cr_expect_eq(root_open_file(root, path, 0), -ENAMETOOLONG);
        cr_expect_eq(root_open_file(root, name, 0), -ENAMETOOLONG);
        name[256] = '\0';
        cr_expect_eq(root_open_file(root, name, 0), -ENOENT);
        name[256] = 'x';
        int fd = root_open_file(root, path + 1, 0);
        cr_expect_geq(fd, 0, "%d", fd);
        close(fd);
        root_close(root);
    }
}

Test(root, a_device_is_never_opened)
{
    if (mknod(tree("root/null"), S_IFCHR | 0644, makedev(1, 3)) < 0)
        tree_skip("devices cannot be made here");
    for (size_t m = 0; m < MODES; m++) {
        struct root *root = open_root(tree("root"), &modes[m]);
        cr_expect_eq(root_open_file(root, "/null", 0), -ENOTSUP, "%s", modes[m].name);
        root_close(root);
    }
}

Test(root, links_of_proc_that_are_no_text_are_not_followed)
{
    static const char *const paths[] = {"/proc/self/exe", "/proc/self/root/etc",
                                        "/proc/self/cwd/x", "/proc/thread-self/exe"};

    for (size_t m = 0; m < MODES; m++) {
        struct root *root = open_root("/", &modes[m]);
        for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
            cr_expect_eq(root_resolve(root, paths[i], 0), -ELOOP, "%s, %s", modes[m].name,
                         paths[i]);
        root_close(root);
    }
}

Test(root, read_file_reads_what_has_no_size)
{
    const char *text;
    size_t len;

    for (size_t m = 0; m < MODES; m++) {
        struct root *root = open_root("/", &modes[m]);
        cr_expect_eq(root_read_file(root, "/proc/self/status", 1 << 20, &text, &len), 0);
        cr_expect(len > 100 && strlen(text) == len && strncmp(text, "Name:", 5) == 0);
        cr_expect_eq(root_read_file(root, "/proc/mounts", 1 << 20, &text, &len), 0);
        root_close(root);
    }
}

Test(root, read_file_reads_what_says_to_be_longer_than_it_is)
{
    const char *text;
    size_t len;

    if (access("/sys/kernel/uevent_seqnum", R_OK) < 0)
        cr_skip("/sys is not mounted");
    for (size_t m = 0; m < MODES; m++) {
        struct root *root = open_root("/", &modes[m]);

        cr_expect_eq(root_read_file(root, "/sys/kernel/uevent_seqnum", 64, &text, &len),
                     0);
        cr_expect(len > 0 && len < 64 && text[len - 1] == '\n');
        root_close(root);
    }
}

Test(root, read_file_takes_max_bytes_and_no_more)
{
    static char long_text[100001];
    const char *text;
    size_t len;

    memset(long_text, 'x', sizeof long_text - 1);
    tree_file("root/long", long_text);
    for (size_t m = 0; m < MODES; m++) {
        struct root *root = open_root(tree("root"), &modes[m]);
        cr_expect_eq(root_read_file(root, "/long", 100000, &text, &len), 0);
        cr_expect(len == 100000 && strcmp(text, long_text) == 0);
        cr_expect_eq(root_read_file(root, "/long", 99999, &text, &len), -EFBIG);
        cr_expect_eq(root_read_file(root, "/long", SIZE_MAX, &text, &len), 0);
        cr_expect_eq(root_read_file(root, "/d/f", 2, &text, &len), 0);
        cr_expect(len == 2 && strcmp(text, "df") == 0);
        cr_expect_eq(root_read_file(root, "/d/f", 0, &text, &len), -EFBIG);
        cr_expect_eq(root_read_file(root, "/empty", 0, &text, &len), 0);
        cr_expect(len == 0 && *text == '\0');
        cr_expect_eq(root_read_file(root, "/fifo", 9, &text, &len), -ENOTSUP);
        cr_expect_eq(root_read_file(root, "/d", 9, &text, &len), -EISDIR);
        root_close(root);
    }
}

Test(root, stat_describes_without_opening)
{
    struct sonde_stat st = {.size = sizeof st};

    for (size_t m = 0; m < MODES; m++) {
        struct root *root = open_root(tree("root"), &modes[m]);
        cr_expect_eq(root_stat(root, "/d/f", 0, &st), 0);
        cr_expect(S_ISREG(st.mode) && st.length == 2 && st.nlink == 1 && st.mtime_ns > 0);
        cr_expect_eq(root_stat(root, "/absolute", 0, &st), 0);
        cr_expect(S_ISREG(st.mode) && st.length == 6);
        cr_expect_eq(root_stat(root, "/absolute", SONDE_NOFOLLOW, &st), 0);
        cr_expect(S_ISLNK(st.mode));
        cr_expect_eq(root_stat(root, "/fifo", 0, &st), 0);
        cr_expect(S_ISFIFO(st.mode));
        cr_expect_eq(root_stat(root, "/nothing", 0, &st), -ENOENT);
        root_close(root);
    }
}

Test(root, stat_fills_as_many_bytes_as_the_caller_has)
{
    struct root *root = open_root(tree("root"), &modes[0]);
    struct {
        struct sonde_stat st;
        uint64_t more;
    } newer = {.st.size = sizeof newer, .more = 1};
    struct sonde_stat st = {.size = offsetof(struct sonde_stat, uid), .uid = 77};

    cr_expect_eq(root_stat(root, "/f", 0, &st), 0);
    cr_expect(S_ISREG(st.mode) && st.uid == 77);
    cr_expect_eq(root_stat(root, "/f", 0, &newer.st), 0);
    cr_expect(newer.st.length == 1 && newer.more == 0 && newer.st.size == sizeof newer);
    st.size = 0;
    cr_expect_eq(root_stat(root, "/f", 0, &st), -EINVAL);
    root_close(root);
}

Test(root, read_link_gives_the_text_of_the_link)
{
    char text[64];

    for (size_t m = 0; m < MODES; m++) {
        struct root *root = open_root(tree("root"), &modes[m]);
        cr_expect_eq(root_read_link(root, "/absolute", text, sizeof text), 11);
        cr_expect_str_eq(text, "/etc/passwd");
        cr_expect_eq(root_read_link(root, "/absolute", text, 12), 11);
        cr_expect_eq(root_read_link(root, "/absolute", text, 11), -ERANGE);
        cr_expect_eq(root_read_link(root, "/absolute", text, 0), -ERANGE);
        cr_expect_eq(root_read_link(root, "/f", text, sizeof text), -EINVAL);
        cr_expect_eq(root_read_link(root, "/d", text, sizeof text), -EINVAL);
        cr_expect_eq(root_read_link(root, "/nothing", text, sizeof text), -ENOENT);
        root_close(root);
    }
}

Test(root, get_xattr_asks_the_file_itself)
{
    char value[16];

    if (setxattr(tree("root/f"), "user.sonde", "abc", 3, 0) < 0)
        tree_skip("no user attributes in /tmp");
    for (size_t m = 0; m < 2; m++) {
        struct root *root = open_root(tree("root"), &modes[m]);
        cr_expect_eq(root_get_xattr(root, "/f", "user.sonde", value, sizeof value), 3);
        cr_expect(memcmp(value, "abc", 3) == 0);
        cr_expect_eq(root_get_xattr(root, "/f", "user.sonde", value, 2), -ERANGE);
        cr_expect_eq(root_get_xattr(root, "/f", "user.none", value, 2), -ENODATA);
        cr_expect_eq(root_get_xattr(root, "/link0", "user.sonde", value, 9), -ENODATA);
        root_close(root);
    }
    struct root *root = open_root(tree("root"), &modes[2]);
    cr_expect_eq(root_get_xattr(root, "/f", "user.sonde", value, 9), -ENOSYS);
    root_close(root);
}

Test(root, get_xattr_asks_a_link_itself)
{
    char value[16];

    if (lsetxattr(tree("root/link0"), "trusted.sonde", "link", 4, 0) < 0)
        tree_skip("links cannot have attributes here");
    for (size_t m = 0; m < 2; m++) {
        struct root *root = open_root(tree("root"), &modes[m]);
        cr_expect_eq(root_get_xattr(root, "/link0", "trusted.sonde", value, 9), 4);
        cr_expect_eq(root_get_xattr(root, "/f", "trusted.sonde", value, 9), -ENODATA);
        root_close(root);
    }
}

Test(root, what_is_no_folder_is_no_root)
{
    struct root *root;

    cr_expect_eq(root_open(tree("root/f"), &root), -ENOTDIR);
    cr_expect_eq(root_open(tree("nothing"), &root), -ENOENT);
    root_close(NULL);
}

static int
deny_openat2(int err)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned int)err),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof filter / sizeof filter[0], filter};

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return -errno;
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0 ? -errno : 0;
}

static void
check_without_openat2(int err)
{
    struct root *root;

    if (deny_openat2(err) < 0)
        tree_skip("no seccomp filters here");
    cr_assert_eq(root_open(tree("root"), &root), 0);
    cr_expect_not(root_has_openat2(root));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        check_open(root, i, "denied");
    root_close(root);
}

Test(root, a_kernel_without_openat2_is_noticed)
{
    check_without_openat2(ENOSYS);
}

Test(root, a_filter_that_denies_openat2_is_noticed)
{
    check_without_openat2(EPERM);
}

static atomic_bool stop;

/* Move the folder out of the root and back, and rename another one all the time. */
static void *
keep_moving(void *unused)
{
    char in[128], out[128], a[128], b[128];

    snprintf(in, sizeof in, "%s/root/d/e", tree_path);
    snprintf(out, sizeof out, "%s/out/e", tree_path);
    snprintf(a, sizeof a, "%s/root/etc", tree_path);
    snprintf(b, sizeof b, "%s/root/etc2", tree_path);
    while (!stop) {
        rename(in, out);
        rename(a, b);
        rename(out, in);
        rename(b, a);
    }
    return unused;
}

Test(root, folders_that_are_moved_meanwhile_open_no_way_out)
{
    pthread_t thread;

    tree_file("root/d/secret", "inside");
    tree_file("root/secret", "inside");
    cr_assert_eq(pthread_create(&thread, NULL, keep_moving, NULL), 0);
    for (size_t m = 0; m < MODES; m++) {
        struct root *root = open_root(tree("root"), &modes[m]);
        for (int i = 0; i < 5000; i++) {
            const char *text = NULL;
            size_t len;
            int r = root_read_file(root, i % 2 ? "/d/e/../secret" : "/d/e/../../secret",
                                   99, &text, &len);
            if (r == 0)
                cr_assert_str_eq(text, "inside", "%s", modes[m].name);
            else
                cr_assert(r == -ENOENT, "%s: %d", modes[m].name, r);
        }
        root_close(root);
    }
    stop = true;
    pthread_join(thread, NULL);
}
