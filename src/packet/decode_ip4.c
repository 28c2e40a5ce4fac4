/* SPDX-License-Identifier: Apache-2.0 */
/* IPv4 (RFC 791) with its options; hands fragments to defrag.c and the payload to the transport or
 * to a tunnel. */
#include "packet/checksum.h"
#include "packet/decode_priv.h"
#include "packet/defrag.h"
#include "packet/ip_options.h"

enum {
    IPV4_N = 20,
    OPT_EOL = 0,
    OPT_NOP = 1,
    OPT_RR = 7,
    OPT_QS = 25,
    OPT_TS = 68,
    OPT_SEC = 130,
    OPT_LSRR = 131,
    OPT_ESEC = 133,
    OPT_CIPSO = 134,
    OPT_SID = 136,
    OPT_SSRR = 137,
    OPT_RTRALT = 148,
};

/* Record and source routes: the pointer is 1-based and steps by addresses (RFC 791 3.1). */
static bool option_route(struct packet *p, struct span o)
{
    if (o.n < 3)
        return decode_bad(p, DEV_IPV4_OPT_INVALID_LEN);
    uint8_t pointer = o.p[2];
    if (pointer < 4 || pointer % 4 || pointer > o.n + 1)
        return decode_bad(p, DEV_IPV4_OPT_MALFORMED);
    return true;
}

static bool option_timestamp(struct packet *p, struct span o)
{
    if (o.n < 5)
        return decode_bad(p, DEV_IPV4_OPT_INVALID_LEN);
    uint8_t pointer = o.p[2];
    if (pointer < 5)
        return decode_bad(p, DEV_IPV4_OPT_MALFORMED);
    /* The flag byte decides how large a record is. Both neighbours of the nibble count here, as
     * the other sensors read it. */
    uint8_t flag = o.n > 5 ? o.p[5] : 0;
    int record = flag == 1 || flag == 3 ? 8 : 4;
    if ((pointer - 5) % record || pointer > o.n + 1)
        return decode_bad(p, DEV_IPV4_OPT_MALFORMED);
    return true;
}

/* FIPS 188: a domain and tags, each type, length and data. */
static bool option_cipso(struct packet *p, struct span o)
{
    if (o.n < 10)
        return decode_bad(p, DEV_IPV4_OPT_INVALID_LEN);
    struct span tags = span_from(o, 6);
    while (tags.n > 0) {
        if (tags.n < 2)
            return decode_bad(p, DEV_IPV4_OPT_MALFORMED);
        uint8_t type = tags.p[0];
        uint8_t n = tags.p[1];
        bool known = type == 1 || type == 2 || (type >= 5 && type <= 7);
        if (!known || n < 4 || n > tags.n)
            return decode_bad(p, DEV_IPV4_OPT_MALFORMED);
        if (type != 7 && tags.p[2] != 0)
            return decode_bad(p, DEV_IPV4_OPT_MALFORMED);
        tags = span_from(tags, n);
    }
    return true;
}

static bool option_length(struct packet *p, bool right)
{
    return right || decode_bad(p, DEV_IPV4_OPT_INVALID_LEN);
}

/* The kind's bit, or -1. */
static int option_bit(uint8_t kind)
{
    switch (kind) {
    case OPT_RR:
        return IPOPT_RR;
    case OPT_QS:
        return IPOPT_QS;
    case OPT_TS:
        return IPOPT_TS;
    case OPT_SEC:
        return IPOPT_SEC;
    case OPT_ESEC:
        return IPOPT_ESEC;
    case OPT_LSRR:
        return IPOPT_LSRR;
    case OPT_CIPSO:
        return IPOPT_CIPSO;
    case OPT_SID:
        return IPOPT_SID;
    case OPT_SSRR:
        return IPOPT_SSRR;
    case OPT_RTRALT:
        return IPOPT_RTRALT;
    default:
        return -1;
    }
}

static bool option_valid(struct packet *p, struct span o)
{
    switch (o.p[0]) {
    case OPT_RR:
    case OPT_LSRR:
    case OPT_SSRR:
        return option_route(p, o);
    case OPT_TS:
        return option_timestamp(p, o);
    case OPT_CIPSO:
        return option_cipso(p, o);
    case OPT_QS:
        return option_length(p, o.n >= 8);
    case OPT_SEC: /* RFC 1108; a wrong length does not end the walk */
    case OPT_ESEC:
        option_length(p, o.n >= 3);
        return true;
    default: /* stream identifier, router alert */
        return option_length(p, o.n == 4);
    }
}

static void decode_options(struct packet *p)
{
    struct span s = p->ip_options;

    if (s.n % 8)
        decode_event(p, DEV_IPV4_OPT_PAD_REQUIRED);
    while (s.n > 0) {
        uint8_t kind = s.p[0];
        if (kind == OPT_EOL) {
            p->ip_option_seen |= 1u << IPOPT_EOL;
            return;
        }
        if (kind == OPT_NOP) {
            p->ip_option_seen |= 1u << IPOPT_NOP;
            s = span_from(s, 1);
            continue;
        }
        if (s.n < 2) {
            decode_event(p, DEV_IPV4_OPT_EOL_REQUIRED);
            return;
        }
        uint8_t n = s.p[1];
        if (n > s.n || n < 2) {
            decode_bad(p, DEV_IPV4_OPT_INVALID_LEN);
            return;
        }
        int bit = option_bit(kind);
        if (bit < 0)
            decode_event(p, DEV_IPV4_OPT_INVALID);
        else if (p->ip_option_seen & 1u << bit)
            decode_event(p, DEV_IPV4_OPT_DUPLICATE);
        else if (!option_valid(p, span_cut(s, 0, n)))
            return;
        else
            p->ip_option_seen |= 1u << bit;
        s = span_from(s, n);
    }
}

static void decode_fragment4(struct decoder *d, struct packet *p)
{
    struct fragment f = {
        .id = p->ip_id,
        .offset = (p->ip_flags & 0x1fff) * 8u,
        .more = p->ip_flags & 0x2000,
        .proto = p->proto,
        .head = span_of(p->ip, p->ip_head_n),
        .data = p->ip_payload,
    };

    p->flags |= PKT_FRAGMENT;
    decode_count(d, DC_FRAG4);
    size_t link_n = 0;
    struct span s = defrag_add(d->defrag, d, p, &f, &link_n);
    if (s.n == 0)
        return;
    decode_count(d, DC_REBUILT4);
    decode_rebuilt(d, p, s, link_n, decode_ipv4);
}

static void decode_upper4(struct decoder *d, struct packet *p)
{
    switch (p->proto) {
    case PROTO_TCP:
        decode_tcp(d, p, p->ip_payload);
        break;
    case PROTO_UDP:
        decode_udp(d, p, p->ip_payload);
        break;
    case PROTO_ICMP:
        decode_icmp4(d, p, p->ip_payload);
        break;
    case PROTO_SCTP:
        decode_sctp(d, p, p->ip_payload);
        break;
    case PROTO_ESP:
        decode_esp(d, p, p->ip_payload);
        break;
    case PROTO_GRE:
        decode_gre(d, p, p->ip_payload);
        break;
    case PROTO_IPV6:
        if (decode_inner(d, p, p->ip_payload, SRC_IPV4, decode_ipv6))
            decode_count(d, DC_IPV6_IN_IPV4);
        p->flags |= PKT_WANTS_FLOW;
        break;
    case PROTO_IPIP:
        if (decode_inner(d, p, p->ip_payload, SRC_IPV4, decode_ipv4))
            decode_count(d, DC_IPV4_IN_IPV4);
        p->flags |= PKT_WANTS_FLOW;
        break;
    case PROTO_ICMPV6:
        decode_bad(p, DEV_IPV4_WITH_ICMPV6);
        break;
    default:
        break;
    }
}

bool decode_ipv4(struct decoder *d, struct packet *p, struct span s)
{
    decode_count(d, DC_IPV4);
    if (UNLIKELY(!decode_layer(d, p)))
        return false;
    if (UNLIKELY(s.n < IPV4_N))
        return decode_bad(p, DEV_IPV4_PKT_TOO_SMALL);
    const uint8_t *h = s.p;
    size_t head_n = (size_t)(h[0] & 0x0f) * 4;
    size_t n = be16(h + 2);
    if (UNLIKELY(h[0] >> 4 != 4))
        return decode_bad(p, DEV_IPV4_WRONG_IP_VER);
    if (UNLIKELY(head_n < IPV4_N))
        return decode_bad(p, DEV_IPV4_HLEN_TOO_SMALL);
    if (UNLIKELY(n < head_n))
        return decode_bad(p, DEV_IPV4_IPLEN_SMALLER_THAN_HLEN);
    if (UNLIKELY(s.n < n))
        return decode_bad(p, DEV_IPV4_TRUNC_PKT);
    p->ip_v = 4;
    p->ip = h;
    p->tos = h[1];
    p->ip_n = (uint32_t)n;
    p->ip_id = be16(h + 4);
    p->ip_flags = be16(h + 6);
    p->ttl = h[8];
    p->proto = h[9];
    p->ip_head_n = (uint16_t)head_n;
    p->src.family = 4;
    p->dst.family = 4;
    memcpy(p->src.b + 12, h + 12, 4);
    memcpy(p->dst.b + 12, h + 16, 4);
    p->ip_payload = (struct span){h + head_n, n - head_n};
    if (UNLIKELY(head_n > IPV4_N)) {
        p->ip_options = (struct span){h + IPV4_N, head_n - IPV4_N};
        decode_options(p);
    }
    if (d->check && !checksum_ip_ok(p))
        p->flags |= PKT_IP_CHECKSUM_BAD;
    if (UNLIKELY(p->ip_flags & 0x3fff))
        decode_fragment4(d, p);
    else
        decode_upper4(d, p);
    return true;
}
