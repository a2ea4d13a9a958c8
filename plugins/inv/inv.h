/* SPDX-License-Identifier: Apache-2.0 */
/* What the facts of this plugin share: each is one const entry in one file. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define SONDE_ABI 0
#include <sonde/plugin.h>

/* One fact while it is being looked at. */
struct fact_scan {
    struct sonde_host *host;
    void *state;    /* fact.state_size zeroed bytes, from the first step to the last */
    char what[512]; /* what could not be looked at */
};

struct fact {
    const char *kind;
    uint32_t needs; /* SONDE_LIVE_ bits; without them the kind is not applicable */
    size_t state_size;
    /* Do about a millisecond of work.  SONDE_MORE; SONDE_DONE: all of this kind is
     * emitted; an error, by fact_failed: the kind could not be looked at.
     */
    int (*step)(struct fact_scan *scan);
    void (*close)(void *state); /* frees what the state holds; may be NULL */
};

extern const struct fact fact_os, fact_host, fact_cpu, fact_memory, fact_block,
    fact_mount, fact_interface, fact_address, fact_listen, fact_user, fact_group,
    fact_dpkg;

/* Say what could not be looked at; returns err, for `return fact_failed(…)`. */
int fact_failed(struct fact_scan *scan, int err, const char *format, ...)
    SONDE_PRINTF(3, 4);
