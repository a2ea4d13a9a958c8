/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli.h"

/* Tables for people, objects for programs; reasons come whole below the tables. */
struct listing {
    const struct cli *cli;
    int64_t n; /* items */
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
                                       "STATE",       "NEXT",   "TITLE",    NULL};
    /* The ControlId says when it was asked. */
    static const char *const tickets[] = {"CONTROLID", "APP",      "STATE",
                                          "ENDED",     "THROTTLE", "CPU_S",
                                          "RECORDS",   "SCAN",     NULL};

    listing->cli = cli;
    listing->n = 0;
    columns(&listing->apps, apps);
    columns(&listing->tickets, tickets);
    listing->reasons = open_memstream(&listing->reasons_text, &listing->reasons_len);
}

static void
add_app(struct table *table, const struct json *app)
{
    char time[CLI_TIME_SIZE];
    const struct json *serial = json_get(app, "serial");

    table_cell(table, json_get_str(app, "application"));
    table_cell(table, json_get_bool(app, "active", false) ? "yes" : "no");
    table_cell(table, json_get_str(app, "manifest"));
    if (json_type(serial) == JSON_NUMBER)
        table_int(table, json_int(serial, 0));
    else
        table_cell(table, NULL);
    table_cell(table, json_get_str(app, "state"));
    table_cell(table, cli_local_time(json_get_str(app, "next_scan"), time));
    table_cell(table, json_get_str(app, "title"));
}

/* A ticket, or an interval scan, which nobody asked for. */
static void
add_ticket(struct table *table, const struct json *ticket, const char *name)
{
    char time[CLI_TIME_SIZE], cpu[32] = "";
    int64_t records = 0, scan = json_get_int(ticket, "scan", 0);

    for (const struct json *kind = json_first(json_get(ticket, "records")); kind;
         kind = json_next(kind))
        records += json_int(kind, 0);
    if (json_type(json_get(ticket, "cpu_seconds")) == JSON_NUMBER)
        snprintf(cpu, sizeof cpu, "%.3f", json_get_real(ticket, "cpu_seconds", 0));
    table_cell(table, name);
    table_cell(table, json_get_str(ticket, "application"));
    table_cell(table, json_get_str(ticket, "state"));
    table_cell(table, cli_local_time(json_get_str(ticket, "ended"), time));
    table_int(table, json_get_int(ticket, "cputhrottle", 0));
    table_cell(table, cpu);
    table_int(table, records);
    if (scan > 0)
        table_int(table, scan);
    else
        table_cell(table, NULL);
}

/* "NAME: reason", where there is one. */
static void
add_reason(struct listing *listing, const char *name, const char *before,
           const char *reason)
{
    if (!listing->reasons || !reason || !reason[0])
        return;
    cli_print(listing->reasons, "%s: %s%s", name, before, reason);
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
take_agent(struct listing *listing, const struct json *agent)
{
    (void)listing;
    print_agent(agent);
}

static void
take_app(struct listing *listing, const struct json *app)
{
    const char *name = json_get_str(app, "application");
    const char *until = json_get_str(app, "blackout_until");
    char time[CLI_TIME_SIZE];

    add_app(&listing->apps, app);
    add_reason(listing, name, "", json_get_str(app, "reason"));
    if (until)
        add_reason(listing, name, "no interval scan begins before ",
                   cli_local_time(until, time));
}

static void
take_ticket(struct listing *listing, const struct json *ticket)
{
    const char *id = json_get_str(ticket, "control_id");

    add_ticket(&listing->tickets, ticket, id);
    add_reason(listing, id, "", json_get_str(ticket, "reason"));
}

static void
take_scan(struct listing *listing, const struct json *scan)
{
    char name[40];

    snprintf(name, sizeof name, "scan %lld", (long long)json_get_int(scan, "scan", 0));
    add_ticket(&listing->tickets, scan, "interval");
    add_reason(listing, name, "", json_get_str(scan, "reason"));
}

static void
listing_item(const struct json *line, void *arg)
{
    static const struct {
        const char *name;
        void (*take)(struct listing *listing, const struct json *item);
    } items[] = {
        {"agent", take_agent},
        {"application", take_app},
        {"ticket", take_ticket},
        {"scan", take_scan},
    };
    struct listing *listing = arg;

    for (size_t i = 0; i < sizeof items / sizeof items[0]; i++) {
        const struct json *item = json_get(line, items[i].name);

        if (!item)
            continue;
        listing->n++;
        if (listing->cli->json)
            cli_print_json(item);
        else
            items[i].take(listing, item);
    }
}

static int
listing_print(const struct listing *listing)
{
    int r = 0;

    if (listing->n == 0 && !listing->cli->json)
        fputs("nothing to list\n", stderr);
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
