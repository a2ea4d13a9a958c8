/* SPDX-License-Identifier: Apache-2.0 */
/* The agent's log: only the agent writes it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Values as SONDE_LOG_ in plugin.h. */
enum log_level { LOG_ERROR = 1, LOG_WARNING, LOG_INFO, LOG_DEBUG };

const char *log_level_name(enum log_level level); /* "Error", "Warning", … */

/* Open (or make) the file and write all that follows to it; "-" is stderr.  Rotated when it
 * passes max_size bytes, keeping `keep` old ones: <path>.1 is the newest.  The group of new
 * files is that of the folder's policy: gid, or -1.
 */
int log_open(const char *path, enum log_level level, int64_t max_size, int keep, int gid);
int log_reopen(void);
void log_close(void);
/* Lines go to a file. */
bool log_is_open(void);

/* One line.  Control bytes of the text become \xNN; it is cut at 2 KiB. */
void log_write(enum log_level level, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#define log_error(...) log_write(LOG_ERROR, __VA_ARGS__)
#define log_warning(...) log_write(LOG_WARNING, __VA_ARGS__)
#define log_info(...) log_write(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_write(LOG_DEBUG, __VA_ARGS__)

/* Lines for <log>.done, as they are, rotated in the same way. */
void log_done(const char *text);
