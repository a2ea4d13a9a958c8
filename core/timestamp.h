/* SPDX-License-Identifier: Apache-2.0 */
/* Times as people and JSON read them. */
#pragma once

#include <time.h>

enum { TIMESTAMP_SIZE = 32 };

/* RFC 3339, UTC, seconds: 2026-11-25T03:30:00Z */
void timestamp_utc(time_t t, char ret[TIMESTAMP_SIZE]);
