/* SPDX-License-Identifier: Apache-2.0 */
/* The reason of a failure, in words: the caller owns the buffer, the callee fills it. */
#pragma once

struct why {
    char text[512];
};

/* Write the reason; why may be NULL. */
void why_put(struct why *why, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The same with r as its value, so that `return why_set(why, -EINVAL, "…")` reads well; also to
 * a compiler, which need not guess what comes back.
 */
#define why_set(why, r, ...)                                                             \
    __extension__({                                                                      \
        int why_r = (r);                                                                 \
                                                                                         \
        why_put((why), __VA_ARGS__);                                                     \
        why_r;                                                                           \
    })
