/* SPDX-License-Identifier: Apache-2.0 */
/* sonde-worker: one job of the agent's, in a process of its own.  Not run by hand. */
#include "worker.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "cleanup.h"
#include "store-repair.h"
#include "store.h"
#include "users.h"
#include "verify.h"

/* The words of the command line, and where they go. */
static const struct {
    const char *name;
    enum { TEXT, NUMBER } type;
    size_t offset;
} words[] = {
#define WORD(type, name)                                                                 \
    {                                                                                    \
#name, type, offsetof(struct worker_job, name)                                   \
    }
    WORD(TEXT, app),           WORD(TEXT, root),        WORD(TEXT, plugin),
    WORD(TEXT, local),         WORD(TEXT, packaged),    WORD(TEXT, db),
    WORD(TEXT, root_id),       WORD(TEXT, trigger),     WORD(TEXT, end),
    WORD(TEXT, reason),        WORD(TEXT, started),     WORD(TEXT, ended),
    WORD(TEXT, origin),        WORD(NUMBER, uid),       WORD(NUMBER, gid),
    WORD(NUMBER, own_uid),     WORD(NUMBER, own_gid),   WORD(NUMBER, scan),
    WORD(NUMBER, cputhrottle), WORD(NUMBER, scan_time), WORD(NUMBER, serial),
    WORD(NUMBER, cpu_ms),
#undef WORD
};

static int
parse_number(const char *text, int64_t *ret)
{
    char *end;

    errno = 0;
    *ret = strtoll(text, &end, 10);
    return errno || end == text || *end ? -EINVAL : 0;
}

static int
parse_word(struct worker_job *job, const char *word)
{
    const char *value = strchr(word, '=');
    size_t len = value ? (size_t)(value - word) : 0;

    if (!value)
        return -EINVAL;
    value++;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strlen(words[i].name) != len || memcmp(words[i].name, word, len) != 0)
            continue;
        if (words[i].type == NUMBER)
            return parse_number(value, (int64_t *)((char *)job + words[i].offset));
        *(const char **)((char *)job + words[i].offset) = value;
        return 0;
    }
    for (int i = 0; i < limits_n_fields; i++)
        if (strlen(limits_fields[i].name) == len &&
            memcmp(limits_fields[i].name, word, len) == 0)
            return parse_number(value, limits_at(&job->limits, i));
    return -EINVAL;
}

int
worker_drop(const struct worker_job *job, uint64_t keep_caps, struct why *why)
{
    struct user_ids ids = {(uid_t)job->uid, (gid_t)job->gid};
    int r;

    if (job->uid < 0)
        ids = (struct user_ids){getuid(), getgid()};
    r = users_drop(ids, keep_caps, why);
    return r < 0 ? r : worker_wake_at_agents_end(why);
}

int
worker_wake_at_agents_end(struct why *why)
{
    if (prctl(PR_SET_PDEATHSIG, SIGCONT) < 0)
        return why_set(why, -errno, "worker: death signal: %s", strerror(errno));
    return 0;
}

static int
fail(const struct why *why)
{
    fprintf(stderr, "%s\n", why->text);
    return 1;
}

static int
run_verify(const struct worker_job *job)
{
    static struct verify verify;
    static struct verdict verdict;
    struct why why = {""};
    int r = verify_open(job->app, job->local, job->packaged, &verify, &why);

    if (r == 0)
        r = worker_drop(job, 0, &why);
    if (r == 0)
        r = verify_judge(&verify, (uid_t)job->own_uid, FD_MANIFEST, &verdict, &why);
    if (r == 0)
        r = verdict_write(&verdict, stdout);
    verify_done(&verify);
    return r < 0 ? fail(&why) : fflush(stdout) != 0;
}

static int
run_store(const struct worker_job *job)
{
    const struct store_job what = {
        .application = job->app,
        .scan = job->scan,
        .trigger = job->trigger,
        .root_id = job->root_id,
        .end = job->end,
        .reason = job->reason,
        .started = job->started,
        .ended = job->ended,
        .cpu_s = (double)job->cpu_ms / 1000,
        .cputhrottle = job->cputhrottle,
        .manifest_serial = job->serial,
        .origin = job->origin,
    };
    struct why why = {""};
    int r;

    r = worker_drop(job, 0, &why);
    if (r == 0)
        r = store_scan(job->db, FD_SPOOL, &what, stdout, &why);
    return r < 0 ? fail(&why) : fflush(stdout) != 0;
}

static int
run_check(const struct worker_job *job)
{
    struct why why = {""};
    int r = worker_drop(job, 0, &why);

    if (r == 0)
        r = store_check(job->db, stdout, &why);
    return r < 0 ? fail(&why) : fflush(stdout) != 0;
}

static const struct {
    const char *name;
    int (*run)(const struct worker_job *job);
    int fds; /* the highest descriptor that it must find open */
} modes[] = {
    {"run", keeper_run, FD_MANIFEST},
    {"verify", run_verify, FD_MANIFEST},
    {"store", run_store, FD_SPOOL},
    {"check", run_check, STDOUT_FILENO},
};

/* Take the words; all texts that a mode may use are there afterwards. */
static int
parse(char **argv, struct worker_job *job)
{
    for (; *argv; argv++)
        if (parse_word(job, *argv) < 0) {
            fprintf(stderr, "sonde-worker: \"%s\" is not understood\n", *argv);
            return -EINVAL;
        }
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        const char **text = (const char **)((char *)job + words[i].offset);

        if (words[i].type == TEXT && !*text)
            *text = "";
    }
    return 0;
}

int
main(int argc, char **argv)
{
    struct worker_job job = {.uid = -1, .gid = -1, .limits = LIMITS_DEFAULT};
    int r;

    job.own_uid = getuid();
    job.own_gid = getgid();
    signal(SIGPIPE, SIG_IGN);
    signal(SIGHUP, SIG_IGN); /* comes to a stopped worker when its agent dies */
    for (size_t i = 0; argc > 1 && i < sizeof modes / sizeof modes[0]; i++) {
        if (strcmp(argv[1], modes[i].name) != 0)
            continue;
        if (parse(argv + 2, &job) < 0)
            return 64;
        if (fcntl(modes[i].fds, F_GETFD) < 0)
            break;
        r = modes[i].run(&job);
        /* SIGCONT would now take back the SIGSTOP of a leak checker. */
        prctl(PR_SET_PDEATHSIG, 0);
        return r;
    }
    fprintf(stderr, "sonde-worker: is started by sonde-agent, with its descriptors\n");
    return 64;
}
