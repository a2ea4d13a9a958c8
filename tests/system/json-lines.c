/* SPDX-License-Identifier: Apache-2.0 */
/* Is each line of stdin one JSON object, by the strict checker?  Says which is not; a text
 * without a line is wrong, too.
 */
#include <stdio.h>
#include <stdlib.h>

#include "cleanup.h"
#include "json-check.h"

int
main(void)
{
    cleanup_free char *line = NULL;
    size_t size = 0;
    ssize_t len;
    long n = 0, bad = 0;

    while ((len = getline(&line, &size, stdin)) > 0) {
        struct why why = {"it is no object"};

        n++;
        if (line[len - 1] != '\n')
            why_set(&why, 0, "its end is missing");
        else if (line[0] == '{' && json_check(line, (size_t)len, &why) == 0)
            continue;
        fprintf(stderr, "line %ld: %s: %s\n", n, why.text, line);
        bad++;
    }
    if (n == 0)
        fputs("there is no line\n", stderr);
    return n == 0 || bad > 0;
}
