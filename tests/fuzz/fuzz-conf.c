/* SPDX-License-Identifier: Apache-2.0 */
/* agent.conf: what is accepted is complete and within its bounds. */
#include <errno.h>

#include "conf.h"
#include "fuzz.h"

static void
check_values(struct conf *conf)
{
    const char *const paths[] = {conf->paths.state,     conf->paths.socket,
                                 conf->paths.plugins,   conf->paths.profile,
                                 conf->paths.manifests, conf->paths.local_manifests,
                                 conf->paths.worker,    conf->agent.root};
    const char *const texts[] = {conf->agent.scan_user, conf->agent.store_user,
                                 conf->agent.group, conf->paths.log};

    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        need(paths[i] && paths[i][0] == '/');
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        need(texts[i] && texts[i][0]);
    need(conf->agent.id && conf->agent.max_scans >= 1 && conf->agent.max_scans <= 64);
    need(conf->log.level >= LOG_ERROR && conf->log.level <= LOG_DEBUG);
    need(conf->log.max_size >= 4096 && conf->log.keep >= 1 && conf->log.keep <= 99);
    for (int i = 0; i < limits_n_fields; i++)
        need(*limits_at(&conf->limits, i) >= 1 &&
             *limits_at(&conf->limits, i) <= limits_fields[i].most);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char file[32];
    struct conf conf;
    struct why why = {""};
    int r;

    snprintf(file, sizeof file, "/proc/self/fd/%d", file_of(data, size));
    r = conf_read(file, &conf, &why);
    if (r < 0) {
        need(r == -EINVAL || (r == -EFBIG && size > 65536));
        need(strncmp(why.text, file, strlen(file)) == 0); /* and where in it */
        return 0;
    }
    check_values(&conf);
    conf_done(&conf);
    return 0;
}
