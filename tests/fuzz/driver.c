/* SPDX-License-Identifier: Apache-2.0 */
/* For compilers without libFuzzer: runs every file of the folders that it is given, then
 * changes them, the same way each time, until the time is over.  Understands of libFuzzer's
 * options what tests/fuzz/fuzz.test says, and writes what it was doing when it died.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "fuzz.h"

enum { INPUTS_MAX = 4096, SIZE_MAX_BYTES = 16 * 1024 };

static struct input {
    uint8_t *data;
    size_t size;
} inputs[INPUTS_MAX];
static size_t n_inputs;
static uint64_t state = 88172645463325252u; /* xorshift64 */
static uint8_t now[SIZE_MAX_BYTES];         /* the input that runs */
static size_t now_size;
static char artifact[PATH_MAX] = "crash-driver"; /* the file for what breaks */
static unsigned long runs;

static size_t
below(size_t n)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return n ? state % n : 0;
}

static void
read_folder(const char *path)
{
    DIR *folder = opendir(path);
    struct dirent **names;
    int n = scandir(path, &names, NULL, alphasort); /* the same order everywhere */

    need(folder && n >= 0);
    for (int i = 0; i < n; i++) {
        int fd = openat(dirfd(folder), names[i]->d_name, O_RDONLY | O_CLOEXEC);
        ssize_t got = names[i]->d_name[0] == '.' ? -1 : read(fd, now, sizeof now);

        if (got >= 0 && n_inputs < INPUTS_MAX)
            inputs[n_inputs++] =
                (struct input){(uint8_t *)text_of(now, (size_t)got), got};
        close(fd);
        free(names[i]);
    }
    free(names);
    closedir(folder);
}

static void
run(void)
{
    uint8_t *exact = malloc(now_size ? now_size : 1);

    need(exact);
    memcpy(exact, now, now_size);
    LLVMFuzzerTestOneInput(exact, now_size);
    free(exact);
    runs++;
}

/* Put len bytes of other input, or fewer, where cut bytes were. */
static void
put_in(size_t at, size_t cut, const uint8_t *bytes, size_t len)
{
    if (now_size - cut + len > sizeof now)
        len = sizeof now - (now_size - cut);
    memmove(now + at + len, now + at + cut, now_size - at - cut);
    if (bytes)
        memcpy(now + at, bytes, len);
    now_size += len - cut;
}

static void
change(void)
{
    static const char *const odd[] = {
        "\xff", "\xc3\xa9", "\n", "\"", "\\u0000", "{", "}",     "[",
        "]",    ",",        ":",  " ",  "-",       "0", "1e999", "9223372036854775808",
        "\t",   "=",        "/"};
    const char *word = odd[below(sizeof odd / sizeof *odd)];
    const struct input *other = &inputs[below(n_inputs)];
    size_t at = below(now_size), room = now_size - at, from = below(other->size);
    uint8_t byte = (uint8_t)below(256), part[256];

    switch (below(7)) {
    case 0: /* a bit */
        if (room)
            now[at] ^= (uint8_t)(1u << below(8));
        break;
    case 1: /* a byte */
        put_in(at, room > 0, &byte, 1);
        break;
    case 2: /* gone */
        put_in(at, below(room < 32 ? room + 1 : 32), NULL, 0);
        break;
    case 3: /* cut here */
        now_size = at;
        break;
    case 4: /* a part of another one */
        put_in(at, below(room < 64 ? room + 1 : 64), other->data + from,
               below(other->size - from + 1));
        break;
    case 5: /* twice */
        room = room < sizeof part ? room : sizeof part;
        memcpy(part, now + at, room);
        put_in(at, 0, part, room);
        break;
    default:
        put_in(at, 0, (const uint8_t *)word, strlen(word));
    }
    if (now_size > sizeof now / 2)
        now_size = sizeof now / 2;
}

static void
on_signal(int sig)
{
    static const char text[] = "driver: a signal; the input is ";
    int fd = open(artifact, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

    (void)!write(STDERR_FILENO, text, sizeof text - 1);
    (void)!write(STDERR_FILENO, artifact, strlen(artifact));
    (void)!write(STDERR_FILENO, "\n", 1);
    (void)!write(fd, now, now_size);
    signal(sig, SIG_DFL);
    raise(sig);
}

int
main(int argc, char **argv)
{
    static const char max_time[] = "-max_total_time=", prefix[] = "-artifact_prefix=";
    static const int deadly[] = {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGALRM};
    time_t end = 0;

    for (int i = 1; i < argc; i++)
        if (strncmp(argv[i], max_time, sizeof max_time - 1) == 0)
            end = time(NULL) + atoi(argv[i] + sizeof max_time - 1);
        else if (strncmp(argv[i], prefix, sizeof prefix - 1) == 0)
            snprintf(artifact, sizeof artifact, "%scrash-driver",
                     argv[i] + sizeof prefix - 1);
        else if (argv[i][0] != '-')
            read_folder(argv[i]);
    for (size_t i = 0; i < sizeof deadly / sizeof *deadly; i++)
        signal(deadly[i], on_signal);
    need(n_inputs > 0);
    for (size_t i = 0; i < n_inputs || time(NULL) < end; i++) {
        const struct input *in = &inputs[i % n_inputs];

        memcpy(now, in->data, now_size = in->size);
        for (size_t n = i < n_inputs ? 0 : 1 + below(6); n > 0; n--)
            change();
        alarm(30); /* an input that takes so long is a finding */
        run();
    }
    for (size_t i = 0; i < n_inputs; i++)
        free(inputs[i].data);
    fprintf(stderr, "stat::number_of_executed_units: %lu\n", runs);
    return 0;
}
