/* SPDX-License-Identifier: Apache-2.0 */
/* Conditions on the packet's headers. Each answers from the decoded packet alone; a header that is
 * not there is no match. */
#include "base/rd.h"
#include "detect/keyword.h"
#include "detect/match.h"
#include "detect/worker.h"
#include "flow/stream.h"
#include "packet/decode.h"

enum { ICMP = 1, TCP = 6, UDP = 17, ICMPV6 = 58 };

static enum found found_if(bool holds)
{
    return holds ? FOUND : FOUND_NOT;
}

static bool is_tcp(const struct inspection *in)
{
    return packet_is(in->p, TCP);
}

static bool is_icmp(const struct inspection *in)
{
    return packet_is(in->p, ICMP) || packet_is(in->p, ICMPV6);
}

static bool bits_hold(uint8_t op, unsigned have, unsigned want)
{
    switch (op) {
    case '+':
        return (have & want) == want;
    case '*':
        return (have & want) != 0;
    case '!':
        return (have & want) == 0;
    default:
        return have == want;
    }
}

enum found match_tcp_flags(struct inspection *in, const struct match *m)
{
    const struct flags_cond *c = m->data;

    if (!is_tcp(in))
        return FOUND_NOT;
    unsigned have = in->p->tcp.flags & ~(unsigned)c->ignore;
    if (c->op == '!' && c->flags != 0xff)
        return found_if((have & c->flags) != c->flags);
    return found_if(bits_hold(c->op, have, c->flags) != c->negated);
}

enum found match_tcp_seq(struct inspection *in, const struct match *m)
{
    return found_if(is_tcp(in) && uint_cond_match(m->data, in->p->tcp.seq));
}

enum found match_tcp_ack(struct inspection *in, const struct match *m)
{
    return found_if(is_tcp(in) && uint_cond_match(m->data, in->p->tcp.ack));
}

enum found match_tcp_window(struct inspection *in, const struct match *m)
{
    return found_if(is_tcp(in) && uint_cond_match(m->data, in->p->tcp.window));
}

enum found match_tcp_mss(struct inspection *in, const struct match *m)
{
    return found_if(is_tcp(in) && in->p->tcp.has_mss && uint_cond_match(m->data, in->p->tcp.mss));
}

enum found match_tcp_wscale(struct inspection *in, const struct match *m)
{
    return found_if(is_tcp(in) && in->p->tcp.has_wscale &&
                    uint_cond_match(m->data, in->p->tcp.wscale));
}

enum found match_ttl(struct inspection *in, const struct match *m)
{
    return found_if(in->p->ip_v && uint_cond_match(m->data, in->p->ttl));
}

enum found match_tos(struct inspection *in, const struct match *m)
{
    const struct tos *t = m->data;

    return found_if(in->p->ip_v == 4 && (in->p->tos == t->tos) != t->negated);
}

enum found match_ip_id(struct inspection *in, const struct match *m)
{
    return found_if(in->p->ip_v == 4 && uint_cond_match(m->data, in->p->ip_id));
}

enum found match_ipopts(struct inspection *in, const struct match *m)
{
    const struct ipopts *o = m->data;

    if (in->p->ip_v != 4)
        return FOUND_NOT;
    return found_if(o->any ? in->p->ip_options.n > 0 : (in->p->ip_option_seen & o->bits) != 0);
}

enum found match_ip_proto(struct inspection *in, const struct match *m)
{
    const struct ip_proto_cond *c = m->data;

    return found_if(in->p->ip_v && (c->set[in->p->proto >> 3] >> (in->p->proto & 7) & 1));
}

enum found match_l3_proto(struct inspection *in, const struct match *m)
{
    return found_if(in->p->ip_v == ((const struct l3_proto *)m->data)->version);
}

enum found match_fragbits(struct inspection *in, const struct match *m)
{
    const struct fragbits *b = m->data;

    if (in->p->ip_v != 4)
        return FOUND_NOT;
    unsigned have = in->p->ip_flags & 0xe000u;
    return found_if(bits_hold(b->op, have, b->bits));
}

enum found match_fragoffset(struct inspection *in, const struct match *m)
{
    if (in->p->ip_v != 4)
        return FOUND_NOT;
    return found_if(uint_cond_match(m->data, in->p->ip_flags & 0x1fffu));
}

enum found match_sameip(struct inspection *in, const struct match *m)
{
    (void)m;
    return found_if(in->p->ip_v && ip_eq(&in->p->src, &in->p->dst));
}

enum found match_dsize(struct inspection *in, const struct match *m)
{
    const struct uint_cond *c = m->data;

    if ((in->p->flags & PKT_PSEUDO) || !in->p->ip_v)
        return FOUND_NOT;
    if (in->p->payload.n == 0 && !in->d->has_stream && c->op == UINT_NE)
        return FOUND_NOT; /* as other conditions on content it needs some */
    return found_if(uint_cond_match(c, in->p->payload.n));
}

enum found match_itype(struct inspection *in, const struct match *m)
{
    return found_if(is_icmp(in) && uint_cond_match(m->data, in->p->icmp_type));
}

enum found match_icmpv4_type(struct inspection *in, const struct match *m)
{
    return match_itype(in, m);
}

enum found match_icode(struct inspection *in, const struct match *m)
{
    return found_if(is_icmp(in) && uint_cond_match(m->data, in->p->icmp_code));
}

/* Identifier and sequence number exist in the messages that ask and answer. */
static bool icmp_has_id(const struct packet *p)
{
    if (p->proto == ICMP) {
        switch (p->icmp_type) {
        case 0:
        case 8:
        case 13:
        case 14:
        case 15:
        case 16:
        case 17:
        case 18:
            return true;
        default:
            return false;
        }
    }
    return p->icmp_type == 128 || p->icmp_type == 129;
}

enum found match_icmp_id(struct inspection *in, const struct match *m)
{
    return found_if(is_icmp(in) && icmp_has_id(in->p) && uint_cond_match(m->data, in->p->icmp_id));
}

enum found match_icmp_seq(struct inspection *in, const struct match *m)
{
    return found_if(is_icmp(in) && icmp_has_id(in->p) && uint_cond_match(m->data, in->p->icmp_seq));
}

enum found match_icmpv6_mtu(struct inspection *in, const struct match *m)
{
    const struct packet *p = in->p;

    if (!packet_is(p, ICMPV6) || p->icmp_type != 2 || p->ip_payload.n < 8)
        return FOUND_NOT;
    return found_if(uint_cond_match(m->data, be32(p->ip_payload.p + 4)));
}

static uint64_t sum_words(uint64_t sum, struct span s)
{
    size_t i = 0;

    for (; i + 1 < s.n; i += 2)
        sum += be16(s.p + i);
    if (i < s.n)
        sum += (uint64_t)s.p[i] << 8;
    return sum;
}

static bool sum_is_good(uint64_t sum)
{
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return sum == 0xffff;
}

/* RFC 1071 over the pseudo header of RFC 793/8200 and the payload. */
static bool l4_sum_good(const struct packet *p, bool pseudo_header)
{
    uint64_t sum = 0;
    struct span body = p->ip_payload;

    if (pseudo_header) {
        size_t from = p->ip_v == 4 ? 12 : 0;
        sum = sum_words(sum, (struct span){p->src.b + from, 16 - from});
        sum = sum_words(sum, (struct span){p->dst.b + from, 16 - from});
        sum += p->proto + body.n;
    }
    return sum_is_good(sum_words(sum, body));
}

enum found match_csum(struct inspection *in, const struct match *m)
{
    const struct csum *c = m->data;
    const struct packet *p = in->p;
    bool good;

    if (p->ip_v != c->ip_v || (p->flags & (PKT_PSEUDO | PKT_REBUILT)))
        return FOUND_NOT;
    if (c->proto == 0) {
        good = sum_is_good(sum_words(0, (struct span){p->ip, p->ip_head_n}));
    } else {
        if (!packet_is(p, c->proto))
            return FOUND_NOT;
        if (c->proto == UDP && p->ip_v == 4 && p->ip_payload.n >= 8 && be16(p->l4 + 6) == 0)
            return FOUND_NOT; /* the sender made none */
        good = l4_sum_good(p, c->proto != ICMP);
    }
    return found_if(good == c->valid);
}

static bool has_event(const struct packet *p, uint16_t event)
{
    for (uint8_t i = 0; i < p->n_events; i++)
        if (p->events[i] == event)
            return true;
    return false;
}

enum found match_decode_event(struct inspection *in, const struct match *m)
{
    return found_if(has_event(in->p, ((const struct event_cond *)m->data)->event));
}

enum found match_stream_event(struct inspection *in, const struct match *m)
{
    uint16_t event = ((const struct event_cond *)m->data)->event;

    if (event < STREAM_EVENT_BASE)
        event = (uint16_t)(event + STREAM_EVENT_BASE);
    return found_if(has_event(in->p, event));
}

enum found match_stream_size(struct inspection *in, const struct match *m)
{
    const struct stream_size *s = m->data;

    if (!in->f || !in->f->tcp || !is_tcp(in))
        return FOUND_NOT;
    bool client = uint_cond_match(&s->n, stream_size(in->f, DIR_TS));
    bool server = uint_cond_match(&s->n, stream_size(in->f, DIR_TC));
    switch (s->side) {
    case 's':
        return found_if(server);
    case 'c':
        return found_if(client);
    case 'b':
        return found_if(server && client);
    default:
        return found_if(server || client);
    }
}

enum found match_vlan_layers(struct inspection *in, const struct match *m)
{
    return found_if(uint_cond_match(m->data, in->p->n_vlan));
}

enum found match_vlan_id(struct inspection *in, const struct match *m)
{
    const struct vlan_id *v = m->data;
    const struct packet *p = in->p;
    unsigned hits = 0;

    if (v->which == INDEX_COUNT)
        return found_if(uint_cond_match(&v->id, p->n_vlan));
    if (v->which == INDEX_ONE) {
        int at = v->layer < 0 ? p->n_vlan + v->layer : v->layer;
        return found_if(at >= 0 && at < p->n_vlan && uint_cond_match(&v->id, p->vlan[at]));
    }
    for (uint8_t i = 0; i < p->n_vlan; i++)
        hits += uint_cond_match(&v->id, p->vlan[i]);
    if (v->which == INDEX_ANY)
        return found_if(hits > 0);
    return found_if(hits == p->n_vlan && (v->which == INDEX_ALL || p->n_vlan > 0));
}
