/* SPDX-License-Identifier: Apache-2.0 */
/* ControlIds: one text for one id. */
#include <errno.h>
#include <inttypes.h>

#include "controlid.h"
#include "fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = text_of(data, size), again[CONTROLID_SIZE], longer[CONTROLID_SIZE + 1];
    struct controlid id;
    int r = controlid_parse(text, &id);

    need(controlid_is_valid(text) == (r == 0));
    if (r == 0) {
        need(id.n >= 0 && id.n <= CONTROLID_N_MAX);
        need(strlen(id.stamp) == CONTROLID_STAMP_LEN);
        need(snprintf(again, sizeof again, "%s.%" PRId64, id.stamp, id.n) <
             CONTROLID_SIZE);
        need(strcmp(text, again) == 0);
        snprintf(longer, sizeof longer, "0%s", again);
        need(controlid_parse(longer, &id) == -EINVAL);
        snprintf(longer, sizeof longer, "%s ", again);
        need(controlid_parse(longer, &id) == -EINVAL);
    } else
        need(r == -EINVAL);
    free(text);
    return 0;
}
