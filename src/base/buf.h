/* SPDX-License-Identifier: Apache-2.0 */
/* A growing byte buffer with a ceiling from birth. Writing beyond it sets the sticky `full` and
 * writes nothing more; whoever owns the buffer asks once at the end. Owned memory: buf_free. */
#pragma once

#include "base/span.h"

struct buf {
    uint8_t *p;
    size_t n, cap, max;
    bool full;
};

static inline struct buf buf_new(size_t max_bytes)
{
    return (struct buf){NULL, 0, 0, max_bytes, false};
}

void buf_free(struct buf *b);
/* Makes room for n more bytes; false (and `full`) at the ceiling. */
bool buf_grow(struct buf *b, size_t n);
void buf_printf(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);
void buf_u64(struct buf *b, uint64_t v);
void buf_i64(struct buf *b, int64_t v);
/* Takes n bytes off the front. */
void buf_drop(struct buf *b, size_t n);
/* The content as a C string (terminator not counted); "" when nothing fits. */
const char *buf_cstr(struct buf *b);

static inline bool buf_room(struct buf *b, size_t n)
{
    return LIKELY(b->cap - b->n >= n) || buf_grow(b, n);
}

static inline void buf_clear(struct buf *b)
{
    b->n = 0;
    b->full = false;
}

static inline struct span buf_span(const struct buf *b)
{
    return (struct span){b->p ? b->p : (const uint8_t *)"", b->n};
}

static inline void buf_byte(struct buf *b, uint8_t c)
{
    if (buf_room(b, 1))
        b->p[b->n++] = c;
}

static inline void buf_add(struct buf *b, const void *p, size_t n)
{
    if (n && buf_room(b, n)) {
        memcpy(b->p + b->n, p, n);
        b->n += n;
    }
}

static inline void buf_span_add(struct buf *b, struct span s)
{
    buf_add(b, s.p, s.n);
}

static inline void buf_str(struct buf *b, const char *s)
{
    buf_add(b, s, strlen(s));
}
