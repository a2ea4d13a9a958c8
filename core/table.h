/* SPDX-License-Identifier: Apache-2.0 */
/* Plain text tables for people. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { TABLE_COLUMNS_MAX = 64, TABLE_CELL_MAX = 512 };

struct table {
    int n_columns;
    char *heads[TABLE_COLUMNS_MAX];
    bool numbers[TABLE_COLUMNS_MAX]; /* it has some, and no text: right-aligned */
    bool texts[TABLE_COLUMNS_MAX];
    size_t widths[TABLE_COLUMNS_MAX];
    char **cells; /* row by row */
    size_t n_cells, size;
    bool failed; /* out of memory: what there is is printed, and table_print says so */
};

/* All functions copy the texts.  Control characters and bytes that are not UTF-8 become
 * \xNN, so that data cannot play with a terminal.
 */
void table_init(struct table *table);
void table_column(struct table *table, const char *head); /* before the first cell */
void table_cell(struct table *table, const char *text);   /* NULL: an empty one */
void table_int(struct table *table, int64_t value);
/* width: columns of the terminal, 0: any; the widest texts are cut to fit.  Returns below 0
 * when the stream or memory failed.
 */
int table_print(const struct table *table, FILE *stream, size_t width);
void table_done(struct table *table);

/* Columns of UTF-8 text on a terminal: two for wide characters, none for marks. */
size_t table_text_width(const char *text);
