/* SPDX-License-Identifier: Apache-2.0 */
#include "store-scan.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <string.h>
#include <unistd.h>

#include "db.h"

char folder[32], path[64];
FILE *frames;
int64_t last_scan;
struct json *said;
struct why why;

void
scan_setup(void)
{
    strcpy(folder, "/tmp/sonde-XXXXXX");
    cr_assert(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/sonde.db", folder);
    frames = tmpfile();
}

void
scan_teardown(void)
{
    DIR *dir = opendir(folder);
    struct dirent *entry;

    while ((entry = readdir(dir)))
        unlinkat(dirfd(dir), entry->d_name, 0);
    closedir(dir);
    rmdir(folder);
    fclose(frames);
    json_free(said);
}

/* ---- building a scan ---- */

void
put(enum frame_type type, const char *kind, const char *key, const char *stable,
    const char *vol)
{
    struct frame f = {type,        kind,           key,        stable, vol, strlen(kind),
                      strlen(key), strlen(stable), strlen(vol)};
    char bytes[8192];

    cr_assert_leq(frame_size(&f), sizeof bytes);
    frame_write(&f, bytes);
    fwrite(bytes, 1, frame_size(&f), frames);
}

void
record(const char *kind, const char *key, const char *stable)
{
    put(FRAME_RECORD, kind, key, stable, "");
}

void
covers(const char *kind)
{
    put(FRAME_COVERS, kind, "", "", "");
}

/* Packages p<from> to p<to - 1> of this version. */
void
packages(int from, int to, const char *version)
{
    for (int i = from; i < to; i++) {
        char key[32], stable[128];

        snprintf(key, sizeof key, "dpkg/p%d/all", i);
        snprintf(stable, sizeof stable,
                 "{\"arch\":\"all\",\"name\":\"p%d\",\"version\":\"%s\"}", i, version);
        record("package", key, stable);
    }
}

int
store_job(const struct store_job *job)
{
    char *line = NULL;
    size_t size = 0;
    FILE *summary = open_memstream(&line, &size);
    int r;

    why.text[0] = '\0';
    fflush(frames);
    r = store_scan(path, fileno(frames), job, summary, &why);
    fclose(summary);
    fclose(frames);
    frames = tmpfile();
    json_free(said);
    said = NULL;
    if (r == 0) {
        cr_expect_eq(line[size - 1], '\n');
        cr_expect_eq(json_parse(line, size, &said, &why), 0, "%s: %s", why.text, line);
    }
    free(line);
    return r;
}

/* Store what was built as the next scan of inv that ended like this. */
int
store(const char *end, const char *reason)
{
    char started[32];
    struct store_job job = {.application = "inv",
                            .scan = ++last_scan,
                            .trigger = "ondemand",
                            .root_id = "root-1",
                            .end = end,
                            .reason = reason,
                            .started = started,
                            .ended = "2026-11-25T04:00:00Z",
                            .cpu_s = 0.25,
                            .cputhrottle = 90,
                            .manifest_serial = 3,
                            .origin = "packaged"};

    snprintf(started, sizeof started, "2026-11-25T03:00:%02dZ", (int)last_scan);
    return store_job(&job);
}

void
stored(const char *end)
{
    int r = store(end, "");

    cr_assert_eq(r, 0, "%d %s", r, why.text);
}

/* ---- looking at it ---- */

/* All rows of a query, columns with '|', rows with a line break. */
const char *
query(const char *sql)
{
    static char text[4096];
    struct db *db = NULL;
    struct db_rows *rows = NULL;
    size_t n = 0;

    text[0] = '\0';
    cr_assert_eq(db_open_readonly(path, &db), 0, "%s", db_error(NULL));
    cr_assert_eq(db_query(db, &rows, sql, ""), 0, "%s", db_error(db));
    while (db_next(rows) == 1)
        for (int i = 0; i < db_columns(rows); i++) {
            const char *value = db_text(rows, i, NULL);

            n += (size_t)snprintf(text + n, sizeof text - n, "%s%s",
                                  i > 0   ? "|"
                                  : n > 0 ? "\n"
                                          : "",
                                  value ? value : "NULL");
        }
    db_rows_done(rows);
    db_close(db);
    return text;
}

void
expect_said(const char *outcome, int64_t added, int64_t changed, int64_t removed)
{
    const struct json *changes = json_get(said, "changes");

    cr_expect_str_eq(json_get_str(said, "outcome"), outcome);
    cr_expect_eq(json_get_int(changes, "added", -1), added);
    cr_expect_eq(json_get_int(changes, "changed", -1), changed);
    cr_expect_eq(json_get_int(changes, "removed", -1), removed);
}

void
change_database(const char *sql)
{
    struct db *db = NULL;

    cr_assert_eq(db_open(path, true, &db), 0);
    cr_assert_eq(db_exec(db, sql), 0, "%s", db_error(db));
    db_close(db);
}
