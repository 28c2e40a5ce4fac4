/* SPDX-License-Identifier: Apache-2.0 */
/* Failures of the environment: a function that can fail returns a must-check bool and fills a
 * struct err with what, where and what to do. The text lives with the caller and is printed once,
 * at the top. Hostile input is not an error: see struct verdict in rd.h. */
#pragma once

#include "base/compiler.h"

enum err_kind {
#define ERR(id, name, exit_code, http, text) ERR_##id,
#include "base/errors.def"
#undef ERR
    ERR_KINDS
};

struct err {
    enum err_kind kind;
    char text[512];
};

/* Sets kind and text and returns false, so that callers can `return err_set(...)`. %m works. */
bool err_set(struct err *e, enum err_kind kind, const char *fmt, ...) PRINTF_LIKE(3, 4) COLD;
/* Puts `where: ` before the text that is there and returns false. */
bool err_wrap(struct err *e, const char *fmt, ...) PRINTF_LIKE(2, 3) COLD;
/* The machine name of a kind ("not_found"), never NULL. */
const char *err_name(enum err_kind kind);
/* The exit code of a command that ends with this kind (sysexits.h values). */
int err_exit_code(enum err_kind kind);
/* The HTTP status of an answer that reports this kind. */
int err_http_status(enum err_kind kind);
