/* SPDX-License-Identifier: Apache-2.0 */
/* hostname(5), and the files of one value in /proc and /sys, all with the same bytes. */
#include "fact.h"
#include "fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fact_run(&fact_host, NULL, data, size);
    return 0;
}
