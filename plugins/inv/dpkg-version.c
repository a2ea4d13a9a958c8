/* SPDX-License-Identifier: Apache-2.0 */
#include "dpkg-version.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char spaces[] = " \t\n\v\f\r";

static int
is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* "epoch:" at the start, an int that is not negative.  Returns what follows, or NULL. */
static const char *
epoch_take(const char *text, int *ret)
{
    const char *colon = strchr(text, ':');
    char *end;
    long epoch;

    *ret = 0;
    if (!colon)
        return text;
    errno = 0;
    epoch = strtol(text, &end, 10);
    if (end == text || end != colon || errno || epoch < 0 || epoch > INT_MAX || !colon[1])
        return NULL;
    *ret = (int)epoch;
    return colon + 1;
}

int
dpkg_version_print(const char *text, size_t len, const char *revision, char *out,
                   size_t size)
{
    const char *rest, *hyphen;
    char copy[1024];
    size_t skip = 0;
    int epoch, n;

    while (skip < len && is_blank(text[skip]))
        skip++;
    while (len > skip && is_blank(text[len - 1]))
        len--;
    if (len - skip >= sizeof copy)
        return -EMSGSIZE;
    memcpy(copy, text + skip, len - skip);
    copy[len - skip] = '\0';
    if (!*copy || copy[strcspn(copy, spaces)])
        return -EBADMSG;
    rest = epoch_take(copy, &epoch);
    if (!rest)
        return -EBADMSG;
    hyphen = strrchr(rest, '-');
    if (hyphen == rest || (hyphen && !hyphen[1]))
        return -EBADMSG; /* the version or the revision is empty */
    if (revision && !*revision)
        revision = NULL;
    n = epoch > 0 || strchr(rest, ':') || (revision && strchr(revision, ':'))
            ? snprintf(out, size, "%d:%s", epoch, rest)
            : snprintf(out, size, "%s", rest);
    if (revision && n >= 0 && (size_t)n < size)
        n += snprintf(out + n, size - (size_t)n, "-%s", revision);
    return n < 0 || (size_t)n >= size ? -EMSGSIZE : 0;
}
