/* SPDX-License-Identifier: Apache-2.0 */
/* The state's migrations in order, made at build time from src/store/migrations/NNNN_*.sql by
 * src/store/embed_sql.py. A migration that has been released is never edited: add the next one. */
#pragma once

#include <stddef.h>

struct migration {
    int version;
    const char *name;
    const char *sql;
};

extern const struct migration migrations[];
extern const size_t migrations_n;
