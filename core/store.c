/* SPDX-License-Identifier: Apache-2.0 */
/* One scan goes into the store: frames are checked first, then one transaction. */
#include "store.h"

#include <errno.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "db.h"
#include "json.h"
#include "repair.h"
#include "store-frames.h"
#include "store-history.h"
#include "store-repair.h"
#include "store-schema.h"

enum { DIGEST_SIZE = 16, EXAMPLES_MAX = 20, GUARD_LEAST = 20 };

/* Statements that run once per record. */
enum { SEEN, FIND, INSERT, UPDATE, CHANGE, N_STATEMENTS };
static const char *const statements[N_STATEMENTS] = {
    [SEEN] = "INSERT INTO temp.seen (kind, key) VALUES (?, ?)",
    [FIND] = "SELECT digest, volatile, data FROM records"
             " WHERE application = ? AND kind = ? AND key = ?",
    [INSERT] =
        "INSERT INTO records (application, kind, key, digest, data, volatile,"
        " first_seen, last_changed, scan) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7, ?8)",
    /* What is set is computed from the row as it was. */
    [UPDATE] = "UPDATE records SET digest = ?4, data = ?5, volatile = ?6,"
               " last_changed = CASE digest WHEN ?4 THEN last_changed ELSE ?7 END,"
               " scan = ?8 WHERE application = ?1 AND kind = ?2 AND key = ?3",
    [CHANGE] = "INSERT INTO changes (scan, application, kind, key, change, before, after)"
               " VALUES (?, ?, ?, ?, ?, ?, ?)",
};

struct scan {
    const struct store_job *job;
    struct db *db;
    struct db_rows *statement[N_STATEMENTS];
    struct kinds kinds;
    bool complete; /* the plugin said that it is through, or that there is none */
    const char *outcome;
    char reason[512];
    int64_t records, dropped, added, changed, removed;
    struct why *why;
};

/* Pass r on, with the database's words when it is a failure.  Our statements are right: where
 * SQLite says that one is not, tables are not what they were.
 */
static int
checked(struct scan *s, int r)
{
    if (r >= 0)
        return r;
    if (r == -EINVAL)
        r = -EUCLEAN;
    return why_set(s->why, r, "store: %s%s", r == -EUCLEAN ? "damaged: " : "",
                   db_error(s->db));
}

static void
statements_done(struct scan *s)
{
    for (int i = 0; i < N_STATEMENTS; i++) {
        db_rows_done(s->statement[i]);
        s->statement[i] = NULL;
    }
}

static void
scan_free_p(struct scan **s)
{
    if (!*s)
        return;
    statements_done(*s);
    db_close((*s)->db);
    free(*s);
}

/* The first value of a query whose arguments are the application and a text. */
static int
one_number(struct scan *s, const char *sql, const char *text, int64_t *ret)
{
    cleanup(db_rows_done_p) struct db_rows *rows = NULL;
    int r = db_query(s->db, &rows, sql, "ss", s->job->application, text);

    if (r == 0)
        r = db_next(rows);
    *ret = r == 1 ? db_int(rows, 0) : 0;
    return checked(s, r);
}

/* ---- what is there now ---- */

/* What of a kind may be written: all of it was looked at, or the scan got to its end. */
static bool
kind_is_stored(const struct scan *s, const struct kind *kind)
{
    return !kind->failed && (kind->covered || s->complete);
}

static int
change_put(struct scan *s, const struct frame *f, const char *change, const char *before)
{
    int r = db_rebind(s->statement[CHANGE], "isttsst", s->job->scan, s->job->application,
                      f->kind, f->kind_len, f->key, f->key_len, change, before, f->stable,
                      f->stable_len);

    return checked(s, r < 0 ? r : db_next(s->statement[CHANGE]));
}

/* Run INSERT or UPDATE. */
static int
record_put(struct scan *s, int statement, const struct frame *f, const void *digest)
{
    struct db_rows *rows = s->statement[statement];
    int r =
        db_rebind(rows, "sttbttsi", s->job->application, f->kind, f->kind_len, f->key,
                  f->key_len, digest, (size_t)DIGEST_SIZE, f->stable, f->stable_len,
                  f->vol_len ? f->vol : NULL, f->vol_len, s->job->started, s->job->scan);

    return checked(s, r < 0 ? r : db_next(rows));
}

/* The record is in the row at hand of FIND: write what differs, if anything. */
static int
record_compare(struct scan *s, const struct frame *f, const void *digest)
{
    struct db_rows *row = s->statement[FIND];
    size_t digest_len, vol_len;
    const void *old_digest = db_blob(row, 0, &digest_len);
    const char *old_vol = db_text(row, 1, &vol_len);
    int r;

    if (digest_len != DIGEST_SIZE || memcmp(old_digest, digest, DIGEST_SIZE) != 0) {
        s->changed++;
        r = change_put(s, f, "changed", db_text(row, 2, NULL));
        return r < 0 ? r : record_put(s, UPDATE, f, digest);
    }
    if (vol_len != f->vol_len || (vol_len && memcmp(old_vol, f->vol, vol_len) != 0))
        return record_put(s, UPDATE, f, digest);
    return 0;
}

static int
record_store(struct scan *s, struct kind *kind, const struct frame *f)
{
    unsigned char digest[DIGEST_SIZE];
    int r = db_rebind(s->statement[SEEN], "tt", f->kind, f->kind_len, f->key, f->key_len);

    if (r == 0)
        r = db_next(s->statement[SEEN]);
    if (r == -EEXIST) {
        s->dropped++;
        return 0;
    }
    if (r < 0)
        return checked(s, r);
    kind->records++;
    s->records++;
    crypto_generichash(digest, sizeof digest, (const unsigned char *)f->stable,
                       f->stable_len, NULL, 0);
    r = db_rebind(s->statement[FIND], "stt", s->job->application, f->kind, f->kind_len,
                  f->key, f->key_len);
    if (r == 0)
        r = db_next(s->statement[FIND]);
    if (r != 0)
        return r < 0 ? checked(s, r) : record_compare(s, f, digest);
    kind->added++;
    s->added++;
    r = change_put(s, f, "added", NULL);
    return r < 0 ? r : record_put(s, INSERT, f, digest);
}

static int
records_store(struct scan *s, int frames_fd)
{
    cleanup(frames_done) struct frames frames = {.fd = -1};
    struct frame f;
    int r = frames_init(&frames, frames_fd);

    if (r < 0)
        return why_set(s->why, r, "store: %s", strerror(-r));
    while ((r = frames_next(&frames, &f, s->why)) == 1) {
        struct kind *kind;

        if (f.type != FRAME_RECORD)
            continue;
        if (strcmp(s->job->end, END_NONE) == 0)
            return why_set(s->why, -EBADMSG,
                           "frames: a record, though the host has none of this");
        kind = kinds_get(&s->kinds, f.kind, f.kind_len); /* known since the check */
        if (kind && kind_is_stored(s, kind))
            r = record_store(s, kind, &f);
        if (r < 0)
            return r;
    }
    return r;
}

/* ---- what is gone ---- */

/* There is none of it on this host: every kind that the application had is covered. */
static int
cover_all(struct scan *s)
{
    cleanup(db_rows_done_p) struct db_rows *rows = NULL;
    int r = db_query(s->db, &rows,
                     "SELECT DISTINCT kind FROM records WHERE application = ?1 UNION"
                     " SELECT kind FROM coverage WHERE application = ?1",
                     "s", s->job->application);

    while (r >= 0 && (r = db_next(rows)) == 1) {
        size_t len;
        const char *name = db_text(rows, 0, &len);
        struct kind *kind =
            name && len <= FRAME_KIND_MAX ? kinds_get(&s->kinds, name, len) : NULL;

        if (!kind)
            return why_set(s->why, -EUCLEAN, "store: damaged: its kinds");
        kind->covered = true;
    }
    return checked(s, r);
}

#define LOSS_KEY "'loss:' || ? || ':' || ?"

/* May these removals be applied?  A loss of more than half waits for a second scan that says
 * the same; what the first one said is kept in meta.  1, 0 or an error.
 */
static int
loss_is_fine(struct scan *s, const struct kind *kind, int64_t before, int64_t lost)
{
    const char *app = s->job->application;
    int r =
        db_run(s->db, "DELETE FROM meta WHERE key = " LOSS_KEY, "ss", app, kind->name);

    if (r != 0 || before < GUARD_LEAST || lost * 2 <= before)
        return r < 0 ? checked(s, r) : 1;
    r = db_run(s->db, "INSERT INTO meta (key, value) VALUES (" LOSS_KEY ", ?)", "ssi",
               app, kind->name, s->job->scan);
    return checked(s, r) < 0 ? r : 0;
}

#define GONE                                                                             \
    " FROM records WHERE application = ?1 AND kind = ?2 AND NOT EXISTS"                  \
    " (SELECT 1 FROM temp.seen WHERE kind = records.kind AND key = records.key)"

static int
kind_remove(struct scan *s, const struct kind *kind)
{
    const char *app = s->job->application;
    int r = db_run(s->db,
                   "INSERT INTO changes (scan, application, kind, key, change, before)"
                   " SELECT ?3, application, kind, key, 'removed', data" GONE,
                   "ssi", app, kind->name, s->job->scan);

    if (r >= 0)
        r = db_run(s->db, "DELETE" GONE, "ss", app, kind->name);
    if (r > 0)
        s->removed += r;
    return checked(s, r);
}

static void
reason_add(struct scan *s, const char *kind, const char *text)
{
    size_t n = strlen(s->reason);

    if (!*kind && !*text)
        return;
    snprintf(s->reason + n, sizeof s->reason - n, "%s%s%s%s", n > 0 ? "; " : "", kind,
             *kind ? ": " : "", text);
    n = strlen(s->reason);
    if (n == sizeof s->reason - 1) /* cut, but not in the middle of a character */
        while (n > 0 && (s->reason[n - 1] & 0x80))
            s->reason[--n] = '\0';
}

/* A covered kind: what was not seen is gone. */
static int
kind_cover(struct scan *s, struct kind *kind)
{
    int64_t total, before, lost;
    char text[128];
    int r =
        one_number(s, "SELECT count(*) FROM records WHERE application = ? AND kind = ?",
                   kind->name, &total);

    if (r < 0)
        return r;
    before = total - kind->added;
    lost = total - kind->records; /* all that were seen are in by now */
    r = loss_is_fine(s, kind, before, lost);
    if (r < 0)
        return r;
    if (r == 0) {
        kind->lost = true;
        snprintf(text, sizeof text,
                 "%" PRId64 " of %" PRId64
                 " records would be gone; kept until the next scan"
                 " says so too",
                 lost, before);
        reason_add(s, kind->name, text);
        return 0;
    }
    r = lost > 0 ? kind_remove(s, kind) : 0;
    if (r < 0)
        return r;
    return checked(s, db_run(s->db, "INSERT OR REPLACE INTO coverage VALUES (?,?,?,?,?)",
                             "ssisi", s->job->application, kind->name, s->job->scan,
                             s->job->started, kind->records));
}

/* ---- the scan ---- */

static void
outcome_decide(struct scan *s)
{
    const char *end = s->job->end;
    bool covered = false, missing = false;

    for (int i = 0; i < s->kinds.n; i++) {
        const struct kind *kind = &s->kinds.kind[i];

        covered = covered || (kind->covered && !kind->failed);
        missing = missing || kind->failed || kind->lost;
    }
    if (s->complete)
        s->outcome = missing ? "INCOMPLETE" : "DONE";
    else
        s->outcome = covered || strcmp(end, "limit") == 0 ? "INCOMPLETE" : "FAILED";
}

static int
scan_row_put(struct scan *s)
{
    const struct store_job *job = s->job;

    return checked(
        s, db_run(s->db,
                  "INSERT OR REPLACE INTO scans VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
                  "issssssfisiiiiii", job->scan, job->application, job->trigger,
                  s->outcome, s->reason, job->started, job->ended, job->cpu_s,
                  job->cputhrottle, job->origin, job->manifest_serial, s->records,
                  s->dropped, s->added, s->changed, s->removed));
}

/* All in the open transaction. */
static int
scan_put(struct scan *s, int frames_fd)
{
    int r = db_exec(s->db, "CREATE TEMP TABLE seen (kind TEXT, key TEXT,"
                           " PRIMARY KEY (kind, key)) WITHOUT ROWID");

    for (int i = 0; r >= 0 && i < N_STATEMENTS; i++)
        r = db_query(s->db, &s->statement[i], statements[i], "");
    if (r < 0)
        return checked(s, r);
    r = records_store(s, frames_fd);
    statements_done(s);
    if (r == 0 && strcmp(s->job->end, END_NONE) == 0)
        r = cover_all(s);
    reason_add(s, "", s->job->reason);
    for (int i = 0; r >= 0 && i < s->kinds.n; i++) {
        struct kind *kind = &s->kinds.kind[i];

        if (kind->failed)
            reason_add(s, kind->name, kind->what);
        else if (kind->covered)
            r = kind_cover(s, kind);
    }
    if (r < 0)
        return r;
    outcome_decide(s);
    return scan_row_put(s);
}

/* Wait for other applications' scans, two minutes at most, and claim the scan's number. */
static int
transaction_begin(struct scan *s)
{
    int r = store_begin(s->db);

    if (r == 0)
        r = db_run(s->db, "INSERT INTO scans (id) VALUES (?)", "i", s->job->scan);
    if (r == -EEXIST)
        return why_set(s->why, r, "store: scan %" PRId64 " is already stored",
                       s->job->scan);
    return checked(s, r);
}

static void
examples_print(struct scan *s, struct json_out *out)
{
    static const char *const names[] = {"change", "kind", "key"};
    cleanup(db_rows_done_p) struct db_rows *rows = NULL;
    int r = db_query(s->db, &rows,
                     "SELECT change, kind, key FROM changes WHERE scan = ?"
                     " ORDER BY application, kind, key LIMIT ?",
                     "ii", s->job->scan, (int64_t)EXAMPLES_MAX);

    json_out_array(out, "examples");
    while (r >= 0 && (r = db_next(rows)) == 1) {
        json_out_object(out, NULL);
        for (int i = 0; i < 3; i++)
            json_out_str(out, names[i], db_text(rows, i, NULL));
        json_out_end(out, '}');
    }
    json_out_end(out, ']');
}

/* One line, bounded by the number of kinds and of examples. */
static void
summary_print(struct scan *s, FILE *stream)
{
    struct json_out out;

    json_out_init(&out, stream);
    json_out_object(&out, NULL);
    json_out_str(&out, "outcome", s->outcome);
    json_out_str(&out, "reason", s->reason);
    json_out_object(&out, "records");
    for (int i = 0; i < s->kinds.n; i++) {
        const struct kind *kind = &s->kinds.kind[i];

        if (kind_is_stored(s, kind))
            json_out_int(&out, kind->name, kind->records);
    }
    json_out_end(&out, '}');
    json_out_int(&out, "dropped", s->dropped);
    json_out_object(&out, "changes");
    json_out_int(&out, "added", s->added);
    json_out_int(&out, "changed", s->changed);
    json_out_int(&out, "removed", s->removed);
    json_out_end(&out, '}');
    examples_print(s, &out);
    json_out_end(&out, '}');
    putc('\n', stream);
    fflush(stream);
}

static int
job_check(const struct store_job *job, struct why *why)
{
    static const char *const ends[] = {END_DONE, END_NONE, END_ERROR, END_REFUSED,
                                       "limit"};

    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        if (strcmp(job->end, ends[i]) == 0)
            return 0;
    return why_set(why, -EINVAL, "store: unknown end of a scan: %.40s", job->end);
}

/* One attempt, of which nothing stays when it fails.  repaired: what became of the database
 * before, which the scan's reason then says.
 */
static int
attempt(const char *db_path, int frames_fd, const struct store_job *job,
        const char *repaired, FILE *summary, struct why *why)
{
    cleanup(scan_free_p) struct scan *s = calloc(1, sizeof *s);
    int r;

    if (!s)
        return why_set(why, -ENOMEM, "store: out of memory");
    s->job = job;
    s->why = why;
    s->complete = strcmp(job->end, END_DONE) == 0 || strcmp(job->end, END_NONE) == 0;
    if (repaired[0])
        reason_add(s, "", repaired);
    r = frames_check(frames_fd, &s->kinds, why);
    if (r == 0)
        r = store_open(db_path, job->root_id, &s->db, why);
    if (r == 0)
        r = transaction_begin(s);
    if (r >= 0)
        r = scan_put(s, frames_fd);
    if (r >= 0)
        r = checked(s, db_exec(s->db, "COMMIT"));
    if (r < 0)
        return r; /* closing the database takes it all back */
    summary_print(s, summary);
    /* The scan is stored, whatever becomes of older ones; what fails now is due again. */
    store_history_bound(s->db, &store_limits_default, job->ended);
    return 0;
}

/* May a damaged database be behind this? */
static bool
may_be_damage(int r)
{
    static const int errors[] = {-EUCLEAN, -EIO, -EROFS, -ENOENT, -EEXIST};

    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
        if (r == errors[i])
            return true;
    return false;
}

int
store_scan(const char *db_path, int frames_fd, const struct store_job *job, FILE *summary,
           struct why *why)
{
    cleanup_fd int lock = -1;
    struct why repaired = {""}, reason = {""};
    int r = job_check(job, why), done;

    if (r < 0)
        return r;
    if (sodium_init() < 0)
        return why_set(why, -ENOMEM, "store: cannot start");
    lock = store_lock(db_path, why);
    if (lock < 0)
        return lock;
    r = repair_is_pending(db_path) ? -EUCLEAN
                                   : attempt(db_path, frames_fd, job, "", summary, why);
    for (int i = 0; may_be_damage(r) && i < 2; i++) {
        /* The second time SQLite has found it in order, and yet it is no store. */
        done = store_repair(db_path, lock, i > 0 && r == -EUCLEAN, &repaired, &reason);
        if (done < 0 && r == -EUCLEAN)
            return why_set(why, done, "%s", reason.text);
        if (done < 0 || (done == 0 && r != -EUCLEAN))
            break;
        r = attempt(db_path, frames_fd, job, repaired.text, summary, why);
    }
    return r;
}
