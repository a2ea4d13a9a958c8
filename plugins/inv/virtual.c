/* SPDX-License-Identifier: Apache-2.0 */
#include "virtual.h"

#include <string.h>
#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#endif

#include "sysfile.h"

struct mark {
    const char *mark, *name;
};

/* How the firmware of virtual machines names its maker or product; beginnings. */
static const struct mark dmi_marks[] = {
    {"Amazon EC2", "amazon"},
    {"Google Compute Engine", "google"},
    {"KVM", "kvm"},
    {"OpenStack", "kvm"},
    {"Virtual Machine", "microsoft"}, /* the product; the maker sells laptops too */
    {"VMware", "vmware"},
    {"innotek GmbH", "oracle"},
    {"VirtualBox", "oracle"},
    {"Xen", "xen"},
    {"Parallels", "parallels"},
    {"BHYVE", "bhyve"},
    {"Apple Virtualization", "apple"},
    {"Bochs", "bochs"},
    {"QEMU", "qemu"},
};
static const char *const dmi_files[] = {"product_name", "sys_vendor", "bios_vendor"};

static const char *
mark_find(const struct mark *marks, size_t n, const char *text)
{
    for (size_t i = 0; i < n; i++)
        if (strncmp(text, marks[i].mark, strlen(marks[i].mark)) == 0)
            return marks[i].name;
    return NULL;
}

static const char *
from_dmi(struct sonde_host *host)
{
    const char *name;
    char text[128];

    for (size_t i = 0; i < sizeof dmi_files / sizeof dmi_files[0]; i++) {
        if (sysfile_read(host, text, sizeof text, "/sys/class/dmi/id/%s", dmi_files[i]) <=
            0)
            continue;
        name = mark_find(dmi_marks, sizeof dmi_marks / sizeof dmi_marks[0], text);
        if (name)
            return name;
    }
    return NULL;
}

#if defined(__x86_64__) || defined(__i386__)

/* Signatures of leaf 0x40000000. */
static const struct mark cpuid_marks[] = {
    {"KVMKVMKVM", "kvm"},          {"Linux KVM Hv", "kvm"},    {"VMwareVMware", "vmware"},
    {"Microsoft Hv", "microsoft"}, {"XenVMMXenVMM", "xen"},    {"TCGTCGTCGTCG", "qemu"},
    {"bhyve bhyve ", "bhyve"},     {"VBoxVBoxVBox", "oracle"}, {"ACRNACRNACRN", "acrn"},
};

/* NULL: the processor says that there is no hypervisor. */
static const char *
from_processor(void)
{
    unsigned a, b = 0, c = 0, d = 0, registers[3];
    const char *name;
    char text[13];

    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & 1u << 31))
        return NULL;
    __cpuid(0x40000000, a, registers[0], registers[1], registers[2]);
    memcpy(text, registers, 12);
    text[12] = '\0';
    name = mark_find(cpuid_marks, sizeof cpuid_marks / sizeof cpuid_marks[0], text);
    return name ? name : "other";
}

const char *
virtual_machine(struct sonde_host *host)
{
    const char *machine = from_processor(), *firmware;
    char text[32];

    if (!machine) /* a paravirtual guest cannot be seen by the processor's word */
        return sysfile_read(host, text, sizeof text, "/sys/hypervisor/type") > 0 &&
                       strcmp(text, "xen") == 0
                   ? "xen"
                   : "none";
    firmware = from_dmi(host);
    return firmware ? firmware : machine;
}

#else

const char *
virtual_machine(struct sonde_host *host)
{
    const char *firmware = from_dmi(host);
    char text[64];

    if (firmware)
        return firmware;
    if (sysfile_read(host, text, sizeof text,
                     "/proc/device-tree/hypervisor/compatible") <= 0)
        return "none";
    return strcmp(text, "linux,kvm") == 0 ? "kvm" : strstr(text, "xen") ? "xen" : "other";
}

#endif

const char *
virtual_container(struct sonde_host *host, char *buf, size_t size)
{
    static const struct mark marks[] = {
        {"/run/.containerenv", "podman"},
        {"/.dockerenv", "docker"},
        {"/run/secrets/kubernetes.io", "kubernetes"},
    };
    struct sonde_stat st = {.size = sizeof st};

    if (sysfile_read(host, buf, size, "/run/systemd/container") > 0)
        return buf;
    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++)
        if (host->stat(host, marks[i].mark, 0, &st) == 0)
            return marks[i].name;
    return "none";
}
