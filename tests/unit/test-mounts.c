/* SPDX-License-Identifier: Apache-2.0 */
#include "mounts.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct {
    const char *line;
    enum mount_kind kind;
} rows[] = {
    {"7 1 254:0 / / rw,relatime - ext4 /dev/vda rw", MOUNT_LOCAL},
    {"7 1 254:0 / / rw shared:1 master:2 propagate_from:3 - xfs /dev/vda rw",
     MOUNT_LOCAL},
    {"7 1 0:40 / / rw - btrfs /dev/sda2 rw,subvol=/@", MOUNT_LOCAL},
    {"7 1 0:40 / / rw - overlay overlay rw,lowerdir=/a - b:/c", MOUNT_LOCAL},
    {"7 1 0:40 / /tmp rw - tmpfs tmpfs rw", MOUNT_LOCAL},
    {"7 1 0:40 / /tank rw - zfs tank rw", MOUNT_LOCAL},
    {"7 1 8:1 / /a\\040-\\040b rw - vendorfs /dev/sda1 rw", MOUNT_LOCAL},
    {"7 1 7:0 / /snap/x/1 ro - squashfs /dev/loop0 ro", MOUNT_LOCAL},
    {"7 1 0:40 / /n rw - nfs4 host:/x rw", MOUNT_OTHER},
    {"7 1 0:40 / /n rw - nfs4 \\040 rw", MOUNT_OTHER},
    {"7 1 0:40 / /n rw - cifs //host/x rw", MOUNT_OTHER},
    {"7 1 0:40 / /n rw - fuse.sshfs me@host: rw", MOUNT_OTHER},
    {"7 1 0:40 / /n rw - fuse tmpfs rw", MOUNT_OTHER},
    {"7 1 8:1 / /n rw - fuseblk /dev/sda1 rw", MOUNT_OTHER},
    {"7 1 8:1 / /n rw - ocfs2 /dev/sda1 rw", MOUNT_OTHER},
    {"7 1 0:40 / /proc rw - proc proc rw", MOUNT_OTHER},
    {"7 1 0:40 / /sys rw - sysfs sysfs rw", MOUNT_OTHER},
    {"7 1 0:40 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw", MOUNT_OTHER},
    {"7 1 0:40 / /sys/kernel/debug rw - debugfs debugfs rw", MOUNT_OTHER},
    {"7 1 0:40 / /n rw - newfs_nobody_knows none rw", MOUNT_OTHER},
    {"7 1 0:40 / /home rw - autofs systemd-1 rw,fd=41", MOUNT_AUTOFS},
    {"7 1 0:40 / /home rw", MOUNT_UNKNOWN},
    {"7 1 0:40 / /home rw -", MOUNT_UNKNOWN},
    {"7 1", MOUNT_UNKNOWN},
    {"x 1 254:0 / / rw,relatime - ext4 /dev/vda rw", MOUNT_UNKNOWN},
    {"", MOUNT_UNKNOWN},
};

Test(mounts, a_line_tells_what_is_mounted)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct mounts m;
        cr_assert_eq(mounts_parse(rows[i].line, &m), 0);
        cr_expect_eq(mounts_find(&m, 7), rows[i].kind, "%s", rows[i].line);
        mounts_done(&m);
    }
}

Test(mounts, a_bad_line_costs_itself_only)
{
    struct mounts m;

    cr_assert_eq(mounts_parse("1 0 8:1 / / rw - ext4 /dev/a rw\n"
                              "garbage\n"
                              "2 1 0:9 / /n rw - nfs h:/ rw\n"
                              "4294967297 1 8:2 / /m rw - ext4 /dev/b rw",
                              &m),
                 0);
    cr_expect_eq(m.n, 3);
    cr_expect_eq(mounts_find(&m, 1), MOUNT_LOCAL);
    cr_expect_eq(mounts_find(&m, 2), MOUNT_OTHER);
    cr_expect_eq(mounts_find(&m, 4294967297), MOUNT_LOCAL);
    cr_expect_eq(mounts_find(&m, 3), MOUNT_UNKNOWN);
    mounts_done(&m);
}

Test(mounts, the_table_of_this_process_has_proc_in_it)
{
    struct mounts m;
    uint64_t id;
    int fd = open("/proc/self", O_PATH | O_CLOEXEC);

    cr_assert_eq(mounts_read(&m), 0);
    cr_assert_eq(mounts_id_of(fd, &id), 0);
    cr_expect_eq(mounts_find(&m, id), MOUNT_OTHER);
    mounts_done(&m);
    close(fd);
}

Test(mounts, both_ways_to_ask_for_a_mount_id_agree)
{
    struct statx stx;
    uint64_t id;
    int fd = open("/", O_PATH | O_CLOEXEC);

    cr_assert_eq(statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &stx), 0);
    if (!(stx.stx_mask & STATX_MNT_ID))
        cr_skip("statx has no mount ids on this kernel");
    cr_assert_eq(mounts_id_of(fd, &id), 0);
    cr_expect_eq(id, stx.stx_mnt_id);
    close(fd);
}
