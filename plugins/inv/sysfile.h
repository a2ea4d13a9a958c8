/* SPDX-License-Identifier: Apache-2.0 */
/* Files of one value each, as /sys is full of.  Paths are printf formats. */
#pragma once

#include <stdint.h>

#include "inv.h"

/* Read the value, white space around it cut off.  Returns its length or an error; -EFBIG:
 * it does not fit.
 */
int sysfile_read(struct sonde_host *host, char *buf, size_t size, const char *format, ...)
    SONDE_PRINTF(4, 5);

/* A whole number, or def when there is none to be read. */
int64_t sysfile_number(struct sonde_host *host, int64_t def, const char *format, ...)
    SONDE_PRINTF(3, 4);

/* Put the value as a field.  No file or no value: no field; not readable: put_none. */
void sysfile_put(struct sonde_host *host, struct sonde_record *record, const char *field,
                 const char *format, ...) SONDE_PRINTF(4, 5);
