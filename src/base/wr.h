/* SPDX-License-Identifier: Apache-2.0 */
/* The reader's twin: writes into a fixed buffer with a sticky `full`, checked once at the end.
 * Lengths are reserved first and filled in when their content is there. */
#pragma once

#include "base/must.h"
#include "base/span.h"

struct wr {
    uint8_t *p;
    size_t n, cap;
    bool full;
};

static inline struct wr wr_into(void *p, size_t cap)
{
    return (struct wr){p, 0, cap, false};
}

static inline struct span wr_span(const struct wr *w)
{
    return (struct span){w->p, w->n};
}

/* Room for n bytes, or NULL and `full`. */
static inline uint8_t *wr_room(struct wr *w, size_t n)
{
    if (w->full || n > w->cap - w->n) {
        w->full = true;
        return NULL;
    }
    uint8_t *at = w->p + w->n;
    w->n += n;
    return at;
}

static inline void wr_u8(struct wr *w, uint8_t v)
{
    uint8_t *at = wr_room(w, 1);
    if (at)
        at[0] = v;
}

static inline void put_be16(uint8_t *p, uint16_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static inline void put_be32(uint8_t *p, uint32_t v)
{
    put_be16(p, (uint16_t)(v >> 16));
    put_be16(p + 2, (uint16_t)v);
}

static inline void put_le32(uint8_t *p, uint32_t v)
{
    for (size_t i = 0; i < 4; i++)
        p[i] = (uint8_t)(v >> (8 * i));
}

static inline void put_le64(uint8_t *p, uint64_t v)
{
    for (size_t i = 0; i < 8; i++)
        p[i] = (uint8_t)(v >> (8 * i));
}

static inline void wr_u16(struct wr *w, uint16_t v)
{
    uint8_t *at = wr_room(w, 2);
    if (at)
        put_be16(at, v);
}

static inline void wr_u24(struct wr *w, uint32_t v)
{
    wr_u8(w, (uint8_t)(v >> 16));
    wr_u16(w, (uint16_t)v);
}

static inline void wr_u32(struct wr *w, uint32_t v)
{
    uint8_t *at = wr_room(w, 4);
    if (at)
        put_be32(at, v);
}

static inline void wr_u64(struct wr *w, uint64_t v)
{
    wr_u32(w, (uint32_t)(v >> 32));
    wr_u32(w, (uint32_t)v);
}

static inline void wr_bytes(struct wr *w, struct span s)
{
    uint8_t *at = wr_room(w, s.n);
    if (at && s.n)
        memcpy(at, s.p, s.n);
}

/* Reserves a big-endian length of `width` bytes (1 to 4); the mark is given to wr_len_close. */
static inline size_t wr_len_open(struct wr *w, size_t width)
{
    must(width >= 1 && width <= 4);
    uint8_t *at = wr_room(w, width);
    if (at)
        memset(at, 0, width);
    return w->n;
}

/* Fills the length that was opened at `mark` with the bytes written since; too long is `full`. */
static inline void wr_len_close(struct wr *w, size_t mark, size_t width)
{
    if (w->full)
        return;
    size_t len = w->n - mark;
    if (width < sizeof(len) && len >> (8 * width)) {
        w->full = true;
        return;
    }
    for (size_t i = 0; i < width; i++)
        w->p[mark - 1 - i] = (uint8_t)(len >> (8 * i));
}
