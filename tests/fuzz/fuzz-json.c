/* SPDX-License-Identifier: Apache-2.0 */
/* What the checker accepts, cJSON reads, and it is printed as a text of the same value. */
#include "fuzz.h"
#include "json-check.h"
#include "json.h"

static void
compare(const struct json *a, const struct json *b, int depth)
{
    const struct json *x = json_first(a), *y = json_first(b);
    bool number = json_type(a) == JSON_NUMBER, huge = json_real(a, 7) != json_real(a, 8);

    need(depth <= 32 && json_type_name(json_type(a)));
    if (number && huge) { /* 1e999 */
        need(json_type(b) == JSON_NULL);
        return;
    }
    need(json_type(a) == json_type(b) && json_bool(a, false) == json_bool(b, false));
    need(json_real(a, 7) == json_real(b, 7) && json_int(a, 7) == json_int(b, 7));
    need(!json_str(a) == !json_str(b) && !x == !y);
    need(!json_str(a) || strcmp(json_str(a), json_str(b)) == 0);
    for (; x && y; x = json_next(x), y = json_next(y)) {
        need(!json_next(x) == !json_next(y));
        if (json_type(a) == JSON_OBJECT) /* each name is there once */
            need(json_get(a, json_name(x)) == x && json_get(b, json_name(x)) == y);
        compare(x, y, depth + 1);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct json *first = NULL, *second = NULL;
    struct why why = {""};
    char *text;
    int accepted = json_check((const char *)data, size, NULL) == 0;
    int r = json_parse((const char *)data, size, &first, &why);

    need((r == 0) == (first != NULL));
    if (r < 0) {
        need(!accepted || strstr(why.text, "number too long"));
        return 0;
    }
    need(accepted);
    text = json_print(first);
    need(text && json_check(text, strlen(text), &why) == 0);
    need(json_parse(text, strlen(text), &second, &why) == 0);
    compare(first, second, 0);
    free(text);
    json_free(first);
    json_free(second);
    return 0;
}
