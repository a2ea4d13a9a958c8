/* SPDX-License-Identifier: Apache-2.0 */
/* sonde-agent: one loop that takes requests, starts workers and tells what became of them. */
#include "agent.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "clock.h"
#include "config.h"
#include "exit-code.h"
#include "notify.h"

enum { STOP_LIMIT_MS = 5000, OPEN_FILES = 4096, LOCK_TRIES = 20, LOCK_WAIT_US = 50000 };

static const char usage[] =
    "Usage: sonde-agent [--config FILE] [--check]\n"
    "Runs in the foreground and serves the commands of sonde(1) until SIGTERM.\n"
    "  --config FILE  the configuration (default: " SONDE_SYSCONFDIR "/agent.conf)\n"
    "  --check        read configuration and profile, say what is wrong, and end\n"
    "  --version, --help\n";

/* ---- the loop ---- */

static void
retry(struct agent *agent)
{
    jobs_keep_ends(agent);
    recover(agent);
    jobs_start(agent);
    interval_look(agent);
}

static const struct agent_events events = {
    .profile = interval_changed,
    .verdict = interval_verdict,
    .queued = jobs_start,
    .retry = retry,
    .watch = control_sweep,
};

static void
on_child(uv_signal_t *handle, int signum)
{
    struct agent *agent = handle->data;

    (void)signum;
    children_reap(&agent->children);
    if (agent->stopping && !agent->children.list)
        uv_stop(&agent->loop);
}

static void
on_stop_limit(uv_timer_t *timer)
{
    struct agent *agent = timer->data;

    log_error("workers did not end within %d s: killed", STOP_LIMIT_MS / 1000);
    jobs_kill(agent);
    uv_stop(&agent->loop);
}

/* A service manager that cannot be told is a reason to say so, and none to end. */
static void
told(int r, const char *what)
{
    if (r < 0)
        log_warning("the service manager could not be told of the %s: $NOTIFY_SOCKET: %s",
                    what, strerror(-r));
}

static void
on_stop(uv_signal_t *handle, int signum)
{
    struct agent *agent = handle->data;

    if (agent->stopping)
        return;
    log_info("stopping: %s", strsignal(signum));
    told(notify_stopping(), "stop");
    agent->stopping = true;
    control_close(agent);
    jobs_stop(agent);
    if (!agent->children.list)
        uv_stop(&agent->loop);
    uv_timer_start(&agent->stop_limit, on_stop_limit, STOP_LIMIT_MS, 0);
}

static void
on_hup(uv_signal_t *handle, int signum)
{
    struct agent *agent = handle->data;

    (void)signum;
    if (log_reopen() == 0)
        log_info("log opened again");
    policy_refresh(agent);
    interval_changed(agent, NULL);
}

static void
watch(struct agent *agent, uv_signal_t *handle, uv_signal_cb fn, int signum)
{
    uv_signal_init(&agent->loop, handle);
    handle->data = agent;
    uv_signal_start(handle, fn, signum);
}

static void
loop_init(struct agent *agent)
{
    children_init(&agent->children);
    uv_loop_init(&agent->loop);
    watch(agent, &agent->on_term, on_stop, SIGTERM);
    watch(agent, &agent->on_int, on_stop, SIGINT);
    watch(agent, &agent->on_hup, on_hup, SIGHUP);
    watch(agent, &agent->on_child, on_child, SIGCHLD);
    timers_init(agent);
    uv_timer_init(&agent->loop, &agent->stop_limit);
    agent->stop_limit.data = agent;
}

/* ---- start ---- */

static void
warn_of_passing_state(const struct agent *agent)
{
    const char *words = setup_passing_state(agent);

    if (words)
        log_warning(
            "state folder %s: is on %s: requests and results would be lost; put it "
            "on a disk ([paths] state)",
            agent->conf.paths.state, words);
}

/* One agent for one state folder; the lock is held until the process ends.  One that was killed
 * may leave it to a child for the moment between fork and exec.
 */
static int
lock_state(const struct agent *agent, struct why *why)
{
    int fd = job_lock(agent, "agent.pid");

    for (int tries = 0; fd == -EBUSY && tries < LOCK_TRIES; tries++) {
        usleep(LOCK_WAIT_US);
        fd = job_lock(agent, "agent.pid");
    }
    if (fd == -EBUSY)
        return why_set(why, -EBUSY, "state folder %s: another agent uses it",
                       agent->conf.paths.state);
    return fd < 0 ? why_set(why, fd, "state folder %s: %s", agent->conf.paths.state,
                            strerror(-fd))
                  : 0;
}

static int
start(struct agent *agent, struct why *why)
{
    const struct conf *conf = &agent->conf;
    struct why note = {""};
    char path[PATH_MAX];
    int r = setup_folders(agent, why);

    if (r == 0)
        r = setup_rights(agent, why);
    if (r == 0)
        r = lock_state(agent, why);
    if (r == 0 && (r = log_open(conf->paths.log, conf->log.level, conf->log.max_size,
                                (int)conf->log.keep, (int)agent->group)) < 0)
        return why_set(why, r, "log %s: %s", conf->paths.log, strerror(-r));
    if (r == 0)
        r = setup_identity(agent, why);
    if (r == 0) {
        mode_t before = umask(0077);

        setup_path(agent, path, "queue.db");
        r = queue_open(path, clock_utc(), &agent->queue, &note, why);
        umask(before);
        if (note.text[0])
            log_error("%s", note.text);
    }
    if (r == 0)
        r = policy_first(agent, why);
    if (r == 0) {
        loop_init(agent);
        r = interval_open(agent, why);
    }
    if (r == 0)
        r = control_open(agent, verbs_answer, why);
    return r;
}

static int
run(struct agent *agent)
{
    struct why why = {""};
    int r = start(agent, &why);

    if (r < 0) {
        if (log_is_open()) /* else stderr is all there is, and is told next */
            log_error("cannot start: %s", why.text);
        fprintf(stderr, "sonde-agent: %s\n", why.text);
        return r == -EBUSY ? EXIT_REFUSED_FOR_NOW : EXIT_BAD_CONFIG;
    }
    log_info("sonde-agent " PACKAGE_VERSION " started: root %s, agent %s%s",
             agent->conf.agent.root, agent->id,
             agent->privileged ? "" : "; not as root: plugins share the agent's user");
#ifdef SONDE_SANITIZE
    log_warning("built with sanitizers: the memory of a scan is not limited");
#endif
    warn_of_passing_state(agent);
    recover_numbers(agent);
    recover_results(agent);
    recover_spool(agent);
    recover(agent);
    jobs_start(agent);
    interval_look(agent);
    told(notify_ready(), "start");
    uv_run(&agent->loop, UV_RUN_DEFAULT);
    log_info("stopped");
    return 0;
}

/* What is left is freed, so that a leak checker has nothing to say about it. */
static void
on_left_handle(uv_handle_t *handle, void *arg)
{
    (void)arg;
    if (!uv_is_closing(handle))
        uv_close(handle, NULL);
}

static void
finish(struct agent *agent)
{
    if (agent->control) {
        control_close(agent);
        app_free_all(agent); /* who still waits for a verdict is told that we stop */
        jobs_free(agent);
        uv_walk(&agent->loop, on_left_handle, NULL);
        uv_run(&agent->loop, UV_RUN_DEFAULT);
        uv_loop_close(&agent->loop);
        interval_close(agent);
        free(agent->control);
    }
    queue_close(agent->queue);
    profile_done(&agent->profile);
    conf_done(&agent->conf);
    log_close();
}

/* One descriptor for each command that waits, some for each scan. */
static void
raise_open_files(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= OPEN_FILES)
        return;
    limit.rlim_cur = limit.rlim_max < OPEN_FILES ? limit.rlim_max : OPEN_FILES;
    setrlimit(RLIMIT_NOFILE, &limit);
}

/* --check: 0, or the exit code after the reason was printed. */
static int
check_files(const char *file, struct agent *agent)
{
    struct why why = {""};

    if (profile_read(agent->conf.paths.profile, &agent->profile, &why) < 0) {
        fprintf(stderr, "sonde-agent: %s\n", why.text);
        return EXIT_BAD_CONFIG;
    }
    return printf("%s: in order\n", file) < 0;
}

int
main(int argc, char **argv)
{
    static const struct option options[] = {{"config", required_argument, NULL, 'c'},
                                            {"check", no_argument, NULL, 'k'},
                                            {"version", no_argument, NULL, 'v'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    static struct agent agent = {.events = &events};
    const char *file = SONDE_SYSCONFDIR "/agent.conf";
    struct why why = {""};
    bool check = false;
    int option, r;

    while ((option = getopt_long(argc, argv, "c:", options, NULL)) != -1) {
        if (option == 'c')
            file = optarg;
        else if (option == 'k')
            check = true;
        else if (option == 'v')
            return printf("sonde-agent " PACKAGE_VERSION "\n") < 0;
        else if (option == 'h')
            return fputs(usage, stdout) < 0;
        else
            return EXIT_USAGE_ERROR;
    }
    if (optind < argc) {
        fprintf(stderr, "sonde-agent: \"%s\" is not understood\n%s", argv[optind], usage);
        return EXIT_USAGE_ERROR;
    }
    raise_open_files();
    close_range(3, ~0U, 0); /* what a careless parent left open is not for our workers */
    signal(SIGPIPE, SIG_IGN);
    umask(022);
    r = conf_read(file, &agent.conf, &why);
    if (r == 0)
        r = setup_users(&agent, &why);
    if (r < 0) {
        fprintf(stderr, "sonde-agent: %s\n", why.text);
        return EXIT_BAD_CONFIG;
    }
    r = check ? check_files(file, &agent) : run(&agent);
    finish(&agent);
    return r;
}
