/* SPDX-License-Identifier: Apache-2.0 */
/* The program `sonde`: one subcommand is one file and one const entry. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "conf.h"
#include "db.h"
#include "exit-code.h"
#include "json.h"
#include "manifest.h"
#include "table.h"

struct cli {
    struct conf conf;
    bool json;    /* one object a line, for programs */
    bool bare;    /* --help was asked: no configuration was read */
    size_t width; /* of the terminal on stdout; 0: none */
};

struct command {
    const char *name, *words, *summary;
    const char *help; /* more lines, or NULL */
    int min, max;     /* how many words it takes, its options among them */
    bool options;     /* it has options of its own, and says which it does not know */
    int (*run)(struct cli *cli, int argc, char **argv); /* returns the exit code */
};

extern const struct command cmd_scan, cmd_demand, cmd_status, cmd_list, cmd_wait,
    cmd_follow, cmd_log, cmd_cancel, cmd_throttle, cmd_records, cmd_changes, cmd_query,
    cmd_apps, cmd_activate, cmd_deactivate, cmd_profile, cmd_help;
extern const struct command *const commands[]; /* ends with NULL */

const struct command *command_find(const char *name);
int command_unknown(const char *name); /* says so; returns the exit code */

/* Text with data in it: what could play with a terminal, line breaks too, becomes \xNN. */
void cli_print(FILE *stream, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* "sonde: …" on stderr, in the same way; returns exit_code. */
int cli_fail(int exit_code, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* A time of JSON (RFC 3339, UTC) as people read it: local.  "-" for NULL. */
enum { CLI_TIME_SIZE = 32 };
const char *cli_local_time(const char *rfc3339, char ret[CLI_TIME_SIZE]);

/* Milliseconds that never step. */
int64_t cli_now_ms(void);

/* The value of an option, "--NAME VALUE" or "--NAME=VALUE", which argv[*i] may be: true, and
 * *ret ("" when it is missing); *i is at its last word then.
 */
bool cli_option(char **argv, int *i, const char *name, const char **ret);

/* Digits alone, from least to most. */
bool cli_number(const char *text, int64_t least, int64_t most, int64_t *ret);

/* Print a JSON value as one line on stdout. */
void cli_print_json(const struct json *value);

/* Print one object, member by member, as such a line. */
struct cli_object {
    FILE *stream;
    char *text;
    size_t len;
    struct json_out out;
};
void cli_object_begin(struct cli_object *object);
void cli_object_end(struct cli_object *object);
/* Print the table on stdout; returns the exit code. */
int cli_print_table(const struct cli *cli, const struct table *table);

/* ---- client.c: asking the agent ---- */

/* A request: its verb and, each when its key is not NULL, a text, a number, a JSON value. */
struct client_request {
    const char *verb, *key, *value;
    const char *number_key;
    int64_t number;
    const char *json_key, *json; /* checked, on one line */
    bool open;                   /* "open": true */
};

/* "control_id" or "application", whichever this word is. */
void client_name(struct client_request *request, const char *word);

/* Ask; `item` is called for each line before the last one.  Returns 0 and the last line
 * (*ret_final is the caller's), or the exit code after the reason was printed.
 */
int client_ask(const struct cli *cli, const struct client_request *request,
               void (*item)(const struct json *line, void *arg), void *arg,
               struct json **ret_final);

/* Ask and print the one line of the answer: "WHAT: STATE (NOTE)", or the note alone. */
int client_tell(const struct cli *cli, const struct client_request *request,
                const char *what);

/* The same step by step, for those who wait. */
struct client {
    int fd; /* -1: closed */
    char *text;
    size_t len, size;
};
/* 0, or a negated errno; patience_ms: how long the agent may be busy. */
int client_open(struct client *client, const struct cli *cli,
                const struct client_request *request, int patience_ms);
/* Says why client_open failed; returns the exit code. */
int client_cannot_open(const struct cli *cli, int r);
/* 1: a line, the caller's; 0: none has come until cli_now_ms is end_ms (below 0: never);
 * -EBADMSG: it was no JSON, which was said; else the connection has ended.
 */
int client_next(struct client *client, int64_t end_ms, struct json **ret);
/* The exit code of a last line; a refusal is printed. */
int client_verdict(const struct json *final);
void client_close(struct client *client); /* closed is fine */

/* ---- listing.c: what the agent lists ---- */

/* Ask, and print the applications and tickets of the answer: tables for people, objects for
 * programs.  Returns the exit code.
 */
int listing_ask(const struct cli *cli, const struct client_request *request);

/* ---- results.c: reading sonde.db ---- */

/* Returns 0, or the exit code after the reason was printed. */
int results_open(const struct cli *cli, struct db **ret);
/* A statement, or (NULL) opening failed: print why; returns the exit code. */
int results_fail(struct db *db, int r);

/* A row of `scans`. */
struct stored_scan {
    int64_t id; /* 0: there is none */
    char application[NAME_MAX_LEN + 1], ended[CLI_TIME_SIZE], outcome[16];
    int64_t added, changed, removed;
};
/* Each returns 0, or the exit code after the reason was printed; no scan is 0, too.
 * application: NULL is any.
 */
int results_scan(struct db *db, int64_t id, struct stored_scan *ret);
int results_newest_scan(struct db *db, int64_t *ret);
int results_first_scan(struct db *db, const char *application, int64_t *ret);

/* The data of a record with what is volatile (or NULL) as one object.  *ret is the caller's;
 * -EBADMSG when they are damaged.
 */
int results_merge(const char *data, const char *vol, char **ret);

/* ---- progress.c: what is told of a scan that runs ---- */

struct progress {
    FILE *stream; /* NULL: none is shown */
    bool shown;   /* a line is on the screen */
};
/* Shown where the stream (or NULL) is a terminal that can take a line back. */
void progress_init(struct progress *progress, FILE *stream);
void progress_show(struct progress *progress, const struct json *item);
void progress_clear(struct progress *progress);
/* Print how a ticket ended. */
void outcome_print(const struct json *ticket);
int outcome_code(const struct json *ticket); /* -1: it has not ended */

/* ---- wait.c: to the end of a ticket ---- */

struct wait {
    const char *control_id;
    int64_t timeout_s;         /* 0: none */
    bool known;                /* the agent has answered just now: if not, it restarts */
    struct progress *progress; /* taken back before anything else is printed */
    /* The rest may be NULL. */
    void (*item)(const struct json *progress, void *arg);
    void (*tick)(void *arg); /* five times a second */
    void *arg;
};

/* Waits also while the agent is restarted.  0 and the ticket as it ended (the caller's), or
 * the exit code after the reason was printed.
 */
int wait_for_end(const struct cli *cli, const struct wait *wait,
                 struct json **ret_ticket);

/* The seconds of --timeout; or the exit code after the reason was printed. */
int wait_parse_timeout(const char *text, int64_t *ret);

/* ---- cmd-wait.c ---- */

/* Follow a ticket to its end: progress on a terminal, then the outcome.  known: see above. */
int wait_for_ticket(const struct cli *cli, const char *control_id, int64_t timeout_s,
                    bool known);

/* ---- changes.c: what changed, as tables and objects ---- */

/* Of one scan, or between two of one application.  Returns the exit code. */
int changes_print(const struct cli *cli, struct db *db, const struct stored_scan *scan);
int changes_print_between(const struct cli *cli, struct db *db,
                          const struct stored_scan *from, const struct stored_scan *to);

/* ---- ticket-log.c: a ticket's lines in the agent's log ---- */

struct ticket_log;
/* The log of this configuration; 0 (*ret is the caller's: ticket_log_free), or an exit code
 * with the reason.
 */
int ticket_log_open(const struct cli *cli, const char *control_id,
                    struct ticket_log **ret, struct why *why);
/* What the agent said of it: lines of this scan are the ticket's. */
void ticket_log_scan(struct ticket_log *log, const char *application, int64_t scan);
/* Its lines that have come since the last call; returns how many. */
int64_t ticket_log_take(struct ticket_log *log, void (*line)(const char *line, void *arg),
                        void *arg);
void ticket_log_free(struct ticket_log *log); /* NULL is fine */

/* ---- cmd-demand.c ---- */

/* Ask for a scan; prints the contract's line.  ret_id (or NULL): the ControlId, which the
 * caller frees.
 */
int demand_scan(const struct cli *cli, const char *application, int64_t cputhrottle,
                char **ret_id);
