/* SPDX-License-Identifier: Apache-2.0 */
/* One scan, once it has begun: keeper, frames, store, end.  Nothing here waits. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "agent.h"
#include "cleanup.h"
#include "clock.h"
#include "done.h"
#include "frame.h"
#include "job.h"
#include "timestamp.h"
#include "worker.h"

enum { CANCEL_MS = 5000, SUMMARY_MAX = 256 * 1024 };

/* ---- looking ---- */

struct job *
job_of_app(const struct agent *agent, const char *application)
{
    for (struct job *job = agent->jobs; job; job = job->next)
        if (strcmp(job->app->name, application) == 0)
            return job;
    return NULL;
}

struct job *
job_of_scan(const struct agent *agent, int64_t scan)
{
    for (struct job *job = agent->jobs; job; job = job->next)
        if (job->scan.id == scan)
            return job;
    return NULL;
}

enum job_state
job_state(const struct job *job)
{
    return job->state;
}

/* What is left of the CPU time that such scans take, and the sleep that comes with it. */
static double
eta_s(const struct job *job)
{
    double left = job->typical_cpu_s - job->cpu_s;

    return left <= 0 ? 0 : left * (10 + (double)job->scan.cputhrottle) / 10;
}

static void
write_progress(const struct job *job, struct json_out *out, const char *control_id)
{
    json_out_object(out, "progress");
    json_out_str(out, "control_id", control_id);
    json_out_str(out, "application", job->app->name);
    json_out_str(out, "state",
                 job->state == JOB_SCAN ? "ONDEMAND_EVENT_SCAN" : "ONDEMAND_EVENT_STORE");
    json_out_int(out, "cputhrottle", job->scan.cputhrottle);
    json_out_int(out, "done", (int64_t)job->done);
    json_out_int(out, "total", (int64_t)job->total);
    json_out_int(out, "records", job->records);
    json_out_real(out, "cpu_seconds", job->cpu_s);
    json_out_real(out, "elapsed_seconds",
                  (double)((int64_t)uv_hrtime() - job->started_ns) / 1e9);
    if (job->typical_cpu_s > 0)
        json_out_real(out, "eta_seconds", eta_s(job));
    else
        json_out_null(out, "eta_seconds");
    json_out_end(out, '}');
}

/* ---- the end of a job ---- */

static void
close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

void
job_spool_path(const struct agent *agent, int64_t scan, char ret[PATH_MAX])
{
    setup_path(agent, ret, "spool/%lld.frames", (long long)scan);
}

static void
on_poll_closed(uv_handle_t *handle)
{
    struct job *job = handle->data;

    close_fd(&job->keeper_fd);
    free(job);
}

/* Let go of the frames and of the application's lock. */
static void
job_release(struct job *job)
{
    char path[PATH_MAX];

    if (job->spool_fd >= 0) {
        job_spool_path(job->agent, job->scan.id, path);
        unlink(path);
    }
    close_fd(&job->spool_fd);
    close_fd(&job->out_fd);
    close_fd(&job->lock_fd);
}

void
job_free(struct job *job)
{
    struct agent *agent = job->agent;
    struct job **at = &agent->jobs;

    while (*at != job)
        at = &(*at)->next;
    *at = job->next;
    agent->n_jobs--;
    job_release(job);
    json_free(job->summary);
    if (job->polling)
        uv_close((uv_handle_t *)&job->poll, on_poll_closed);
    else {
        close_fd(&job->keeper_fd);
        free(job);
    }
}

int
job_ended(struct agent *agent, const struct queue_scan *scan, const struct queue_end *end,
          const struct json *summary)
{
    struct app *app = app_get(agent, scan->application);
    struct queue_interval interval;
    int r;

    if (app)
        interval_ended(agent, app, scan->interval, end->outcome, &interval);
    r = queue_end(agent->queue, scan->id, clock_utc(), end, app ? &interval : NULL);
    if (r < 0)
        return r;
    if (app)
        interval_take(agent, app, &interval);
    log_write(strcmp(end->outcome, TICKET_FAILED) == 0 ? LOG_ERROR : LOG_INFO,
              "scan %lld of %s ended: %s%s%s, %.3f s of CPU time, peak memory %ld KiB",
              (long long)scan->id, scan->application, end->outcome,
              end->reason[0] ? ": " : "", end->reason, end->cpu_s, end->peak_kib);
    if (r > 0)
        log_info("delayed requests for %s are queued now: %d", scan->application, r);
    done_write(agent->queue, scan->id, end->outcome, summary);
    control_ended(agent, scan->id);
    interval_look(agent);
    return 0;
}

bool
job_ended_as_stored(struct agent *agent, const struct queue_scan *scan)
{
    struct stored stored;
    bool found = stored_read(agent, scan, &stored);

    if (found && job_ended(agent, scan, &stored.end, stored.summary) < 0)
        timers_retry(agent);
    stored_done(&stored);
    return found;
}

/* The caller frees it. */
static char *
member_text(const struct json *object, const char *name)
{
    const struct json *member = json_get(object, name);

    return member ? json_print(member) : NULL;
}

/* Keep the end that the job has; a full disk is tried again later. */
static void
keep_end(struct job *job)
{
    struct agent *agent = job->agent;
    cleanup_free char *records = member_text(job->summary, "records");
    cleanup_free char *changes = member_text(job->summary, "changes");
    struct queue_end end = {job->outcome, job->reason, job->cpu_s,
                            records,      changes,     job->peak_kib};
    int r = job_ended(agent, &job->scan, &end, job->summary);

    if (r < 0 && r != -ENOENT) {
        if (!job->end_is_late)
            log_error("scan %lld of %s: %s (%s) could not be kept: %s; tried again until "
                      "it can",
                      (long long)job->scan.id, job->app->name, job->outcome, job->reason,
                      strerror(-r));
        job->end_is_late = true;
        timers_retry(agent);
        return;
    }
    job_free(job);
    agent->events->queued(agent);
}

void
job_end(struct job *job, const char *outcome, const char *reason, struct json *summary)
{
    job->state = JOB_END;
    job->summary = summary;
    snprintf(job->outcome, sizeof job->outcome, "%s", outcome);
    if (reason != job->reason)
        snprintf(job->reason, sizeof job->reason, "%s", reason);
    job_release(job); /* a full disk has room again for the end */
    keep_end(job);
}

void
jobs_keep_ends(struct agent *agent)
{
    struct job *next;

    for (struct job *job = agent->jobs; job; job = next) {
        next = job->next;
        if (job->state == JOB_END)
            keep_end(job);
    }
}

void
job_later(struct job *job, const char *why, int r)
{
    struct agent *agent = job->agent;

    log_warning("scan %lld of %s: %s%s%s; tried again later", (long long)job->scan.id,
                job->app->name, why, r < 0 ? ": " : "", r < 0 ? strerror(-r) : "");
    job_free(job);
    timers_retry(agent);
}

bool
job_is_passing(int r)
{
    return r == -EMFILE || r == -ENFILE || r == -ENOMEM || r == -EAGAIN || r == -ENOSPC;
}

static double
cpu_of(const struct rusage *usage)
{
    return (double)(usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) +
           (double)(usage->ru_utime.tv_usec + usage->ru_stime.tv_usec) / 1e6;
}

/* ---- store ---- */

static void
on_stored(struct child *child, int status, const struct rusage *usage)
{
    struct job *job = (struct job *)child;
    struct agent *agent = job->agent;
    cleanup_free char *text = calloc(1, SUMMARY_MAX + 1);
    struct json *summary = NULL;
    struct why why = {""};
    ssize_t n = text ? pread(job->out_fd, text, SUMMARY_MAX, 0) : -1;

    /* Storing is the agent's work: it is not in the scan's account. */
    log_debug("scan %lld of %s: store took %.3f s of CPU time, peak memory %ld KiB",
              (long long)job->scan.id, job->app->name, cpu_of(usage), usage->ru_maxrss);
    if (status == 0 && n > 0 && json_parse(text, (size_t)n, &summary, &why) == 0 &&
        json_get_str(summary, "outcome") && json_get_str(summary, "reason")) {
        job_end(job, json_get_str(summary, "outcome"), json_get_str(summary, "reason"),
                summary);
        return;
    }
    json_free(summary);
    if (job_ended_as_stored(agent, &job->scan)) { /* it died after its commit */
        job_free(job);
        agent->events->queued(agent);
        return;
    }
    why_set(&why, 0, "%s%s%.*s", job->reason, job->reason[0] ? "; " : "",
            n > 0 ? (int)strcspn(text, "\n") : 100,
            n > 0                 ? text
            : WIFSIGNALED(status) ? strsignal(WTERMSIG(status))
                                  : "store ended without a word");
    job_end(job, TICKET_FAILED, why.text, NULL);
}

static int
start_store(struct job *job)
{
    struct agent *agent = job->agent;
    struct child_args args = {.n = 0};
    char path[PATH_MAX], started[TIMESTAMP_SIZE], ended[TIMESTAMP_SIZE];
    int fds[] = {job->lock_fd, job->spool_fd}, r;

    setup_path(agent, path, "results/sonde.db");
    timestamp_utc(job->started, started);
    timestamp_utc(clock_utc(), ended);
    child_args_add(&args, "sonde-worker");
    child_args_add(&args, "store");
    child_args_add(&args, "app=%s", job->app->name);
    child_args_add(&args, "scan=%lld", (long long)job->scan.id);
    child_args_add(&args, "db=%s", path);
    child_args_add(&args, "trigger=%s", job->scan.interval ? "interval" : "ondemand");
    child_args_add(&args, "root_id=%s", agent->root_id);
    child_args_add(&args, "end=%s", job->end);
    child_args_add(&args, "reason=%s", job->reason);
    child_args_add(&args, "started=%s", started);
    child_args_add(&args, "ended=%s", ended);
    child_args_add(&args, "cpu_ms=%lld", (long long)(job->cpu_s * 1000));
    child_args_add(&args, "cputhrottle=%lld", (long long)job->scan.cputhrottle);
    child_args_add(&args, "serial=%lld", (long long)job->serial);
    child_args_add(&args, "origin=%s", job->origin);
    setup_add_user(agent, &args, &agent->store_user);
    job->state = JOB_STORE;
    job->out_fd = memfd_create("summary", MFD_CLOEXEC);
    job->child.on_exit = on_stored;
    r = job->out_fd < 0
            ? -errno
            : child_spawn(&agent->children, &job->child, agent->conf.paths.worker, &args,
                          &(struct child_fds){FD_LOCK, 2, fds, job->out_fd});
    child_args_done(&args);
    return r;
}

/* ---- the keeper's words ---- */

/* The next tab-separated word of *at, or "". */
static char *
word(char **at)
{
    static char nothing[1];
    char *w = strsep(at, "\t");

    return w ? w : nothing;
}

static void
take_line(struct job *job, char *line)
{
    const char *what = word(&line);

    if (strcmp(what, "progress") == 0) {
        job->done = strtoull(word(&line), NULL, 10);
        job->total = strtoull(word(&line), NULL, 10);
        job->records = strtoll(word(&line), NULL, 10);
        job->cpu_s = (double)strtoll(word(&line), NULL, 10) / 1000;
        control_progress(job->agent, job->scan.id, write_progress, job);
    } else if (strcmp(what, "log") == 0) {
        int level = atoi(word(&line));

        if (level < LOG_ERROR || level > LOG_DEBUG)
            level = LOG_INFO;
        log_write((enum log_level)level, "[%s][scan %lld] %s", job->app->name,
                  (long long)job->scan.id, line ? line : "");
    } else if (strcmp(what, "end") == 0) {
        snprintf(job->end, sizeof job->end, "%s", word(&line));
        job->records = strtoll(word(&line), NULL, 10);
        snprintf(job->reason, sizeof job->reason, "%s", line ? line : "");
    }
}

/* All that is there to read, line by line. */
static void
drain_keeper(struct job *job)
{
    char *nl;

    for (;;) {
        ssize_t n = recv(job->keeper_fd, job->line + job->line_len,
                         sizeof job->line - 1 - job->line_len, MSG_DONTWAIT);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            return;
        if (n <= 0) { /* its end; the process's end tells the rest */
            if (job->polling)
                uv_poll_stop(&job->poll);
            return;
        }
        job->line_len += (size_t)n;
        job->line[job->line_len] = '\0';
        while ((nl = memchr(job->line, '\n', job->line_len))) {
            *nl = '\0';
            take_line(job, job->line);
            job->line_len -= (size_t)(nl + 1 - job->line);
            memmove(job->line, nl + 1, job->line_len + 1);
        }
        if (job->line_len == sizeof job->line - 1)
            job->line_len = 0; /* no line of ours is that long */
    }
}

void
job_heard(uv_poll_t *poll, int status, int events)
{
    (void)status;
    (void)events;
    drain_keeper(poll->data);
}

void
job_kept(struct child *child, int status, const struct rusage *usage)
{
    struct job *job = (struct job *)child;
    struct agent *agent = job->agent;
    int r;

    drain_keeper(job);
    job->cpu_s = cpu_of(usage);
    job->peak_kib = usage->ru_maxrss;
    if (!job->end[0]) {
        snprintf(job->end, sizeof job->end, "%s", END_ERROR);
        snprintf(job->reason, sizeof job->reason, "the keeper was lost: %s %d",
                 WIFSIGNALED(status) ? "signal" : "exit status",
                 WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    }
    if (strcmp(job->end, KEEPER_CANCELLED) == 0 && !job->agent_ended)
        job_end(job, TICKET_CANCELLED, job->reason, NULL);
    else if (agent->stopping && job->agent_ended) {
        r = queue_requeue(agent->queue, job->scan.id, true);
        log_info("scan %lld of %s: stopped with the agent, %s", (long long)job->scan.id,
                 job->app->name,
                 r > 0    ? "queued again"
                 : r == 0 ? "a request takes its place"
                          : "queued again (not kept)");
        job_free(job);
    } else if (strcmp(job->end, END_REFUSED) == 0 ||
               strcmp(job->end, KEEPER_BAD_FRAME) == 0)
        job_end(job, TICKET_FAILED, job->reason, NULL);
    else if ((r = start_store(job)) < 0) {
        snprintf(job->reason, sizeof job->reason, "store: cannot be started: %s",
                 strerror(-r));
        if (job_is_passing(r) && queue_requeue(agent->queue, job->scan.id, true) >= 0)
            job_later(job, job->reason, 0);
        else
            job_end(job, TICKET_FAILED, job->reason, NULL);
    }
}

/* ---- cancel and stop ---- */

static void
tell_keeper(struct job *job, const char *line)
{
    if (job->state == JOB_SCAN && job->keeper_fd >= 0)
        (void)!send(job->keeper_fd, line, strlen(line), MSG_NOSIGNAL | MSG_DONTWAIT);
}

void
job_cancel(struct job *job)
{
    if (job->keeper_fd < 0)
        return;
    tell_keeper(job, "cancel\n");
    timers_deadline(job->agent, &job->child, CANCEL_MS); /* a keeper may be stopped */
}

void
job_throttle(struct job *job, int64_t cputhrottle)
{
    char line[48];

    if (job->scan.cputhrottle == cputhrottle)
        return;
    job->scan.cputhrottle = cputhrottle;
    snprintf(line, sizeof line, "throttle %lld\n", (long long)cputhrottle);
    tell_keeper(job, line);
    log_info("scan %lld of %s: cputhrottle %lld from now on", (long long)job->scan.id,
             job->app->name, (long long)cputhrottle);
}

void
jobs_stop(struct agent *agent)
{
    for (struct job *job = agent->jobs; job; job = job->next) {
        if (job->state != JOB_SCAN || job->keeper_fd < 0)
            continue;
        job->agent_ended = true;
        shutdown(job->keeper_fd, SHUT_WR); /* the keeper's sign to end */
    }
}

void
jobs_kill(struct agent *agent)
{
    for (struct job *job = agent->jobs; job; job = job->next) {
        if (job->state != JOB_SCAN || job->child.pid <= 0)
            continue; /* a store may be late */
        kill(job->child.pid, SIGKILL);
        queue_requeue(agent->queue, job->scan.id, true);
    }
}

void
jobs_free(struct agent *agent)
{
    while (agent->jobs)
        job_free(agent->jobs);
}
