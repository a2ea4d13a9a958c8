/* SPDX-License-Identifier: Apache-2.0 */
/* Words to the service manager that started us: the protocol of sd_notify(3), one datagram to
 * the socket that $NOTIFY_SOCKET names.
 */
#pragma once

/* Each returns 1 when it was told, 0 when nobody asked to be, and -errno: -EINVAL for a name
 * that is neither a path nor abstract ("@…"), -ENAMETOOLONG for one that no socket can have.
 */
int notify_ready(void);
/* The last word: after it the environment names no socket any more. */
int notify_stopping(void);
