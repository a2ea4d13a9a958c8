/* SPDX-License-Identifier: Apache-2.0 */
/* Ending process trees.  The caller is a child subreaper, so what a process leaves behind
 * when it dies becomes the caller's child.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

/* Call fn for every child of the calling process.  Returns how many there were, or -errno
 * (no /proc).
 */
int reap_children(void (*fn)(pid_t pid, void *arg), void *arg);

/* Kill and reap all children, and what they leave, until none is left or ms are over.
 * Returns 0, or -ETIMEDOUT: some process does not die (it waits in the kernel).
 */
int reap_all(int ms);
