/* SPDX-License-Identifier: Apache-2.0 */
/* os-release(5). */
#include "fact.h"
#include "fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fact_run(&fact_os, "/etc/os-release", data, size);
    return 0;
}
