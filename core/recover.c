/* SPDX-License-Identifier: Apache-2.0 */
/* After a restart: what became of the scans that were running.  The application's lock says
 * whether a store is still at it; the scan's row in sonde.db says whether it is stored.
 */
#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
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
        log_warning("scan %lld of %s: was running when the agent ended; queued again",
                    (long long)scan->id, scan->application);
    if (r < 0)
        agent_retry_later(agent);
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
            agent_retry_later(agent);
    }
}

/* Numbers of scans in sonde.db are taken, whatever queue.db remembers. */
void
recover_numbers(struct agent *agent)
{
    queue_reserve(agent->queue, stored_last(agent));
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
