/* SPDX-License-Identifier: Apache-2.0 */
/* Profiles: what is accepted has each application once, under a name. */
#include <errno.h>

#include "fuzz.h"
#include "profile.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct profile profile;
    struct why why = {""};
    int r = profile_parse((const char *)data, size, &profile, &why);
    size_t n = profile.n;

    if (r < 0) {
        need((r == -EBADMSG || r == -ENOSPC) && why.text[0] && !profile.apps);
        return 0;
    }
    for (size_t i = 0; i < n; i++) {
        need(name_is_valid(profile.apps[i].name));
        need(profile_is_active(&profile, profile.apps[i].name) == profile.apps[i].active);
        for (size_t other = 0; other < i; other++)
            need(strcmp(profile.apps[i].name, profile.apps[other].name) != 0);
        need(profile_set_active(&profile, profile.apps[i].name, true) == 0);
    }
    need(profile.n == n && profile_set_active(&profile, "No name", true) == -EINVAL);
    profile_done(&profile);
    return 0;
}
