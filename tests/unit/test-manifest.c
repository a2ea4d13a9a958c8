/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "manifest.h"

static struct manifest m;
static struct why why;

static int
parse(const char *text)
{
    why.text[0] = '\0';
    return manifest_parse(text, strlen(text), "vm", &m, &why);
}

#define BASE "\"application\":\"vm\",\"serial\":1,\"plugin\":\"vm\""
#define SHA "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

Test(manifest, a_whole_one_is_read)
{
    int r = parse("{\"application\": \"vm\", \"title\": \"Vulnerability Management\",\n"
                  "\"serial\": 42, \"issued\": \"2026-11-23T00:00:00Z\",\n"
                  "\"expires\": \"2027-02-23T00:00:00Z\", \"plugin\": \"vm-2\",\n"
                  "\"exec\": [\"/usr/bin/rpm\"], \"sockets\": [\"/run/x.sock\"],\n"
                  "\"limits\": {\"cpu_s\": 600, \"memory_mib\": 128},\n"
                  "\"payloads\": [{\"name\": \"advisories.db\", \"size\": 5242880,\n"
                  "\"sha256\": \"" SHA "\"}], \"content\": {\"anything\": [1, {}]}}\n");

    cr_assert_eq(r, 0, "%s", why.text);
    cr_expect_str_eq(m.application, "vm");
    cr_expect_str_eq(m.plugin, "vm-2");
    cr_expect_str_eq(m.title, "Vulnerability Management");
    cr_expect_eq(m.serial, 42);
    cr_expect_eq(m.issued, 1795392000);
    cr_expect_eq(m.expires, 1803340800);
    cr_expect_eq(m.limits.cpu_s, 600);
    cr_expect_eq(m.limits.memory_mib, 128);
    cr_expect_eq(m.limits.stall_s, 0);
}

Test(manifest, good_ones_are_accepted)
{
    static const char *const rows[] = {
        "{" BASE "}",
        " {" BASE "} \n",
        "{\"application\":\"vm\",\"serial\":0,\"plugin\":\"vm\"}",
        "{\"application\":\"vm\",\"serial\":9007199254740991,\"plugin\":\"vm\"}",
        "{" BASE ",\"exec\":[],\"sockets\":[],\"payloads\":[],\"limits\":{}}",
        "{" BASE ",\"issued\":\"2024-02-29T23:59:59Z\"}",
        "{" BASE ",\"title\":\"\"}",
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        cr_expect_eq(parse(rows[i]), 0, "%s: %s", rows[i], why.text);
}

static const struct {
    const char *text, *expected;
} bad_ones[] = {
    {"", ""},
    {"{", ""},
    {"[]", "expected an object, got"},
    {"{" BASE "} x", ""},
    {"{" BASE ",\"serial\":2}", ""},
    {"{" BASE ",}", ""},
    {"{}", "application: is missing"},
    {"{\"serial\":1,\"plugin\":\"vm\"}", "application: is missing"},
    {"{\"application\":\"vm\",\"plugin\":\"vm\"}", "serial: is missing"},
    {"{\"application\":\"vm\",\"serial\":1}", "plugin: is missing"},
    {"{\"application\":\"inv\",\"serial\":1,\"plugin\":\"vm\"}",
     "application: expected \"vm\", the name of its folder, got \"inv\""},
    {"{\"application\":1,\"serial\":1,\"plugin\":\"vm\"}",
     "application: expected \"vm\""},
    {"{\"application\":\"vm\",\"serial\":-1,\"plugin\":\"vm\"}",
     "serial: expected an integer from 0 to 2^53 - 1"},
    {"{\"application\":\"vm\",\"serial\":1.5,\"plugin\":\"vm\"}", "serial: expected"},
    {"{\"application\":\"vm\",\"serial\":\"1\",\"plugin\":\"vm\"}",
     "serial: expected an integer from 0 to 2^53 - 1, got \"1\""},
    {"{\"application\":\"vm\",\"serial\":9007199254740992,\"plugin\":\"vm\"}",
     "serial: expected"},
    {"{\"application\":\"vm\",\"serial\":1e300,\"plugin\":\"vm\"}", "serial: expected"},
    {"{\"application\":\"vm\",\"serial\":null,\"plugin\":\"vm\"}", "serial: expected"},
    {"{\"application\":\"vm\",\"serial\":1,\"plugin\":\"../vm\"}",
     "plugin: expected a name"},
    {"{\"application\":\"vm\",\"serial\":1,\"plugin\":\"\"}", "plugin: expected a name"},
    {"{" BASE ",\"colour\":1}", "\"colour\": there is no such field"},
    {"{" BASE ",\"Title\":\"x\"}", "\"Title\": there is no such field"},
    {"{" BASE ",\"a\\u001b[2J\":1}", "\"a\\x1b[2J\": there is no such field"},
    {"{" BASE ",\"title\":5}", "title: expected"},
    {"{" BASE ",\"title\":\"a\\nb\"}", "title: expected one line"},
    {"{" BASE ",\"issued\":\"2026-11-23\"}", "issued: expected a time in UTC like"},
    {"{" BASE ",\"issued\":\"2026-11-23T00:00:00+01:00\"}", "issued: expected"},
    {"{" BASE ",\"issued\":\"2026-11-23T00:00:00z\"}", "issued: expected"},
    {"{" BASE ",\"issued\":\"2026-02-30T00:00:00Z\"}", "issued: expected"},
    {"{" BASE ",\"issued\":\"2026-1-3T0:0:0Z\"}", "issued: expected"},
    {"{" BASE ",\"issued\":\" 2026-11-23T00:00:00Z\"}", "issued: expected"},
    {"{" BASE ",\"expires\":1795392000}", "expires: expected a time"},
    {"{" BASE
     ",\"issued\":\"2026-11-23T00:00:00Z\",\"expires\":\"2026-11-23T00:00:00Z\"}",
     "expires: expected a time after issued"},
    {"{" BASE ",\"exec\":{}}", "exec: expected a list of absolute paths, got"},
    {"{" BASE ",\"exec\":[\"rpm\"]}",
     "exec: expected absolute paths in the list, got \"rpm\""},
    {"{" BASE ",\"exec\":[1]}", "exec: expected absolute paths"},
    {"{" BASE ",\"sockets\":[\"/a\\n\"]}", "sockets: expected absolute paths"},
    {"{" BASE ",\"sockets\":\"/a\"}", "sockets: expected a list"},
    {"{" BASE ",\"limits\":[]}", "limits: expected an object"},
    {"{" BASE ",\"limits\":{\"cpu_s\":0}}",
     "limits.cpu_s: expected an integer from 1 to"},
    {"{" BASE ",\"limits\":{\"cpu_s\":-5}}", "limits.cpu_s: expected"},
    {"{" BASE ",\"limits\":{\"cpu_s\":\"5\"}}", "limits.cpu_s: expected"},
    {"{" BASE ",\"limits\":{\"memory_mib\":99999999999}}", "limits.memory_mib: expected"},
    {"{" BASE ",\"limits\":{\"cpu\":5}}", "limits: \"cpu\": there is no such field"},
    {"{" BASE ",\"payloads\":{}}", "payloads: expected a list of objects"},
    {"{" BASE ",\"payloads\":[1]}", "payloads: expected objects with"},
    {"{" BASE ",\"payloads\":[{\"name\":\"a\",\"size\":1}]}",
     "payloads: expected objects"},
    {"{" BASE ",\"payloads\":[{\"name\":\"../a\",\"size\":1,\"sha256\":\"" SHA "\"}]}",
     "payloads: name: expected"},
    {"{" BASE ",\"payloads\":[{\"name\":\".a\",\"size\":1,\"sha256\":\"" SHA "\"}]}",
     "payloads: name: expected"},
    {"{" BASE ",\"payloads\":[{\"name\":1,\"size\":1,\"sha256\":\"" SHA "\"}]}",
     "payloads: name: expected"},
    {"{" BASE ",\"payloads\":[{\"name\":\"a\",\"size\":-1,\"sha256\":\"" SHA "\"}]}",
     "payloads: size: expected"},
    {"{" BASE ",\"payloads\":[{\"name\":\"a\",\"size\":1,\"sha256\":\"abc\"}]}",
     "payloads: sha256: expected"},
    {"{" BASE ",\"payloads\":[{\"name\":\"a\",\"size\":1,\"sha256\":\"" SHA
     "\",\"x\":1}]}",
     "payloads: \"x\": there is no such field"},
    {"{" BASE ",\"payloads\":[{\"name\":\"a\",\"size\":1,\"sha256\":\"" SHA
     "\"},{\"name\":\"a\",\"size\":1,\"sha256\":\"" SHA "\"}]}",
     "payloads: two are named \"a\""},
    {"{" BASE ",\"content\":[]}", "content: expected an object"},
};

Test(manifest, bad_ones_are_refused_with_the_field_and_what_it_should_be)
{
    for (size_t i = 0; i < sizeof bad_ones / sizeof bad_ones[0]; i++) {
        cr_expect_eq(parse(bad_ones[i].text), -EBADMSG, "%s", bad_ones[i].text);
        cr_expect_str_neq(why.text, "", "%s", bad_ones[i].text);
        cr_expect(strstr(why.text, bad_ones[i].expected), "%s: %s", bad_ones[i].text,
                  why.text);
    }
}

Test(manifest, a_nul_does_not_hide_what_follows)
{
    static const char text[] = "{" BASE "}\0 x";

    cr_expect_eq(manifest_parse(text, sizeof text - 1, "vm", &m, &why), -EBADMSG);
}

Test(manifest, no_more_than_64_kib)
{
    char *text = malloc(MANIFEST_MAX + 2);

    memset(text, ' ', MANIFEST_MAX + 1);
    memcpy(text, "{" BASE "}", strlen("{" BASE "}"));
    cr_expect_eq(manifest_parse(text, MANIFEST_MAX, "vm", &m, &why), 0);
    cr_expect_eq(manifest_parse(text, MANIFEST_MAX + 1, "vm", &m, &why), -EBADMSG);
    free(text);
}

Test(manifest, names_are_short_and_lower_case)
{
    static const struct {
        const char *name;
        bool valid;
    } rows[] = {
        {"a", true},
        {"inv", true},
        {"a-1", true},
        {"a2345678901234567890123456789012", true},
        {"a23456789012345678901234567890123", false},
        {"", false},
        {"1a", false},
        {"-a", false},
        {"A", false},
        {"a_b", false},
        {"a/b", false},
        {"a.b", false},
        {"a b", false},
        {"..", false},
        {"\xc3\xa4", false},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        cr_expect_eq(name_is_valid(rows[i].name), rows[i].valid, "\"%s\"", rows[i].name);
}
