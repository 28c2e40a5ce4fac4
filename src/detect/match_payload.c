/* SPDX-License-Identifier: Apache-2.0 */
/* Conditions that read small formats out of a payload: BER encodings (asn1), ONC RPC calls (rpc),
 * FTP's PORT command (ftpbounce). Each walks forward once with a bound on what it looks at. */
#include "base/rd.h"
#include "detect/keyword.h"
#include "detect/match.h"
#include "detect/search.h"

enum { ASN1_NODES = 256, ASN1_DEPTH = 16, TAG_BIT_STRING = 3, TAG_REAL = 9, TCP = 6 };

struct ber {
    uint8_t class, tag;
    bool constructed;
    uint64_t length;
};

/* Tag and length of X.690 8.1; the content may be cut. */
static bool ber_head(struct rd *r, struct ber *b)
{
    uint8_t first = rd_u8(r);

    b->class = first >> 6;
    b->constructed = first & 0x20;
    b->tag = first & 0x1f;
    if (b->tag == 0x1f) {
        uint8_t c = 0x80;
        for (int i = 0; i < 5 && (c & 0x80); i++)
            c = rd_u8(r);
    }
    uint8_t n = rd_u8(r);
    b->length = n;
    if (n & 0x80) {
        b->length = 0;
        for (int i = n & 0x7f; i > 0; i--) {
            uint8_t c = rd_u8(r);
            b->length = b->length >> 55 ? UINT64_MAX >> 1 : b->length << 8 | c;
        }
    }
    return rd_ok(r);
}

static bool ber_is_odd(const struct asn1 *a, const struct ber *b, struct span content)
{
    if (a->has_oversize && b->length > a->oversize_length)
        return true;
    if (b->class != 0 || b->constructed || content.n == 0)
        return false;
    if (a->bitstring_overflow && b->tag == TAG_BIT_STRING)
        return b->length <= 1 ? content.p[0] > 0 : (b->length - 1) * 8 <= content.p[0];
    return a->double_overflow && b->tag == TAG_REAL && (content.p[0] & 0xc0) == 0 &&
           b->length > 256;
}

enum found match_asn1(struct inspection *in, const struct match *m)
{
    const struct asn1 *a = m->data;
    int64_t at = a->has_absolute_offset ? a->offset : a->relative ? (int64_t)in->at + a->offset : 0;
    struct verdict v = {0};

    if (at < 0 || (uint64_t)at >= in->buf.n)
        return FOUND_NOT;
    struct rd r = rd_whole(span_from(in->buf, (size_t)at), &v);
    for (int i = 0; i < ASN1_NODES && r.n && rd_ok(&r); i++) {
        struct ber b;
        if (!ber_head(&r, &b))
            break;
        struct span content = {r.p, (size_t)(b.length < r.n ? b.length : r.n)};
        if (ber_is_odd(a, &b, content))
            return FOUND;
        if (!b.constructed)
            rd_skip(&r, content.n);
    }
    return FOUND_NOT;
}

/* RFC 5531: xid, message type, RPC version, program, version, procedure; on TCP behind a record
 * mark. */
enum found match_rpc(struct inspection *in, const struct match *m)
{
    const struct rpc *c = m->data;
    struct verdict v = {0};
    struct rd r = rd_whole(in->p->payload, &v);

    if (in->p->proto == TCP)
        rd_skip(&r, 4);
    rd_skip(&r, 4);
    uint32_t type = rd_u32(&r);
    rd_skip(&r, 4);
    uint32_t program = rd_u32(&r);
    uint32_t version = rd_u32(&r);
    uint32_t procedure = rd_u32(&r);
    if (!rd_ok(&r) || type != 0)
        return FOUND_NOT;
    if ((c->has_program && program != c->program) || (c->has_version && version != c->version) ||
        (c->has_procedure && procedure != c->procedure))
        return FOUND_NOT;
    return FOUND;
}

/* PORT h1,h2,h3,h4,… with an address that is not the sender's own. */
enum found match_ftpbounce(struct inspection *in, const struct match *m)
{
    struct span s = in->p->payload;
    size_t at = search_span(s, 0, SPAN("port "), true);
    uint64_t part;

    (void)m;
    if (at == SIZE_MAX || in->p->ip_v != 4)
        return FOUND_NOT;
    s = span_trim(span_from(s, at + 5));
    for (int i = 0; i < 4; i++) {
        if (!span_u64(span_split(&s, ','), &part) || part > 255)
            return FOUND_NOT;
        if (part != in->p->src.b[12 + i])
            return FOUND;
    }
    return FOUND_NOT;
}
