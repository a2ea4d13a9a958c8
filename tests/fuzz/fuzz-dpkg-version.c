/* SPDX-License-Identifier: Apache-2.0 */
/* Versions of Debian packages: one that is printed is printed so again. */
#include <errno.h>

#include "../../plugins/inv/dpkg-version.h"
#include "fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = text_of(data, size), out[256], again[256], *small;
    size_t len = strlen(text), n;
    int r = dpkg_version_print(text, len, NULL, out, sizeof out);

    need(r == 0 || r == -EBADMSG || r == -EMSGSIZE);
    if (r == 0) {
        n = strlen(out);
        need(n > 0 && n <= len && !strpbrk(out, " \t\n\v\f\r"));
        need(dpkg_version_print(out, n, NULL, again, sizeof again) == 0);
        need(strcmp(out, again) == 0);
        small = malloc(n);
        need(dpkg_version_print(text, len, NULL, small, n) == -EMSGSIZE);
        free(small);
        if (dpkg_version_print(text, len, "2", again, sizeof again) == 0)
            need(strcmp(again + strlen(again) - 2, "-2") == 0);
    }
    free(text);
    return 0;
}
