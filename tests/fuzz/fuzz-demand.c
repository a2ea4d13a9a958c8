/* SPDX-License-Identifier: Apache-2.0 */
/* The words of a demand, one on each line. */
#include <ctype.h>
#include <errno.h>

#include "demand.h"
#include "fuzz.h"
#include "pacer.h"

enum { WORDS_MAX = 8 };

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *words[2 * WORDS_MAX];
    struct demand demand, again;
    struct why why = {""};
    int n = 0, r;

    while (n < WORDS_MAX && size > 0) {
        const uint8_t *end = memchr(data, '\n', size);
        size_t len = end ? (size_t)(end - data) : size;

        words[n++] = text_of(data, len);
        data += len + (end != NULL);
        size -= len + (end != NULL);
    }
    r = demand_parse(n, words, &demand, &why);
    if (r < 0)
        need(r == -EINVAL && why.text[0]);
    else {
        need(name_is_valid(demand.application));
        need(demand.cputhrottle >= 0 && demand.cputhrottle <= PACER_THROTTLE_MAX);
    }
    /* Of a repeated key the last one holds, and case says nothing. */
    for (int i = 0; i < n; i++) {
        words[n + i] = words[i];
        for (char *c = words[i]; *c; c++)
            *c = (char)toupper((unsigned char)*c);
    }
    need(demand_parse(2 * n, words, &again, &why) == r);
    if (r == 0)
        need(strcmp(again.application, demand.application) == 0 &&
             again.cputhrottle == demand.cputhrottle);
    while (n > 0)
        free(words[--n]);
    return 0;
}
