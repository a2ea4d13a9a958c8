/* SPDX-License-Identifier: Apache-2.0 */
/* listening_socket: who waits for TCP and UDP from outside, from /proc/net. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lines.h"
#include "seen.h"

enum { LINES_PER_STEP = 500 };

/* A TCP table tells its listening sockets first, so it is left at the first other one: on
 * a busy host that saves most of the work.
 */
static const struct table {
    const char *protocol, *family, *path;
    unsigned state; /* TCP_LISTEN; TCP_CLOSE, which for UDP is "not connected" */
    int leave_early;
} tables[] = {
    {"tcp", "inet", "/proc/net/tcp", 0x0a, 1},
    {"tcp", "inet6", "/proc/net/tcp6", 0x0a, 1},
    {"udp", "inet", "/proc/net/udp", 0x07, 0},
    {"udp", "inet6", "/proc/net/udp6", 0x07, 0},
};
enum { N_TABLES = sizeof tables / sizeof tables[0] };

struct listen {
    size_t table;
    struct lines lines;
    struct seen seen; /* sockets may share address and port (SO_REUSEPORT) */
};

/* Words of 32 bits in the host's order, in hexadecimal.  0, or -EBADMSG. */
static int
address_parse(const char *hex, const char *family, char text[INET6_ADDRSTRLEN])
{
    size_t words = strcmp(family, "inet") == 0 ? 1 : 4;
    uint32_t address[4];
    char word[9] = "";

    if (strlen(hex) != 8 * words)
        return -EBADMSG;
    for (size_t i = 0; i < words; i++) {
        memcpy(word, hex + 8 * i, 8);
        address[i] = (uint32_t)strtoul(word, NULL, 16);
    }
    inet_ntop(words == 1 ? AF_INET : AF_INET6, address, text, INET6_ADDRSTRLEN);
    return 0;
}

static int
socket_emit(struct listen *listen, struct sonde_host *host, const char *address,
            unsigned port, unsigned uid, unsigned long inode)
{
    const struct table *table = &tables[listen->table];
    char key[INET6_ADDRSTRLEN + 32];
    struct sonde_record *record;
    int r, len = snprintf(key, sizeof key, "%s/%s/%u", table->protocol, address, port);

    r = seen_add(&listen->seen, key, (size_t)len);
    if (r <= 0)
        return r;
    record = host->record(host, "listening_socket", key);
    host->put_str(host, record, "protocol", table->protocol);
    host->put_str(host, record, "family", table->family);
    host->put_str(host, record, "address", address);
    host->put_int(host, record, "port", port);
    host->put_int(host, record, "uid", uid);
    host->volatile_from(host, record);
    host->put_int(host, record, "inode", (int64_t)inode);
    return host->emit(host, record);
}

/* 1: more lines to come; 0: this table is done. */
static int
line_take(struct listen *listen, struct sonde_host *host, const char *line)
{
    const struct table *table = &tables[listen->table];
    char hex[33], remote[33], address[INET6_ADDRSTRLEN];
    unsigned port, remote_port, state, uid;
    unsigned long inode;
    int r;

    if (listen->lines.number == 1)
        return 1; /* the heading */
    if (sscanf(line,
               " %*u: %32[0-9A-F]:%x %32[0-9A-F]:%x %x %*x:%*x %*x:%*x %*x %u %*u %lu",
               hex, &port, remote, &remote_port, &state, &uid, &inode) != 7)
        return -EBADMSG;
    if (state != table->state || remote_port != 0)
        return !table->leave_early;
    r = address_parse(hex, table->family, address);
    if (r == 0)
        r = socket_emit(listen, host, address, port, uid, inode);
    return r < 0 ? r : 1;
}

/* 1: more of this table. */
static int
table_step(struct listen *listen, struct sonde_host *host)
{
    char *line;
    size_t len;
    int r = 1;

    if (!listen->lines.buffer)
        r = lines_open(&listen->lines, host, tables[listen->table].path);
    if (r == -ENOENT && strcmp(tables[listen->table].family, "inet6") == 0)
        return 0; /* a kernel without IPv6 */
    if (r < 0)
        return r;
    r = 1;
    for (int i = 0; i < LINES_PER_STEP && r > 0; i++) {
        r = lines_next(&listen->lines, &line, &len);
        if (r > 0)
            r = line_take(listen, host, line);
    }
    return r;
}

static int
listen_step(struct fact_scan *scan)
{
    struct listen *listen = scan->state;
    int r = table_step(listen, scan->host);

    if (r < 0)
        return fact_failed(scan, r, "%s", tables[listen->table].path);
    if (r > 0)
        return SONDE_MORE;
    lines_close(&listen->lines);
    return ++listen->table < N_TABLES ? SONDE_MORE : SONDE_DONE;
}

static void
listen_close(void *state)
{
    struct listen *listen = state;

    lines_close(&listen->lines);
    seen_done(&listen->seen);
}

const struct fact fact_listen = {.kind = "listening_socket",
                                 .needs = SONDE_LIVE_NET,
                                 .state_size = sizeof(struct listen),
                                 .step = listen_step,
                                 .close = listen_close};
