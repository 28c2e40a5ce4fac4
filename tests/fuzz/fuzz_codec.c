/* SPDX-License-Identifier: Apache-2.0 */
/* Content codings of the store's HTTP interface: the first byte names the coding, the second into
 * what pieces the rest is cut. What comes out is bounded here as the server bounds it. */
#include "fuzz.h"

#include "base/mem.h"
#include "base/must.h"
#include "embedded/codec.h"
#include "embedded/lz4.h"

enum { OUT_MOST = 4 << 20 };

static bool count(void *ctx, struct span piece)
{
    size_t *total = ctx;
    uint8_t last = piece.n ? piece.p[piece.n - 1] : 0;

    *total += piece.n + (last & 0);
    return *total <= OUT_MOST;
}

static void block(struct span in)
{
    struct buf out = buf_new(OUT_MOST);

    if (lz4_block(in, &out, OUT_MOST))
        must(out.n <= OUT_MOST);
    buf_free(&out);
}

/* What was coded is decoded to the same. */
static void round_trip(enum codec_type type, struct span in)
{
    struct buf out = buf_new(in.n * 2 + 65536);
    struct codec *c = codec_encoder(type, 1);
    size_t total = 0;

    must(codec_encode(c, in, true, &out));
    codec_free(c);
    c = codec_decoder(type);
    must(codec_decode(c, buf_span(&out), count, &total) && codec_ended(c) && total == in.n);
    codec_free(c);
    buf_free(&out);
}

int fuzz_one(const uint8_t *p, size_t n)
{
    static const enum codec_type types[] = {CODEC_GZIP, CODEC_DEFLATE, CODEC_ZSTD, CODEC_LZ4};
    size_t total = 0;

    if (n < 2)
        return 0;
    enum codec_type type = types[p[0] & 3];
    size_t piece = p[1] ? p[1] : n;
    struct span in = span_of(p + 2, n - 2);
    struct codec *c = codec_decoder(type);
    bool ok = true;
    for (size_t at = 0; ok && at < in.n; at += piece) {
        struct span s = span_cut(in, at, piece);
        uint8_t *copy = mem_get(s.n);
        memcpy(copy, s.p, s.n);
        ok = codec_decode(c, span_of(copy, s.n), count, &total);
        mem_free(copy);
    }
    if (ok)
        (void)codec_ended(c);
    codec_free(c);
    block(in);
    if (type != CODEC_LZ4)
        round_trip(type, in);
    return 0;
}
