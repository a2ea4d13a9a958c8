/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of the agent's log: their parts, and which of them concern a ticket.  Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controlid.h"
#include "manifest.h"

/* "2024-02-28 15:11:36.474 [sonde-agent][9710]:[Information]:[9710]:text" */
struct log_line {
    const char *time, *level, *text; /* within the line; text is its rest */
    size_t time_len, level_len;
};

/* false: the line has another form. */
bool log_line_split(const char *line, struct log_line *ret);

struct log_lines {
    char control_id[CONTROLID_SIZE];
    char application[NAME_MAX_LEN + 1];
    int64_t scan;    /* 0: not known yet */
    bool may_belong; /* the last line was one that the next may claim */
};

void log_lines_init(struct log_lines *lines, const char *control_id);
/* Lines of this scan are the ticket's; a request line says so, too. */
void log_lines_scan(struct log_lines *lines, const char *application, int64_t scan);

enum log_belongs { LOG_OTHER, LOG_THIS, LOG_THIS_AND_BEFORE };

/* The next line of the log, all in order: does it concern the ticket, or (a request is
 * delayed) with it the line before?
 */
enum log_belongs log_lines_take(struct log_lines *lines, const char *line);
