/* SPDX-License-Identifier: Apache-2.0 */
/* queue.db after damage. */
#include <errno.h>

#include "queue-db.h"
#include "repair.h"

static const char *const mending[] = {
    "UPDATE tickets SET ended=requested WHERE ended IS NULL AND state IN"
    " ('DONE', 'INCOMPLETE', 'FAILED', 'CANCELLED')",
    "UPDATE tickets SET state='FAILED', reason='its entry in the queue was damaged',"
    " ended=requested WHERE ended IS NULL AND state NOT IN " QUEUE_OPEN_STATES,
    "UPDATE scans SET state='ENDED', outcome=coalesce(outcome, 'FAILED'),"
    " reason='its entry in the queue was damaged' WHERE state NOT IN"
    " ('QUEUED', 'DELAYED', 'RUNNING', 'ENDED')",
    "INSERT OR IGNORE INTO scans(id, application, state, cputhrottle)"
    " SELECT scan, application, state, min(throttle) FROM tickets WHERE ended IS NULL"
    " AND scan NOT IN (SELECT id FROM scans) GROUP BY scan",
    "INSERT OR IGNORE INTO scans(id, application, state, cputhrottle, outcome, ended)"
    " SELECT scan, application, 'ENDED', min(throttle), max(state), max(ended)"
    " FROM tickets WHERE ended IS NOT NULL AND scan NOT IN (SELECT id FROM scans) GROUP "
    "BY scan",
    "UPDATE tickets SET state='FAILED', reason='its entry in the queue was damaged',"
    " ended=requested WHERE ended IS NULL AND EXISTS (SELECT 1 FROM scans WHERE"
    " id=tickets.scan AND (state='ENDED' OR application<>tickets.application))",
    "UPDATE tickets SET state=(SELECT state FROM scans WHERE id=tickets.scan)"
    " WHERE ended IS NULL AND state<>(SELECT state FROM scans WHERE id=tickets.scan)",
    "UPDATE scans SET state='ENDED', outcome='CANCELLED',"
    " reason='nobody wants it' WHERE state<>'ENDED' AND trigger='ondemand' AND id NOT IN"
    " (SELECT scan FROM tickets WHERE ended IS NULL)",
    "UPDATE scans SET ended=coalesce(started, queued, '1970-01-01T00:00:00Z')"
    " WHERE state='ENDED' AND ended IS NULL",
    "DELETE FROM intervals WHERE due NOT BETWEEN 0 AND 4294967296"
    " OR number NOT BETWEEN 0 AND 4294967296 OR failures NOT BETWEEN 0 AND 4294967296"
    " OR success NOT BETWEEN 0 AND 4294967296",
};

/* No statement of ours has written these. */
static const char *const impossible[] = {
    "DELETE FROM scans WHERE id NOT BETWEEN 1 AND 4294967296"
    " OR length(application) NOT BETWEEN 1 AND 32",
    "DELETE FROM sqlite_sequence WHERE seq NOT BETWEEN 1 AND 4294967296",
    "DELETE FROM tickets WHERE length(stamp) <> 14 OR stamp GLOB '*[^0-9]*'"
    " OR n NOT BETWEEN 0 AND 999999999 OR scan NOT BETWEEN 1 AND 4294967296"
    " OR length(application) NOT BETWEEN 1 AND 32",
    "DELETE FROM intervals WHERE length(application) NOT BETWEEN 1 AND 32",
    "UPDATE tickets SET throttle=max(0, min(throttle, 1000)),"
    " cputhrottle=max(0, min(cputhrottle, 1000))",
    "UPDATE scans SET cputhrottle=max(0, min(cputhrottle, 1000))",
};

enum { LOST_N = 99999 }; /* more than anybody can ask for in a second */
enum { N_MENDING = sizeof mending / sizeof *mending };
enum { N_IMPOSSIBLE = sizeof impossible / sizeof *impossible };

int
queue_mend(struct db *db)
{
    return queue_run_all(db, mending, N_MENDING);
}

static int
make(struct db *fresh, void *arg, struct why *why)
{
    int r = queue_make(fresh, 0);

    (void)arg;
    return r < 0 ? why_set(why, r, "%s", db_error(fresh)) : 0;
}

static int
mend(struct db *fresh, void *arg, struct why *why)
{
    int r = queue_run_all(fresh, impossible, N_IMPOSSIBLE);

    if (r >= 0)
        r = queue_mend(fresh);
    /* Tickets may be lost: no ControlId of any second until now comes again. */
    if (r >= 0)
        r = queue_forget(fresh, arg, LOST_N);
    return r < 0 ? why_set(why, r, "%s", db_error(fresh)) : 0;
}

int
queue_repair(const char *path, time_t now, struct why *ret_note, struct why *why)
{
    static const char *const tables[] = {"scans", "tickets",         "intervals",
                                         "meta",  "sqlite_sequence", NULL};
    char stamp[CONTROLID_STAMP_LEN + 1] = "";
    const struct repair_plan plan = {.tables = tables,
                                     .schema = queue_schema,
                                     .make = make,
                                     .mend = mend,
                                     .arg = stamp};
    struct repair_done done = {.rows = 0};
    struct why wrong = {""};
    int r = repair_check(path, &wrong);

    if (r != -EUCLEAN) /* what cannot be looked at cannot be opened, which says why */
        return 0;
    controlid_stamp(now, stamp);
    r = repair_database(path, &plan, &done, why);
    if (r < 0)
        return r;
    why_put(ret_note, "%.160s; %lld rows of it were kept, and it is %.200s now",
            wrong.text, (long long)done.rows, done.aside);
    return 0;
}
