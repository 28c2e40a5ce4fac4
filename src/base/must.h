/* SPDX-License-Identifier: Apache-2.0 */
/* Assertions that stay on in release builds. For the programmer's mistakes only, never for input:
 * a false condition prints function, file, line and text, and aborts. */
#pragma once

#include "base/compiler.h"

/* Prints where and what, then aborts. Never returns. */
NORETURN COLD void must_fail(const char *condition, const char *function, const char *file,
                             int line);

#define must(cond) (LIKELY(cond) ? (void)0 : must_fail(#cond, __func__, __FILE__, __LINE__))
