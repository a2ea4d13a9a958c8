/* SPDX-License-Identifier: Apache-2.0 */
/* watch-open FOLDER…: say "ready", then the name of each file of these folders that anybody
 * opens, one a line, until killed.
 */
#include <limits.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <unistd.h>

static void
tell(const char *events, ssize_t len)
{
    for (ssize_t at = 0; at < len;) {
        const struct inotify_event *event = (const void *)(events + at);

        if (event->len)
            puts(event->name);
        at += (ssize_t)(sizeof *event + event->len);
    }
}

int
main(int argc, char **argv)
{
    _Alignas(struct inotify_event) char
        events[16 * (sizeof(struct inotify_event) + NAME_MAX + 1)];
    int fd = inotify_init1(IN_CLOEXEC);
    ssize_t len;

    setvbuf(stdout, NULL, _IOLBF, 0);
    for (int i = 1; i < argc; i++)
        if (inotify_add_watch(fd, argv[i], IN_OPEN) < 0) {
            perror(argv[i]);
            return 1;
        }
    puts("ready");
    while ((len = read(fd, events, sizeof events)) > 0)
        tell(events, len);
    perror("inotify");
    return 1;
}
