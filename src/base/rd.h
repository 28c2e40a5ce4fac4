/* SPDX-License-Identifier: Apache-2.0 */
/* The safe reader of outside bytes. A reader carries its own bounds and a verdict shared with its
 * sub-readers; the first failure wins and every later read returns zeros, so that a parser reads
 * straight on and asks once at the end. Short input of a stream (RD_MORE) and input that can never
 * be valid (RD_BAD) are told apart. Rules: one read per statement (C leaves the order inside one
 * open); a value may be stored before the verdict is known, never acted upon. */
#pragma once

#include "base/must.h"
#include "base/span.h"

enum rd_state { RD_OK, RD_MORE, RD_BAD };

struct verdict {
    enum rd_state state;
    const char *why;   /* static text of the first failure */
    const uint8_t *at; /* where it was met */
};

struct rd {
    const uint8_t *p;
    size_t n;
    struct verdict *v;
    bool whole;
};

extern const uint8_t rd_zeros[64];

/* Records a failure unless one is there. Takes values, so that readers stay in registers. */
COLD NOINLINE void verdict_set(struct verdict *v, enum rd_state state, const char *why,
                               const uint8_t *at);

/* A datagram or a framed record: running short is RD_BAD. */
static inline struct rd rd_whole(struct span s, struct verdict *v)
{
    return (struct rd){s.p, s.n, v, true};
}

/* A prefix of a stream: running short is RD_MORE. */
static inline struct rd rd_stream(struct span s, struct verdict *v)
{
    return (struct rd){s.p, s.n, v, false};
}

static inline bool rd_ok(const struct rd *r)
{
    return r->v->state == RD_OK;
}

static ALWAYS_INLINE bool rd_need(struct rd *r, size_t n)
{
    if (LIKELY(r->n >= n))
        return true;
    verdict_set(r->v, r->whole ? RD_BAD : RD_MORE, "input too short", r->p);
    r->n = 0;
    return false;
}

static ALWAYS_INLINE const uint8_t *rd_take(struct rd *r, size_t n)
{
    const uint8_t *p = r->p;
    r->p += n;
    r->n -= n;
    return p;
}

static inline uint16_t be16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t be24(const uint8_t *p)
{
    return (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];
}

static inline uint32_t be32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline uint64_t be64(const uint8_t *p)
{
    return (uint64_t)be32(p) << 32 | be32(p + 4);
}

static inline uint16_t le16(const uint8_t *p)
{
    return (uint16_t)(p[1] << 8 | p[0]);
}

static inline uint32_t le32(const uint8_t *p)
{
    return (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
}

static inline uint64_t le64(const uint8_t *p)
{
    return (uint64_t)le32(p + 4) << 32 | le32(p);
}

/* n bytes at once for a fixed header (n <= 64); on failure n readable zeros. */
static ALWAYS_INLINE const uint8_t *rd_fixed(struct rd *r, size_t n)
{
    must(n <= sizeof(rd_zeros));
    return rd_need(r, n) ? rd_take(r, n) : rd_zeros;
}

static inline uint8_t rd_u8(struct rd *r)
{
    return rd_need(r, 1) ? rd_take(r, 1)[0] : 0;
}

static inline uint16_t rd_u16(struct rd *r)
{
    return rd_need(r, 2) ? be16(rd_take(r, 2)) : 0;
}

static inline uint32_t rd_u24(struct rd *r)
{
    return rd_need(r, 3) ? be24(rd_take(r, 3)) : 0;
}

static inline uint32_t rd_u32(struct rd *r)
{
    return rd_need(r, 4) ? be32(rd_take(r, 4)) : 0;
}

static inline uint64_t rd_u64(struct rd *r)
{
    return rd_need(r, 8) ? be64(rd_take(r, 8)) : 0;
}

static inline uint16_t rd_le16(struct rd *r)
{
    return rd_need(r, 2) ? le16(rd_take(r, 2)) : 0;
}

static inline uint32_t rd_le32(struct rd *r)
{
    return rd_need(r, 4) ? le32(rd_take(r, 4)) : 0;
}

static inline uint64_t rd_le64(struct rd *r)
{
    return rd_need(r, 8) ? le64(rd_take(r, 8)) : 0;
}

/* The next n bytes, borrowed; empty on failure. */
static inline struct span rd_bytes(struct rd *r, size_t n)
{
    if (!rd_need(r, n))
        return (struct span){r->p, 0};
    return (struct span){rd_take(r, n), n};
}

static inline void rd_skip(struct rd *r, size_t n)
{
    if (rd_need(r, n))
        rd_take(r, n);
}

/* All that is left. */
static inline struct span rd_rest(struct rd *r)
{
    size_t n = r->n;
    return (struct span){rd_take(r, n), n};
}

/* Own bounds, same verdict. A complete frame that lies about its inside is bad, never "more". */
static inline struct rd rd_sub(struct rd *r, size_t n)
{
    struct span s = rd_bytes(r, n);
    return (struct rd){s.p, s.n, r->v, true};
}

static inline struct rd rd_vec8(struct rd *r)
{
    size_t n = rd_u8(r);
    return rd_sub(r, n);
}

static inline struct rd rd_vec16(struct rd *r)
{
    size_t n = rd_u16(r);
    return rd_sub(r, n);
}

static inline struct rd rd_vec24(struct rd *r)
{
    size_t n = rd_u24(r);
    return rd_sub(r, n);
}

/* Is there input left and no failure: the condition of every loop over elements. */
static inline bool rd_more(const struct rd *r)
{
    return r->n > 0 && r->v->state == RD_OK;
}

/* The input can never be valid. */
static inline void rd_bad(struct rd *r, const char *why)
{
    verdict_set(r->v, RD_BAD, why, r->p);
    r->n = 0;
}

/* Bytes left over are a fault. */
static inline void rd_end(struct rd *r)
{
    if (r->n > 0)
        rd_bad(r, "bytes left over");
}

/* A claimed count of elements of at least `least` bytes each, believed only if it can still fit. */
size_t rd_count(struct rd *r, size_t claimed, size_t least);
/* The bytes up to (not with) `byte`, which is consumed; at most `max` of them, else bad. */
struct span rd_until(struct rd *r, uint8_t byte, size_t max);
/* A protobuf/QUIC-like base-128 varint, least significant group first, at most 10 bytes. */
uint64_t rd_varint(struct rd *r);
