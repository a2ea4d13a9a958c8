/* SPDX-License-Identifier: Apache-2.0 */
#include "profile.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "json.h"
#include "logtext.h"
#include "read-fd.h"

/* {"applications":{"<name of 32 bytes>":{"active":false}}} stays below PROFILE_MAX. */
enum { APPS_MAX = 1000 };

/* What of a file may be shown in a message. */
struct shown {
    char text[80];
};

static struct shown
show(const char *text)
{
    struct shown s;

    log_text(text, strlen(text), s.text, sizeof s.text);
    return s;
}

static struct profile_app *
find(const struct profile *profile, const char *application)
{
    for (size_t i = 0; i < profile->n; i++)
        if (strcmp(profile->apps[i].name, application) == 0)
            return &profile->apps[i];
    return NULL;
}

int
profile_set_active(struct profile *profile, const char *application, bool active)
{
    struct profile_app *app = find(profile, application);

    if (!app) {
        if (!name_is_valid(application))
            return -EINVAL;
        if (profile->n >= APPS_MAX)
            return -ENOSPC;
        app = reallocarray(profile->apps, profile->n + 1, sizeof *app);
        if (!app)
            return -ENOMEM;
        profile->apps = app;
        app += profile->n++;
        snprintf(app->name, sizeof app->name, "%s", application);
    }
    app->active = active;
    return 0;
}

bool
profile_is_active(const struct profile *profile, const char *application)
{
    const struct profile_app *app = find(profile, application);

    return !app || app->active;
}

bool
profile_is_same(const struct profile *a, const struct profile *b)
{
    bool same = a->n == b->n;

    for (size_t i = 0; same && i < a->n; i++)
        same = strcmp(a->apps[i].name, b->apps[i].name) == 0 &&
               a->apps[i].active == b->apps[i].active;
    return same;
}

void
profile_done(struct profile *profile)
{
    if (!profile)
        return;
    free(profile->apps);
    *profile = (struct profile){0};
}

static int
take_app(const struct json *value, struct profile *profile, struct why *why)
{
    const char *name = json_name(value);
    const struct json *active = json_get(value, "active");
    int r;

    if (!name_is_valid(name))
        return why_set(why, -EBADMSG,
                       "applications: \"%s\" is no name, [a-z][a-z0-9-]{0,31}",
                       show(name).text);
    if (json_type(value) != JSON_OBJECT)
        return why_set(why, -EBADMSG, "applications.%s: expected an object, got %s", name,
                       json_type_name(json_type(value)));
    for (const struct json *c = json_first(value); c; c = json_next(c))
        if (c != active)
            return why_set(why, -EBADMSG,
                           "applications.%s: \"%s\": there is no such field", name,
                           show(json_name(c)).text);
    if (!active)
        return why_set(why, -EBADMSG, "applications.%s.active: is missing", name);
    if (json_type(active) != JSON_BOOL)
        return why_set(why, -EBADMSG,
                       "applications.%s.active: expected true or false, got %s", name,
                       json_type_name(json_type(active)));
    r = profile_set_active(profile, name, json_bool(active, true));
    return r < 0 ? why_set(why, r, "applications.%s: %s", name, strerror(-r)) : 0;
}

static int
take(const struct json *root, struct profile *profile, struct why *why)
{
    const struct json *apps = json_get(root, "applications");
    int r = 0;

    if (json_type(root) != JSON_OBJECT)
        return why_set(why, -EBADMSG, "expected an object, got %s",
                       json_type_name(json_type(root)));
    for (const struct json *c = json_first(root); c; c = json_next(c))
        if (c != apps)
            return why_set(why, -EBADMSG, "\"%s\": there is no such field",
                           show(json_name(c)).text);
    if (apps && json_type(apps) != JSON_OBJECT)
        return why_set(why, -EBADMSG, "applications: expected an object, got %s",
                       json_type_name(json_type(apps)));
    for (const struct json *c = apps ? json_first(apps) : NULL; c && r == 0;
         c = json_next(c))
        r = take_app(c, profile, why);
    return r;
}

int
profile_parse(const char *text, size_t len, struct profile *ret, struct why *why)
{
    struct json *root = NULL;
    int r;

    *ret = (struct profile){0};
    if (len > PROFILE_MAX)
        return why_set(why, -EBADMSG, "larger than %d bytes", PROFILE_MAX);
    r = json_parse(text, len, &root, why);
    if (r == 0)
        r = take(root, ret, why);
    json_free(root);
    if (r < 0)
        profile_done(ret);
    return r;
}

int
profile_read(const char *path, struct profile *ret, struct why *why)
{
    cleanup_fd int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    cleanup_free char *text = NULL;
    struct why reason = {""};
    size_t len = 0;
    int r;

    *ret = (struct profile){0};
    if (fd < 0 && errno == ENOENT)
        return 0;
    r = fd < 0 ? -errno : read_fd(fd, PROFILE_MAX, &text, &len);
    if (r < 0)
        return why_set(why, r, "profile %s: %s", path, strerror(-r));
    r = profile_parse(text, len, ret, &reason);
    return r < 0 ? why_set(why, r, "profile %s: %s", path, reason.text) : 0;
}

static int
print(const struct profile *profile, FILE *stream)
{
    struct json_out out;

    json_out_init(&out, stream);
    json_out_object(&out, NULL);
    json_out_object(&out, "applications");
    for (size_t i = 0; i < profile->n; i++) {
        json_out_object(&out, profile->apps[i].name);
        json_out_bool(&out, "active", profile->apps[i].active);
        json_out_end(&out, '}');
    }
    json_out_end(&out, '}');
    json_out_end(&out, '}');
    fputc('\n', stream);
    return fflush(stream) == 0 && !ferror(stream) ? 0 : -EIO;
}

/* The new text, on the disk, in a file of its own. */
static int
write_new(const char *path, const struct profile *profile)
{
    cleanup_file FILE *stream = NULL;
    int fd, r;

    if (unlink(path) < 0 && errno != ENOENT)
        return -errno;
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (fd < 0)
        return -errno;
    stream = fdopen(fd, "w");
    if (!stream) {
        close(fd);
        return -ENOMEM;
    }
    r = print(profile, stream);
    if (r == 0 && (fchmod(fd, 0644) < 0 || fsync(fd) < 0))
        r = -errno;
    return r;
}

static int
sync_folder(const char *path)
{
    cleanup_free char *copy = strdup(path);
    cleanup_fd int fd = -1;

    if (!copy)
        return -ENOMEM;
    fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 || fsync(fd) < 0 ? -errno : 0;
}

int
profile_write(const char *path, const struct profile *profile, struct why *why)
{
    cleanup_free char *new_path = NULL;
    int r;

    if (asprintf(&new_path, "%s.new", path) < 0) {
        new_path = NULL;
        return why_set(why, -ENOMEM, "profile %s: out of memory", path);
    }
    r = write_new(new_path, profile);
    if (r == 0 && rename(new_path, path) < 0)
        r = -errno;
    if (r < 0)
        unlink(new_path);
    else
        r = sync_folder(path);
    return r < 0 ? why_set(why, r, "profile %s: %s", path, strerror(-r)) : 0;
}
