/* SPDX-License-Identifier: Apache-2.0 */
/* What dbfile.c and dbfile-rows.c share. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct dbfile {
    int fd, log; /* log -1: there is none */
    bool owned;  /* they are ours to close */
    bool newest; /* the log does not end at its first damage */
    int64_t size;
    uint32_t page_size, pages;
    int64_t *log_at;   /* by page: where the log has it; 0: it has not */
    uint32_t log_room; /* of log_at */
    bool log_damaged;
    const char *trouble;
};
