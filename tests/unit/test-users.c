/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "users.h"

#define NONE ((uid_t)-1)

static struct why why;

Test(users, a_number_is_itself_and_its_own_group)
{
    struct user_ids ids = {0, 0};

    cr_assert_eq(users_find("64321", NONE, &ids, &why), 0, "%s", why.text);
    cr_expect_eq(ids.uid, 64321);
    cr_expect_eq(ids.gid, 64321);
}

Test(users, a_name_is_looked_up)
{
    struct user_ids ids = {0, 0};

    cr_assert_eq(users_find("nobody", NONE, &ids, &why), 0, "%s", why.text);
    cr_expect_neq(ids.uid, 0);
}

Test(users, one_of_our_own_that_is_not_there_becomes_the_fallback)
{
    struct user_ids ids = {0, 0};

    cr_assert_eq(users_find("sonde-sync", USERS_SYNC_ID, &ids, &why), 0, "%s", why.text);
    cr_expect_neq(ids.uid, 0);
    cr_expect_neq(ids.gid, NONE);
}

Test(users, what_is_no_user_is_refused_with_the_reason)
{
    static const struct {
        const char *name;
        int r;
        const char *reason;
    } rows[] = {
        {"root", -EPERM, "must not be root"},
        {"0", -EPERM, "must not be root"},
        {"000", -EPERM, "must not be root"},
        {"no-such-user-here", -ENOENT, "there is no user of that name"},
        {"", -ENOENT, "there is no user of that name"},
        {"-1", -ENOENT, "there is no user of that name"},
        {"4294967295", -ERANGE, "too large"},
        {"9999999999", -ERANGE, "too large"},
    };
    struct user_ids ids;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        cr_expect_eq(users_find(rows[i].name, 64999, &ids, &why), rows[i].r, "%s",
                     rows[i].name);
        cr_expect(strstr(why.text, rows[i].reason), "%s: %s", rows[i].name, why.text);
    }
}

Test(users, groups_likewise)
{
    gid_t gid = 0;

    cr_assert_eq(users_find_group("1234", NONE, &gid, &why), 0);
    cr_expect_eq(gid, 1234);
    cr_assert_eq(users_find_group("root", NONE, &gid, &why), 0);
    cr_expect_eq(gid, 0);
    cr_assert_eq(users_find_group("sonde-scan", USERS_SCAN_ID, &gid, &why), 0);
    cr_expect_neq(gid, 0);
    cr_expect_eq(users_find_group("no-such-group-here", 64999, &gid, &why), -ENOENT);
}

/* In a child, since none of it can be undone; it returns the number of what is wrong. */
static void
in_child(int (*run)(void))
{
    int status = -1;
    pid_t pid;

    fflush(NULL);
    pid = fork();
    cr_assert_geq(pid, 0);
    if (pid == 0)
        _exit(run());
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 0, "check %d failed",
              WIFEXITED(status) ? WEXITSTATUS(status) : -1);
}

static uint64_t
status_mask(const char *name)
{
    FILE *f = fopen("/proc/thread-self/status", "r");
    char line[256];
    unsigned long long mask = ~0ULL;

    while (f && fgets(line, sizeof line, f))
        if (strncmp(line, name, strlen(name)) == 0)
            sscanf(line + strlen(name), ": %llx", &mask);
    if (f)
        fclose(f);
    return mask;
}

static int
check_drop(uint64_t keep)
{
    struct user_ids ids = {64321, 64322};
    const gid_t groups[] = {4, 5};
    uid_t r, e, s;
    gid_t rg, eg, sg;

    if (setgroups(2, groups) < 0 || users_drop(ids, keep, &why) < 0)
        return 1;
    if (getresuid(&r, &e, &s) < 0 || r != 64321 || e != 64321 || s != 64321)
        return 2;
    if (getresgid(&rg, &eg, &sg) < 0 || rg != 64322 || eg != 64322 || sg != 64322)
        return 3;
    if (getgroups(0, NULL) != 0)
        return 4;
    if (status_mask("CapPrm") != keep || status_mask("CapEff") != keep)
        return 5;
    if (status_mask("CapInh") != 0 || status_mask("CapAmb") != 0)
        return 6;
    if (status_mask("CapBnd") != 0)
        return 7;
    if (prctl(PR_GET_NO_NEW_PRIVS, 0L, 0L, 0L, 0L) != 1)
        return 8;
    if (setuid(0) == 0 || setgid(0) == 0 || setgroups(2, groups) == 0)
        return 9;
    return users_caps() == keep ? 0 : 10;
}

static int
drop_keeping_nothing(void)
{
    return check_drop(0);
}

static int
drop_keeping_one(void)
{
    return check_drop(USERS_CAP(CAP_DAC_READ_SEARCH));
}

static int
drop_keeping_the_way_back(void)
{
    struct user_ids ids = {64321, 64322};

    return users_drop(ids, USERS_CAP(CAP_SETUID), &why) == -EPERM ? 0 : 1;
}

static int
drop_to_root(void)
{
    struct user_ids ids = {0, 0};

    return users_drop(ids, 0, &why) == -EPERM && users_caps() != 0 ? 0 : 1;
}

static int
drop_twice(void)
{
    struct user_ids ids = {64321, 64322};

    if (users_drop(ids, USERS_CAP(CAP_DAC_READ_SEARCH), &why) < 0)
        return 1;
    return users_drop(ids, 0, &why) == 0 && users_caps() == 0 ? 0 : 2;
}

static int
stay_with_two(void)
{
    uint64_t keep = USERS_CAP(CAP_KILL) | USERS_CAP(CAP_SETUID);
    int fd;

    if (users_keep_caps(keep, &why) < 0 || geteuid() != 0)
        return 1;
    if (status_mask("CapPrm") != keep || status_mask("CapEff") != keep)
        return 2;
    if (status_mask("CapBnd") != keep || status_mask("CapInh") != 0)
        return 3;
    fd = memfd_create("test", MFD_CLOEXEC);
    return fd >= 0 && fchown(fd, 12345, 0) < 0 && errno == EPERM ? 0 : 4;
}

static bool
is_full_root(void)
{
    uint64_t needed = USERS_CAP(CAP_SETUID) | USERS_CAP(CAP_SETGID) |
                      USERS_CAP(CAP_SETPCAP) | USERS_CAP(CAP_KILL) |
                      USERS_CAP(CAP_DAC_READ_SEARCH);

    return geteuid() == 0 && (users_caps() & needed) == needed;
}

static void
as_root(int (*run)(void))
{
    if (!is_full_root())
        cr_skip("needs root with its capabilities");
    in_child(run);
}

Test(users, a_dropped_process_is_nobody_else_and_has_nothing)
{
    as_root(drop_keeping_nothing);
}

Test(users, a_dropped_process_has_just_what_it_keeps)
{
    as_root(drop_keeping_one);
}

Test(users, a_way_back_is_a_failure)
{
    as_root(drop_keeping_the_way_back);
}

Test(users, nobody_drops_to_root)
{
    as_root(drop_to_root);
}

Test(users, who_is_that_user_already_only_loses_capabilities)
{
    as_root(drop_twice);
}

Test(users, who_stays_root_has_just_what_it_keeps)
{
    as_root(stay_with_two);
}
