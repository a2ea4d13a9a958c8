/* SPDX-License-Identifier: Apache-2.0 */
/* An agent for fuzz-control: the real socket, verbs and queue, in a folder of its own, which
 * goes at exit.  It knows no application, starts nothing, and has one ticket, which waits; it
 * is made anew when it waits no more.
 */
#pragma once

#include <stddef.h>

#define CONTROL_AGENT_TICKET "20251125030000.0"

/* A client that sends n bytes in two pieces, reads what comes, and goes when no more comes.
 * Returns the length of the answer; the connection is closed then.
 */
size_t control_agent_ask(const void *bytes, size_t n, char *answer, size_t size);
