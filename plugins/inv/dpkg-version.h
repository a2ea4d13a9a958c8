/* SPDX-License-Identifier: Apache-2.0 */
/* Versions of Debian packages (deb-version(7)): their form, not their order.  Pure. */
#pragma once

#include <stddef.h>

/* Write a version as dpkg itself prints it: without white space around it and without an
 * epoch of 0.  revision: of the obsolete field of that name, or NULL.  0; -EBADMSG where
 * dpkg calls it an error; -EMSGSIZE: out is too small.
 */
int dpkg_version_print(const char *text, size_t len, const char *revision, char *out,
                       size_t size);
