/* SPDX-License-Identifier: Apache-2.0 */
/* Text in the log: it stays on its line.  The first byte is the room there is. */
#include <stdbool.h>

#include "fuzz.h"
#include "json-text.h"
#include "logtext.h"

static bool
has_control(const char *text)
{
    for (const unsigned char *s = (const unsigned char *)text; *s; s++)
        if (*s < 0x20 || *s == 0x7f || (s[0] == 0xc2 && s[1] < 0xa0) ||
            (s[0] == 0xe2 && s[1] == 0x80 && (s[2] == 0xa8 || s[2] == 0xa9)))
            return true;
    return false;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t room = 16 + (size > 0 ? data[0] : 0), len, n;
    char *text = text_of(data + (size > 0), size - (size > 0)), *out = malloc(room);
    char *all = malloc(4 * size + 16);

    size -= size > 0;
    need(out && all);
    n = log_text(text, size, out, room);
    need(n < room && strlen(out) == n);
    need(!has_control(out) && json_text_is_clean(out, n));
    len = log_text(text, size, all, 4 * size + 16); /* nothing is cut */
    need(strlen(all) == len && len >= size && len <= 4 * size);
    if (len < room)
        need(strcmp(all, out) == 0);
    else
        need(n >= 6 && strcmp(out + n - 6, " [cut]") == 0 &&
             memcmp(out, all, n - 6) == 0);
    if (json_text_is_clean(text, size) && !has_control(text))
        need(strcmp(text, all) == 0);
    free(text);
    free(out);
    free(all);
    return 0;
}
