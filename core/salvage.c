/* SPDX-License-Identifier: Apache-2.0 */
#include "salvage.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "json-text.h"

enum { KEYS_MAX = 4 };
enum { TABLES_MAX = 16, COLUMNS_MAX = DBROW_VALUES_MAX, NAME_SIZE = 64, SCHEMA_PAGE = 1 };

struct column {
    char name[NAME_SIZE];
    char type; /* the first letter of the declared type, or 0 */
    int key;   /* its place in the key, from 1 on; 0: not of the key */
};

/* A table as it is stored: of one WITHOUT ROWID the key comes first. */
struct table {
    const char *name;
    bool rowid; /* has one */
    int alias;  /* the column that is the rowid; -1: none */
    int n;
    struct column columns[COLUMNS_MAX];
};

/* One that rows go into. */
struct target {
    struct table table;     /* of the fresh database */
    struct table source;    /* of the damaged one, with the types of the fresh one */
    uint32_t root;          /* in the damaged one; 0: not known */
    uint32_t keys_root;     /* of the index that has its keys again; 0: none */
    struct db_rows *keys;   /* asks what that index has for a rowid; NULL: nothing */
    struct db_rows *insert; /* of the columns in mask */
    uint64_t mask;
};

struct salvage {
    const struct dbfile *file;
    struct db *to;
    struct target targets[TABLES_MAX];
    int n;
    unsigned char *marks;
    struct target *at; /* whose tree is read */
    struct db_rows *put_key;
    int64_t rows;
};

/* ---- tables and their columns ---- */

static int
table_kind(struct db *db, const char *name, struct table *ret)
{
    cleanup(db_rows_done_p) struct db_rows *rows = NULL;
    int r = db_query(db, &rows,
                     "SELECT sql LIKE '%WITHOUT ROWID%' FROM sqlite_schema"
                     " WHERE type = 'table' AND name = ?",
                     "s", name);

    *ret = (struct table){.name = name, .alias = -1};
    if (r == 0)
        r = db_next(rows);
    if (r == 1)
        ret->rowid = db_int(rows, 0) == 0;
    return r == 0 ? -ENOENT : r < 0 ? r : 0;
}

/* What db says of the table; -ENOENT: it has none. */
static int
table_read(struct db *db, const char *name, struct table *ret)
{
    cleanup(db_rows_done_p) struct db_rows *rows = NULL;
    int r = table_kind(db, name, ret), keys = 0;
    bool integer = false;

    if (r == 0)
        r = db_query(db, &rows,
                     ret->rowid ? "SELECT name, type, pk FROM pragma_table_info(?)"
                                : "SELECT name, type, pk FROM pragma_table_info(?)"
                                  " ORDER BY pk = 0, pk, cid",
                     "s", name);
    while (r >= 0 && (r = db_next(rows)) == 1 && ret->n < COLUMNS_MAX) {
        struct column *column = &ret->columns[ret->n];
        const char *type = db_text(rows, 1, NULL);

        snprintf(column->name, sizeof column->name, "%s", db_text(rows, 0, NULL));
        column->type = (char)(type ? toupper((unsigned char)type[0]) : 0);
        column->key = (int)db_int(rows, 2);
        keys += column->key > 0;
        if (column->key) {
            integer = type && strcasecmp(type, "INTEGER") == 0;
            ret->alias = ret->n;
        }
        ret->n++;
    }
    if (!ret->rowid || keys != 1 || !integer)
        ret->alias = -1;
    return r < 0 ? r : 0;
}

static int
column_find(const struct table *table, const char *name)
{
    for (int i = 0; i < table->n; i++)
        if (strcmp(table->columns[i].name, name) == 0)
            return i;
    return -1;
}

/* The columns that the damaged file says its table has; those of ours when it does not. */
static void
source_read(struct target *target, const char *sql, size_t len)
{
    cleanup_free char *text = strndup(sql, len);
    struct db *db = NULL;
    struct table *source = &target->source;

    if (text && strncasecmp(text, "CREATE TABLE", 12) == 0 && db_open_memory(&db) == 0) {
        db_time_limit(db, 1000); /* who knows what it says */
        if (db_run(db, text, "") < 0 || table_read(db, target->table.name, source) < 0 ||
            source->n == 0 || source->rowid != target->table.rowid)
            *source = target->table;
    }
    db_close(db);
    for (int i = 0; i < source->n; i++) {
        int same = column_find(&target->table, source->columns[i].name);

        source->columns[i].key = same >= 0 ? target->table.columns[same].key : 0;
        source->columns[i].type =
            (char)(same >= 0 ? target->table.columns[same].type : '-');
    }
}

/* ---- rows ---- */

static bool
value_fits(const struct column *column, const struct dbvalue *value)
{
    if (value->type == 'n')
        return !column->key;
    if (value->type == 's' && !json_text_is_clean(value->bytes, value->len))
        return false;
    switch (column->type) {
    case 'T': /* TEXT */
        return value->type == 's';
    case 'I': /* INTEGER */
        return value->type == 'i';
    case 'R': /* REAL: whole ones are stored as integers */
        return value->type == 'f' || value->type == 'i';
    case '-': /* a column that the fresh table does not have */
        return false;
    default:
        return value->type != '?';
    }
}

/* A bit for each column of the source that has a value for the fresh table; 0: the key is not
 * there, or this is no row of the table.
 */
static uint64_t
row_mask(const struct table *source, const struct dbrow *row)
{
    uint64_t mask = 0;

    if (row->has_rowid != source->rowid || row->n > source->n)
        return 0;
    for (int i = 0; i < source->n; i++) {
        const struct column *column = &source->columns[i];
        bool fits =
            i == source->alias || (i < row->n && value_fits(column, &row->values[i]));

        if (fits && column->type != '-')
            mask |= UINT64_C(1) << i;
        else if (column->key)
            return 0;
    }
    return mask;
}

static int
insert_prepare(struct salvage *s, struct target *target, uint64_t mask)
{
    char columns[COLUMNS_MAX * (NAME_SIZE + 4)], sql[sizeof columns + 512];
    char marks[3 * COLUMNS_MAX + 1];
    size_t n = 0, m = 0;
    int r;

    for (int i = 0; i < target->source.n; i++) {
        if (!(mask & UINT64_C(1) << i))
            continue;
        n += (size_t)snprintf(columns + n, sizeof columns - n, "%s\"%s\"", n ? ", " : "",
                              target->source.columns[i].name);
        m += (size_t)snprintf(marks + m, sizeof marks - m, "%s?", m ? "," : "");
    }
    snprintf(sql, sizeof sql, "INSERT OR IGNORE INTO \"%s\" (%s) VALUES (%s)",
             target->table.name, columns, marks);
    db_rows_done(target->insert);
    target->insert = NULL;
    r = db_query(s->to, &target->insert, sql, "");
    target->mask = r < 0 ? 0 : mask;
    return r;
}

static int
value_bind(struct db_rows *rows, int argument, const struct dbvalue *value)
{
    switch (value->type) {
    case 'i':
        return db_bind(rows, argument, 'i', value->i);
    case 'f':
        return db_bind(rows, argument, 'f', value->f);
    case 's': /* not NULL, which would be null */
        return db_bind(rows, argument, 't', value->bytes, value->len);
    case 'b':
        return db_bind(rows, argument, 'b', value->bytes, value->len);
    default:
        return db_bind(rows, argument, 's', NULL);
    }
}

/* 1: it is one of the table's, or one with its key was there; 0: it is not; or -errno. */
static int
row_put(struct salvage *s, struct target *target, const struct dbrow *row)
{
    uint64_t mask = row_mask(&target->source, row);
    int64_t before = db_changes(s->to);
    int r = 0, argument = 0;

    if (mask == 0)
        return 0;
    if (mask != target->mask)
        r = insert_prepare(s, target, mask);
    if (r == 0)
        r = db_rebind(target->insert, "");
    for (int i = 0; r == 0 && i < target->source.n; i++) {
        const struct dbvalue rowid = {.type = 'i', .i = row->rowid};

        if (mask & UINT64_C(1) << i)
            r = value_bind(target->insert, ++argument,
                           i == target->source.alias ? &rowid : &row->values[i]);
    }
    if (r == 0)
        r = db_next(target->insert);
    if (r == -EEXIST)
        return 0; /* the table refuses it */
    s->rows += db_changes(s->to) - before;
    return r < 0 ? r : 1;
}

/* ---- keys ---- */

/* A table with a rowid and another key has that key twice: in its rows, and in an index.  Of
 * a row whose two keys differ one is damaged, and who knows which: it is taken with both.
 */
static int
on_key(void *arg, const struct dbrow *row)
{
    struct salvage *s = arg;
    const struct table *table = &s->at->source;
    struct dbrow key = {.n = 0};
    int r;

    if (row->has_rowid || row->n < 2 || row->n > KEYS_MAX + 1 ||
        row->values[row->n - 1].type != 'i')
        return 0;
    for (int i = 0; i < table->n; i++) {
        int at = table->columns[i].key;

        key.n += at > 0;
        if (at > 0 &&
            (at >= row->n || !value_fits(&table->columns[i], &row->values[at - 1])))
            return 0;
    }
    if (key.n != row->n - 1)
        return 0;
    r = db_rebind(s->put_key, "i", row->values[row->n - 1].i);
    for (int i = 0; r == 0 && i < KEYS_MAX; i++)
        r = value_bind(s->put_key, i + 2,
                       i < key.n ? &row->values[i] : &(struct dbvalue){.type = 'n'});
    if (r == 0)
        r = db_next(s->put_key);
    return r < 0 ? r : 1;
}

/* Note the keys that the index of the target at hand has. */
static int
keys_read(struct salvage *s)
{
    int r = db_exec(s->to, "CREATE TEMP TABLE IF NOT EXISTS keys(id INTEGER PRIMARY KEY,"
                           " k1, k2, k3, k4); DELETE FROM temp.keys");

    if (r == 0)
        r = db_query(s->to, &s->put_key,
                     "INSERT OR IGNORE INTO temp.keys VALUES(?, ?, ?, ?, ?)", "");
    if (r == 0)
        r = dbfile_tree(s->file, s->at->keys_root, s->marks, on_key, s);
    db_rows_done(s->put_key);
    s->put_key = NULL;
    if (r >= 0)
        r = db_query(s->to, &s->at->keys,
                     "SELECT k1, k2, k3, k4 FROM temp.keys WHERE id = ?", "");
    return r;
}

static struct dbvalue
value_of(struct db_rows *rows, int column)
{
    struct dbvalue value = {.type = db_type(rows, column)};

    value.i = value.type == 'i' ? db_int(rows, column) : 0;
    value.f = value.type == 'f' ? db_real(rows, column) : 0;
    if (value.type == 's')
        value.bytes = db_text(rows, column, &value.len);
    else if (value.type == 'b')
        value.bytes = db_blob(rows, column, &value.len);
    return value;
}

static bool
is_same(const struct dbvalue *a, const struct dbvalue *b)
{
    if (a->type != b->type || a->i != b->i || a->len != b->len)
        return false;
    return a->len == 0 || memcmp(a->bytes, b->bytes, a->len) == 0;
}

/* The row with the key that the index has for it, when that is another one. */
static int
row_put_by_index(struct salvage *s, struct target *target, const struct dbrow *row)
{
    struct dbrow other = *row;
    bool differs = false;
    int r = db_rebind(target->keys, "i", row->rowid);

    if (r == 0)
        r = db_next(target->keys);
    if (r != 1)
        return r;
    for (int i = 0; i < target->source.n; i++) {
        int at = target->source.columns[i].key;
        struct dbvalue value;

        if (at == 0)
            continue;
        if (i >= other.n)
            return 0;
        value = value_of(target->keys, at - 1);
        value.f = row->values[i].f;
        differs = differs || !is_same(&value, &row->values[i]);
        other.values[i] = value;
    }
    return differs ? row_put(s, target, &other) : 0;
}

static int
on_row(void *arg, const struct dbrow *row)
{
    struct salvage *s = arg;
    int by_index = 0, r;

    if (s->at->keys && row->has_rowid)
        by_index = row_put_by_index(s, s->at, row);
    if (by_index < 0)
        return by_index;
    r = row_put(s, s->at, row);
    return r < 0 ? r : r || by_index;
}

/* Of a page that no tree leads to: whole rows that fit one table only. */
static int
on_stray(void *arg, const struct dbrow *row)
{
    struct salvage *s = arg;
    struct target *only = NULL;

    if (!row->whole)
        return 0;
    for (int i = 0; i < s->n; i++) {
        struct target *target = &s->targets[i];
        uint64_t all =
            target->source.n == 64 ? UINT64_MAX : (UINT64_C(1) << target->source.n) - 1;

        if (row->n != target->source.n || row_mask(&target->source, row) != all)
            continue;
        if (only)
            return 0;
        only = target;
    }
    return only ? row_put(s, only, row) : 0;
}

/* ---- the file ---- */

static bool
is_text(const struct dbvalue *value, const char *text)
{
    return value->type == 's' && value->len == strlen(text) &&
           memcmp(value->bytes, text, value->len) == 0;
}

/* A row of sqlite_schema: type, name, tbl_name, rootpage, sql. */
static int
on_schema(void *arg, const struct dbrow *row)
{
    struct salvage *s = arg;
    const struct dbvalue *v = row->values;
    uint32_t root;

    if (row->n < 5 || v[3].type != 'i' || v[3].i <= 0 || v[3].i > UINT32_MAX)
        return 1;
    root = (uint32_t)v[3].i;
    for (int i = 0; i < s->n; i++) {
        struct target *target = &s->targets[i];
        char index[NAME_SIZE + 32];

        snprintf(index, sizeof index, "sqlite_autoindex_%s_1", target->table.name);
        if (is_text(&v[0], "index") && is_text(&v[1], index) && target->table.rowid &&
            target->table.alias < 0)
            target->keys_root = root;
        if (!is_text(&v[0], "table") || !is_text(&v[1], target->table.name) ||
            v[4].type != 's')
            continue;
        target->root = root;
        source_read(target, v[4].bytes, v[4].len);
    }
    return 1;
}

/* The roots of all other trees are theirs: indices, and tables that are not asked for. */
static int
on_other(void *arg, const struct dbrow *row)
{
    struct salvage *s = arg;

    for (int i = 0; i < s->n; i++)
        if (row->n < 4 || row->values[3].type != 'i' || row->values[3].i <= 0 ||
            row->values[3].i > UINT32_MAX ||
            row->values[3].i == (int64_t)s->targets[i].root)
            return 1;
    return dbfile_tree(s->file, (uint32_t)row->values[3].i, s->marks, NULL, NULL) < 0 ? 0
                                                                                      : 1;
}

/* Where the fresh database has the table: it was made by the same statements. */
static int
fresh_root(struct db *db, struct target *target)
{
    cleanup(db_rows_done_p) struct db_rows *rows = NULL;
    int r = db_query(db, &rows, "SELECT rootpage FROM sqlite_schema WHERE name = ?", "s",
                     target->table.name);

    if (r == 0)
        r = db_next(rows);
    target->root = r == 1 ? (uint32_t)db_int(rows, 0) : 0;
    return r < 0 ? r : 0;
}

static int
targets_find(struct salvage *s, const char *const *tables)
{
    int r = 0;

    for (; r == 0 && *tables && s->n < TABLES_MAX; tables++) {
        struct target *target = &s->targets[s->n];

        r = table_read(s->to, *tables, &target->table);
        target->source = target->table;
        if (r == 0)
            s->n++;
        else if (r == -ENOENT)
            r = 0;
    }
    return r;
}

/* Trees first: what they lead to is what was valid last. */
static int
trees_read(struct salvage *s)
{
    cleanup_free unsigned char *schema = dbfile_marks(s->file);
    cleanup_free unsigned char *again = dbfile_marks(s->file);
    int r = schema && again ? 0 : -ENOMEM;

    if (r == 0)
        r = dbfile_tree(s->file, SCHEMA_PAGE, schema, on_schema, s);
    for (int pass = 0; pass < 2; pass++)
        for (int i = 0; r >= 0 && i < s->n; i++) {
            s->at = &s->targets[i];
            if ((s->at->root != 0) == (pass == 1))
                continue;
            if (pass == 1)
                r = fresh_root(s->to, s->at);
            if (r >= 0 && s->at->keys_root)
                r = keys_read(s);
            if (r >= 0)
                r = dbfile_tree(s->file, s->at->root, s->marks, on_row, s);
        }
    if (r >= 0)
        r = dbfile_tree(s->file, SCHEMA_PAGE, again, on_other, s);
    return r;
}

static int
strays_read(struct salvage *s)
{
    int r = 0;

    dbfile_mark_free(s->file, s->marks);
    for (uint32_t page = 2; r >= 0 && page <= dbfile_pages(s->file); page++)
        if (!dbfile_is_marked(s->marks, page))
            r = dbfile_orphan(s->file, page, s->marks, on_stray, s);
    return r;
}

/* AUTOINCREMENT's table has no key; inserting has made rows of it, too. */
static int
sequences_mend(struct db *db)
{
    int r = db_run(db, "DELETE FROM sqlite_sequence WHERE typeof(seq) <> 'integer'", "");

    if (r == -EINVAL)
        return 0; /* there is none */
    if (r >= 0)
        r = db_run(db,
                   "DELETE FROM sqlite_sequence WHERE EXISTS (SELECT 1 FROM"
                   " sqlite_sequence AS o WHERE o.name IS sqlite_sequence.name AND"
                   " (o.seq > sqlite_sequence.seq OR (o.seq = sqlite_sequence.seq AND"
                   " o.rowid < sqlite_sequence.rowid)))",
                   "");
    return r < 0 ? r : 0;
}

int
salvage_tables(const struct dbfile *file, struct db *to, const char *const *tables,
               int64_t *ret_rows, struct why *why)
{
    struct salvage *s = calloc(1, sizeof *s);
    int r = -ENOMEM;

    *ret_rows = 0;
    if (s && (s->marks = dbfile_marks(file))) {
        s->file = file;
        s->to = to;
        r = targets_find(s, tables);
        if (r >= 0)
            r = trees_read(s);
        if (r >= 0)
            r = strays_read(s);
        for (int i = 0; i < s->n; i++) {
            db_rows_done(s->targets[i].insert);
            db_rows_done(s->targets[i].keys);
        }
        if (r >= 0)
            r = sequences_mend(to);
        *ret_rows = s->rows;
    }
    if (s)
        free(s->marks);
    free(s);
    if (r < 0)
        return why_set(why, r, "what is readable cannot be copied: %s",
                       r == -ENOMEM ? "out of memory" : db_error(to));
    return 0;
}

/* ---- meta ---- */

struct meta {
    const char *key;
    uint32_t root;
    int64_t value;
};

static int
on_meta_schema(void *arg, const struct dbrow *row)
{
    struct meta *meta = arg;
    const struct dbvalue *v = row->values;

    if (row->n >= 5 && v[1].type == 's' && v[1].len == 4 &&
        memcmp(v[1].bytes, "meta", 4) == 0 && v[3].type == 'i' && v[3].i > 0 &&
        v[3].i < UINT32_MAX)
        meta->root = (uint32_t)v[3].i;
    return 1;
}

static int
on_meta(void *arg, const struct dbrow *row)
{
    struct meta *meta = arg;
    const struct dbvalue *v = row->values;
    char digits[20] = "";

    if (row->n != 2 || v[0].type != 's' || v[0].len != strlen(meta->key) ||
        memcmp(v[0].bytes, meta->key, v[0].len) != 0)
        return 1;
    if (v[1].type == 'i')
        meta->value = v[1].i;
    else if (v[1].type == 's' && v[1].len < sizeof digits) {
        memcpy(digits, v[1].bytes, v[1].len);
        if (strspn(digits, "0123456789") == v[1].len)
            meta->value = strtoll(digits, NULL, 10);
    }
    return 1;
}

int64_t
salvage_meta(const struct dbfile *file, const char *key)
{
    cleanup_free unsigned char *schema = dbfile_marks(file), *marks = dbfile_marks(file);
    struct meta meta = {.key = key};

    if (schema && marks && dbfile_tree(file, 1, schema, on_meta_schema, &meta) == 0 &&
        meta.root)
        dbfile_tree(file, meta.root, marks, on_meta, &meta);
    return meta.value;
}
