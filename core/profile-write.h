/* SPDX-License-Identifier: Apache-2.0 */
/* A profile as text; profile_write is in profile.h. */
#pragma once

#include <stddef.h>

#include "profile.h"

/* The text of the file, which the caller frees: 0 or -ENOMEM.  A default stands in it
 * where the profile says it itself (but for those of a window).
 */
int profile_print(const struct profile *profile, char **ret, size_t *ret_len);
