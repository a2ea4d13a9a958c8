/* SPDX-License-Identifier: Apache-2.0 */
/* chaos FOLDER AGENT ROUNDS SEED [SLOW]: so many rounds of one random thing each: requests,
 * killed processes, restarts, steps of the clock, other profiles.  Every hundred rounds all must
 * come to rest, and what the agent says, its databases and its processes must agree.
 * FOLDER: with agent.conf and the manifests of chaos-do.c's applications; AGENT: its program,
 * with clock.c.  Prints a table; what goes wrong is on stderr, and FOLDER/trace has all that was
 * done.  A seed repeats what is done, but not to the microsecond when.  SLOW: the factor of all
 * patience.
 */
#include "chaos.h"

#include <assert.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { CHECK_EACH = 100 };

static const char *const fault_names[N_FAULTS] = {
    [FAULT_LOST] = "lost",
    [FAULT_TWICE] = "stored twice",
    [FAULT_STUCK] = "stuck",
    [FAULT_LEFT] = "processes left over",
    [FAULT_SAME_ID] = "ControlIds given twice",
    [FAULT_WORD] = "contradictions",
    [FAULT_AGENT] = "ends of the agent by itself",
};

/* ---- what the parts share ---- */

/* SplitMix64. */
int64_t
below(struct chaos *chaos, int64_t n)
{
    uint64_t z = chaos->random += UINT64_C(0x9e3779b97f4a7c15);

    assert(n > 0);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (int64_t)((z ^ (z >> 31)) % (uint64_t)n);
}

int64_t
now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * INT64_C(1000) + t.tv_nsec / 1000000;
}

static void
say(struct chaos *chaos, FILE *to, const char *what, const char *text)
{
    static int64_t began;

    if (!began)
        began = now_ms();
    fprintf(to, "round %d, %.3f s: %s%s\n", chaos->round,
            (double)(now_ms() - began) / 1000, what, text);
    fflush(to);
}

void
trace(struct chaos *chaos, const char *format, ...)
{
    char text[2048];
    va_list ap;

    va_start(ap, format);
    vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    say(chaos, chaos->trace, "", text);
}

void
fault(struct chaos *chaos, enum fault what, const char *format, ...)
{
    char text[2048], name[64];
    va_list ap;

    va_start(ap, format);
    vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    snprintf(name, sizeof name, "%s: ", fault_names[what]);
    say(chaos, chaos->trace, name, text);
    say(chaos, stderr, name, text);
    chaos->faults[what]++;
}

void
wait_us(struct chaos *chaos, int64_t us)
{
    hear(chaos, us / 1000);
    nanosleep(&(struct timespec){0, us % 1000 * 1000}, NULL);
}

/* ---- rounds ---- */

static struct action *
some_action(struct chaos *chaos)
{
    int64_t sum = 0, at;

    for (int i = 0; i < n_actions; i++)
        sum += actions[i].weight;
    at = below(chaos, sum);
    for (int i = 0; i < n_actions; i++) {
        if (at < actions[i].weight)
            return &actions[i];
        at -= actions[i].weight;
    }
    return &actions[0];
}

static bool
is_faultless(const struct chaos *chaos)
{
    for (int i = 0; i < N_FAULTS; i++)
        if (chaos->faults[i])
            return false;
    return true;
}

/* False: there is no agent any more, or a fault, after which nothing can be said. */
static bool
one_round(struct chaos *chaos)
{
    struct action *action = some_action(chaos);

    trace(chaos, "%s", action->name);
    action->run(chaos);
    action->done++;
    if (!chaos->agent && !agent_start(chaos))
        return false;
    wait_us(chaos, below(chaos, 60000));
    check_order(chaos);
    if (!chaos->is_normal && below(chaos, 8) == 0)
        agent_profile_normal(chaos);
    if (chaos->round % CHECK_EACH == 0) {
        wait_for_last(chaos);
        check_all(chaos, false);
    }
    return agent_lives(chaos) && is_faultless(chaos);
}

static bool
begin(struct chaos *chaos)
{
    agent_step_clock(chaos, 0);
    agent_profile_normal(chaos);
    if (!agent_start(chaos))
        return false;
    demand(chaos, app_names[0]);
    check_rest(chaos);
    return check_begin(chaos) && is_faultless(chaos);
}

static void
end(struct chaos *chaos)
{
    if (chaos->agent && agent_lives(chaos)) {
        check_all(chaos, true);
        agent_stop(chaos, SIGTERM);
    }
    hang_up(chaos);
}

/* ---- the table ---- */

static void
print_row(const char *name, long n)
{
    printf("| %-42s | %9ld |\n", name, n);
}

static void
print_outcomes(struct chaos *chaos)
{
    static const char *const ends[] = {"DONE", "INCOMPLETE", "FAILED", "CANCELLED"};
    char name[64];

    for (int i = 0; i < 4; i++) {
        long n = 0;

        for (int t = 0; t < chaos->n_tickets; t++)
            n += strcmp(chaos->tickets[t].end, ends[i]) == 0;
        snprintf(name, sizeof name, "tickets: %s", ends[i]);
        print_row(name, n);
    }
    print_row("scans", check_count(chaos, "SELECT count(*) FROM scans"));
    print_row("of these by interval",
              check_count(chaos, "SELECT count(*) FROM scans WHERE trigger='interval'"));
}

static void
print_table(struct chaos *chaos, int64_t ms)
{
    char name[64];

    printf("| %-42s | %9s |\n| --- | ---: |\n", "", "number");
    print_row("rounds", chaos->round);
    for (int i = 0; i < n_actions; i++)
        print_row(actions[i].name, actions[i].done);
    for (int i = 0; i < N_TARGETS; i++) {
        snprintf(name, sizeof name, "killed: %s, of %ld tries", targets[i].name,
                 targets[i].tries);
        print_row(name, targets[i].hits);
    }
    print_row("requests", chaos->asked);
    print_row("answered", chaos->answered);
    print_row("of these refused", chaos->refused);
    print_row("cut off by an end of the agent", chaos->cut);
    print_row("tickets", chaos->n_tickets);
    print_outcomes(chaos);
    for (int i = 0; i < N_FAULTS; i++)
        print_row(fault_names[i], chaos->faults[i]);
    print_row("seconds", (long)(ms / 1000));
}

int
main(int argc, char **argv)
{
    static struct chaos chaos;
    char socket[4096], path[4096];
    int rounds = argc > 3 ? atoi(argv[3]) : 0;
    int64_t began = now_ms();

    if (argc < 5)
        return 64;
    snprintf(socket, sizeof socket, "%s/agent.sock", argv[1]);
    snprintf(path, sizeof path, "%s/trace", argv[1]);
    chaos = (struct chaos){.folder = argv[1],
                           .program = argv[2],
                           .socket = socket,
                           .random = strtoull(argv[4], NULL, 10),
                           .slow = argc > 5 ? atoi(argv[5]) : 1,
                           .trace = fopen(path, "we")};
    if (!chaos.trace || strlen(socket) > 100)
        return 64;
    fprintf(stderr, "seed %s\n", argv[4]);
    if (begin(&chaos))
        while (chaos.round < rounds) {
            chaos.round++;
            if (!one_round(&chaos))
                break;
        }
    end(&chaos);
    print_table(&chaos, now_ms() - began);
    free(chaos.tickets);
    fclose(chaos.trace);
    return !is_faultless(&chaos);
}
