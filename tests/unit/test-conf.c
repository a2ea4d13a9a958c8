/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "conf.h"

static struct conf conf;
static struct why why;

/* conf_read of a file of these bytes, which messages then call FILE. */
static int
read_bytes(const char *text, size_t len)
{
    char path[] = "/tmp/test-conf.XXXXXX";
    int fd = mkstemp(path), r;
    char *at;

    cr_assert_geq(fd, 0);
    cr_assert_eq(write(fd, text, len), (ssize_t)len);
    close(fd);
    why.text[0] = '\0';
    r = conf_read(path, &conf, &why);
    unlink(path);
    at = strstr(why.text, path);
    if (at) {
        memmove(at + 4, at + strlen(path), strlen(at + strlen(path)) + 1);
        memcpy(at, "FILE", 4);
    }
    return r;
}

static int
read_text(const char *text)
{
    return read_bytes(text, strlen(text));
}

Test(conf, an_empty_file_is_a_whole_installation)
{
    struct limits limits = LIMITS_DEFAULT;

    cr_assert_eq(read_text(""), 0, "%s", why.text);
    cr_expect_str_eq(conf.paths.state, SONDE_STATEDIR);
    cr_expect_str_eq(conf.paths.log, SONDE_LOGDIR "/agent.log");
    cr_expect_str_eq(conf.paths.socket, SONDE_RUNSTATEDIR "/agent.sock");
    cr_expect_str_eq(conf.paths.plugins, SONDE_LIBDIR "/plugins");
    cr_expect_str_eq(conf.paths.manifests, SONDE_DATADIR "/manifests");
    cr_expect_str_eq(conf.paths.local_manifests, SONDE_SYSCONFDIR "/manifests");
    cr_expect_str_eq(conf.paths.profile, SONDE_SYSCONFDIR "/profile.json");
    cr_expect_str_eq(conf.paths.worker, SONDE_LIBEXECDIR "/sonde-worker");
    cr_expect_str_eq(conf.agent.root, "/");
    cr_expect_str_eq(conf.agent.id, "");
    cr_expect_eq(conf.agent.max_scans, 4);
    cr_expect_not(conf.agent.same_uid);
    cr_expect_str_eq(conf.agent.scan_user, "sonde-scan");
    cr_expect_str_eq(conf.agent.store_user, "sonde");
    cr_expect_str_eq(conf.agent.group, "sonde");
    cr_expect_eq(conf.log.level, LOG_INFO);
    cr_expect_eq(conf.log.max_size, 10 * 1024 * 1024);
    cr_expect_eq(conf.log.keep, 5);
    cr_expect_arr_eq(&conf.limits, &limits, sizeof limits);
    conf_done(&conf);
}

Test(conf, every_key_is_read)
{
    cr_assert_eq(read_text("[paths]\nstate=/s\nlog=/l\nsocket=/k\nplugins=/p:/q\n"
                           "manifests=/m\nlocal_manifests=/n\nprofile=/f\nworker=/w\n"
                           "[agent]\nroot=/host\nid=node-1.example_2\nmax_scans=64\n"
                           "same_uid=allow\nscan_user=1000\nstore_user=bob\ngroup=100\n"
                           "[log]\nlevel=debug\nmax_size=8K\nkeep=9\n"
                           "[limits]\ncpu=1\nstall=2\ndeadline=3\nmemory=4\nrecords=5\n"
                           "bytes=6\n"),
                 0, "%s", why.text);
    cr_expect_str_eq(conf.paths.state, "/s");
    cr_expect_str_eq(conf.paths.log, "/l");
    cr_expect_str_eq(conf.paths.socket, "/k");
    cr_expect_str_eq(conf.paths.plugins, "/p:/q");
    cr_expect_str_eq(conf.paths.manifests, "/m");
    cr_expect_str_eq(conf.paths.local_manifests, "/n");
    cr_expect_str_eq(conf.paths.profile, "/f");
    cr_expect_str_eq(conf.paths.worker, "/w");
    cr_expect_str_eq(conf.agent.root, "/host");
    cr_expect_str_eq(conf.agent.id, "node-1.example_2");
    cr_expect_eq(conf.agent.max_scans, 64);
    cr_expect(conf.agent.same_uid);
    cr_expect_str_eq(conf.agent.scan_user, "1000");
    cr_expect_str_eq(conf.agent.store_user, "bob");
    cr_expect_str_eq(conf.agent.group, "100");
    cr_expect_eq(conf.log.level, LOG_DEBUG);
    cr_expect_eq(conf.log.max_size, 8192);
    cr_expect_eq(conf.log.keep, 9);
    for (int i = 0; i < limits_n_fields; i++)
        cr_expect_eq(*limits_at(&conf.limits, i), i + 1);
    conf_done(&conf);
}

Test(conf, comments_blank_lines_indents_and_a_last_line_without_end_are_fine)
{
    cr_assert_eq(read_text("# a comment\n\n; another\n[agent]   # why\n\n"
                           "  max_scans = 3   ; three\n\troot = /host\n[log]\n keep=2"),
                 0, "%s", why.text);
    cr_expect_eq(conf.agent.max_scans, 3);
    cr_expect_str_eq(conf.agent.root, "/host");
    cr_expect_eq(conf.log.keep, 2);
    conf_done(&conf);
}

#define LINE_50 "/2345678901234567890123456789012345678901234567890"

Test(conf, a_bad_file_is_refused_with_its_line)
{
    static const struct {
        const char *text, *expected;
    } rows[] = {
        {"[agent]\nmax_scans = x\n",
         "FILE:2: [agent] max_scans: \"x\" is not a number from 1 to 64"},
        {"[agent]\nmax_scans = 0\n", "\"0\" is not a number from 1 to 64"},
        {"[agent]\nmax_scans = 65\n", "\"65\" is not a number from 1 to 64"},
        {"[agent]\nmax_scans = -1\n", "\"-1\" is not a number"},
        {"[agent]\nmax_scans = +1\n", "\"+1\" is not a number"},
        {"[agent]\nmax_scans = 1x\n", "\"1x\" is not a number"},
        {"[agent]\nmax_scans =\n", "\"\" is not a number"},
        {"[agent]\nmax_scans = 99999999999999999999999\n",
         "is not a number from 1 to 64"},
        {"[agent]\nmax_scans = 18446744073709551617\n", "is not a number from 1 to 64"},
        {"[agent]\nsame_uid = yes\n",
         "FILE:2: [agent] same_uid: \"yes\" is not \"deny\" or \"allow\""},
        {"[agent]\nroot = host\n", "\"host\" is not an absolute path"},
        {"[agent]\nroot =\n", "\"\" is not an absolute path"},
        {"[agent]\nid = a b\n", "\"a b\" is not an id"},
        {"[agent]\nid = ../x\n", "\"../x\" is not an id"},
        {"[agent]\nscan_user =\n", "\"\" is not a name or number"},
        {"[agent]\nscan_user = a b\n", "\"a b\" is not a name or number"},
        {"\n[paths]\nstate = var/lib\n",
         "FILE:3: [paths] state: \"var/lib\" is not an absolute path"},
        {"[paths]\nplugins = /a:b\n", "\"/a:b\" is not a list of absolute paths"},
        {"[paths]\nplugins = /a:\n", "\"/a:\" is not a list of absolute paths"},
        {"[paths]\nplugins = /a::/b\n", "is not a list of absolute paths"},
        {"[paths]\nsocket = " LINE_50 LINE_50 "/2345678\n", "longer than 107 bytes"},
        {"[log]\nlevel = loud\n", "\"loud\" is not \"error\", \"warning\""},
        {"[log]\nlevel = Error\n", "\"Error\" is not"},
        {"[log]\nmax_size = 10G\n", "\"10G\" is not a size from 4096"},
        {"[log]\nmax_size = 1K\n", "\"1K\" is not a size"},
        {"[log]\nmax_size = M\n", "\"M\" is not a size"},
        {"[log]\nmax_size = 9999999999999999M\n", "is not a size"},
        {"[log]\nkeep = 0\n", "\"0\" is not a number from 1 to 99"},
        {"[limits]\nmemory = 0\n",
         "FILE:2: [limits] memory: \"0\" is not a number from 1"},
        {"[limits]\ncpu_s = 1\n", "FILE:2: [limits] cpu_s: no such key"},
        {"[agent]\nMax_Scans = 1\n", "FILE:2: [agent] Max_Scans: no such key"},
        {"[agent]\nstate = /x\n", "FILE:2: [agent] state: no such key"},
        {"[agents]\nroot = /\n", "FILE:1: [agents]: no such section"},
        {"\n[limts]\n", "FILE:2: [limts]: no such section"},
        {"root = /\n", "FILE:1: key outside a section"},
        {"[agent]\nroot = /a\n\nroot = /a\n",
         "FILE:4: [agent] root: was set in line 2 already"},
        {"[agent]\nroot = /a\n[log]\n[agent]\nroot = /b\n",
         "FILE:5: [agent] root: was set"},
        {"[agent]\noops\n", "FILE:2: neither [section] nor key = value"},
        {"[agent]\noops\nmax_scans = x\n", "FILE:2: neither [section] nor key = value"},
        {"[agent]\nmax_scans = x\noops\n", "FILE:2: [agent] max_scans"},
        {"[agent]\nroot: /a\n", "FILE:2: \":\" where \"=\" belongs"},
        {"\xef\xbb\xbf[agents]\n", "FILE:1: [agents]: no such section"},
        {"\xef\xbb\xbf[agent] x\n", "FILE:1: text after \"]\""},
        {"[agent\nroot = /\n", "FILE:1: \"]\" is missing"},
        {"[agent] root = /x\n", "FILE:1: text after \"]\""},
        {"[agent]\nroot = /a\x01\n", "FILE:2: control byte \\x01"},
        {"[agent]\nroot = /a\x7f\n", "FILE:2: control byte \\x7f"},
        {"[agent]\r\n", "FILE:1: control byte \\x0d"},
        {"[agent]\nroot = " LINE_50 LINE_50 LINE_50 LINE_50 "\n",
         "FILE:2: the line is longer than"},
        {"# " LINE_50 LINE_50 LINE_50 LINE_50 "\n", "FILE:1: the line is longer than"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        cr_expect_eq(read_text(rows[i].text), -EINVAL, "%s", rows[i].text);
        cr_expect(strstr(why.text, rows[i].expected), "%s: %s", rows[i].text, why.text);
    }
}

Test(conf, a_nul_does_not_hide_what_follows)
{
    static const char text[] = "[agent]\nroot = /a\0\n";

    cr_expect_eq(read_bytes(text, sizeof text - 1), -EINVAL);
    cr_expect_str_eq(why.text, "FILE:2: control byte \\x00");
}

/* The longest line that is not refused arrives whole. */
Test(conf, no_line_is_cut)
{
    for (size_t len = 150; len < 260; len++) {
        char text[400] = "[agent]\nroot = /";
        size_t n = strlen(text);

        memset(text + n, 'x', len);
        strcpy(text + n + len, "\n");
        if (read_text(text) == 0) {
            cr_expect_eq(strlen(conf.agent.root), len + 1);
            conf_done(&conf);
        } else {
            cr_expect(strstr(why.text, "longer than"), "%s", why.text);
        }
    }
}

Test(conf, a_file_that_is_not_there_is_named)
{
    cr_expect_eq(conf_read("/nonexistent/agent.conf", &conf, &why), -ENOENT);
    cr_expect(strstr(why.text, "/nonexistent/agent.conf"), "%s", why.text);
}

Test(conf, a_byte_order_mark_is_no_text)
{
    cr_assert_eq(read_text("\xef\xbb\xbf[agent]\nmax_scans = 3\n"), 0, "%s", why.text);
    cr_expect_eq(conf.agent.max_scans, 3);
    conf_done(&conf);
}

Test(conf, what_is_no_regular_file_is_refused_and_not_waited_for)
{
    char path[64];

    cr_expect_eq(conf_read("/", &conf, &why), -EINVAL);
    snprintf(path, sizeof path, "/tmp/test-conf-fifo.%d", getpid());
    cr_assert_eq(mkfifo(path, 0600), 0);
    cr_expect_eq(conf_read(path, &conf, &why), -EINVAL);
    cr_expect(strstr(why.text, "not a regular file"), "%s", why.text);
    unlink(path);
}

Test(conf, dev_null_is_an_empty_file)
{
    cr_assert_eq(conf_read("/dev/null", &conf, &why), 0, "%s", why.text);
    conf_done(&conf);
}

Test(conf, a_huge_file_is_refused)
{
    static char text[100 * 1024];

    memset(text, '\n', sizeof text);
    cr_expect_eq(read_bytes(text, sizeof text), -EFBIG);
}
