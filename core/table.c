/* SPDX-License-Identifier: Apache-2.0 */
#include "table.h"

#include <stdlib.h>
#include <string.h>

#include "logtext.h"

enum { GAP = 2, NARROWEST = 8 };

void
table_init(struct table *table)
{
    *table = (struct table){.n_columns = 0};
}

/* Columns of characters that do not take one: marks upon the one before, and wide ones of
 * East Asia (Unicode 15, East Asian Width W and F, in blocks).  Sorted.
 */
static const struct {
    uint32_t first, last;
    size_t columns;
} widths_not_one[] = {
    {0x0300, 0x036f, 0},   {0x1100, 0x115f, 2},   {0x200b, 0x200f, 0},
    {0x20d0, 0x20f0, 0},   {0x2e80, 0x303e, 2},   {0x3041, 0xa4cf, 2},
    {0xa960, 0xa97c, 2},   {0xac00, 0xd7a3, 2},   {0xf900, 0xfaff, 2},
    {0xfe00, 0xfe0f, 0},   {0xfe20, 0xfe2f, 0},   {0xfe30, 0xfe6f, 2},
    {0xff00, 0xff60, 2},   {0xffe0, 0xffe6, 2},   {0x1f300, 0x1f64f, 2},
    {0x1f900, 0x1f9ff, 2}, {0x20000, 0x3fffd, 2},
};

/* Columns of the first character of UTF-8 text; *ret_len is its length in bytes. */
static size_t
char_width(const char *text, size_t *ret_len)
{
    const unsigned char *s = (const unsigned char *)text;
    uint32_t c = s[0] < 0xc0 ? s[0]
                             : s[0] & (s[0] < 0xe0   ? 0x1f
                                       : s[0] < 0xf0 ? 0x0f
                                                     : 7);
    size_t n = 1;

    for (; (s[n] & 0xc0) == 0x80; n++)
        c = c << 6 | (s[n] & 0x3f);
    *ret_len = n;
    for (size_t i = 0; i < sizeof widths_not_one / sizeof widths_not_one[0]; i++)
        if (c >= widths_not_one[i].first && c <= widths_not_one[i].last)
            return widths_not_one[i].columns;
    return 1;
}

size_t
table_text_width(const char *text)
{
    size_t width = 0, len;

    for (; *text; text += len)
        width += char_width(text, &len);
    return width;
}

void
table_column(struct table *table, const char *head)
{
    char clean[TABLE_CELL_MAX];

    if (table->n_columns == TABLE_COLUMNS_MAX)
        return;
    log_text(head, strlen(head), clean, sizeof clean);
    table->heads[table->n_columns] = strdup(head);
    table->failed |= !table->heads[table->n_columns];
    table->widths[table->n_columns++] = table_text_width(clean);
}

/* Digits with at most one point among them: a version is none. */
static bool
is_number(const char *text)
{
    const char *at = text + (*text == '-');

    at += strspn(at, "0123456789");
    if (*at == '.')
        at += 1 + strspn(at + 1, "0123456789");
    return *at == '\0' && strpbrk(text, "0123456789");
}

static char **
next_cell(struct table *table)
{
    if (table->n_cells == table->size) {
        size_t size = table->size ? table->size * 2 : 256;
        char **cells = realloc(table->cells, size * sizeof *cells);

        if (!cells)
            return NULL;
        table->cells = cells;
        table->size = size;
    }
    return &table->cells[table->n_cells];
}

void
table_cell(struct table *table, const char *text)
{
    char clean[TABLE_CELL_MAX];
    char **cell = table->failed ? NULL : next_cell(table);
    size_t column, width;

    if (table->n_columns == 0)
        return;
    log_text(text ? text : "", text ? strlen(text) : 0, clean, sizeof clean);
    if (!cell || !(*cell = strdup(clean))) {
        table->failed = true;
        return;
    }
    column = table->n_cells++ % (size_t)table->n_columns;
    width = table_text_width(clean);
    if (width > table->widths[column])
        table->widths[column] = width;
    if (!clean[0])
        return;
    table->numbers[column] = is_number(clean) && !table->texts[column];
    table->texts[column] = !table->numbers[column];
}

void
table_int(struct table *table, int64_t value)
{
    char text[32];

    snprintf(text, sizeof text, "%lld", (long long)value);
    table_cell(table, text);
}

/* Take columns off the widest until all fit; half a number would be a wrong one. */
static void
fit(size_t widths[], const bool numbers[], int n, size_t width)
{
    for (;;) {
        size_t sum = (size_t)(n - 1) * GAP;
        int widest = -1;

        for (int i = 0; i < n; i++) {
            sum += widths[i];
            if (!numbers[i] && (widest < 0 || widths[i] > widths[widest]))
                widest = i;
        }
        if (sum <= width || widest < 0 || widths[widest] <= NARROWEST)
            return;
        widths[widest]--;
    }
}

/* One cell in its width; a longer text ends with "~". */
static void
print_cell(FILE *stream, const char *text, size_t width, bool right, bool last)
{
    size_t have = table_text_width(text), shown = 0;

    if (have <= width) {
        size_t pad = width - have;

        fprintf(stream, "%*s%s%*s", right ? (int)pad : 0, "", text,
                right || last ? 0 : (int)pad, "");
    } else {
        size_t len, columns;

        while (shown + (columns = char_width(text, &len)) < width) {
            fwrite(text, 1, len, stream);
            text += len;
            shown += columns;
        }
        fprintf(stream, "~%*s", last ? 0 : (int)(width - shown - 1), "");
    }
    fprintf(stream, "%*s", last ? 0 : GAP, "");
}

static void
print_row(const struct table *table, FILE *stream, char *const *cells,
          const size_t widths[])
{
    int last = table->n_columns - 1;

    while (last > 0 && !cells[last][0]) /* lines do not end with blanks */
        last--;
    for (int i = 0; i <= last; i++)
        print_cell(stream, cells[i], widths[i], table->numbers[i], i == last);
    fputc('\n', stream);
}

/* Heads are kept as they came, for who looks a column up. */
static void
print_heads(const struct table *table, FILE *stream, const size_t widths[])
{
    char clean[TABLE_CELL_MAX];

    for (int i = 0; i < table->n_columns; i++) {
        const char *head = table->heads[i] ? table->heads[i] : "";

        log_text(head, strlen(head), clean, sizeof clean);
        print_cell(stream, clean, widths[i], table->numbers[i],
                   i == table->n_columns - 1);
    }
    fputc('\n', stream);
}

int
table_print(const struct table *table, FILE *stream, size_t width)
{
    size_t widths[TABLE_COLUMNS_MAX], n = (size_t)table->n_columns;

    if (n == 0)
        return 0;
    memcpy(widths, table->widths, sizeof widths);
    if (width)
        fit(widths, table->numbers, table->n_columns, width);
    print_heads(table, stream, widths);
    for (size_t i = 0; i + n <= table->n_cells; i += n)
        print_row(table, stream, table->cells + i, widths);
    return table->failed || ferror(stream) ? -1 : 0;
}

void
table_done(struct table *table)
{
    for (int i = 0; i < table->n_columns; i++)
        free(table->heads[i]);
    for (size_t i = 0; i < table->n_cells; i++)
        free(table->cells[i]);
    free(table->cells);
    table_init(table);
}
