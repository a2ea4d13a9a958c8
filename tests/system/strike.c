/* SPDX-License-Identifier: Apache-2.0 */
/* strike WHO FOLDER DELAY_US kill|stop|stop-kill: wait until there is such a process (agent,
 * keeper, runner, store, verify) with the folder on its command line, then DELAY_US, then end
 * it, stop it, or stop it first and end it 20 ms later.  Prints its number.  Exit status: 1
 * when it had ended before, 2 when none came.
 */
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "processes.h"

enum { WAIT_MS = 10000, STOPPED_US = 20000 };

static void
sleep_us(long us)
{
    nanosleep(&(struct timespec){us / 1000000, us % 1000000 * 1000}, NULL);
}

int
main(int argc, char **argv)
{
    int pid = 0, pidfd;
    bool hit = true;

    if (argc != 5)
        return 64;
    for (int ms = 0; !pid && ms < WAIT_MS; ms++) {
        pid = process_find(argv[1], argv[2]);
        if (!pid)
            sleep_us(1000);
    }
    if (!pid)
        return 2;
    pidfd = process_open(pid);
    sleep_us(atol(argv[3]));
    if (pidfd < 0)
        return 1;
    if (strncmp(argv[4], "stop", 4) == 0)
        hit = process_signal(pidfd, SIGSTOP);
    if (hit && strcmp(argv[4], "stop-kill") == 0)
        sleep_us(STOPPED_US);
    if (hit && strstr(argv[4], "kill"))
        hit = process_signal(pidfd, SIGKILL);
    printf("%d\n", pid);
    return !hit;
}
