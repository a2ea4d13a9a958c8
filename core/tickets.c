/* SPDX-License-Identifier: Apache-2.0 */
/* Looking at the queue: tickets and interval scans as rows. */
#include <stdio.h>
#include <string.h>

#include "json-check.h"
#include "json.h"
#include "queue-db.h"

struct ticket {
    struct db_rows *rows;
};

enum {
    CONTROL_ID,
    APPLICATION,
    STATE,
    REASON,
    REQUESTED,
    STARTED,
    ENDED,
    ASKED,
    EFFECTIVE,
    CPU,
    SCAN,
    RECORDS,
    CHANGES
};

/* A ticket that left its scan to others has nothing of what became of it. */
static const char format[] =
    "SELECT * FROM (SELECT t.stamp || '.' || t.n, t.application, t.state, t.reason,"
    " t.requested, t.started, t.ended, t.cputhrottle, s.cputhrottle,"
    " CASE WHEN t.state IS s.outcome THEN s.cpu_seconds END, t.scan,"
    " CASE WHEN t.state IS s.outcome THEN s.records END,"
    " CASE WHEN t.state IS s.outcome THEN s.changes END, t.rowid AS row"
    " FROM tickets AS t JOIN scans AS s ON s.id = t.scan"
    " WHERE %s AND (?1='' OR (t.stamp=?1 AND t.n=?2)) AND (?3 IS NULL OR "
    "t.application=?3)"
    " AND (?4=0 OR t.scan=?4) AND (?5=0 OR t.ended IS NULL)"
    " ORDER BY t.rowid DESC LIMIT ?7)"
    " UNION ALL SELECT * FROM (SELECT NULL, application, CASE state WHEN 'ENDED' THEN"
    " coalesce(outcome, 'FAILED') ELSE state END, reason, queued, started, ended,"
    " cputhrottle, cputhrottle, cpu_seconds, id, records, changes, 0 AS row FROM scans"
    " WHERE ?6=1 AND trigger='interval' AND (?3 IS NULL OR application=?3)"
    " AND (?4=0 OR id=?4) AND (?5=0 OR state<>'ENDED') ORDER BY id DESC LIMIT ?7)"
    " ORDER BY 11 DESC, 14 DESC LIMIT ?7";

int
queue_tickets(struct queue *queue, const struct queue_filter *filter,
              void (*fn)(const struct ticket *ticket, void *arg), void *arg)
{
    struct controlid id = {"", -1};
    struct ticket ticket = {NULL};
    char sql[sizeof format + 32];
    int n = 0, r;

    if (filter->control_id && controlid_parse(filter->control_id, &id) < 0)
        return 0;
    snprintf(sql, sizeof sql, format,
             filter->control_id ? "t.stamp=?1 AND t.n=?2"
             : filter->scan     ? "t.scan=?4"
             : filter->open     ? "t.ended IS NULL"
                                : "1"); /* what an index knows */
    r = db_query(queue->db, &ticket.rows, sql, "sisiiii", id.stamp, id.n,
                 filter->application, filter->scan, (int64_t)filter->open,
                 (int64_t)filter->intervals, (int64_t)filter->limit);
    while (r >= 0 && (r = db_next(ticket.rows)) == 1) {
        fn(&ticket, arg);
        n++;
    }
    db_rows_done(ticket.rows);
    return r < 0 ? r : n;
}

static const char *
text(const struct ticket *ticket, int column)
{
    return db_text(ticket->rows, column, NULL);
}

const char *
ticket_control_id(const struct ticket *ticket)
{
    return text(ticket, CONTROL_ID);
}

const char *
ticket_application(const struct ticket *ticket)
{
    return text(ticket, APPLICATION);
}

const char *
ticket_state(const struct ticket *ticket)
{
    return text(ticket, STATE);
}

int64_t
ticket_scan(const struct ticket *ticket)
{
    return db_int(ticket->rows, SCAN);
}

bool
ticket_state_is_final(const char *state)
{
    return strcmp(state, TICKET_QUEUED) != 0 && strcmp(state, TICKET_DELAYED) != 0 &&
           strcmp(state, TICKET_RUNNING) != 0;
}

static const char *
or_dash(const char *s)
{
    return s ? s : "-";
}

void
ticket_times(const struct ticket *ticket, struct ticket_times *ret)
{
    *ret = (struct ticket_times){
        .reason = text(ticket, REASON),
        .requested = or_dash(text(ticket, REQUESTED)),
        .started = or_dash(text(ticket, STARTED)),
        .ended = or_dash(text(ticket, ENDED)),
        .cputhrottle = db_int(ticket->rows, ASKED),
        .effective = db_int(ticket->rows, EFFECTIVE),
        .cpu_s = db_real(ticket->rows, CPU),
    };
}

/* JSON of the database; damage must not spoil the line that it stands in. */
static const char *
object(const struct ticket *ticket, int column)
{
    const char *json = text(ticket, column);

    return json && json_check_flat(json, strlen(json), NULL) == 0 ? json : NULL;
}

void
ticket_write(const struct ticket *ticket, struct json_out *out)
{
    const char *control_id = text(ticket, CONTROL_ID);
    const char *records = object(ticket, RECORDS);

    json_out_object(out, control_id ? "ticket" : "scan");
    if (control_id)
        json_out_str(out, "control_id", control_id);
    json_out_str(out, "application", text(ticket, APPLICATION));
    if (!control_id)
        json_out_str(out, "trigger", "interval");
    json_out_str(out, "state", text(ticket, STATE));
    json_out_str(out, "reason", text(ticket, REASON));
    json_out_str(out, "requested", text(ticket, REQUESTED));
    json_out_str(out, "started", text(ticket, STARTED));
    json_out_str(out, "ended", text(ticket, ENDED));
    json_out_int(out, "cputhrottle", db_int(ticket->rows, ASKED));
    if (control_id)
        json_out_int(out, "effective_cputhrottle", db_int(ticket->rows, EFFECTIVE));
    if (db_type(ticket->rows, CPU) == 'n')
        json_out_null(out, "cpu_seconds");
    else
        json_out_real(out, "cpu_seconds", db_real(ticket->rows, CPU));
    json_out_int(out, "scan", ticket_scan(ticket));
    json_out_raw(out, "records", records ? records : "{}");
    json_out_raw(out, "changes", object(ticket, CHANGES));
    json_out_end(out, '}');
}
