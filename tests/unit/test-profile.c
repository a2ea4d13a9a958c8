/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "cleanup.h"
#include "profile-text.h"
#include "profile-write.h"
#include "profile.h"

static struct profile p;
static struct why why;

static int
parse(const char *text)
{
    why.text[0] = '\0';
    return profile_parse(text, strlen(text), &p, &why);
}

Test(profile, one_that_is_not_named_is_active)
{
    cr_assert_eq(parse("{\"applications\":{\"example\":{\"active\":false},"
                       "\"inv\":{\"active\":true}}}\n"),
                 0, "%s", why.text);
    cr_expect_not(profile_is_active(&p, "example"));
    cr_expect(profile_is_active(&p, "inv"));
    cr_expect(profile_is_active(&p, "vm"));
    profile_done(&p);
    cr_expect(profile_is_active(&p, "example"));
}

Test(profile, an_empty_one_deactivates_nothing)
{
    cr_assert_eq(parse("{}"), 0);
    cr_expect(profile_is_active(&p, "example"));
    cr_assert_eq(parse("{\"applications\":{}}"), 0);
    cr_expect(profile_is_active(&p, "example"));
}

/* ---- Rows of tests/fixtures/profile, which profile-schema.test has, too --------------- */

static const char *const good[] = {
    "empty",
    "no-applications",
    "nothing-said",
    "order",
    "suspended",
    "all",
    "interval-least",
    "interval-most",
    "interval-units",
    "randomize",
    "cputhrottle",
    "limits",
    "names",
    "window",
    "window-whole-day",
    "window-to-midnight",
    "window-same",
    "window-minute",
    "window-both",
    "window-transmit",
    "windows-64",
    "window-16-applications",
};
static const struct {
    const char *name, *why; /* the reason begins with this, or ends so */
} bad[] = {
    {"top-list", "expected an object, got an empty list"},
    {"top-unknown", "\"application\": there is no such field"},
    {"suspend-number", "suspend: expected true or false, got 1"},
    {"suspend-null", "suspend: expected true or false, got null"},
    {"ondemand-string", "ondemand_in_blackout: expected true or false, got \"yes\""},
    {"applications-list", "applications: expected an object, got an empty list"},
    {"name-slash", "applications: \"a/b\" is no name"},
    {"name-capital", "applications: \"Inv\" is no name"},
    {"name-long", "applications: \"a23456789012345678901234567890123\" is no name"},
    {"name-empty", "applications: \"\" is no name"},
    {"name-control", "applications: \"a\\x1b[2Jb\" is no name"},
    {"application-bool", "applications.inv: expected an object, got true"},
    {"application-unknown", "applications.inv: \"intervall\": there is no such field"},
    {"active-number", "applications.inv.active: expected true or false, got 1"},
    {"active-string", "applications.inv.active: expected true or false, got \"no\""},
    {"active-null", "applications.inv.active: expected true or false, got null"},
    {"scan-on-start-number",
     "applications.inv.scan_on_start: expected true or false, got 0"},
    {"interval-short", "applications.inv.interval: \"5m\" is less than 10m"},
    {"interval-599s", "applications.inv.interval: \"599s\" is less than 10m"},
    {"interval-599", "applications.inv.interval: 599 is less than 10m"},
    {"interval-zero", "applications.inv.interval: \"0h\" is less than 10m"},
    {"interval-negative", "applications.inv.interval: -14400 is less than 10m"},
    {"interval-31d", "applications.inv.interval: \"31d\" is more than 30d"},
    {"interval-721h", "applications.inv.interval: \"721h\" is more than 30d"},
    {"interval-43201m", "applications.inv.interval: \"43201m\" is more than 30d"},
    {"interval-2592001s", "applications.inv.interval: \"2592001s\" is more than 30d"},
    {"interval-2592001", "applications.inv.interval: 2592001 is more than 30d"},
    {"interval-no-unit",
     "applications.inv.interval: expected a whole number of seconds, or one with its "
     "unit like \"90m\" (s, m, h, d), from 10m to 30d, got \"14400\""},
    {"interval-no-number", "applications.inv.interval: expected"},
    {"interval-empty", "applications.inv.interval: expected"},
    {"interval-two-units", "got \"1h30m\""},
    {"interval-fraction-text", "got \"1.5h\""},
    {"interval-sign", "got \"+4h\""},
    {"interval-blank", "got \"4 h\""},
    {"interval-blank-before", "got \" 4h\""},
    {"interval-capital", "got \"4H\""},
    {"interval-zero-before", "got \"04h\""},
    {"interval-digits", "got \"99999999999999999999d\""},
    {"interval-fraction",
     "applications.inv.interval: expected a whole number of seconds"},
    {"interval-huge", "applications.inv.interval: expected"},
    {"interval-list", "got a list"},
    {"interval-null", "got null"},
    {"interval-bool", "got true"},
    {"interval-escape", "applications.inv.interval: expected"},
    {"cputhrottle-1001", "applications.inv.cputhrottle: 1001 is more than 1000"},
    {"cputhrottle-negative", "applications.inv.cputhrottle: -1 is less than 0"},
    {"cputhrottle-fraction",
     "applications.inv.cputhrottle: expected a whole number from 0 to 1000, got 0.5"},
    {"cputhrottle-string",
     "applications.inv.cputhrottle: expected a whole number from 0 to 1000, got \"90\""},
    {"randomize-negative", "applications.inv.randomize: -1 is less than 0s"},
    {"randomize-31d", "applications.inv.randomize: \"31d\" is more than 30d"},
    {"randomize-over-interval",
     "applications.inv.randomize: \"61m\" is more than the interval, 1h"},
    {"randomize-before-interval",
     "applications.inv.randomize: \"3601s\" is more than the interval, 1h"},
    {"randomize-over-default", "applications.inv.randomize: \"5h\" is more than the "
                               "interval, 4h where none is given"},
    {"limits-list", "applications.inv.limits: expected an object, got an empty list"},
    {"limits-unknown", "applications.inv.limits: \"cpu\": there is no such field"},
    {"limits-zero", "applications.inv.limits.cpu_s: 0 is less than 1"},
    {"limits-cpu-most", "applications.inv.limits.cpu_s: 604801 is more than 604800"},
    {"limits-stall-most", "applications.inv.limits.stall_s: 604801 is more than 604800"},
    {"limits-deadline-most",
     "applications.inv.limits.deadline_s: 604801 is more than 604800"},
    {"limits-memory-most",
     "applications.inv.limits.memory_mib: 1048577 is more than 1048576"},
    {"limits-records-most",
     "applications.inv.limits.records: 1000000001 is more than 1000000000"},
    {"limits-bytes-most",
     "applications.inv.limits.bytes_mib: 1048577 is more than 1048576"},
    {"limits-string", "applications.inv.limits.cpu_s: expected a whole number from 1 to "
                      "604800, got \"10m\""},
    {"blackout-object",
     "blackout: expected a list of windows that is not empty, got an empty object"},
    {"blackout-empty",
     "blackout: expected a list of windows that is not empty, got an empty list"},
    {"blackout-65", "blackout: 65 windows are more than 64"},
    {"window-string", "blackout[0]: expected an object, got \"22:00-06:00\""},
    {"window-empty", "blackout[0].from: is missing"},
    {"window-no-from", "blackout[0].from: is missing"},
    {"window-no-to", "blackout[0].to: is missing"},
    {"window-unknown", "blackout[0]: \"day\": there is no such field"},
    {"window-third",
     "blackout[2].from: expected a time from \"00:00\" to \"23:59\", got \"22:60\""},
    {"window-from-24",
     "blackout[0].from: expected a time from \"00:00\" to \"23:59\", got \"24:00\""},
    {"window-to-2401",
     "blackout[0].to: expected a time from \"00:00\" to \"24:00\", got \"24:01\""},
    {"window-to-25", "blackout[0].to: expected"},
    {"window-short-time", "blackout[0].from: expected"},
    {"window-seconds", "blackout[0].from: expected"},
    {"window-time-number",
     "blackout[0].from: expected a time from \"00:00\" to \"23:59\", got 22"},
    {"window-time-sign", "blackout[0].from: expected"},
    {"window-time-letters", "blackout[0].from: expected"},
    {"days-empty",
     "blackout[0].days: expected a list of days that is not empty, got an empty list"},
    {"days-string",
     "blackout[0].days: expected a list of days that is not empty, got \"mon\""},
    {"days-unknown", "blackout[0].days[1]: expected \"mon\", \"tue\""},
    {"days-capital", "blackout[0].days[0]: expected \"mon\", \"tue\""},
    {"days-number", "blackout[0].days[0]: expected \"mon\", \"tue\""},
    {"days-twice", "blackout[0].days[2]: \"mon\" is there twice"},
    {"window-applications-empty", "blackout[0].applications: expected a list of "
                                  "applications that is not empty, got an empty list"},
    {"window-applications-string", "blackout[0].applications: expected a list"},
    {"window-applications-name", "blackout[0].applications[1]: expected the name of an "
                                 "application, [a-z][a-z0-9-]{0,31}, got \"In v\""},
    {"window-applications-number", "blackout[0].applications[0]: expected the name"},
    {"window-applications-twice", "blackout[0].applications[2]: \"inv\" is there twice"},
    {"window-17-applications",
     "blackout[0].applications: 17 applications are more than 16"},
    {"window-collect-number", "blackout[0].collect: expected true or false, got 1"},
    {"window-transmit-string",
     "blackout[0].transmit: expected true or false, got \"true\""},
    {"window-says-nothing", "blackout[0]: collect and transmit are both false"},
    {"window-says-nothing-twice", "blackout[0]: collect and transmit are both false"},
    {"twice-suspend", "byte "},
    {"twice-application", "byte "},
    {"twice-field", "byte "},
    {"twice-from", "byte "},
};
enum { N_GOOD = sizeof good / sizeof good[0], N_BAD = sizeof bad / sizeof bad[0] };

static const char *
fixtures(void)
{
    static char fixtures_path[4096];

    cr_assert(getenv("SONDE_SRCDIR"), "SONDE_SRCDIR: where the sources are");
    snprintf(fixtures_path, sizeof fixtures_path, "%s/tests/fixtures/profile",
             getenv("SONDE_SRCDIR"));
    return fixtures_path;
}

static int
read_row(const char *kind, const char *name)
{
    char file[8192];

    snprintf(file, sizeof file, "%s/%s-%s.json", fixtures(), kind, name);
    cr_assert_eq(access(file, R_OK), 0, "%s", file);
    why.text[0] = '\0';
    return profile_read(file, &p, &why);
}

Test(profile, each_file_of_the_fixtures_is_a_row)
{
    cleanup_dir DIR *dir = opendir(fixtures());
    int n = 0;

    cr_assert(dir);
    for (const struct dirent *e; (e = readdir(dir));)
        n += e->d_name[0] != '.';
    cr_expect_eq(n, N_GOOD + N_BAD, "%d files, %d rows", n, N_GOOD + N_BAD);
}

/* The profile that is written of `from` says the same. */
static void
round_trip(const struct profile *from, const char *name)
{
    cleanup_free char *text = NULL;
    struct profile again = PROFILE_EMPTY;
    size_t len = 0;

    cr_assert_eq(profile_print(from, &text, &len), 0);
    cr_expect_eq(profile_parse(text, len, &again, &why), 0, "%s: %s: %s", name, why.text,
                 text);
    cr_expect(profile_is_same(from, &again), "%s: %s", name, text);
    profile_done(&again);
}

Test(profile, good_ones_are_taken_and_come_back_as_they_were_written)
{
    for (int i = 0; i < N_GOOD; i++) {
        cr_expect_eq(read_row("good", good[i]), 0, "%s", why.text);
        round_trip(&p, good[i]);
        profile_done(&p);
    }
}

Test(profile, bad_ones_are_refused_with_the_place)
{
    for (int i = 0; i < N_BAD; i++) {
        const char *reason;

        cr_expect_eq(read_row("bad", bad[i].name), -EBADMSG, "%s", bad[i].name);
        cr_expect(!p.apps && !p.windows && p.suspend == -1, "%s", bad[i].name);
        reason = strstr(why.text, ".json: ");
        cr_assert(reason, "%s: %s", bad[i].name, why.text);
        reason += strlen(".json: ");
        if (strncmp(bad[i].why, "got ", 4) == 0)
            cr_expect_str_eq(reason + strlen(reason) - strlen(bad[i].why), bad[i].why,
                             "%s: %s", bad[i].name, reason);
        else
            cr_expect_eq(strncmp(reason, bad[i].why, strlen(bad[i].why)), 0, "%s: %s",
                         bad[i].name, reason);
    }
}

Test(profile, no_control_byte_of_a_file_reaches_a_message)
{
    for (int i = 0; i < N_BAD; i++) {
        read_row("bad", bad[i].name);
        for (const char *c = why.text; *c; c++)
            cr_expect((unsigned char)*c >= ' ' && *c != 0x7f, "%s", bad[i].name);
    }
}

/* What JSON Schema is not asked: no JSON, and what its patterns make of a line's end. */
Test(profile, text_that_is_no_profile_is_refused)
{
    static const struct {
        const char *text, *expected;
    } rows[] = {
        {"", ""},
        {"{} x", ""},
        {"{\"suspend\":}", ""},
        {"{\"applications\":{\"inv\\n\":{}}}", "applications: \"inv\\x0a\" is no name"},
        {"{\"applications\":{\"inv\":{\"interval\":\"4h\\n\"}}}",
         "applications.inv.interval: expected"},
        {"{\"blackout\":[{\"from\":\"22:00\\n\",\"to\":\"06:00\"}]}",
         "blackout[0].from: expected"},
        {"{\"blackout\":[{\"from\":\"22:00\",\"to\":\"06:00\\n\"}]}",
         "blackout[0].to: expected"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        cr_expect_eq(parse(rows[i].text), -EBADMSG, "%s", rows[i].text);
        cr_expect_str_neq(why.text, "", "%s", rows[i].text);
        cr_expect(strstr(why.text, rows[i].expected), "%s: %s", rows[i].text, why.text);
    }
}

/* Numbers of three digits, of which the agent makes five, or ten. */
Test(profile, what_could_not_be_read_again_is_refused)
{
    char *text = calloc(1, PROFILE_MAX + 256);
    size_t len = (size_t)sprintf(text, "{\"applications\":{");

    for (int i = 0; len < PROFILE_MAX - 256; i++)
        len += (size_t)sprintf(text + len,
                               "%s\"a%d\":{\"interval\":600,\"randomize\":600,"
                               "\"limits\":{\"records\":1e9,\"cpu_s\":1e5}}",
                               i ? "," : "", i);
    len += (size_t)sprintf(text + len, "}}");
    cr_assert_lt(len, PROFILE_MAX);
    cr_expect_eq(profile_parse(text, len, &p, &why), -EBADMSG);
    cr_expect(strstr(why.text, "larger than 65536 bytes when"), "%s", why.text);
    free(text);
}

Test(profile, it_has_at_most_1000_applications)
{
    static char text[PROFILE_MAX];

    for (int n = PROFILE_APPS_MAX; n <= PROFILE_APPS_MAX + 1; n++) {
        size_t len = (size_t)sprintf(text, "{\"applications\":{");

        for (int i = 0; i < n; i++)
            len += (size_t)sprintf(text + len, "%s\"a%d\":{}", i ? "," : "", i);
        sprintf(text + len, "}}");
        cr_expect_eq(parse(text), n > PROFILE_APPS_MAX ? -EBADMSG : 0, "%s", why.text);
        if (n == PROFILE_APPS_MAX) {
            round_trip(&p, "1000");
            cr_expect_eq(profile_set_active(&p, "inv", true), -ENOSPC);
            cr_expect_eq(profile_set_active(&p, "a999", true), 0);
        }
        profile_done(&p);
    }
    cr_expect_str_eq(why.text, "applications: 1001 applications are more than 1000");
}

/* ---- Values --------------------------------------------------------------------------- */

Test(profile, all_that_is_said_is_kept)
{
    const struct profile_app *inv;
    const struct window *w;

    cr_assert_eq(read_row("good", "all"), 0, "%s", why.text);
    cr_expect_eq(p.suspend, 0);
    cr_expect_eq(p.ondemand_in_blackout, 1);
    cr_assert_eq(p.n_windows, 2);
    w = &p.windows[0];
    cr_expect_eq(w->days, 0x7f);
    cr_expect_eq(w->from, 22 * 60);
    cr_expect_eq(w->to, 6 * 60);
    cr_expect(w->collect && !w->transmit && w->n_applications == 1);
    cr_expect_str_eq(w->applications[0], "inv");
    w = &p.windows[1];
    cr_expect_eq(w->days, 1, "bit 0 is Sunday");
    cr_expect_eq(w->from, 0);
    cr_expect_eq(w->to, 0, "24:00 is the end of the day");
    cr_expect(!w->collect && w->transmit && w->n_applications == 0);
    cr_assert_eq(p.n, 1);
    inv = &p.apps[0];
    cr_expect_eq(inv->active, 1);
    cr_expect_eq(inv->interval_s, 4 * 3600);
    cr_expect_eq(inv->cputhrottle, 90);
    cr_expect_eq(inv->randomize_s, 24 * 60);
    cr_expect_eq(inv->scan_on_start, 0);
    cr_expect_eq(inv->limits.cpu_s, 600);
    cr_expect_eq(inv->limits.bytes_mib, 64);
    profile_done(&p);
}

Test(profile, what_is_not_said_has_its_default)
{
    struct profile_values v;

    cr_assert_eq(parse("{\"applications\":{\"inv\":{}}}"), 0);
    for (int i = 0; i < 2; i++) {
        profile_values(&p, i ? "vm" : "inv", &v);
        cr_expect(v.active && !v.scan_on_start);
        cr_expect_eq(v.interval_s, 14400);
        cr_expect_eq(v.randomize_s, 1440);
        cr_expect_eq(v.cputhrottle, 90);
        cr_expect_eq(v.limits.cpu_s, 0);
    }
    cr_expect_not(profile_is_suspended(&p));
    cr_expect(profile_ondemand_in_blackout(&p));
    profile_done(&p);
    cr_expect(profile_ondemand_in_blackout(&p));
}

Test(profile, what_is_said_holds)
{
    struct profile_values v;

    cr_assert_eq(parse("{\"suspend\":true,\"ondemand_in_blackout\":false,"
                       "\"applications\":{\"inv\":{\"active\":false,\"interval\":\"2d\","
                       "\"cputhrottle\":0,\"scan_on_start\":true,"
                       "\"limits\":{\"records\":7}}}}"),
                 0, "%s", why.text);
    profile_values(&p, "inv", &v);
    cr_expect(!v.active && v.scan_on_start);
    cr_expect_eq(v.interval_s, 172800);
    cr_expect_eq(v.randomize_s, 17280, "a tenth of this interval");
    cr_expect_eq(v.cputhrottle, 0);
    cr_expect_eq(v.limits.records, 7);
    cr_expect(profile_is_suspended(&p));
    cr_expect_not(profile_ondemand_in_blackout(&p));
    profile_done(&p);
    cr_assert_eq(parse("{\"applications\":{\"inv\":{\"randomize\":0}}}"), 0);
    profile_values(&p, "inv", &v);
    cr_expect_eq(v.randomize_s, 0);
    profile_done(&p);
}

Test(profile, a_duration_is_written_in_its_largest_unit)
{
    static const struct {
        int64_t s;
        const char *text;
    } rows[] = {{0, "0s"},      {1, "1s"},       {60, "1m"},    {61, "61s"},
                {3600, "1h"},   {5400, "90m"},   {14400, "4h"}, {86400, "1d"},
                {90000, "25h"}, {2592000, "30d"}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[PROFILE_DURATION_TEXT];
        int64_t s = -1;

        profile_duration_text(rows[i].s, text);
        cr_expect_str_eq(text, rows[i].text);
        cr_expect_eq(profile_duration_parse(text, &s), 0, "%s", text);
        cr_expect_eq(s, rows[i].s, "%s", text);
    }
}

/* ---- Two of them ---------------------------------------------------------------------- */

/* Each of them differs from the first one, and from each other, in one word. */
Test(profile, one_word_makes_a_difference)
{
#define WINDOW(words) "{\"blackout\":[{\"from\":\"22:00\",\"to\":\"06:00\"" words "}]}"
#define INV(words) "{\"applications\":{\"inv\":{" words "}}}"
    static const char *const rows[] = {
        "{}",
        "{\"suspend\":false}",
        "{\"suspend\":true}",
        "{\"ondemand_in_blackout\":true}",
        WINDOW(""),
        "{\"blackout\":[{\"from\":\"22:01\",\"to\":\"06:00\"}]}",
        "{\"blackout\":[{\"from\":\"22:00\",\"to\":\"06:01\"}]}",
        WINDOW(",\"days\":[\"sun\"]"),
        WINDOW(",\"transmit\":true"),
        WINDOW(",\"transmit\":true,\"collect\":false"),
        WINDOW(",\"applications\":[\"inv\"]"),
        WINDOW(",\"applications\":[\"pc\"]"),
        WINDOW(",\"applications\":[\"inv\",\"pc\"]"),
        WINDOW("},{\"from\":\"22:00\",\"to\":\"06:00\""),
        INV(""),
        INV("\"active\":true"),
        INV("\"active\":false"),
        INV("\"interval\":\"4h\""),
        INV("\"interval\":\"5h\""),
        INV("\"randomize\":0"),
        INV("\"cputhrottle\":90"),
        INV("\"scan_on_start\":false"),
        INV("\"limits\":{\"cpu_s\":1}"),
        INV("\"limits\":{\"cpu_s\":2}"),
        INV("\"limits\":{\"bytes_mib\":1}"),
        "{\"applications\":{\"pc\":{}}}",
        "{\"applications\":{\"inv\":{},\"pc\":{}}}",
        "{\"applications\":{\"pc\":{},\"inv\":{}}}",
    };
    enum { N = sizeof rows / sizeof rows[0] };
    struct profile all[N];

    for (int i = 0; i < N; i++)
        cr_assert_eq(profile_parse(rows[i], strlen(rows[i]), &all[i], &why), 0, "%s: %s",
                     rows[i], why.text);
    for (int i = 0; i < N; i++) {
        round_trip(&all[i], rows[i]);
        for (int k = 0; k < N; k++)
            cr_expect_eq(profile_is_same(&all[i], &all[k]), i == k, "%s, %s", rows[i],
                         rows[k]);
    }
    for (int i = 0; i < N; i++)
        profile_done(&all[i]);
}

Test(profile, activating_keeps_all_other_words)
{
    struct profile other;

    cr_assert_eq(read_row("good", "all"), 0, "%s", why.text);
    other = p;
    cr_assert_eq(read_row("good", "all"), 0);
    cr_assert_eq(profile_set_active(&p, "inv", false), 0);
    cr_expect_not(profile_is_same(&p, &other));
    cr_assert_eq(profile_set_active(&p, "inv", true), 0);
    cr_expect(profile_is_same(&p, &other));
    cr_assert_eq(profile_set_active(&p, "pc", false), 0);
    cr_expect_eq(p.n, 2);
    cr_expect_eq(p.apps[1].interval_s, -1, "nothing else is said of it");
    round_trip(&p, "all, and pc");
    profile_done(&p);
    profile_done(&other);
}

/* ---- Settings ------------------------------------------------------------------------- */

static char told[4096];

static void
tell(const struct profile_setting *setting, void *arg)
{
    size_t len = strlen(told);

    cr_expect_eq(arg, &why);
    snprintf(told + len, sizeof told - len, "%s=%s (%s)\n", setting->name, setting->text,
             setting->origin);
}

static const char *
settings(const char *application, const struct limits *of_conf,
         const struct limits *of_manifest)
{
    told[0] = '\0';
    profile_settings(&p, application, of_conf, of_manifest, tell, &why);
    return told;
}

Test(profile, settings_say_what_holds_and_whose_word_it_is)
{
    const struct limits conf = LIMITS_DEFAULT, manifest = {.cpu_s = 60,
                                                           .memory_mib = 512,
                                                           .records = 5,
                                                           .bytes_mib = 512};

    cr_assert_eq(parse("{\"applications\":{\"inv\":{\"interval\":\"90m\",\"active\":true,"
                       "\"limits\":{\"cpu_s\":61,\"stall_s\":9,\"records\":4}}}}"),
                 0, "%s", why.text);
    cr_expect_str_eq(settings("inv", &conf, &manifest), "active=true (profile)\n"
                                                        "interval=\"90m\" (profile)\n"
                                                        "cputhrottle=90 (default)\n"
                                                        "randomize=\"9m\" (default)\n"
                                                        "scan_on_start=false (default)\n"
                                                        "limits.cpu_s=60 (manifest)\n"
                                                        "limits.stall_s=9 (profile)\n"
                                                        "limits.deadline_s=86400 "
                                                        "(configuration)\n"
                                                        "limits.memory_mib=256 "
                                                        "(configuration)\n"
                                                        "limits.records=4 (profile)\n"
                                                        "limits.bytes_mib=512 "
                                                        "(configuration)\n");
    cr_expect(strstr(settings("pc", &conf, NULL), "interval=\"4h\" (default)\n"), "%s",
              told);
    cr_expect(strstr(told, "limits.cpu_s=1800 (configuration)\n"), "%s", told);
    profile_done(&p);
}

Test(profile, settings_of_all_are_told_without_an_application)
{
    cr_assert_eq(parse("{}"), 0);
    cr_expect_str_eq(settings(NULL, NULL, NULL), "suspend=false (default)\n"
                                                 "ondemand_in_blackout=true (default)\n"
                                                 "blackout=[] (default)\n");
    cr_assert_eq(read_row("good", "all"), 0);
    cr_expect_str_eq(settings(NULL, NULL, NULL),
                     "suspend=false (profile)\n"
                     "ondemand_in_blackout=true (profile)\n"
                     "blackout={\"from\":\"22:00\",\"to\":\"06:00\","
                     "\"applications\":[\"inv\"]} (profile)\n"
                     "blackout={\"days\":[\"sun\"],\"from\":\"00:00\",\"to\":\"00:00\","
                     "\"collect\":false,\"transmit\":true} (profile)\n");
    profile_done(&p);
}

/* The longest one that there can be. */
Test(profile, a_window_is_told_whole)
{
    char text[2048];
    size_t len =
        (size_t)sprintf(text, "{\"blackout\":[{\"from\":\"22:00\",\"to\":\"06:00\","
                              "\"days\":[\"mon\",\"tue\",\"wed\",\"thu\",\"fri\","
                              "\"sat\"],\"collect\":false,\"transmit\":true,"
                              "\"applications\":[");

    for (int i = 0; i < WINDOW_APPS_MAX; i++)
        len += (size_t)sprintf(text + len, "%s\"a%031d\"", i ? "," : "", i);
    sprintf(text + len, "]}]}");
    cr_assert_eq(parse(text), 0, "%s", why.text);
    cr_expect(strstr(settings(NULL, NULL, NULL),
                     "\"collect\":false,\"transmit\":true} (profile)"),
              "%s", told);
    profile_done(&p);
}

/* ---- Change --------------------------------------------------------------------------- */

Test(profile, the_last_word_holds)
{
    p = PROFILE_EMPTY;
    cr_assert_eq(profile_set_active(&p, "inv", false), 0);
    cr_expect_not(profile_is_active(&p, "inv"));
    cr_assert_eq(profile_set_active(&p, "inv", true), 0);
    cr_expect(profile_is_active(&p, "inv"));
    cr_expect_eq(p.n, 1);
    cr_expect_eq(profile_set_active(&p, "../x", true), -EINVAL);
    profile_done(&p);
}

Test(profile, two_are_the_same_when_each_word_of_them_is)
{
    struct profile a = PROFILE_EMPTY, b = PROFILE_EMPTY;

    cr_expect(profile_is_same(&a, &b));
    cr_assert_eq(profile_set_active(&a, "inv", false), 0);
    cr_expect_not(profile_is_same(&a, &b));
    cr_assert_eq(profile_set_active(&b, "inv", true), 0);
    cr_expect_not(profile_is_same(&a, &b));
    cr_assert_eq(profile_set_active(&b, "inv", false), 0);
    cr_expect(profile_is_same(&a, &b));
    profile_done(&a);
    profile_done(&b);
}

/* Long words, so that it is full before it has too many. */
Test(profile, it_never_gets_too_large_to_be_read)
{
    char path[] = "/tmp/test-profile.XXXXXX", name[NAME_MAX_LEN + 1];
    int r = 0;

    p = PROFILE_EMPTY;
    for (int i = 0; r == 0 && i < 5000; i++) {
        snprintf(name, sizeof name, "a%031d", i);
        r = profile_set_active(&p, name, false);
        p.apps[p.n - 1].limits = LIMITS_DEFAULT;
    }
    cr_expect_eq(r, -ENOSPC);
    cr_expect(p.n > 100 && p.n < PROFILE_APPS_MAX, "%zu", p.n);
    p.apps[p.n - 1].limits = (struct limits){0};
    cr_assert_geq(mkstemp(path), 0);
    cr_assert_eq(profile_write(path, &p, &why), 0, "%s", why.text);
    profile_done(&p);
    cr_expect_eq(profile_read(path, &p, &why), 0, "%s", why.text);
    profile_done(&p);
    unlink(path);
}

static char folder[64], path[128];

static void
make_folder(void)
{
    strcpy(folder, "/tmp/test-profile.XXXXXX");
    cr_assert(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/profile.json", folder);
}

static void
remove_folder(void)
{
    unlink(path);
    cr_expect_eq(rmdir(folder), 0, "nothing is left behind");
}

TestSuite(profile_file, .init = make_folder, .fini = remove_folder);

Test(profile_file, none_is_an_empty_one)
{
    cr_expect_eq(profile_read(path, &p, &why), 0);
    cr_expect_eq(p.n, 0);
}

Test(profile_file, what_is_written_is_read)
{
    struct stat st;

    umask(077);
    cr_assert_eq(profile_read(path, &p, &why), 0);
    cr_assert_eq(profile_set_active(&p, "inv", false), 0);
    cr_assert_eq(profile_set_active(&p, "pc", true), 0);
    cr_assert_eq(profile_write(path, &p, &why), 0, "%s", why.text);
    profile_done(&p);
    cr_assert_eq(profile_read(path, &p, &why), 0, "%s", why.text);
    cr_expect_eq(p.n, 2);
    cr_expect_not(profile_is_active(&p, "inv"));
    cr_expect(profile_is_active(&p, "pc"));
    profile_done(&p);
    cr_assert_eq(stat(path, &st), 0);
    cr_expect_eq(st.st_mode & 07777, 0644);
}

Test(profile_file, what_a_crash_left_is_no_obstacle)
{
    char left[160];
    FILE *f;

    snprintf(left, sizeof left, "%s.new", path);
    f = fopen(left, "w");
    cr_assert(f);
    fputs("{\"appl", f);
    fclose(f);
    p = PROFILE_EMPTY;
    cr_expect_eq(profile_write(path, &p, &why), 0, "%s", why.text);
}

Test(profile_file, one_that_cannot_be_written_is_named)
{
    p = PROFILE_EMPTY;
    cr_expect_eq(profile_write("/nonexistent/profile.json", &p, &why), -ENOENT);
    cr_expect(strstr(why.text, "/nonexistent/profile.json"), "%s", why.text);
}

Test(profile_file, a_bad_one_is_named_with_the_reason)
{
    FILE *f = fopen(path, "w");

    cr_assert(f);
    fputs("{\"x\":1}", f);
    fclose(f);
    cr_expect_eq(profile_read(path, &p, &why), -EBADMSG);
    cr_expect(strstr(why.text, path), "%s", why.text);
    cr_expect(strstr(why.text, "no such field"), "%s", why.text);
}
