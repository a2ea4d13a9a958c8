/* SPDX-License-Identifier: Apache-2.0 */
/* The strict checker: what it accepts is whole, UTF-8, and nothing may be put behind it. */
#include <errno.h>

#include "fuzz.h"
#include "json-check.h"
#include "json-text.h"

/* `before`, the text, `after`: what the checker says. */
static int
check_within(const char *before, const char *text, size_t size, const char *after)
{
    size_t n = strlen(before), m = strlen(after);
    char *more = malloc(n + size + m + 1);
    int r;

    need(more);
    memcpy(more, before, n);
    memcpy(more + n, text, size);
    memcpy(more + n + size, after, m);
    r = json_check(more, n + size + m, NULL);
    free(more);
    return r;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    struct why why = {""};
    size_t place, begin = 0, end = size;
    int r = json_check(text, size, &why), flat = json_check_flat(text, size, NULL);

    need(flat == -EBADMSG || (flat == 0 && r == 0));
    if (r < 0) {
        need(r == -EBADMSG && sscanf(why.text, "byte %zu: ", &place) == 1);
        need(place <= size);
        return 0;
    }
    need(json_text_is_clean(text, size));
    need(check_within(" \n", text, size, "\t\r") == 0);
    need(check_within("", text, size, ",") == -EBADMSG);
    need(check_within(",", text, size, "") == -EBADMSG);
    while (strchr(" \t\r\n", text[begin]))
        begin++;
    while (strchr(" \t\r\n", text[end - 1]))
        end--;
    if (strchr("{[\"", text[begin])) {
        need(check_within("", text, end - 1, "") == -EBADMSG);
        need(check_within("", text + begin + 1, size - begin - 1, "") == -EBADMSG);
    }
    return 0;
}
