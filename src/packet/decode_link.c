/* SPDX-License-Identifier: Apache-2.0 */
/* Link layers and what stands between them and the network layer: Ethernet, VLAN and its relatives,
 * Linux cooked, NULL, raw IP, PPP, HDLC, MPLS, ARP. PPPoE and NSH are in decode_frame.c. */
#include "packet/decode_priv.h"

enum {
    ETHERNET_N = 14,
    DCE_N = 16,
    VLAN_N = 4,
    IEEE8021AH_N = 18,
    VNTAG_N = 6,
    ETAG_N = 8,
    SLL_N = 16,
    SLL2_N = 20,
    MPLS_N = 4,
    CHDLC_N = 4,
    ARP_N = 28,
    ARP_LEAST = 8,
    IPV4_N = 20,
    IPV6_N = 40,
};

static bool decode_dce(struct decoder *d, struct packet *p, struct span s)
{
    if (s.n < DCE_N)
        return decode_bad(p, DEV_DCE_PKT_TOO_SMALL);
    /* FabricPath: another Ethernet header follows the type */
    return decode_ethernet(d, p, s);
}

static bool decode_tagged(struct decoder *d, struct packet *p, struct span s,
                          enum decode_event unknown)
{
    uint16_t ether_type = be16(s.p - 2);

    if (!decode_network(d, p, ether_type, s))
        return decode_bad(p, unknown);
    return true;
}

bool decode_vlan(struct decoder *d, struct packet *p, struct span s)
{
    if (p->n_vlan == 0)
        decode_count(d, DC_VLAN);
    else if (p->n_vlan == 1)
        decode_count(d, DC_VLAN_QINQ);
    else if (p->n_vlan == 2)
        decode_count(d, DC_VLAN_QINQINQ);
    if (s.n < VLAN_N)
        return decode_bad(p, DEV_VLAN_HEADER_TOO_SMALL);
    if (!decode_layer(d, p))
        return false;
    if (p->n_vlan == PKT_VLANS) {
        decode_event(p, DEV_VLAN_TOO_MANY_LAYERS);
        return false;
    }
    p->vlan[p->n_vlan++] = be16(s.p) & 0xfff;
    return decode_tagged(d, p, span_from(s, VLAN_N), DEV_VLAN_UNKNOWN_TYPE);
}

static bool decode_8021ah(struct decoder *d, struct packet *p, struct span s)
{
    decode_count(d, DC_IEEE8021AH);
    if (s.n < IEEE8021AH_N)
        return decode_bad(p, DEV_IEEE8021AH_HEADER_TOO_SMALL);
    if (!decode_layer(d, p))
        return false;
    decode_network(d, p, be16(s.p + IEEE8021AH_N - 2), span_from(s, IEEE8021AH_N));
    return true;
}

static bool decode_vntag(struct decoder *d, struct packet *p, struct span s)
{
    decode_count(d, DC_VNTAG);
    if (s.n < VNTAG_N)
        return decode_bad(p, DEV_VNTAG_HEADER_TOO_SMALL);
    if (!decode_layer(d, p))
        return false;
    return decode_tagged(d, p, span_from(s, VNTAG_N), DEV_VNTAG_UNKNOWN_TYPE);
}

static bool decode_etag(struct decoder *d, struct packet *p, struct span s)
{
    decode_count(d, DC_ETAG);
    if (s.n < ETAG_N)
        return decode_bad(p, DEV_ETAG_HEADER_TOO_SMALL);
    if (!decode_layer(d, p))
        return false;
    return decode_tagged(d, p, span_from(s, ETAG_N), DEV_ETAG_UNKNOWN_TYPE);
}

/* RFC 826 over Ethernet and for IPv4 alone, RFC 903 and RFC 2390 included. */
bool decode_arp(struct decoder *d, struct packet *p, struct span s)
{
    decode_count(d, DC_ARP);
    if (s.n < ARP_LEAST)
        return decode_bad(p, DEV_ARP_PKT_TOO_SMALL);
    if (!decode_layer(d, p))
        return false;
    if (be16(s.p) != 1)
        return decode_bad(p, DEV_ARP_UNSUPPORTED_HARDWARE);
    if (be16(s.p + 2) != ETHER_IPV4)
        return decode_bad(p, DEV_ARP_UNSUPPORTED_PROTOCOL);
    if (s.n < ARP_N)
        return decode_bad(p, DEV_ARP_UNSUPPORTED_PKT);
    if (s.p[4] != 6)
        return decode_bad(p, DEV_ARP_INVALID_HARDWARE_SIZE);
    if (s.p[5] != 4)
        return decode_bad(p, DEV_ARP_INVALID_PROTOCOL_SIZE);
    uint16_t operation = be16(s.p + 6);
    if ((operation < 1 || operation > 4) && operation != 8 && operation != 9)
        return decode_bad(p, DEV_ARP_UNSUPPORTED_OPCODE);
    p->arp = s.p;
    return true;
}

bool decode_network(struct decoder *d, struct packet *p, uint16_t ether_type, struct span s)
{
    switch (ether_type) {
    case ETHER_IPV4:
        decode_ipv4(d, p, span_cut(s, 0, IP_MAX));
        return true;
    case ETHER_IPV6:
        decode_ipv6(d, p, span_cut(s, 0, IP_MAX));
        return true;
    case ETHER_VLAN:
    case ETHER_8021AD:
    case ETHER_QINQ:
        if (p->n_vlan == PKT_VLANS)
            decode_event(p, DEV_VLAN_TOO_MANY_LAYERS);
        else
            decode_vlan(d, p, s);
        return true;
    case ETHER_ARP:
        decode_arp(d, p, s);
        return true;
    case ETHER_PPPOE_SESSION:
        decode_pppoe_session(d, p, s);
        return true;
    case ETHER_PPPOE_DISCOVERY:
        decode_pppoe_discovery(d, p, s);
        return true;
    case ETHER_MPLS:
    case ETHER_MPLS_MULTICAST:
        decode_mpls(d, p, s);
        return true;
    case ETHER_8021AH:
        decode_8021ah(d, p, s);
        return true;
    case ETHER_DCE:
        decode_dce(d, p, s);
        return true;
    case ETHER_VNTAG:
        decode_vntag(d, p, s);
        return true;
    case ETHER_ETAG:
        decode_etag(d, p, s);
        return true;
    case ETHER_NSH:
        decode_nsh(d, p, s);
        return true;
    default:
        decode_count(d, DC_UNKNOWN_ETHERTYPE);
        decode_event(p, DEV_ETHERNET_UNKNOWN_ETHERTYPE);
        return false;
    }
}

bool decode_ethernet(struct decoder *d, struct packet *p, struct span s)
{
    decode_count(d, DC_ETHERNET);
    if (UNLIKELY(s.n < ETHERNET_N))
        return decode_bad(p, DEV_ETHERNET_PKT_TOO_SMALL);
    if (UNLIKELY(!decode_layer(d, p)))
        return false;
    p->ethernet = s.p;
    p->ether_type = be16(s.p + 12);
    decode_network(d, p, p->ether_type, (struct span){s.p + ETHERNET_N, s.n - ETHERNET_N});
    return true;
}

/* RFC 3032; the label at the bottom or the first nibble behind it tells what is carried. */
bool decode_mpls(struct decoder *d, struct packet *p, struct span s)
{
    uint32_t shim;
    int odd = -1;

    decode_count(d, DC_MPLS);
    if (!decode_layer(d, p))
        return false;
    do {
        if (s.n < MPLS_N)
            return decode_bad(p, DEV_MPLS_HEADER_TOO_SMALL);
        shim = be32(s.p);
        s = span_from(s, MPLS_N);
    } while (!(shim & 0x100));
    uint32_t label = shim >> 12;
    if (label == 0)
        return decode_ipv4(d, p, span_cut(s, 0, IP_MAX));
    if (label == 2)
        return decode_ipv6(d, p, span_cut(s, 0, IP_MAX));
    if (label == 1)
        odd = DEV_MPLS_BAD_LABEL_ROUTER_ALERT;
    else if (label == 3)
        odd = DEV_MPLS_BAD_LABEL_IMPLICIT_NULL;
    else if (label < 16)
        odd = DEV_MPLS_BAD_LABEL_RESERVED;
    bool ok = true;
    if (odd >= 0) {
        decode_event(p, (enum decode_event)odd);
    } else if (s.n < MPLS_N) {
        return decode_bad(p, DEV_MPLS_PKT_TOO_SMALL);
    } else if (s.p[0] >> 4 == 4) {
        ok = decode_ipv4(d, p, span_cut(s, 0, IP_MAX));
    } else if (s.p[0] >> 4 == 6) {
        ok = decode_ipv6(d, p, span_cut(s, 0, IP_MAX));
    } else if (s.p[0] >> 4 == 0) {
        ok = decode_ethernet(d, p, span_from(s, MPLS_N)); /* behind a control word, RFC 4385 */
    } else {
        decode_bad(p, DEV_MPLS_UNKNOWN_PAYLOAD_TYPE);
    }
    return ok;
}

static bool decode_sll(struct decoder *d, struct packet *p, struct span s)
{
    decode_count(d, DC_SLL);
    if (s.n < SLL_N)
        return decode_bad(p, DEV_SLL_PKT_TOO_SMALL);
    if (!decode_layer(d, p))
        return false;
    p->ether_type = be16(s.p + 14);
    decode_network(d, p, p->ether_type, span_from(s, SLL_N));
    return true;
}

static bool decode_sll2(struct decoder *d, struct packet *p, struct span s)
{
    decode_count(d, DC_SLL2);
    if (s.n < SLL2_N)
        return decode_bad(p, DEV_SLL2_PKT_TOO_SMALL);
    if (!decode_layer(d, p))
        return false;
    p->ether_type = be16(s.p);
    decode_network(d, p, p->ether_type, span_from(s, SLL2_N));
    return true;
}

static bool decode_chdlc(struct decoder *d, struct packet *p, struct span s)
{
    decode_count(d, DC_CHDLC);
    if (s.n < CHDLC_N)
        return decode_bad(p, DEV_CHDLC_PKT_TOO_SMALL);
    if (!decode_layer(d, p))
        return false;
    p->ether_type = be16(s.p + 2);
    decode_network(d, p, p->ether_type, span_from(s, CHDLC_N));
    return true;
}

/* The address family is a number of the machine that captured: BSDs disagree on IPv6's. */
static bool decode_null(struct decoder *d, struct packet *p, struct span s)
{
    decode_count(d, DC_NULL);
    if (s.n < 4)
        return decode_bad(p, DEV_LTNULL_PKT_TOO_SMALL);
    if (!decode_layer(d, p))
        return false;
    struct span rest = span_from(s, 4);
    uint32_t family = p->link == LINK_LOOP ? be32(s.p) : le32(s.p);
    if (p->link == LINK_NULL && family >= 0x10000)
        family = be32(s.p);
    switch (family) {
    case 2:
        return decode_ipv4(d, p, span_cut(rest, 0, IP_MAX));
    case 10:
    case 23:
    case 24:
    case 26:
    case 28:
    case 30:
        return decode_ipv6(d, p, span_cut(rest, 0, IP_MAX));
    default:
        decode_event(p, DEV_LTNULL_UNSUPPORTED_TYPE);
        return true;
    }
}

static bool decode_raw(struct decoder *d, struct packet *p, struct span s)
{
    decode_count(d, DC_RAW);
    if (s.n < IPV4_N)
        return decode_bad(p, DEV_IPV4_PKT_TOO_SMALL);
    if (s.p[0] >> 4 == 4)
        return decode_ipv4(d, p, span_cut(s, 0, IP_MAX));
    if (s.p[0] >> 4 == 6)
        return decode_ipv6(d, p, span_cut(s, 0, IP_MAX));
    decode_event(p, DEV_IPRAW_INVALID_IP_VERSION);
    return true;
}

enum { PPP_IPV4 = 0x21, PPP_VJ_UNCOMPRESSED = 0x2f, PPP_IPV6 = 0x57 };

static bool decode_ppp_ip(struct decoder *d, struct packet *p, struct span s, uint16_t proto,
                          bool compressed)
{
    switch (proto) {
    case PPP_IPV6:
        if (s.n < IPV6_N)
            return decode_bad(p, DEV_PPP_IP6_PKT_TOO_SMALL);
        return decode_ipv6(d, p, span_cut(s, 0, IP_MAX));
    case PPP_IPV4:
        if (s.n < IPV4_N)
            return decode_bad(p,
                              compressed ? DEV_PPP_VJU_PKT_TOO_SMALL : DEV_PPP_IP4_PKT_TOO_SMALL);
        return decode_ipv4(d, p, span_cut(s, 0, IP_MAX));
    default: /* RFC 1144: the IP header's protocol field holds a connection number */
        if (s.n < IPV4_N)
            return decode_bad(p, DEV_PPP_VJU_PKT_TOO_SMALL);
        return s.p[0] >> 4 == 4 && decode_ipv4(d, p, span_cut(s, 0, IP_MAX));
    }
}

bool ppp_is_other(uint16_t proto)
{
    static const uint16_t known[] = {
        0x0023, 0x0025, 0x0027, 0x0029, 0x002b, 0x002d, 0x0031, 0x0033, 0x0035, 0x0039,
        0x0281, 0x0283, 0x4003, 0x4021, 0x8023, 0x8025, 0x8027, 0x8029, 0x802b, 0x8031,
        0x8033, 0x8035, 0x8039, 0x804d, 0x8281, 0x8283, 0x0203, 0x0231, 0x003d, 0x003f,
    };

    for (size_t i = 0; i < LEN(known); i++) {
        if (known[i] == proto)
            return true;
    }
    return false;
}

bool ppp_is_control(uint16_t proto)
{
    switch (proto) {
    case 0x8021: /* IPCP */
    case 0x8057: /* IPV6CP */
    case 0xc021: /* LCP */
    case 0xc023: /* PAP */
    case 0xc025: /* LQM */
    case 0xc223: /* CHAP */
    case 0xc029: /* CBCP */
    case 0x80fd: /* CCP */
    case 0x00fd: /* compressed datagram */
    case 0x8207: /* CDPCP */
        return true;
    default:
        return false;
    }
}

/* RFC 1661 and 1662: address and control field may be left out, the protocol may be one byte. */
bool decode_ppp(struct decoder *d, struct packet *p, struct span s)
{
    decode_count(d, DC_PPP);
    if (s.n < 1)
        return decode_bad(p, DEV_PPP_PKT_TOO_SMALL);
    size_t at = s.p[0] == 0xff ? 2 : 0;
    if (s.n < at + 1)
        return decode_bad(p, DEV_PPP_PKT_TOO_SMALL);
    bool compressed = s.p[at] & 1;
    size_t head_n = at + (compressed ? 1 : 2);
    if (s.n < head_n)
        return decode_bad(p, DEV_PPP_PKT_TOO_SMALL);
    if (!decode_layer(d, p))
        return false;
    uint16_t proto = compressed ? s.p[at] : be16(s.p + at);
    if (proto == PPP_IPV4 || proto == PPP_IPV6 || proto == PPP_VJ_UNCOMPRESSED)
        return decode_ppp_ip(d, p, span_from(s, head_n), proto, compressed);
    if (compressed || ppp_is_other(proto))
        decode_event(p, DEV_PPP_UNSUP_PROTO);
    else if (!ppp_is_control(proto))
        decode_bad(p, DEV_PPP_WRONG_TYPE);
    return true;
}

static decode_fn *link_decoder(uint16_t link)
{
    switch (link) {
    case LINK_ETHERNET:
        return decode_ethernet;
    case LINK_NULL:
    case LINK_LOOP:
        return decode_null;
    case LINK_RAW:
    case LINK_RAW_BSD:
    case LINK_RAW_OPENBSD:
    case LINK_IPV4:
    case LINK_IPV6:
        return decode_raw;
    case LINK_LINUX_SLL:
        return decode_sll;
    case LINK_LINUX_SLL2:
        return decode_sll2;
    case LINK_PPP:
    case LINK_PPP_HDLC:
        return decode_ppp;
    case LINK_CHDLC:
        return decode_chdlc;
    default:
        return NULL;
    }
}

bool decode_knows_link(uint16_t link)
{
    return link_decoder(link) != NULL;
}

bool decode_link(struct decoder *d, struct packet *p, uint16_t link, struct span s)
{
    if (LIKELY(link == LINK_ETHERNET))
        return decode_ethernet(d, p, s);
    decode_fn *fn = link_decoder(link);
    if (fn)
        return fn(d, p, s);
    decode_count(d, DC_UNKNOWN_LINK);
    p->flags |= PKT_INVALID;
    return false;
}
