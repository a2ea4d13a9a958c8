/* SPDX-License-Identifier: Apache-2.0 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "chaos.h"
#include "db.h"
#include "processes.h"

enum { SETTLE_MS = 30000 };

static struct db *
open_db(const struct chaos *chaos, const char *name, bool write)
{
    struct db *db = NULL;
    char path[4096];
    int r;

    snprintf(path, sizeof path, "%s/state/%s", chaos->folder, name);
    r = write ? db_open(path, false, &db) : db_open_readonly(path, &db);
    if (r < 0)
        fprintf(stderr, "%s: %s\n", path, db_error(NULL));
    return r < 0 ? NULL : db;
}

/* One number; -1: it could not be had, which is tried again by who waits. */
static long
count(struct db *db, const char *sql)
{
    struct db_rows *rows = NULL;
    long n = -1;

    if (db && db_query(db, &rows, sql, "") == 0 && db_next(rows) == 1)
        n = (long)db_int(rows, 0);
    db_rows_done(rows);
    return n;
}

long
check_count(struct chaos *chaos, const char *sql)
{
    struct db *db = open_db(chaos, "queue.db", false);
    long n = count(db, sql);

    db_close(db);
    return n;
}

bool
check_begin(struct chaos *chaos)
{
    struct db *db = open_db(chaos, "results/sonde.db", true);
    int r = db ? db_exec(db, "CREATE TABLE stored(scan INTEGER);"
                             "CREATE TRIGGER note AFTER INSERT ON scans"
                             " WHEN new.outcome IS NOT NULL BEGIN"
                             " INSERT INTO stored VALUES(new.id); END")
               : -1;

    db_close(db);
    return r >= 0;
}

/* ---- rows that must not be ---- */

/* Each row is a fault: its first column says of what. */
static void
none_of(struct chaos *chaos, struct db *db, enum fault what, const char *words,
        const char *sql, int64_t from)
{
    struct db_rows *rows = NULL;
    int r = db_query(db, &rows, sql, "i", from);

    while (r >= 0 && (r = db_next(rows)) == 1)
        fault(chaos, what, "%s: %s", words, db_text(rows, 0, NULL));
    if (r < 0)
        fault(chaos, FAULT_WORD, "%s: %s", words, db_error(db));
    db_rows_done(rows);
}

void
check_order(struct chaos *chaos)
{
    struct db *db = open_db(chaos, "queue.db", false);

    if (db)
        none_of(chaos, db, FAULT_WORD, "scans of one application that are in one state",
                "SELECT application || ' ' || state || ' ' || group_concat(id) FROM scans"
                " WHERE state<>'ENDED' AND id>?1 GROUP BY application, state"
                " HAVING count(*)>1+(state='DELAYED')",
                0);
    db_close(db);
}

static const struct {
    enum fault what;
    const char *words, *sql;
} queue_rules[] = {
    {FAULT_STUCK, "a ticket that has a state of its own",
     "SELECT stamp||'.'||n||' '||state FROM tickets WHERE ended IS NOT NULL AND state NOT"
     " IN ('DONE','INCOMPLETE','FAILED','CANCELLED') AND scan>?1"},
    {FAULT_WORD, "it failed without a reason",
     "SELECT stamp||'.'||n FROM tickets WHERE state='FAILED' AND reason='' AND scan>?1"},
    {FAULT_LOST, "a ticket without a scan",
     "SELECT stamp||'.'||n FROM tickets WHERE scan>?1 AND scan NOT IN"
     " (SELECT id FROM scans)"},
    {FAULT_WORD, "a ticket has ended otherwise than its scan",
     "SELECT t.stamp||'.'||t.n||' '||t.state||', scan '||s.id||' '||s.state||' '||"
     "ifnull(s.outcome,'-') FROM tickets AS t JOIN scans AS s ON s.id=t.scan WHERE"
     " t.state<>'CANCELLED' AND t.state IS NOT s.outcome AND t.scan>?1"},
    {FAULT_WORD, "a ticket and its scan are of two applications",
     "SELECT t.stamp||'.'||t.n FROM tickets AS t JOIN scans AS s ON s.id=t.scan WHERE"
     " t.application<>s.application AND t.scan>?1"},
};

static const struct {
    enum fault what;
    const char *words, *sql;
} store_rules[] = {
    {FAULT_TWICE, "a scan was stored more than once",
     "SELECT scan FROM stored WHERE scan>?1 GROUP BY scan HAVING count(*)>1"},
    {FAULT_TWICE, "what is stored of batch is of more than one scan",
     "SELECT count(DISTINCT json_extract(data,'$.began')) FROM records WHERE"
     " application='batch' AND ?1>=0 GROUP BY application HAVING"
     " count(DISTINCT json_extract(data,'$.began'))>1"},
    {FAULT_WORD, "changes of a scan that is not stored",
     "SELECT DISTINCT scan FROM changes WHERE scan>?1 AND scan NOT IN"
     " (SELECT id FROM scans)"},
};

/* ---- scans: the two databases agree ---- */

struct row {
    char application[40], outcome[16];
};

static bool
row_of(struct db *db, const char *sql, int64_t scan, struct row *ret)
{
    struct db_rows *rows = NULL;
    bool found = db_query(db, &rows, sql, "i", scan) == 0 && db_next(rows) == 1;

    *ret = (struct row){"", ""};
    if (found) {
        snprintf(ret->application, sizeof ret->application, "%s", db_text(rows, 0, NULL));
        if (db_text(rows, 1, NULL))
            snprintf(ret->outcome, sizeof ret->outcome, "%s", db_text(rows, 1, NULL));
    }
    db_rows_done(rows);
    return found;
}

/* Done and incomplete: stored once; failed: perhaps; cancelled: never. */
static void
check_scan(struct chaos *chaos, struct db *store, int64_t scan, const char *application,
           const char *outcome)
{
    struct row row;
    bool found =
        row_of(store, "SELECT application, outcome FROM scans WHERE id=?", scan, &row);

    if (found &&
        (strcmp(row.outcome, outcome) != 0 || strcmp(row.application, application) != 0))
        fault(chaos, FAULT_WORD, "scan %lld of %s: %s, but stored: %s of %s",
              (long long)scan, application, outcome, row.outcome, row.application);
    if (!found && (strcmp(outcome, "DONE") == 0 || strcmp(outcome, "INCOMPLETE") == 0))
        fault(chaos, FAULT_LOST, "scan %lld of %s: %s, but is not stored",
              (long long)scan, application, outcome);
}

static int64_t
check_scans(struct chaos *chaos, struct db *queue, struct db *store, int64_t from)
{
    struct db_rows *rows = NULL;
    int64_t last = from;

    if (db_query(queue, &rows,
                 "SELECT id, application, outcome FROM scans WHERE state='ENDED'"
                 " AND id>? ORDER BY id",
                 "i", from) == 0)
        while (db_next(rows) == 1) {
            last = db_int(rows, 0);
            check_scan(chaos, store, last, db_text(rows, 1, NULL),
                       db_text(rows, 2, NULL) ? db_text(rows, 2, NULL) : "");
        }
    db_rows_done(rows);
    return last;
}

/* And nothing is stored that the queue does not know as ended. */
static void
check_stored(struct chaos *chaos, struct db *queue, struct db *store, int64_t from)
{
    struct db_rows *rows = NULL;
    struct row row;

    if (db_query(store, &rows, "SELECT id FROM scans WHERE id>?", "i", from) == 0)
        while (db_next(rows) == 1)
            if (!row_of(queue,
                        "SELECT application, outcome FROM scans WHERE id=?"
                        " AND state='ENDED'",
                        db_int(rows, 0), &row))
                fault(chaos, FAULT_WORD, "scan %lld is stored, but has not ended",
                      (long long)db_int(rows, 0));
    db_rows_done(rows);
}

/* ---- tickets: the queue and the model agree ---- */

static void
check_tickets(struct chaos *chaos, struct db *queue, int from)
{
    struct controlid id;

    for (int i = from; i < chaos->n_tickets; i++) {
        struct db_rows *rows = NULL;
        int r = controlid_parse(chaos->tickets[i].id, &id);

        if (r == 0)
            r = db_query(queue, &rows,
                         "SELECT state, scan FROM tickets WHERE stamp=? AND n=?", "si",
                         id.stamp, id.n);
        if (r >= 0 && db_next(rows) == 1)
            ticket_told(chaos, chaos->tickets[i].id, db_text(rows, 0, NULL),
                        db_int(rows, 1));
        else
            fault(chaos, FAULT_LOST, "ticket %s is not in the queue",
                  chaos->tickets[i].id);
        db_rows_done(rows);
    }
}

static void
check_databases(struct chaos *chaos, bool again)
{
    struct db *queue = open_db(chaos, "queue.db", false),
              *store = open_db(chaos, "results/sonde.db", false);
    int64_t from = again ? 0 : chaos->scans_checked;

    if (!queue || !store)
        fault(chaos, FAULT_LOST, "a database cannot be read");
    else {
        for (size_t i = 0; i < sizeof queue_rules / sizeof queue_rules[0]; i++)
            none_of(chaos, queue, queue_rules[i].what, queue_rules[i].words,
                    queue_rules[i].sql, from);
        for (size_t i = 0; i < sizeof store_rules / sizeof store_rules[0]; i++)
            none_of(chaos, store, store_rules[i].what, store_rules[i].words,
                    store_rules[i].sql, from);
        chaos->scans_checked = check_scans(chaos, queue, store, from);
        check_stored(chaos, queue, store, from);
        check_tickets(chaos, queue, again ? 0 : chaos->tickets_checked);
        chaos->tickets_checked = chaos->n_tickets;
    }
    db_close(queue);
    db_close(store);
}

void
check_cancelled(struct chaos *chaos, const char *application)
{
    struct db *db = open_db(chaos, "queue.db", false);
    struct db_rows *rows = NULL;

    if (db &&
        db_query(
            db, &rows,
            "SELECT id, outcome FROM scans WHERE application=? AND trigger='interval'"
            " AND state='ENDED' ORDER BY id DESC LIMIT 1",
            "s", application) == 0 &&
        db_next(rows) == 1 && strcmp(db_text(rows, 1, NULL), "CANCELLED") != 0)
        fault(chaos, FAULT_WORD, "cancel of %s was answered, but interval scan %lld: %s",
              application, (long long)db_int(rows, 0), db_text(rows, 1, NULL));
    db_rows_done(rows);
    db_close(db);
}

/* ---- coming to rest ---- */

struct left {
    struct chaos *chaos;
    int n;
    bool tell;
};

static bool
note_left(int pid, const char *what, void *arg)
{
    struct left *left = arg;

    if (pid == left->chaos->agent)
        return true;
    left->n++;
    if (left->tell)
        fault(left->chaos, FAULT_LEFT, "process %d (%s)", pid, what);
    return true;
}

static int
processes_left(struct chaos *chaos, bool tell)
{
    struct left left = {chaos, 0, tell};

    processes_each(chaos->folder, note_left, &left);
    return left.n;
}

/* An interval scan may stay queued until its time. */
static const char open_scans[] = "SELECT count(*) FROM scans WHERE state='RUNNING' OR"
                                 " (state<>'ENDED' AND trigger='ondemand')";
static const char open_tickets[] = "SELECT count(*) FROM tickets WHERE ended IS NULL";

static bool
is_at_rest(struct chaos *chaos)
{
    struct db *db = chaos->n_requests ? NULL : open_db(chaos, "queue.db", false);
    bool rest = db && count(db, open_tickets) == 0 && count(db, open_scans) == 0;

    db_close(db);
    return rest && processes_left(chaos, false) == 0;
}

static void
tell_stuck(struct chaos *chaos)
{
    struct db *db = open_db(chaos, "queue.db", false);

    if (chaos->n_requests)
        fault(chaos, FAULT_STUCK, "%d requests wait for their answer", chaos->n_requests);
    if (db) {
        none_of(chaos, db, FAULT_STUCK, "open",
                "SELECT t.stamp||'.'||t.n||' '||t.state||' '||t.application||', scan '||"
                "t.scan||' '||ifnull(s.state,'-') FROM tickets AS t LEFT JOIN scans AS s"
                " ON s.id=t.scan WHERE t.ended IS NULL AND ?1>=0",
                0);
        none_of(chaos, db, FAULT_STUCK, "open",
                "SELECT 'scan '||id||' '||state||' '||trigger||' '||application FROM"
                " scans WHERE id>?1 AND (state='RUNNING' OR (state<>'ENDED' AND"
                " trigger='ondemand'))",
                0);
    }
    db_close(db);
    processes_left(chaos, true);
}

void
check_rest(struct chaos *chaos)
{
    int64_t end = now_ms() + SETTLE_MS * chaos->slow;

    if (!chaos->is_normal)
        agent_profile_normal(chaos);
    while (!is_at_rest(chaos) && now_ms() < end && agent_lives(chaos))
        hear(chaos, 10);
    if (now_ms() >= end)
        tell_stuck(chaos);
}

void
check_all(struct chaos *chaos, bool again)
{
    trace(chaos, "check");
    check_rest(chaos);
    check_databases(chaos, again);
}
