/* SPDX-License-Identifier: Apache-2.0 */
/* mountinfo, of the reader or of process 1. */
#include "fact.h"
#include "fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fact_run(&fact_mount, NULL, data, size);
    return 0;
}
