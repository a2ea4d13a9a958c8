/* SPDX-License-Identifier: Apache-2.0 */
/* Applications: which there are, and whether each may be scanned. */
#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent.h"
#include "cleanup.h"
#include "exit-code.h"
#include "worker.h"

enum { VERIFY_MS = 30000 };

struct app_check {
    struct app_check *next;
    void (*fn)(struct app *app, void *arg);
    void *arg;
};

struct app_verify {
    struct child child; /* first */
    struct agent *agent;
    struct app *app;
    int manifest_fd, out_fd;
    char identity[VERIFY_IDENTITY_SIZE];
};

struct app *
app_get(struct agent *agent, const char *name)
{
    struct app *app;

    if (!name_is_valid(name))
        return NULL;
    for (app = agent->apps; app; app = app->next)
        if (strcmp(app->name, name) == 0)
            return app;
    app = calloc(1, sizeof *app);
    if (!app)
        return NULL;
    snprintf(app->name, sizeof app->name, "%s", name);
    app->manifest_fd = -1;
    app->interval.start = SCHEDULE_NEVER;
    schedule_key(agent->id, app->name, &app->interval.key);
    app->next = agent->apps;
    agent->apps = app;
    return app;
}

static void
verify_free(struct app_verify *v)
{
    if (!v)
        return;
    if (v->manifest_fd >= 0)
        close(v->manifest_fd);
    if (v->out_fd >= 0)
        close(v->out_fd);
    free(v);
}

/* ---- the verdict ---- */

static void
call_checks(struct app *app)
{
    struct app_check *check;

    while ((check = app->checks)) {
        app->checks = check->next;
        check->fn(app, check->arg);
        free(check);
    }
}

static void
set_verdict(struct app *app, enum verdict_state state, const char *reason)
{
    if (app->manifest_fd >= 0)
        close(app->manifest_fd);
    app->manifest_fd = -1;
    app->verdict = (struct verdict){.state = state};
    snprintf(app->verdict.reason, sizeof app->verdict.reason, "%s", reason);
}

void
app_free_all(struct agent *agent)
{
    struct app *app;

    while ((app = agent->apps)) {
        agent->apps = app->next;
        set_verdict(app, VERDICT_UNKNOWN, "the agent is stopping");
        call_checks(app);
        verify_free(app->verify);
        free(app);
    }
}

/* What verify printed becomes the verdict. */
static void
take_verdict(struct app_verify *v, int status)
{
    char line[VERDICT_LINE_MAX + 1];
    struct app *app = v->app;
    struct why why = {""};
    ssize_t n = pread(v->out_fd, line, VERDICT_LINE_MAX, 0);

    set_verdict(app, VERDICT_UNKNOWN, "");
    app->identity[0] = '\0'; /* a worker that failed is asked again next time */
    line[n > 0 ? n : 0] = '\0';
    line[strcspn(line, "\n")] = '\0';
    if (status != 0)
        snprintf(app->verdict.reason, sizeof app->verdict.reason, "%.400s",
                 WIFSIGNALED(status) ? strsignal(WTERMSIG(status)) : line);
    else if (verdict_parse(line, strlen(line), &app->verdict, &why) < 0)
        set_verdict(app, VERDICT_UNKNOWN, why.text);
    else {
        snprintf(app->identity, sizeof app->identity, "%s", v->identity);
        if (app->verdict.state == VERDICT_VALID)
            app->manifest_fd = steal_fd(&v->manifest_fd);
    }
}

static void
on_verified(struct child *child, int status, const struct rusage *usage)
{
    struct app_verify *v = (struct app_verify *)child;
    struct agent *agent = v->agent;
    struct app *app = v->app;

    (void)usage;
    take_verdict(v, status);
    if (app->verdict.state == VERDICT_INVALID || app->verdict.state == VERDICT_UNKNOWN)
        log_warning("manifest %s: %s%s", app->name,
                    app->verdict.state == VERDICT_UNKNOWN ? "could not be verified: "
                                                          : "",
                    app->verdict.reason);
    app->verify = NULL;
    verify_free(v);
    call_checks(app);
    agent->events->verdict(agent, app);
}

static int
start_verify(struct agent *agent, struct app *app, const char *identity)
{
    struct app_verify *v = calloc(1, sizeof *v);
    struct child_args args = {.n = 0};
    int r;

    if (!v)
        return -ENOMEM;
    v->child.on_exit = on_verified;
    v->agent = agent;
    v->app = app;
    snprintf(v->identity, sizeof v->identity, "%s", identity);
    v->manifest_fd = memfd_create("manifest", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    v->out_fd = memfd_create("verdict", MFD_CLOEXEC);
    child_args_add(&args, "sonde-worker");
    child_args_add(&args, "verify");
    child_args_add(&args, "app=%s", app->name);
    child_args_add(&args, "local=%s", agent->conf.paths.local_manifests);
    child_args_add(&args, "packaged=%s", agent->conf.paths.manifests);
    setup_add_user(agent, &args, &agent->scan_user);
    r = v->manifest_fd < 0 || v->out_fd < 0 ? -errno : 0;
    if (r == 0)
        r = child_spawn(&agent->children, &v->child, agent->conf.paths.worker, &args,
                        &(struct child_fds){FD_MANIFEST, 1, &v->manifest_fd, v->out_fd});
    child_args_done(&args);
    if (r < 0) {
        verify_free(v);
        return r;
    }
    app->verify = v;
    timers_deadline(agent, &v->child, VERIFY_MS);
    return 0;
}

void
app_check(struct agent *agent, struct app *app, void (*fn)(struct app *app, void *arg),
          void *arg)
{
    char identity[VERIFY_IDENTITY_SIZE] = "";
    struct app_check *check, **end = &app->checks;
    int r = 0;

    if (!app->verify) {
        r = verify_identity(app->name, agent->conf.paths.local_manifests,
                            agent->conf.paths.manifests, identity);
        if (r >= 0 && strcmp(identity, app->identity) == 0) {
            fn(app, arg);
            return;
        }
        r = start_verify(agent, app, identity);
    }
    check = r < 0 ? NULL : calloc(1, sizeof *check);
    if (!check) {
        set_verdict(app, VERDICT_UNKNOWN, strerror(r < 0 ? -r : ENOMEM));
        app->identity[0] = '\0';
        fn(app, arg);
        return;
    }
    *check = (struct app_check){NULL, fn, arg};
    while (*end)
        end = &(*end)->next;
    *end = check;
}

/* ---- the gate ---- */

int
app_plugin_path(const struct agent *agent, const char *plugin, char ret[PATH_MAX])
{
    const char *at = agent->conf.paths.plugins;
    struct stat st;

    while (*at) {
        int len = (int)strcspn(at, ":");

        if (snprintf(ret, PATH_MAX, "%.*s/%s.so", len, at, plugin) < PATH_MAX &&
            lstat(ret, &st) == 0)
            return 0;
        at += len + (at[len] == ':');
    }
    return -ENOENT;
}

static bool
has_manifest(const char *folder, const char *name)
{
    char path[PATH_MAX];
    struct stat st;

    return snprintf(path, sizeof path, "%s/%s/manifest.json", folder, name) < PATH_MAX &&
           lstat(path, &st) == 0;
}

bool
app_is_known(const struct agent *agent, const char *name)
{
    char path[PATH_MAX];

    return name_is_valid(name) &&
           (has_manifest(agent->conf.paths.local_manifests, name) ||
            has_manifest(agent->conf.paths.manifests, name) ||
            app_plugin_path(agent, name, path) == 0);
}

int
app_gate(struct agent *agent, const struct app *app, struct why *why)
{
    const struct verdict *v = &app->verdict;

    if (v->state == VERDICT_UNKNOWN)
        return why_set(why, EXIT_REFUSED_FOR_NOW,
                       "the manifest of %s could not be verified: %.400s", app->name,
                       v->reason);
    if (!policy_is_active(agent, app->name))
        return why_set(why, EXIT_NO_INPUT,
                       "application %s is not activated; sonde activate %s", app->name,
                       app->name);
    if (v->state == VERDICT_MISSING)
        return why_set(
            why, EXIT_NO_INPUT,
            "application %s is activated, but its manifest file is not present; "
            "expected %s/%s/manifest.json",
            app->name, agent->conf.paths.manifests, app->name);
    if (v->state == VERDICT_INVALID)
        return why_set(
            why, EXIT_BAD_DATA,
            "application %s is activated, but its manifest is not valid: %.400s",
            app->name, v->reason);
    return 0;
}

/* ---- all of them ---- */

static void
each_in(struct agent *agent, const char *folder, const char *suffix)
{
    cleanup_dir DIR *dir = opendir(folder);
    struct dirent *entry;

    while (dir && (entry = readdir(dir))) {
        size_t len = strlen(entry->d_name), cut = strlen(suffix);

        if (len <= cut || strcmp(entry->d_name + len - cut, suffix) != 0)
            continue;
        entry->d_name[len - cut] = '\0';
        app_get(agent, entry->d_name); /* what is no name makes no entry */
    }
}

static int
by_name(const void *a, const void *b)
{
    return strcmp((*(struct app *const *)a)->name, (*(struct app *const *)b)->name);
}

void
app_each(struct agent *agent, void (*fn)(struct agent *agent, struct app *app, void *arg),
         void *arg)
{
    const char *at = agent->conf.paths.plugins;
    cleanup_free struct app **sorted = NULL;
    size_t n = 0;

    each_in(agent, agent->conf.paths.local_manifests, "");
    each_in(agent, agent->conf.paths.manifests, "");
    while (*at) {
        size_t len = strcspn(at, ":");
        cleanup_free char *folder = strndup(at, len);

        if (folder)
            each_in(agent, folder, ".so");
        at += len + (at[len] == ':');
    }
    for (struct app *app = agent->apps; app; app = app->next)
        n++;
    sorted = calloc(n + 1, sizeof *sorted);
    if (!sorted)
        return;
    n = 0;
    for (struct app *app = agent->apps; app; app = app->next)
        sorted[n++] = app;
    qsort(sorted, n, sizeof *sorted, by_name);
    for (size_t i = 0; i < n; i++)
        fn(agent, sorted[i], arg);
}
