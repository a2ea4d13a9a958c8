/* SPDX-License-Identifier: Apache-2.0 */
/* A plugin that puts anything: what comes out of the builder, `store` accepts.  Strings with
 * NUL between them: kind, key, and for each field what is put, its name, its value.
 */
#include "cleanup.h"
#include "frame.h"
#include "fuzz.h"
#include "record.h"
#include "store-frames.h"

static char *
take(const uint8_t **data, size_t *size)
{
    size_t len = strnlen((const char *)*data, *size);
    char *text = text_of(*data, len);

    *data += len + (len < *size);
    *size -= len + (len < *size);
    return text;
}

static void
put(struct sonde_record *record, char what, const char *name, char *value)
{
    const char *list[] = {value, name, ""};

    what == 'b'   ? record_bytes(record, name, value, strlen(value) + 1)
    : what == 'i' ? record_int(record, name, strtoll(value, NULL, 10))
    : what == 'r' ? record_real(record, name, strtod(value, NULL))
    : what == 't' ? record_time(record, name, strtoll(value, NULL, 10))
    : what == 'l' ? record_list(record, name, list, strlen(value) % 4)
    : what == 'n' ? record_none(record, name, atoi(value))
    : what == 'o' ? record_bool(record, name, *value)
    : what == 'v' ? record_volatile(record)
                  : record_str(record, name, value);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct sonde_record *record;
    static struct kinds kinds;
    cleanup_free char *kind = take(&data, &size), *key = take(&data, &size);
    cleanup_free char *bytes = NULL;
    struct frame frame;

    record = record ? record : record_new();
    record_begin(record, kind, key);
    while (size > 0) {
        cleanup_free char *what = take(&data, &size), *name = take(&data, &size),
                          *value = take(&data, &size);

        put(record, *what, name, value);
    }
    if (record_end(record, &frame) == 0) {
        bytes = malloc(frame_size(&frame));
        frame_write(&frame, bytes);
        need(frames_check(file_of(bytes, frame_size(&frame)), &kinds, NULL) == 0);
    }
    return 0;
}
