/* SPDX-License-Identifier: Apache-2.0 */
/* Error texts and the table of kinds; errors.def is the only list. */
#include "base/err.h"

#include "base/must.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct err_row {
    const char *name;
    int exit_code;
    int http;
};

static const struct err_row err_rows[ERR_KINDS] = {
#define ERR(id, name, exit_code, http, text) [ERR_##id] = {name, exit_code, http},
#include "base/errors.def"
#undef ERR
};

bool err_set(struct err *e, enum err_kind kind, const char *fmt, ...)
{
    int saved = errno;
    char text[sizeof(e->text)];
    va_list ap;

    if (!e)
        return false;
    errno = saved;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    e->kind = kind;
    memcpy(e->text, text, sizeof(text));
    return false;
}

bool err_wrap(struct err *e, const char *fmt, ...)
{
    char where[256];
    char old[sizeof(e->text)];
    va_list ap;

    if (!e)
        return false;
    va_start(ap, fmt);
    vsnprintf(where, sizeof(where), fmt, ap);
    va_end(ap);
    memcpy(old, e->text, sizeof(old));
    size_t n = strlen(where);
    memcpy(e->text, where, n);
    snprintf(e->text + n, sizeof(e->text) - n, ": %s", old);
    return false;
}

const char *err_name(enum err_kind kind)
{
    must(kind < ERR_KINDS);
    return err_rows[kind].name;
}

int err_exit_code(enum err_kind kind)
{
    must(kind < ERR_KINDS);
    return err_rows[kind].exit_code;
}

int err_http_status(enum err_kind kind)
{
    must(kind < ERR_KINDS);
    return err_rows[kind].http;
}
