/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "notify.h"
#include "tree.h"

/* A service manager that listens on this name, '@': abstract; and says so to the program. */
static int
listen_on(const char *name)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    size_t len = strlen(name);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    cr_assert_leq(len, sizeof at.sun_path);
    memcpy(at.sun_path, name, len);
    if (name[0] == '@')
        at.sun_path[0] = '\0';
    cr_assert_eq(bind(fd, (struct sockaddr *)&at,
                      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)),
                 0, "%s: %s", name, strerror(errno));
    cr_assert_eq(setenv("NOTIFY_SOCKET", name, 1), 0);
    return fd;
}

/* The next datagram has just these bytes; "": there is none. */
static void
expect_told(int fd, const char *text)
{
    char told[256];
    ssize_t n = recv(fd, told, sizeof told - 1, 0);

    told[n > 0 ? n : 0] = '\0';
    cr_expect_str_eq(told, text);
    cr_expect_eq(n, text[0] ? (ssize_t)strlen(text) : -1);
}

TestSuite(notify, .init = tree_init, .fini = tree_done);

Test(notify, both_words_reach_a_socket_with_a_path)
{
    int fd = listen_on(tree("out/socket")), open_before = tree_open_files();

    cr_expect_eq(notify_ready(), 1);
    expect_told(fd, "READY=1");
    cr_expect_eq(notify_stopping(), 1);
    expect_told(fd, "STOPPING=1");
    expect_told(fd, "");
    cr_expect_eq(tree_open_files(), open_before);
}

Test(notify, both_words_reach_an_abstract_socket)
{
    char name[64];
    int fd;

    snprintf(name, sizeof name, "@sonde-test-notify-%d", getpid());
    fd = listen_on(name);
    cr_expect_eq(notify_ready(), 1);
    expect_told(fd, "READY=1");
    cr_expect_eq(notify_stopping(), 1);
    expect_told(fd, "STOPPING=1");
}

Test(notify, the_longest_abstract_name_is_told_too)
{
    char name[sizeof((struct sockaddr_un *)0)->sun_path + 1];
    int fd, n = snprintf(name, sizeof name, "@%d-", getpid());

    memset(name + n, 'x', sizeof name - 1 - (size_t)n);
    name[sizeof name - 1] = '\0';
    fd = listen_on(name);
    cr_expect_eq(notify_ready(), 1);
    expect_told(fd, "READY=1");
}

Test(notify, without_a_socket_nothing_is_told)
{
    unsetenv("NOTIFY_SOCKET");
    cr_expect_eq(notify_ready(), 0);
    cr_expect_eq(notify_stopping(), 0);
    setenv("NOTIFY_SOCKET", "", 1);
    cr_expect_eq(notify_ready(), 0);
}

Test(notify, nobody_is_told_after_the_last_word)
{
    int fd = listen_on(tree("out/socket"));

    cr_expect_eq(notify_stopping(), 1);
    expect_told(fd, "STOPPING=1");
    cr_expect_null(getenv("NOTIFY_SOCKET"));
    cr_expect_eq(notify_stopping(), 0);
    expect_told(fd, "");
}

Test(notify, a_name_that_is_none_is_an_error_and_no_more)
{
    const struct {
        const char *name;
        int r;
    } rows[] = {
        {"socket", -EINVAL}, {"vsock:2:1234", -EINVAL},   {"@", -EINVAL},
        {"/", -EINVAL},      {tree("out/none"), -ENOENT},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        setenv("NOTIFY_SOCKET", rows[i].name, 1);
        cr_expect_eq(notify_ready(), rows[i].r, "%s", rows[i].name);
    }
}

Test(notify, a_name_that_is_too_long_is_an_error)
{
    const size_t room = sizeof((struct sockaddr_un *)0)->sun_path;
    char name[300];

    memset(name, 'x', sizeof name);
    name[0] = '/';
    name[room] = '\0'; /* a path without its NUL */
    setenv("NOTIFY_SOCKET", name, 1);
    cr_expect_eq(notify_ready(), -ENAMETOOLONG);
    name[room] = 'x';
    name[sizeof name - 1] = '\0';
    for (const char *first = "/@"; *first; first++) {
        name[0] = *first;
        setenv("NOTIFY_SOCKET", name, 1);
        cr_expect_eq(notify_ready(), -ENAMETOOLONG);
    }
}
