/* SPDX-License-Identifier: Apache-2.0 */
/* A line to the control socket, in two pieces: it is answered with lines that are JSON, of
 * which the last one says whether it went well, and the connection is closed.
 */
#include "control-agent.h"
#include "control.h"
#include "fuzz.h"

/* Such a request may end without an answer. */
static bool
is_wait(const uint8_t *line, size_t len)
{
    struct json *json = NULL;
    const char *verb = json_parse((const char *)line, len, &json, NULL) == 0
                           ? json_get_str(json, "verb")
                           : NULL;
    bool r = verb && strcmp(verb, "wait") == 0;

    json_free(json);
    return r;
}

static void
check_answer(const char *text, size_t len)
{
    struct json *json = NULL;

    need(len > 0 && text[len - 1] == '\n');
    for (const char *end; len > 0; len -= (size_t)(end + 1 - text), text = end + 1) {
        end = memchr(text, '\n', len);
        json_free(json);
        need(json_parse(text, (size_t)(end - text), &json, NULL) == 0);
        need(json_get_int(json, "v", 0) == CONTROL_VERSION);
    }
    need(json_get_bool(json, "ok", false) || json_get_str(json, "error"));
    json_free(json);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char answer[1 << 20];
    const uint8_t *nl = memchr(data, '\n', size);
    size_t len = control_agent_ask(data, size, answer, sizeof answer);

    if (len > 0)
        check_answer(answer, len);
    else
        need(nl ? is_wait(data, (size_t)(nl - data)) : size <= CONTROL_LINE_MAX);
    return 0;
}
