/* SPDX-License-Identifier: Apache-2.0 */
/* Manifests: what is accepted is within its bounds, and says the same when it is printed. */
#include <errno.h>

#include "fuzz.h"
#include "json-text.h"
#include "json.h"
#include "manifest.h"

static void
check_values(struct manifest *m)
{
    need(name_is_valid(m->application) && name_is_valid(m->plugin));
    need(strlen(m->title) <= MANIFEST_TITLE_MAX && !strpbrk(m->title, "\n\r\t\033\177"));
    need(json_text_is_clean(m->title, strlen(m->title)));
    need(m->serial >= 0 && m->serial < INT64_C(1) << 53);
    need(!m->issued || !m->expires || m->issued < m->expires);
    for (int i = 0; i < limits_n_fields; i++)
        need(*limits_at(&m->limits, i) >= 0 &&
             *limits_at(&m->limits, i) <= limits_fields[i].most);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct manifest m, again;
    struct json *json = NULL;
    struct why why = {""};
    int r = manifest_parse((const char *)data, size, "vm", &m, &why);
    char *text;

    if (r < 0) {
        need(r == -EBADMSG && why.text[0]);
        return 0;
    }
    check_values(&m);
    need(json_parse((const char *)data, size, &json, &why) == 0);
    text = json_print(json);
    need(manifest_parse(text, strlen(text), "vm", &again, &why) == 0);
    need(again.serial == m.serial && strcmp(again.plugin, m.plugin) == 0 &&
         again.issued == m.issued && again.expires == m.expires &&
         strcmp(again.title, m.title) == 0 &&
         memcmp(&again.limits, &m.limits, sizeof m.limits) == 0);
    need(manifest_parse(text, strlen(text), "inv", &again, &why) == -EBADMSG);
    strcpy(strrchr(text, '}'), ","); /* there is something in it: it has a serial */
    need(manifest_parse(text, strlen(text), "vm", &again, &why) == -EBADMSG);
    free(text);
    json_free(json);
    return 0;
}
