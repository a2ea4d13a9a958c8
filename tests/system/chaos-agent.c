/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "chaos.h"
#include "cleanup.h"
#include "exit-code.h"

enum { START_MS = 20000, STOP_MS = 15000 };

/* ---- start ---- */

static void
become_agent(struct chaos *chaos)
{
    char conf[4096], out[4096], clock[4096];
    int fd;

    snprintf(conf, sizeof conf, "%s/agent.conf", chaos->folder);
    snprintf(out, sizeof out, "%s/agent.out", chaos->folder);
    snprintf(clock, sizeof clock, "%s/clock", chaos->folder);
    fd = open(out, O_WRONLY | O_CREAT | O_APPEND, 0644);
    if (fd < 0 || dup2(fd, 1) < 0 || dup2(fd, 2) < 0 ||
        setenv("SONDE_TEST_CLOCK", clock, 1) < 0)
        _exit(126);
    execl(chaos->program, "sonde-agent", "--config", conf, (char *)NULL);
    _exit(127);
}

static void
spawn(struct chaos *chaos)
{
    pid_t pid;

    fflush(NULL);
    chaos->generation++;
    pid = fork();
    if (pid < 0)
        abort(); /* no number to send signals to */
    if (pid == 0)
        become_agent(chaos);
    chaos->agent = pid;
}

/* A connection is not enough: what a killed agent was about to start has its socket, too, for
 * a moment.
 */
static bool
answers(const struct chaos *chaos)
{
    static const char line[] = "{\"v\":1,\"verb\":\"list\",\"limit\":1}\n";
    const struct timeval patience = {.tv_sec = 1};
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    cleanup_fd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    char c;

    strncpy(address.sun_path, chaos->socket, sizeof address.sun_path - 1);
    return fd >= 0 &&
           setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) == 0 &&
           connect(fd, (struct sockaddr *)&address, sizeof address) == 0 &&
           send(fd, line, sizeof line - 1, MSG_NOSIGNAL) > 0 && recv(fd, &c, 1, 0) == 1;
}

/* The agent's end as waitpid has it; -1: it lives. */
static int
ended(struct chaos *chaos)
{
    int status;

    return waitpid(chaos->agent, &status, WNOHANG) == chaos->agent ? status : -1;
}

/* What the killed one had just begun to start may hold its lock for a moment. */
bool
agent_start(struct chaos *chaos)
{
    int64_t end = now_ms() + START_MS * chaos->slow;

    spawn(chaos);
    while (now_ms() < end) {
        int status = ended(chaos);

        if (status >= 0 && WIFEXITED(status) &&
            WEXITSTATUS(status) == EXIT_REFUSED_FOR_NOW) {
            trace(chaos, "the agent is refused, again");
            spawn(chaos);
        } else if (status >= 0) {
            fault(chaos, FAULT_AGENT, "it does not start: status 0x%x", status);
            chaos->agent = 0;
            return false;
        } else if (answers(chaos))
            return true;
        hear(chaos, 2);
    }
    fault(chaos, FAULT_AGENT, "it does not answer");
    return false;
}

/* ---- end ---- */

/* One that has ended by itself is no number any more, and 0 would be all of us. */
void
agent_signal(struct chaos *chaos, int signum)
{
    if (chaos->agent)
        kill(chaos->agent, signum);
}

void
agent_kill(struct chaos *chaos)
{
    chaos->generation++;
    agent_signal(chaos, SIGKILL);
    if (chaos->agent)
        waitpid(chaos->agent, NULL, 0);
    chaos->agent = 0;
}

void
agent_stop(struct chaos *chaos, int signum)
{
    int64_t end = now_ms() + STOP_MS * chaos->slow;
    int status = chaos->agent ? -1 : 0;

    chaos->generation++;
    agent_signal(chaos, signum);
    while (status < 0 && now_ms() < end) {
        status = ended(chaos);
        if (status < 0)
            hear(chaos, 1);
    }
    if (status < 0) {
        fault(chaos, FAULT_AGENT, "it does not stop");
        agent_kill(chaos);
    } else if (status != 0)
        fault(chaos, FAULT_AGENT, "it stopped with status 0x%x", status);
    chaos->agent = 0;
}

void
agent_kill_early(struct chaos *chaos, int64_t ms)
{
    spawn(chaos);
    hear(chaos, ms);
    agent_kill(chaos);
}

bool
agent_lives(struct chaos *chaos)
{
    int status = chaos->agent ? ended(chaos) : 0;

    if (status < 0)
        return true;
    fault(chaos, FAULT_AGENT, "it ended by itself: status 0x%x", status);
    chaos->generation++;
    chaos->agent = 0;
    return false;
}

/* ---- what it goes by ---- */

static void
write_file(struct chaos *chaos, const char *name, int flags, const char *text)
{
    char path[4096];
    cleanup_fd int fd = -1;

    snprintf(path, sizeof path, "%s/%s", chaos->folder, name);
    fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0644);
    if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
        perror(path);
}

/* In place and of one length, so that there is always a number to read. */
void
agent_step_clock(struct chaos *chaos, int64_t by_s)
{
    char text[32];

    if (chaos->offset + by_s > OFFSET_MAX_S || chaos->offset + by_s < -OFFSET_MAX_S)
        by_s = -by_s;
    chaos->offset += by_s;
    trace(chaos, "clock by %lld s", (long long)by_s);
    snprintf(text, sizeof text, "%+020lld\n", (long long)chaos->offset);
    write_file(chaos, "clock", 0, text);
}

void
agent_profile(struct chaos *chaos, const char *text, bool tell)
{
    char from[4096], to[4096];

    trace(chaos, "profile%s: %s", tell ? "" : " (the agent is not told)", text);
    snprintf(from, sizeof from, "%s/profile.new", chaos->folder);
    snprintf(to, sizeof to, "%s/profile.json", chaos->folder);
    write_file(chaos, "profile.new", O_TRUNC, text);
    if (rename(from, to) < 0)
        perror(to);
    if (tell)
        agent_signal(chaos, SIGHUP);
    chaos->is_normal = false;
}

void
agent_profile_normal(struct chaos *chaos)
{
    char text[2048];
    int n = snprintf(text, sizeof text, "{\"applications\":{");

    for (int i = 0; i < APPS; i++)
        n += snprintf(text + n, sizeof text - (size_t)n,
                      "%s\"%s\":{\"active\":true,\"interval\":\"10m\",\"randomize\":0,"
                      "\"scan_on_start\":true,\"cputhrottle\":0}",
                      i ? "," : "", app_names[i]);
    snprintf(text + n, sizeof text - (size_t)n, "}}");
    agent_profile(chaos, text, true);
    chaos->is_normal = true;
}
