/* SPDX-License-Identifier: Apache-2.0 */
/* agent.conf: one file describes one agent. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "log.h"
#include "scan-limits.h"
#include "why.h"

struct conf {
    struct {
        char *state, *log, *socket, *plugins, *manifests, *local_manifests, *profile,
            *worker;
    } paths;
    struct {
        char *root, *id; /* id "": derived */
        int64_t max_scans;
        bool same_uid; /* [agent] same_uid = allow */
        char *scan_user, *store_user, *group;
    } agent;
    struct {
        enum log_level level;
        int64_t max_size, keep; /* bytes of one file, number of old ones */
    } log;
    struct limits limits;
};

/* Read the file; every key that is not there has its default.  The reason names file, line
 * and key.  On success *ret is the caller's: conf_done.
 */
int conf_read(const char *file, struct conf *ret, struct why *why);
void conf_done(struct conf *conf);
