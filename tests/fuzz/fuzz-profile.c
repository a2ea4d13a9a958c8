/* SPDX-License-Identifier: Apache-2.0 */
/* Profiles: what is accepted has each application once, under a name, and each value in its
 * range; it is written, and read again, as what it is.  What is refused leaves nothing.
 */
#include <errno.h>

#include "fuzz.h"
#include "profile-write.h"
#include "profile.h"

/* -1, or between the two. */
static bool
is_within(int64_t value, int64_t least, int64_t most)
{
    return value == -1 || (value >= least && value <= most);
}

static void
need_window(const struct window *window)
{
    need(window->days > 0 && window->days < 128);
    need(window->from >= 0 && window->from < WINDOW_DAY_MINUTES);
    need(window->to >= 0 && window->to < WINDOW_DAY_MINUTES);
    need(window->collect || window->transmit);
    need(window->n_applications >= 0 && window->n_applications <= WINDOW_APPS_MAX);
    for (int i = 0; i < window->n_applications; i++) {
        need(name_is_valid(window->applications[i]));
        for (int other = 0; other < i; other++)
            need(strcmp(window->applications[i], window->applications[other]) != 0);
    }
}

static void
need_app(const struct profile *profile, size_t i)
{
    const struct profile_app *app = &profile->apps[i];
    struct limits limits = app->limits;
    struct profile_values values;

    need(name_is_valid(app->name));
    for (size_t other = 0; other < i; other++)
        need(strcmp(app->name, profile->apps[other].name) != 0);
    need(is_within(app->active, 0, 1) && is_within(app->scan_on_start, 0, 1));
    need(is_within(app->interval_s, PROFILE_INTERVAL_LEAST, PROFILE_INTERVAL_MOST));
    need(is_within(app->cputhrottle, 0, 1000) && app->randomize_s >= -1);
    for (int k = 0; k < limits_n_fields; k++)
        need(*limits_at(&limits, k) >= 0 &&
             *limits_at(&limits, k) <= limits_fields[k].most);
    profile_values(profile, app->name, &values);
    need(values.active == (app->active != 0));
    need(values.interval_s >= PROFILE_INTERVAL_LEAST);
    need(values.randomize_s >= 0 && values.randomize_s <= values.interval_s);
    need(values.cputhrottle >= 0);
}

static void
need_the_same_again(const struct profile *profile)
{
    struct profile again;
    struct why why;
    char *text;
    size_t len;

    need(profile_print(profile, &text, &len) == 0 && len <= PROFILE_MAX);
    need(profile_parse(text, len, &again, &why) == 0);
    need(profile_is_same(profile, &again));
    profile_done(&again);
    free(text);
}

static void
tell(const struct profile_setting *setting, void *arg)
{
    need(setting->name[0] && setting->origin[0] && setting->text[0]);
    ++*(int *)arg;
}

static void
need_settings(const struct profile *profile)
{
    const struct limits conf = LIMITS_DEFAULT;
    int n = 0;

    profile_settings(profile, NULL, NULL, NULL, tell, &n);
    need(n == 2 + (profile->n_windows ? (int)profile->n_windows : 1));
    n = 0;
    profile_settings(profile, profile->n ? profile->apps[0].name : "inv", &conf, NULL,
                     tell, &n);
    need(n == 5 + limits_n_fields);
}

/* Activating one more application keeps all else. */
static void
need_change(struct profile *profile)
{
    const size_t n = profile->n;
    int r;

    need(profile_set_active(profile, "No name", true) == -EINVAL && profile->n == n);
    if (n > 0) {
        r = profile_set_active(profile, profile->apps[n - 1].name, false);
        need(r == -ENOSPC || !profile_is_active(profile, profile->apps[n - 1].name));
        need(profile->n == n);
    }
    r = profile_set_active(profile, "one-more", true);
    need(r == -ENOSPC || (r == 0 && profile_is_active(profile, "one-more")));
    need_the_same_again(profile);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct profile profile;
    struct why why = {""};
    int r = profile_parse((const char *)data, size, &profile, &why);

    if (r < 0) {
        need(r == -EBADMSG && why.text[0] && !profile.apps && !profile.windows);
        return 0;
    }
    need(is_within(profile.suspend, 0, 1) &&
         is_within(profile.ondemand_in_blackout, 0, 1));
    need(profile.n <= PROFILE_APPS_MAX && profile.n_windows <= WINDOWS_MAX);
    for (size_t i = 0; i < profile.n_windows; i++)
        need_window(&profile.windows[i]);
    for (size_t i = 0; i < profile.n; i++)
        need_app(&profile, i);
    need_the_same_again(&profile);
    need_settings(&profile);
    need_change(&profile);
    profile_done(&profile);
    return 0;
}
