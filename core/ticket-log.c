/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "log-lines.h"
#include "log-tail.h"

struct ticket_log {
    struct log_tail *tail;
    struct log_lines lines;
    char before[LOG_LINE_MAX]; /* the last line, which the next one may claim */
};

static int
open_log(const struct cli *cli, struct log_tail **ret, struct why *why)
{
    const char *path = cli->conf.paths.log;
    int r;

    if (strcmp(path, "-") == 0)
        return why_set(why, EXIT_NO_INPUT,
                       "the agent's log is its stderr, no file: [paths] log = -");
    r = log_tail_open(path, (int)cli->conf.log.keep, ret, why);
    if (r == -EACCES || r == -EPERM)
        return why_set(why, EXIT_NOT_PERMITTED,
                       "not permitted to read %s: ask as root or as a member of the "
                       "group %s",
                       path, cli->conf.agent.group);
    return r < 0 ? EXIT_NO_INPUT : 0;
}

int
ticket_log_open(const struct cli *cli, const char *control_id, struct ticket_log **ret,
                struct why *why)
{
    struct ticket_log *log = calloc(1, sizeof *log);
    int code = log ? open_log(cli, &log->tail, why)
                   : why_set(why, EXIT_UNAVAILABLE, "out of memory");

    if (code != 0) {
        free(log);
        return code;
    }
    log_lines_init(&log->lines, control_id);
    *ret = log;
    return 0;
}

void
ticket_log_scan(struct ticket_log *log, const char *application, int64_t scan)
{
    log_lines_scan(&log->lines, application, scan);
}

int64_t
ticket_log_take(struct ticket_log *log, void (*line)(const char *line, void *arg),
                void *arg)
{
    const char *text;
    int64_t n = 0;

    while ((text = log_tail_next(log->tail))) {
        enum log_belongs belongs = log_lines_take(&log->lines, text);

        if (belongs == LOG_THIS_AND_BEFORE)
            line(log->before, arg);
        if (belongs != LOG_OTHER)
            line(text, arg);
        n += belongs;
        snprintf(log->before, sizeof log->before, "%s", text);
    }
    return n;
}

void
ticket_log_free(struct ticket_log *log)
{
    if (!log)
        return;
    log_tail_free(log->tail);
    free(log);
}
