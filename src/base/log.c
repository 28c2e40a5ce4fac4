/* SPDX-License-Identifier: Apache-2.0 */
/* Each line is put together first and written with one call, so that threads do not mix. */
#include "base/log.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

static enum log_level log_threshold = LOG_NOTICE;
static bool log_json;
static const char *log_name = "daizong";

static const char *const log_words[] = {"error", "warning", "notice", "info", "debug"};

void log_set_level(enum log_level level)
{
    log_threshold = level;
}

void log_set_json(bool on)
{
    log_json = on;
}

void log_set_name(const char *name)
{
    log_name = name;
}

void log_write(enum log_level level, const char *fmt, ...)
{
    char text[2048], when[CLOCK_TEXT];
    va_list ap;

    if (level > log_threshold)
        return;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    clock_eve(clock_now_ns(), when);
    struct buf b = buf_new(16384);
    if (log_json) {
        buf_printf(&b, "{\"time\":\"%s\",\"program\":\"%s\",\"level\":\"%s\",\"message\":", when,
                   log_name, log_words[level]);
        json_add_string(&b, span_str(text));
        buf_str(&b, "}\n");
    } else if (level == LOG_NOTICE) {
        buf_printf(&b, "%s: %s\n", log_name, text);
    } else {
        buf_printf(&b, "%s: %s: %s\n", log_name, log_words[level], text);
    }
    if (write(STDERR_FILENO, b.p, b.n) < 0) {
        /* Nowhere left to say it. */
    }
    buf_free(&b);
}
