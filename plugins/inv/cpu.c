/* SPDX-License-Identifier: Apache-2.0 */
/* cpu: one record for each socket, from /proc/cpuinfo. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lines.h"

#define CPUINFO "/proc/cpuinfo"

enum { MAX_SOCKETS = 256, MAX_FLAGS = 512, LINES_PER_STEP = 1000, FLAGS_SIZE = 8192 };

struct socket {
    int number;
    int64_t cores, threads;
    double mhz; /* of its fastest thread now */
    char model[128], vendor[64], microcode[32], stepping[16], family[16], model_id[16];
    char flags[FLAGS_SIZE];
};

struct cpu {
    struct lines lines;
    struct socket *sockets; /* sockets[n] is the processor that is being read */
    size_t n;
    int reading;
};

/* Labels of x86, then of Arm and others. */
static const struct {
    const char *label;
    size_t offset, size;
} texts[] = {
#define TEXT(label, member)                                                              \
    {                                                                                    \
        label, offsetof(struct socket, member), sizeof(((struct socket *)0)->member)     \
    }
    TEXT("model name", model),
    TEXT("vendor_id", vendor),
    TEXT("microcode", microcode),
    TEXT("stepping", stepping),
    TEXT("cpu family", family),
    TEXT("model", model_id),
    TEXT("flags", flags),
    TEXT("Features", flags),
    TEXT("CPU implementer", vendor),
    TEXT("CPU part", model_id),
    TEXT("CPU revision", stepping),
    TEXT("CPU architecture", family),
#undef TEXT
};

static void
take_line(struct socket *s, const char *line)
{
    size_t len = strcspn(line, "\t:"), i;
    const char *value = strchr(line, ':');

    if (!value)
        return;
    value += 1 + strspn(value + 1, " ");
    for (i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (strlen(texts[i].label) == len && strncmp(line, texts[i].label, len) == 0)
            snprintf((char *)s + texts[i].offset, texts[i].size, "%s", value);
    if (len == 11 && strncmp(line, "physical id", len) == 0)
        s->number = atoi(value);
    else if (len == 9 && strncmp(line, "cpu cores", len) == 0)
        s->cores = atoi(value);
    else if (len == 7 && strncmp(line, "cpu MHz", len) == 0)
        s->mhz = strtod(value, NULL);
}

/* A processor is read: it is one more thread of its socket. */
static int
processor_end(struct cpu *cpu)
{
    struct socket *s = &cpu->sockets[cpu->n];
    size_t i = 0;

    while (i < cpu->n && cpu->sockets[i].number != s->number)
        i++;
    if (i == MAX_SOCKETS)
        return -E2BIG;
    cpu->sockets[i].threads++;
    if (i == cpu->n) {
        struct socket *more = realloc(cpu->sockets, (cpu->n + 2) * sizeof *more);

        if (!more)
            return -ENOMEM;
        cpu->sockets = more;
        cpu->n++;
    } else if (s->mhz > cpu->sockets[i].mhz) {
        cpu->sockets[i].mhz = s->mhz;
    }
    memset(&cpu->sockets[cpu->n], 0, sizeof *cpu->sockets);
    cpu->reading = 0;
    return 0;
}

static void
put_flags(struct sonde_host *host, struct sonde_record *record, char *flags)
{
    const char *list[MAX_FLAGS];
    char *save, *flag = strtok_r(flags, " ", &save);
    size_t n = 0;

    for (; flag && n < MAX_FLAGS; flag = strtok_r(NULL, " ", &save))
        list[n++] = flag;
    host->put_list(host, record, "flags", list, n);
}

static int
socket_emit(struct sonde_host *host, struct socket *s)
{
    struct sonde_record *record;
    char key[16];

    snprintf(key, sizeof key, "%d", s->number);
    record = host->record(host, "cpu", key);
    host->put_int(host, record, "socket", s->number);
    host->put_int(host, record, "threads", s->threads);
    host->put_int(host, record, "cores", s->cores ? s->cores : s->threads);
    for (size_t i = 0; i < 6; i++) {
        static const char *const fields[] = {"model",    "vendor", "microcode",
                                             "stepping", "family", "model_id"};
        const char *text = (char *)s + texts[i].offset;

        if (*text)
            host->put_str(host, record, fields[i], text);
    }
    put_flags(host, record, s->flags);
    host->volatile_from(host, record);
    if (s->mhz > 0)
        host->put_real(host, record, "mhz", s->mhz);
    return host->emit(host, record);
}

/* Read the next lines.  1: more to come. */
static int
cpu_read(struct cpu *cpu)
{
    char *line;
    size_t len;
    int r = 1;

    for (int i = 0; i < LINES_PER_STEP && r > 0; i++) {
        r = lines_next(&cpu->lines, &line, &len);
        if (r < 0)
            return r;
        if (r > 0 && strncmp(line, "processor", 9) == 0)
            cpu->reading = 1;
        if (r > 0 && len > 0 && cpu->reading)
            take_line(&cpu->sockets[cpu->n], line);
        if ((r == 0 || len == 0) && cpu->reading) {
            int error = processor_end(cpu);

            if (error < 0)
                return error;
        }
    }
    return r;
}

static int
cpu_step(struct fact_scan *scan)
{
    struct cpu *cpu = scan->state;
    int r = 0;

    if (!cpu->sockets) {
        cpu->sockets = calloc(1, sizeof *cpu->sockets);
        r = cpu->sockets ? lines_open(&cpu->lines, scan->host, CPUINFO) : -ENOMEM;
    }
    if (r == 0)
        r = cpu_read(cpu);
    for (size_t i = 0; i < cpu->n && r == 0; i++)
        r = socket_emit(scan->host, &cpu->sockets[i]);
    return r < 0 ? fact_failed(scan, r, CPUINFO) : r;
}

static void
cpu_close(void *state)
{
    struct cpu *cpu = state;

    lines_close(&cpu->lines);
    free(cpu->sockets);
}

const struct fact fact_cpu = {.kind = "cpu",
                              .needs = SONDE_LIVE_PROC,
                              .state_size = sizeof(struct cpu),
                              .step = cpu_step,
                              .close = cpu_close};
