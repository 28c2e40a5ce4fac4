/* SPDX-License-Identifier: Apache-2.0 */
/* One buffer that holds at most a line beyond the ceiling and a block. */
#include "node/lines.h"

void lines_open(struct lines *l)
{
    *l = (struct lines){.b = buf_new(LINES_BLOCK + LINES_MOST + 64)};
}

void lines_close(struct lines *l)
{
    buf_free(&l->b);
}

uint8_t *lines_room(struct lines *l)
{
    if (l->at > 0) {
        buf_drop(&l->b, l->at);
        l->at = 0;
    }
    return buf_room(&l->b, LINES_BLOCK) ? l->b.p + l->b.n : NULL;
}

void lines_grown(struct lines *l, size_t n)
{
    l->b.n += n;
}

static void take(struct lines *l, size_t n, size_t feed)
{
    l->at += n + feed;
    l->offset += n + feed + l->dropped;
    l->dropped = 0;
    l->seen = 0;
}

bool lines_cut(struct lines *l, struct span *ret)
{
    struct span rest = span_from(buf_span(&l->b), l->at);
    size_t end = l->seen + span_find_byte(span_from(rest, l->seen), '\n');

    if (end < rest.n) {
        *ret = span_cut(rest, 0, end);
        take(l, end, 1);
        return true;
    }
    if (rest.n > LINES_MOST + 1) { /* more than the ceiling is told by one byte */
        l->dropped += rest.n - (LINES_MOST + 1);
        l->b.n -= rest.n - (LINES_MOST + 1);
        rest.n = LINES_MOST + 1;
    }
    l->seen = rest.n;
    return false;
}

bool lines_rest(struct lines *l, struct span *ret)
{
    *ret = span_from(buf_span(&l->b), l->at);
    take(l, ret->n, 0);
    return ret->n > 0;
}
