/* SPDX-License-Identifier: Apache-2.0 */
/* The program's own voice on standard error. Only programs and long-running threads log; libraries
 * return struct err. Secrets never go in. */
#pragma once

#include "base/compiler.h"

enum log_level { LOG_ERROR, LOG_WARN, LOG_NOTICE, LOG_INFO, LOG_DEBUG };

/* Lines above this level are dropped; LOG_NOTICE at start. */
void log_set_level(enum log_level level);
/* One JSON object a line instead of text. */
void log_set_json(bool on);
/* A name put before each line ("daizong"); the pointer is kept. */
void log_set_name(const char *name);
void log_write(enum log_level level, const char *fmt, ...) PRINTF_LIKE(2, 3);

#define log_error(...)  log_write(LOG_ERROR, __VA_ARGS__)
#define log_warn(...)   log_write(LOG_WARN, __VA_ARGS__)
#define log_notice(...) log_write(LOG_NOTICE, __VA_ARGS__)
#define log_info(...)   log_write(LOG_INFO, __VA_ARGS__)
#define log_debug(...)  log_write(LOG_DEBUG, __VA_ARGS__)
