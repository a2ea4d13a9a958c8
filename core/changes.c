/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "cleanup.h"
#include "cli.h"
#include "json-check.h"

enum { KIND, KEY, CHANGE, BEFORE, AFTER };

/* What is printed: of one scan (from is 0), or of those after FROM up to TO. */
struct listed {
    const struct cli *cli;
    const char *application; /* borrowed */
    int64_t from, to;
    struct table table;
    int64_t added, changed, removed;
    int code; /* of damaged rows */
};

static void
print_json(const struct listed *l, struct db_rows *rows)
{
    struct cli_object object;
    struct json_out *out = &object.out;

    cli_object_begin(&object);
    if (l->from)
        json_out_int(out, "from", l->from);
    json_out_int(out, l->from ? "to" : "scan", l->to);
    json_out_str(out, "app", l->application);
    json_out_str(out, "kind", db_text(rows, KIND, NULL));
    json_out_str(out, "key", db_text(rows, KEY, NULL));
    json_out_str(out, "change", db_text(rows, CHANGE, NULL));
    json_out_raw(out, "before", db_text(rows, BEFORE, NULL));
    json_out_raw(out, "after", db_text(rows, AFTER, NULL));
    cli_object_end(&object);
}

/* ---- fields that differ, as people read them: "version 1.2 -> 1.3" ---- */

struct difference {
    char text[TABLE_CELL_MAX];
    size_t len;
};

static void
add_field(struct difference *d, const char *name, const struct json *before,
          const struct json *after)
{
    cleanup_free char *was = before ? json_print(before) : NULL;
    cleanup_free char *is = after ? json_print(after) : NULL;

    if (d->len < sizeof d->text - 1 && (!was || !is || strcmp(was, is) != 0))
        d->len += (size_t)snprintf(d->text + d->len, sizeof d->text - d->len,
                                   "%s%s %s -> %s", d->len ? ", " : "", name,
                                   was ? was : "nothing", is ? is : "nothing");
}

static void
add_difference(struct table *table, const char *before, const char *after)
{
    struct json *old = NULL, *new = NULL;
    struct difference d = {.len = 0};

    if (before && after && json_parse(before, strlen(before), &old, NULL) == 0 &&
        json_parse(after, strlen(after), &new, NULL) == 0) {
        for (const struct json *f = json_first(new); f; f = json_next(f))
            add_field(&d, json_name(f), json_get(old, json_name(f)), f);
        for (const struct json *f = json_first(old); f; f = json_next(f))
            if (!json_get(new, json_name(f)))
                add_field(&d, json_name(f), f, NULL);
    }
    json_free(old);
    json_free(new);
    table_cell(table, d.text);
}

static bool
is_damaged(const char *data)
{
    return data && json_check_flat(data, strlen(data), NULL) < 0;
}

static void
count(struct listed *l, const char *change)
{
    if (strcmp(change, "added") == 0)
        l->added++;
    else if (strcmp(change, "removed") == 0)
        l->removed++;
    else
        l->changed++;
}

/* One row; a damaged one is skipped, which is said. */
static void
take_row(struct listed *l, struct db_rows *rows)
{
    const char *before = db_text(rows, BEFORE, NULL), *after = db_text(rows, AFTER, NULL);
    const char *change = db_text(rows, CHANGE, NULL);

    if (!change || is_damaged(before) || is_damaged(after)) {
        l->code = cli_fail(EXIT_BAD_DATA, "change of %s of kind %s: damaged, skipped",
                           db_text(rows, KEY, NULL), db_text(rows, KIND, NULL));
        return;
    }
    count(l, change);
    if (l->cli->json) {
        print_json(l, rows);
        return;
    }
    table_cell(&l->table, change);
    table_cell(&l->table, db_text(rows, KIND, NULL));
    table_cell(&l->table, db_text(rows, KEY, NULL));
    add_difference(&l->table, before, after);
}

/* All rows of an open query: the exit code. */
static int
take_rows(struct listed *l, struct db *db, struct db_rows *rows, int r)
{
    static const char *const heads[] = {"CHANGE", "KIND", "KEY", "DIFFERENCE"};

    table_init(&l->table);
    for (int i = 0; i < 4; i++)
        table_column(&l->table, heads[i]);
    while (r >= 0 && (r = db_next(rows)) == 1)
        take_row(l, rows);
    return r < 0 ? results_fail(db, r) : l->code;
}

static int
print_table(const struct listed *l)
{
    return l->cli->json || l->table.n_cells == 0 ? 0 : cli_print_table(l->cli, &l->table);
}

int
changes_print(const struct cli *cli, struct db *db, const struct stored_scan *scan)
{
    struct listed l = {.cli = cli, .application = scan->application, .to = scan->id};
    struct db_rows *rows = NULL;
    int code, r = db_query(db, &rows,
                           "SELECT kind, key, change, before, after FROM changes"
                           " WHERE scan = ? ORDER BY kind, key",
                           "i", scan->id);

    code = take_rows(&l, db, rows, r);
    if (!cli->json) {
        cli_print(
            stdout, "scan %lld of %s, %s, %s: %lld added, %lld changed, %lld removed",
            (long long)scan->id, scan->application, scan->ended, scan->outcome,
            (long long)scan->added, (long long)scan->changed, (long long)scan->removed);
        putchar('\n');
    }
    if (print_table(&l) != 0)
        code = EXIT_SCAN_FAILED;
    table_done(&l.table);
    db_rows_done(rows);
    return code;
}

/* Of each record what it was before its first change after FROM, and what it was after the
 * last one up to TO.
 */
static const char between[] =
    "SELECT span.kind, span.key,"
    " CASE WHEN a.before IS NULL THEN 'added' WHEN b.after IS NULL THEN 'removed'"
    " ELSE 'changed' END, a.before, b.after FROM"
    " (SELECT kind, key, min(scan) AS first, max(scan) AS last FROM changes"
    "  WHERE application = ?1 AND scan > ?2 AND scan <= ?3 GROUP BY kind, key) AS span"
    " JOIN changes AS a ON a.scan = span.first AND a.application = ?1"
    "  AND a.kind = span.kind AND a.key = span.key"
    " JOIN changes AS b ON b.scan = span.last AND b.application = ?1"
    "  AND b.kind = span.kind AND b.key = span.key"
    " WHERE a.before IS NOT b.after ORDER BY span.kind, span.key";

int
changes_print_between(const struct cli *cli, struct db *db,
                      const struct stored_scan *from, const struct stored_scan *to)
{
    struct listed l = {
        .cli = cli, .application = to->application, .from = from->id, .to = to->id};
    struct db_rows *rows = NULL;
    int code, r = db_query(db, &rows, between, "sii", to->application, from->id, to->id);

    code = take_rows(&l, db, rows, r);
    if (!cli->json) {
        cli_print(stdout,
                  "scan %lld, %s, to scan %lld, %s, of %s: %lld added, %lld changed, "
                  "%lld removed",
                  (long long)from->id, from->ended, (long long)to->id, to->ended,
                  to->application, (long long)l.added, (long long)l.changed,
                  (long long)l.removed);
        putchar('\n');
    }
    if (print_table(&l) != 0)
        code = EXIT_SCAN_FAILED;
    table_done(&l.table);
    db_rows_done(rows);
    return code;
}
