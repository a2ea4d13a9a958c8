/* SPDX-License-Identifier: Apache-2.0 */
/* The agent's state: one struct, handed to all its parts.  Each calls those before it; what it
 * has to tell to those after it goes through struct agent_events.
 *   setup.c     folders, users, identity     interval.c  when applications are scanned
 *   timers.c    what is looked at again      job*.c      one scan from start to stored
 *   control.c   the socket                   recover.c   what an earlier agent left
 *   policy.c    the profile in force         verb*.c     what can be asked
 *   app.c       applications, verdicts       agent.c     start, loop, stop
 *   stored.c    what sonde.db says
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "child.h"
#include "conf.h"
#include "profile.h"
#include "queue.h"
#include "users.h"
#include "verdict.h"
#include "verify.h"

struct json;
struct json_out;
struct agent;
struct app;

struct agent_events {
    /* Another profile is in force. */
    void (*profile)(struct agent *agent, const struct profile *before);
    /* The verdict about an application is another one. */
    void (*verdict)(struct agent *agent, struct app *app);
    /* A scan may start. */
    void (*queued)(struct agent *agent);
    /* Try again what could not be done a second ago. */
    void (*retry)(struct agent *agent);
    /* Once a second; false: there is no more to watch. */
    bool (*watch)(struct agent *agent);
};

struct agent {
    const struct agent_events *events;
    struct conf conf;
    bool privileged; /* started as root: workers drop to users of their own */
    struct user_ids scan_user, store_user;
    gid_t group; /* who may use the socket and read results; -1: nobody else */
    char id[64], root_id[64];

    uv_loop_t loop;
    uv_signal_t on_term, on_int, on_hup, on_child;
    uv_timer_t retry;    /* what could not be done now */
    uv_timer_t watchdog; /* once a second while something has a deadline */
    uv_timer_t stop_limit;
    bool stopping;

    struct queue *queue;
    struct children children;
    struct app *apps;
    struct job *jobs;
    int n_jobs;
    bool starting, start_wanted; /* jobs_start */

    struct profile profile;
    struct stat profile_seen; /* the file as it was when it was read last */
    struct control *control;

    int due_fd, steps_fd; /* timers: the next interval scan, steps of the clock */
    uv_poll_t on_due, on_step;
    int64_t clock_offset;      /* UTC - time since boot, as it was looked at last */
    bool looking, look_wanted; /* interval_look */
    bool intervals_unkept;     /* and the log says so */
    bool starts_unkept;        /* the same of scans */
};

/* ---- setup.c ---- */
int setup_users(struct agent *agent, struct why *why);
int setup_folders(struct agent *agent, struct why *why);
int setup_rights(struct agent *agent, struct why *why);
/* The state folder, once it is made, is on a file system that does not outlive a restart: which
 * one and why, in words; else NULL.  The second decides by statfs's f_type.
 */
const char *setup_passing_state(const struct agent *agent);
const char *setup_passing_fs(long type);
/* The words that tell a worker which user to become. */
void setup_add_user(const struct agent *agent, struct child_args *args,
                    const struct user_ids *user);
/* ids of the root and of the agent; both are kept in the state folder when they are random. */
int setup_identity(struct agent *agent, struct why *why);
/* A path in the state folder. */
void setup_path(const struct agent *agent, char ret[PATH_MAX], const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* ---- app.c ---- */
/* When an application is scanned without being asked. */
struct interval {
    struct schedule_key key;
    struct schedule_history history;
    int64_t success;   /* the end of the last one, UTC; 0: none */
    int64_t start;     /* of the next one, windows considered; SCHEDULE_NEVER */
    bool changed;      /* and not kept yet */
    bool checking;     /* its verdict is asked for */
    char refusal[512]; /* why it is not, as the log has it; "" */
};

struct app {
    struct app *next;
    char name[NAME_MAX_LEN + 1];
    char identity[VERIFY_IDENTITY_SIZE]; /* what the verdict rests on; "": none yet */
    struct verdict verdict;
    int manifest_fd;           /* sealed; -1 */
    struct app_check *checks;  /* who waits for the verdict, in order */
    struct app_verify *verify; /* the worker that finds it */
    struct interval interval;
};

/* Is there a manifest or a plugin of that name?  Opens nothing. */
bool app_is_known(const struct agent *agent, const char *name);
/* Find the application, or make its entry.  NULL: no valid name, or out of memory. */
struct app *app_get(struct agent *agent, const char *name);
/* Learn the verdict, which may take a process; fn is called once, perhaps at once. */
void app_check(struct agent *agent, struct app *app,
               void (*fn)(struct app *app, void *arg), void *arg);
/* 0 when it may be scanned now, else the exit code and the reason; after app_check. */
int app_gate(struct agent *agent, const struct app *app, struct why *why);
/* Call fn for every application that there is a manifest or a plugin for. */
void app_each(struct agent *agent,
              void (*fn)(struct agent *agent, struct app *app, void *arg), void *arg);
/* The plugin's file: 0, or -ENOENT when it is in no plugin folder. */
int app_plugin_path(const struct agent *agent, const char *plugin, char ret[PATH_MAX]);
void app_free_all(struct agent *agent);

/* ---- policy.c ---- */
/* At the start: the profile, or else the last good one.  Below 0: there is neither. */
int policy_first(struct agent *agent, struct why *why);
/* Read the profile again when its file has changed; a bad one leaves the last good one. */
void policy_refresh(struct agent *agent);
bool policy_is_active(struct agent *agent, const char *application);
int policy_set_active(struct agent *agent, const char *application, bool active,
                      struct why *why);
/* This text becomes the profile: 0, or below 0 with the reason, and nothing has changed. */
int policy_load(struct agent *agent, const char *text, struct why *why);

/* ---- interval.c ---- */
int interval_open(struct agent *agent, struct why *why);
/* After the loop has let go of its timers. */
void interval_close(struct agent *agent);
/* Queue what is due, and set the timer for what is due next.  To be called when anything has
 * changed that this depends on.
 */
void interval_look(struct agent *agent);
/* The profile is another one, or (NULL) there may be other applications. */
void interval_changed(struct agent *agent, const struct profile *before);
/* The verdict about an application is another one. */
void interval_verdict(struct agent *agent, struct app *app);
/* A scan of it ends with this outcome: when the next one is due, to be kept with the end, and,
 * once it is kept, to be taken.
 */
void interval_ended(struct agent *agent, const struct app *app, bool interval,
                    const char *outcome, struct queue_interval *ret);
void interval_take(struct agent *agent, struct app *app,
                   const struct queue_interval *kept_now);
/* UTC, or SCHEDULE_NEVER. */
int64_t interval_next(const struct agent *agent, const struct app *app);
/* A queued interval scan may start now. */
bool interval_may_start(const struct agent *agent, const struct app *app);
/* The end of the window that the application is in, UTC; 0: it is in none. */
int64_t interval_blackout_until(const struct agent *agent, const char *application);
/* True when requests wait for that, too; in words "blackout until …", local time. */
bool interval_blackout_words(const struct agent *agent, const char *application,
                             struct why *ret);

/* ---- timers.c ---- */
void timers_init(struct agent *agent);
/* Look again in a second at all that could not be done now. */
void timers_retry(struct agent *agent);
/* Look at deadlines and silent clients each second, as long as there is something. */
void timers_watch(struct agent *agent);
/* Kill this child when it has not ended after ms. */
void timers_deadline(struct agent *agent, struct child *child, int64_t ms);

/* ---- job.c ---- */
enum job_state { JOB_SCAN, JOB_STORE, JOB_END };
struct job;
struct job *job_of_app(const struct agent *agent, const char *application);
struct job *job_of_scan(const struct agent *agent, int64_t scan);
enum job_state job_state(const struct job *job);
void job_cancel(struct job *job);
/* From now on the scan has this cputhrottle. */
void job_throttle(struct job *job, int64_t cputhrottle);
/* Ask all scans to end; their requests stay. */
void jobs_stop(struct agent *agent);
/* Kill those that did not; a store that is at work goes on without us. */
void jobs_kill(struct agent *agent);
void jobs_free(struct agent *agent);
/* Try again to keep the ends that could not be kept. */
void jobs_keep_ends(struct agent *agent);
/* A scan has ended: tell the queue, then the logs and who waits.  Below 0: the queue could not
 * keep it, and nobody was told.
 */
int job_ended(struct agent *agent, const struct queue_scan *scan,
              const struct queue_end *end, const struct json *summary);

/* True when sonde.db has this scan, and its tickets have ended as it says there. */
bool job_ended_as_stored(struct agent *agent, const struct queue_scan *scan);

/* ---- job-start.c ---- */
/* Start what is queued as far as there is room. */
void jobs_start(struct agent *agent);
/* The application's lock, free for us: the descriptor, -EBUSY, -errno. */
int job_lock(const struct agent *agent, const char *application);

/* ---- stored.c ---- */
/* What sonde.db says of a scan; stored_done frees it. */
struct stored {
    struct queue_end end;
    struct json *summary; /* what store would have said, or NULL */
    char outcome[16], reason[1024], changes[128];
    char *records;
};
/* False: the scan is not there, or what is there is no end. */
bool stored_read(const struct agent *agent, const struct queue_scan *scan,
                 struct stored *ret);
void stored_done(struct stored *stored);
/* The highest number of a scan there; 0: none. */
int64_t stored_last(const struct agent *agent);

/* ---- recover.c ---- */
/* Decide about the scans that were running when the last agent ended: as stored, again, or
 * failed.  One whose application is locked is still being stored: later.
 */
void recover(struct agent *agent);
void recover_numbers(struct agent *agent);
/* Have sonde.db checked, and repaired when it is damaged. */
void recover_results(struct agent *agent);
/* Frames of earlier scans: a store that is at work has its own descriptor. */
void recover_spool(struct agent *agent);

/* ---- control.c ---- */
struct conn; /* see control.h */
/* answer: called for each request that may be asked. */
int control_open(struct agent *agent,
                 void (*answer)(struct conn *conn, const struct json *request),
                 struct why *why);
void control_close(struct agent *agent);
/* Close connections that were silent for too long.  True: there are more to watch. */
bool control_sweep(struct agent *agent);
/* Tell who waits for this scan how far it is; write: puts the member "progress". */
void control_progress(struct agent *agent, int64_t scan,
                      void (*write)(const struct job *job, struct json_out *out,
                                    const char *control_id),
                      const struct job *job);
/* This scan has ended: answer who waits for it. */
void control_ended(struct agent *agent, int64_t scan);
/* One ticket has ended although its scan may go on. */
void control_ended_ticket(struct agent *agent, const char *control_id);

/* ---- verbs.c: see verb.h ---- */
void verbs_answer(struct conn *conn, const struct json *request);
