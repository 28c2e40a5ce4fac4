/* SPDX-License-Identifier: Apache-2.0 */
/* ICMP (RFC 792) and ICMPv6 (RFC 4443 and its registry), with the head of the packet that an error
 * message carries. */
#include "packet/checksum.h"
#include "packet/decode_priv.h"

enum { ICMP_N = 8, IPV4_N = 20, IPV6_N = 40, TCP_N = 20, UDP_N = 8 };

static void inner_ports(struct packet *p, struct span s, bool four_suffice)
{
    size_t least = p->icmp_inner_proto == PROTO_TCP ? TCP_N : UDP_N;

    if (p->icmp_inner_proto != PROTO_TCP && p->icmp_inner_proto != PROTO_UDP)
        return;
    if (s.n < (four_suffice && p->icmp_inner_proto == PROTO_TCP ? 4 : least))
        return;
    p->icmp_inner_ports = true;
    p->icmp_inner_sport = be16(s.p);
    p->icmp_inner_dport = be16(s.p + 2);
}

static void inner_ipv4(struct packet *p, struct span s)
{
    if (s.n < IPV4_N) {
        decode_bad(p, DEV_ICMPV4_IPV4_TRUNC_PKT);
        return;
    }
    if (s.p[0] >> 4 != 4) {
        decode_bad(p, DEV_ICMPV4_IPV4_UNKNOWN_VER);
        return;
    }
    p->icmp_inner = true;
    p->icmp_inner_proto = s.p[9];
    p->icmp_inner_src = ip_v4(s.p + 12);
    p->icmp_inner_dst = ip_v4(s.p + 16);
    inner_ports(p, span_from(s, IPV4_N), true);
}

static void inner_ipv6(struct packet *p, struct span s)
{
    if (s.n < IPV6_N) {
        decode_bad(p, DEV_ICMPV6_IPV6_TRUNC_PKT);
        return;
    }
    if (s.p[0] >> 4 != 6) {
        decode_bad(p, DEV_ICMPV6_IPV6_UNKNOWN_VER);
        return;
    }
    p->icmp_inner = true;
    p->icmp_inner_proto = s.p[6];
    p->icmp_inner_src = ip_v6(s.p + 8);
    p->icmp_inner_dst = ip_v6(s.p + 24);
    inner_ports(p, span_from(s, IPV6_N), false);
}

static void fill(struct decoder *d, struct packet *p, struct span s)
{
    p->l4 = s.p;
    p->icmp_type = s.p[0];
    p->icmp_code = s.p[1];
    p->payload = span_from(s, ICMP_N);
    p->flags |= PKT_WANTS_FLOW;
    if (d->check && !checksum_l4_ok(p))
        p->flags |= PKT_CHECKSUM_BAD;
}

static void identify(struct packet *p)
{
    p->icmp_id = be16(p->l4 + 4);
    p->icmp_seq = be16(p->l4 + 6);
}

/* The highest code of an ICMP error, or -1 when the type is not an error. */
static int icmp4_error_codes(uint8_t type)
{
    switch (type) {
    case 3: /* destination unreachable */
        return 15;
    case 4: /* source quench */
        return 0;
    case 5: /* redirect */
        return 3;
    case 11: /* time exceeded */
        return 1;
    case 12: /* parameter problem */
        return 2;
    default:
        return -1;
    }
}

bool decode_icmp4(struct decoder *d, struct packet *p, struct span s)
{
    decode_count(d, DC_ICMPV4);
    if (s.n < ICMP_N)
        return decode_bad(p, DEV_ICMPV4_PKT_TOO_SMALL);
    fill(d, p, s);
    int codes = icmp4_error_codes(p->icmp_type);
    if (codes >= 0) {
        if (p->icmp_code > codes)
            decode_event(p, DEV_ICMPV4_UNKNOWN_CODE);
        else if (s.n > ICMP_N)
            inner_ipv4(p, p->payload);
        return true;
    }
    switch (p->icmp_type) {
    case 0:
    case 8:  /* echo */
    case 13: /* timestamp */
    case 14:
    case 15: /* information */
    case 16:
    case 17: /* address mask */
    case 18:
        identify(p);
        if (p->icmp_code != 0)
            decode_event(p, DEV_ICMPV4_UNKNOWN_CODE);
        break;
    case 9: /* router advertisement and solicitation, RFC 1256 */
    case 10:
        if (p->icmp_code != 0 && !(p->icmp_type == 9 && p->icmp_code == 16))
            decode_event(p, DEV_ICMPV4_UNKNOWN_CODE);
        break;
    default:
        decode_event(p, DEV_ICMPV4_UNKNOWN_TYPE);
        break;
    }
    return true;
}

/* The highest code of an ICMPv6 error, or -1 when the type is not an error. */
static int icmp6_error_codes(uint8_t type)
{
    switch (type) {
    case 1: /* destination unreachable */
        return 7;
    case 2: /* packet too big */
        return 0;
    case 3: /* time exceeded */
        return 1;
    case 4: /* parameter problem */
        return 2;
    default:
        return -1;
    }
}

/* Types whose highest code is known: -1 for those without a limit, -2 for the unknown. */
static int icmp6_codes(uint8_t type)
{
    switch (type) {
    case 139: /* node information, RFC 4620 */
    case 140:
        return 2;
    case 150: /* experimental mobility, multicast router discovery */
    case 151:
    case 152:
    case 153:
        return -1;
    case 158: /* duplicate address */
    case 157:
    case 155:
    case 156:
        return type == 156 ? 0 : -2;
    default:
        return (type >= 128 && type <= 149) || type == 154 ? 0 : -2;
    }
}

static enum decode_event icmp6_unknown(uint8_t type)
{
    bool experiment = type == 100 || type == 101 || type == 200 || type == 201;
    bool unassigned = (type > 4 && type < 127) || (type >= 160);

    if (experiment)
        return DEV_ICMPV6_EXPERIMENTATION_TYPE;
    return unassigned ? DEV_ICMPV6_UNASSIGNED_TYPE : DEV_ICMPV6_UNKNOWN_TYPE;
}

static void icmp6_info(struct packet *p)
{
    int codes = icmp6_codes(p->icmp_type);

    if (codes == -2)
        decode_event(p, icmp6_unknown(p->icmp_type));
    else if (p->icmp_type == 138) /* router renumbering, RFC 2894 */
        codes = p->icmp_code == 255 ? 255 : 2;
    if (codes >= 0 && p->icmp_code > codes)
        decode_event(p, DEV_ICMPV6_UNKNOWN_CODE);
    if (p->icmp_type >= 130 && p->icmp_type <= 132 && p->ttl != 1) /* RFC 2710 3 */
        decode_event(p, DEV_ICMPV6_MLD_MESSAGE_WITH_INVALID_HL);
}

bool decode_icmp6(struct decoder *d, struct packet *p, struct span s)
{
    decode_count(d, DC_ICMPV6);
    if (s.n < ICMP_N)
        return decode_bad(p, DEV_ICMPV6_PKT_TOO_SMALL);
    fill(d, p, s);
    int codes = icmp6_error_codes(p->icmp_type);
    bool eight = false; /* is the header eight bytes long, or but four? */
    if (codes >= 0) {
        eight = p->icmp_code <= codes;
        if (eight)
            inner_ipv6(p, p->payload);
        else
            decode_event(p, DEV_ICMPV6_UNKNOWN_CODE);
    } else if (p->icmp_type == 128 || p->icmp_type == 129) {
        eight = p->icmp_code == 0;
        if (eight)
            identify(p);
        else
            decode_event(p, DEV_ICMPV6_UNKNOWN_CODE);
    } else {
        icmp6_info(p);
    }
    if (!eight)
        p->payload = span_from(s, 4);
    return true;
}
