/* SPDX-License-Identifier: Apache-2.0 */
#include "done.h"

#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "logtext.h"

enum { TICKETS_MAX = 1000000 };

static void
write_records(FILE *f, const struct json *records)
{
    fputs("  records:", f);
    for (const struct json *kind = json_first(records); kind; kind = json_next(kind))
        fprintf(f, " %s=%lld", json_name(kind), (long long)json_int(kind, 0));
    fputc('\n', f);
}

/* The counts, and as many examples as store named. */
static void
write_changes(FILE *f, const struct json *summary, const char *control_id)
{
    const struct json *counts = json_get(summary, "changes");
    int64_t left = 0;

    fputs("  changes:", f);
    for (const struct json *c = json_first(counts); c; c = json_next(c)) {
        fprintf(f, " %s=%lld", json_name(c), (long long)json_int(c, 0));
        left += json_int(c, 0);
    }
    fputc('\n', f);
    for (const struct json *e = json_first(json_get(summary, "examples")); e;
         e = json_next(e), left--) {
        const char *key = json_get_str(e, "key");
        char clean[512];

        log_text(key ? key : "", key ? strlen(key) : 0, clean, sizeof clean);
        fprintf(f, "    %s %s %s\n", json_get_str(e, "change"), json_get_str(e, "kind"),
                clean);
    }
    if (left > 0)
        fprintf(f, "    %lld more: sonde changes %s\n", (long long)left, control_id);
}

/* What the entries of some tickets have in common. */
struct entry {
    const char *outcome; /* of those that are meant; NULL: whatever it is */
    const struct json *summary;
};

static void
write_ticket(const struct ticket *ticket, void *arg)
{
    const struct entry *entry = arg;
    const struct json *summary = entry->summary;
    struct ticket_times times;
    char *text = NULL;
    size_t len = 0;
    FILE *f;

    /* One that left its scan to others has its entry. */
    if (entry->outcome && strcmp(entry->outcome, ticket_state(ticket)) != 0)
        return;
    f = open_memstream(&text, &len);
    if (!f)
        return;
    ticket_times(ticket, &times);
    fprintf(f, "ControlId: %s  application: %s  outcome: %s\n", ticket_control_id(ticket),
            ticket_application(ticket), ticket_state(ticket));
    if (times.reason[0])
        fprintf(f, "  reason: %s\n", times.reason);
    fprintf(f, "  requested: %s  started: %s  ended: %s\n", times.requested,
            times.started, times.ended);
    fprintf(f, "  cputhrottle: %lld", (long long)times.cputhrottle);
    if (times.effective != times.cputhrottle)
        fprintf(f, " (shared: %lld)", (long long)times.effective);
    fprintf(f, "  cpu_seconds: %.3f\n", times.cpu_s);
    if (summary) {
        write_records(f, json_get(summary, "records"));
        write_changes(f, summary, ticket_control_id(ticket));
    }
    if (fclose(f) == 0)
        log_done(text);
    free(text);
}

void
done_write(struct queue *queue, int64_t scan, const char *outcome,
           const struct json *summary)
{
    struct entry entry = {outcome, summary};

    queue_tickets(queue, &(struct queue_filter){.scan = scan, .limit = TICKETS_MAX},
                  write_ticket, &entry);
}

void
done_write_ticket(struct queue *queue, const char *control_id)
{
    queue_tickets(queue, &(struct queue_filter){.control_id = control_id, .limit = 1},
                  write_ticket, &(struct entry){NULL, NULL});
}
