/* SPDX-License-Identifier: Apache-2.0 */
/* The mount table of a walk. */
#include "fuzz.h"
#include "mounts.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = text_of(data, size);
    struct mounts mounts;
    size_t lines = 1;

    for (const char *c = text; *c; c++)
        lines += *c == '\n';
    need(mounts_parse(text, &mounts) == 0 && mounts.n <= lines);
    for (size_t i = 0; i < mounts.n; i++) {
        need(mounts.list[i].kind > MOUNT_UNKNOWN && mounts.list[i].kind <= MOUNT_AUTOFS);
        need(mounts_find(&mounts, mounts.list[i].id) != MOUNT_UNKNOWN);
    }
    mounts_done(&mounts);
    free(text);
    return 0;
}
