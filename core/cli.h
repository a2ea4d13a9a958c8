/* SPDX-License-Identifier: Apache-2.0 */
/* The program `sonde`: one subcommand is one file and one const entry. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "conf.h"
#include "db.h"
#include "exit-code.h"
#include "json.h"
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

extern const struct command cmd_scan, cmd_demand, cmd_status, cmd_wait, cmd_cancel,
    cmd_records, cmd_changes, cmd_query, cmd_apps, cmd_activate, cmd_deactivate, cmd_help;
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

/* A request: its verb and up to two members, each when its name is not NULL. */
struct client_request {
    const char *verb, *key, *value;
    bool with_throttle;
    int64_t cputhrottle;
};

/* Ask; `item` is called for each line before the last one.  Returns 0 and the last line
 * (*ret_final is the caller's), or the exit code after the reason was printed.
 */
int client_ask(const struct cli *cli, const struct client_request *request,
               void (*item)(const struct json *line, void *arg), void *arg,
               struct json **ret_final);

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

/* The data of a record with what is volatile (or NULL) as one object.  *ret is the caller's;
 * -EBADMSG when they are damaged.
 */
int results_merge(const char *data, const char *vol, char **ret);

/* ---- cmd-wait.c ---- */

/* Follow a ticket to its end: progress on a terminal, then the outcome. */
int wait_for_ticket(struct cli *cli, const char *control_id);

/* ---- cmd-demand.c ---- */

/* Ask for a scan; prints the contract's line.  ret_id (or NULL): the ControlId, which the
 * caller frees.
 */
int demand_scan(struct cli *cli, const char *application, int64_t cputhrottle,
                char **ret_id);
