/* SPDX-License-Identifier: Apache-2.0 */
/* One request to the agent's control socket. */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "cleanup.h"
#include "cli.h"

enum { PROTOCOL_VERSION = 1, PATIENCE_MS = 30000, READ_SIZE = 4096 };

/* A connected socket, or a negated errno. */
static int
connect_agent(const char *path, int patience_ms)
{
    const struct timeval patience = {.tv_sec = patience_ms / 1000,
                                     .tv_usec = (suseconds_t)(patience_ms % 1000) * 1000};
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    cleanup_fd int fd = -1;

    if (strlen(path) >= sizeof address.sun_path)
        return -ENAMETOOLONG;
    strcpy(address.sun_path, path);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 ||
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) < 0 ||
        connect(fd, (struct sockaddr *)&address, sizeof address) < 0)
        return -errno;
    return steal_fd(&fd);
}

/* An agent that refuses us may have closed already: its answer is there to read although
 * nobody takes the request, which is no failure then.
 */
static int
send_whole(int fd, const char *text, size_t len)
{
    ssize_t n = 1;

    for (; len > 0 && n > 0; text += n, len -= (size_t)n) {
        n = send(fd, text, len, MSG_NOSIGNAL);
        if (n < 0)
            return errno == EPIPE || errno == ECONNRESET ? 0 : -errno;
    }
    return 0;
}

static int
send_request(int fd, const struct client_request *request)
{
    cleanup_free char *text = NULL;
    size_t len = 0;
    FILE *stream = open_memstream(&text, &len);
    struct json_out out;

    if (!stream)
        return -ENOMEM;
    json_out_init(&out, stream);
    json_out_object(&out, NULL);
    json_out_int(&out, "v", PROTOCOL_VERSION);
    json_out_str(&out, "verb", request->verb);
    if (request->key)
        json_out_str(&out, request->key, request->value);
    if (request->number_key)
        json_out_int(&out, request->number_key, request->number);
    if (request->json_key)
        json_out_raw(&out, request->json_key, request->json);
    if (request->open)
        json_out_bool(&out, "open", true);
    json_out_end(&out, '}');
    fputc('\n', stream);
    return fclose(stream) != 0 ? -ENOMEM : send_whole(fd, text, len);
}

int
client_open(struct client *client, const struct cli *cli,
            const struct client_request *request, int patience_ms)
{
    int r;

    *client = (struct client){.fd = connect_agent(cli->conf.paths.socket, patience_ms)};
    r = client->fd < 0 ? client->fd : send_request(client->fd, request);
    if (r < 0)
        client_close(client);
    return r;
}

void
client_close(struct client *client)
{
    if (client->fd >= 0)
        close(client->fd);
    free(client->text);
    *client = (struct client){.fd = -1};
}

int
client_cannot_open(const struct cli *cli, int r)
{
    const char *path = cli->conf.paths.socket;

    if (r == -ENAMETOOLONG)
        return cli_fail(EXIT_BAD_CONFIG, "socket %s: the path is too long", path);
    if (r == -EACCES || r == -EPERM)
        return cli_fail(EXIT_NOT_PERMITTED,
                        "not permitted to ask the agent at %s: ask as root or as a "
                        "member of the group %s",
                        path, cli->conf.agent.group);
    return cli_fail(EXIT_UNAVAILABLE, "no agent answers at %s (%s): start sonde-agent",
                    path, strerror(-r));
}

/* Read what has come: above 0, 0 at the end, or a negated errno. */
static ssize_t
read_more(struct client *client)
{
    ssize_t n;

    if (client->size - client->len < READ_SIZE) {
        size_t size = client->size ? client->size * 2 : (size_t)2 * READ_SIZE;
        char *text = realloc(client->text, size);

        if (!text)
            return -ENOMEM;
        client->text = text;
        client->size = size;
    }
    do
        n = recv(client->fd, client->text + client->len, client->size - client->len, 0);
    while (n < 0 && errno == EINTR);
    if (n > 0)
        client->len += (size_t)n;
    return n < 0 ? -errno : n;
}

/* The first line of what was read as JSON: 1, 0 when it is not whole yet. */
static int
take_line(struct client *client, struct json **ret)
{
    char *end = client->len ? memchr(client->text, '\n', client->len) : NULL;
    struct why why = {""};
    size_t len;
    int r;

    if (!end)
        return 0;
    len = (size_t)(end + 1 - client->text);
    r = json_parse(client->text, len, ret, &why);
    if (r < 0)
        cli_fail(0, "the agent's answer is not JSON: %s", why.text);
    client->len -= len;
    memmove(client->text, client->text + len, client->len);
    return r < 0 ? r : 1;
}

int
client_next(struct client *client, int64_t end_ms, struct json **ret)
{
    struct pollfd p = {.fd = client->fd, .events = POLLIN};
    int64_t left = 0;
    ssize_t n;
    int r;

    while ((r = take_line(client, ret)) == 0) {
        if (end_ms >= 0 && (left = end_ms - cli_now_ms()) < 0)
            left = 0;
        r = poll(&p, 1, end_ms < 0 ? -1 : left > INT32_MAX ? INT32_MAX : (int)left);
        if (r == 0)
            return 0;
        if (r < 0 && errno == EINTR)
            continue;
        n = r < 0 ? -errno : read_more(client);
        if (n <= 0)
            return n == 0 ? -EPIPE : (int)n;
    }
    return r;
}

int
client_verdict(const struct json *final)
{
    const char *error = json_get_str(final, "error");
    int64_t code = json_get_int(final, "exit", EXIT_UNAVAILABLE);

    if (json_get_bool(final, "ok", false))
        return 0;
    return cli_fail(code > 0 && code < 256 ? (int)code : EXIT_UNAVAILABLE, "%s",
                    error ? error : "refused without a reason");
}

/* No more came: r is what client_next said. */
static int
ended_early(int r)
{
    if (r == -EBADMSG) /* told */
        return EXIT_UNAVAILABLE;
    if (r == 0)
        return cli_fail(EXIT_UNAVAILABLE, "the agent did not answer within %d s",
                        PATIENCE_MS / 1000);
    return cli_fail(EXIT_UNAVAILABLE,
                    "the agent went away before it had answered; a request that it has "
                    "taken is kept: sonde status");
}

int
client_ask(const struct cli *cli, const struct client_request *request,
           void (*item)(const struct json *line, void *arg), void *arg,
           struct json **ret_final)
{
    struct json *line = NULL;
    struct client client;
    int code, r = client_open(&client, cli, request, PATIENCE_MS);

    if (r < 0)
        return client_cannot_open(cli, r);
    while ((r = client_next(&client, cli_now_ms() + PATIENCE_MS, &line)) == 1 &&
           !json_get(line, "ok")) {
        if (item)
            item(line, arg);
        json_free(line);
        line = NULL;
    }
    client_close(&client);
    code = r == 1 ? client_verdict(line) : ended_early(r);
    if (code == 0 && ret_final)
        *ret_final = line;
    else
        json_free(line);
    return code;
}

void
client_name(struct client_request *request, const char *word)
{
    /* The name of an application begins with a letter. */
    request->key = word[0] >= '0' && word[0] <= '9' ? "control_id" : "application";
    request->value = word;
}

int
client_tell(const struct cli *cli, const struct client_request *request, const char *what)
{
    struct json *final = NULL;
    int r = client_ask(cli, request, NULL, NULL, &final);
    const char *state = json_get_str(final, "state"), *note = json_get_str(final, "note");
    int64_t throttle = json_get_int(final, "cputhrottle", -1);

    if (r != 0)
        return r;
    if (cli->json)
        cli_print_json(final);
    else {
        if (state)
            cli_print(stdout, "%s: %s", what, state);
        if (throttle >= 0)
            printf(", cputhrottle %lld", (long long)throttle);
        if (note && note[0])
            cli_print(stdout, state ? " (%s)" : "%s", note);
        putchar('\n');
    }
    json_free(final);
    return 0;
}
