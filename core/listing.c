/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli.h"

/* Tables for people, objects for programs; reasons come whole below the tables. */
struct listing {
    const struct cli *cli;
    struct table apps, tickets;
    FILE *reasons;
    char *reasons_text;
    size_t reasons_len;
};

const char *
cli_local_time(const char *rfc3339, char ret[CLI_TIME_SIZE])
{
    struct tm tm = {.tm_isdst = 0};
    time_t t;

    snprintf(ret, CLI_TIME_SIZE, "%s", rfc3339 ? rfc3339 : "-");
    if (!rfc3339 || !strptime(rfc3339, "%Y-%m-%dT%H:%M:%SZ", &tm))
        return ret;
    t = timegm(&tm);
    if (localtime_r(&t, &tm))
        strftime(ret, CLI_TIME_SIZE, "%Y-%m-%d %H:%M:%S", &tm);
    return ret;
}

static void
columns(struct table *table, const char *const heads[])
{
    table_init(table);
    for (; *heads; heads++)
        table_column(table, *heads);
}

static void
listing_init(struct listing *listing, const struct cli *cli)
{
    static const char *const apps[] = {"APPLICATION", "ACTIVE", "MANIFEST", "SERIAL",
                                       "STATE",       "TITLE",  NULL};
    /* The ControlId says when it was asked. */
    static const char *const tickets[] = {"CONTROLID", "APP",   "STATE",   "ENDED",
                                          "THROTTLE",  "CPU_S", "RECORDS", NULL};

    listing->cli = cli;
    columns(&listing->apps, apps);
    columns(&listing->tickets, tickets);
    listing->reasons = open_memstream(&listing->reasons_text, &listing->reasons_len);
}

static void
add_app(struct table *table, const struct json *app)
{
    const struct json *serial = json_get(app, "serial");

    table_cell(table, json_get_str(app, "application"));
    table_cell(table, json_get_bool(app, "active", false) ? "yes" : "no");
    table_cell(table, json_get_str(app, "manifest"));
    if (json_type(serial) == JSON_NUMBER)
        table_int(table, json_int(serial, 0));
    else
        table_cell(table, NULL);
    table_cell(table, json_get_str(app, "state"));
    table_cell(table, json_get_str(app, "title"));
}

static void
add_ticket(struct table *table, const struct json *ticket)
{
    char time[CLI_TIME_SIZE], cpu[32] = "";
    int64_t records = 0;

    for (const struct json *kind = json_first(json_get(ticket, "records")); kind;
         kind = json_next(kind))
        records += json_int(kind, 0);
    if (json_type(json_get(ticket, "cpu_seconds")) == JSON_NUMBER)
        snprintf(cpu, sizeof cpu, "%.3f", json_get_real(ticket, "cpu_seconds", 0));
    table_cell(table, json_get_str(ticket, "control_id"));
    table_cell(table, json_get_str(ticket, "application"));
    table_cell(table, json_get_str(ticket, "state"));
    table_cell(table, cli_local_time(json_get_str(ticket, "ended"), time));
    table_int(table, json_get_int(ticket, "cputhrottle", 0));
    table_cell(table, cpu);
    table_int(table, records);
}

/* "NAME: reason", where there is one. */
static void
add_reason(struct listing *listing, const struct json *item, const char *name)
{
    const char *reason = json_get_str(item, "reason");

    if (!listing->reasons || !reason || !reason[0])
        return;
    cli_print(listing->reasons, "%s: %s", json_get_str(item, name), reason);
    fputc('\n', listing->reasons);
}

static void
print_agent(const struct json *agent)
{
    cli_print(stdout, "agent %s, version %s, process %lld", json_get_str(agent, "id"),
              json_get_str(agent, "version"), (long long)json_get_int(agent, "pid", 0));
    putchar('\n');
    cli_print(stdout, "root %s, state folder %s, socket %s", json_get_str(agent, "root"),
              json_get_str(agent, "state_folder"), json_get_str(agent, "socket"));
    fputs("\n\n", stdout);
}

static void
listing_item(const struct json *line, void *arg)
{
    static const char *const names[] = {"agent", "application", "ticket"};
    struct listing *listing = arg;

    for (int i = 0; i < 3; i++) {
        const struct json *item = json_get(line, names[i]);

        if (!item)
            continue;
        if (listing->cli->json)
            cli_print_json(item);
        else if (i == 0)
            print_agent(item);
        else if (i == 1) {
            add_app(&listing->apps, item);
            add_reason(listing, item, "application");
        } else {
            add_ticket(&listing->tickets, item);
            add_reason(listing, item, "control_id");
        }
    }
}

static int
listing_print(const struct listing *listing)
{
    int r = 0;

    if (listing->apps.n_cells)
        r = cli_print_table(listing->cli, &listing->apps);
    if (listing->apps.n_cells && listing->tickets.n_cells)
        putchar('\n');
    if (r == 0 && listing->tickets.n_cells)
        r = cli_print_table(listing->cli, &listing->tickets);
    if (listing->reasons && fflush(listing->reasons) == 0 && listing->reasons_len)
        printf("\n%s", listing->reasons_text);
    return r;
}

static void
listing_done(struct listing *listing)
{
    table_done(&listing->apps);
    table_done(&listing->tickets);
    if (listing->reasons)
        fclose(listing->reasons);
    free(listing->reasons_text);
}

int
listing_ask(const struct cli *cli, const struct client_request *request)
{
    struct listing listing;
    int r;

    listing_init(&listing, cli);
    r = client_ask(cli, request, listing_item, &listing, NULL);
    if (r == 0)
        r = listing_print(&listing);
    listing_done(&listing);
    return r;
}
