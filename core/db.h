/* SPDX-License-Identifier: Apache-2.0 */
/* SQLite, which meets our code in db.c only.  Errors: -EBUSY (locked), -ENOSPC, -EUCLEAN
 * (damaged or no database), -EROFS, -ENOENT (cannot open), -EEXIST (constraint), -EINVAL (the
 * statement is wrong), -EPERM (db_restrict), -ETIMEDOUT (db_time_limit), -EFBIG, -EIO; the
 * words are in db_error.  One struct db is used by one thread at a time.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct db;
struct db_rows;

/* Read and write, made when missing, WAL that persists (others may read it while nobody
 * writes).  durable: every commit is on disk when it returns (synchronous=FULL).
 */
int db_open(const char *path, bool durable, struct db **ret);
/* Read only, also when the file belongs to another user; creates nothing beside it.  A file of
 * a format that SQLite does not know is damaged (-EUCLEAN) to both.
 */
int db_open_readonly(const char *path, struct db **ret);
/* Of its own, in memory; gone when it is closed. */
int db_open_memory(struct db **ret);
void db_close(struct db *db); /* NULL is fine */
/* Of the last failure; valid until the next call.  NULL: why the last open failed. */
const char *db_error(struct db *db);

/* Several statements without arguments; rows are thrown away. */
int db_exec(struct db *db, const char *sql);

/* One statement with arguments by types: 's' const char * (NULL: null), 't' const
 * char * + size_t (NULL: null), 'i' int64_t, 'f' double, 'b' const void * + size_t.  Every 'i'
 * argument must be passed as int64_t.  What is passed is copied.
 * db_run: no rows wanted; returns the number of rows changed.
 * db_query: *ret is the caller's, db_rows_done when finished, early or not.  Nothing happens
 * before the first db_next.
 */
int db_run(struct db *db, const char *sql, const char *types, ...);
int db_query(struct db *db, struct db_rows **ret, const char *sql, const char *types,
             ...);
/* 1: a row is there; 0: no more. */
int db_next(struct db_rows *rows);
void db_rows_done(struct db_rows *rows);    /* NULL is fine */
void db_rows_done_p(struct db_rows **rows); /* for cleanup() */

int db_columns(const struct db_rows *rows);
const char *db_column_name(struct db_rows *rows, int column);
/* Values of the current row; texts are valid until db_next; NULL for null. */
const char *db_text(struct db_rows *rows, int column,
                    size_t *ret_len); /* ret_len: or NULL */
const void *db_blob(struct db_rows *rows, int column, size_t *ret_len);
int64_t db_int(struct db_rows *rows, int column);
double db_real(struct db_rows *rows, int column);
/* 'n' null, 'i', 'f', 's', 'b': the type that SQLite has for it. */
char db_type(struct db_rows *rows, int column);

/* For statements that run thousands of times: keep rows, bind again, db_next. */
int db_rebind(struct db_rows *rows, const char *types, ...);
/* One more argument, from 1 on, of a statement that db_rebind has reset. */
int db_bind(struct db_rows *rows, int argument, int type, ...);

int64_t db_last_id(struct db *db);
/* How many rows all statements together have changed. */
int64_t db_changes(struct db *db);
/* Interrupt any statement after this many milliseconds (0: never); then -ETIMEDOUT. */
void db_time_limit(struct db *db, int64_t ms);
/* The rest of the file is refused to statements: reading only, no ATTACH, no PRAGMA writes. */
int db_restrict(struct db *db);
