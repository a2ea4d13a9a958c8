/* SPDX-License-Identifier: Apache-2.0 */
/* sonde.db: the records of one root.  `sonde-worker store` is the only writer. */
#pragma once

#include <stdint.h>
#include <stdio.h>

#include "why.h"

/* What the agent knows of a scan that ended. */
struct store_job {
    const char *application;
    int64_t scan;                /* the scan's number, never used twice */
    const char *trigger;         /* "ondemand" or "interval" */
    const char *root_id;         /* the store belongs to one root */
    const char *end;             /* END_DONE, END_NONE, END_ERROR, or "limit" */
    const char *reason;          /* why, in words; "" for done and none */
    const char *started, *ended; /* RFC 3339 UTC */
    double cpu_s;
    int64_t cputhrottle, manifest_serial;
    const char *origin; /* of the manifest: "local", "packaged" */
};

/* Check every frame of frames_fd (from its start), put what the scan covered into the
 * database in one transaction, and print the summary as one JSON line (bounded: see store.c).
 * A damaged database is repaired first, which the summary's reason says then.  Then scans that
 * are too old or too many go (store-history.h).
 * Returns 0 when the scan is stored, whatever its outcome; else the reason: nothing stored.
 */
int store_scan(const char *db_path, int frames_fd, const struct store_job *job,
               FILE *summary, struct why *why);
