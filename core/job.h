/* SPDX-License-Identifier: Apache-2.0 */
/* What job.c, which knows how a scan goes on, and job-start.c, which begins it, share. */
#pragma once

#include "agent.h"
#include "logtext.h"

enum { JOB_LINE_SIZE = LOG_TEXT_MAX + 128 };

struct job {
    struct child child; /* first: the keeper, then the store */
    struct job *next;
    struct agent *agent;
    struct app *app;
    struct queue_scan scan;
    enum job_state state;
    bool agent_ended; /* the agent's stop has ended it: the request stays */

    /* What the verdict said when the scan began. */
    int64_t serial;
    char origin[16];

    int lock_fd, spool_fd, out_fd, keeper_fd; /* -1: closed */
    bool polling;
    uv_poll_t poll; /* of keeper_fd */
    char line[JOB_LINE_SIZE];
    size_t line_len;

    char end[16];     /* the keeper's last word */
    char outcome[16]; /* of the ticket, once it is known */
    struct json *summary;
    bool end_is_late; /* it could not be kept yet, and the log says so */
    char reason[1024];
    uint64_t done, total;
    int64_t records;
    double cpu_s;         /* told by the keeper; at the end, counted by the kernel */
    double typical_cpu_s; /* of the last scans of the application; 0: not known */
    long peak_kib;
    time_t started;
    int64_t started_ns;
};

/* Take the job out of the agent and free it. */
void job_free(struct job *job);
/* The job ends with this outcome; summary: what store said (the job's from now on), or NULL. */
void job_end(struct job *job, const char *outcome, const char *reason,
             struct json *summary);
/* The request stays queued: what hinders it now may be gone later. */
void job_later(struct job *job, const char *why, int r);
/* Too many files, processes, or too little memory: of the host's moment, not of the scan. */
bool job_is_passing(int r);
void job_spool_path(const struct agent *agent, int64_t scan, char ret[PATH_MAX]);

/* There is something to read from the keeper. */
void job_heard(uv_poll_t *poll, int status, int events);
/* The keeper has ended, and with it all processes of the scan. */
void job_kept(struct child *child, int status, const struct rusage *usage);
