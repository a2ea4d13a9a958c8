/* SPDX-License-Identifier: Apache-2.0 */
/* A stand-in for the engine: runs a plugin on a root in this process, with the real host
 * services and no sandbox, and writes what the plugin says as lines of JSON:
 *
 *   {"kind":"…","key":"…","data":{…},"volatile":{…}}     volatile: where there is any
 *   {"covers":"kind"}
 *   {"failed":"kind","what":"…","error":2}
 *   {"end":"done"}       done, none, or the error of open or next as {"end":"error",…}
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>

struct mock_how {
    const char *plugin;   /* path of the shared object */
    const char *root;     /* the folder that is scanned */
    bool live;            /* the running kernel is the root's */
    const char *manifest; /* its text, for param; NULL: none */
};

/* 0 when the plugin was done or said that there is nothing; else the error.  What it
 * writes to the log goes to stderr.
 */
int mock_run(const struct mock_how *how, FILE *out);
