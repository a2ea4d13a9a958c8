/* SPDX-License-Identifier: Apache-2.0 */
/* inv: the inventory of a host.  Facts are looked at one after the other, in small
 * steps.
 */
#include "inv.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static const struct fact *const facts[] = {
    &fact_os,        &fact_host,    &fact_cpu,    &fact_memory, &fact_block, &fact_mount,
    &fact_interface, &fact_address, &fact_listen, &fact_user,   &fact_group, &fact_dpkg,
};
enum { N_FACTS = sizeof facts / sizeof facts[0] };

struct inv {
    size_t at; /* the fact that is being looked at */
    struct fact_scan scan;
};

int
fact_failed(struct fact_scan *scan, int err, const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    vsnprintf(scan->what, sizeof scan->what, format, ap);
    va_end(ap);
    return err;
}

static int
inv_open(struct sonde_host *host, void **ret_state)
{
    struct inv *inv = calloc(1, sizeof *inv);

    if (!inv)
        return -ENOMEM;
    inv->scan.host = host;
    *ret_state = inv;
    return 0;
}

/* The running kernel is not the scanned root's: that is said, and is no failure. */
static int
not_applicable(struct sonde_host *host, const struct fact *fact)
{
    struct sonde_record *record = host->record(host, "not_applicable", fact->kind);

    host->put_str(host, record, "reason",
                  fact->needs & SONDE_LIVE_NET
                      ? "the network of this kernel is not the scanned root's"
                      : "the running kernel is not the scanned root's");
    return host->emit(host, record);
}

static void
fact_end(struct inv *inv)
{
    const struct fact *fact = facts[inv->at];

    if (inv->scan.state && fact->close)
        fact->close(inv->scan.state);
    free(inv->scan.state);
    inv->scan.state = NULL;
    inv->scan.what[0] = '\0';
}

/* One step of one fact.  Only what concerns the scan itself is returned as an error. */
static int
fact_step(struct inv *inv)
{
    const struct fact *fact = facts[inv->at];
    struct sonde_host *host = inv->scan.host;
    int r;

    if ((host->live(host) & fact->needs) != fact->needs)
        return not_applicable(host, fact);
    if (!inv->scan.state)
        inv->scan.state = calloc(1, fact->state_size ? fact->state_size : 1);
    if (!inv->scan.state)
        return -ENOMEM;
    r = fact->step(&inv->scan);
    if (r == SONDE_DONE)
        return host->covers(host, fact->kind);
    if (r == -ECANCELED || r == SONDE_MORE)
        return r;
    host->failed(host, fact->kind, inv->scan.what, r);
    return SONDE_DONE;
}

static int
inv_next(void *state, uint32_t budget_us)
{
    struct inv *inv = state;
    struct sonde_host *host = inv->scan.host;
    int r;

    (void)budget_us; /* a step is about a millisecond by itself */
    if (inv->at == N_FACTS)
        return host->covers(host, "not_applicable");
    r = fact_step(inv);
    if (r != SONDE_DONE)
        return r;
    fact_end(inv);
    inv->at++;
    host->progress(host, inv->at, N_FACTS);
    return SONDE_MORE;
}

static void
inv_close(void *state)
{
    struct inv *inv = state;

    if (inv->at < N_FACTS)
        fact_end(inv);
    free(inv);
}

const struct sonde_plugin sonde_plugin = {
    SONDE_PLUGIN_HEAD, "inv", "1.0", inv_open, inv_next, inv_close,
};
