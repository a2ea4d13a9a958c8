/* SPDX-License-Identifier: Apache-2.0 */
/* The processes of a test: agents and workers that have its folder on their command line. */
#pragma once

#include <stdbool.h>

/* Call fn for each with what it is: "agent", or a worker's mode ("run", "store", "verify");
 * until it returns false.
 */
void processes_each(const char *folder, bool (*fn)(int pid, const char *what, void *arg),
                    void *arg);

/* Its number, 0: there is none.  who: agent, keeper, runner, store, verify. */
int process_find(const char *who, const char *folder);

bool process_signal(int pidfd, int signum);
int process_open(int pid); /* a pidfd, or -1 */
