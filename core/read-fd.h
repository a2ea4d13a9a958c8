/* SPDX-License-Identifier: Apache-2.0 */
/* The rest of a file, bounded. */
#pragma once

#include <stddef.h>

/* Read to the end: text of *ret_len bytes and a NUL after them, which the caller frees.
 * -EFBIG when there is more than `most`, -ENOMEM, or what read(2) says.
 */
int read_fd(int fd, size_t most, char **ret, size_t *ret_len);
