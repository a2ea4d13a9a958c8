/* SPDX-License-Identifier: Apache-2.0 */
/* group(5). */
#include "fact.h"
#include "fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fact_run(&fact_group, "/etc/group", data, size);
    return 0;
}
