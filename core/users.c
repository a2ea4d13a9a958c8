/* SPDX-License-Identifier: Apache-2.0 */
#include "users.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cleanup.h"

enum { ENTRY_SIZE = 64 * 1024, CAP_BITS = 64 };

/* Our own names may be missing on a host. */
static bool
is_ours(const char *name)
{
    return strcmp(name, "sonde") == 0 || strcmp(name, "sonde-sync") == 0 ||
           strcmp(name, "sonde-scan") == 0;
}

/* Digits alone.  The largest number means "no change" to the kernel. */
static int
parse_number(const char *text, uint32_t *ret)
{
    size_t len = strlen(text);
    unsigned long long n;

    if (len == 0 || len > 10 || strspn(text, "0123456789") != len)
        return -EINVAL;
    n = strtoull(text, NULL, 10);
    if (n >= UINT32_MAX)
        return -ERANGE;
    *ret = (uint32_t)n;
    return 0;
}

/* What a lookup that found nothing returned: -ENOENT, unless it could not look. */
static int
not_found(int r)
{
    return r == EIO || r == EMFILE || r == ENFILE || r == ENOMEM ? -r : -ENOENT;
}

static int
find_by_name(const char *name, struct user_ids *ret)
{
    cleanup_free char *buffer = malloc(ENTRY_SIZE);
    struct passwd pw, *found = NULL;
    int r;

    if (!buffer)
        return -ENOMEM;
    r = getpwnam_r(name, &pw, buffer, ENTRY_SIZE, &found);
    if (!found)
        return not_found(r);
    *ret = (struct user_ids){pw.pw_uid, pw.pw_gid};
    return 0;
}

static int
find_by_number(uid_t uid, struct user_ids *ret)
{
    cleanup_free char *buffer = malloc(ENTRY_SIZE);
    struct passwd pw, *found = NULL;
    int r;

    if (!buffer)
        return -ENOMEM;
    r = getpwuid_r(uid, &pw, buffer, ENTRY_SIZE, &found);
    if (!found && not_found(r) != -ENOENT)
        return -r;
    *ret = (struct user_ids){uid, found ? pw.pw_gid : (gid_t)uid};
    return 0;
}

int
users_find(const char *name_or_number, uid_t fallback, struct user_ids *ret,
           struct why *why)
{
    uint32_t number;
    int r = parse_number(name_or_number, &number);

    if (r == -ERANGE)
        return why_set(why, r, "user %s: the number is too large", name_or_number);
    r = r == 0 ? find_by_number(number, ret) : find_by_name(name_or_number, ret);
    if (r == -ENOENT && fallback != (uid_t)-1 && is_ours(name_or_number))
        r = find_by_number(fallback, ret);
    if (r == -ENOENT)
        return why_set(why, r, "user %s: there is no user of that name", name_or_number);
    if (r < 0)
        return why_set(why, r, "user %s: %s", name_or_number, strerror(-r));
    if (ret->uid == 0)
        return why_set(why, -EPERM, "user %s: must not be root", name_or_number);
    return 0;
}

int
users_find_group(const char *name_or_number, gid_t fallback, gid_t *ret, struct why *why)
{
    cleanup_free char *buffer = malloc(ENTRY_SIZE);
    struct group gr, *found = NULL;
    uint32_t number;
    int r = parse_number(name_or_number, &number), looked = 0;

    if (r == -ERANGE)
        return why_set(why, r, "group %s: the number is too large", name_or_number);
    if (!buffer)
        return why_set(why, -ENOMEM, "group %s: out of memory", name_or_number);
    if (r < 0)
        looked = getgrnam_r(name_or_number, &gr, buffer, ENTRY_SIZE, &found);
    if (r == 0)
        *ret = number;
    else if (found)
        *ret = gr.gr_gid;
    else if (not_found(looked) != -ENOENT)
        return why_set(why, -looked, "group %s: %s", name_or_number, strerror(looked));
    else if (fallback != (gid_t)-1 && is_ours(name_or_number))
        *ret = fallback;
    else
        return why_set(why, -ENOENT, "group %s: there is no group of that name",
                       name_or_number);
    return 0;
}

static int
caps_get(struct __user_cap_data_struct data[2])
{
    struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};

    return syscall(SYS_capget, &head, data) < 0 ? -errno : 0;
}

uint64_t
users_caps(void)
{
    struct __user_cap_data_struct data[2] = {{0, 0, 0}};

    if (caps_get(data) < 0)
        return 0;
    return (uint64_t)data[1].permitted << 32 | data[0].permitted;
}

/* Permitted and effective become caps; inheritable and ambient nothing. */
static int
caps_set(uint64_t caps, struct why *why)
{
    struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2] = {
        {.permitted = (uint32_t)caps, .effective = (uint32_t)caps},
        {.permitted = (uint32_t)(caps >> 32), .effective = (uint32_t)(caps >> 32)},
    };

    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0L, 0L, 0L) < 0 &&
        errno != EINVAL)
        return why_set(why, -errno, "ambient capabilities: %s", strerror(errno));
    if (syscall(SYS_capset, &head, data) < 0)
        return why_set(why, -errno, "capabilities: %s", strerror(errno));
    if (users_caps() != caps)
        return why_set(why, -EPERM, "capabilities: the kernel has set others");
    return 0;
}

/* What the bounding set cannot lose (no CAP_SETPCAP, or no such capability) it keeps. */
static void
bounding_set(uint64_t keep)
{
    for (int cap = 0; cap < CAP_BITS; cap++)
        if (!(keep & USERS_CAP(cap)))
            (void)prctl(PR_CAPBSET_DROP, (long)cap, 0L, 0L, 0L);
}

static bool
is_already(struct user_ids ids)
{
    uid_t r, e, s;
    gid_t rg, eg, sg;

    return getresuid(&r, &e, &s) == 0 && getresgid(&rg, &eg, &sg) == 0 && r == ids.uid &&
           e == ids.uid && s == ids.uid && rg == ids.gid && eg == ids.gid &&
           sg == ids.gid;
}

/* The groups first, since the user that follows may not change them any more. */
static int
become(struct user_ids ids, struct why *why)
{
    if (is_already(ids))
        return 0;
    if (setgroups(0, NULL) < 0)
        return why_set(why, -errno, "leaving the groups: %s", strerror(errno));
    if (setresgid(ids.gid, ids.gid, ids.gid) < 0)
        return why_set(why, -errno, "group %u: %s", ids.gid, strerror(errno));
    if (prctl(PR_SET_KEEPCAPS, 1L, 0L, 0L, 0L) < 0)
        return why_set(why, -errno, "PR_SET_KEEPCAPS: %s", strerror(errno));
    if (setresuid(ids.uid, ids.uid, ids.uid) < 0)
        return why_set(why, -errno, "user %u: %s", ids.uid, strerror(errno));
    if (prctl(PR_SET_KEEPCAPS, 0L, 0L, 0L, 0L) < 0)
        return why_set(why, -errno, "PR_SET_KEEPCAPS: %s", strerror(errno));
    return 0;
}

int
users_drop(struct user_ids ids, uint64_t keep, struct why *why)
{
    int r;

    if (ids.uid == 0)
        return why_set(why, -EPERM, "user 0: must not be root");
    bounding_set(0);
    r = become(ids, why);
    if (r == 0)
        r = caps_set(keep & users_caps(), why);
    if (r < 0)
        return r;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1L, 0L, 0L, 0L) < 0)
        return why_set(why, -errno, "no_new_privs: %s", strerror(errno));
    if (!is_already(ids) || setresuid((uid_t)-1, 0, (uid_t)-1) == 0)
        return why_set(why, -EPERM, "user %u: root could come back", ids.uid);
    return 0;
}

int
users_keep_caps(uint64_t keep, struct why *why)
{
    bounding_set(keep);
    return caps_set(keep & users_caps(), why);
}
