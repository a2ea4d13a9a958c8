/* SPDX-License-Identifier: Apache-2.0 */
/* host: its names, its kernel, its machine. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#include "sysfile.h"
#include "virtual.h"

enum { FILE_MAX = 4096, HOSTNAME_SIZE = 256, MACHINE_ID_LEN = 32 };
#define UPTIME_MAX (INT64_C(1) << 40) /* seconds; more is no uptime */

/* A field from a file of one value. */
struct row {
    const char *field, *path;
};

static const struct row kernel_rows[] = {
    {"kernel_name", "/proc/sys/kernel/ostype"},
    {"kernel_release", "/proc/sys/kernel/osrelease"},
    {"kernel_version", "/proc/sys/kernel/version"},
    {"boot_id", "/proc/sys/kernel/random/boot_id"},
};

static const struct row machine_rows[] = {
    {"system_vendor", "/sys/class/dmi/id/sys_vendor"},
    {"product_name", "/sys/class/dmi/id/product_name"},
    {"product_version", "/sys/class/dmi/id/product_version"},
    {"product_serial", "/sys/class/dmi/id/product_serial"},
    {"product_uuid", "/sys/class/dmi/id/product_uuid"},
    {"board_vendor", "/sys/class/dmi/id/board_vendor"},
    {"board_name", "/sys/class/dmi/id/board_name"},
    {"bios_vendor", "/sys/class/dmi/id/bios_vendor"},
    {"bios_version", "/sys/class/dmi/id/bios_version"},
    {"bios_date", "/sys/class/dmi/id/bios_date"},
};

static void
put_rows(struct sonde_host *host, struct sonde_record *record, const struct row *rows,
         size_t n)
{
    for (size_t i = 0; i < n; i++)
        sysfile_put(host, record, rows[i].field, "%s", rows[i].path);
}

/* hostname(5): the first line that is neither empty nor a comment. */
static void
put_hostname(struct sonde_host *host, struct sonde_record *record)
{
    const char *text;
    size_t len;
    int r = host->read_file(host, "/etc/hostname", FILE_MAX, &text, &len);

    if (r < 0) {
        host->put_none(host, record, "hostname", r == -ENOENT ? 0 : r);
        return;
    }
    for (; *text; text += len + (text[len] == '\n')) {
        len = strcspn(text, "\n");
        size_t skip = strspn(text, " \t\r");
        size_t word = strcspn(text + skip, " \t\r\n");

        if (word > 0 && word < HOSTNAME_SIZE && text[skip] != '#') {
            host->put_bytes(host, record, "hostname", text + skip, word);
            return;
        }
    }
    host->put_none(host, record, "hostname", 0);
}

static void
put_machine_id(struct sonde_host *host, struct sonde_record *record)
{
    char id[MACHINE_ID_LEN + 1];
    int r = sysfile_read(host, id, sizeof id, "/etc/machine-id");

    if (r == -ENOENT)
        r = sysfile_read(host, id, sizeof id, "/var/lib/dbus/machine-id");
    if (r == MACHINE_ID_LEN && strspn(id, "0123456789abcdef") == MACHINE_ID_LEN)
        host->put_str(host, record, "machine_id", id);
    else /* "uninitialized", empty: there is none yet */
        host->put_none(host, record, "machine_id", r == -EACCES ? r : 0);
}

/* The kernel's host name belongs to the reader's name space: it is the root's only when
 * the reader lives in that root.
 */
static int
is_own_root(struct sonde_host *host)
{
    struct sonde_stat scanned = {.size = sizeof scanned};
    struct stat own;

    return host->stat(host, "/", 0, &scanned) == 0 && stat("/", &own) == 0 &&
           scanned.ino == own.st_ino && scanned.dev == own.st_dev;
}

static void
put_live(struct sonde_host *host, struct sonde_record *record)
{
    struct utsname names;
    char container[64];

    put_rows(host, record, kernel_rows, sizeof kernel_rows / sizeof kernel_rows[0]);
    if (uname(&names) == 0) {
        host->put_str(host, record, "arch", names.machine);
        if (is_own_root(host))
            host->put_str(host, record, "kernel_hostname", names.nodename);
    }
    host->put_str(host, record, "virtualization", virtual_machine(host));
    host->put_str(host, record, "container",
                  virtual_container(host, container, sizeof container));
    put_rows(host, record, machine_rows, sizeof machine_rows / sizeof machine_rows[0]);
}

/* Uptime runs, and the boot time moves a little when the clock is set. */
static void
put_times(struct sonde_host *host, struct sonde_record *record)
{
    int64_t uptime;
    char text[64];

    host->volatile_from(host, record);
    if (sysfile_read(host, text, sizeof text, "/proc/uptime") <= 0)
        return;
    uptime = strtoll(text, NULL, 10);
    if (uptime < 0 || uptime > UPTIME_MAX)
        return;
    host->put_int(host, record, "uptime_s", uptime);
    host->put_time(host, record, "boot_time", host->scan_time(host) - uptime);
}

static int
host_step(struct fact_scan *scan)
{
    struct sonde_host *host = scan->host;
    struct sonde_record *record = host->record(host, "host", "host");
    int r;

    put_hostname(host, record);
    put_machine_id(host, record);
    if (host->live(host) & SONDE_LIVE_PROC) {
        put_live(host, record);
        put_times(host, record);
    }
    r = host->emit(host, record);
    return r < 0 ? fact_failed(scan, r, "host") : SONDE_DONE;
}

const struct fact fact_host = {.kind = "host", .step = host_step};
