/* SPDX-License-Identifier: Apache-2.0 */
/* The random test of the agent: one struct, handed to all its parts.
 *   chaos.c          rounds, and the table at the end
 *   chaos-do.c       what is done in a round
 *   chaos-agent.c    the agent: start, stop, kill; its clock and its profile
 *   chaos-ask.c      requests on the control socket, several at a time
 *   chaos-tickets.c  the model: each ControlId, and what the agent has said of it
 *   chaos-check.c    that the agent's databases and processes agree with the model
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "controlid.h"

/* Each of these must be 0. */
enum fault {
    FAULT_LOST,    /* a ControlId was given, and the agent does not know it */
    FAULT_TWICE,   /* a scan was stored twice */
    FAULT_STUCK,   /* a ticket, a scan or an answer that does not come to its end */
    FAULT_LEFT,    /* processes of scans, when there is none */
    FAULT_SAME_ID, /* a ControlId was given before */
    FAULT_WORD,    /* the agent says other than it said, or than it did */
    FAULT_AGENT,   /* it ended by itself, or not as it should */
    N_FAULTS
};

enum { APPS = 5, REQUESTS_MAX = 512, ANSWER_MAX = 64 * 1024, OFFSET_MAX_S = 30 * 86400 };

extern const char *const app_names[APPS];

struct ticket_seen {
    char id[CONTROLID_SIZE];
    char end[12]; /* its final state as it was told; "": none yet */
    int64_t scan; /* 0: not told */
    bool given;   /* it was the answer to a demand */
};

struct chaos {
    const char *folder, *program, *socket;
    uint64_t random;
    int round;
    int64_t slow; /* the factor of all patience */
    FILE *trace;  /* what was done, for the reader of a failure */

    pid_t agent;    /* 0: none runs */
    int generation; /* of it: counts starts and ends */
    bool is_normal; /* the profile */
    int64_t offset; /* of its clock, seconds */

    struct ticket_seen *tickets;
    int n_tickets, room;
    struct request *requests;
    int n_requests;
    int tickets_checked;
    int64_t scans_checked;

    long faults[N_FAULTS];
    long asked, answered, refused, cut; /* requests */
};

/* ---- chaos.c ---- */
/* The next random number below n. */
int64_t below(struct chaos *chaos, int64_t n);
void trace(struct chaos *chaos, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Count a fault and say what it is. */
void fault(struct chaos *chaos, enum fault what, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
int64_t now_ms(void);
/* Take answers for that long. */
void wait_us(struct chaos *chaos, int64_t us);

/* ---- chaos-do.c ---- */
struct action {
    const char *name;
    int weight;                       /* how often it is chosen, relative to the others */
    void (*run)(struct chaos *chaos); /* may leave no agent behind */
    long done;
};
extern struct action actions[];
extern const int n_actions;

/* Whom kill -9 is for. */
enum { TARGET_AGENT, TARGET_KEEPER, TARGET_RUNNER, TARGET_STORE, N_TARGETS };
struct target {
    const char *name;
    long tries, hits;
};
extern struct target targets[N_TARGETS];

void demand(struct chaos *chaos, const char *application);
/* Each application once, and their ends, which nothing cuts off. */
void wait_for_last(struct chaos *chaos);

/* ---- chaos-agent.c ---- */
bool agent_start(struct chaos *chaos); /* false: it does not answer */
void agent_signal(struct chaos *chaos, int signum);
void agent_kill(struct chaos *chaos);
void agent_stop(struct chaos *chaos, int signum);
/* Start one and kill it after that many ms. */
void agent_kill_early(struct chaos *chaos, int64_t ms);
/* Fault when it has ended by itself. */
bool agent_lives(struct chaos *chaos);
void agent_step_clock(struct chaos *chaos, int64_t by_s);
void agent_profile(struct chaos *chaos, const char *text, bool tell);
void agent_profile_normal(struct chaos *chaos);

/* ---- chaos-ask.c ---- */
enum verb {
    ASK_DEMAND,
    ASK_WAIT,
    ASK_CANCEL,
    ASK_CANCEL_INTERVAL,
    ASK_THROTTLE,
    ASK_LOOK
};
/* Send this line; about: the ControlId that it names, or to cancel an interval scan the
 * application, or NULL.
 */
void ask(struct chaos *chaos, enum verb verb, const char *about, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* Take answers for that long. */
void hear(struct chaos *chaos, int64_t ms);
/* Hang up on all who wait. */
void hang_up(struct chaos *chaos);

/* ---- chaos-tickets.c ---- */
/* A demand was answered with this one. */
void ticket_given(struct chaos *chaos, const char *id);
/* The agent says this of a ticket; scan 0: it does not say. */
void ticket_told(struct chaos *chaos, const char *id, const char *state, int64_t scan);
struct ticket_seen *ticket_find(struct chaos *chaos, const char *id);
bool state_is_final(const char *state);

/* ---- chaos-check.c ---- */
/* From now on each store of a scan is noted in sonde.db. */
bool check_begin(struct chaos *chaos);
/* No two scans of an application are in the same state, but for two delayed ones. */
void check_order(struct chaos *chaos);
/* Wait until all has come to its end, with the usual profile. */
void check_rest(struct chaos *chaos);
/* And then look at everything; again: at what was looked at before, too. */
void check_all(struct chaos *chaos, bool again);
/* Its last interval scan to end was cancelled. */
void check_cancelled(struct chaos *chaos, const char *application);
/* The number that this query of queue.db says. */
long check_count(struct chaos *chaos, const char *sql);
