/* SPDX-License-Identifier: Apache-2.0 */
/* The transforms, each a function from bytes to a fresh buffer. Results are kept for the current
 * packet by source and transform list, so that a hundred rules on one transformed buffer pay for it
 * once. Buffers are kept and used again; each has its ceiling. */
#include "detect/transform.h"

#include "base/mem.h"
#include "detect/base64.h"
#include "detect/pcre.h"
#include "detect/worker.h"

#include <openssl/evp.h>
#include <zlib.h>

enum { CACHE_PLACES = 48, INFLATE_DEFAULT = 1024 };

struct place {
    const uint8_t *p;
    size_t n;
    uint16_t number;
    struct buf out;
};

struct transform_cache {
    struct place places[CACHE_PLACES];
    unsigned n, next;
    struct buf work; /* between two transforms of a list */
};

struct transform_cache *transform_cache_new(void)
{
    struct transform_cache *c = mem_zero(sizeof(*c));

    for (unsigned i = 0; i < CACHE_PLACES; i++)
        c->places[i].out = buf_new(TRANSFORM_MAX);
    c->work = buf_new(TRANSFORM_MAX);
    return c;
}

void transform_cache_free(struct transform_cache *c)
{
    for (unsigned i = 0; c && i < CACHE_PLACES; i++)
        buf_free(&c->places[i].out);
    if (c)
        buf_free(&c->work);
    mem_free(c);
}

void transform_cache_clear(struct transform_cache *c)
{
    c->n = c->next = 0;
}

static void digest(struct buf *out, const EVP_MD *kind, struct span s)
{
    uint8_t sum[EVP_MAX_MD_SIZE];
    unsigned n = 0;

    if (EVP_Digest(s.p, s.n, sum, &n, kind, NULL))
        buf_add(out, sum, n);
}

static void strip_whitespace(struct buf *out, struct span s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!ascii_is_space(s.p[i]))
            buf_byte(out, s.p[i]);
}

static void compress_whitespace(struct buf *out, struct span s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!ascii_is_space(s.p[i]) || i == 0 || !ascii_is_space(s.p[i - 1]))
            buf_byte(out, s.p[i]);
}

static void url_decode(struct buf *out, struct span s)
{
    for (size_t i = 0; i < s.n; i++) {
        int high = -1, low = -1;
        if (s.p[i] == '%' && s.n - i > 2) {
            high = ascii_hex(s.p[i + 1]);
            low = ascii_hex(s.p[i + 2]);
        }
        if (high >= 0 && low >= 0) {
            buf_byte(out, (uint8_t)(high << 4 | low));
            i += 2;
        } else {
            buf_byte(out, s.p[i] == '+' ? ' ' : s.p[i]);
        }
    }
}

static void change_case(struct buf *out, struct span s, bool upper)
{
    for (size_t i = 0; i < s.n; i++) {
        uint8_t c = ascii_lower(s.p[i]);
        buf_byte(out, upper && c >= 'a' && c <= 'z' ? (uint8_t)(c - 0x20) : c);
    }
}

/* Names of header lines in lower case, values as they are. */
static void header_lowercase(struct buf *out, struct span s)
{
    bool in_name = true;

    for (size_t i = 0; i < s.n; i++) {
        uint8_t c = s.p[i];
        in_name = in_name && c != ':';
        buf_byte(out, in_name ? ascii_lower(c) : c);
        in_name = in_name || c == '\n';
    }
}

/* HTTP/2's lines that begin with a colon do not exist in HTTP/1. */
static void strip_pseudo_headers(struct buf *out, struct span s)
{
    while (s.n) {
        size_t end = span_find_byte(s, '\n');
        size_t n = end < s.n ? end + 1 : s.n;
        if (s.p[0] != ':')
            buf_add(out, s.p, n);
        s = span_from(s, n);
    }
}

static struct span last_labels(struct span s, unsigned labels)
{
    for (size_t i = s.n; i-- > 0;)
        if (s.p[i] == '.' && --labels == 0)
            return span_from(s, i + 1);
    return s;
}

/* Under a country's domain many registries sell names one label further down: co.uk, com.cn. */
static bool is_registry_label(struct span s)
{
    static const char labels[] = "ac co com edu go gob gouv gov ltd mil ne net nom or org plc sch";
    struct span rest = span_str(labels);

    while (rest.n)
        if (span_ieq(span_split(&rest, ' '), s))
            return true;
    return false;
}

/* The public suffix, or the registered domain, which is one label more. There is no list of
 * suffixes here: it is the last label, or two of them as above. */
static struct span registered(struct span s, bool suffix)
{
    struct span last = last_labels(s, 1);
    struct span two = last_labels(s, 2);
    unsigned labels = 1;

    if (last.n == 2 && two.n > last.n && is_registry_label(span_cut(two, 0, two.n - last.n - 1)))
        labels = 2;
    return last_labels(s, suffix ? labels : labels + 1);
}

static void inflate_into(struct buf *out, const struct transform *t, struct span s)
{
    z_stream z = {0};
    size_t max = t->max_size ? t->max_size : INFLATE_DEFAULT;

    if (s.n > UINT32_MAX || !buf_room(out, max))
        return;
    if (inflateInit2(&z, t->kind == TRANSFORM_GUNZIP ? 15 + 16 : 15) != Z_OK)
        return;
    memcpy(&z.next_in, &s.p, sizeof(s.p)); /* zlib only reads it */
    z.avail_in = (uInt)s.n;
    z.next_out = out->p + out->n;
    z.avail_out = (uInt)max;
    int r = inflate(&z, Z_FINISH);
    if (r == Z_STREAM_END || r == Z_BUF_ERROR || r == Z_OK)
        out->n += max - z.avail_out;
    (void)inflateEnd(&z);
}

static void from_base64(struct buf *out, const struct transform *t, struct span s)
{
    s = span_from(s, t->offset);
    if (t->n_bytes)
        s = span_cut(s, 0, t->n_bytes);
    if (!buf_room(out, s.n / 4 * 3 + 6))
        return;
    out->n +=
        base64_decode_into(out->p + out->n, out->cap - out->n, s, (enum base64_mode)t->base64_mode);
}

static void xor_key(struct buf *out, const struct transform *t, struct span s)
{
    for (size_t i = 0; i < s.n; i++)
        buf_byte(out, t->key.n ? (uint8_t)(s.p[i] ^ t->key.p[i % t->key.n]) : s.p[i]);
}

static void apply_one(struct detect *d, const struct transform *t, struct span s, struct buf *out)
{
    struct span part;

    switch ((enum transform_kind)t->kind) {
    case TRANSFORM_STRIP_WHITESPACE:
        strip_whitespace(out, s);
        break;
    case TRANSFORM_COMPRESS_WHITESPACE:
        compress_whitespace(out, s);
        break;
    case TRANSFORM_DOTPREFIX:
        buf_byte(out, '.');
        buf_add(out, s.p, s.n);
        break;
    case TRANSFORM_TO_LOWERCASE:
    case TRANSFORM_TO_UPPERCASE:
        change_case(out, s, t->kind == TRANSFORM_TO_UPPERCASE);
        break;
    case TRANSFORM_MD5:
        digest(out, EVP_md5(), s);
        break;
    case TRANSFORM_SHA1:
        digest(out, EVP_sha1(), s);
        break;
    case TRANSFORM_SHA256:
        digest(out, EVP_sha256(), s);
        break;
    case TRANSFORM_URL_DECODE:
        url_decode(out, s);
        break;
    case TRANSFORM_XOR:
        xor_key(out, t, s);
        break;
    case TRANSFORM_PCRE:
        if (pcre_first_capture(d->pcre, t->pcre, s, &part))
            buf_add(out, part.p, part.n);
        break;
    case TRANSFORM_HEADER_LOWERCASE:
        header_lowercase(out, s);
        break;
    case TRANSFORM_STRIP_PSEUDO_HEADERS:
        strip_pseudo_headers(out, s);
        break;
    case TRANSFORM_DOMAIN:
    case TRANSFORM_TLD:
        part = registered(s, t->kind == TRANSFORM_TLD);
        buf_add(out, part.p, part.n);
        break;
    case TRANSFORM_FROM_BASE64:
        from_base64(out, t, s);
        break;
    case TRANSFORM_GUNZIP:
    case TRANSFORM_ZLIB_DEFLATE:
        inflate_into(out, t, s);
        break;
    }
}

static struct place *place_take(struct transform_cache *c)
{
    if (c->n < CACHE_PLACES)
        return &c->places[c->n++];
    struct place *l = &c->places[c->next++ % CACHE_PLACES];
    return l;
}

struct span transform_apply(struct detect *d, uint16_t number, struct span s)
{
    struct transform_cache *c = d->transforms;

    if (number == 0)
        return s;
    for (unsigned i = 0; i < c->n; i++) {
        const struct place *l = &c->places[i];
        if (l->number == number && l->p == s.p && l->n == s.n)
            return buf_span(&l->out);
    }
    const struct transform_list *list = &d->engine->transforms[number];
    struct place *l = place_take(c);
    l->p = s.p;
    l->n = s.n;
    l->number = number;
    for (uint16_t i = 0; i < list->n; i++) {
        if (i) { /* the result so far becomes the source */
            struct buf swap = c->work;
            c->work = l->out;
            l->out = swap;
            s = buf_span(&c->work);
        }
        buf_clear(&l->out);
        apply_one(d, &list->list[i], s, &l->out);
    }
    return buf_span(&l->out);
}
