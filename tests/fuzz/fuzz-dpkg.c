/* SPDX-License-Identifier: Apache-2.0 */
/* dpkg's database: the status file, and behind a NUL an update; a first byte of '!' makes it
 * a folder of listed packages.
 */
#include <errno.h>

#include "../../plugins/inv/dpkg-table.h"
#include "fuzz.h"

static int
read_file(struct dpkg_table *table, const char *text, enum package_origin origin)
{
    static struct stanza stanza;
    bool unfinished = false;
    int r = 0;

    stanza.open = false;
    stanza.why = NULL;
    stanza.lists_installed = origin == ORIGIN_LISTING;
    for (size_t len; *text && r >= 0; text += len + !unfinished) {
        len = strcspn(text, "\n");
        unfinished = text[len] == '\0';
        r = stanza_line(&stanza, text, len);
        if (r > 0)
            r = dpkg_table_add(table, &stanza, origin);
    }
    if (r >= 0)
        r = stanza_end(&stanza, unfinished);
    need(r >= 0 || stanza.why);
    return r > 0 ? dpkg_table_add(table, &stanza, origin) : r;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = text_of(data, size);
    size_t len = strlen(text);
    struct dpkg_table table = {0};
    const char *name = "";
    bool listed = *text == '!';
    int r = read_file(&table, text + listed, listed ? ORIGIN_LISTING : ORIGIN_STATUS);

    if (r == 0 && len < size)
        r = read_file(&table, text + len + 1, ORIGIN_UPDATE);
    if (r == 0)
        r = dpkg_table_settle(&table, &name);
    need(r == 0 || r == -EBADMSG || r == -EMSGSIZE);
    for (size_t i = 0; r == 0 && i < table.n; i++) {
        const struct package *p = &table.packages[i];

        need(p->state == PACKAGE_INSTALLED && *p->name && *p->source && *p->version);
        need(!p->name[strspn(p->name, "abcdefghijklmnopqrstuvwxyz0123456789-+._")]);
        need(i == 0 || strcmp(p[-1].name, p->name) < 0 ||
             (strcmp(p[-1].name, p->name) == 0 && strcmp(p[-1].arch, p->arch) < 0));
    }
    dpkg_table_done(&table);
    free(text);
    return 0;
}
