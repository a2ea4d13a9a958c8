/* SPDX-License-Identifier: Apache-2.0 */
/* What the agent tells sonde-worker: `sonde-worker MODE key=value…`, and the descriptors that
 * it finds open.  Modes are in worker.c; `check db=PATH` has no descriptors, and prints what it
 * found as one line: "good", or what was wrong with sonde.db and what became of it.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "scan-limits.h"
#include "why.h"

enum {
    FD_AGENT = 3,    /* run: stream socket to the agent */
    FD_LOCK = 4,     /* run, store: the application's lock, held while it is open */
    FD_SPOOL = 5,    /* run, store: the scan's frames */
    FD_MANIFEST = 6, /* run: the sealed manifest; verify: an empty memfd for it */
};

/* The agent and the keeper talk in lines of tab-separated words.
 *   agent to keeper:  cancel | throttle N            (end of file: the agent is gone)
 *   keeper to agent:  progress DONE TOTAL RECORDS CPU_MS
 *                     log LEVEL TEXT
 *                     end WORD RECORDS REASON        (last line; WORD: END_… or LIMIT, …)
 */
#define KEEPER_LIMIT "limit"         /* a limit of the scan was reached */
#define KEEPER_BAD_FRAME "bad-frame" /* the runner broke the form of frames */
#define KEEPER_CANCELLED "cancelled" /* by command, or because the agent is gone */

struct worker_job {
    const char *app, *root, *plugin, *local, *packaged, *db, *root_id, *trigger, *end,
        *reason, *started, *ended, *origin;
    int64_t uid, gid; /* to drop to; -1: stay what we are */
    int64_t own_uid,
        own_gid; /* the agent's: who may own plugins and manifests beside root */
    int64_t scan, cputhrottle, scan_time, serial;
    int64_t cpu_ms;
    struct limits limits;
};

/* Become the job's user, with these capabilities and no others. */
int worker_drop(const struct worker_job *job, uint64_t keep_caps, struct why *why);

/* A worker that is stopped when its agent dies goes on, and so sees that it is alone.  A change
 * of user takes this back; worker_drop sets it again.
 */
int worker_wake_at_agents_end(struct why *why);

/* Mode run: returns the exit status of the keeper. */
int keeper_run(const struct worker_job *job);

/* The runner's life after the fork; never returns. */
struct shared_page;
void runner_main(const struct worker_job *job, int keeper_fd, struct shared_page *page)
    __attribute__((noreturn));
