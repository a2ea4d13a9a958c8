/* SPDX-License-Identifier: Apache-2.0 */
/* A plugin that misbehaves as its manifest says: content {"do": "crash"}, and so on. */
#define SONDE_ABI 0
#include <sonde/plugin.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct state {
    struct sonde_host *host;
    int (*step)(struct state *s);
    int64_t n, step_n, began_ns;
};

static int64_t
monotonic_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
}

static int64_t
number(const struct state *s, const char *key)
{
    const char *text = s->host->param(s->host, key);

    return text ? strtoll(text, NULL, 10) : 0;
}

static int
emit_int(struct state *s, int64_t n, const char *name, int64_t value)
{
    struct sonde_host *h = s->host;
    struct sonde_record *r;
    char key[32];

    snprintf(key, sizeof key, "%lld", (long long)n);
    r = h->record(h, "bad", key);
    h->put_int(h, r, name, value);
    return h->emit(h, r);
}

static int
emit_one(struct state *s, int64_t n)
{
    return emit_int(s, n, "n", n);
}

static int
step_crash(struct state *s)
{
    s->host->log(s->host, SONDE_LOG_INFO, "the last words");
    raise(SIGSEGV);
    return SONDE_DONE;
}

/* One kind is complete before it crashes. */
static int
step_crash_later(struct state *s)
{
    emit_one(s, 1);
    s->host->covers(s->host, "bad");
    abort();
}

static int
step_hang(struct state *s)
{
    volatile int64_t *n = &s->n; /* a compiler may take other loops for ones that end */

    while (s->host)
        ++*n;
    return SONDE_DONE;
}

static int
step_sleep(struct state *s)
{
    while (s->host)
        pause();
    return SONDE_DONE;
}

static int
step_flood(struct state *s)
{
    while (s->host)
        emit_one(s, s->n++);
    return SONDE_DONE;
}

static int
step_flood_log(struct state *s)
{
    for (int i = 0; i < 1000; i++)
        s->host->log(s->host, SONDE_LOG_INFO, "line %d", i);
    return SONDE_DONE;
}

static int
step_forge(struct state *s)
{
    s->host->log(s->host, SONDE_LOG_INFO,
                 "innocent\n2026-01-01 00:00:00.000 [sonde-agent][1]:[Error]:[1]:forged");
    puts("printed\rto stdout\033[31m");
    fflush(stdout);
    return SONDE_DONE;
}

static int
step_exit(struct state *s)
{
    (void)s;
    _exit(0);
}

static int
step_error(struct state *s)
{
    (void)s;
    return -EIO;
}

static int
step_failed(struct state *s)
{
    emit_one(s, 1);
    s->host->failed(s->host, "bad", "/some/where", -EACCES);
    s->host->covers(s->host, "bad");
    return SONDE_DONE;
}

static int
step_memory(struct state *s)
{
    for (;;) {
        char *volatile p = malloc(1 << 20); /* or it is left out: nobody reads it */

        if (!p)
            return -ENOMEM;
        memset(p, 1, 1 << 20);
        s->n++;
    }
}

/* Leaves a process behind that left its parent, session and group. */
static int
step_daemon(struct state *s)
{
    pid_t pid = fork();

    if (pid == 0) {
        setsid();
        if (fork() == 0)
            for (;;)
                sleep(1000);
        _exit(0);
    }
    s->host->log(s->host, SONDE_LOG_INFO, "fork: %d", pid < 0 ? -errno : 0);
    return SONDE_DONE;
}

static void
tried(struct state *s, const char *what, bool done, int err)
{
    struct sonde_host *h = s->host;
    struct sonde_record *r = h->record(h, "bad", what);

    h->put_bool(h, r, "done", done);
    h->put_int(h, r, "error", done ? 0 : err);
    h->emit(h, r);
}

/* What a plugin must not be able to do: write root's file, signal the agent. */
static int
step_nosy(struct state *s)
{
    const char *file = s->host->param(s->host, "file");
    int fd = open(file ? file : "/", O_WRONLY | O_APPEND | O_CLOEXEC);
    pid_t agent = (pid_t)number(s, "agent");
    int r;

    r = fd;
    tried(s, "write", r >= 0, errno);
    r = access(file ? file : "/", R_OK);
    tried(s, "read", r == 0, errno);
    r = chmod(file ? file : "/", 0777);
    tried(s, "chmod", r == 0, errno);
    r = kill(agent > 0 ? agent : 1, SIGCONT);
    tried(s, "signal", r == 0, errno);
    r = kill(getppid(), SIGCONT);
    tried(s, "keeper", r == 0, errno);
    r = setuid(0);
    tried(s, "setuid", r == 0, errno);
    tried(s, "root", getuid() == 0 || geteuid() == 0, 0);
    s->host->covers(s->host, "bad");
    return SONDE_DONE;
}

/* Steps of 1 ms of CPU time, as many as {"steps": N} says. */
static int
step_work(struct state *s)
{
    struct timespec ts;
    int64_t end_ns = 0, now_ns;

    do {
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
        now_ns = ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
        if (!end_ns)
            end_ns = now_ns + 1000000;
    } while (now_ns < end_ns);
    s->host->progress(s->host, (uint64_t)++s->n, (uint64_t)number(s, "steps"));
    return s->n < number(s, "steps") ? SONDE_MORE : SONDE_DONE;
}

/* Does nothing while a child of its keeps the keeper busy with output. */
static int
step_chatter(struct state *s)
{
    if (fork() == 0)
        while (write(STDOUT_FILENO, "chatter\n", 8) > 0 && getppid() != 1)
            nanosleep(&(struct timespec){0, 10000}, NULL);
    return step_sleep(s);
}

/* One kind is complete, then records without end. */
static int
step_flood_later(struct state *s)
{
    emit_one(s, s->n++);
    s->host->covers(s->host, "bad");
    while (s->host) {
        struct sonde_record *r = s->host->record(s->host, "more", "key");

        s->host->put_int(s->host, r, "n", s->n++);
        s->host->emit(s->host, r);
    }
    return SONDE_DONE;
}

/* {"records": N} of them in twenty steps of 5 ms, each with the time of the scan's first step:
 * records of two times are of two scans.
 */
static int
step_batch(struct state *s)
{
    enum { STEPS = 20 };
    int64_t records = number(s, "records");

    if (!s->began_ns)
        s->began_ns = monotonic_ns();
    for (int64_t end = (s->step_n + 1) * records / STEPS; s->n < end; s->n++)
        emit_int(s, s->n, "began", s->began_ns);
    nanosleep(&(struct timespec){0, 5000000}, NULL);
    if (++s->step_n < STEPS)
        return SONDE_MORE;
    s->host->covers(s->host, "bad");
    return SONDE_DONE;
}

/* Note the monotonic time of the first step, for tests/bench. */
static int
step_stamp(struct state *s)
{
    struct sonde_host *h = s->host;
    struct sonde_record *r = h->record(h, "stamp", "first");

    h->put_int(h, r, "ns", monotonic_ns());
    h->emit(h, r);
    h->covers(h, "stamp");
    return SONDE_DONE;
}

static const struct {
    const char *name;
    int (*step)(struct state *s);
} what[] = {
    {"crash", step_crash},     {"crash-later", step_crash_later},
    {"hang", step_hang},       {"sleep", step_sleep},
    {"flood", step_flood},     {"flood-log", step_flood_log},
    {"forge", step_forge},     {"exit", step_exit},
    {"error", step_error},     {"failed", step_failed},
    {"memory", step_memory},   {"daemon", step_daemon},
    {"nosy", step_nosy},       {"work", step_work},
    {"chatter", step_chatter}, {"flood-later", step_flood_later},
    {"stamp", step_stamp},     {"batch", step_batch},
};

static int
bad_open(struct sonde_host *host, void **ret_state)
{
    const char *name = host->param(host, "do");
    struct state *s;

    if (!name)
        return -EINVAL;
    if (strcmp(name, "none") == 0)
        return -ENODATA;
    s = calloc(1, sizeof *s);
    if (!s)
        return -ENOMEM;
    s->host = host;
    for (size_t i = 0; i < sizeof what / sizeof what[0]; i++)
        if (strcmp(what[i].name, name) == 0)
            s->step = what[i].step;
    *ret_state = s;
    if (s->step)
        return 0;
    free(s);
    return -EINVAL;
}

static int
bad_next(void *state, uint32_t budget_us)
{
    struct state *s = state;

    (void)budget_us;
    return s->step(s);
}

const struct sonde_plugin sonde_plugin = {
    SONDE_PLUGIN_HEAD, "bad", "1", bad_open, bad_next, free,
};
