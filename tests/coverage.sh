#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# coverage.sh BUILD-FOLDER: lines of core/ that the tests ran, file by file and in all, after
#
#     CFLAGS='-O0 -g --coverage -DSONDE_COVERAGE' ./autogen.sh && make -C build coverage
#
# as an ordinary user: workers that drop to users of their own cannot write what they count.
set -u
cd "$1" || exit 1

gcov -n -r $(find core -name '*.gcno') 2>/dev/null | LC_ALL=C awk -v sort='sort -n' '
    /^File / { file = substr($2, 2, length($2) - 2); sub(/^(\.\.\/)+/, "", file) }
    /^Lines executed:/ && file != "" {
        split(substr($0, length("Lines executed:") + 1), a, "% of ")
        lines[file] = a[2]; run[file] = a[1] * a[2] / 100; file = ""
    }
    END {
        for (f in lines) {
            printf "%5.1f %% of %4d lines  %s\n", 100 * run[f] / lines[f], lines[f], f | sort
            all += lines[f]; all_run += run[f]
        }
        close(sort)
        if (!all)
            exit 1
        printf "coverage: %.1f %% of the %d lines of core/\n", 100 * all_run / all, all
    }'
