/* SPDX-License-Identifier: Apache-2.0 */
#include "sysfile.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATH_SIZE = 512, VALUE_MAX = 4096 };

static int
read_value(struct sonde_host *host, char *buf, size_t size, const char *format,
           va_list ap)
{
    char path[PATH_SIZE];
    const char *text;
    size_t len;
    int r = vsnprintf(path, sizeof path, format, ap);

    if (r < 0 || r >= PATH_SIZE)
        return -ENAMETOOLONG;
    r = host->read_file(host, path, VALUE_MAX, &text, &len);
    if (r < 0)
        return r;
    while (len > 0 && isspace((unsigned char)*text))
        text++, len--;
    while (len > 0 && (isspace((unsigned char)text[len - 1]) || text[len - 1] == '\0'))
        len--;
    if (len >= size)
        return -EFBIG;
    memcpy(buf, text, len);
    buf[len] = '\0';
    return (int)len;
}

int
sysfile_read(struct sonde_host *host, char *buf, size_t size, const char *format, ...)
{
    va_list ap;
    int r;

    va_start(ap, format);
    r = read_value(host, buf, size, format, ap);
    va_end(ap);
    return r;
}

int64_t
sysfile_number(struct sonde_host *host, int64_t def, const char *format, ...)
{
    char text[32], *end;
    long long value;
    va_list ap;
    int r;

    va_start(ap, format);
    r = read_value(host, text, sizeof text, format, ap);
    va_end(ap);
    if (r <= 0)
        return def;
    errno = 0;
    value = strtoll(text, &end, 10);
    return errno || *end ? def : value;
}

/* How the kernel says that a device has no such value. */
static int
is_absent(int err)
{
    return err == -ENOENT || err == -ENOTDIR || err == -ENODEV || err == -ENXIO ||
           err == -EINVAL || err == -EOPNOTSUPP;
}

void
sysfile_put(struct sonde_host *host, struct sonde_record *record, const char *field,
            const char *format, ...)
{
    char text[VALUE_MAX + 1];
    va_list ap;
    int r;

    va_start(ap, format);
    r = read_value(host, text, sizeof text, format, ap);
    va_end(ap);
    if (r > 0)
        host->put_bytes(host, record, field, text, (size_t)r);
    else if (r < 0 && !is_absent(r))
        host->put_none(host, record, field, r);
}
