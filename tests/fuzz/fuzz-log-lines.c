/* SPDX-License-Identifier: Apache-2.0 */
/* The first line is a ControlId, the others a log: what concerns it is said without a doubt. */
#include <stdbool.h>

#include "fuzz.h"
#include "log-lines.h"

/* The parts stand in the line in their order, and their ends fit. */
static bool
is_split_well(const char *line, const struct log_line *l)
{
    return l->time == line && l->time_len == 23 && l->level > l->time + 23 &&
           l->level_len > 0 && l->level[l->level_len] == ']' &&
           l->text > l->level + l->level_len && l->text[-1] == ':' &&
           strlen(line) == (size_t)(l->text - line) + strlen(l->text);
}

static void
one(struct log_lines *lines, const char *id, const char *line, bool claimable)
{
    struct log_lines same = *lines, other = *lines;
    enum log_belongs belongs = log_lines_take(lines, line);
    struct log_line parts;

    need(log_lines_take(&same, line) == belongs);
    need(belongs != LOG_THIS_AND_BEFORE || claimable);
    need(memchr(lines->application, '\0', sizeof lines->application));
    need(lines->scan >= 0);
    if (!log_line_split(line, &parts)) {
        need(belongs == LOG_OTHER && !lines->may_belong);
        return;
    }
    need(is_split_well(line, &parts));
    if (belongs == LOG_THIS && lines->scan == 0)
        need(strstr(parts.text, id) && parts.text[0] != '[');
    other.scan = 0; /* then it must be named */
    if (log_lines_take(&other, line) != LOG_OTHER)
        need(strstr(parts.text, "Control ID: ") && strstr(parts.text, id));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = text_of(data, size), *at = text, *id = strsep(&at, "\n"), *line;
    struct log_lines lines;
    bool claimable = false;

    if (strlen(id) < sizeof lines.control_id) {
        log_lines_init(&lines, id);
        while ((line = strsep(&at, "\n"))) {
            one(&lines, id, line, claimable);
            claimable = lines.may_belong;
        }
    }
    free(text);
    return 0;
}
