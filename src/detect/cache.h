/* SPDX-License-Identifier: Apache-2.0 */
/* Compiled pattern databases on disk: a start with the same patterns, the same library and the same
 * processor features reads them instead of compiling. A file that is missing, cut or foreign is
 * compiled anew; failing to write costs only the next start. */
#pragma once

#include "base/err.h"
#include "base/span.h"

#include <hs.h>

struct cache_literals {
    const char *const *texts;
    const size_t *lengths;
    const unsigned *flags, *ids;
    uint32_t n;
};

/* The block-mode database of these literals, from dir (may be NULL) or compiled. */
bool cache_compile(const struct cache_literals *l, const char *dir, hs_database_t **ret,
                   struct err *e) MUST_CHECK;
