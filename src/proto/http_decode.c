/* SPDX-License-Identifier: Apache-2.0 */
/* Undoes content encodings: gzip, deflate with or without zlib's header, brotli, and LZMA where the
 * configuration asks for it, stacked. As lenient as browsers: a wrong or damaged wrapper is tried
 * as the others, then shown as it came; what follows the end of the stream is ignored; checksums do
 * not matter. Memory comes from an arena with a ceiling that goes when the message ends; output
 * stops at the body's limit, so that a bomb costs no more than the limit and its input. Nothing
 * here depends on the clock: the same bytes give the same content on every run. */
#include "base/wr.h"
#include "proto/http.h"
#include "proto/http_body.h"

#include <brotli/decode.h>
#include <lzma.h>
#include <zlib.h>

enum { HELD_BYTES = 16 };
enum { OUT_BYTES = 8192, RESTARTS_MAX = 3, GZIP_HEAD = 10, DECODER_MEM = 24 << 20 };
enum { LZMA_HEAD = 13, LZMA_DICT_AT = 1, LZMA_STATE_BYTES = 256 << 10 };

enum gzip_state {
    GZIP_HEAD_BYTES,
    GZIP_XLEN,
    GZIP_EXTRA,
    GZIP_NAME,
    GZIP_COMMENT,
    GZIP_CRC,
    GZIP_BODY
};

struct layer {
    uint8_t encoding; /* now being tried */
    uint8_t restarts;
    bool passthrough, dead, ended, wrote;
    uint8_t held[HELD_BYTES], held_n; /* the first bytes, while nothing came out: for a new start */
    bool zlib_made;
    uint8_t gzip; /* enum gzip_state */
    uint8_t gzip_flags;
    uint8_t head[LZMA_HEAD], head_n; /* gzip's, or LZMA's, which is the longest */
    uint32_t extra;
    z_stream z;
    lzma_stream lz;
    lzma_allocator lz_memory;
    bool lz_dict_cut; /* the stream wants a larger window than it got */
    BrotliDecoderState *br;
    struct layer *next; /* fed with the output; NULL: the body */
};

struct http_decoder {
    struct arena mem;
    struct http_conn *c;
    struct http_tx *tx;
    enum dir dir;
    struct layer layers[HTTP_DECODERS], *first;
    unsigned n;
    bool stopped;
};

static void *zlib_get(void *opaque, unsigned n, unsigned each)
{
    struct http_decoder *d = opaque;

    return arena_get(&d->mem, (size_t)n * each);
}

static void *brotli_get(void *opaque, size_t n)
{
    struct http_decoder *d = opaque;

    return arena_get(&d->mem, n);
}

/* Of all three libraries. */
static void give(void *opaque, void *p)
{
    (void)opaque;
    (void)p; /* goes with the arena */
}

static void *lzma_get(void *opaque, size_t n, size_t each)
{
    struct http_decoder *d = opaque;

    return each && n > SIZE_MAX / each ? NULL : arena_get(&d->mem, n * each);
}

static void feed(struct http_decoder *d, struct layer *l, struct span data);

/* Decoded bytes of a layer: into the next one, or the body. */
static void emit(struct http_decoder *d, struct layer *l, struct span data)
{
    struct http_side *s = &d->tx->side[d->dir];

    if (!data.n || d->stopped)
        return;
    if (l->next) {
        feed(d, l->next, data);
        return;
    }
    s->entity_length += data.n;
    http_body_data(d->c, d->tx, d->dir, data);
    const struct http_conf *conf = d->c->conf;
    if (s->entity_length > conf->decompress_limit &&
        s->entity_length / conf->decompress_ratio > s->message_length) {
        http_event(d->c, HTTP_EVENT_COMPRESSION_BOMB);
        d->stopped = true;
    }
    if (s->dont_store)
        d->stopped = true; /* beyond the body's limit: nobody looks any more */
}

static bool start(struct http_decoder *d, struct layer *l)
{
    l->ended = false;
    l->gzip = GZIP_HEAD_BYTES;
    l->head_n = 0;
    if (l->encoding == ENCODING_BROTLI) {
        l->br = BrotliDecoderCreateInstance(brotli_get, give, d);
        return l->br != NULL;
    }
    if (l->encoding == ENCODING_LZMA) {
        l->lz_memory = (lzma_allocator){lzma_get, give, d};
        l->lz = (lzma_stream)LZMA_STREAM_INIT;
        l->lz.allocator = &l->lz_memory;
        return lzma_alone_decoder(&l->lz, (uint64_t)d->c->conf->lzma_memlimit + LZMA_STATE_BYTES) ==
               LZMA_OK;
    }
    int bits = l->encoding == ENCODING_ZLIB ? MAX_WBITS : -MAX_WBITS;
    if (l->zlib_made)
        return inflateReset2(&l->z, bits) == Z_OK;
    l->z = (z_stream){.zalloc = zlib_get, .zfree = give, .opaque = d};
    l->zlib_made = inflateInit2(&l->z, bits) == Z_OK;
    return l->zlib_made;
}

/* The next form to try; false when all were. */
static bool restart(struct http_decoder *d, struct layer *l)
{
    static const uint8_t after[] = {
        [ENCODING_GZIP] = ENCODING_DEFLATE, [ENCODING_DEFLATE] = ENCODING_ZLIB,
        [ENCODING_ZLIB] = ENCODING_GZIP,    [ENCODING_BROTLI] = ENCODING_DEFLATE,
        [ENCODING_LZMA] = ENCODING_DEFLATE,
    };

    if (l->restarts >= RESTARTS_MAX)
        return false;
    l->restarts++;
    l->encoding = after[l->encoding];
    return start(d, l);
}

enum outcome { FED, FAILED };

/* What one call of a library came to. */
enum call { CALL_AGAIN, CALL_EMPTY, CALL_ENDED, CALL_BROKEN };

/* One call: takes from *in, writes to out; *ret_n: how much. */
typedef enum call decode_call(struct http_decoder *d, struct layer *l, struct span *in,
                              uint8_t out[OUT_BYTES], size_t *ret_n);

static enum outcome decode_some(struct http_decoder *d, struct layer *l, decode_call *call,
                                struct span data, bool *ret_wrote)
{
    uint8_t out[OUT_BYTES];

    while (!l->ended && !d->stopped) {
        size_t n;
        enum call got = call(d, l, &data, out, &n);
        *ret_wrote |= n > 0;
        emit(d, l, span_of(out, n));
        l->ended = got == CALL_ENDED;
        if (got == CALL_BROKEN)
            return FAILED;
        if (got == CALL_EMPTY)
            break;
    }
    return FED;
}

static enum call inflate_call(struct http_decoder *d, struct layer *l, struct span *in,
                              uint8_t out[OUT_BYTES], size_t *ret_n)
{
    (void)d;
    l->z.next_in = (Bytef *)(uintptr_t)in->p;
    l->z.avail_in = (uInt)in->n;
    l->z.next_out = out;
    l->z.avail_out = OUT_BYTES;
    int got = inflate(&l->z, Z_NO_FLUSH);
    *in = span_from(*in, in->n - l->z.avail_in);
    *ret_n = OUT_BYTES - l->z.avail_out;
    if (got == Z_STREAM_END)
        return CALL_ENDED;
    if (got != Z_OK && got != Z_BUF_ERROR)
        return CALL_BROKEN;
    return l->z.avail_out ? CALL_EMPTY : CALL_AGAIN;
}

static enum call brotli_call(struct http_decoder *d, struct layer *l, struct span *in,
                             uint8_t out[OUT_BYTES], size_t *ret_n)
{
    uint8_t *to = out;
    size_t room = OUT_BYTES;

    (void)d;
    BrotliDecoderResult got =
        BrotliDecoderDecompressStream(l->br, &in->n, &in->p, &room, &to, NULL);
    *ret_n = OUT_BYTES - room;
    switch (got) {
    case BROTLI_DECODER_RESULT_ERROR:
        return CALL_BROKEN;
    case BROTLI_DECODER_RESULT_SUCCESS:
        return CALL_ENDED;
    case BROTLI_DECODER_RESULT_NEEDS_MORE_INPUT:
        return CALL_EMPTY;
    default:
        return CALL_AGAIN;
    }
}

static enum call lzma_call(struct http_decoder *d, struct layer *l, struct span *in,
                           uint8_t out[OUT_BYTES], size_t *ret_n)
{
    l->lz.next_in = in->p;
    l->lz.avail_in = in->n;
    l->lz.next_out = out;
    l->lz.avail_out = OUT_BYTES;
    lzma_ret got = lzma_code(&l->lz, LZMA_RUN);
    *in = span_from(*in, in->n - l->lz.avail_in);
    *ret_n = OUT_BYTES - l->lz.avail_out;
    if (got == LZMA_STREAM_END)
        return CALL_ENDED;
    if (got == LZMA_OK || got == LZMA_BUF_ERROR)
        return l->lz.avail_out ? CALL_EMPTY : CALL_AGAIN;
    if (got == LZMA_MEM_ERROR || got == LZMA_MEMLIMIT_ERROR || l->lz_dict_cut)
        http_event(d->c, HTTP_EVENT_LZMA_MEMLIMIT);
    return CALL_BROKEN;
}

/* Encoders name a window for the largest input that they would take (xz: 8 MiB), whatever the
 * length of this one. The window given is the configured one; a stream that looks back further
 * fails. */
static enum outcome lzma_some(struct http_decoder *d, struct layer *l, struct span data,
                              bool *ret_wrote)
{
    uint32_t most = d->c->conf->lzma_memlimit;

    if (l->head_n < LZMA_HEAD) {
        size_t want = (size_t)LZMA_HEAD - l->head_n, n = data.n < want ? data.n : want;
        memcpy(l->head + l->head_n, data.p, n);
        l->head_n = (uint8_t)(l->head_n + n);
        data = span_from(data, n);
        if (l->head_n < LZMA_HEAD)
            return FED;
        l->lz_dict_cut = le32(l->head + LZMA_DICT_AT) > most;
        if (l->lz_dict_cut)
            put_le32(l->head + LZMA_DICT_AT, most);
        enum outcome got = decode_some(d, l, lzma_call, span_of(l->head, LZMA_HEAD), ret_wrote);
        if (got != FED)
            return got;
    }
    return decode_some(d, l, lzma_call, data, ret_wrote);
}

/* A NUL-terminated string of gzip's header. */
static struct span skip_string(struct layer *l, struct span data, enum gzip_state next)
{
    size_t nul = span_find_byte(data, 0);

    if (nul < data.n)
        l->gzip = (uint8_t)next;
    return span_from(data, nul + 1);
}

static struct span skip_extra(struct layer *l, struct span data)
{
    size_t n = data.n < l->extra ? data.n : l->extra;

    l->extra -= (uint32_t)n;
    if (!l->extra)
        l->gzip = GZIP_NAME;
    return span_from(data, n);
}

/* Two bytes that may come apart; true when both are there. */
static bool two_bytes(struct layer *l, struct span *data)
{
    while (l->head_n < 2 && data->n) {
        l->head[l->head_n++] = data->p[0];
        *data = span_from(*data, 1);
    }
    return l->head_n == 2;
}

/* gzip's own header (RFC 1952 2.3): checks the magic alone. False: it is none. */
static bool gzip_header(struct layer *l, struct span *data)
{
    enum { FHCRC = 2, FEXTRA = 4, FNAME = 8, FCOMMENT = 16 };

    while (l->gzip != GZIP_BODY && data->n) {
        switch (l->gzip) {
        case GZIP_HEAD_BYTES:
            while (l->head_n < GZIP_HEAD && data->n) {
                l->head[l->head_n++] = data->p[0];
                *data = span_from(*data, 1);
            }
            if (memcmp(l->head, "\x1f\x8b\x08", l->head_n < 3 ? l->head_n : 3) != 0)
                return false;
            if (l->head_n < GZIP_HEAD)
                return true;
            l->gzip_flags = l->head[3];
            l->head_n = 0;
            l->gzip = l->gzip_flags & FEXTRA ? GZIP_XLEN : GZIP_NAME;
            break;
        case GZIP_XLEN:
            if (!two_bytes(l, data))
                return true;
            l->extra = le16(l->head);
            l->head_n = 0;
            l->gzip = l->extra ? GZIP_EXTRA : GZIP_NAME;
            break;
        case GZIP_EXTRA:
            *data = skip_extra(l, *data);
            break;
        case GZIP_NAME:
            if (l->gzip_flags & FNAME)
                *data = skip_string(l, *data, GZIP_COMMENT);
            else
                l->gzip = GZIP_COMMENT;
            break;
        case GZIP_COMMENT:
            if (l->gzip_flags & FCOMMENT)
                *data = skip_string(l, *data, GZIP_CRC);
            else
                l->gzip = GZIP_CRC;
            break;
        default:
            if (l->gzip_flags & FHCRC && !two_bytes(l, data))
                return true;
            l->gzip = GZIP_BODY;
            break;
        }
    }
    return true;
}

static enum outcome try_layer(struct http_decoder *d, struct layer *l, struct span *data,
                              bool *ret_wrote)
{
    *ret_wrote = false;
    if (l->ended)
        return FED;
    if (l->encoding == ENCODING_BROTLI)
        return decode_some(d, l, brotli_call, *data, ret_wrote);
    if (l->encoding == ENCODING_LZMA)
        return lzma_some(d, l, *data, ret_wrote);
    if (l->encoding == ENCODING_GZIP && l->gzip != GZIP_BODY) {
        struct span rest = *data;
        if (!gzip_header(l, &rest))
            return FAILED;
        /* What the header took is gone, also for the forms tried after it. */
        *data = rest;
        if (!rest.n)
            return FED;
    }
    return decode_some(d, l, inflate_call, *data, ret_wrote);
}

/* Keeps the stream's first bytes as long as they are few and gave nothing. */
static void hold(struct layer *l, struct span data)
{
    if (l->wrote || data.n > (size_t)(HELD_BYTES - l->held_n)) {
        l->held_n = HELD_BYTES;
        l->wrote = true; /* too late for a start from the beginning */
        return;
    }
    memcpy(l->held + l->held_n, data.p, data.n);
    l->held_n = (uint8_t)(l->held_n + data.n);
}

static void feed(struct http_decoder *d, struct layer *l, struct span data)
{
    struct span whole = data;
    bool again = false;

    if (l->dead || d->stopped)
        return;
    while (!l->passthrough) {
        bool wrote = false;
        struct span held = {l->held, again && !l->wrote ? l->held_n : 0};
        enum outcome got = held.n ? try_layer(d, l, &held, &wrote) : FED;
        if (got == FED)
            got = try_layer(d, l, &data, &wrote);
        if (got == FED) {
            l->wrote |= wrote;
            hold(l, whole);
            return;
        }
        if (l->restarts == 0 && wrote) {
            l->dead = true; /* damaged in the middle: what came out stands */
            return;
        }
        again = true;
        if (!restart(d, l)) {
            for (struct layer *k = l; k; k = k->next)
                k->passthrough = true;
        }
    }
    emit(d, l, data);
}

void http_decode(struct http_conn *c, struct http_tx *tx, enum dir dir, struct span data)
{
    struct http_decoder *d = tx->side[dir].decoder;

    (void)c;
    if (!d->stopped)
        feed(d, d->first, data);
}

void http_decode_free(struct http_tx *tx, enum dir dir)
{
    struct http_decoder *d = tx->side[dir].decoder;

    if (d)
        arena_free(&d->mem);
    tx->side[dir].decoder = NULL;
}

void http_decode_end(struct http_conn *c, struct http_tx *tx, enum dir dir)
{
    (void)c;
    http_decode_free(tx, dir);
    tx->side[dir].no_decoding = true;
}

/* Puts a layer in front: encodings are named in the order in which they were applied. */
static void prepend(struct http_conn *c, struct http_tx *tx, enum dir dir, enum http_encoding e)
{
    struct http_side *s = &tx->side[dir];
    struct http_decoder *d = s->decoder;

    if (e == ENCODING_NONE)
        return;
    if (!d) {
        d = arena_zero(&tx->tx.mem, sizeof(*d));
        if (!d)
            return;
        arena_init(&d->mem, tx->tx.mem.pool, DECODER_MEM);
        d->c = c;
        d->tx = tx;
        d->dir = dir;
        s->decoder = d;
    }
    if (d->n == HTTP_DECODERS)
        return;
    struct layer *l = &d->layers[d->n++];
    l->encoding = (uint8_t)e;
    l->next = d->first;
    d->first = l;
    if ((e == ENCODING_LZMA && !c->conf->lzma_layers) || !start(d, l))
        l->passthrough = true;
}

/* Equal without regard to case and NUL bytes. */
static bool value_is(struct span v, const char *want)
{
    size_t k = 0;

    for (size_t i = 0; i < v.n; i++) {
        if (!v.p[i])
            continue;
        if (!want[k] || ascii_lower(v.p[i]) != (uint8_t)want[k])
            return false;
        k++;
    }
    return want[k] == '\0';
}

static bool simple_encoding(struct span v, enum http_encoding *ret)
{
    static const struct {
        const char *name;
        enum http_encoding e;
    } known[] = {
        {"gzip", ENCODING_GZIP},         {"x-gzip", ENCODING_GZIP}, {"deflate", ENCODING_DEFLATE},
        {"x-deflate", ENCODING_DEFLATE}, {"br", ENCODING_BROTLI},   {"lzma", ENCODING_LZMA},
        {"inflate", ENCODING_NONE},      {"none", ENCODING_NONE},   {"identity", ENCODING_NONE},
    };

    for (size_t i = 0; i < LEN(known); i++) {
        if (value_is(v, known[i].name)) {
            *ret = known[i].e;
            return true;
        }
    }
    return false;
}

static enum http_encoding listed_encoding(struct http_conn *c, struct span v)
{
    if (span_ifind(v, SPAN("gzip")) != SIZE_MAX) {
        if (!span_eq(v, SPAN("gzip")) && !span_eq(v, SPAN("x-gzip")))
            http_event(c, HTTP_EVENT_ABNORMAL_CE_HEADER);
        return ENCODING_GZIP;
    }
    if (span_ifind(v, SPAN("deflate")) != SIZE_MAX) {
        if (!span_eq(v, SPAN("deflate")) && !span_eq(v, SPAN("x-deflate")))
            http_event(c, HTTP_EVENT_ABNORMAL_CE_HEADER);
        return ENCODING_DEFLATE;
    }
    if (span_eq(v, SPAN("br")))
        return ENCODING_BROTLI;
    if (span_eq(v, SPAN("lzma")))
        return ENCODING_LZMA;
    if (!span_eq(v, SPAN("inflate")) && !span_eq(v, SPAN("none")) && !span_eq(v, SPAN("identity")))
        http_event(c, HTTP_EVENT_ABNORMAL_CE_HEADER);
    return ENCODING_NONE;
}

void http_decode_begin(struct http_conn *c, struct http_tx *tx, enum dir dir)
{
    const struct http_header *h = http_header_find(&tx->side[dir], "content-encoding");
    enum http_encoding e;
    unsigned layers = 0, lzma = 0;

    if (!h || tx->side[dir].decoder)
        return;
    if (simple_encoding(h->value, &e)) {
        prepend(c, tx, dir, e);
        return;
    }
    for (size_t i = 0; i < h->value.n;) {
        size_t from = i;
        while (i < h->value.n && h->value.p[i] != ',' && h->value.p[i] != ' ')
            i++;
        if (i > from) {
            if (c->conf->decompress_layers && ++layers > c->conf->decompress_layers) {
                http_event(c, HTTP_EVENT_TOO_MANY_ENCODING_LAYERS);
                break;
            }
            e = listed_encoding(c, span_cut(h->value, from, i - from));
            if (e == ENCODING_LZMA && ++lzma > c->conf->lzma_layers) {
                http_event(c, dir == DIR_TS ? HTTP_EVENT_REQUEST_TOO_MANY_LZMA
                                            : HTTP_EVENT_RESPONSE_TOO_MANY_LZMA);
                break;
            }
            prepend(c, tx, dir, e);
        }
        i++;
    }
}
