/* SPDX-License-Identifier: Apache-2.0 */
/* The scan loop: who calls a plugin, and when it sleeps. */
#pragma once

#include "pacer.h"
#include "plugin-abi.h"
#include "shared-page.h"

struct scan {
    const struct sonde_plugin *plugin; /* judged by the gate */
    struct sonde_host *host;           /* what the plugin may call */
    struct shared_page *page;          /* throttle in, progress out */
    struct pacer pacer;
    int64_t cpu_ns;                 /* CPU time of the scan that the pacer has seen */
    int (*flush)(void *host_state); /* frames to the keeper; -EPIPE: it is gone */
    void *host_state;
};

/* Run the plugin from open to close.  Returns 0 (done), -ENODATA (this host has none of
 * it), or the error that open or next returned; *ret_where names which.
 */
int scan_run(struct scan *scan, const char **ret_where);

/* Sleep as the budget asks.  0, or -ECANCELED when the scan shall end. */
int scan_pace(struct scan *scan);
