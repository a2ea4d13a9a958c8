/* SPDX-License-Identifier: Apache-2.0 */
/* How text and numbers stand in JSON.  Pure: links json-check.c and libc. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Valid UTF-8 without NUL: it can stand in JSON as it is. */
bool json_text_is_clean(const char *text, size_t len);

/* Write the first character of text (len > 0) to out as it stands between the quotes of a
 * JSON string: control bytes, quotes and backslashes escaped; NUL and bytes that are not
 * UTF-8 become U+FFFD, one each.  Returns the bytes of text that it took.
 */
enum { JSON_CHAR_MAX = 6 };
size_t json_text_char(const char *text, size_t len, char out[JSON_CHAR_MAX],
                      size_t *ret_out_len);

/* Write the shortest digits that give the same double back, or "null" when it is not
 * finite; '.' whatever the locale.  Returns the length.
 */
enum { JSON_REAL_MAX = 32 };
size_t json_text_real(double value, char out[JSON_REAL_MAX]);
