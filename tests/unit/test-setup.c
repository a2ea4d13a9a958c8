/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <linux/magic.h>
#include <string.h>

#include "agent.h"

Test(setup, what_a_restart_empties_is_told_by_its_name)
{
    const struct {
        long type;
        const char *name;
    } rows[] = {
        {TMPFS_MAGIC, "tmpfs, "},
        {RAMFS_MAGIC, "ramfs, "},
        {OVERLAYFS_SUPER_MAGIC, "overlayfs, "},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *words = setup_passing_fs(rows[i].type);

        cr_assert_not_null(words, "%s", rows[i].name);
        cr_expect_eq(strncmp(words, rows[i].name, strlen(rows[i].name)), 0, "%s", words);
    }
}

Test(setup, a_disk_is_no_reason_for_words)
{
    const long types[] = {EXT4_SUPER_MAGIC, XFS_SUPER_MAGIC, BTRFS_SUPER_MAGIC,
                          F2FS_SUPER_MAGIC, NFS_SUPER_MAGIC, 0};

    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        cr_expect_null(setup_passing_fs(types[i]), "%lx", types[i]);
}
