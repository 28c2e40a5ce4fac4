/* SPDX-License-Identifier: Apache-2.0 */
/* The unit tests' whole framework: CHECK counts and reports, unit_end closes with `N passed, N
 * failed` and the exit status. One program per tested file. */
#pragma once

#include <stdio.h>
#include <string.h>

static unsigned unit_passed, unit_failed;

#define CHECK(cond)                                                                                \
    do {                                                                                           \
        if (cond) {                                                                                \
            unit_passed++;                                                                         \
        } else {                                                                                   \
            unit_failed++;                                                                         \
            fprintf(stderr, "%s:%d: CHECK(%s) failed\n", __FILE__, __LINE__, #cond);               \
        }                                                                                          \
    } while (0)

#define CHECK_STR(got, want)                                                                       \
    do {                                                                                           \
        const char *unit_got = (got), *unit_want = (want);                                         \
        if (unit_got && strcmp(unit_got, unit_want) == 0) {                                        \
            unit_passed++;                                                                         \
        } else {                                                                                   \
            unit_failed++;                                                                         \
            fprintf(stderr, "%s:%d: got  %s\n  want %s\n", __FILE__, __LINE__,                     \
                    unit_got ? unit_got : "(null)", unit_want);                                    \
        }                                                                                          \
    } while (0)

static inline int unit_end(void)
{
    printf("%u passed, %u failed\n", unit_passed, unit_failed);
    return unit_failed || !unit_passed ? 1 : 0;
}
