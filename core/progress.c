/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli.h"
#include "logtext.h"

void
progress_init(struct progress *progress, FILE *stream)
{
    const char *term = getenv("TERM");
    bool live =
        stream && isatty(fileno(stream)) && term && term[0] && strcmp(term, "dumb") != 0;

    *progress = (struct progress){.stream = live ? stream : NULL};
}

void
progress_clear(struct progress *progress)
{
    if (progress->shown)
        fputs("\r\033[K", progress->stream);
    progress->shown = false;
}

/* A line that is longer than the terminal is wide could not be taken back. */
static void
show_line(struct progress *progress, const char *text)
{
    struct winsize size = {.ws_col = 0}; /* it may have changed since the last line */
    int width = ioctl(fileno(progress->stream), TIOCGWINSZ, &size) == 0 && size.ws_col
                    ? size.ws_col - 1
                    : 79;

    progress_clear(progress);
    fprintf(progress->stream, "%.*s", width, text);
    fflush(progress->stream);
    progress->shown = true;
}

void
progress_show(struct progress *progress, const struct json *p)
{
    double done = json_get_real(p, "done", 0), total = json_get_real(p, "total", 0);
    double left = json_get_real(p, "eta_seconds", -1);
    const char *application = json_get_str(p, "application");
    char text[192], clean[192], percent[32] = "", eta[48] = "";

    if (!progress->stream)
        return;
    if (total > 0 && done <= total)
        snprintf(percent, sizeof percent, "%.0f %%, ", done * 100 / total);
    if (left >= 0)
        snprintf(eta, sizeof eta, ", about %.0f s left", left);
    snprintf(text, sizeof text, "%.32s: %s%lld records, %.2f s of CPU time, %.0f s%s",
             application ? application : "", percent,
             (long long)json_get_int(p, "records", 0), json_get_real(p, "cpu_seconds", 0),
             json_get_real(p, "elapsed_seconds", 0), eta);
    log_text(text, strlen(text), clean, sizeof clean);
    show_line(progress, clean);
}

int
outcome_code(const struct json *ticket)
{
    static const struct {
        const char *state;
        int code;
    } codes[] = {
        {"DONE", 0},
        {"FAILED", EXIT_SCAN_FAILED},
        {"INCOMPLETE", EXIT_SCAN_INCOMPLETE},
        {"CANCELLED", EXIT_SCAN_CANCELLED},
    };
    const char *state = json_get_str(ticket, "state");

    for (size_t i = 0; state && i < sizeof codes / sizeof codes[0]; i++)
        if (strcmp(codes[i].state, state) == 0)
            return codes[i].code;
    return -1;
}

void
outcome_print(const struct json *ticket)
{
    const char *reason = json_get_str(ticket, "reason"), *before = "records: ";
    const struct json *records = json_get(ticket, "records");

    cli_print(stdout, "%s of %s: %s%s%s (%.3f s of CPU time)",
              json_get_str(ticket, "control_id"), json_get_str(ticket, "application"),
              json_get_str(ticket, "state"), reason && reason[0] ? ": " : "",
              reason ? reason : "", json_get_real(ticket, "cpu_seconds", 0));
    putchar('\n');
    for (const struct json *kind = json_first(records); kind; kind = json_next(kind)) {
        cli_print(stdout, "%s%s %lld", before, json_name(kind),
                  (long long)json_int(kind, 0));
        before = ", ";
    }
    if (json_first(records))
        putchar('\n');
}
