/* SPDX-License-Identifier: Apache-2.0 */
/* mock-run PLUGIN.so ROOT [live] [MANIFEST]: run a plugin and see what it says. */
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "mock-host.h"

static char *
file_read(const char *path)
{
    cleanup_file FILE *file = fopen(path, "re");
    char *text = NULL;
    size_t size = 0;

    if (!file || getdelim(&text, &size, '\0', file) < 0) {
        perror(path);
        exit(66);
    }
    return text;
}

int
main(int argc, char **argv)
{
    struct mock_how how = {0};
    cleanup_free char *manifest = NULL;
    int at = 3;

    if (argc < 3 || argc > 5) {
        fprintf(stderr, "usage: %s PLUGIN.so ROOT [live] [MANIFEST]\n", argv[0]);
        return 64;
    }
    how.plugin = argv[1];
    how.root = argv[2];
    how.live = argc > at && strcmp(argv[at], "live") == 0;
    at += how.live;
    if (argc > at)
        manifest = file_read(argv[at]);
    how.manifest = manifest;
    return mock_run(&how, stdout) < 0;
}
