/* SPDX-License-Identifier: Apache-2.0 */
/* How dpkg reads its database.  What is expected is what dpkg-query 1.21 says. */
#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

#include "../../plugins/inv/dpkg-table.h"
#include "../../plugins/inv/dpkg-version.h"

#define HEAD "Package: a\nStatus: install ok installed\nArchitecture: amd64\n"
#define SAME HEAD "Version: 1\nMulti-Arch: same\n"
#define OTHER "Package: a\nStatus: install ok installed\nArchitecture: i386\nVersion: 2\n"

static const struct row {
    const char *status, *update;
    const char *expected; /* name/arch/version/source/source version; NULL: refused */
} rows[] = {
    {"", NULL, ""},
    {"\n\n\n", NULL, ""},
    {HEAD "Version: 1\n", NULL, "a/amd64/1/a/1 "},
    {"\n" HEAD "Version: 1\n\n\n\nPackage: b\n", NULL, "a/amd64/1/a/1 "},
    {"Package: Aa\nStatus: INSTALL OK INSTALLED\nversion : 1\n", NULL, "aa//1/aa/1 "},
    {"Package: a\nStatus: installokinstalled\nVersion: 1\n", NULL, "a//1/a/1 "},
    {"Package: a\nStatus: hold reinstreq installed\nVersion: 1\n", NULL, "a//1/a/1 "},
    /* states */
    {"Package: a\nStatus: deinstall ok config-files\nVersion: 1\n", NULL, ""},
    {"Package: a\nStatus: install ok half-configured\nVersion: 1\n", NULL, ""},
    {"Package: a\nStatus: purge ok not-installed\n", NULL, ""},
    {"Package: a\n", NULL, ""},
    {"Package: a\nStatus: install ok\n", NULL, NULL},
    {"Package: a\nStatus: install ok installed x\nVersion: 1\n", NULL, NULL},
    {"Package: a\nStatus: installx ok installed\nVersion: 1\n", NULL, NULL},
    {"Package: a\nStatus: install ok triggers-pending\nVersion: 1\n", NULL, NULL},
    {"Package: a\nStatus: install ok triggers-pending\nVersion: 1\nTriggers-Pending: x\n",
     NULL, ""},
    {HEAD "Version: 1\nTriggers-Pending: x\n", NULL, NULL},
    {HEAD "Version: 1\nConfig-Version: 1\n", NULL, NULL},
    /* versions */
    {HEAD, NULL, NULL},
    {HEAD "Version:\nXy: z\n", NULL, NULL},
    {HEAD "Version: 1-\n", NULL, NULL},
    {HEAD "Version: -1\n", NULL, NULL},
    {HEAD "Version: 1 2\n", NULL, NULL},
    {HEAD "Version: 1\nRevision: 2\n", NULL, "a/amd64/1-2/a/1-2 "},
    {HEAD "Version: 1-2\nRevision: 3\n", NULL, "a/amd64/1-2-3/a/1-2-3 "},
    {HEAD "Revision: 3\nVersion: 1-2\n", NULL, "a/amd64/1-2/a/1-2 "},
    /* sources */
    {HEAD "Version: 1\nSource: s\n", NULL, "a/amd64/1/s/1 "},
    {HEAD "Version: 1+b1\nSource: s (1)\n", NULL, "a/amd64/1+b1/s/1 "},
    {HEAD "Version: 1\nSource: s (0:2-1)x\n", NULL, "a/amd64/1/s/2-1 "},
    {HEAD "Version: 1\nSource: s (2\n", NULL, "a/amd64/1/s/2 "},
    {HEAD "Version: 1\nSource: s(2)\n", NULL, "a/amd64/1/s(2)/2 "},
    {HEAD "Version: 1\nSource:\nXy: z\n", NULL, "a/amd64/1/a/1 "},
    {HEAD "Version: 1\nSource: s ()\n", NULL,
     "a/amd64/1/s/ "}, /* dpkg stops in its list */
    /* syntax */
    {"garbage\n", NULL, NULL},
    {"# comment\nPackage: a\n", NULL, NULL},
    {" Package: a\n", NULL, NULL},
    {": x\n", NULL, NULL},
    {"Package: a\nx: y\n", NULL, NULL},
    {"Package: a\nXy: 1\nxY: 2\n", NULL, NULL},
    {HEAD "Version: 1\nVersion: 1\n", NULL, NULL},
    {HEAD "Version: 1", NULL, NULL},
    {HEAD "Version: 1\nSource:\n", NULL, NULL}, /* an empty value at the very end */
    {HEAD "Version: 1\nConffiles:\n /etc/a 0\n /etc/b 0\n", NULL, "a/amd64/1/a/1 "},
    {HEAD "Version: 1\nDescription: a\n b\n .\n c\n", NULL, "a/amd64/1/a/1 "},
    {HEAD "Version: 1\nFilename: a.deb\n", NULL, NULL},
    {"Version: 1\n", NULL, NULL},
    {"Package:\n\nPackage: b\n", NULL, NULL},
    {"Package: _a\n", NULL, NULL},
    {"Package: a b\n", NULL, NULL},
    {HEAD "Version: 1\nEssential: YES\n", NULL, "a/amd64/1/a/1 "},
    {HEAD "Version: 1\nEssential: maybe\n", NULL, NULL},
    {HEAD "Version: 1\nMulti-Arch: maybe\n", NULL, NULL},
    {"Package: a\nStatus: install ok installed\nVersion: 1\nMulti-Arch: same\n", NULL,
     NULL},
    /* instances */
    {HEAD "Version: 1\n\n" HEAD "Version: 2\n", NULL, NULL},
    {HEAD "Version: 1\n\n" OTHER, NULL, NULL},
    {SAME "\n" OTHER, NULL, NULL},
    {SAME "\n" OTHER "Multi-Arch: same\n", NULL, "a/amd64/1/a/1 a/i386/2/a/2 "},
    {SAME "\n" SAME, NULL, "a/amd64/1/a/1 "},
    {HEAD
     "Version: 1\n\nPackage: a\nStatus: purge ok not-installed\nArchitecture: amd64\n",
     NULL, ""},
    {HEAD
     "Version: 1\n\nPackage: a\nStatus: purge ok not-installed\nArchitecture: i386\n",
     NULL, "a/amd64/1/a/1 "},
    /* updates */
    {HEAD "Version: 1\n", HEAD "Version: 2\n", "a/amd64/2/a/2 "},
    {HEAD "Version: 1\n", OTHER, "a/i386/2/a/2 "},
    {SAME, OTHER "Multi-Arch: same\n", "a/amd64/1/a/1 a/i386/2/a/2 "},
    {SAME, OTHER, "a/i386/2/a/2 "},
    {SAME "\n" OTHER "Multi-Arch: same\n", OTHER, NULL},
    {HEAD "Version: 1\n", "garbage", NULL},
    {HEAD "Version: 1\n", "", "a/amd64/1/a/1 "},
};

/* Read text as a file of the database.  0, or the first error. */
static int
text_read(struct dpkg_table *table, const char *text, enum package_origin origin)
{
    static struct stanza stanza;
    bool unfinished = false;
    int r = 0;

    stanza.open = false;
    while (*text && r >= 0) {
        size_t len = strcspn(text, "\n");

        unfinished = text[len] == '\0';
        r = stanza_line(&stanza, text, len);
        if (r > 0)
            r = dpkg_table_add(table, &stanza, origin);
        text += len + !unfinished;
    }
    if (r >= 0)
        r = stanza_end(&stanza, unfinished);
    return r > 0 ? dpkg_table_add(table, &stanza, origin) : r;
}

Test(dpkg, a_database_is_read_as_dpkg_reads_it)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct dpkg_table table = {0};
        const char *name;
        char got[1024] = "";
        int r = text_read(&table, rows[i].status, ORIGIN_STATUS);

        if (r == 0 && rows[i].update)
            r = text_read(&table, rows[i].update, ORIGIN_UPDATE);
        if (r == 0)
            r = dpkg_table_settle(&table, &name);
        for (size_t p = 0; r == 0 && p < table.n; p++)
            snprintf(got + strlen(got), sizeof got - strlen(got), "%s/%s/%s/%s/%s ",
                     table.packages[p].name, table.packages[p].arch,
                     table.packages[p].version, table.packages[p].source,
                     table.packages[p].source_version);
        if (!rows[i].expected)
            cr_expect(r < 0, "row %zu is not refused: %s", i, rows[i].status);
        else
            cr_expect(r == 0 && strcmp(got, rows[i].expected) == 0,
                      "row %zu: %d \"%s\": %s", i, r, got, rows[i].status);
        dpkg_table_done(&table);
    }
}

Test(dpkg, a_listed_package_needs_no_status_and_no_last_newline)
{
    static struct stanza stanza = {.lists_installed = true};

    cr_assert_eq(stanza_line(&stanza, "Package: a", 10), 0);
    cr_assert_eq(stanza_line(&stanza, "Version: 1", 10), 0);
    cr_assert_eq(stanza_end(&stanza, true), 1);
    cr_assert_eq(stanza.state, PACKAGE_INSTALLED);
    cr_assert_eq(stanza_line(&stanza, "Package: b", 10), 0);
    cr_assert_eq(stanza_end(&stanza, false), 1);
    cr_assert_eq(stanza.state, PACKAGE_NOT_INSTALLED, "without a version it is a stub");
}

Test(dpkg, fields_that_are_too_long_or_too_many_are_refused)
{
    static struct stanza stanza;
    static char line[STANZA_TEXT_MAX + 64];
    int r;

    r = snprintf(line, sizeof line, "Maintainer: %0*d", STANZA_TEXT_MAX, 0);
    cr_assert_lt(stanza_line(&stanza, line, (size_t)r), 0);
    stanza.open = false;
    cr_assert_eq(stanza_line(&stanza, "Package: a", 10), 0);
    r = 0;
    for (int i = 0; i < 2 * STANZA_FIELDS_MAX && r == 0; i++) {
        snprintf(line, sizeof line, "Field-%d: x", i);
        r = stanza_line(&stanza, line, strlen(line));
    }
    cr_assert_lt(r, 0);
}

Test(dpkg, a_version_is_printed_as_dpkg_prints_it)
{
    static const struct {
        const char *text, *printed; /* NULL: refused */
    } versions[] = {
        {"1", "1"},
        {" 1 ", "1"},
        {"0:1", "1"},
        {"1:1", "1:1"},
        {"01:1", "1:1"},
        {"+1:1", "1:1"},
        {"1:", NULL},
        {":1", NULL},
        {"-1:1", NULL},
        {"x:1", NULL},
        {"", NULL},
        {"   ", NULL},
        {"1-2-3", "1-2-3"},
        {"1--", NULL},
        {"-2", NULL},
        {"0:1:2", "0:1:2"},
        {"\n1", NULL},
        {"abc", "abc"},
        {"2147483648:1", NULL},
        {"1 2", NULL},
        {"1~b+c", "1~b+c"},
    };
    char out[64];

    for (size_t i = 0; i < sizeof versions / sizeof versions[0]; i++) {
        const char *text = versions[i].text;
        int r = dpkg_version_print(text, strlen(text), NULL, out, sizeof out);

        cr_expect_eq(r == 0, versions[i].printed != NULL, "\"%s\": %d", text, r);
        if (r == 0 && versions[i].printed)
            cr_expect_str_eq(out, versions[i].printed);
    }
    cr_expect_lt(dpkg_version_print("123456", 6, NULL, out, 6), 0);
}
