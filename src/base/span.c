/* SPDX-License-Identifier: Apache-2.0 */
/* Searching and cutting borrowed bytes. Nothing here allocates or fails. */
#include "base/span.h"

#include <limits.h>

bool span_ieq(struct span a, struct span b)
{
    if (a.n != b.n)
        return false;
    for (size_t i = 0; i < a.n; i++)
        if (ascii_lower(a.p[i]) != ascii_lower(b.p[i]))
            return false;
    return true;
}

/* One row of the table at a time. */
unsigned span_distance(struct span a, struct span b)
{
    unsigned row[SPAN_DISTANCE_MOST + 1];

    if (a.n > SPAN_DISTANCE_MOST || b.n > SPAN_DISTANCE_MOST)
        return UINT_MAX;
    for (unsigned j = 0; j <= b.n; j++)
        row[j] = j;
    for (unsigned i = 1; i <= a.n; i++) {
        unsigned diagonal = row[0];
        row[0] = i;
        for (unsigned j = 1; j <= b.n; j++) {
            unsigned change = diagonal + (ascii_lower(a.p[i - 1]) != ascii_lower(b.p[j - 1]));
            unsigned step = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
            diagonal = row[j];
            row[j] = change < step ? change : step;
        }
    }
    return row[b.n];
}

size_t span_find_byte(struct span s, uint8_t c)
{
    const uint8_t *hit = s.n ? memchr(s.p, c, s.n) : NULL;
    return hit ? (size_t)(hit - s.p) : s.n;
}

size_t span_find(struct span s, struct span what)
{
    if (what.n == 0)
        return 0;
    if (s.n < what.n)
        return SIZE_MAX;
    const uint8_t *hit = memmem(s.p, s.n, what.p, what.n);
    return hit ? (size_t)(hit - s.p) : SIZE_MAX;
}

size_t span_ifind(struct span s, struct span what)
{
    if (what.n == 0)
        return 0;
    for (size_t i = 0; i + what.n <= s.n; i++) {
        size_t k = 0;
        while (k < what.n && ascii_lower(s.p[i + k]) == what.p[k])
            k++;
        if (k == what.n)
            return i;
    }
    return SIZE_MAX;
}

struct span span_trim(struct span s)
{
    while (s.n && ascii_is_space(s.p[0])) {
        s.p++;
        s.n--;
    }
    while (s.n && ascii_is_space(s.p[s.n - 1]))
        s.n--;
    return s;
}

struct span span_split(struct span *s, uint8_t c)
{
    size_t at = span_find_byte(*s, c);
    struct span head = span_cut(*s, 0, at);
    *s = span_from(*s, at < s->n ? at + 1 : at);
    return head;
}

bool span_u64(struct span s, uint64_t *ret)
{
    uint64_t v = 0;

    if (s.n == 0)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        if (!ascii_is_digit(s.p[i]))
            return false;
        if (__builtin_mul_overflow(v, 10u, &v) ||
            __builtin_add_overflow(v, (uint64_t)(s.p[i] - '0'), &v))
            return false;
    }
    *ret = v;
    return true;
}

bool span_i64(struct span s, int64_t *ret)
{
    uint64_t v;
    bool minus = s.n && s.p[0] == '-';

    if (!span_u64(span_from(s, minus), &v))
        return false;
    if (v > (uint64_t)INT64_MAX + minus)
        return false;
    *ret = minus ? (int64_t)(0 - v) : (int64_t)v;
    return true;
}

void span_copy(struct span s, char *to, size_t cap)
{
    if (cap == 0)
        return;
    size_t n = min_size(s.n, cap - 1);
    if (n)
        memcpy(to, s.p, n);
    to[n] = '\0';
}

int span_cmp(struct span a, struct span b)
{
    size_t n = min_size(a.n, b.n);
    int c = n ? memcmp(a.p, b.p, n) : 0;
    if (c == 0)
        c = (a.n > b.n) - (a.n < b.n);
    return c < 0 ? -1 : c > 0;
}
