/* SPDX-License-Identifier: Apache-2.0 */
/* The keeper of one scan: starts the runner, takes its frames to the spool, holds it to its
 * limits, and ends it with all that it started.  It runs nothing of the plugin and reads no
 * JSON; what comes from the runner is lengths and bytes to it.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "cleanup.h"
#include "frame.h"
#include "logtext.h"
#include "reap.h"
#include "shared-page.h"
#include "worker.h"

enum {
    TICK_MS = 250,
    TOLD_CPU_MS = 100,
    STALL_CPU_MS = 10,
    KILL_MS = 2000,
    COMMAND_MAX = 64
};

/* Of the lines that a plugin prints to stdout and stderr: information. */
enum { LOG_OUTPUT_LEVEL = 3 };

struct keeper {
    const struct worker_job *job;
    struct shared_page *page;
    pid_t runner;
    int frames_fd, output_fd; /* -1: closed */
    int runner_pidfd;         /* -1: this kernel has none */
    clockid_t runner_clock;

    char *in; /* frames not yet whole */
    size_t in_len, in_size;
    char output[1024]; /* of the plugin's stdout and stderr, not yet a line */
    size_t output_len;
    char command[COMMAND_MAX]; /* of the agent, not yet a line */
    size_t command_len;

    int64_t started_ns, active_ns; /* active: last CPU or record */
    int64_t active_cpu_ns, cpu_ns; /* active: of the runner; cpu_ns: with the keeper's */
    int64_t records, bytes;
    uint64_t told_done;
    int64_t told_records, told_cpu_ms, told_ns;
    struct log_cap log_cap;

    char end[16];      /* how the scan ended; "" while it runs */
    struct why reason; /* why, in words */
};

static int64_t
clock_ns(clockid_t clock)
{
    struct timespec ts = {0, 0};

    clock_gettime(clock, &ts);
    return ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
}

/* ---- to the agent ---- */

static void tell(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void
tell(const char *format, ...)
{
    char line[LOG_TEXT_MAX + 64];
    va_list ap;
    int n;

    va_start(ap, format);
    n = vsnprintf(line, sizeof line, format, ap);
    va_end(ap);
    if (n >= (int)sizeof line) {
        n = sizeof line - 1;
        line[n - 1] = '\n';
    }
    /* The agent is gone: its end of file says so, too. */
    (void)!send(FD_AGENT, line, (size_t)n, MSG_NOSIGNAL);
}

static void
tell_log(struct keeper *k, int level, const char *text, size_t len)
{
    char clean[LOG_TEXT_MAX + 1];
    uint64_t left_out;

    if (!log_cap_take(&k->log_cap, clock_ns(CLOCK_MONOTONIC), &left_out))
        return;
    if (left_out)
        tell("log\t2\t%llu lines of this scan were left out (more than %d a minute)\n",
             (unsigned long long)left_out, LOG_CAP_LINES);
    log_text(text, len, clean, sizeof clean);
    tell("log\t%d\t%s\n", level, clean);
}

/* At most one line a tick, and only when there is something new. */
static void
tell_progress(struct keeper *k)
{
    uint64_t done = atomic_load(&k->page->done), total = atomic_load(&k->page->total);
    int64_t now_ns = clock_ns(CLOCK_MONOTONIC), cpu_ms = k->cpu_ns / 1000000;

    if (now_ns - k->told_ns < TICK_MS * INT64_C(1000000) ||
        (done == k->told_done && k->records == k->told_records &&
         cpu_ms - k->told_cpu_ms < TOLD_CPU_MS))
        return;
    k->told_ns = now_ns;
    k->told_done = done;
    k->told_records = k->records;
    k->told_cpu_ms = cpu_ms;
    tell("progress\t%llu\t%llu\t%lld\t%lld\n", (unsigned long long)done,
         (unsigned long long)total, (long long)k->records, (long long)cpu_ms);
}

/* ---- the end ---- */

/* The first reason stays. */
static void finish(struct keeper *k, const char *end, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void
finish(struct keeper *k, const char *end, const char *format, ...)
{
    char clean[sizeof k->reason.text];
    va_list ap;

    if (k->end[0])
        return;
    snprintf(k->end, sizeof k->end, "%s", end);
    va_start(ap, format);
    vsnprintf(clean, sizeof clean, format, ap);
    va_end(ap);
    log_text(clean, strlen(clean), k->reason.text, sizeof k->reason.text);
}

/* The runner is gone without a word of its own. */
static void
finish_by_status(struct keeper *k, int status)
{
    if (WIFSIGNALED(status))
        finish(k, END_ERROR, "the plugin crashed: signal %d (%s)", WTERMSIG(status),
               strsignal(WTERMSIG(status)));
    else
        finish(k, END_ERROR, "the plugin ended its process with status %d",
               WEXITSTATUS(status));
}

/* ---- from the runner ---- */

/* A frame that does not go in whole is taken back: what is in the spool can be stored. */
static int
spool_write(struct keeper *k, const char *bytes, size_t len)
{
    size_t at = 0;

    while (at < len) {
        ssize_t n = write(FD_SPOOL, bytes + at, len - at);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            finish(k, END_ERROR, "spool: %s", strerror(errno));
            (void)!ftruncate(FD_SPOOL, k->bytes);
            return -1;
        }
        at += (size_t)n;
    }
    k->bytes += (int64_t)len;
    return 0;
}

static void
take_end(struct keeper *k, const struct frame *f)
{
    static const char *const words[] = {END_DONE, END_NONE, END_ERROR, END_REFUSED};

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (f->key_len == strlen(words[i]) && memcmp(f->key, words[i], f->key_len) == 0) {
            finish(k, words[i], "%.*s", (int)f->stable_len, f->stable);
            return;
        }
    finish(k, KEEPER_BAD_FRAME, "the runner ended with an unknown word");
}

/* One whole frame.  Returns below 0 when the scan is over. */
static int
take_frame(struct keeper *k, const char *bytes, size_t len)
{
    struct frame f;

    frame_split(bytes, &f);
    switch (f.type) {
    case FRAME_LOG:
        tell_log(k, f.key_len == 1 ? f.key[0] - '0' : 3, f.stable, f.stable_len);
        return 0;
    case FRAME_END:
        take_end(k, &f);
        return -1;
    case FRAME_RECORD:
        k->active_ns = clock_ns(CLOCK_MONOTONIC);
        if (++k->records > k->job->limits.records)
            finish(k, KEEPER_LIMIT, "limit: more than %lld records",
                   (long long)k->job->limits.records);
        break;
    case FRAME_COVERS:
    case FRAME_FAILED:
        break;
    }
    if (k->bytes + (int64_t)len > k->job->limits.bytes_mib << 20)
        finish(k, KEEPER_LIMIT, "limit: more than %lld MiB of records",
               (long long)k->job->limits.bytes_mib);
    return k->end[0] ? -1 : spool_write(k, bytes, len);
}

/* Take the whole frames off the front of the buffer. */
static void
take_frames(struct keeper *k)
{
    size_t at = 0;

    while (!k->end[0]) {
        struct why why;
        int64_t len = frame_length(k->in + at, k->in_len - at, &why);

        if (len < 0)
            finish(k, KEEPER_BAD_FRAME, "bad frame: %s", why.text);
        if (len <= 0 || (size_t)len > k->in_len - at)
            break;
        if (take_frame(k, k->in + at, (size_t)len) < 0)
            break;
        at += (size_t)len;
    }
    k->in_len -= at;
    memmove(k->in, k->in + at, k->in_len);
}

static void
read_frames(struct keeper *k)
{
    ssize_t n;

    if (k->in_len == k->in_size) { /* one long frame: at most FRAME_MAX */
        size_t size = k->in_size ? FRAME_MAX : 64 * 1024;
        char *in = realloc(k->in, size);

        if (!in) {
            finish(k, END_ERROR, "keeper: out of memory");
            return;
        }
        k->in = in;
        k->in_size = size;
    }
    n = recv(k->frames_fd, k->in + k->in_len, k->in_size - k->in_len, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        close(k->frames_fd);
        k->frames_fd = -1;
        return;
    }
    k->in_len += (size_t)n;
    take_frames(k);
}

/* Lines of the plugin's stdout and stderr. */
static void
read_output(struct keeper *k)
{
    ssize_t n =
        read(k->output_fd, k->output + k->output_len, sizeof k->output - k->output_len);
    char *nl;

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        if (k->output_len)
            tell_log(k, LOG_OUTPUT_LEVEL, k->output, k->output_len);
        k->output_len = 0;
        close(k->output_fd);
        k->output_fd = -1;
        return;
    }
    k->output_len += (size_t)n;
    while ((nl = memchr(k->output, '\n', k->output_len)) ||
           k->output_len == sizeof k->output) {
        size_t len = nl ? (size_t)(nl - k->output) : k->output_len,
               skip = len + (nl != NULL);

        tell_log(k, LOG_OUTPUT_LEVEL, k->output, len);
        k->output_len -= skip;
        memmove(k->output, k->output + skip, k->output_len);
    }
}

/* ---- from the agent ---- */

static void
obey(struct keeper *k, const char *line)
{
    unsigned throttle;

    if (strcmp(line, "cancel") == 0)
        finish(k, KEEPER_CANCELLED, "cancelled");
    else if (sscanf(line, "throttle %u", &throttle) == 1) {
        atomic_store(&k->page->throttle, throttle);
        atomic_fetch_add(&k->page->wake, 1);
        syscall(SYS_futex, &k->page->wake, 1 /* FUTEX_WAKE */, 1, NULL, NULL, 0);
    }
}

static void
read_commands(struct keeper *k)
{
    ssize_t n = recv(FD_AGENT, k->command + k->command_len,
                     sizeof k->command - 1 - k->command_len, MSG_DONTWAIT);
    char *nl;

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        finish(k, KEEPER_CANCELLED, "the agent is gone");
        return;
    }
    k->command_len += (size_t)n;
    k->command[k->command_len] = '\0';
    while ((nl = strchr(k->command, '\n'))) {
        *nl = '\0';
        obey(k, k->command);
        k->command_len -= (size_t)(nl + 1 - k->command);
        memmove(k->command, nl + 1, k->command_len + 1);
    }
}

/* ---- limits ---- */

static void
check_limits(struct keeper *k)
{
    const struct limits *limits = &k->job->limits;
    int64_t now_ns = clock_ns(CLOCK_MONOTONIC),
            own_ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID);

    int64_t runner_ns = clock_ns(k->runner_clock);

    k->cpu_ns = own_ns + runner_ns;
    atomic_store(&k->page->keeper_cpu_ns, (uint64_t)own_ns);
    /* The keeper's own ticks are no progress. */
    if (runner_ns - k->active_cpu_ns >= STALL_CPU_MS * INT64_C(1000000)) {
        k->active_cpu_ns = runner_ns;
        k->active_ns = now_ns;
    }
    if (k->cpu_ns >= limits->cpu_s * INT64_C(1000000000))
        finish(k, KEEPER_LIMIT, "limit: %lld s of CPU time used",
               (long long)limits->cpu_s);
    else if (now_ns - k->active_ns >= limits->stall_s * INT64_C(1000000000))
        finish(k, KEEPER_LIMIT, "limit: stalled, no work and no record for %lld s",
               (long long)limits->stall_s);
    else if (now_ns - k->started_ns >= limits->deadline_s * INT64_C(1000000000))
        finish(k, KEEPER_LIMIT, "limit: still running after %lld s",
               (long long)limits->deadline_s);
}

/* ---- the whole ---- */

static int
start_runner(struct keeper *k)
{
    int frames[2], output[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, frames) < 0 ||
        pipe2(output, O_CLOEXEC) < 0)
        return -errno;
    k->runner = fork();
    if (k->runner < 0)
        return -errno;
    if (k->runner == 0) {
        setsid();
        signal(SIGHUP, SIG_DFL);
        if (dup2(output[1], 1) < 0 || dup2(output[1], 2) < 0)
            _exit(1);
        runner_main(k->job, frames[1], k->page);
    }
    close(frames[1]);
    close(output[1]);
    k->frames_fd = frames[0];
    k->output_fd = output[0];
    fcntl(k->output_fd, F_SETFL, O_NONBLOCK);
    k->runner_pidfd = (int)syscall(SYS_pidfd_open, k->runner, 0); /* Linux 5.3 */
    return -clock_getcpuclockid(k->runner, &k->runner_clock);
}

/* Without a descriptor that tells it, it is seen at the next tick. */
static bool
runner_is_gone(const struct keeper *k)
{
    siginfo_t info = {.si_pid = 0};

    waitid(P_PID, (id_t)k->runner, &info, WEXITED | WNOHANG | WNOWAIT);
    return info.si_pid == k->runner;
}

/* Wait for what comes, until the scan has an end or the runner is gone. */
static void
keep(struct keeper *k)
{
    for (;;) {
        struct pollfd fds[] = {
            {.fd = FD_AGENT, .events = POLLIN},
            {.fd = k->runner_pidfd, .events = POLLIN},
            {.fd = k->frames_fd, .events = POLLIN},
            {.fd = k->output_fd, .events = POLLIN},
        };
        bool gone = runner_is_gone(k); /* first: then what it left behind is there */

        if (poll(fds, 4, gone ? 0 : TICK_MS) < 0 && errno != EINTR)
            finish(k, END_ERROR, "keeper: poll: %s", strerror(errno));
        if (fds[0].revents)
            read_commands(k);
        if (fds[3].revents)
            read_output(k);
        if (fds[2].revents && !k->end[0])
            read_frames(k);
        check_limits(k);
        tell_progress(k);
        /* A runner that is gone may have left words behind: read them first. */
        if (k->end[0] || (gone && !fds[2].revents && !fds[3].revents))
            return;
    }
}

/* Nothing of the scan lives after this, unless it waits in the kernel: then it is named, and
 * dies when the kernel lets it.
 */
static void
end_runner(struct keeper *k)
{
    struct why text;
    int status = 0;

    kill(k->runner, SIGKILL);
    for (int ms = 0; ms < KILL_MS && !runner_is_gone(k); ms++)
        nanosleep(&(struct timespec){0, 1000000}, NULL);
    if (waitpid(k->runner, &status, WNOHANG) == k->runner)
        finish_by_status(k, status);
    else
        finish(k, END_ERROR, "the plugin cannot be ended: it waits in the kernel");
    if (reap_all(KILL_MS) < 0) {
        why_set(&text, 0,
                "processes of this scan wait in the kernel and do not end; the "
                "runner was process %d",
                k->runner);
        tell_log(k, 1, text.text, strlen(text.text));
    }
    if (k->output_fd >= 0)
        read_output(k);
}

int
keeper_run(const struct worker_job *job)
{
    struct keeper k = {.job = job, .frames_fd = -1, .output_fd = -1, .runner_pidfd = -1};
    uint64_t left_out;
    int r;

    prctl(PR_SET_CHILD_SUBREAPER, 1);
    k.page = mmap(NULL, sizeof *k.page, PROT_READ | PROT_WRITE,
                  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (k.page == MAP_FAILED || worker_wake_at_agents_end(&k.reason) < 0)
        return 1;
    atomic_store(&k.page->throttle, (uint32_t)job->cputhrottle);
    k.started_ns = k.active_ns = clock_ns(CLOCK_MONOTONIC);
    r = start_runner(&k);
    if (r < 0)
        finish(&k, END_REFUSED, "runner: cannot be started: %s", strerror(-r));
    else
        keep(&k);
    if (k.runner > 0)
        end_runner(&k);
    left_out = log_cap_end(&k.log_cap);
    if (left_out)
        tell("log\t2\t%llu lines of this scan were left out (more than %d a minute)\n",
             (unsigned long long)left_out, LOG_CAP_LINES);
    tell("end\t%s\t%lld\t%s\n", k.end, (long long)k.records, k.reason.text);
    free(k.in);
    return 0;
}
