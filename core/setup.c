/* SPDX-License-Identifier: Apache-2.0 */
/* What the agent needs before it serves: users, folders, rights, identity. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <sodium.h>
#include <stdarg.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "agent.h"
#include "cleanup.h"
#include "root.h"

#define AGENT_CAPS                                                                       \
    (USERS_CAP(CAP_DAC_READ_SEARCH) | USERS_CAP(CAP_SETUID) | USERS_CAP(CAP_SETGID) |    \
     USERS_CAP(CAP_KILL))

void
setup_path(const struct agent *agent, char ret[PATH_MAX], const char *format, ...)
{
    int n = snprintf(ret, PATH_MAX, "%s/", agent->conf.paths.state);
    va_list ap;

    if (n < 0 || n >= PATH_MAX)
        return;
    va_start(ap, format);
    vsnprintf(ret + n, PATH_MAX - (size_t)n, format, ap);
    va_end(ap);
}

/* r, and a reason that names the key. */
static int
of_key(int r, const char *key, struct why *why)
{
    struct why reason = *why;

    return r < 0 ? why_set(why, r, "[agent] %s: %s", key, reason.text) : 0;
}

int
setup_users(struct agent *agent, struct why *why)
{
    const struct conf *conf = &agent->conf;
    int r;

    agent->privileged = geteuid() == 0;
    agent->group = (gid_t)-1;
    if (!agent->privileged) {
        if (!conf->agent.same_uid)
            return why_set(
                why, -EPERM,
                "not started as root: plugins would run with the agent's own "
                "rights; start it as root, or set same_uid = allow in [agent]");
        agent->scan_user = agent->store_user = (struct user_ids){getuid(), getgid()};
        return 0;
    }
    r = of_key(users_find(conf->agent.scan_user, USERS_SCAN_ID, &agent->scan_user, why),
               "scan_user", why);
    if (r == 0)
        r = of_key(
            users_find(conf->agent.store_user, USERS_STORE_ID, &agent->store_user, why),
            "store_user", why);
    if (r == 0)
        r = of_key(
            users_find_group(conf->agent.group, USERS_STORE_ID, &agent->group, why),
            "group", why);
    if (r == 0 && agent->scan_user.uid == agent->store_user.uid)
        return why_set(
            why, -EINVAL,
            "scan_user and store_user are the same: a plugin could write results");
    return r;
}

/* Make a folder with this mode and group, and bring an old one to it. */
static int
make_folder(const char *path, mode_t mode, gid_t group, struct why *why)
{
    struct stat st;

    if (mkdir(path, mode & 0777) < 0 && errno != EEXIST)
        return why_set(why, -errno, "folder %s: cannot be made: %s", path,
                       strerror(errno));
    if (lstat(path, &st) < 0 || !S_ISDIR(st.st_mode))
        return why_set(why, -ENOTDIR, "folder %s: is there, but is no folder", path);
    if (st.st_uid != geteuid())
        return why_set(why, -EPERM, "folder %s: belongs to uid %u, not to the agent's %u",
                       path, st.st_uid, geteuid());
    if (group != (gid_t)-1 && st.st_gid != group && chown(path, (uid_t)-1, group) < 0)
        return why_set(why, -errno, "folder %s: group %u: %s", path, group,
                       strerror(errno));
    if ((st.st_mode & 07777) != mode && chmod(path, mode) < 0)
        return why_set(why, -errno, "folder %s: mode %o: %s", path, mode,
                       strerror(errno));
    return 0;
}

/* The folder that a file will be in, made as far as it is missing. */
static int
make_parents(const char *file, struct why *why)
{
    char path[PATH_MAX];

    snprintf(path, sizeof path, "%s", file);
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(path, 0755) < 0 && errno != EEXIST)
            return why_set(why, -errno, "folder %s: cannot be made: %s", path,
                           strerror(errno));
        *slash = '/';
    }
    return 0;
}

int
setup_folders(struct agent *agent, struct why *why)
{
    const struct {
        const char *name;
        mode_t mode;
        gid_t group;
    } folders[] = {
        {"", 0711, (gid_t)-1},
        {"spool", 0700, (gid_t)-1},
        {"run", 0700, (gid_t)-1},
        {"results", 03770, agent->group},
    };
    char path[PATH_MAX];
    int r;

    if (agent->privileged && setgroups(1, &agent->group) < 0)
        return why_set(why, -errno, "group %u: %s", agent->group, strerror(errno));
    snprintf(path, sizeof path, "%s/", agent->conf.paths.state);
    r = make_parents(path, why);
    for (size_t i = 0; r == 0 && i < sizeof folders / sizeof folders[0]; i++) {
        setup_path(agent, path, "%s", folders[i].name);
        r = make_folder(path, folders[i].mode, folders[i].group, why);
    }
    if (r == 0)
        r = make_parents(agent->conf.paths.socket, why);
    if (r == 0 && strcmp(agent->conf.paths.log, "-") != 0)
        r = make_parents(agent->conf.paths.log, why);
    return r;
}

const char *
setup_passing_fs(long type)
{
    static const struct {
        long type;
        const char *words;
    } rows[] = {
        {TMPFS_MAGIC, "tmpfs, which a restart of the host empties"},
        {RAMFS_MAGIC, "ramfs, which a restart of the host empties"},
        {OVERLAYFS_SUPER_MAGIC,
         "overlayfs, which ends with its container or live system"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].type == type)
            return rows[i].words;
    return NULL;
}

const char *
setup_passing_state(const struct agent *agent)
{
    struct statfs fs;

    if (statfs(agent->conf.paths.state, &fs) < 0)
        return NULL;
    return setup_passing_fs((long)fs.f_type);
}

int
setup_rights(struct agent *agent, struct why *why)
{
    if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
        return why_set(why, -errno, "subreaper: %s", strerror(errno));
    return agent->privileged ? users_keep_caps(AGENT_CAPS, why) : 0;
}

void
setup_add_user(const struct agent *agent, struct child_args *args,
               const struct user_ids *user)
{
    if (!agent->privileged)
        return; /* workers stay what we are */
    child_args_add(args, "uid=%u", user->uid);
    child_args_add(args, "gid=%u", user->gid);
}

/* ---- identity ---- */

static bool
is_machine_id(const char *text, size_t len)
{
    while (len > 0 && text[len - 1] == '\n')
        len--;
    return len == 32 && strspn(text, "0123456789abcdef") == 32 && strspn(text, "0") < 32;
}

static void
format_uuid(unsigned char bytes[16], char ret[37])
{
    char *at = ret;

    bytes[6] = (bytes[6] & 0x0f) | 0x80; /* RFC 9562: version 8, our own derivation */
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    for (int i = 0; i < 16; i++)
        at += sprintf(at, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "",
                      bytes[i]);
}

/* A random id, made once and kept in the state folder: whole or not at all. */
static int
kept_id(const struct agent *agent, const char *name, char ret[37], struct why *why)
{
    char path[PATH_MAX], fresh[PATH_MAX];
    cleanup_file FILE *f = NULL;
    unsigned char bytes[16];

    setup_path(agent, path, "%s", name);
    setup_path(agent, fresh, "%s.new", name);
    f = fopen(path, "re");
    if (f && fscanf(f, "%36s", ret) == 1 && strlen(ret) == 36)
        return 0;
    if (f)
        return why_set(why, -EUCLEAN, "%s: is not an id; remove it to get a new one",
                       path);
    randombytes_buf(bytes, sizeof bytes);
    format_uuid(bytes, ret);
    f = fopen(fresh, "we");
    if (!f || fprintf(f, "%s\n", ret) < 0 || fflush(f) != 0 || fsync(fileno(f)) < 0 ||
        rename(fresh, path) < 0)
        return why_set(why, -errno, "%s: %s", path, strerror(errno));
    return 0;
}

int
setup_identity(struct agent *agent, struct why *why)
{
    static const unsigned char key[] = "sonde agent id, first derivation";
    const char *text = NULL;
    struct root *root = NULL;
    unsigned char bytes[16];
    size_t len = 0;
    bool known;
    int r;

    if (sodium_init() < 0)
        return why_set(why, -EIO, "libsodium does not start");
    r = root_open(agent->conf.agent.root, &root);
    if (r < 0)
        return why_set(why, r, "root %s: %s", agent->conf.agent.root, strerror(-r));
    known = root_read_file(root, "/etc/machine-id", 256, &text, &len) == 0 &&
            is_machine_id(text, len);
    if (known) {
        snprintf(agent->root_id, sizeof agent->root_id, "%.32s", text);
        crypto_generichash(bytes, sizeof bytes, (const unsigned char *)text, 32, key, 32);
        format_uuid(bytes, agent->id);
    }
    root_close(root);
    if (!known)
        r = kept_id(agent, "root-id", agent->root_id, why);
    if (!known && r == 0)
        r = kept_id(agent, "agent-id", agent->id, why);
    if (r == 0 && agent->conf.agent.id[0])
        snprintf(agent->id, sizeof agent->id, "%s", agent->conf.agent.id);
    return r;
}
