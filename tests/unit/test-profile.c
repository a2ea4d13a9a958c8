/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <criterion/criterion.h>

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

Test(profile, bad_ones_are_refused_with_the_place)
{
    static const struct {
        const char *text, *expected;
    } rows[] = {
        {"", ""},
        {"{} x", ""},
        {"[]", "expected an object"},
        {"{\"application\":{}}", "\"application\": there is no such field"},
        {"{\"applications\":[]}", "applications: expected an object, got"},
        {"{\"applications\":{},\"applications\":{}}", ""},
        {"{\"applications\":{\"a\":{\"active\":true},\"a\":{\"active\":true}}}", ""},
        {"{\"applications\":{\"a/b\":{\"active\":true}}}",
         "applications: \"a/b\" is no name"},
        {"{\"applications\":{\"a\\n\":{\"active\":true}}}",
         "applications: \"a\\x0a\" is no name"},
        {"{\"applications\":{\"a\":true}}", "applications.a: expected an object, got"},
        {"{\"applications\":{\"a\":{}}}", "applications.a.active: is missing"},
        {"{\"applications\":{\"a\":{\"active\":1}}}",
         "applications.a.active: expected true or false, got"},
        {"{\"applications\":{\"a\":{\"active\":\"no\"}}}",
         "applications.a.active: expected"},
        {"{\"applications\":{\"a\":{\"active\":null}}}",
         "applications.a.active: expected"},
        {"{\"applications\":{\"a\":{\"active\":true,\"interval\":1}}}",
         "applications.a: \"interval\": there is no such field"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        cr_expect_eq(parse(rows[i].text), -EBADMSG, "%s", rows[i].text);
        cr_expect_str_neq(why.text, "", "%s", rows[i].text);
        cr_expect(strstr(why.text, rows[i].expected), "%s: %s", rows[i].text, why.text);
    }
}

Test(profile, the_last_word_holds)
{
    p = (struct profile){0};
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
    struct profile a = {0}, b = {0};

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

Test(profile, it_never_gets_too_large_to_be_read)
{
    char path[] = "/tmp/test-profile.XXXXXX", name[NAME_MAX_LEN + 1];
    int r = 0;

    p = (struct profile){0};
    for (int i = 0; r == 0 && i < 5000; i++) {
        snprintf(name, sizeof name, "a%031d", i);
        r = profile_set_active(&p, name, false);
    }
    cr_expect_eq(r, -ENOSPC);
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
    p = (struct profile){0};
    cr_expect_eq(profile_write(path, &p, &why), 0, "%s", why.text);
}

Test(profile_file, one_that_cannot_be_written_is_named)
{
    p = (struct profile){0};
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
