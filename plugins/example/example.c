/* SPDX-License-Identifier: Apache-2.0 */
/* A plugin to copy: one record for each entry of one folder.  The manifest's content
 * names the folder: { "folder": "/etc" }.
 */
#define SONDE_ABI 0
#include <sonde/plugin.h>

#include <errno.h>
#include <stdlib.h>

struct example {
    struct sonde_host *host;
    struct sonde_walk *walk;
    int failed; /* something could not be looked at */
};

static int
example_open(struct sonde_host *host, void **ret_state)
{
    const char *folder = host->param(host, "folder");
    struct example *e = *ret_state = calloc(1, sizeof *e);
    int r = e ? host->walk_open(host, folder ? folder : "/etc", 0, &e->walk) : -ENOMEM;

    if (r < 0) {
        free(e);
        return r == -ENOENT ? -ENODATA : r; /* no such folder: this host has none of it */
    }
    e->host = host;
    return 0;
}

static int
example_emit(struct sonde_host *host, const struct sonde_entry *entry)
{
    struct sonde_record *record = host->record(host, "example_file", entry->path);

    host->put_str(host, record, "name", entry->name);
    host->put_int(host, record, "size_bytes", entry->st->length);
    host->volatile_from(host, record); /* a file that is only touched is no change */
    host->put_time(host, record, "modified", entry->st->mtime_ns / 1000000000);
    return host->emit(host, record); /* the first error of all the lines above */
}

/* One entry a step: far less than was asked for, and that is fine. */
static int
example_next(void *state, uint32_t budget_us)
{
    struct example *e = state;
    const struct sonde_entry *entry;
    int r = e->host->walk_next(e->host, e->walk, &entry);

    (void)budget_us;
    if (r == 0) /* the end: what was known before and did not come now is gone */
        return e->failed ? SONDE_DONE : e->host->covers(e->host, "example_file");
    if (r > 0 && entry->err < 0) {
        e->host->failed(e->host, "example_file", entry->path, entry->err);
        e->failed = 1;
    } else if (r > 0 && entry->depth > 0) { /* depth 0 is the folder itself */
        r = example_emit(e->host, entry);
        e->host->walk_prune(e->host, e->walk); /* not the folders in it */
    }
    return r < 0 ? r : SONDE_MORE;
}

static void
example_close(void *state)
{
    struct example *e = state;

    e->host->walk_close(e->host, e->walk);
    free(e);
}

const struct sonde_plugin sonde_plugin = {
    SONDE_PLUGIN_HEAD, "example", "1.0", example_open, example_next, example_close,
};
