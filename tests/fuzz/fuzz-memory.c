/* SPDX-License-Identifier: Apache-2.0 */
/* /proc/meminfo. */
#include "fact.h"
#include "fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fact_run(&fact_memory, "/proc/meminfo", data, size);
    return 0;
}
