/* SPDX-License-Identifier: Apache-2.0 */
/* memory: what /proc/meminfo says. */
#include <stdlib.h>
#include <string.h>

#include "inv.h"

#define MEMINFO "/proc/meminfo"

enum { FILE_MAX = 64 * 1024 };

static const struct {
    const char *label, *field;
    int changes; /* by itself; these rows come last */
} rows[] = {
    {"MemTotal:", "total_bytes", 0},     {"SwapTotal:", "swap_total_bytes", 0},
    {"MemFree:", "free_bytes", 1},       {"MemAvailable:", "available_bytes", 1},
    {"SwapFree:", "swap_free_bytes", 1},
};

/* KiB become bytes; what would not fit is no size of a memory. */
static void
put_size(struct sonde_host *host, struct sonde_record *record, const char *field,
         const char *text)
{
    unsigned long long kib = strtoull(text, NULL, 10);

    if (kib <= INT64_MAX / 1024)
        host->put_int(host, record, field, (int64_t)kib * 1024);
}

/* What stands behind a label at the start of a line; NULL: not there. */
static const char *
value_of(const char *text, const char *label)
{
    size_t len = strlen(label);

    for (; text; text = strchr(text, '\n')) {
        text += *text == '\n';
        if (strncmp(text, label, len) == 0)
            return text + len;
    }
    return NULL;
}

static int
memory_step(struct fact_scan *scan)
{
    struct sonde_host *host = scan->host;
    struct sonde_record *record;
    const char *text, *found;
    size_t len;
    int r = host->read_file(host, MEMINFO, FILE_MAX, &text, &len), changes = 0;

    if (r < 0)
        return fact_failed(scan, r, MEMINFO);
    record = host->record(host, "memory", "memory");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].changes && !changes++)
            host->volatile_from(host, record);
        found = value_of(text, rows[i].label);
        if (found)
            put_size(host, record, rows[i].field, found);
    }
    r = host->emit(host, record);
    return r < 0 ? fact_failed(scan, r, MEMINFO) : SONDE_DONE;
}

const struct fact fact_memory = {
    .kind = "memory", .needs = SONDE_LIVE_PROC, .step = memory_step};
