/* SPDX-License-Identifier: Apache-2.0
 *
 * sonde/plugin.h: all that a Sonde plugin needs to know.
 *
 * A plugin is one shared object that exports one constant, `sonde_plugin`.  It links
 * nothing of Sonde's.  The engine loads it in a process of its own, with rights to read
 * the host and to change nothing, and calls
 *
 *     open(host, &state)  ->  next(state, budget_us) ...  ->  close(state)
 *
 * `next` does a small step of work each time; between steps the engine sleeps as
 * `cputhrottle` asks.  What the plugin finds, it hands over as records.
 *
 *     #define SONDE_ABI 0
 *     #include <sonde/plugin.h>
 *
 *     const struct sonde_plugin sonde_plugin = {
 *         SONDE_PLUGIN_HEAD, "hello", "1.0", hello_open, hello_next, hello_close,
 *     };
 *
 * Rules that hold for every call in this file:
 *  - Errors are negated errno values; 0 or more is success.
 *  - All calls come from one thread, and the plugin calls the host from that thread only.
 *  - What goes in is borrowed for the call.  What comes out belongs to the host and lives
 *    as long as the call's comment says; a descriptor that comes out is the plugin's to
 *    close.
 *  - Strings are NUL-terminated.  Text is UTF-8; bytes that are not are replaced with
 *    U+FFFD in fields (the exact ones are kept beside it in hexadecimal) and with \xNN in
 *    keys.
 *  - Paths are absolute and mean "below the scanned root", whichever folder that is: ".."
 *    and links cannot leave it.
 *  - A struct that crosses the line begins with its own size and grows at its end only.
 *  - stdout and stderr of a plugin end in the agent's log.
 */
#ifndef SONDE_PLUGIN_H
#define SONDE_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

#ifndef SONDE_ABI
#error "define SONDE_ABI as the level this plugin is written for, before this header"
#endif
#if SONDE_ABI != 0
#error "this header knows SONDE_ABI 0 only"
#endif

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define SONDE_PUBLIC __attribute__((visibility("default")))
#define SONDE_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#else
#define SONDE_PUBLIC
#define SONDE_PRINTF(fmt, args)
#endif

struct sonde_host;
struct sonde_record;
struct sonde_walk;

/* ---- The plugin ---------------------------------------------------------------- */

#define SONDE_MAGIC UINT32_C(0x45444e53) /* "SNDE" in memory of a little-endian host */

/* What `next` returns when it did not fail. */
#define SONDE_DONE 0 /* the scan is complete */
#define SONDE_MORE 1 /* call again */

/* The first 16 bytes are the same at every ABI level; SONDE_PLUGIN_HEAD fills them. */
struct sonde_plugin {
    uint32_t magic; /* SONDE_MAGIC */
    uint32_t abi;   /* the level that the author wrote */
    uint32_t size;  /* sizeof(struct sonde_plugin), as the author's compiler saw it */
    uint32_t zero;

    const char *name;    /* [a-z][a-z0-9-]{0,31}; the file is called <name>.so */
    const char *version; /* free text, for people */

    /* Start a scan.  *ret_state is the plugin's own and comes back in next and close.
     * -ENODATA: this host has nothing for this plugin, which is no failure.  After any
     * error neither next nor close is called.
     */
    int (*open)(struct sonde_host *host, void **ret_state);

    /* Do about budget_us microseconds of CPU work and return SONDE_MORE, SONDE_DONE or
     * an error.  A step that takes longer is allowed: it is paid for afterwards.  Call
     * host->pace inside a step that cannot be cut.
     */
    int (*next)(void *state, uint32_t budget_us);

    /* Free the state.  Not called when the scan is killed (cancel, limit, crash). */
    void (*close)(void *state);
};

#define SONDE_PLUGIN_HEAD SONDE_MAGIC, SONDE_ABI, sizeof(struct sonde_plugin), 0

/* The one symbol that a plugin exports. */
extern SONDE_PUBLIC const struct sonde_plugin sonde_plugin;

/* ---- Values of the host's calls -------------------------------------------------- */

/* Severity of a log line. */
#define SONDE_LOG_ERROR 1
#define SONDE_LOG_WARNING 2
#define SONDE_LOG_INFO 3
#define SONDE_LOG_DEBUG 4

/* Bits of host->live: which facts of the running kernel are facts of the scanned root. */
#define SONDE_LIVE_PROC 1u /* /proc, /sys: kernel, hardware, processes */
#define SONDE_LIVE_NET 2u  /* interfaces, addresses, sockets */
#define SONDE_LIVE_RUN 4u  /* /run and services listening there */

/* Flags of the file calls. */
#define SONDE_NOFOLLOW 1u  /* do not follow a link in the last component */
#define SONDE_DIRECTORY 2u /* open_file: open a directory instead of a regular file */

/* Flags of walk_open. */
#define SONDE_WALK_ALL_FS 1u /* enter network, FUSE and pseudo file systems too */

/* Host fills `size` bytes, so the caller sets it first (sizeof(struct sonde_stat)). */
struct sonde_stat {
    uint32_t size;
    uint32_t mode;     /* type and permissions, as st_mode */
    uint32_t uid, gid; /* as the root's file system has them */
    uint64_t dev, ino; /* identity of the file */
    uint64_t nlink;    /* number of hard links */
    uint64_t rdev;     /* of a device file */
    int64_t length;    /* bytes */
    int64_t allocated; /* bytes on disk */
    int64_t mtime_ns;  /* since 1970, UTC */
    int64_t ctime_ns;
};

/* One entry of a walk; valid until the next walk_next or walk_close. */
struct sonde_entry {
    uint32_t size;    /* set by the host */
    int32_t err;      /* 0, or why this entry could not be read (negated errno) */
    const char *path; /* absolute, below the root */
    const char *name; /* its last component */
    const struct sonde_stat *st; /* NULL when err is set */
    uint32_t depth;              /* 0 is the folder that the walk began with */
};

/* A payload of the manifest. */
struct sonde_payload {
    uint32_t size;    /* set by the caller */
    int32_t fd;       /* read-only; the plugin closes it */
    const char *path; /* for libraries that need one; valid for the scan */
    int64_t length;   /* bytes */
};

/* How to run a command, and what came of it; size, inputs: set by the caller. */
struct sonde_run {
    uint32_t size;
    uint32_t timeout_ms;   /* in: wall time, 0 = the host's default */
    uint32_t max_output;   /* in: bytes kept of each stream, 0 = the host's default */
    int32_t exit_status;   /* out: 0-255, or 256 + signal */
    const char *out, *err; /* out: valid until the next run */
    uint32_t out_len, err_len;
};

/* ---- What the host offers -------------------------------------------------------- */

/* Every call takes the host first.  A member that is NULL, or that lies beyond `size`, is
 * not offered by this engine: SONDE_HAS(host, run) tells.
 */
#define SONDE_HAS(host, member)                                                          \
    (offsetof(struct sonde_host, member) + sizeof((host)->member) <= (host)->size &&     \
     (host)->member != NULL)

struct sonde_host {
    uint32_t size;
    uint32_t abi; /* the highest level that this engine knows */

    /* -- the scan -- */

    /* Write one line to the agent's log.  Cut at 2 KiB; control bytes are escaped. */
    void (*log)(struct sonde_host *host, int level, const char *format, ...)
        SONDE_PRINTF(3, 4);
    /* Tell how far the scan is; total 0: unknown. */
    void (*progress)(struct sonde_host *host, uint64_t done, uint64_t total);
    /* Sleep if the budget asks for it.  0, or -ECANCELED: give up, free and return it. */
    int (*pace)(struct sonde_host *host);
    /* The scan's time in UTC seconds since 1970: the same all through the scan. */
    int64_t (*scan_time)(struct sonde_host *host);
    /* SONDE_LIVE_ bits. */
    uint32_t (*live)(struct sonde_host *host);

    /* -- content -- */

    /* A string, number or boolean of the manifest's `content`, as text: "dotted.key".
     * NULL: not there, or an object, a list or null.  Valid for the scan.
     */
    const char *(*param)(struct sonde_host *host, const char *key);
    /* The manifest, byte for byte as it was verified.  Valid for the scan. */
    const char *(*manifest)(struct sonde_host *host, size_t *ret_len);
    /* Open a payload by its name in the manifest.  -ENOENT: no such payload. */
    int (*payload)(struct sonde_host *host, const char *name, struct sonde_payload *ret);

    /* -- files below the root -- */

    /* Open for reading; returns a descriptor.  Regular files only (else -ENOTSUP), unless
     * SONDE_DIRECTORY; never blocks on a FIFO or a device.  SONDE_NOFOLLOW: -ELOOP at a
     * link.
     */
    int (*open_file)(struct sonde_host *host, const char *path, uint32_t flags);
    /* Read a whole file of at most max bytes (more: -EFBIG).  *ret_text gets a NUL after
     * *ret_len bytes and is valid until the next read_file.  Works on /proc and /sys.
     */
    int (*read_file)(struct sonde_host *host, const char *path, size_t max,
                     const char **ret_text, size_t *ret_len);
    /* Describe a file; opens nothing.  flags: 0 or SONDE_NOFOLLOW. */
    int (*stat)(struct sonde_host *host, const char *path, uint32_t flags,
                struct sonde_stat *ret);
    /* Where a link points, as it is written there.  Returns the length; the text is
     * NUL-terminated.  -ERANGE: buf is too small.
     */
    int (*read_link)(struct sonde_host *host, const char *path, char *buf, size_t size);
    /* An extended attribute of a file or link itself.  Returns its length in bytes, no NUL
     * is added.  -ENODATA: none of this name.  -ERANGE: buf is too small.
     */
    int (*get_xattr)(struct sonde_host *host, const char *path, const char *name,
                     void *buf, size_t size);

    /* Walk a tree in depth, folders before what is in them, order of names undefined.
     * Local file systems only unless SONDE_WALK_ALL_FS; autofs is never entered.
     */
    int (*walk_open)(struct sonde_host *host, const char *path, uint32_t flags,
                     struct sonde_walk **ret);
    /* 1 and the next entry, or 0 at the end.  What could not be read is an entry too, with
     * err set; the walk goes on.  A folder that cannot be entered comes twice: described,
     * then with err set.
     */
    int (*walk_next)(struct sonde_host *host, struct sonde_walk *walk,
                     const struct sonde_entry **ret);
    /* Open the current entry, as open_file does with SONDE_NOFOLLOW, without a race. */
    int (*walk_open_file)(struct sonde_host *host, struct sonde_walk *walk);
    int (*walk_get_xattr)(struct sonde_host *host, struct sonde_walk *walk,
                          const char *name, void *buf, size_t size);
    /* Do not enter the current entry, a folder. */
    void (*walk_prune)(struct sonde_host *host, struct sonde_walk *walk);
    void (*walk_close)(struct sonde_host *host, struct sonde_walk *walk);

    /* -- beyond files: only what the manifest lists, and only on a live root -- */

    /* Run a program by its absolute path, without a shell, in a clean environment, and wait
     * for it.  -EPERM: the manifest does not list it.
     */
    int (*run)(struct sonde_host *host, const char *const argv[], struct sonde_run *how);
    /* Connect to a Unix socket that the manifest lists; returns a descriptor. */
    int (*connect)(struct sonde_host *host, const char *path);

    /* -- facts -- */

    /* Begin a record.  Identity is application + kind + key.  kind: [a-z][a-z0-9_]{0,31};
     * key: 1 to 1024 bytes.  Never NULL: errors are kept and come out at emit.  One record
     * is open at a time; it ends with emit.
     */
    struct sonde_record *(*record)(struct sonde_host *host, const char *kind,
                                   const char *key);
    /* Add a field.  Names: [a-z][a-z0-9_]{0,63}, each once.  A NULL text or a real that is
     * not finite becomes null.
     */
    void (*put_str)(struct sonde_host *host, struct sonde_record *record, const char *key,
                    const char *text);
    /* As put_str, for bytes that may not be UTF-8: then <key>_hex has the exact ones. */
    void (*put_bytes)(struct sonde_host *host, struct sonde_record *record,
                      const char *key, const void *bytes, size_t len);
    void (*put_int)(struct sonde_host *host, struct sonde_record *record, const char *key,
                    int64_t value);
    void (*put_real)(struct sonde_host *host, struct sonde_record *record,
                     const char *key, double value);
    void (*put_bool)(struct sonde_host *host, struct sonde_record *record,
                     const char *key, int value);
    /* A time in UTC seconds since 1970; becomes RFC 3339 text. */
    void (*put_time)(struct sonde_host *host, struct sonde_record *record,
                     const char *key, int64_t seconds);
    /* A list of n strings. */
    void (*put_list)(struct sonde_host *host, struct sonde_record *record,
                     const char *key, const char *const *texts, size_t n);
    /* Could not look: the field is null, and <key>_error names err (a negated errno, such
     * as -EACCES).  err 0: looked, and there is no value; the field is null alone.
     */
    void (*put_none)(struct sonde_host *host, struct sonde_record *record,
                     const char *key, int err);
    /* What follows in this record changes by itself and never counts as a change. */
    void (*volatile_from)(struct sonde_host *host, struct sonde_record *record);
    /* Hand the record over.  Returns the first error of the record and its fields. */
    int (*emit)(struct sonde_host *host, struct sonde_record *record);

    /* All of this kind was emitted: what was known before and is not there now is gone.
     * Says so for "none at all", too.
     */
    int (*covers)(struct sonde_host *host, const char *kind);
    /* Could not look: `what` (a path, a service) failed with err.  This kind cannot be
     * covered by this scan, and the scan ends as INCOMPLETE.
     */
    void (*failed)(struct sonde_host *host, const char *kind, const char *what, int err);
};

#ifdef __cplusplus
}
#endif

#endif
