/* SPDX-License-Identifier: Apache-2.0 */
/* How a blackout window stands in a profile. */
#pragma once

#include "json.h"
#include "why.h"
#include "window.h"

/* 0, or -EBADMSG with the place and the reason. */
int profile_window_take(const char *place, const struct json *value,
                        struct window *window, struct why *why);

/* A member of a list; what is the default is left out. */
void profile_window_print(const struct window *window, struct json_out *out);
