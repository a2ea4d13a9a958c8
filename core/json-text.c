/* SPDX-License-Identifier: Apache-2.0 */
#include "json-text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json-check.h"

bool
json_text_is_clean(const char *text, size_t len)
{
    for (size_t n; len > 0; text += n, len -= n) {
        n = utf8_sequence((const unsigned char *)text, len);
        if (n == 0 || *text == '\0')
            return false;
    }
    return true;
}

size_t
json_text_char(const char *text, size_t len, char out[JSON_CHAR_MAX], size_t *ret_out_len)
{
    static const char special[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";
    static const char hex[] = "0123456789abcdef";
    unsigned char c = (unsigned char)*text;
    size_t n = utf8_sequence((const unsigned char *)text, len);
    const char *s = c ? strchr(special, c) : NULL;

    if (n == 0 || c == 0) {
        memcpy(out, "\xef\xbf\xbd", *ret_out_len = 3);
        return 1;
    }
    if (s) {
        out[0] = '\\';
        out[1] = letters[s - special];
        *ret_out_len = 2;
    } else if (c < 0x20) {
        memcpy(out, (char[]){'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]}, 6);
        *ret_out_len = 6;
    } else {
        memcpy(out, text, *ret_out_len = n);
    }
    return n;
}

size_t
json_text_real(double value, char out[JSON_REAL_MAX])
{
    char *comma;

    if (!isfinite(value))
        return (size_t)snprintf(out, JSON_REAL_MAX, "null");
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(out, JSON_REAL_MAX, "%.*g", digits, value);
        if (strtod(out, NULL) == value)
            break;
    }
    comma = strchr(out, ',');
    if (comma)
        *comma = '.';
    return strlen(out);
}
