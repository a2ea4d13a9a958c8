/* SPDX-License-Identifier: Apache-2.0 */
/* The line of `sonde-worker verify`: what the agent accepts, it writes and reads again. */
#include <errno.h>

#include "fuzz.h"
#include "json-text.h"
#include "verdict.h"

static void
check_values(const struct verdict *a, const struct verdict *b)
{
    struct limits mine = a->limits;

    need(a->state == b->state && a->serial == b->serial && a->serial >= 0);
    need(a->state != VERDICT_VALID || name_is_valid(a->plugin));
    need(strcmp(a->application, b->application) == 0);
    need(strcmp(a->origin, b->origin) == 0 && strcmp(a->plugin, b->plugin) == 0);
    need(memcmp(&mine, &b->limits, sizeof mine) == 0);
    for (int i = 0; i < limits_n_fields; i++)
        need(*limits_at(&mine, i) >= 0 && *limits_at(&mine, i) <= limits_fields[i].most);
    need(json_text_is_clean(a->reason, strlen(a->reason)));
    need(json_text_is_clean(a->title, strlen(a->title)));
    need(json_text_is_clean(a->path, strlen(a->path)));
    need(strcmp(a->reason, b->reason) == 0 && strcmp(a->title, b->title) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct verdict verdict, again;
    struct why why = {""};
    int r = verdict_parse((const char *)data, size, &verdict, &why);
    char *text = NULL;
    size_t len = 0;
    FILE *stream;

    if (r < 0) {
        need(r == -EBADMSG && why.text[0]);
        return 0;
    }
    stream = open_memstream(&text, &len);
    need(stream && verdict_write(&verdict, stream) == 0 && fclose(stream) == 0);
    if (len <= VERDICT_LINE_MAX) {
        need(verdict_parse(text, len, &again, &why) == 0);
        check_values(&verdict, &again);
    }
    free(text);
    return 0;
}
