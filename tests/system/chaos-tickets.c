/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "chaos.h"

bool
state_is_final(const char *state)
{
    static const char *const finals[] = {"DONE", "INCOMPLETE", "FAILED", "CANCELLED"};

    for (size_t i = 0; i < sizeof finals / sizeof finals[0]; i++)
        if (strcmp(finals[i], state) == 0)
            return true;
    return false;
}

/* What is asked for is mostly new. */
struct ticket_seen *
ticket_find(struct chaos *chaos, const char *id)
{
    for (int i = chaos->n_tickets - 1; i >= 0; i--)
        if (strcmp(chaos->tickets[i].id, id) == 0)
            return &chaos->tickets[i];
    return NULL;
}

static struct ticket_seen *
ticket_new(struct chaos *chaos, const char *id)
{
    struct ticket_seen *t;

    if (chaos->n_tickets == chaos->room) {
        chaos->room = chaos->room ? 2 * chaos->room : 1024;
        chaos->tickets =
            realloc(chaos->tickets, (size_t)chaos->room * sizeof *chaos->tickets);
        if (!chaos->tickets)
            abort();
    }
    t = &chaos->tickets[chaos->n_tickets++];
    *t = (struct ticket_seen){.scan = 0};
    snprintf(t->id, sizeof t->id, "%s", id);
    return t;
}

/* A list may have told of it before the answer was read. */
void
ticket_given(struct chaos *chaos, const char *id)
{
    struct ticket_seen *t = ticket_find(chaos, id);

    if (!controlid_is_valid(id))
        fault(chaos, FAULT_WORD, "\"%s\" is no ControlId", id);
    else if (t && t->given)
        fault(chaos, FAULT_SAME_ID, "ControlId %s was given before", id);
    if (!t)
        t = ticket_new(chaos, id);
    t->given = true;
}

void
ticket_told(struct chaos *chaos, const char *id, const char *state, int64_t scan)
{
    struct ticket_seen *t = ticket_find(chaos, id);

    if (!t) /* of a request whose answer was cut off */
        t = ticket_new(chaos, id);
    if (t->scan && scan && t->scan != scan)
        fault(chaos, FAULT_WORD, "ticket %s: of scan %lld, before: %lld", id,
              (long long)scan, (long long)t->scan);
    if (t->end[0] && strcmp(t->end, state) != 0)
        fault(chaos, FAULT_WORD, "ticket %s: %s, and had ended: %s", id, state, t->end);
    if (state_is_final(state))
        snprintf(t->end, sizeof t->end, "%s", state);
    t->scan = scan ? scan : t->scan;
}
