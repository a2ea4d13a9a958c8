/* SPDX-License-Identifier: Apache-2.0 */
/* os: what os-release(5) says. */
#include <errno.h>
#include <string.h>

#include "inv.h"

enum { FILE_MAX = 64 * 1024, VALUE_MAX = 4096 };

static const char *const files[] = {"/etc/os-release", "/usr/lib/os-release"};

/* The variables, and the fields that they become.  os-release(5) gives the defaults. */
static const struct {
    const char *variable, *field, *def;
} rows[] = {
    {"ID", "id", "linux"},
    {"ID_LIKE", "id_like", NULL},
    {"NAME", "name", "Linux"},
    {"PRETTY_NAME", "pretty_name", "Linux"},
    {"VERSION", "version", NULL},
    {"VERSION_ID", "version_id", NULL},
    {"VERSION_CODENAME", "codename", NULL},
    {"VARIANT", "variant", NULL},
    {"VARIANT_ID", "variant_id", NULL},
    {"BUILD_ID", "build_id", NULL},
    {"IMAGE_ID", "image_id", NULL},
    {"IMAGE_VERSION", "image_version", NULL},
    {"PLATFORM_ID", "platform_id", NULL},
    {"CPE_NAME", "cpe_name", NULL},
    {"VENDOR_NAME", "vendor_name", NULL},
    {"SUPPORT_END", "support_end", NULL},
    {"HOME_URL", "home_url", NULL},
    {"DOCUMENTATION_URL", "documentation_url", NULL},
    {"SUPPORT_URL", "support_url", NULL},
    {"BUG_REPORT_URL", "bug_report_url", NULL},
};
enum { N_ROWS = sizeof rows / sizeof rows[0] };

/* The first word of a shell assignment's right side, quotes and backslashes undone. */
static size_t
unquote(const char *text, size_t len, char out[VALUE_MAX])
{
    char quote = 0;
    size_t n = 0;

    for (size_t i = 0; i < len && n < VALUE_MAX; i++) {
        char c = text[i];

        if (!quote && (c == ' ' || c == '\t' || c == '\r'))
            break;
        if (!quote && (c == '"' || c == '\'')) {
            quote = c;
        } else if (quote && c == quote) {
            quote = 0;
        } else if (c == '\\' && quote != '\'' && i + 1 < len &&
                   (!quote || strchr("\"\\$`", text[i + 1]))) {
            out[n++] = text[++i];
        } else {
            out[n++] = c;
        }
    }
    return n;
}

/* The last assignment to variable in text; NULL: none. */
static const char *
find(const char *text, const char *variable, size_t *ret_len)
{
    size_t name_len = strlen(variable);
    const char *found = NULL;

    while (*text) {
        size_t len = strcspn(text, "\n");
        size_t skip = strspn(text, " \t");

        if (skip + name_len < len && text[skip + name_len] == '=' &&
            strncmp(text + skip, variable, name_len) == 0) {
            found = text + skip + name_len + 1;
            *ret_len = len - skip - name_len - 1;
        }
        text += len + (text[len] == '\n');
    }
    return found;
}

static void
put_row(struct sonde_host *host, struct sonde_record *record, size_t row,
        const char *text)
{
    char value[VALUE_MAX];
    size_t len = 0;
    const char *found = find(text, rows[row].variable, &len);

    if (found)
        len = unquote(found, len, value);
    if (len > 0)
        host->put_bytes(host, record, rows[row].field, value, len);
    else if (rows[row].def)
        host->put_str(host, record, rows[row].field, rows[row].def);
}

static int
os_step(struct fact_scan *scan)
{
    struct sonde_host *host = scan->host;
    struct sonde_record *record;
    const char *text;
    size_t len, file = 0;
    int r = host->read_file(host, files[file], FILE_MAX, &text, &len);

    if (r == -ENOENT || r == -ENOTDIR)
        r = host->read_file(host, files[++file], FILE_MAX, &text, &len);
    if (r == -ENOENT || r == -ENOTDIR)
        return SONDE_DONE; /* looked, and there is none */
    if (r < 0)
        return fact_failed(scan, r, "%s", files[file]);
    record = host->record(host, "os", "os");
    for (size_t row = 0; row < N_ROWS; row++)
        put_row(host, record, row, text);
    host->put_str(host, record, "file", files[file]);
    r = host->emit(host, record);
    return r < 0 ? fact_failed(scan, r, "%s", files[file]) : SONDE_DONE;
}

const struct fact fact_os = {.kind = "os", .step = os_step};
