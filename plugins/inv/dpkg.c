/* SPDX-License-Identifier: Apache-2.0 */
/* package: what dpkg has installed.  Its database is read as dpkg-query reads it: the
 * status file, then the updates that are not yet in it; before both the folder status.d,
 * where images without a package manager keep what they were made of.  Nothing is
 * emitted before all is read: a database that dpkg refuses gives no list at all.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dpkg-table.h"
#include "lines.h"

#define DATABASE "/var/lib/dpkg"

enum {
    LINES_PER_STEP = 4000,
    PACKAGES_PER_STEP = 100,
    FILES_PER_STEP = 8,
    MAX_FILES = 65536,
    MAX_TRIES = 5
};

struct dpkg {
    size_t phase; /* which of the phases below */
    bool listed;  /* the files of this phase's folder */
    struct lines lines;
    struct stanza stanza;
    struct dpkg_table table;
    char path[512];         /* of the file that is being read */
    char **files;           /* of the folder that is being read, names */
    size_t n_files, at;     /* the next file; the next package to be emitted */
    struct sonde_stat seen; /* the status file as it was opened */
    int tries;
};

/* ---- files ---- */

static int
file_failed(struct fact_scan *scan, int r)
{
    struct dpkg *dpkg = scan->state;

    if (dpkg->stanza.why)
        return fact_failed(scan, r, "%s: line %u: %s", dpkg->path, dpkg->lines.number,
                           dpkg->stanza.why);
    return fact_failed(scan, r, "%s", dpkg->path);
}

/* A paragraph has ended. */
static int
stanza_take(struct fact_scan *scan, enum package_origin origin)
{
    struct dpkg *dpkg = scan->state;

    if (origin == ORIGIN_LISTING && dpkg->stanza.state == PACKAGE_NOT_INSTALLED)
        scan->host->log(scan->host, SONDE_LOG_WARNING, "%s: %s has no version, skipped",
                        dpkg->path, dpkg->stanza.name);
    return dpkg_table_add(&dpkg->table, &dpkg->stanza, origin);
}

/* Read the next lines of the open file.  1: more to come; 0: it is closed. */
static int
file_read(struct fact_scan *scan, enum package_origin origin)
{
    struct dpkg *dpkg = scan->state;
    char *line;
    size_t len;
    int r = 0, more = 1;

    for (int i = 0; i < LINES_PER_STEP && r == 0 && more > 0; i++) {
        more = lines_next(&dpkg->lines, &line, &len);
        if (more < 0)
            return file_failed(scan, more);
        r = more > 0 ? stanza_line(&dpkg->stanza, line, len)
                     : stanza_end(&dpkg->stanza, dpkg->lines.unfinished);
        if (r > 0)
            r = stanza_take(scan, origin);
    }
    if (r < 0)
        return file_failed(scan, r);
    if (more == 0)
        lines_close(&dpkg->lines);
    return more;
}

static int
file_open(struct fact_scan *scan, enum package_origin origin)
{
    struct dpkg *dpkg = scan->state;

    dpkg->stanza.open = false;
    dpkg->stanza.why = NULL;
    dpkg->stanza.lists_installed = origin == ORIGIN_LISTING;
    return lines_open(&dpkg->lines, scan->host, dpkg->path);
}

/* ---- folders ---- */

static void
files_free(struct dpkg *dpkg)
{
    while (dpkg->n_files > 0)
        free(dpkg->files[--dpkg->n_files]);
    free(dpkg->files);
    dpkg->files = NULL;
    dpkg->at = 0;
}

static int
files_add(struct dpkg *dpkg, const char *name)
{
    char **files = dpkg->files;

    if (dpkg->n_files == MAX_FILES)
        return -E2BIG;
    if ((dpkg->n_files & (dpkg->n_files + 1)) == 0 || !files) { /* grow at 0, 1, 3, 7 … */
        files = realloc(files, (2 * dpkg->n_files + 2) * sizeof *files);
        if (!files)
            return -ENOMEM;
        dpkg->files = files;
    }
    files[dpkg->n_files] = strdup(name);
    if (!files[dpkg->n_files])
        return -ENOMEM;
    dpkg->n_files++;
    return 0;
}

/* Updates are numbered; those that are written later come later. */
static int
compare(const void *a, const void *b)
{
    const char *x = *(char *const *)a, *y = *(char *const *)b;
    size_t x_len = strlen(x), y_len = strlen(y);

    return x_len != y_len ? (x_len > y_len) - (x_len < y_len) : strcmp(x, y);
}

static int
is_update(const char *name)
{
    return strspn(name, "0123456789") == strlen(name);
}

/* A package's lists of checksums lie beside it. */
static int
is_listing(const char *name)
{
    size_t len = strlen(name);

    return name[0] != '.' && (len < 8 || strcmp(name + len - 8, ".md5sums") != 0);
}

/* The names in a folder of the database, sorted; without the folder there are none. */
static int
files_list(struct fact_scan *scan, const char *folder, int (*is_ours)(const char *))
{
    struct dpkg *dpkg = scan->state;
    int fd = scan->host->open_file(scan->host, folder, SONDE_DIRECTORY), r = 0;
    const struct dirent *entry;
    DIR *stream;

    snprintf(dpkg->path, sizeof dpkg->path, "%s", folder);
    dpkg->stanza.why = NULL;
    dpkg->listed = true;
    files_free(dpkg);
    if (fd == -ENOENT || fd == -ENOTDIR)
        return 0;
    if (fd < 0)
        return file_failed(scan, fd);
    stream = fdopendir(fd);
    if (!stream) {
        close(fd);
        return file_failed(scan, -ENOMEM);
    }
    for (errno = 0; r == 0 && (entry = readdir(stream)); errno = 0)
        if (is_ours(entry->d_name))
            r = files_add(dpkg, entry->d_name);
    if (r == 0)
        r = -errno;
    closedir(stream);
    if (r < 0)
        return file_failed(scan, r);
    if (dpkg->n_files > 0)
        qsort(dpkg->files, dpkg->n_files, sizeof *dpkg->files, compare);
    return 0;
}

/* Read the next files of a folder whole: each is one package.  1: more to come. */
static int
files_read(struct fact_scan *scan, const char *folder, enum package_origin origin)
{
    struct dpkg *dpkg = scan->state;
    int r = 0;

    for (int i = 0; i < FILES_PER_STEP && dpkg->at < dpkg->n_files; i++) {
        snprintf(dpkg->path, sizeof dpkg->path, "%s/%s", folder, dpkg->files[dpkg->at++]);
        r = file_open(scan, origin);
        if (r == -ENOTSUP || r == -ENOENT || r == -EISDIR)
            continue; /* a folder, or gone since */
        if (r < 0)
            return file_failed(scan, r);
        do
            r = file_read(scan, origin);
        while (r > 0);
        if (r < 0)
            return r;
    }
    return dpkg->at < dpkg->n_files;
}

/* ---- phases, in their order ---- */

static int
phase_listing(struct fact_scan *scan)
{
    struct dpkg *dpkg = scan->state;
    int r = 0;

    if (!dpkg->listed)
        r = files_list(scan, DATABASE "/status.d", is_listing);
    return r < 0 ? r : files_read(scan, DATABASE "/status.d", ORIGIN_LISTING);
}

static int
phase_status(struct fact_scan *scan)
{
    struct dpkg *dpkg = scan->state;
    int r;

    if (!dpkg->lines.buffer) {
        strcpy(dpkg->path, DATABASE "/status");
        dpkg->seen.size = sizeof dpkg->seen;
        r = scan->host->stat(scan->host, dpkg->path, 0, &dpkg->seen);
        if (r == 0)
            r = file_open(scan, ORIGIN_STATUS);
        if (r == -ENOENT || r == -ENOTDIR)
            return 0; /* dpkg-query, too, takes this for an empty one */
        if (r < 0)
            return file_failed(scan, r);
    }
    return file_read(scan, ORIGIN_STATUS);
}

static int
phase_updates(struct fact_scan *scan)
{
    struct dpkg *dpkg = scan->state;
    int r = 0;

    if (!dpkg->listed)
        r = files_list(scan, DATABASE "/updates", is_update);
    return r < 0 ? r : files_read(scan, DATABASE "/updates", ORIGIN_UPDATE);
}

/* While it works, dpkg moves updates into a new status file.  If it did so between our
 * looks at both, we have missed some: begin again.
 */
static int
phase_settle(struct fact_scan *scan)
{
    struct dpkg *dpkg = scan->state;
    struct sonde_stat now = {.size = sizeof now};
    const char *name = "";

    strcpy(dpkg->path, DATABASE "/status");
    dpkg->stanza.why = NULL;
    if (scan->host->stat(scan->host, dpkg->path, 0, &now) == 0 &&
        (now.ino != dpkg->seen.ino || now.mtime_ns != dpkg->seen.mtime_ns ||
         now.length != dpkg->seen.length)) {
        if (++dpkg->tries == MAX_TRIES)
            return file_failed(scan, -EAGAIN);
        dpkg_table_done(&dpkg->table);
        dpkg->phase = 0;
        dpkg->listed = false;
        return 1;
    }
    files_free(dpkg);
    if (dpkg_table_settle(&dpkg->table, &name) < 0)
        return fact_failed(scan, -EBADMSG, DATABASE ": several instances of %s", name);
    return 0;
}

static int
package_emit(struct sonde_host *host, const struct package *p)
{
    struct sonde_record *record;
    char key[1024];
    int len = snprintf(key, sizeof key, "dpkg/%s/%s", p->name, p->arch);

    if (len < 0 || (size_t)len >= sizeof key)
        return -ENAMETOOLONG;
    record = host->record(host, "package", key);
    host->put_str(host, record, "db", "dpkg");
    host->put_str(host, record, "name", p->name);
    host->put_str(host, record, "version", p->version);
    host->put_str(host, record, "arch", p->arch);
    host->put_str(host, record, "source", p->source);
    if (*p->source_version)
        host->put_str(host, record, "source_version", p->source_version);
    else
        host->put_none(host, record, "source_version", -EBADMSG);
    if (*p->section)
        host->put_bytes(host, record, "section", p->section, strlen(p->section));
    if (*p->priority)
        host->put_bytes(host, record, "priority", p->priority, strlen(p->priority));
    if (*p->maintainer)
        host->put_bytes(host, record, "maintainer", p->maintainer, strlen(p->maintainer));
    if (p->installed_size_bytes >= 0)
        host->put_int(host, record, "installed_size_bytes", p->installed_size_bytes);
    host->put_bool(host, record, "essential", p->essential);
    host->put_bool(host, record, "held", p->held);
    return host->emit(host, record);
}

static int
phase_emit(struct fact_scan *scan)
{
    struct dpkg *dpkg = scan->state;
    int r = 0;

    for (int i = 0; i < PACKAGES_PER_STEP && dpkg->at < dpkg->table.n && r == 0; i++)
        r = package_emit(scan->host, &dpkg->table.packages[dpkg->at++]);
    if (r < 0)
        return fact_failed(scan, r, DATABASE ": %s",
                           dpkg->table.packages[dpkg->at - 1].name);
    return dpkg->at < dpkg->table.n;
}

static int
dpkg_step(struct fact_scan *scan)
{
    static int (*const phases[])(struct fact_scan *) = {
        phase_listing, phase_status, phase_updates, phase_settle, phase_emit,
    };
    struct dpkg *dpkg = scan->state;
    int r = phases[dpkg->phase](scan); /* 1: more of it; 0: it is done */

    if (r < 0)
        return r;
    if (r == 0) {
        dpkg->phase++;
        dpkg->listed = false;
    }
    return dpkg->phase < sizeof phases / sizeof phases[0] ? SONDE_MORE : SONDE_DONE;
}

static void
dpkg_close(void *state)
{
    struct dpkg *dpkg = state;

    lines_close(&dpkg->lines);
    files_free(dpkg);
    dpkg_table_done(&dpkg->table);
}

const struct fact fact_dpkg = {.kind = "package",
                               .state_size = sizeof(struct dpkg),
                               .step = dpkg_step,
                               .close = dpkg_close};
