/* SPDX-License-Identifier: Apache-2.0 */
/* Growth by doubling up to the ceiling; numbers without printf, since events are made of them. */
#include "base/buf.h"

#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>

void buf_free(struct buf *b)
{
    mem_free(b->p);
    *b = buf_new(b->max);
}

bool buf_grow(struct buf *b, size_t n)
{
    if (b->full || n > b->max || b->n > b->max - n) {
        b->full = true;
        return false;
    }
    size_t cap = b->cap ? b->cap : 256;
    while (cap < b->n + n)
        cap *= 2;
    if (cap > b->max)
        cap = b->max;
    b->p = mem_resize(b->p, cap);
    b->cap = cap;
    return true;
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
    va_list ap, again;

    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (n >= 0 && buf_room(b, (size_t)n + 1)) {
        vsnprintf((char *)b->p + b->n, (size_t)n + 1, fmt, again);
        b->n += (size_t)n;
    }
    va_end(again);
}

void buf_u64(struct buf *b, uint64_t v)
{
    uint8_t text[20];
    size_t at = sizeof(text);

    do {
        text[--at] = (uint8_t)('0' + v % 10);
        v /= 10;
    } while (v);
    buf_add(b, text + at, sizeof(text) - at);
}

void buf_i64(struct buf *b, int64_t v)
{
    if (v < 0)
        buf_byte(b, '-');
    buf_u64(b, v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
}

void buf_drop(struct buf *b, size_t n)
{
    if (n >= b->n) {
        b->n = 0;
        return;
    }
    memmove(b->p, b->p + n, b->n - n);
    b->n -= n;
}

const char *buf_cstr(struct buf *b)
{
    if (!buf_room(b, 1)) {
        if (!b->cap)
            return "";
        b->p[b->cap - 1] = '\0';
        return (const char *)b->p;
    }
    b->p[b->n] = '\0';
    return (const char *)b->p;
}
