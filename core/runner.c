/* SPDX-License-Identifier: Apache-2.0 */
/* The runner: gives its rights away, loads the plugin, runs the scan.  Whatever goes wrong
 * here costs this process only.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "frame.h"
#include "gate.h"
#include "host.h"
#include "manifest.h"
#include "scan.h"
#include "users.h"
#include "worker.h"

enum { MAX_OPEN_FILES = 1024 };

#ifdef SONDE_COVERAGE /* see tests/coverage.sh */
void __gcov_dump(void);
#endif

/* Say how the scan ended; the keeper takes the process's end without it for a crash. */
static int
say_end(struct host *host, const char *end, const char *reason)
{
    int r;

#ifdef SONDE_COVERAGE
    __gcov_dump(); /* now, for the keeper kills who has said it */
#endif
    r = host_send(host, &(struct frame){.type = FRAME_END,
                                        .kind = "",
                                        .key = end,
                                        .key_len = strlen(end),
                                        .stable = reason,
                                        .stable_len = strlen(reason)});

    return r < 0 ? r : host_flush(host);
}

static int
limit_resources(const struct limits *limits)
{
    const rlim_t data = (rlim_t)limits->memory_mib << 20;
    const struct {
        __rlimit_resource_t what;
        rlim_t value;
    } rows[] = {
        {RLIMIT_CORE, 0},
        {RLIMIT_NOFILE, MAX_OPEN_FILES},
#ifndef SONDE_SANITIZE /* the sanitizers' shadow memory counts as data */
        {RLIMIT_DATA, data},
#endif
    };

    (void)data;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (setrlimit(rows[i].what, &(struct rlimit){rows[i].value, rows[i].value}) < 0)
            return -errno;
    return 0;
}

/* Rights go here, in this order: user and capabilities with no_new_privs, then the death
 * signal (a change of user clears it), then resources.  Landlock and seccomp belong after
 * that, before anything of the plugin is loaded.
 */
static int
give_up_rights(const struct worker_job *job, pid_t keeper, struct why *why)
{
    int r = worker_drop(job, UINT64_C(1) << CAP_DAC_READ_SEARCH, why);

    if (r < 0)
        return r;
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
        return why_set(why, -errno, "runner: death signal: %s", strerror(errno));
    if (getppid() != keeper)
        return why_set(why, -ESRCH, "runner: the keeper is gone");
    r = limit_resources(&job->limits);
    return r < 0 ? why_set(why, r, "runner: limits: %s", strerror(-r)) : 0;
}

static int
read_manifest(struct host *host, struct why *why)
{
    struct stat st;

    if (fstat(FD_MANIFEST, &st) < 0 || st.st_size > MANIFEST_MAX)
        return why_set(why, -EBADMSG, "runner: no manifest");
    host->manifest = malloc((size_t)st.st_size + 1);
    if (!host->manifest)
        return why_set(why, -ENOMEM, "runner: out of memory");
    if (pread(FD_MANIFEST, host->manifest, (size_t)st.st_size, 0) != st.st_size)
        return why_set(why, -EIO, "runner: the manifest cannot be read");
    host->manifest_len = (size_t)st.st_size;
    host->manifest[host->manifest_len] = '\0';
    return 0;
}

/* The plugin's name is its file's: <folder>/<name>.so */
static void
plugin_name(const char *path, char *ret, size_t size)
{
    const char *slash = strrchr(path, '/');

    snprintf(ret, size, "%s", slash ? slash + 1 : path);
    if (strlen(ret) > 3)
        ret[strlen(ret) - 3] = '\0';
}

/* A folder without os-release is no host's root: an empty mount, a typing error. */
static int
check_root(struct root *root, const char *path, struct why *why)
{
    struct sonde_stat st = {.size = sizeof st};

    if (root_stat(root, "/etc/os-release", 0, &st) < 0 &&
        root_stat(root, "/usr/lib/os-release", 0, &st) < 0)
        return why_set(why, -ENOENT,
                       "root %s: has no os-release, so it is not the root of a host",
                       path);
    return 0;
}

static int
prepare(const struct worker_job *job, pid_t keeper, struct host *host,
        struct sonde_plugin *ret_plugin, struct why *why)
{
    cleanup_fd int fd = -1;
    char name[NAME_MAX_LEN + 8];
    int r = give_up_rights(job, keeper, why);

    if (r < 0)
        return r;
    r = read_manifest(host, why);
    if (r < 0)
        return r;
    r = root_open(job->root, &host->root);
    if (r < 0)
        return why_set(why, r, "root %s: %s", job->root, strerror(-r));
    r = check_root(host->root, job->root, why);
    if (r < 0)
        return r;
    r = host_init(host);
    if (r < 0)
        return why_set(why, r, "runner: %s", strerror(-r));
    plugin_name(job->plugin, name, sizeof name);
    fd = gate_open(job->plugin, (uid_t)job->own_uid, (gid_t)job->own_gid, why);
    if (fd < 0)
        return fd;
    return gate_load(fd, name, ret_plugin, why);
}

static void
close_others(int keeper_fd)
{
    if (dup2(keeper_fd, FD_AGENT) < 0) /* the keeper's place for the agent is free here */
        _exit(1);
    close(FD_LOCK);
    close(FD_SPOOL);
    close_range(FD_MANIFEST + 1, ~0U, 0);
}

/* Facts of the running kernel are facts of this root when it is our own. */
static bool
is_own_root(const char *path)
{
    struct stat a, b;

    return stat(path, &a) == 0 && stat("/", &b) == 0 && a.st_dev == b.st_dev &&
           a.st_ino == b.st_ino;
}

void
runner_main(const struct worker_job *job, int keeper_fd, struct shared_page *page)
{
    static struct host host;
    struct sonde_plugin plugin;
    pid_t keeper = getppid();
    struct why why = {""};
    const char *where = "";
    int r;

    close_others(keeper_fd);
    host.keeper_fd = FD_AGENT;
    host.scan.page = page;
    host.scan.plugin = &plugin;
    host.scan_time = job->scan_time;
    if (is_own_root(job->root))
        host.live = SONDE_LIVE_PROC | SONDE_LIVE_NET | SONDE_LIVE_RUN;

    r = prepare(job, keeper, &host, &plugin, &why);
    if (r < 0)
        _exit(say_end(&host, END_REFUSED, why.text) < 0);

    r = scan_run(&host.scan, &where);
    if (r == 0)
        r = say_end(&host, END_DONE, "");
    else if (r == -ENODATA && strcmp(where, "open") == 0)
        r = say_end(&host, END_NONE, "");
    else {
        why_set(&why, r, "plugin %s: %s failed: %s", plugin.name, where, strerror(-r));
        r = say_end(&host, END_ERROR, why.text);
    }
    host_done(&host);
    _exit(r < 0);
}
