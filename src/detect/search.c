/* SPDX-License-Identifier: Apache-2.0 */
/* The single-pattern search of search.h with the compilers' generic vectors: the same source is
 * SSE2 or NEON code. */
#include "detect/search.h"

typedef uint8_t v16 __attribute__((vector_size(16)));
typedef uint64_t v2x64 __attribute__((vector_size(16)));

static ALWAYS_INLINE v16 load16(const uint8_t *p)
{
    v16 v;

    __builtin_memcpy(&v, p, sizeof(v));
    return v;
}

static ALWAYS_INLINE v16 fill16(uint8_t c)
{
    return (v16){c, c, c, c, c, c, c, c, c, c, c, c, c, c, c, c};
}

static bool same(const uint8_t *at, struct span what, bool nocase)
{
    if (!nocase)
        return memcmp(at, what.p, what.n) == 0;
    for (size_t i = 0; i < what.n; i++)
        if (ascii_lower(at[i]) != what.p[i])
            return false;
    return true;
}

bool search_at(struct span s, size_t at, struct span what, bool nocase)
{
    return at <= s.n && s.n - at >= what.n && (what.n == 0 || same(s.p + at, what, nocase));
}

/* The bit that makes a letter lower case, or none. */
static uint8_t case_bit(uint8_t c, bool nocase)
{
    return nocase && ascii_is_alpha(c) ? 0x20 : 0;
}

static size_t search_tail(const uint8_t *p, size_t from, size_t end, struct span what, bool nocase)
{
    uint8_t bit = case_bit(what.p[0], nocase), first = what.p[0];

    for (size_t i = from; i < end; i++)
        if ((p[i] | bit) == first && same(p + i, what, nocase))
            return i;
    return SIZE_MAX;
}

size_t search_span(struct span s, size_t from, struct span what, bool nocase)
{
    if (from > s.n || what.n > s.n - from)
        return SIZE_MAX;
    if (what.n == 0)
        return from;
    if (what.n == 1 && !case_bit(what.p[0], nocase)) {
        const uint8_t *hit = memchr(s.p + from, what.p[0], s.n - from);
        return hit ? (size_t)(hit - s.p) : SIZE_MAX;
    }
    size_t end = s.n - what.n + 1, last_at = what.n - 1, i = from;
    v16 first = fill16(what.p[0]), last = fill16(what.p[last_at]);
    v16 first_bit = fill16(case_bit(what.p[0], nocase));
    v16 last_bit = fill16(case_bit(what.p[last_at], nocase));

    for (; i + 16 <= end; i += 16) {
        v16 a = (v16)((load16(s.p + i) | first_bit) == first);
        v16 b = (v16)((load16(s.p + i + last_at) | last_bit) == last);
        v2x64 both = (v2x64)(a & b);
        for (size_t half = 0; half < 2; half++) {
            uint64_t bits = both[half];
            while (bits) {
                unsigned byte = (unsigned)__builtin_ctzll(bits) / 8;
                size_t at = i + half * 8 + byte;
                if (same(s.p + at, what, nocase))
                    return at;
                bits &= ~((uint64_t)0xff << (8 * byte));
            }
        }
    }
    return search_tail(s.p, i, end, what, nocase);
}
