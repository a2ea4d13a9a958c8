/* SPDX-License-Identifier: Apache-2.0 */
#include "why.h"

#include <stdarg.h>
#include <stdio.h>

int
why_set(struct why *why, int r, const char *format, ...)
{
    va_list ap;

    if (!why)
        return r;
    va_start(ap, format);
    vsnprintf(why->text, sizeof why->text, format, ap);
    va_end(ap);
    return r;
}
