/* SPDX-License-Identifier: Apache-2.0 */
#include "timestamp.h"

void
timestamp_utc(time_t t, char ret[TIMESTAMP_SIZE])
{
    struct tm tm;

    ret[0] = '\0';
    if (gmtime_r(&t, &tm))
        strftime(ret, TIMESTAMP_SIZE, "%Y-%m-%dT%H:%M:%SZ", &tm);
}
