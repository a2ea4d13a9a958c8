/* SPDX-License-Identifier: Apache-2.0 */
/* user, group: from passwd(5) and group(5).  No hash of a password leaves this file. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lines.h"
#include "seen.h"

enum { LINES_PER_STEP = 200, MAX_MEMBERS = 65536, MAX_COLUMNS = 8 };

struct account {
    struct lines lines;
    struct seen seen;
    unsigned odd; /* lines that are no account */
};

struct account_file {
    const char *path;
    size_t columns;
    int (*emit)(struct sonde_host *host, char *columns[]);
};

/* Split in place at the colons.  Returns how many columns there are. */
static size_t
columns_split(char *line, char *columns[MAX_COLUMNS])
{
    size_t n = 0;
    char *colon;

    for (; n < MAX_COLUMNS; line = colon + 1) {
        columns[n++] = line;
        colon = strchr(line, ':');
        if (!colon)
            break;
        *colon = '\0';
    }
    return n;
}

static int
id_parse(const char *text, int64_t *ret)
{
    size_t len = strspn(text, "0123456789");

    if (len == 0 || len > 10 || text[len])
        return 0;
    *ret = strtoll(text, NULL, 10);
    return *ret <= UINT32_MAX;
}

/* What the password column says, without what it holds. */
static const char *
password_word(const char *text)
{
    return strcmp(text, "x") == 0         ? "shadow"
           : *text == '\0'                ? "none"
           : *text == '!' || *text == '*' ? "locked"
                                          : "in_file";
}

static void
put_column(struct sonde_host *host, struct sonde_record *record, const char *field,
           const char *text)
{
    host->put_bytes(host, record, field, text, strlen(text));
}

static int
user_emit(struct sonde_host *host, char *columns[])
{
    struct sonde_record *record;
    int64_t uid, gid;

    if (!id_parse(columns[2], &uid) || !id_parse(columns[3], &gid))
        return -EBADMSG;
    record = host->record(host, "user", columns[0]);
    put_column(host, record, "name", columns[0]);
    host->put_str(host, record, "password", password_word(columns[1]));
    host->put_int(host, record, "uid", uid);
    host->put_int(host, record, "gid", gid);
    put_column(host, record, "gecos", columns[4]);
    put_column(host, record, "home", columns[5]);
    put_column(host, record, "shell", columns[6]);
    return host->emit(host, record);
}

static void
put_members(struct sonde_host *host, struct sonde_record *record, char *text)
{
    size_t n = 0, most = 1;
    const char **list;
    char *save, *word;

    for (const char *c = text; *c; c++)
        most += *c == ',' || *c == ' ';
    list = most <= MAX_MEMBERS ? malloc(most * sizeof *list) : NULL;
    if (!list) {
        host->put_none(host, record, "members", -E2BIG);
        return;
    }
    for (word = strtok_r(text, ", ", &save); word; word = strtok_r(NULL, ", ", &save))
        list[n++] = word;
    host->put_list(host, record, "members", list, n);
    free(list);
}

static int
group_emit(struct sonde_host *host, char *columns[])
{
    struct sonde_record *record;
    int64_t gid;

    if (!id_parse(columns[2], &gid))
        return -EBADMSG;
    record = host->record(host, "group", columns[0]);
    put_column(host, record, "name", columns[0]);
    host->put_int(host, record, "gid", gid);
    put_members(host, record, columns[3]);
    return host->emit(host, record);
}

/* Lines that the C library would not take as an account are passed over and counted:
 * blank ones, comments, NIS entries (+, -), missing columns, ids that are no number.  Of
 * two accounts with one name the first one is the one that counts.
 */
static int
line_take(struct account *account, struct sonde_host *host,
          const struct account_file *file, char *line)
{
    char *columns[MAX_COLUMNS];
    int r;

    line += strspn(line, " \t\r");
    if (*line == '\0' || *line == '#')
        return 0;
    if (*line == '+' || *line == '-' || *line == ':' ||
        columns_split(line, columns) != file->columns) {
        account->odd++;
        return 0;
    }
    r = seen_add(&account->seen, columns[0], strlen(columns[0]));
    if (r > 0)
        r = file->emit(host, columns);
    if (r != -EBADMSG)
        return r;
    account->odd++;
    return 0;
}

/* The file ends. */
static int
account_end(struct fact_scan *scan, const struct account_file *file)
{
    struct account *account = scan->state;

    if (account->odd > 0)
        scan->host->log(scan->host, SONDE_LOG_INFO,
                        "%s: %u lines are no account, skipped", file->path, account->odd);
    return SONDE_DONE;
}

static int
account_step(struct fact_scan *scan, const struct account_file *file)
{
    struct account *account = scan->state;
    char *line;
    size_t len;
    int r = 0;

    if (!account->lines.buffer)
        r = lines_open(&account->lines, scan->host, file->path);
    if (r == -ENOENT || r == -ENOTDIR)
        return SONDE_DONE; /* a root without accounts */
    for (int i = 0; i < LINES_PER_STEP && r == 0; i++) {
        r = lines_next(&account->lines, &line, &len);
        if (r == 0)
            return account_end(scan, file);
        if (r > 0)
            r = line_take(account, scan->host, file, line);
    }
    if (r < 0 && account->lines.number == 0)
        return fact_failed(scan, r, "%s", file->path);
    return r < 0 ? fact_failed(scan, r, "%s: after line %u", file->path,
                               account->lines.number)
                 : SONDE_MORE;
}

static int
user_step(struct fact_scan *scan)
{
    return account_step(scan, &(struct account_file){"/etc/passwd", 7, user_emit});
}

static int
group_step(struct fact_scan *scan)
{
    return account_step(scan, &(struct account_file){"/etc/group", 4, group_emit});
}

static void
account_close(void *state)
{
    struct account *account = state;

    lines_close(&account->lines);
    seen_done(&account->seen);
}

const struct fact fact_user = {.kind = "user",
                               .state_size = sizeof(struct account),
                               .step = user_step,
                               .close = account_close};
const struct fact fact_group = {.kind = "group",
                                .state_size = sizeof(struct account),
                                .step = group_step,
                                .close = account_close};
