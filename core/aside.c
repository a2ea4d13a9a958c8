/* SPDX-License-Identifier: Apache-2.0 */
#include "aside.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#include "cleanup.h"
#include "sync-folder.h"

enum { KEEP = 3, OF_ONE_SECOND_MAX = 100, FOUND_MAX = 64 };

#define WORD ".damaged-"
#define STAMP "20261125T040000Z" /* as long as each */

/* Of a database's name; the file itself comes first: without it there is no database. */
static const char *const suffixes[] = {"", "-wal", "-shm", "-journal"};
enum { N_SUFFIXES = sizeof suffixes / sizeof *suffixes };

static int
name_of(const char *path, const char *stamp, int n, char ret[PATH_MAX])
{
    int len = n == 0 ? snprintf(ret, PATH_MAX, "%s" WORD "%s", path, stamp)
                     : snprintf(ret, PATH_MAX, "%s" WORD "%s.%02d", path, stamp, n);

    return len + 16 < PATH_MAX ? 0 : -ENAMETOOLONG;
}

static bool
is_taken(const char *name)
{
    char file[PATH_MAX + 16];
    struct stat st;

    for (int i = 0; i < N_SUFFIXES; i++) {
        snprintf(file, sizeof file, "%s%s", name, suffixes[i]);
        if (lstat(file, &st) == 0)
            return true;
    }
    return false;
}

/* PATH.damaged-TIME, or PATH.damaged-TIME.N behind all that are there of this second; but the
 * newest of them when the database itself has been moved there already.
 */
static int
free_name(const char *path, time_t when, char ret[PATH_MAX])
{
    char stamp[sizeof STAMP] = STAMP;
    struct stat st;
    struct tm tm;
    const bool begun = lstat(path, &st) < 0 && errno == ENOENT;
    int r = 0;

    if (gmtime_r(&when, &tm))
        strftime(stamp, sizeof stamp, "%Y%m%dT%H%M%SZ", &tm);
    for (int n = OF_ONE_SECOND_MAX - 1; r == 0 && n >= 0; n--) {
        r = name_of(path, stamp, n, ret);
        if (r == 0 && is_taken(ret))
            return begun                        ? 0
                   : n + 1 == OF_ONE_SECOND_MAX ? -EEXIST
                                                : name_of(path, stamp, n + 1, ret);
    }
    return r;
}

int
aside_move(const char *path, time_t when, char ret_aside[PATH_MAX])
{
    char from[PATH_MAX + 16], to[PATH_MAX + 16];
    int r = free_name(path, when, ret_aside);

    for (int i = 0; r == 0 && i < N_SUFFIXES; i++) {
        snprintf(from, sizeof from, "%s%s", path, suffixes[i]);
        snprintf(to, sizeof to, "%s%s", ret_aside, suffixes[i]);
        if (rename(from, to) < 0 && errno != ENOENT)
            r = -errno;
    }
    return r < 0 ? r : sync_folder_of(path);
}

/* The length of the name of a damaged database that this file belongs to; 0: of none. */
static size_t
set_length(const char *name, const char *base)
{
    const size_t begin = strlen(base) + sizeof WORD - 1;
    size_t n = begin + sizeof STAMP - 1;

    if (strncmp(name, base, strlen(base)) != 0 ||
        strncmp(name + strlen(base), WORD, sizeof WORD - 1) != 0 || strlen(name) < n ||
        strspn(name + begin, "0123456789TZ") != sizeof STAMP - 1)
        return 0;
    if (name[n] == '.' && isdigit((unsigned char)name[n + 1]) &&
        isdigit((unsigned char)name[n + 2]))
        n += 3;
    for (int i = 0; i < N_SUFFIXES; i++)
        if (strcmp(name + n, suffixes[i]) == 0)
            return n;
    return 0;
}

/* Others may make files with such names in the folder, which are none of ours. */
static bool
is_ours(DIR *dir, const char *name)
{
    struct stat st;

    return fstatat(dirfd(dir), name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
           st.st_uid == geteuid();
}

/* Names of sets; the same one may be there several times. */
static int
sets_find(DIR *dir, const char *base, char names[FOUND_MAX][NAME_MAX + 1])
{
    struct dirent *entry;
    int n = 0;

    while (n < FOUND_MAX && (entry = readdir(dir))) {
        size_t len = set_length(entry->d_name, base);

        if (len == 0 || !is_ours(dir, entry->d_name))
            continue;
        memcpy(names[n], entry->d_name, len);
        names[n++][len] = '\0';
    }
    return n;
}

static int
newest_first(const void *a, const void *b)
{
    return strcmp(b, a);
}

static void
set_remove(DIR *dir, const char *name)
{
    char file[NAME_MAX + 32];

    for (int i = 0; i < N_SUFFIXES; i++) {
        snprintf(file, sizeof file, "%s%s", name, suffixes[i]);
        unlinkat(dirfd(dir), file, 0); /* another user's cannot be, and stays */
    }
}

void
aside_bound(const char *path, const char *newest)
{
    static char names[FOUND_MAX][NAME_MAX + 1];
    const char *base = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
    const char *keep = strrchr(newest, '/') ? strrchr(newest, '/') + 1 : newest;
    cleanup_free char *folder = strndup(path, (size_t)(base - path));
    cleanup_dir DIR *dir = folder ? opendir(*folder ? folder : ".") : NULL;
    int n = dir ? sets_find(dir, base, names) : 0, kept = 1;

    qsort(names, (size_t)n, sizeof *names, newest_first);
    for (int i = 0; i < n; i++) {
        if (strcmp(names[i], keep) == 0 || (i > 0 && strcmp(names[i], names[i - 1]) == 0))
            continue; /* a clock that went back must not remove it */
        if (kept < KEEP)
            kept++;
        else
            set_remove(dir, names[i]);
    }
}
