/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of /proc/net; the first byte says which one. */
#include "fact.h"
#include "fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const paths[] = {"/proc/net/tcp", "/proc/net/tcp6",
                                        "/proc/net/udp", "/proc/net/udp6"};

    if (size > 0)
        fact_run(&fact_listen, paths[data[0] % 4], data + 1, size - 1);
    return 0;
}
