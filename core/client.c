/* SPDX-License-Identifier: Apache-2.0 */
/* One request to the agent's control socket. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "cleanup.h"
#include "cli.h"

enum { PROTOCOL_VERSION = 1, PATIENCE_S = 30 };

/* A connected stream, or NULL and the exit code after the reason was printed.  patience_s:
 * how long the agent may be silent, 0: any time.
 */
static FILE *
connect_agent(const struct cli *cli, int patience_s, int *ret_exit)
{
    const struct timeval patience = {.tv_sec = patience_s};
    const char *path = cli->conf.paths.socket;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    cleanup_fd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    FILE *stream;

    if (strlen(path) >= sizeof address.sun_path) {
        *ret_exit = cli_fail(EXIT_BAD_CONFIG, "socket %s: the path is too long", path);
        return NULL;
    }
    strcpy(address.sun_path, path);
    if (fd < 0 ||
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) < 0 ||
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) < 0 ||
        connect(fd, (struct sockaddr *)&address, sizeof address) < 0) {
        if (errno == EACCES || errno == EPERM)
            *ret_exit =
                cli_fail(EXIT_NOT_PERMITTED,
                         "not permitted to ask the agent at %s: ask as root or as a "
                         "member of the group %s",
                         path, cli->conf.agent.group);
        else
            *ret_exit = cli_fail(EXIT_UNAVAILABLE,
                                 "no agent answers at %s (%s): start sonde-agent", path,
                                 strerror(errno));
        return NULL;
    }
    stream = fdopen(fd, "r+");
    if (!stream)
        *ret_exit = cli_fail(EXIT_UNAVAILABLE, "%s", strerror(errno));
    else
        steal_fd(&fd);
    return stream;
}

/* An agent that refuses us may have closed already: its answer is there to read although
 * nobody takes the request, which is no failure then.
 */
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
    if (request->with_throttle)
        json_out_int(&out, "cputhrottle", request->cputhrottle);
    json_out_end(&out, '}');
    fputc('\n', stream);
    if (fclose(stream) != 0)
        return -ENOMEM;
    return send(fd, text, len, MSG_NOSIGNAL) < 0 && errno != EPIPE ? -errno : 0;
}

/* A refusal carries its own exit code. */
static int
refused(const struct json *line)
{
    const char *error = json_get_str(line, "error");
    int64_t code = json_get_int(line, "exit", EXIT_UNAVAILABLE);

    return cli_fail(code > 0 && code < 256 ? (int)code : EXIT_UNAVAILABLE, "%s",
                    error ? error : "refused without a reason");
}

int
client_ask(const struct cli *cli, const struct client_request *request,
           void (*item)(const struct json *line, void *arg), void *arg,
           struct json **ret_final)
{
    int code = EXIT_UNAVAILABLE;
    bool waits = strcmp(request->verb, "wait") == 0;
    cleanup_file FILE *stream = connect_agent(cli, waits ? 0 : PATIENCE_S, &code);
    cleanup_free char *text = NULL;
    size_t size = 0;
    ssize_t len;

    if (!stream)
        return code;
    if (send_request(fileno(stream), request) < 0)
        return cli_fail(EXIT_UNAVAILABLE, "the agent went away");
    while ((len = getline(&text, &size, stream)) > 0) {
        struct json *line = NULL;
        struct why why = {""};

        if (json_parse(text, (size_t)len, &line, &why) < 0)
            return cli_fail(EXIT_UNAVAILABLE, "the agent's answer is not JSON: %s",
                            why.text);
        if (!json_get(line, "ok")) {
            if (item)
                item(line, arg);
            json_free(line);
            continue;
        }
        code = json_get_bool(line, "ok", false) ? 0 : refused(line);
        if (code == 0 && ret_final)
            *ret_final = line;
        else
            json_free(line);
        return code;
    }
    if (ferror(stream) && errno == EAGAIN)
        return cli_fail(EXIT_UNAVAILABLE, "the agent did not answer within %d s",
                        PATIENCE_S);
    return cli_fail(EXIT_UNAVAILABLE,
                    "the agent went away before it had answered; a request that it has "
                    "taken is kept: sonde status");
}
