/* SPDX-License-Identifier: Apache-2.0 */
/* The plugins of this folder on roots of their own and on this host.  The built plugins
 * are in $SONDE_BUILDDIR/.libs, fixtures and dictionary below $SONDE_SRCDIR.
 */
#include <criterion/criterion.h>

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "json.h"
#include "mock-host.h"

enum { PATH_SIZE = 1024, MAX_LINES = 65536 };

static const char *const fixtures[] = {"debian-min", "distroless", "broken", "instances",
                                       "empty"};
enum { N_FIXTURES = sizeof fixtures / sizeof fixtures[0] };

static const char *
path_below(const char *variable, const char *format, ...)
{
    static char paths[4][PATH_SIZE];
    static unsigned at;
    char *path = paths[at++ % 4], name[PATH_SIZE / 2];
    const char *folder = getenv(variable);
    va_list ap;

    va_start(ap, format);
    vsnprintf(name, sizeof name, format, ap);
    va_end(ap);
    snprintf(path, PATH_SIZE, "%.500s/%s", folder ? folder : ".", name);
    return path;
}

static char *
file_read(const char *path)
{
    cleanup_file FILE *file = fopen(path, "r");
    char *text = NULL;
    size_t size = 0;

    cr_assert(file, "%s is not there", path);
    if (getdelim(&text, &size, '\0', file) < 0 && text)
        text[0] = '\0';
    return text;
}

/* What a plugin says; the caller frees it. */
static char *
scan(const char *plugin, const char *root, bool live)
{
    struct mock_how how = {
        .plugin = path_below("SONDE_BUILDDIR", ".libs/%s.so", plugin),
        .root = root,
        .live = live,
        .manifest = "{\"content\":{\"folder\":\"/etc\"}}",
    };
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    int r = mock_run(&how, out);

    fclose(out);
    cr_assert(r == 0, "%s on %s: %s", plugin, root, strerror(-r));
    return text;
}

static const char *
fixture_path(const char *name)
{
    return path_below("SONDE_SRCDIR", "tests/fixtures/inv/%s", name);
}

/* Cut into lines in place. */
static size_t
lines_split(char *text, char *lines[MAX_LINES])
{
    char *save, *line = strtok_r(text, "\n", &save);
    size_t n = 0;

    for (; line && n < MAX_LINES; line = strtok_r(NULL, "\n", &save))
        lines[n++] = line;
    return n;
}

static int
compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

Test(inv, a_fixture_root_gives_exactly_the_expected_records)
{
    static char *got[MAX_LINES], *expected[MAX_LINES];

    for (size_t i = 0; i < N_FIXTURES; i++) {
        cleanup_free char *got_text = scan("inv", fixture_path(fixtures[i]), false);
        cleanup_free char *expected_text = file_read(
            path_below("SONDE_SRCDIR", "tests/fixtures/inv/%s.expected", fixtures[i]));
        size_t n = lines_split(got_text, got), m = lines_split(expected_text, expected);

        for (size_t line = 0; line < n && line < m; line++)
            cr_assert_str_eq(got[line], expected[line], "%s, line %zu", fixtures[i],
                             line + 1);
        cr_assert_eq(n, m, "%s: %zu lines, not %zu", fixtures[i], n, m);
    }
}

/* ---- the dictionary ---- */

static bool
is_time(const char *text)
{
    static const char form[] = "0000-00-00T00:00:00Z";

    for (size_t i = 0; i < sizeof form; i++)
        if (form[i] == '0' ? text[i] < '0' || text[i] > '9' : text[i] != form[i])
            return false;
    return true;
}

static bool
is_integer(const struct json *value)
{
    return json_int(value, 0) == json_int(value, 1);
}

static bool
has_type(const struct json *value, const char *type)
{
    switch (json_type(value)) {
    case JSON_NULL:
        return true;
    case JSON_BOOL:
        return strcmp(type, "boolean") == 0;
    case JSON_NUMBER:
        return strcmp(type, "real") == 0 ||
               (strcmp(type, "integer") == 0 && is_integer(value));
    case JSON_STRING:
        return strcmp(type, "string") == 0 ||
               (strcmp(type, "time") == 0 && is_time(json_str(value)));
    case JSON_ARRAY:
        for (const struct json *c = json_first(value); c; c = json_next(c))
            if (json_type(c) != JSON_STRING)
                return false;
        return strcmp(type, "list") == 0;
    default:
        return false;
    }
}

/* <field>_error and <field>_hex come with a field. */
static const struct json *
derived_find(const struct json *fields, const char *name)
{
    static const char *const suffixes[] = {"_error", "_hex"};
    char base[128];

    for (size_t i = 0; i < 2; i++) {
        size_t len = strlen(name), cut = strlen(suffixes[i]);

        if (len <= cut || len >= sizeof base ||
            strcmp(name + len - cut, suffixes[i]) != 0)
            continue;
        memcpy(base, name, len - cut);
        base[len - cut] = '\0';
        return json_get(fields, base);
    }
    return NULL;
}

static void
object_check(const struct json *fields, const struct json *object, bool is_volatile,
             const char *line)
{
    for (const struct json *c = object ? json_first(object) : NULL; c; c = json_next(c)) {
        const char *name = json_name(c);
        const struct json *field = json_get(fields, name);

        if (field)
            cr_expect(has_type(c, json_get_str(field, "type")), "type of %s: %s", name,
                      line);
        else
            field = derived_find(fields, name);
        cr_expect(field, "%s is not in the dictionary: %s", name, line);
        cr_expect_eq(json_get_bool(field, "volatile", false), is_volatile,
                     "volatile or not: %s: %s", name, line);
    }
}

static void
line_check(const struct json *dictionary, const char *application, const char *line)
{
    struct json *json = NULL;
    struct why why = {""};
    const struct json *entry, *kinds = json_get(dictionary, "kinds");
    const char *kind, *owner;

    cr_assert(json_parse(line, strlen(line), &json, &why) == 0, "%s: %s", why.text, line);
    kind = json_get_str(json, "kind");
    if (!kind)
        kind = json_get_str(json, "covers");
    if (kind) {
        entry = json_get(kinds, kind);
        cr_expect(entry, "kind %s is not in the dictionary", kind);
        owner = json_get_str(entry, "application");
        cr_expect(owner && (strcmp(owner, application) == 0 || strcmp(owner, "*") == 0),
                  "kind %s is another application's", kind);
        object_check(json_get(entry, "fields"), json_get(json, "data"), false, line);
        object_check(json_get(entry, "fields"), json_get(json, "volatile"), true, line);
    }
    json_free(json);
}

static void
scan_check(const char *application, const char *root, bool live)
{
    static char *lines[MAX_LINES];
    cleanup_free char *dictionary_text =
        file_read(path_below("SONDE_SRCDIR", "sdk/dictionary.json"));
    cleanup_free char *text = scan(application, root, live);
    struct json *dictionary = NULL;
    struct why why = {""};
    size_t n = lines_split(text, lines);

    cr_assert(json_parse(dictionary_text, strlen(dictionary_text), &dictionary, &why) ==
                  0,
              "dictionary: %s", why.text);
    for (size_t i = 0; i < n; i++)
        line_check(dictionary, application, lines[i]);
    json_free(dictionary);
}

Test(inv, every_record_of_a_fixture_root_is_as_the_dictionary_says)
{
    for (size_t i = 0; i < N_FIXTURES; i++)
        scan_check("inv", fixture_path(fixtures[i]), false);
}

Test(inv, every_record_of_this_host_is_as_the_dictionary_says)
{
    scan_check("inv", "/", true);
}

Test(example, every_record_is_as_the_dictionary_says)
{
    scan_check("example", "/", false);
}

/* ---- identity ---- */

/* Keep the identity of each record: {"kind":"…","key":"…" */
static size_t
identities(char *text, char *lines[MAX_LINES])
{
    size_t n = lines_split(text, lines), kept = 0;

    for (size_t i = 0; i < n; i++) {
        char *end = strstr(lines[i], ",\"data\":");

        if (!end)
            continue;
        *end = '\0';
        lines[kept++] = lines[i];
    }
    qsort(lines, kept, sizeof *lines, compare);
    return kept;
}

Test(inv, no_two_records_of_this_host_have_one_identity)
{
    static char *lines[MAX_LINES];
    cleanup_free char *text = scan("inv", "/", true);
    size_t n = identities(text, lines);

    cr_assert_gt(n, 10);
    for (size_t i = 1; i < n; i++)
        cr_expect_str_neq(lines[i - 1], lines[i]);
}

/* What another program may change meanwhile is left out. */
static bool
is_steady(const char *line)
{
    static const char *const kinds[] = {"os",   "host",  "cpu",    "memory",
                                        "user", "group", "package"};
    char begin[64];

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        snprintf(begin, sizeof begin, "{\"kind\":\"%s\",", kinds[i]);
        if (strncmp(line, begin, strlen(begin)) == 0)
            return true;
    }
    return false;
}

static size_t
steady_lines(char *text, char *lines[MAX_LINES])
{
    size_t n = lines_split(text, lines), kept = 0;

    for (size_t i = 0; i < n; i++) {
        char *end = strstr(lines[i], ",\"volatile\":");

        if (!is_steady(lines[i]))
            continue;
        if (end)
            *end = '\0';
        lines[kept++] = lines[i];
    }
    return kept;
}

Test(inv, a_second_scan_of_this_host_says_the_same)
{
    static char *first[MAX_LINES], *second[MAX_LINES];
    cleanup_free char *first_text = scan("inv", "/", true);
    cleanup_free char *second_text = scan("inv", "/", true);
    size_t n = steady_lines(first_text, first), m = steady_lines(second_text, second);

    cr_assert_eq(n, m);
    for (size_t i = 0; i < n; i++)
        cr_expect_str_eq(first[i], second[i]);
}

/* ---- dpkg's own word ---- */

static char *
dpkg_query(const char *root)
{
    char command[2 * PATH_SIZE];
    char *text = NULL;
    size_t size = 0;
    FILE *pipe;

    snprintf(
        command, sizeof command,
        "dpkg-query --admindir='%s/var/lib/dpkg' -W -f '${db:Status-Status} ${Package} "
        "${Architecture} ${Version} ${source:Package} ${source:Version}\\n' 2>/dev/null"
        " | sed -n 's/^installed //p'",
        root);
    pipe = popen(command, "r");
    if (pipe && getdelim(&text, &size, '\0', pipe) < 0 && text)
        text[0] = '\0';
    if (pipe)
        pclose(pipe);
    return text;
}

/* A record's line becomes a line of dpkg-query's, in place; false: no package. */
static bool
package_line(char *line)
{
    static const char *const fields[] = {"name", "arch", "version", "source",
                                         "source_version"};
    const struct json *data;
    struct json *json = NULL;
    char *out = line;

    if (strncmp(line, "{\"kind\":\"package\",", 18) != 0)
        return false;
    cr_assert(json_parse(line, strlen(line), &json, NULL) == 0);
    data = json_get(json, "data");
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        out += sprintf(out, "%s%s", i ? " " : "", json_get_str(data, fields[i]));
    json_free(json);
    return true;
}

/* The packages of our text are these; both texts are cut into pieces. */
static size_t
packages_compare(const char *root, char *our_text, char *their_text)
{
    static char *ours[MAX_LINES], *theirs[MAX_LINES];
    size_t n = lines_split(our_text, ours), kept = 0;
    size_t m = their_text ? lines_split(their_text, theirs) : 0;

    for (size_t i = 0; i < n; i++)
        if (package_line(ours[i]))
            ours[kept++] = ours[i];
    qsort(ours, kept, sizeof *ours, compare);
    qsort(theirs, m, sizeof *theirs, compare);
    for (size_t i = 0; i < kept && i < m; i++)
        cr_assert_str_eq(ours[i], theirs[i], "%s", root);
    cr_assert_eq(kept, m, "%s: %zu packages, dpkg-query has %zu", root, kept, m);
    return kept;
}

static size_t
packages_compare_to_dpkg(const char *root, bool live)
{
    cleanup_free char *our_text = scan("inv", root, live);
    cleanup_free char *their_text = dpkg_query(root);

    return packages_compare(root, our_text, their_text);
}

static bool
has_dpkg(void)
{
    return access("/usr/bin/dpkg-query", X_OK) == 0;
}

Test(inv, the_packages_of_this_host_are_those_of_dpkg_query)
{
    if (!has_dpkg())
        cr_skip_test("no dpkg-query here");
    cr_assert_gt(packages_compare_to_dpkg("/", true), 0);
}

Test(inv, the_packages_of_a_fixture_root_are_those_of_dpkg_query)
{
    static const char *const roots[] = {"debian-min", "broken", "instances"};

    if (!has_dpkg())
        cr_skip_test("no dpkg-query here");
    for (size_t i = 0; i < sizeof roots / sizeof roots[0]; i++)
        packages_compare_to_dpkg(fixture_path(roots[i]), false);
}

Test(inv, the_packages_of_other_projects_test_files_are_those_that_dpkg_query_said)
{
    static const char *const roots[] = {"claircore-debian-only", "claircore-postgresql",
                                        "syft-corrupt",          "syft-deinstall",
                                        "syft-multiple",         "syft-single"};

    for (size_t i = 0; i < sizeof roots / sizeof roots[0]; i++) {
        const char *root = path_below("SONDE_SRCDIR", "tests/fixtures/dpkg/%s", roots[i]);
        cleanup_free char *expected = file_read(
            path_below("SONDE_SRCDIR", "tests/fixtures/dpkg/%s.packages", roots[i]));
        bool refused = strcmp(expected, "refused\n") == 0;
        cleanup_free char *text = scan("inv", root, false);

        cr_expect_eq(strstr(text, "\n{\"failed\":\"package\",") != NULL, refused, "%s",
                     root);
        cr_expect_eq(strstr(text, "\n{\"covers\":\"package\"}") != NULL, !refused, "%s",
                     root);
        packages_compare(root, text, refused ? NULL : expected);
    }
}
