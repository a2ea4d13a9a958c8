/* SPDX-License-Identifier: Apache-2.0 */
/* What openat2 with RESOLVE_IN_ROOT and RESOLVE_NO_MAGICLINKS does, one component after the
 * other, for kernels and containers that do not have it.
 */
#pragma once

/* Open the absolute path below the folder `root`; ".." and links cannot leave it.  flags:
 * as open(2).  -EAGAIN: folders were renamed meanwhile.
 */
int resolve_by_component(int root, const char *path, int flags);
