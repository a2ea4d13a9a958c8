/* SPDX-License-Identifier: Apache-2.0 */
/* The profile that is in force: its file, and the last good one, which the state folder keeps. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent.h"

/* The last good profile, which the state folder keeps over restarts: 0, or below 0 when there is
 * none.
 */
static int
read_kept_profile(const struct agent *agent, char ret_path[PATH_MAX], struct profile *ret)
{
    setup_path(agent, ret_path, "profile.json");
    return access(ret_path, F_OK) < 0 ? -errno : profile_read(ret_path, ret, NULL);
}

static void
keep_profile(struct agent *agent)
{
    struct profile kept = {0};
    struct why why = {""};
    char path[PATH_MAX];

    if ((read_kept_profile(agent, path, &kept) < 0 ||
         !profile_is_same(&kept, &agent->profile)) &&
        profile_write(path, &agent->profile, &why) < 0)
        log_warning("%s; it would not be known after a restart", why.text);
    profile_done(&kept);
}

static void
log_profile(const struct agent *agent)
{
    log_info("profile %s: %s", agent->conf.paths.profile,
             agent->profile_seen.st_ino ? "read"
                                        : "is not there, so all applications are active");
}

int
policy_first(struct agent *agent, struct why *why)
{
    const char *path = agent->conf.paths.profile;
    char kept[PATH_MAX];

    (void)stat(path, &agent->profile_seen);
    if (profile_read(path, &agent->profile, why) == 0) {
        log_profile(agent);
        keep_profile(agent);
        return 0;
    }
    if (read_kept_profile(agent, kept, &agent->profile) < 0)
        return -EBADMSG;
    log_error("%s; the last good one stays in force", why->text);
    return 0;
}

static void
take(struct agent *agent, const struct profile *fresh)
{
    struct profile before = agent->profile;

    agent->profile = *fresh;
    keep_profile(agent);
    agent->events->profile(agent, &before);
    profile_done(&before);
}

void
policy_refresh(struct agent *agent)
{
    const char *path = agent->conf.paths.profile;
    struct profile fresh = {0};
    struct stat st = {0}, *seen = &agent->profile_seen;
    struct why why = {""};

    (void)stat(path, &st);
    if (st.st_ino == seen->st_ino && st.st_dev == seen->st_dev &&
        st.st_size == seen->st_size && st.st_mtim.tv_sec == seen->st_mtim.tv_sec &&
        st.st_mtim.tv_nsec == seen->st_mtim.tv_nsec &&
        st.st_ctim.tv_sec == seen->st_ctim.tv_sec &&
        st.st_ctim.tv_nsec == seen->st_ctim.tv_nsec)
        return;
    agent->profile_seen = st;
    if (profile_read(path, &fresh, &why) < 0) {
        log_error("%s; the last good one stays in force", why.text);
        return;
    }
    log_profile(agent);
    take(agent, &fresh);
}

bool
policy_is_active(struct agent *agent, const char *application)
{
    policy_refresh(agent);
    return profile_is_active(&agent->profile, application);
}

int
policy_set_active(struct agent *agent, const char *application, bool active,
                  struct why *why)
{
    const char *path = agent->conf.paths.profile;
    struct profile profile = {0};
    int r =
        profile_read(path, &profile, why); /* what is on disk, never the last good one */

    if (r == 0)
        r = profile_set_active(&profile, application, active);
    if (r == 0)
        r = profile_write(path, &profile, why);
    else if (!why->text[0])
        why_set(why, r, "%s", strerror(-r));
    profile_done(&profile);
    policy_refresh(agent);
    return r;
}

int
policy_load(struct agent *agent, const char *text, struct why *why)
{
    struct profile profile = {0};
    int r = profile_parse(text, strlen(text), &profile, why);

    if (r == 0)
        r = profile_write(agent->conf.paths.profile, &profile, why);
    profile_done(&profile);
    policy_refresh(agent);
    return r;
}
