/* SPDX-License-Identifier: Apache-2.0 */
/* sonde.db, read only. */
#include <errno.h>
#include <linux/limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"

enum { TIME_LIMIT_MS = 30000 };

int
results_open(const struct cli *cli, struct db **ret)
{
    char path[PATH_MAX];
    int r;

    snprintf(path, sizeof path, "%s/results/sonde.db", cli->conf.paths.state);
    if (access(path, R_OK) < 0) {
        if (errno == EACCES)
            return cli_fail(EXIT_NOT_PERMITTED,
                            "not permitted to read %s: ask as root or as a member of the "
                            "group %s",
                            path, cli->conf.agent.group);
        return cli_fail(EXIT_NO_INPUT, "no scan has been stored yet (%s: %s)", path,
                        strerror(errno));
    }
    r = db_open_readonly(path, ret);
    if (r < 0)
        return cli_fail(EXIT_UNAVAILABLE, "%s: %s", path, db_error(NULL));
    db_time_limit(*ret, TIME_LIMIT_MS);
    r = db_restrict(*ret);
    return r < 0 ? results_fail(*ret, r) : 0;
}

int
results_fail(struct db *db, int r)
{
    if (r == -ETIMEDOUT)
        return cli_fail(EXIT_REFUSED_FOR_NOW, "the question took longer than %d s",
                        TIME_LIMIT_MS / 1000);
    if (r == -EINVAL)
        return cli_fail(EXIT_USAGE_ERROR, "%s", db_error(db));
    if (r == -EPERM)
        return cli_fail(EXIT_USAGE_ERROR, "%s: results can only be read", db_error(db));
    return cli_fail(EXIT_UNAVAILABLE, "%s", db_error(db));
}
