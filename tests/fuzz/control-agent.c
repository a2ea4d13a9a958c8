/* SPDX-License-Identifier: Apache-2.0 */
#include "control-agent.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "agent.h"
#include "control.h"
#include "fuzz.h"

enum { OWN_HANDLES = 3 }; /* the socket and two timers */

static struct agent agent;
static char nowhere[] = "/nowhere", folder[64], socket_path[80], profile_path[80];

static void
no_profile(struct agent *of, const struct profile *before)
{
    need(of == &agent && before);
}

static void
not_here(struct agent *of)
{
    need(!of);
}

static void
nothing_queued(struct agent *of)
{
    need(of == &agent);
}

/* What agent.c ties together. */
static const struct agent_events events = {.profile = no_profile,
                                           .queued = nothing_queued,
                                           .retry = not_here,
                                           .watch = control_sweep};

static void
queue_forget(void)
{
    static const char *const names[] = {"queue.db", "queue.db-wal", "queue.db-shm"};
    char path[96];

    queue_close(agent.queue);
    agent.queue = NULL;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        unlink(path);
    }
}

static void
clean_up(void)
{
    queue_forget();
    unlink(socket_path);
    rmdir(folder);
}

static void
queue_make(void)
{
    const struct queue_demand demand = {.application = "inv", .now = 1764039600};
    struct queue_ticket ticket;
    struct why why = {""}, note = {""};
    char path[96];

    snprintf(path, sizeof path, "%s/queue.db", folder);
    need(queue_open(path, 1764039600, &agent.queue, &note, &why) == 0);
    need(queue_demand(agent.queue, &demand, &ticket, &why) == 0);
    need(strcmp(ticket.control_id, CONTROL_AGENT_TICKET) == 0);
}

static void
agent_make(void)
{
    const char *tmp = getenv("TMPDIR");
    struct why why = {""};

    need(snprintf(folder, sizeof folder, "%s/fuzz.XXXXXX", tmp ? tmp : "/tmp") <
         (int)sizeof folder);
    need(mkdtemp(folder) && setenv("TZ", "UTC", 1) == 0);
    need(log_open("-", LOG_ERROR, INT64_MAX, 1, -1) == 0);
    signal(SIGPIPE, SIG_IGN);
    snprintf(socket_path, sizeof socket_path, "%s/socket", folder);
    snprintf(profile_path, sizeof profile_path, "%s/profile.json", folder);
    agent.conf.paths.plugins = agent.conf.paths.manifests =
        agent.conf.paths.local_manifests = nowhere;
    agent.conf.paths.state = folder;
    agent.conf.paths.socket = socket_path;
    agent.conf.paths.profile = profile_path;
    agent.conf.agent.root = folder;
    agent.group = (gid_t)-1;
    agent.due_fd = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC);
    queue_make();
    atexit(clean_up);
    agent.events = &events;
    need(uv_loop_init(&agent.loop) == 0);
    timers_init(&agent);
    need(control_open(&agent, verbs_answer, &why) == 0);
}

static void
agent_ready(void)
{
    struct queue_scan scan;

    if (!agent.queue)
        agent_make();
    if (queue_scans(agent.queue, TICKET_QUEUED, &scan, 1) != 1) {
        queue_forget();
        queue_make();
    }
}

static int
connect_to_it(void)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    snprintf(address.sun_path, sizeof address.sun_path, "%s", socket_path);
    need(fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0);
    return fd;
}

/* Let the agent work until it has no more to say. */
static void
listen_to_it(int fd, char *text, size_t size, size_t *len)
{
    for (int idle = 0; idle < 8; idle++) {
        ssize_t n;

        uv_run(&agent.loop, UV_RUN_NOWAIT);
        n = recv(fd, text + *len, size - *len, MSG_DONTWAIT);
        if (n == 0)
            return;
        if (n > 0) {
            *len += (size_t)n;
            idle = 0;
        }
    }
}

static void
count_one(uv_handle_t *handle, void *arg)
{
    need(handle);
    ++*(int *)arg;
}

static int
n_handles(void)
{
    int n = 0;

    uv_walk(&agent.loop, count_one, &n);
    return n;
}

size_t
control_agent_ask(const void *bytes, size_t n, char *answer, size_t size)
{
    const char *half = (const char *)bytes + n / 2;
    size_t len = 0;
    int fd;

    agent_ready();
    fd = connect_to_it();
    (void)!send(fd, bytes, n / 2, MSG_NOSIGNAL);
    uv_run(&agent.loop, UV_RUN_NOWAIT);
    (void)!send(fd, half, n - n / 2, MSG_NOSIGNAL);
    listen_to_it(fd, answer, size, &len);
    close(fd);
    for (int i = 0; i < 8 && n_handles() > OWN_HANDLES; i++)
        uv_run(&agent.loop, UV_RUN_NOWAIT);
    need(n_handles() == OWN_HANDLES); /* nobody is waited for any more */
    return len;
}
