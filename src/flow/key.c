/* SPDX-License-Identifier: Apache-2.0 */
/* Which flow a packet belongs to, as Suricata tells it: addresses, ports (ICMP: type and the type
 * that answers it), protocol, tunnel depth and VLANs, the same for both directions. ICMPv4
 * "unreachable" that carries a packet belongs to that packet's flow; ESP is told by its SPI and
 * has a flow for each direction. Direction is judged by ports, then by addresses; protocols
 * without ports know only "to the server". */
#include "flow/table.h"

enum {
    P_ICMP = 1,
    P_IPIP = 4,
    P_TCP = 6,
    P_UDP = 17,
    P_IPV6 = 41,
    P_ESP = 50,
    P_ICMPV6 = 58,
    P_SCTP = 132,
};

static bool has_ports(uint8_t proto)
{
    return proto == P_TCP || proto == P_UDP || proto == P_SCTP;
}

int flow_icmp_counterpart(uint8_t ip_v, uint8_t type)
{
    static const uint8_t v4[][2] = {{8, 0}, {13, 14}, {15, 16}, {17, 18}};
    static const uint8_t v6[][2] = {{128, 129}, {130, 131}, {133, 134}, {135, 136},
                                    {139, 140}, {144, 145}, {146, 147}};
    const uint8_t(*pair)[2] = ip_v == 4 ? v4 : v6;
    size_t n = ip_v == 4 ? LEN(v4) : LEN(v6);

    for (size_t i = 0; i < n; i++) {
        if (pair[i][0] == type)
            return pair[i][1];
        if (pair[i][1] == type)
            return pair[i][0];
    }
    return -1;
}

bool flow_icmp_is_error(const struct packet *p)
{
    return p->proto == P_ICMP && p->ip_v == 4 &&
           (p->icmp_type == 3 || p->icmp_type == 4 || p->icmp_type == 5 || p->icmp_type == 11 ||
            p->icmp_type == 12);
}

static bool wants_flow(const struct packet *p)
{
    bool broken = (p->flags & PKT_INVALID) && !(p->flags & PKT_WANTS_FLOW);

    if (p->ip_v == 0 || (p->flags & PKT_FRAGMENT) || broken)
        return false;
    switch (p->proto) {
    case P_TCP:
    case P_UDP:
    case P_SCTP:
    case P_ESP:
    case P_ICMPV6:
    case P_ICMP:
        return p->l4 != NULL;
    case P_IPIP:
    case P_IPV6:
        return true;
    default:
        return false;
    }
}

static void tuple_sides(struct flow_tuple *t, const struct ip *src, const struct ip *dst,
                        uint16_t sport, uint16_t dport)
{
    int order = memcmp(src->b, dst->b, 16);

    if (order > 0 || (order == 0 && sport > dport)) {
        const struct ip *swap = src;
        uint16_t port = sport;
        src = dst;
        dst = swap;
        sport = dport;
        dport = port;
    }
    memcpy(t->a, src->b, 16);
    memcpy(t->b, dst->b, 16);
    t->a_port = sport;
    t->b_port = dport;
}

bool flow_tuple_of(const struct flow_conf *c, const struct packet *p, struct flow_tuple *ret)
{
    if (!wants_flow(p))
        return false;
    memset(ret, 0, sizeof(*ret));
    ret->family = p->src.family;
    ret->proto = p->proto;
    ret->depth = c->depth_is_key ? p->depth : 0;
    if (c->vlan_is_key)
        memcpy(ret->vlan, p->vlan, p->n_vlan * sizeof(p->vlan[0]));
    if (p->proto == P_ICMP && p->ip_v == 4 && p->icmp_type == 3 && p->icmp_inner) {
        ret->proto = p->icmp_inner_proto;
        tuple_sides(ret, &p->icmp_inner_src, &p->icmp_inner_dst, p->icmp_inner_sport,
                    p->icmp_inner_dport);
    } else if (p->proto == P_ICMP || p->proto == P_ICMPV6) {
        int answer = flow_icmp_counterpart(p->ip_v, p->icmp_type);
        tuple_sides(ret, &p->src, &p->dst, p->icmp_type, answer < 0 ? 0 : (uint16_t)answer);
    } else if (p->proto == P_ESP) {
        memcpy(ret->a, p->src.b, 16);
        memcpy(ret->b, p->dst.b, 16);
        ret->spi = p->esp_spi;
    } else if (has_ports(p->proto)) {
        tuple_sides(ret, &p->src, &p->dst, p->sport, p->dport);
    } else {
        tuple_sides(ret, &p->src, &p->dst, 0, 0);
    }
    return true;
}

enum dir flow_direction(const struct flow *f, const struct packet *p)
{
    if (has_ports(p->proto)) {
        if (p->sport != p->dport)
            return f->key.sport == p->sport ? DIR_TS : DIR_TC;
        return ip_eq(&f->key.src, &p->src) ? DIR_TS : DIR_TC;
    }
    if (p->proto == P_ICMP || p->proto == P_ICMPV6)
        return ip_eq(&f->key.src, &p->src) ? DIR_TS : DIR_TC;
    return DIR_TS;
}
