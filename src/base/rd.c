/* SPDX-License-Identifier: Apache-2.0 */
/* The reader's slow paths; see rd.h for its rules. */
#include "base/rd.h"

const uint8_t rd_zeros[64];

void verdict_set(struct verdict *v, enum rd_state state, const char *why, const uint8_t *at)
{
    if (v->state != RD_OK)
        return;
    v->state = state;
    v->why = why;
    v->at = at;
}

size_t rd_count(struct rd *r, size_t claimed, size_t least)
{
    must(least > 0);
    if (claimed <= r->n / least)
        return claimed;
    verdict_set(r->v, r->whole ? RD_BAD : RD_MORE, "more elements claimed than can fit", r->p);
    r->n = 0;
    return 0;
}

struct span rd_until(struct rd *r, uint8_t byte, size_t max)
{
    struct span window = {r->p, min_size(r->n, max == SIZE_MAX ? max : max + 1)};
    size_t at = span_find_byte(window, byte);

    if (at < window.n) {
        struct span s = {rd_take(r, at), at};
        rd_take(r, 1);
        return s;
    }
    if (r->n > max)
        rd_bad(r, "delimiter not found within its limit");
    else
        (void)rd_need(r, r->n + 1);
    return (struct span){r->p, 0};
}

uint64_t rd_varint(struct rd *r)
{
    uint64_t v = 0;

    for (unsigned shift = 0; shift < 70; shift += 7) {
        uint8_t b = rd_u8(r);
        if (shift == 63 && b > 1)
            break;
        v |= (uint64_t)(b & 0x7f) << shift;
        if (!(b & 0x80))
            return v;
    }
    rd_bad(r, "varint too long");
    return 0;
}
