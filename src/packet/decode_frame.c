/* SPDX-License-Identifier: Apache-2.0 */
/* PPPoE (RFC 2516) and the network service header (RFC 8300). */
#include "packet/decode_priv.h"

enum { PPPOE_N = 6, NSH_N = 8, IPV4_N = 20, IPV6_N = 40 };

bool decode_pppoe_discovery(struct decoder *d, struct packet *p, struct span s)
{
    decode_count(d, DC_PPPOE);
    if (s.n < PPPOE_N)
        return decode_bad(p, DEV_PPPOE_PKT_TOO_SMALL);
    if (!decode_layer(d, p))
        return false;
    switch (s.p[1]) {
    case 0x09: /* PADI */
    case 0x07: /* PADO */
    case 0x19: /* PADR */
    case 0x65: /* PADS */
    case 0xa7: /* PADT */
        break;
    default:
        decode_bad(p, DEV_PPPOE_WRONG_CODE);
        return true;
    }
    if (be16(s.p + 4) > s.n - PPPOE_N)
        decode_bad(p, DEV_PPPOE_MALFORMED_TAGS);
    return true;
}

/* What a session carries is one PPP protocol number and its packet. */
static bool pppoe_payload(struct decoder *d, struct packet *p, struct span s, uint16_t proto)
{
    switch (proto) {
    case 0x21:
    case 0x2f:
        if (s.n < IPV4_N) {
            decode_bad(p, proto == 0x21 ? DEV_PPP_IP4_PKT_TOO_SMALL : DEV_PPP_VJU_PKT_TOO_SMALL);
            return true;
        }
        if (proto == 0x2f && s.p[0] >> 4 != 4)
            return true;
        decode_ipv4(d, p, span_cut(s, 0, IP_MAX));
        return true;
    case 0x57:
        if (s.n < IPV6_N) {
            decode_bad(p, DEV_PPP_IP6_PKT_TOO_SMALL);
            return true;
        }
        decode_ipv6(d, p, span_cut(s, 0, IP_MAX));
        return true;
    default:
        if (ppp_is_other(proto))
            decode_event(p, DEV_PPP_UNSUP_PROTO);
        else if (!ppp_is_control(proto))
            decode_bad(p, DEV_PPP_WRONG_TYPE);
        return true;
    }
}

bool decode_pppoe_session(struct decoder *d, struct packet *p, struct span s)
{
    decode_count(d, DC_PPPOE);
    if (s.n < PPPOE_N + 1)
        return decode_bad(p, DEV_PPPOE_PKT_TOO_SMALL);
    if (!decode_layer(d, p))
        return false;
    if (be16(s.p + 4) == 0)
        return true;
    if (s.p[PPPOE_N] & 1) /* RFC 1661 2: a protocol of one byte */
        return pppoe_payload(d, p, span_from(s, PPPOE_N + 1), s.p[PPPOE_N]);
    if (s.n < PPPOE_N + 2)
        return decode_bad(p, DEV_PPPOE_PKT_TOO_SMALL);
    return pppoe_payload(d, p, span_from(s, PPPOE_N + 2), be16(s.p + PPPOE_N));
}

static bool nsh_payload(struct decoder *d, struct packet *p, struct span s, uint8_t next)
{
    switch (next) {
    case 1:
        return s.n <= IP_MAX && decode_ipv4(d, p, s);
    case 2:
        return s.n <= IP_MAX && decode_ipv6(d, p, s);
    case 3:
        return decode_ethernet(d, p, s);
    case 5:
        return decode_mpls(d, p, s);
    default:
        decode_event(p, DEV_NSH_UNKNOWN_PAYLOAD);
        return true;
    }
}

bool decode_nsh(struct decoder *d, struct packet *p, struct span s)
{
    decode_count(d, DC_NSH);
    if (s.n < NSH_N)
        return decode_bad(p, DEV_NSH_HEADER_TOO_SMALL);
    if (!decode_layer(d, p))
        return false;
    uint16_t base = be16(s.p);
    if (base >> 14 != 0) {
        decode_event(p, DEV_NSH_UNSUPPORTED_VERSION);
        return true;
    }
    size_t head_n = (size_t)(base & 0x3f) * 4;
    if (head_n >= s.n)
        return decode_bad(p, DEV_NSH_BAD_HEADER_LENGTH);
    uint8_t type = s.p[2] & 0x0f;
    if (type == 0 || type == 0x0f) {
        decode_event(p, DEV_NSH_RESERVED_TYPE);
        return true;
    }
    if (type > 2) {
        decode_event(p, DEV_NSH_UNSUPPORTED_TYPE);
        return true;
    }
    if (type == 1 && head_n != 24) /* RFC 8300 2.4: fixed length */
        return decode_bad(p, DEV_NSH_BAD_HEADER_LENGTH);
    return nsh_payload(d, p, span_from(s, head_n), s.p[3]);
}
