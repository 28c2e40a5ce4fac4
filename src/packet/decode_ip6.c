/* SPDX-License-Identifier: Apache-2.0 */
/* IPv6 (RFC 8200) with its extension headers; hands fragments to defrag.c and the payload to the
 * transport or to a tunnel. */
#include "packet/checksum.h"
#include "packet/decode_priv.h"
#include "packet/defrag.h"

enum { IPV6_N = 40, FRAGMENT_N = 8, AH_N = 12 };
enum { OPT_PAD1 = 0, OPT_PADN = 1, OPT_ROUTER_ALERT = 5, OPT_JUMBO = 0xc2, OPT_HOME = 0xc9 };

/* The walk over the extension headers. */
struct chain {
    struct span s; /* from the present header on */
    uint8_t next;  /* what the present header is */
    size_t last_n; /* length of the header before, 0: it is the IPv6 header */
    uint8_t hop, destination, routing, auth; /* how many were met */
    bool fragment, done;
    struct fragment f;
};

static void chain_step(struct chain *c, size_t n)
{
    c->next = c->s.p[0];
    c->last_n = n;
    c->s = span_from(c->s, n);
}

static void chain_end(struct chain *c)
{
    c->done = true;
}

/* Is the header's length within what is there? */
static bool chain_fits(struct packet *p, struct chain *c, size_t n)
{
    if (n <= c->s.n)
        return true;
    chain_end(c);
    return decode_bad(p, DEV_IPV6_TRUNC_EXTHDR);
}

/* The least length of an option's value; -1 for an unknown one. */
static int option_least(uint8_t kind)
{
    switch (kind) {
    case OPT_ROUTER_ALERT:
        return 2;
    case OPT_JUMBO:
        return 4;
    case OPT_HOME:
        return 16;
    default:
        return -1;
    }
}

static void decode_options(struct packet *p, struct span s, bool hop)
{
    unsigned padding = 0, others = 0;
    size_t at = 0;

    while (at < s.n) {
        uint8_t kind = s.p[at];
        if (kind == OPT_PAD1) {
            padding++;
            at++;
            continue;
        }
        if (at + 1 >= s.n || at + 1 + s.p[at + 1] > s.n) {
            decode_bad(p, DEV_IPV6_EXTHDR_INVALID_OPTLEN);
            break;
        }
        uint8_t n = s.p[at + 1];
        int least = option_least(kind);
        if (kind == OPT_PADN) {
            padding++;
            if (n == 0)
                decode_event(p, DEV_IPV6_ZERO_LEN_PADN);
        } else if (least >= 0 && n < least) {
            decode_bad(p, DEV_IPV6_EXTHDR_INVALID_OPTLEN);
            break;
        } else if (least < 0) {
            decode_event(p, hop ? DEV_IPV6_HOPOPTS_UNKNOWN_OPT : DEV_IPV6_DSTOPTS_UNKNOWN_OPT);
            others++;
        } else if (kind != OPT_JUMBO) {
            others++;
        }
        at += (size_t)n + 2;
    }
    if (padding > 0 && others == 0)
        decode_event(p, hop ? DEV_IPV6_HOPOPTS_ONLY_PADDING : DEV_IPV6_DSTOPTS_ONLY_PADDING);
}

static void chain_options(struct packet *p, struct chain *c)
{
    bool hop = c->next == PROTO_HOPOPTS;
    size_t n = ((size_t)c->s.p[1] + 1) * 8;

    if (!chain_fits(p, c, n))
        return;
    if (hop && c->hop++ > 0)
        decode_event(p, DEV_IPV6_EXTHDR_DUPL_HH);
    else if (!hop && c->destination++ > 1) /* one before and one behind a routing header */
        decode_event(p, DEV_IPV6_EXTHDR_DUPL_DH);
    else
        decode_options(p, span_cut(c->s, 2, n - 2), hop);
    chain_step(c, n);
}

static void chain_routing(struct packet *p, struct chain *c)
{
    size_t n = 8 + (size_t)c->s.p[1] * 8;

    if (!chain_fits(p, c, n))
        return;
    if (c->routing++ > 0)
        decode_event(p, DEV_IPV6_EXTHDR_DUPL_RH);
    else if (c->s.p[2] == 0) /* RFC 5095 */
        decode_event(p, DEV_IPV6_RH_TYPE_0);
    chain_step(c, n);
}

static void chain_fragment(struct packet *p, struct chain *c)
{
    if (!chain_fits(p, c, FRAGMENT_N))
        return;
    const uint8_t *h = c->s.p;
    if (h[1] != 0)
        decode_event(p, DEV_IPV6_FH_NON_ZERO_RESERVED_FIELD);
    if (c->fragment) {
        decode_event(p, DEV_IPV6_EXTHDR_DUPL_FH);
        chain_step(c, FRAGMENT_N);
        return;
    }
    c->fragment = true;
    size_t before = (size_t)(h - p->ip);
    c->f = (struct fragment){
        .id = be32(h + 4),
        .offset = be16(h + 2) & 0xfff8,
        .more = h[3] & 1,
        .proto = h[0],
        .head = span_of(p->ip, before),
        .data = span_from(c->s, FRAGMENT_N),
        .next_at = c->last_n ? before - c->last_n : 6,
    };
    if (!c->f.more && c->f.offset == 0) { /* RFC 6946: an atomic fragment is a whole packet */
        decode_event(p, DEV_IPV6_EXTHDR_USELESS_FH);
        chain_step(c, FRAGMENT_N);
        return;
    }
    if (c->f.more && c->s.n % 8 != 0)
        decode_event(p, DEV_IPV6_FRAG_INVALID_LENGTH);
    p->flags |= PKT_FRAGMENT;
    chain_end(c);
}

static void chain_auth(struct packet *p, struct chain *c)
{
    size_t n = AH_N;

    if (c->s.p[1] > 0) /* RFC 4302 2.2: in words, less two */
        n += ((size_t)c->s.p[1] - 1) * 4;
    if (!chain_fits(p, c, n))
        return;
    if (be16(c->s.p + 2) != 0)
        decode_event(p, DEV_IPV6_EXTHDR_AH_RES_NOT_NULL);
    if (c->auth++ > 0)
        decode_event(p, DEV_IPV6_EXTHDR_DUPL_AH);
    chain_step(c, n);
}

static void chain_ipv6(struct decoder *d, struct packet *p, struct span s)
{
    if (s.n < IPV6_N) {
        decode_bad(p, DEV_IPV6_IPV6_IN_IPV6_TOO_SMALL);
        return;
    }
    if (s.p[0] >> 4 != 6) {
        decode_bad(p, DEV_IPV6_IPV6_IN_IPV6_WRONG_VERSION);
        return;
    }
    if (decode_inner(d, p, s, SRC_IPV6, decode_ipv6))
        decode_count(d, DC_IPV6_IN_IPV6);
    p->flags |= PKT_WANTS_FLOW;
}

static void chain_ipv4(struct decoder *d, struct packet *p, struct span s)
{
    if (s.n < 20) {
        decode_bad(p, DEV_IPV6_IPV4_IN_IPV6_TOO_SMALL);
        return;
    }
    if (s.p[0] >> 4 != 4) {
        decode_bad(p, DEV_IPV6_IPV4_IN_IPV6_WRONG_VERSION);
        return;
    }
    if (decode_inner(d, p, s, SRC_IPV6, decode_ipv4))
        decode_count(d, DC_IPV4_IN_IPV6);
    p->flags |= PKT_WANTS_FLOW;
}

/* The transport behind extension headers; true when next is one. */
static bool chain_upper(struct decoder *d, struct packet *p, struct chain *c)
{
    decode_fn *fn;

    switch (c->next) {
    case PROTO_TCP:
        fn = decode_tcp;
        break;
    case PROTO_UDP:
        fn = decode_udp;
        break;
    case PROTO_ICMPV6:
        fn = decode_icmp6;
        break;
    case PROTO_SCTP:
        fn = decode_sctp;
        break;
    case PROTO_ESP:
        fn = decode_esp;
        break;
    default:
        return false;
    }
    p->proto = c->next;
    p->ip_payload = c->s;
    fn(d, p, c->s);
    return true;
}

static void decode_extensions(struct decoder *d, struct packet *p, struct chain *c)
{
    while (!c->done) {
        p->ip_head_n = (uint16_t)(c->s.p - p->ip);
        p->ip_payload = c->s;
        if (c->next == PROTO_NONE) {
            if (c->s.n > 0)
                decode_event(p, DEV_IPV6_DATA_AFTER_NONE_HEADER);
            return;
        }
        if (c->s.n < 2) {
            decode_bad(p, DEV_IPV6_TRUNC_EXTHDR);
            return;
        }
        if (chain_upper(d, p, c))
            return;
        switch (c->next) {
        case PROTO_HOPOPTS:
        case PROTO_DSTOPTS:
            p->proto = c->next;
            chain_options(p, c);
            break;
        case PROTO_ROUTING:
            p->proto = c->next;
            chain_routing(p, c);
            break;
        case PROTO_FRAGMENT:
            p->proto = c->next;
            chain_fragment(p, c);
            break;
        case PROTO_AH:
            p->proto = c->next;
            chain_auth(p, c);
            break;
        case PROTO_MH:
        case PROTO_HIP:
        case PROTO_SHIM6: {
            p->proto = c->next;
            size_t n = 8 + (size_t)c->s.p[1] * 8;
            if (chain_fits(p, c, n))
                chain_step(c, n);
            break;
        }
        case PROTO_IPV6:
            p->proto = c->next;
            chain_ipv6(d, p, c->s);
            return;
        case PROTO_ICMP:
            decode_bad(p, DEV_IPV6_WITH_ICMPV4);
            return;
        default:
            p->proto = c->next;
            decode_event(p, DEV_IPV6_UNKNOWN_NEXT_HEADER);
            return;
        }
    }
}

static void decode_fragment6(struct decoder *d, struct packet *p, const struct fragment *f)
{
    if (f->offset == 0 && !f->more)
        return;
    decode_count(d, DC_FRAG6);
    size_t link_n = 0;
    struct span s = defrag_add(d->defrag, d, p, f, &link_n);
    if (s.n == 0)
        return;
    decode_count(d, DC_REBUILT6);
    decode_rebuilt(d, p, s, link_n, decode_ipv6);
}

static void decode_upper6(struct decoder *d, struct packet *p, uint8_t next)
{
    struct chain c = {.s = p->ip_payload, .next = next};

    p->proto = next;
    switch (next) {
    case PROTO_TCP:
    case PROTO_UDP:
    case PROTO_ICMPV6:
    case PROTO_SCTP:
        chain_upper(d, p, &c);
        return;
    case PROTO_IPIP:
        chain_ipv4(d, p, c.s);
        return;
    case PROTO_IPV6:
        chain_ipv6(d, p, c.s);
        return;
    case PROTO_GRE:
        decode_gre(d, p, c.s);
        return;
    case PROTO_ICMP:
        p->proto = 0;
        decode_bad(p, DEV_IPV6_WITH_ICMPV4);
        return;
    case PROTO_HOPOPTS:
    case PROTO_ROUTING:
    case PROTO_FRAGMENT:
    case PROTO_NONE:
    case PROTO_DSTOPTS:
    case PROTO_AH:
    case PROTO_ESP:
    case PROTO_MH:
    case PROTO_HIP:
    case PROTO_SHIM6:
        p->proto = 0; /* until a header of the chain says more */
        decode_extensions(d, p, &c);
        if (c.fragment)
            decode_fragment6(d, p, &c.f);
        return;
    default:
        decode_event(p, DEV_IPV6_UNKNOWN_NEXT_HEADER);
        return;
    }
}

bool decode_ipv6(struct decoder *d, struct packet *p, struct span s)
{
    decode_count(d, DC_IPV6);
    if (UNLIKELY(!decode_layer(d, p)))
        return false;
    if (UNLIKELY(s.n < IPV6_N))
        return false; /* passed over in silence, as the other sensors do */
    const uint8_t *h = s.p;
    size_t n = be16(h + 4);
    if (UNLIKELY(h[0] >> 4 != 6))
        return decode_bad(p, DEV_IPV6_WRONG_IP_VER);
    if (UNLIKELY(s.n < IPV6_N + n))
        return decode_bad(p, DEV_IPV6_TRUNC_PKT);
    p->ip_v = 6;
    p->ip = h;
    p->ipv6_flow = be32(h) & 0x0fffffff;
    p->tos = (uint8_t)(p->ipv6_flow >> 20);
    p->ip_n = (uint32_t)(IPV6_N + n);
    p->ip_head_n = IPV6_N;
    p->ttl = h[7];
    p->src.family = 6;
    p->dst.family = 6;
    memcpy(p->src.b, h + 8, 16);
    memcpy(p->dst.b, h + 24, 16);
    p->ip_payload = (struct span){h + IPV6_N, n};
    decode_upper6(d, p, h[6]);
    return true;
}
