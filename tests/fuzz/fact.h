/* SPDX-License-Identifier: Apache-2.0 */
/* One fact of plugins/inv, looked at on a host that is made up: `path` holds the bytes (NULL:
 * every file does), all other files are empty.  What the fact emits must be a good record of
 * its kind, it must come to an end, and an error must say what could not be looked at.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "../../plugins/inv/inv.h"

void fact_run(const struct fact *fact, const char *path, const uint8_t *data,
              size_t size);
