/* SPDX-License-Identifier: Apache-2.0 */
/* A strict checker of JSON texts (RFC 8259).  Refused, beyond bad syntax: invalid UTF-8 (RFC
 * 3629), NUL as a byte or as \u0000, lone surrogates, numbers outside RFC 8259's grammar,
 * duplicate keys in one object, nesting over 32, anything after the value but white space.
 * Pure: links nothing but libc, allocates nothing beyond a bounded table for keys.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "why.h"

/* 0, or -EBADMSG with "byte N: reason". */
int json_check(const char *text, size_t len, struct why *why);

/* As json_check, and the value is one object whose members are strings, numbers, booleans,
 * null or arrays of strings: the data of a record.
 */
int json_check_flat(const char *text, size_t len, struct why *why);

/* Length of the valid UTF-8 sequence at the start of s (1–4), or 0 when it is not valid. */
size_t utf8_sequence(const unsigned char *s, size_t len);
