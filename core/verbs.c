/* SPDX-License-Identifier: Apache-2.0 */
/* What can be asked of the agent. */
#include <string.h>

#include "control.h"
#include "exit-code.h"
#include "verb.h"

static const struct {
    const char *name;
    void (*answer)(struct conn *conn, const struct json *request);
} verbs[] = {
    {"demand", verbs_demand},
    {"status", verbs_status},
    {"wait", verbs_wait},
    {"list", verbs_list},
    {"cancel", verbs_cancel},
    {"throttle", verbs_throttle},
    {"apps", verbs_apps},
    {"activate", verbs_activate},
    {"deactivate", verbs_deactivate},
    {"profile-load", verbs_profile_load},
    {"profile-show", verbs_profile_show},
};

void
verbs_answer(struct conn *conn, const struct json *request)
{
    const char *name = json_get_str(request, "verb");
    struct why why;

    for (size_t i = 0; name && i < sizeof verbs / sizeof verbs[0]; i++)
        if (strcmp(verbs[i].name, name) == 0) {
            verbs[i].answer(conn, request);
            return;
        }
    why_set(&why, 0, "request: unknown verb \"%.40s\"", name ? name : "");
    conn_refuse(conn, EXIT_USAGE_ERROR, why.text);
}
