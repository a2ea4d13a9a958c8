/* SPDX-License-Identifier: Apache-2.0 */
/* The host services of plugin.h, on top of root, walk, record and the socket to the keeper. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "json.h"
#include "plugin-abi.h"
#include "root.h"
#include "scan.h"

enum { HOST_BUFFER = 64 * 1024 };

struct host {
    struct sonde_host api; /* first: a plugin's pointer is ours */
    struct scan scan;
    struct root *root;
    struct sonde_record *record;
    int64_t scan_time;
    uint32_t live;
    char *manifest; /* the verified bytes */
    size_t manifest_len;
    struct json *manifest_json;
    struct host_param *params; /* texts handed out by param */
    int keeper_fd;
    size_t used;
    char buffer[HOST_BUFFER]; /* frames on their way to the keeper */
};

/* Fill in the services.  The caller has set root, scan_time, live, keeper_fd, scan.page and,
 * where there is one, the manifest.
 */
int host_init(struct host *host);
void host_done(struct host *host);

struct frame;
int host_send(struct host *host, const struct frame *frame);
int host_flush(void *host);
