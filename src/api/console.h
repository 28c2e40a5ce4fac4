/* SPDX-License-Identifier: Apache-2.0 */
/* The web console's files, packed into the program at build time by tools/embed-console. */
#pragma once

#include "api/route.h"

struct console_asset {
    const char *path, *type, *etag; /* "/assets/x.js"; etag with its quotes */
    bool immutable;                 /* its name holds a hash of its content */
    size_t at, n;                   /* plain form in the archive */
    size_t gzip_at, gzip_n;         /* n 0: none */
    size_t brotli_at, brotli_n;
};

extern const struct console_asset console_assets[];
extern const size_t console_assets_n;
extern const uint8_t console_archive[];

/* Fills in the file of this path, or index.html for a path that is a page of the console. Always
 * false: the answer can go out at once. */
bool console_answer(struct api_call *c);
