/* SPDX-License-Identifier: Apache-2.0 */
/* How a scan begins: a place, the verdict, the application's lock, the keeper. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>

#include "cleanup.h"
#include "clock.h"
#include "exit-code.h"
#include "job.h"
#include "worker.h"

enum { QUEUED_MAX = 64 };

int
job_lock(const struct agent *agent, const char *application)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    cleanup_fd int fd = -1;
    char path[PATH_MAX];

    setup_path(agent, path, "run/%s.lock", application);
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    if (fcntl(fd, F_OFD_SETLK, &lock) < 0)
        return errno == EACCES || errno == EAGAIN ? -EBUSY : -errno;
    return steal_fd(&fd);
}

static int
open_spool(struct job *job)
{
    char path[PATH_MAX];

    job_spool_path(job->agent, job->scan.id, path);
    unlink(path); /* of an attempt before */
    job->spool_fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    return job->spool_fd < 0 ? -errno : 0;
}

static int
spawn_keeper(struct job *job, const char *plugin_path)
{
    struct agent *agent = job->agent;
    struct limits limits = limits_smaller(agent->conf.limits, job->app->verdict.limits);
    struct child_args args = {.n = 0};
    struct profile_values values;
    int pair[2], r;

    profile_values(&agent->profile, job->app->name, &values);
    limits = limits_smaller(limits, values.limits);
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
        return -errno;
    child_args_add(&args, "sonde-worker");
    child_args_add(&args, "run");
    child_args_add(&args, "app=%s", job->app->name);
    child_args_add(&args, "scan=%lld", (long long)job->scan.id);
    child_args_add(&args, "root=%s", agent->conf.agent.root);
    child_args_add(&args, "plugin=%s", plugin_path);
    child_args_add(&args, "cputhrottle=%lld", (long long)job->scan.cputhrottle);
    child_args_add(&args, "scan_time=%lld", (long long)job->started);
    for (int i = 0; i < limits_n_fields; i++)
        child_args_add(&args, "%s=%lld", limits_fields[i].name,
                       (long long)*limits_at(&limits, i));
    setup_add_user(agent, &args, &agent->scan_user);
    r = child_spawn(&agent->children, &job->child, agent->conf.paths.worker, &args,
                    &(struct child_fds){FD_AGENT, 4,
                                        (int[]){pair[1], job->lock_fd, job->spool_fd,
                                                job->app->manifest_fd},
                                        -1});
    child_args_done(&args);
    close(pair[1]);
    job->keeper_fd = pair[0];
    if (r < 0)
        return r;
    job->polling = uv_poll_init(&agent->loop, &job->poll, job->keeper_fd) == 0;
    job->poll.data = job;
    if (job->polling) /* else its words are read at its end */
        uv_poll_start(&job->poll, UV_READABLE, job_heard);
    return 0;
}

/* It is still QUEUED. */
static void
start_unkept(struct job *job, int r)
{
    struct agent *agent = job->agent;

    if (!agent->starts_unkept)
        log_error(
            "scan %lld of %s: its start could not be kept: %s; tried again until it can",
            (long long)job->scan.id, job->app->name, strerror(-r));
    agent->starts_unkept = true;
    job_free(job);
    timers_retry(agent);
}

/* From here on the queue says RUNNING. */
static void
job_run(struct job *job, const char *plugin_path)
{
    struct agent *agent = job->agent;
    int r = queue_start(agent->queue, &job->scan, job->started);

    if (r == 0) { /* cancelled meanwhile */
        job_free(job);
        jobs_start(agent);
        return;
    }
    if (r < 0) {
        start_unkept(job, r);
        return;
    }
    agent->starts_unkept = false;
    r = spawn_keeper(job, plugin_path);
    if (r < 0 && job_is_passing(r) &&
        queue_requeue(agent->queue, job->scan.id, true) >= 0) {
        job_later(job, "cannot be started", r);
        return;
    }
    if (r < 0) {
        snprintf(job->reason, sizeof job->reason, "the scan cannot be started: %s",
                 strerror(-r));
        job_end(job, TICKET_FAILED, job->reason, NULL);
        return;
    }
    log_info("scan %lld of %s started, cputhrottle %lld", (long long)job->scan.id,
             job->app->name, (long long)job->scan.cputhrottle);
    job->typical_cpu_s = queue_typical_cpu_s(agent->queue, job->app->name);
}

/* A request may have taken it over, too: it is read anew. */
static bool
is_still_queued(struct job *job)
{
    struct queue_scan scan;

    if (queue_scan_of(job->agent->queue, job->app->name, TICKET_QUEUED, &scan) != 1 ||
        scan.id != job->scan.id)
        return false;
    job->scan = scan;
    return true;
}

/* A window that holds back requests, too: until when, in words. */
static bool
hold_back(struct agent *agent, const struct queue_scan *scan)
{
    struct why until;

    if (!interval_blackout_words(agent, scan->application, &until))
        return false;
    if (queue_delay(agent->queue, scan->id, until.text) < 0) {
        timers_retry(agent);
        return true;
    }
    log_info("scan %lld of %s: delayed, %s", (long long)scan->id, scan->application,
             until.text);
    interval_look(agent); /* the timer must know its end */
    return true;
}

static bool
may_start(struct agent *agent, const struct app *app, const struct queue_scan *scan)
{
    return scan->interval ? interval_may_start(agent, app) : !hold_back(agent, scan);
}

/* Not now, or not any more: its place is free. */
static void
drop(struct job *job)
{
    struct agent *agent = job->agent;

    job_free(job);
    jobs_start(agent);
    interval_look(agent);
}

/* The lock and a place for its frames, or wait, or fail; true: it has both. */
static bool
take_lock(struct job *job)
{
    struct why why;
    int r = job->lock_fd = job_lock(job->agent, job->app->name);

    if (r == -EBUSY) {
        job_later(job, "an earlier agent's scan of it is being stored", 0);
        return false;
    }
    if (r >= 0)
        r = open_spool(job);
    if (r >= 0)
        return true;
    if (job_is_passing(r)) {
        job_later(job, "state folder", r);
        return false;
    }
    why_put(&why, "state folder: %s", strerror(-r));
    job_end(job, TICKET_FAILED, why.text, NULL);
    return false;
}

/* The verdict is known: begin, refuse, or wait. */
static void
job_begin(struct app *app, void *arg)
{
    struct job *job = arg;
    struct agent *agent = job->agent;
    char path[PATH_MAX];
    struct why why = {""};
    int r = app_gate(agent, app, &why);

    if (agent->stopping) {
        job_free(job);
        return;
    }
    /* Cancelled meanwhile, or a window has begun. */
    if (!is_still_queued(job) || !may_start(agent, app, &job->scan)) {
        drop(job);
        return;
    }
    if (r == EXIT_REFUSED_FOR_NOW) {
        job_later(job, why.text, 0);
        return;
    }
    if (r == 0 && app_plugin_path(agent, app->verdict.plugin, path) < 0)
        r = why_set(&why, -ENOENT, "plugin %s.so: is not in %s", app->verdict.plugin,
                    agent->conf.paths.plugins);
    if (r != 0) {
        job_end(job, TICKET_FAILED, why.text, NULL);
        return;
    }
    if (!take_lock(job))
        return;
    job->serial = app->verdict.serial;
    snprintf(job->origin, sizeof job->origin, "%s", app->verdict.origin);
    job_run(job, path);
}

static void
job_new(struct agent *agent, struct app *app, const struct queue_scan *scan)
{
    struct job *job = calloc(1, sizeof *job);

    if (!job) {
        log_error("scan %lld of %s: out of memory, stays queued", (long long)scan->id,
                  app->name);
        return;
    }
    job->agent = agent;
    job->app = app;
    job->scan = *scan;
    job->lock_fd = job->spool_fd = job->out_fd = job->keeper_fd = -1;
    job->child.on_exit = job_kept;
    job->started = clock_utc();
    job->started_ns = (int64_t)uv_hrtime();
    job->next = agent->jobs;
    agent->jobs = job;
    agent->n_jobs++;
    app_check(agent, app, job_begin, job);
}

static void
start_queued(struct agent *agent)
{
    struct queue_scan scans[QUEUED_MAX];
    int n = queue_scans(agent->queue, TICKET_QUEUED, scans, QUEUED_MAX);

    for (int i = 0; i < n && agent->n_jobs < agent->conf.agent.max_scans; i++) {
        struct app *app = app_get(agent, scans[i].application);

        if (app && !job_of_app(agent, app->name) && may_start(agent, app, &scans[i]))
            job_new(agent, app, &scans[i]);
    }
}

void
jobs_start(struct agent *agent)
{
    agent->start_wanted = true;
    /* A scan was refused while it was started: the loop looks again. */
    if (agent->starting)
        return;
    agent->starting = true;
    while (agent->start_wanted && !agent->stopping) {
        agent->start_wanted = false;
        start_queued(agent);
    }
    agent->starting = false;
}
