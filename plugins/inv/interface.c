/* SPDX-License-Identifier: Apache-2.0 */
/* interface, address: by rtnetlink(7), which needs no rights. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if.h>
#include <linux/if_arp.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sysfile.h"

enum { MAX_NAMES = 8192, MAX_TRIES = 5, BUFFER_SIZE = 32 * 1024, MAC_MAX = 32 };

/* Attributes of a message by type; those beyond what is asked for are passed over. */
enum { MAX_ATTRIBUTES = 64 };
struct attributes {
    const struct rtattr *by_type[MAX_ATTRIBUTES];
};

typedef int message_fn(void *arg, const struct nlmsghdr *message);

static void
attributes_parse(const struct rtattr *a, size_t len, struct attributes *ret)
{
    memset(ret, 0, sizeof *ret);
    for (; RTA_OK(a, len); a = RTA_NEXT(a, len))
        if ((a->rta_type & NLA_TYPE_MASK) < MAX_ATTRIBUTES)
            ret->by_type[a->rta_type & NLA_TYPE_MASK] = a;
}

/* A number of 1 to 4 bytes, or def. */
static uint32_t
attribute_number(const struct attributes *attributes, int type, uint32_t def)
{
    const struct rtattr *a = attributes->by_type[type];
    uint32_t value = 0;

    if (!a || RTA_PAYLOAD(a) > sizeof value)
        return def;
    if (RTA_PAYLOAD(a) == 1)
        return *(const unsigned char *)RTA_DATA(a);
    if (RTA_PAYLOAD(a) < sizeof value)
        return def;
    memcpy(&value, RTA_DATA(a), sizeof value);
    return value;
}

/* A name of an interface or of a kind of interfaces; NULL: none. */
static const char *
attribute_text(const struct rtattr *a)
{
    return a && RTA_PAYLOAD(a) > 0 && memchr(RTA_DATA(a), '\0', RTA_PAYLOAD(a))
               ? RTA_DATA(a)
               : NULL;
}

/* One answer.  1: more to come; -EAGAIN: it changed while it was told. */
static int
answer_take(const struct nlmsghdr *message, size_t len, message_fn *take, void *arg)
{
    const struct nlmsgerr *error;
    int r;

    for (; NLMSG_OK(message, len); message = NLMSG_NEXT(message, len)) {
        if (message->nlmsg_flags & NLM_F_DUMP_INTR)
            return -EAGAIN;
        if (message->nlmsg_type == NLMSG_DONE)
            return 0;
        if (message->nlmsg_type == NLMSG_ERROR) {
            error = NLMSG_DATA(message);
            return error->error < 0 ? error->error : -EPROTO;
        }
        r = take(arg, message);
        if (r < 0)
            return r;
    }
    return 1;
}

/* Ask for all of one type (RTM_GETLINK, RTM_GETADDR). */
static int
dump_once(uint16_t type, message_fn *take, void *arg)
{
    struct {
        struct nlmsghdr head;
        struct ifinfomsg body; /* the kernel looks at the family only: any */
    } ask = {.head = {.nlmsg_len = sizeof ask,
                      .nlmsg_type = type,
                      .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP}};
    union {
        struct nlmsghdr head;
        char bytes[BUFFER_SIZE];
    } answer;
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE), r = 1;
    ssize_t n;

    if (fd < 0)
        return -errno;
    if (send(fd, &ask, sizeof ask, 0) < 0)
        r = -errno;
    while (r > 0) {
        n = recv(fd, &answer, sizeof answer, 0);
        if (n < 0 && errno == EINTR)
            continue;
        r = n < 0 ? -errno : answer_take(&answer.head, (size_t)n, take, arg);
    }
    close(fd);
    return r;
}

static int
dump(uint16_t type, message_fn *take, void *arg)
{
    int r = -EAGAIN;

    for (int i = 0; i < MAX_TRIES && r == -EAGAIN; i++)
        r = dump_once(type, take, arg);
    return r;
}

/* ---- interface ---- */

static const char *const states[] = {"unknown", "notpresent", "down", "lowerlayerdown",
                                     "testing", "dormant",    "up"}; /* IF_OPER_ */

/* What made it (veth, bridge, vlan, …), else what it is as hardware. */
static const char *
link_type(const struct attributes *attributes, unsigned short hardware)
{
    const struct rtattr *info = attributes->by_type[IFLA_LINKINFO];
    struct attributes nested;
    const char *kind = NULL;

    if (info) {
        attributes_parse(RTA_DATA(info), RTA_PAYLOAD(info), &nested);
        kind = attribute_text(nested.by_type[IFLA_INFO_KIND]);
    }
    return kind                            ? kind
           : hardware == ARPHRD_LOOPBACK   ? "loopback"
           : hardware == ARPHRD_ETHER      ? "ethernet"
           : hardware == ARPHRD_INFINIBAND ? "infiniband"
           : hardware == ARPHRD_PPP        ? "ppp"
           : hardware == ARPHRD_TUNNEL     ? "tunnel"
                                           : "other";
}

static void
put_mac(struct sonde_host *host, struct sonde_record *record, const struct rtattr *a)
{
    const unsigned char *bytes = a ? RTA_DATA(a) : NULL;
    size_t len = a ? RTA_PAYLOAD(a) : 0;
    char text[3 * MAC_MAX + 1] = "";

    if (len == 0 || len > MAC_MAX)
        return;
    for (size_t i = 0; i < len; i++)
        snprintf(text + 3 * i, 4, "%02x:", bytes[i]);
    text[3 * len - 1] = '\0';
    host->put_str(host, record, "mac", text);
}

static int
interface_emit(void *arg, const struct nlmsghdr *message)
{
    struct sonde_host *host = arg;
    const struct ifinfomsg *link = NLMSG_DATA(message);
    struct sonde_record *record;
    struct attributes attributes;
    const char *name;
    uint32_t state;
    int64_t speed;

    if (message->nlmsg_type != RTM_NEWLINK ||
        message->nlmsg_len < NLMSG_LENGTH(sizeof *link))
        return 0;
    attributes_parse(IFLA_RTA(link), IFLA_PAYLOAD(message), &attributes);
    name = attribute_text(attributes.by_type[IFLA_IFNAME]);
    if (!name)
        return 0;
    state = attribute_number(&attributes, IFLA_OPERSTATE, 0);
    record = host->record(host, "interface", name);
    host->put_str(host, record, "name", name);
    host->put_str(host, record, "type", link_type(&attributes, link->ifi_type));
    put_mac(host, record, attributes.by_type[IFLA_ADDRESS]);
    host->put_int(host, record, "mtu_bytes", attribute_number(&attributes, IFLA_MTU, 0));
    host->put_bool(host, record, "enabled", (link->ifi_flags & IFF_UP) != 0);
    host->put_str(host, record, "state",
                  state < sizeof states / sizeof states[0] ? states[state] : "unknown");
    speed = sysfile_number(host, -1, "/sys/class/net/%s/speed", name);
    if (speed > 0)
        host->put_int(host, record, "speed_mbit", speed);
    return host->emit(host, record);
}

static int
interface_step(struct fact_scan *scan)
{
    int r = dump(RTM_GETLINK, interface_emit, scan->host);

    return r < 0 ? fact_failed(scan, r, "rtnetlink: links") : SONDE_DONE;
}

const struct fact fact_interface = {
    .kind = "interface", .needs = SONDE_LIVE_NET, .step = interface_step};

/* ---- address ---- */

struct addresses {
    struct sonde_host *host;
    size_t n;
    struct {
        int index;
        char name[IFNAMSIZ];
    } names[MAX_NAMES];
};

static int
name_note(void *arg, const struct nlmsghdr *message)
{
    struct addresses *addresses = arg;
    const struct ifinfomsg *link = NLMSG_DATA(message);
    struct attributes attributes;
    const char *name;

    if (message->nlmsg_type != RTM_NEWLINK ||
        message->nlmsg_len < NLMSG_LENGTH(sizeof *link))
        return 0;
    attributes_parse(IFLA_RTA(link), IFLA_PAYLOAD(message), &attributes);
    name = attribute_text(attributes.by_type[IFLA_IFNAME]);
    if (!name)
        return 0;
    if (addresses->n == MAX_NAMES)
        return -E2BIG;
    addresses->names[addresses->n].index = link->ifi_index;
    snprintf(addresses->names[addresses->n++].name, IFNAMSIZ, "%s", name);
    return 0;
}

/* NULL: the interface came after the links were told. */
static const char *
name_of(const struct addresses *addresses, uint32_t index)
{
    for (size_t i = addresses->n; i-- > 0;)
        if ((uint32_t)addresses->names[i].index == index)
            return addresses->names[i].name;
    return NULL;
}

static const char *
scope_name(unsigned char scope)
{
    return scope == RT_SCOPE_UNIVERSE ? "global"
           : scope == RT_SCOPE_SITE   ? "site"
           : scope == RT_SCOPE_LINK   ? "link"
           : scope == RT_SCOPE_HOST   ? "host"
                                      : "other";
}

static int
address_emit(void *arg, const struct nlmsghdr *message)
{
    struct addresses *addresses = arg;
    struct sonde_host *host = addresses->host;
    const struct ifaddrmsg *a = NLMSG_DATA(message);
    char text[INET6_ADDRSTRLEN], key[INET6_ADDRSTRLEN + IFNAMSIZ + 8];
    struct attributes attributes;
    const struct rtattr *bytes;
    struct sonde_record *record;
    const char *name;
    uint32_t flags;

    if (message->nlmsg_type != RTM_NEWADDR ||
        message->nlmsg_len < NLMSG_LENGTH(sizeof *a))
        return 0;
    attributes_parse(IFA_RTA(a), IFA_PAYLOAD(message), &attributes);
    /* on a point-to-point link IFA_ADDRESS is the other end */
    bytes = attributes.by_type[IFA_LOCAL] ? attributes.by_type[IFA_LOCAL]
                                          : attributes.by_type[IFA_ADDRESS];
    name = name_of(addresses, a->ifa_index);
    if (!bytes || !name || (a->ifa_family != AF_INET && a->ifa_family != AF_INET6) ||
        RTA_PAYLOAD(bytes) != (a->ifa_family == AF_INET ? 4 : 16))
        return 0;
    inet_ntop(a->ifa_family, RTA_DATA(bytes), text, sizeof text);
    flags = attribute_number(&attributes, IFA_FLAGS, a->ifa_flags);
    snprintf(key, sizeof key, "%s/%s/%u", name, text, a->ifa_prefixlen);
    record = host->record(host, "address", key);
    host->put_str(host, record, "interface", name);
    host->put_str(host, record, "family", a->ifa_family == AF_INET ? "inet" : "inet6");
    host->put_str(host, record, "address", text);
    host->put_int(host, record, "prefix_len", a->ifa_prefixlen);
    host->put_str(host, record, "scope", scope_name(a->ifa_scope));
    host->put_bool(host, record, "dynamic", !(flags & IFA_F_PERMANENT));
    return host->emit(host, record);
}

static int
address_step(struct fact_scan *scan)
{
    struct addresses *addresses = scan->state;
    int r;

    addresses->host = scan->host;
    r = dump(RTM_GETLINK, name_note, addresses);
    if (r == 0)
        r = dump(RTM_GETADDR, address_emit, addresses);
    return r < 0 ? fact_failed(scan, r, "rtnetlink: addresses") : SONDE_DONE;
}

const struct fact fact_address = {.kind = "address",
                                  .needs = SONDE_LIVE_NET,
                                  .state_size = sizeof(struct addresses),
                                  .step = address_step};
