/* SPDX-License-Identifier: Apache-2.0 */
/* Packets inside packets: GRE and ERSPAN, and over UDP Teredo, GENEVE, VXLAN and GTP-U. What they
 * carry becomes a packet of its own. */
#include "packet/decode_priv.h"

enum { GRE_N = 4, SRE_N = 4, ERSPAN_N = 8, IPV6_N = 40, ETHERNET_N = 14 };

/* Flags of GRE's first two bytes (RFC 1701, RFC 2637). */
enum {
    GRE_CHECKSUM = 0x8000,
    GRE_ROUTING = 0x4000,
    GRE_KEY = 0x2000,
    GRE_SEQUENCE = 0x1000,
    GRE_STRICT = 0x0800,
    GRE_RECURSION = 0x0700,
    GRE_ACK = 0x0080,
    GRE_FLAGS_0 = 0x00f8,
    GRE_FLAGS_1 = 0x0078,
};

/* RFC 1701: source route entries up to an empty one; their length, or 0 when malformed. */
static size_t gre_routes(struct span s)
{
    size_t at = 0;

    for (;;) {
        if (s.n < at + SRE_N)
            return 0;
        uint16_t family = be16(s.p + at);
        size_t n = s.p[at + 3];
        at += SRE_N;
        if (family == 0 && n == 0)
            return at;
        at += n;
        if (s.n < at)
            return 0;
    }
}

/* The length of the header, 0 when it is malformed. */
static size_t gre_head_0(struct packet *p, struct span s, uint16_t flags)
{
    size_t n = GRE_N;

    if (flags & GRE_RECURSION) {
        decode_bad(p, DEV_GRE_VERSION0_RECUR);
        return 0;
    }
    if (flags & GRE_FLAGS_0) {
        decode_bad(p, DEV_GRE_VERSION0_FLAGS);
        return 0;
    }
    if (flags & GRE_KEY)
        n += 4;
    if (flags & GRE_SEQUENCE)
        n += 4;
    if (flags & (GRE_CHECKSUM | GRE_ROUTING))
        n += 4;
    if (n > s.n) {
        decode_bad(p, DEV_GRE_VERSION0_HDR_TOO_BIG);
        return 0;
    }
    if (flags & GRE_ROUTING) {
        size_t routes = gre_routes(span_from(s, n));
        if (routes == 0) {
            decode_bad(p, DEV_GRE_VERSION0_MALFORMED_SRE_HDR);
            return 0;
        }
        n += routes;
    }
    return n;
}

static size_t gre_head_1(struct packet *p, struct span s, uint16_t flags)
{
    static const struct {
        uint16_t flag;
        uint16_t event;
    } wrong[] = {
        {GRE_CHECKSUM, DEV_GRE_VERSION1_CHKSUM}, {GRE_ROUTING, DEV_GRE_VERSION1_ROUTE},
        {GRE_STRICT, DEV_GRE_VERSION1_SSR},      {GRE_RECURSION, DEV_GRE_VERSION1_RECUR},
        {GRE_FLAGS_1, DEV_GRE_VERSION1_FLAGS},
    };
    size_t n = GRE_N;

    for (size_t i = 0; i < LEN(wrong); i++) {
        if (flags & wrong[i].flag) {
            decode_bad(p, (enum decode_event)wrong[i].event);
            return 0;
        }
    }
    if (be16(s.p + 2) != ETHER_PPP_GRE) {
        decode_bad(p, DEV_GRE_VERSION1_WRONG_PROTOCOL);
        return 0;
    }
    if (!(flags & GRE_KEY)) {
        decode_bad(p, DEV_GRE_VERSION1_NO_KEY);
        return 0;
    }
    n += 4;
    if (flags & GRE_SEQUENCE)
        n += 4;
    if (flags & GRE_ACK)
        n += 4;
    if (n > s.n) {
        decode_bad(p, DEV_GRE_VERSION1_HDR_TOO_BIG);
        return 0;
    }
    return n;
}

/* Type II, version 1: a VLAN and a session in front of the frame. */
bool decode_erspan_2(struct decoder *d, struct packet *p, struct span s)
{
    decode_count(d, DC_ERSPAN);
    if (s.n < ERSPAN_N) {
        decode_event(p, DEV_ERSPAN_HEADER_TOO_SMALL);
        return false;
    }
    if (!decode_layer(d, p))
        return false;
    uint16_t head = be16(s.p);
    if (head >> 12 != 1) {
        decode_event(p, DEV_ERSPAN_UNSUPPORTED_VERSION);
        return false;
    }
    if (head & 0xfff) {
        if (p->n_vlan == PKT_VLANS) {
            decode_event(p, DEV_ERSPAN_TOO_MANY_VLAN_LAYERS);
            return false;
        }
        p->vlan[p->n_vlan++] = head & 0xfff;
    }
    return decode_ethernet(d, p, span_from(s, ERSPAN_N));
}

static decode_fn *gre_payload(const struct decoder *d, uint16_t flags, uint16_t type)
{
    switch (type) {
    case ETHER_IPV4:
        return decode_ipv4;
    case ETHER_IPV6:
        return decode_ipv6;
    case ETHER_PPP_GRE:
        return decode_ppp;
    case ETHER_VLAN:
        return decode_vlan;
    case ETHER_BRIDGE:
        return decode_ethernet;
    case ETHER_ARP:
        return decode_arp;
    case ETHER_ERSPAN:
        if (!d->conf.erspan)
            return NULL;
        if (flags == 0)
            return d->conf.erspan_type_1 ? decode_ethernet : NULL;
        return decode_erspan_2;
    default:
        return NULL;
    }
}

bool decode_gre(struct decoder *d, struct packet *p, struct span s)
{
    decode_count(d, DC_GRE);
    if (s.n < GRE_N)
        return decode_bad(p, DEV_GRE_PKT_TOO_SMALL);
    if (!decode_layer(d, p))
        return false;
    uint16_t flags = be16(s.p);
    uint16_t type = be16(s.p + 2);
    size_t n = 0;
    if ((flags & 7) == 0)
        n = gre_head_0(p, s, flags);
    else if ((flags & 7) == 1)
        n = gre_head_1(p, s, flags);
    else
        decode_bad(p, DEV_GRE_WRONG_VERSION);
    if (n == 0)
        return true;
    decode_fn *fn = gre_payload(d, flags, type);
    if (fn)
        decode_inner(d, p, span_from(s, n), SRC_GRE, fn);
    return true;
}

static bool port_among(const uint16_t *ports, uint8_t n, uint16_t port)
{
    for (size_t i = 0; i < n; i++) {
        if (ports[i] == port)
            return true;
    }
    return false;
}

/* RFC 4380 5.1.1: an origin indication may stand before the IPv6 packet. */
static bool decode_teredo(struct decoder *d, struct packet *p, struct span s)
{
    if (s.n < IPV6_N)
        return false;
    if (s.p[0] == 0) {
        if (s.p[1] != 0 || s.n < 8 + IPV6_N)
            return false;
        s = span_from(s, 8);
    }
    /* nothing says that it is Teredo: believe only what fits to the byte */
    if (s.p[0] >> 4 != 6 || s.n != IPV6_N + (size_t)be16(s.p + 4))
        return false;
    if (!decode_inner(d, p, s, SRC_TEREDO, decode_ipv6))
        return false;
    decode_count(d, DC_TEREDO);
    return true;
}

/* Do the options fill exactly the room that RFC 8926 3.4 gives them? */
static bool geneve_options_fit(struct span s)
{
    while (s.n >= 4) {
        size_t n = 4 + (size_t)(s.p[3] & 0x1f) * 4;
        if (n > s.n)
            return false;
        s = span_from(s, n);
    }
    return s.n == 0;
}

static bool decode_geneve(struct decoder *d, struct packet *p, struct span s)
{
    if (s.n < 8)
        return false;
    if (!decode_layer(d, p))
        return false;
    size_t options_n = (size_t)(s.p[0] & 0x3f) * 4;
    if (s.n < 8 + options_n || s.p[0] >> 6 != 0 || (s.p[1] & 0x3f) != 0 || s.p[7] != 0)
        return false;
    if (!geneve_options_fit(span_cut(s, 8, options_n)))
        return false;
    decode_count(d, DC_GENEVE);
    struct span inner = span_from(s, 8 + options_n);
    switch (be16(s.p + 2)) {
    case ETHER_IPV4:
        decode_inner(d, p, inner, SRC_GENEVE, decode_ipv4);
        break;
    case ETHER_IPV6:
        decode_inner(d, p, inner, SRC_GENEVE, decode_ipv6);
        break;
    case ETHER_BRIDGE:
        decode_inner(d, p, inner, SRC_GENEVE, decode_ethernet);
        break;
    case ETHER_ARP:
        break;
    default:
        decode_bad(p, DEV_GENEVE_UNKNOWN_PAYLOAD_TYPE);
        break;
    }
    return true;
}

/* RFC 7348 5. The inner Ethernet header tells what is carried and is left out. */
static bool decode_vxlan(struct decoder *d, struct packet *p, struct span s)
{
    if (s.n < 8 + ETHERNET_N)
        return false;
    if (!decode_layer(d, p))
        return false;
    if (!(s.p[0] & 0x08))
        return false;
    bool reserved = (s.p[0] & 0xf7) || s.p[1] || be16(s.p + 2) || s.p[7];
    if (d->conf.vxlan_strict && reserved)
        return false;
    decode_count(d, DC_VXLAN);
    struct span inner = span_from(s, 8 + ETHERNET_N);
    switch (be16(inner.p - 2)) {
    case ETHER_IPV4:
        decode_inner(d, p, inner, SRC_VXLAN, decode_ipv4);
        break;
    case ETHER_IPV6:
        decode_inner(d, p, inner, SRC_VXLAN, decode_ipv6);
        break;
    case ETHER_VLAN:
    case ETHER_8021AD:
    case ETHER_QINQ:
        decode_inner(d, p, inner, SRC_VXLAN, decode_vlan);
        break;
    case ETHER_ARP:
        break;
    default:
        decode_bad(p, DEV_VXLAN_UNKNOWN_PAYLOAD_TYPE);
        break;
    }
    return true;
}

/* 3GPP TS 29.281 5.1: version 1, a G-PDU, with its optional fields and extension headers. */
static bool decode_gtp(struct decoder *d, struct packet *p, struct span s)
{
    struct verdict v = {0};
    struct rd r = rd_whole(s, &v);
    uint8_t flags = rd_u8(&r);
    uint8_t type = rd_u8(&r);
    uint16_t n = rd_u16(&r);

    rd_skip(&r, 4); /* tunnel */
    struct rd body = rd_sub(&r, n);
    if (!rd_ok(&r) || (flags & 0xf0) != 0x30 || type != 0xff)
        return false;
    if (flags & 0x07) {
        rd_skip(&body, 3);
        uint8_t next = rd_u8(&body);
        while (next != 0 && flags & 0x04 && rd_more(&body)) {
            size_t words = rd_u8(&body);
            if (words == 0)
                return false;
            rd_skip(&body, words * 4 - 2);
            next = rd_u8(&body);
        }
    }
    struct span inner = rd_rest(&body);
    if (!rd_ok(&body) || inner.n < 20)
        return false;
    decode_fn *fn = inner.p[0] >> 4 == 4 ? decode_ipv4 : decode_ipv6;
    if (!decode_inner(d, p, inner, SRC_GTP, fn))
        return false;
    decode_count(d, DC_GTP);
    return true;
}

bool decode_udp_tunnel(struct decoder *d, struct packet *p, struct span s)
{
    const struct decode_conf *c = &d->conf;

    if (c->teredo && s.n >= IPV6_N &&
        (c->n_teredo_ports == 0 || port_among(c->teredo_ports, c->n_teredo_ports, p->sport) ||
         port_among(c->teredo_ports, c->n_teredo_ports, p->dport))) {
        if (decode_teredo(d, p, s))
            return true;
    }
    if (c->geneve && (port_among(c->geneve_ports, c->n_geneve_ports, p->sport) ||
                      port_among(c->geneve_ports, c->n_geneve_ports, p->dport))) {
        if (decode_geneve(d, p, s))
            return true;
    }
    if (c->vxlan && port_among(c->vxlan_ports, c->n_vxlan_ports, p->dport)) {
        if (decode_vxlan(d, p, s))
            return true;
    }
    if (c->gtp && (port_among(c->gtp_ports, c->n_gtp_ports, p->sport) ||
                   port_among(c->gtp_ports, c->n_gtp_ports, p->dport)))
        return decode_gtp(d, p, s);
    return false;
}
