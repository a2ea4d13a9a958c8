/* SPDX-License-Identifier: Apache-2.0 */
/* Scans that are built frame by frame and stored, for tests of the store. */
#pragma once

#include <stdint.h>
#include <stdio.h>

#include "frame.h"
#include "json.h"
#include "store.h"
#include "why.h"

extern char folder[32], path[64]; /* the database */
extern FILE *frames;              /* of the scan that is being built */
extern int64_t last_scan;         /* its number */
extern struct json *said;         /* the summary of the last scan */
extern struct why why;

/* Of a suite: .init and .fini. */
void scan_setup(void);
void scan_teardown(void);

/* ---- building a scan ---- */
void put(enum frame_type type, const char *kind, const char *key, const char *stable,
         const char *vol);
void record(const char *kind, const char *key, const char *stable);
void covers(const char *kind);
/* Packages p<from> to p<to - 1> of this version. */
void packages(int from, int to, const char *version);

/* ---- storing it ---- */
int store_job(const struct store_job *job);
/* As the next scan of inv that ended like this. */
int store(const char *end, const char *reason);
void stored(const char *end);

/* ---- looking at the database, and changing it ---- */
/* All rows of a query, columns with '|', rows with a line break. */
const char *query(const char *sql);
#define expect_query(sql, expected)                                                      \
    cr_expect_str_eq(query(sql), expected, "%s", query(sql))
void expect_said(const char *outcome, int64_t added, int64_t changed, int64_t removed);
void change_database(const char *sql);
