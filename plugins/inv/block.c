/* SPDX-License-Identifier: Apache-2.0 */
/* block_device: disks and their partitions, from /sys/block. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "sysfile.h"

#define SYS_BLOCK "/sys/block"

enum { SECTOR_BYTES = 512 }; /* of /sys, whatever the device's own are */

struct block {
    DIR *devices;
};

/* Type by the kernel's name; beginnings. */
static const struct {
    const char *name, *type;
} types[] = {{"loop", "loop"}, {"sr", "rom"},  {"ram", "ram"},
             {"zram", "zram"}, {"md", "raid"}, {"fd", "floppy"}};

/* Type by who made a mapping: the beginning of its uuid. */
static const struct {
    const char *uuid, *type;
} mappers[] = {
    {"LVM-", "lvm"}, {"CRYPT-", "crypt"}, {"mpath-", "multipath"}, {"part", "partition"}};

static int
folder_open(struct sonde_host *host, const char *path, DIR **ret)
{
    int fd = host->open_file(host, path, SONDE_DIRECTORY);

    if (fd < 0)
        return fd;
    *ret = fdopendir(fd);
    if (!*ret) {
        close(fd);
        return -ENOMEM;
    }
    return 0;
}

static const char *
type_of(struct sonde_host *host, const char *name)
{
    char uuid[256];

    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (strncmp(name, types[i].name, strlen(types[i].name)) == 0)
            return types[i].type;
    if (strncmp(name, "dm-", 3) != 0)
        return "disk";
    if (sysfile_read(host, uuid, sizeof uuid, SYS_BLOCK "/%s/dm/uuid", name) > 0)
        for (size_t i = 0; i < sizeof mappers / sizeof mappers[0]; i++)
            if (strncmp(uuid, mappers[i].uuid, strlen(mappers[i].uuid)) == 0)
                return mappers[i].type;
    return "mapper";
}

static void
put_flag(struct sonde_host *host, struct sonde_record *record, const char *field,
         const char *disk, const char *file)
{
    int64_t value = sysfile_number(host, -1, SYS_BLOCK "/%s/%s", disk, file);

    if (value >= 0)
        host->put_bool(host, record, field, value != 0);
}

static int
disk_emit(struct sonde_host *host, const char *name, int64_t sectors)
{
    struct sonde_record *record = host->record(host, "block_device", name);

    host->put_str(host, record, "name", name);
    host->put_str(host, record, "type", type_of(host, name));
    host->put_int(host, record, "size_bytes", sectors * SECTOR_BYTES);
    put_flag(host, record, "read_only", name, "ro");
    put_flag(host, record, "removable", name, "removable");
    put_flag(host, record, "rotational", name, "queue/rotational");
    sysfile_put(host, record, "vendor", SYS_BLOCK "/%s/device/vendor", name);
    sysfile_put(host, record, "model", SYS_BLOCK "/%s/device/model", name);
    if (strncmp(name, "nvme", 4) == 0)
        sysfile_put(host, record, "serial", SYS_BLOCK "/%s/device/serial", name);
    else
        sysfile_put(host, record, "serial", SYS_BLOCK "/%s/serial", name);
    sysfile_put(host, record, "wwid", SYS_BLOCK "/%s/wwid", name);
    sysfile_put(host, record, "mapper_name", SYS_BLOCK "/%s/dm/name", name);
    sysfile_put(host, record, "backing_file", SYS_BLOCK "/%s/loop/backing_file", name);
    return host->emit(host, record);
}

static int
partition_emit(struct sonde_host *host, const char *disk, const char *name)
{
    int64_t number = sysfile_number(host, -1, SYS_BLOCK "/%s/%s/partition", disk, name);
    int64_t sectors = sysfile_number(host, -1, SYS_BLOCK "/%s/%s/size", disk, name);
    int64_t read_only = sysfile_number(host, 0, SYS_BLOCK "/%s/%s/ro", disk, name);
    struct sonde_record *record;

    if (number < 0 || sectors < 0)
        return 0; /* no partition, or gone since */
    record = host->record(host, "block_device", name);
    host->put_str(host, record, "name", name);
    host->put_str(host, record, "type", "partition");
    host->put_str(host, record, "parent", disk);
    host->put_int(host, record, "partition", number);
    host->put_int(host, record, "size_bytes", sectors * SECTOR_BYTES);
    host->put_bool(host, record, "read_only", read_only != 0);
    return host->emit(host, record);
}

/* Partitions are the folders of a disk whose names begin with the disk's. */
static int
partitions_emit(struct sonde_host *host, const char *disk)
{
    const struct dirent *entry = NULL;
    char path[512];
    DIR *folder;
    int r;

    snprintf(path, sizeof path, SYS_BLOCK "/%s", disk);
    r = folder_open(host, path, &folder);
    if (r < 0)
        return r == -ENOENT ? 0 : r;
    for (errno = 0; r == 0 && (entry = readdir(folder)); errno = 0)
        if (strncmp(entry->d_name, disk, strlen(disk)) == 0)
            r = partition_emit(host, disk, entry->d_name);
    if (r == 0)
        r = -errno;
    closedir(folder);
    return r;
}

static int
block_step(struct fact_scan *scan)
{
    struct sonde_host *host = scan->host;
    struct block *block = scan->state;
    const struct dirent *entry;
    int64_t sectors;
    int r = 0;

    if (!block->devices)
        r = folder_open(host, SYS_BLOCK, &block->devices);
    if (r == -ENOENT)
        return SONDE_DONE; /* a kernel without block devices */
    if (r < 0)
        return fact_failed(scan, r, SYS_BLOCK);
    errno = 0;
    entry = readdir(block->devices);
    if (!entry)
        return errno ? fact_failed(scan, -errno, SYS_BLOCK) : SONDE_DONE;
    sectors = sysfile_number(host, 0, SYS_BLOCK "/%s/size", entry->d_name);
    if (entry->d_name[0] == '.' ||
        (sectors == 0 &&
         sysfile_number(host, 0, SYS_BLOCK "/%s/removable", entry->d_name) == 0))
        return SONDE_MORE; /* an unused loop or network device is none */
    r = disk_emit(host, entry->d_name, sectors);
    if (r == 0)
        r = partitions_emit(host, entry->d_name);
    return r < 0 ? fact_failed(scan, r, SYS_BLOCK "/%s", entry->d_name) : SONDE_MORE;
}

static void
block_close(void *state)
{
    struct block *block = state;

    if (block->devices)
        closedir(block->devices);
}

const struct fact fact_block = {.kind = "block_device",
                                .needs = SONDE_LIVE_PROC,
                                .state_size = sizeof(struct block),
                                .step = block_step,
                                .close = block_close};
