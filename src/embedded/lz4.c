/* SPDX-License-Identifier: Apache-2.0 */
/* The frame as a sequence of steps, each of which waits until all its bytes are there; a block is
 * at most 4 MB, and 64 KB of what came before are kept for linked blocks. */
#include "embedded/lz4.h"

#include "base/mem.h"

enum { BLOCK_MAX = 4 << 20, WINDOW = 64 << 10 };

enum step { AT_MAGIC, AT_HEAD, AT_SIZE, AT_BLOCK, AT_SUM };

struct lz4 {
    enum step step;
    struct buf in;  /* bytes of the current step */
    struct buf out; /* window and decoded block */
    size_t need, block_max;
    bool linked, block_sum, content_sum, stored, started;
};

struct lz4 *lz4_new(void)
{
    struct lz4 *z = mem_zero(sizeof(*z));

    z->in = buf_new(BLOCK_MAX + 64);
    z->out = buf_new(BLOCK_MAX + 2 * WINDOW);
    z->need = 4;
    return z;
}

void lz4_free(struct lz4 *z)
{
    if (!z)
        return;
    buf_free(&z->in);
    buf_free(&z->out);
    mem_free(z);
}

bool lz4_ended(const struct lz4 *z)
{
    return z->started && z->step == AT_MAGIC && z->in.n == 0;
}

/* A length of 15 goes on in bytes of 255. */
static size_t length_read(struct rd *r, size_t n)
{
    if (n < 15)
        return n;
    uint8_t c;
    do {
        c = rd_u8(r);
        n += c;
    } while (c == 255 && rd_ok(r));
    return n;
}

static bool match_copy(struct buf *out, size_t offset, size_t n)
{
    if (offset == 0 || offset > out->n || !buf_room(out, n))
        return false;
    uint8_t *to = out->p + out->n;
    const uint8_t *from = to - offset;
    if (offset >= n) {
        memcpy(to, from, n);
    } else {
        for (size_t i = 0; i < n; i++)
            to[i] = from[i];
    }
    out->n += n;
    return true;
}

bool lz4_block(struct span in, struct buf *out, size_t most)
{
    struct verdict v = {.state = RD_OK};
    struct rd r = rd_whole(in, &v);
    size_t start = out->n;

    while (rd_more(&r)) {
        uint8_t token = rd_u8(&r);
        size_t n = length_read(&r, token >> 4);
        struct span literals = rd_bytes(&r, n);
        if (!rd_ok(&r) || literals.n > most - (out->n - start))
            return false;
        buf_span_add(out, literals);
        if (r.n == 0)
            return !out->full;
        size_t offset = rd_le16(&r);
        n = length_read(&r, token & 15) + 4;
        if (!rd_ok(&r) || n > most - (out->n - start) || !match_copy(out, offset, n))
            return false;
    }
    return rd_ok(&r) && in.n > 0 && !out->full;
}

static bool head_read(struct lz4 *z)
{
    static const size_t sizes[] = {0, 0, 0, 0, 64 << 10, 256 << 10, 1 << 20, 4 << 20};
    uint8_t flags = z->in.p[0], bd = z->in.p[1];

    size_t need = 3u + (flags & 8 ? 8 : 0) + (flags & 1 ? 4 : 0);
    if (z->in.n < need) {
        z->need = need;
        return true;
    }
    z->linked = !(flags & 0x20);
    z->block_sum = flags & 0x10;
    z->content_sum = flags & 4;
    z->block_max = sizes[bd >> 4 & 7];
    if (flags >> 6 != 1 || z->block_max == 0 || flags & 1) /* a dictionary is not ours to know */
        return false;
    buf_clear(&z->in);
    buf_clear(&z->out);
    z->step = AT_SIZE;
    z->need = 4;
    return true;
}

static bool size_read(struct lz4 *z)
{
    uint32_t n = le32(z->in.p);

    buf_clear(&z->in);
    if (n == 0) {
        z->step = z->content_sum ? AT_SUM : AT_MAGIC;
        z->need = 4;
        return true;
    }
    z->stored = n >> 31;
    n &= 0x7fffffff;
    if (n > z->block_max)
        return false;
    z->step = AT_BLOCK;
    z->need = n + (z->block_sum ? 4 : 0);
    return true;
}

static bool block_read(struct lz4 *z, bool (*sink)(void *, struct span), void *ctx)
{
    struct span in = span_cut(buf_span(&z->in), 0, z->need - (z->block_sum ? 4 : 0));

    if (!z->linked)
        buf_clear(&z->out);
    else if (z->out.n > WINDOW)
        buf_drop(&z->out, z->out.n - WINDOW);
    size_t before = z->out.n;
    if (z->stored)
        buf_span_add(&z->out, in);
    else if (!lz4_block(in, &z->out, z->block_max))
        return false;
    buf_clear(&z->in);
    z->step = AT_SIZE;
    z->need = 4;
    return !z->out.full && sink(ctx, span_from(buf_span(&z->out), before));
}

static bool step_done(struct lz4 *z, bool (*sink)(void *, struct span), void *ctx)
{
    switch (z->step) {
    case AT_MAGIC:
        if (le32(z->in.p) != 0x184d2204)
            return false;
        buf_clear(&z->in);
        z->started = true;
        z->step = AT_HEAD;
        z->need = 3;
        return true;
    case AT_HEAD:
        return head_read(z);
    case AT_SIZE:
        return size_read(z);
    case AT_BLOCK:
        return block_read(z, sink, ctx);
    case AT_SUM:
    default:
        buf_clear(&z->in);
        z->step = AT_MAGIC;
        z->need = 4;
        return true;
    }
}

bool lz4_decode(struct lz4 *z, struct span in, bool (*sink)(void *, struct span), void *ctx)
{
    while (in.n) {
        size_t n = min_size(in.n, z->need - z->in.n);
        buf_add(&z->in, in.p, n);
        in = span_from(in, n);
        if (z->in.n == z->need && !step_done(z, sink, ctx))
            return false;
    }
    return true;
}
