/* SPDX-License-Identifier: Apache-2.0 */
/* What both compilers understand but C17 does not name: attributes and small constants.
 * Uses nothing, may be included by everything. */
#pragma once

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MUST_CHECK             __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))
#define NORETURN               __attribute__((noreturn))
#define UNUSED                 __attribute__((unused))
#define COLD                   __attribute__((cold))
#define HOT                    __attribute__((hot))
#define PURE                   __attribute__((pure))
#define NONNULL                __attribute__((nonnull))
#define ALWAYS_INLINE          inline __attribute__((always_inline))
#define NOINLINE               __attribute__((noinline))
#define FALLTHROUGH            __attribute__((fallthrough))
/* Runs f(&variable) when the variable leaves its scope: for single-owner locals of cold code. */
#define CLEANUP(f)                      __attribute__((cleanup(f)))

#define LIKELY(x)                       __builtin_expect(!!(x), 1)
#define UNLIKELY(x)                     __builtin_expect(!!(x), 0)
#define LEN(a)                          (sizeof(a) / sizeof((a)[0]))
#define CONTAINER_OF(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

static inline size_t min_size(size_t a, size_t b)
{
    return a < b ? a : b;
}

static inline size_t max_size(size_t a, size_t b)
{
    return a > b ? a : b;
}
