/* SPDX-License-Identifier: Apache-2.0 */
/* After a restart: what became of the scans that were running.  The application's lock says
 * whether a store is still at it; the scan's row in sonde.db says whether it is stored.
 */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "agent.h"
#include "cleanup.h"

enum { RUNNING_MAX = 64, ATTEMPTS_MAX = 2 };

static void
decide(struct agent *agent, const struct queue_scan *scan)
{
    static const struct queue_end twice = {
        TICKET_FAILED,
        "interrupted twice: the agent or the host ended while it ran",
        0,
        NULL,
        NULL,
        0};
    int r = 0;

    if (job_ended_as_stored(agent, scan))
        return;
    if (scan->attempts >= ATTEMPTS_MAX)
        r = job_ended(agent, scan, &twice, NULL);
    else if ((r = queue_requeue(agent->queue, scan->id, false)) >= 0)
        log_warning("scan %lld of %s: was running when the agent ended; %s",
                    (long long)scan->id, scan->application,
                    r > 0 ? "queued again" : "a request takes its place");
    if (r < 0)
        timers_retry(agent);
}

void
recover(struct agent *agent)
{
    struct queue_scan scans[RUNNING_MAX];
    int n = queue_scans(agent->queue, TICKET_RUNNING, scans, RUNNING_MAX);

    for (int i = 0; i < n; i++) {
        cleanup_fd int lock = -1;

        if (job_of_scan(agent, scans[i].id))
            continue; /* ours */
        lock = job_lock(agent, scans[i].application);
        if (lock >= 0)
            decide(agent, &scans[i]);
        else
            timers_retry(agent);
    }
}

/* Numbers of scans in sonde.db are taken, whatever queue.db remembers. */
void
recover_numbers(struct agent *agent)
{
    queue_reserve(agent->queue, stored_last(agent));
}

/* ---- sonde.db is checked by a worker: it belongs to another user ---- */

struct check {
    struct child child; /* first */
    struct agent *agent;
    int out_fd;
};

static void
on_checked(struct child *child, int status, const struct rusage *usage)
{
    struct check *check = (struct check *)child;
    char line[1024] = "";

    (void)usage;
    if (pread(check->out_fd, line, sizeof line - 1, 0) > 0)
        line[strcspn(line, "\n")] = '\0';
    if (status != 0)
        log_error("results could not be checked: %s",
                  line[0] ? line : "the worker ended without a word");
    else if (strcmp(line, "good") != 0) {
        log_error("results: %s", line);
        recover_numbers(check->agent); /* they could not be read before */
    }
    close(check->out_fd);
    free(check);
}

void
recover_results(struct agent *agent)
{
    struct check *check = calloc(1, sizeof *check);
    struct child_args args = {.n = 0};
    char path[PATH_MAX];
    int r;

    if (!check)
        return;
    setup_path(agent, path, "results/sonde.db");
    check->child.on_exit = on_checked;
    check->agent = agent;
    check->out_fd = memfd_create("check", MFD_CLOEXEC);
    child_args_add(&args, "sonde-worker");
    child_args_add(&args, "check");
    child_args_add(&args, "db=%s", path);
    setup_add_user(agent, &args, &agent->store_user);
    r = check->out_fd < 0
            ? -errno
            : child_spawn(&agent->children, &check->child, agent->conf.paths.worker,
                          &args, &(struct child_fds){3, 0, NULL, check->out_fd});
    child_args_done(&args);
    if (r == 0)
        return;
    log_error("results could not be checked: %s", strerror(-r));
    if (check->out_fd >= 0)
        close(check->out_fd);
    free(check);
}

void
recover_spool(struct agent *agent)
{
    cleanup_dir DIR *dir = NULL;
    struct dirent *entry;
    char path[PATH_MAX];

    setup_path(agent, path, "spool");
    dir = opendir(path);
    while (dir && (entry = readdir(dir)))
        if (entry->d_name[0] != '.')
            unlinkat(dirfd(dir), entry->d_name, 0);
}
