/* SPDX-License-Identifier: Apache-2.0 */
/* zlib and zstd behind one face. */
#include "embedded/codec.h"

#include "base/mem.h"
#include "base/must.h"
#include "embedded/lz4.h"

#include <zlib.h>
#include <zstd.h>

enum { PIECE = 128 << 10 };

struct codec {
    enum codec_type type;
    bool encode, ended, started;
    z_stream z;
    ZSTD_DStream *zd;
    ZSTD_CStream *zc;
    struct lz4 *lz;
    uint8_t piece[PIECE];
};

static const char *const names[] = {
    [CODEC_GZIP] = "gzip", [CODEC_DEFLATE] = "deflate", [CODEC_ZSTD] = "zstd"};

enum codec_type codec_named(const char *name)
{
    struct span s = span_trim(span_str(name));

    if (s.n == 0 || span_ieq(s, SPAN("identity")))
        return CODEC_NONE;
    if (span_ieq(s, SPAN("x-gzip")))
        return CODEC_GZIP;
    if (span_ieq(s, SPAN("lz4")))
        return CODEC_LZ4;
    for (enum codec_type t = CODEC_GZIP; t <= CODEC_ZSTD; t++)
        if (span_ieq(s, span_str(names[t])))
            return t;
    return CODEC_UNKNOWN;
}

enum codec_type codec_accepted(const char *header)
{
    struct span rest = span_str(header);
    enum codec_type best = CODEC_NONE;

    while (rest.n) {
        struct span params = span_split(&rest, ',');
        struct span name = span_trim(span_split(&params, ';'));
        if (span_ieq(span_trim(params), SPAN("q=0")))
            continue;
        for (enum codec_type t = CODEC_GZIP; t <= CODEC_ZSTD; t++)
            if (span_ieq(name, span_str(names[t])) && (t == CODEC_ZSTD || best == CODEC_NONE))
                best = t;
    }
    return best;
}

const char *codec_name(enum codec_type type)
{
    return type >= CODEC_GZIP && type <= CODEC_ZSTD ? names[type] : "identity";
}

struct codec *codec_decoder(enum codec_type type)
{
    struct codec *c = mem_zero(sizeof(*c));

    c->type = type;
    if (type == CODEC_LZ4) {
        c->lz = lz4_new();
    } else if (type == CODEC_ZSTD) {
        c->zd = ZSTD_createDStream();
        must(c->zd);
        ZSTD_DCtx_setParameter(c->zd, ZSTD_d_windowLogMax, 25);
    } else {
        /* 47: gzip or zlib, told by the header. */
        must(inflateInit2(&c->z, 47) == Z_OK);
    }
    return c;
}

struct codec *codec_encoder(enum codec_type type, int level)
{
    struct codec *c = mem_zero(sizeof(*c));

    c->type = type;
    c->encode = true;
    if (type == CODEC_ZSTD) {
        c->zc = ZSTD_createCStream();
        must(c->zc);
        ZSTD_CCtx_setParameter(c->zc, ZSTD_c_compressionLevel, 1);
    } else {
        must(deflateInit2(&c->z, level, Z_DEFLATED, type == CODEC_GZIP ? 31 : 15, 8,
                          Z_DEFAULT_STRATEGY) == Z_OK);
    }
    return c;
}

void codec_free(struct codec *c)
{
    if (!c)
        return;
    if (c->lz)
        lz4_free(c->lz);
    else if (c->zd)
        ZSTD_freeDStream(c->zd);
    else if (c->zc)
        ZSTD_freeCStream(c->zc);
    else if (c->encode)
        deflateEnd(&c->z);
    else
        inflateEnd(&c->z);
    mem_free(c);
}

static bool decode_zstd(struct codec *c, struct span in, codec_sink *sink, void *ctx)
{
    ZSTD_inBuffer src = {in.p, in.n, 0};

    c->started = c->started || in.n;
    for (;;) {
        ZSTD_outBuffer dst = {c->piece, PIECE, 0};
        size_t rc = ZSTD_decompressStream(c->zd, &dst, &src);
        if (ZSTD_isError(rc))
            return false;
        c->ended = rc == 0;
        if (dst.pos && !sink(ctx, span_of(c->piece, dst.pos)))
            return false;
        if (src.pos == src.size && dst.pos < PIECE)
            return true;
    }
}

static bool decode_zlib(struct codec *c, struct span in, codec_sink *sink, void *ctx)
{
    Bytef *p;

    memcpy(&p, &in.p, sizeof(p)); /* zlib reads only, its type is not const */
    c->z.next_in = p;
    c->z.avail_in = (uInt)in.n;
    for (;;) {
        if (c->ended && c->z.avail_in == 0)
            return true;
        if (c->ended) { /* a further member */
            c->ended = false;
            if (inflateReset(&c->z) != Z_OK)
                return false;
        }
        c->z.next_out = c->piece;
        c->z.avail_out = PIECE;
        int rc = inflate(&c->z, Z_NO_FLUSH);
        if (rc == Z_STREAM_END)
            c->ended = true;
        else if (rc != Z_OK && rc != Z_BUF_ERROR)
            return false;
        size_t n = PIECE - c->z.avail_out;
        if (n && !sink(ctx, span_of(c->piece, n)))
            return false;
        if (c->z.avail_in == 0 && c->z.avail_out > 0)
            return true;
        if (rc == Z_BUF_ERROR && n == 0)
            return true;
    }
}

bool codec_decode(struct codec *c, struct span in, codec_sink *sink, void *ctx)
{
    must(!c->encode && in.n < UINT32_MAX);
    if (c->lz)
        return lz4_decode(c->lz, in, sink, ctx);
    return c->zd ? decode_zstd(c, in, sink, ctx) : decode_zlib(c, in, sink, ctx);
}

bool codec_ended(const struct codec *c)
{
    return c->lz ? lz4_ended(c->lz) : c->ended;
}

static bool encode_zstd(struct codec *c, struct span in, bool end, struct buf *out)
{
    ZSTD_inBuffer src = {in.p, in.n, 0};

    for (;;) {
        ZSTD_outBuffer dst = {c->piece, PIECE, 0};
        size_t rc = ZSTD_compressStream2(c->zc, &dst, &src, end ? ZSTD_e_end : ZSTD_e_continue);
        if (ZSTD_isError(rc))
            return false;
        buf_add(out, c->piece, dst.pos);
        if (end ? rc == 0 : src.pos == src.size && dst.pos < PIECE)
            return !out->full;
    }
}

static bool encode_zlib(struct codec *c, struct span in, bool end, struct buf *out)
{
    Bytef *p;

    memcpy(&p, &in.p, sizeof(p));
    c->z.next_in = p;
    c->z.avail_in = (uInt)in.n;
    for (;;) {
        c->z.next_out = c->piece;
        c->z.avail_out = PIECE;
        int rc = deflate(&c->z, end ? Z_FINISH : Z_NO_FLUSH);
        if (rc != Z_OK && rc != Z_STREAM_END && rc != Z_BUF_ERROR)
            return false;
        buf_add(out, c->piece, PIECE - c->z.avail_out);
        if (rc == Z_STREAM_END || (!end && c->z.avail_in == 0 && c->z.avail_out > 0))
            return !out->full;
    }
}

bool codec_encode(struct codec *c, struct span in, bool end, struct buf *out)
{
    must(c->encode && in.n < UINT32_MAX);
    return c->zc ? encode_zstd(c, in, end, out) : encode_zlib(c, in, end, out);
}
