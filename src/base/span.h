/* SPDX-License-Identifier: Apache-2.0 */
/* Borrowed bytes: pointer and length by value. A span never owns; whoever keeps one says from which
 * lifetime it comes. An empty span has a valid pointer whenever it was cut from another. */
#pragma once

#include "base/compiler.h"

#include <string.h>

struct span {
    const uint8_t *p;
    size_t n;
};

/* A string literal's bytes without its terminator. */
#define SPAN(lit) ((struct span){(const uint8_t *)("" lit), sizeof(lit) - 1})

static inline struct span span_of(const void *p, size_t n)
{
    return (struct span){(const uint8_t *)p, n};
}

static inline struct span span_str(const char *s)
{
    return (struct span){(const uint8_t *)s, s ? strlen(s) : 0};
}

/* Bytes [from, from + n) of s, cut to what is there. */
static inline struct span span_cut(struct span s, size_t from, size_t n)
{
    if (from > s.n)
        from = s.n;
    if (n > s.n - from)
        n = s.n - from;
    return (struct span){s.n ? s.p + from : s.p, n};
}

static inline struct span span_from(struct span s, size_t from)
{
    return span_cut(s, from, SIZE_MAX);
}

static inline bool span_eq(struct span a, struct span b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline bool span_starts(struct span s, struct span head)
{
    return s.n >= head.n && (head.n == 0 || memcmp(s.p, head.p, head.n) == 0);
}

static inline bool span_ends(struct span s, struct span tail)
{
    return s.n >= tail.n && (tail.n == 0 || memcmp(s.p + s.n - tail.n, tail.p, tail.n) == 0);
}

static inline uint8_t ascii_lower(uint8_t c)
{
    return (uint8_t)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
}

static inline bool ascii_is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static inline bool ascii_is_alpha(uint8_t c)
{
    uint8_t l = (uint8_t)(c | 0x20);
    return l >= 'a' && l <= 'z';
}

static inline bool ascii_is_space(uint8_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static inline bool ascii_is_print(uint8_t c)
{
    return c >= 0x20 && c < 0x7f;
}

/* The value of a hex digit, or -1. */
static inline int ascii_hex(uint8_t c)
{
    if (ascii_is_digit(c))
        return c - '0';
    c = (uint8_t)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* ASCII case ignored. */
bool span_ieq(struct span a, struct span b) PURE;
enum { SPAN_DISTANCE_MOST = 64 };
/* Levenshtein's distance, ASCII case ignored: for "did you mean" in messages. UINT_MAX where one of
 * the two has more than SPAN_DISTANCE_MOST bytes. */
unsigned span_distance(struct span a, struct span b) PURE;
/* Index of the first byte c in s, or s.n. */
size_t span_find_byte(struct span s, uint8_t c) PURE;
/* Index of the first occurrence of what in s, or SIZE_MAX. */
size_t span_find(struct span s, struct span what) PURE;
/* Same with ASCII case ignored; `what` must be lower case. */
size_t span_ifind(struct span s, struct span what) PURE;
/* Without ASCII white space at both ends. */
struct span span_trim(struct span s) PURE;
/* Cuts s at its first byte c: the part before it; s becomes what follows (empty without c). */
struct span span_split(struct span *s, uint8_t c);
/* A decimal number that fills the whole span; false if it is not one or does not fit. */
bool span_u64(struct span s, uint64_t *ret);
bool span_i64(struct span s, int64_t *ret);
/* Copies into a C string of at most cap bytes with terminator, cutting what is longer. */
void span_copy(struct span s, char *to, size_t cap);
/* -1, 0, 1 by bytes then length. */
int span_cmp(struct span a, struct span b) PURE;
