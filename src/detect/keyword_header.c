/* SPDX-License-Identifier: Apache-2.0 */
/* Keywords on packet headers. Most are one comparison with a number. */
#include "detect/setup.h"
#include "flow/stream.h"
#include "packet/decode.h"
#include "packet/ip_options.h"

#include <netinet/in.h>

static bool uint_condition(struct build *b, const struct option *o, uint64_t max)
{
    struct uint_cond *c = build_get(b, sizeof(*c));
    if (!parse_uint_cond(b, o->value, max, c))
        return false;
    build_add_packet(b, o->keyword, c);
    return true;
}

bool setup_uint8(struct build *b, const struct option *o)
{
    return uint_condition(b, o, UINT8_MAX);
}

bool setup_uint16(struct build *b, const struct option *o)
{
    return uint_condition(b, o, UINT16_MAX);
}

bool setup_uint32(struct build *b, const struct option *o)
{
    return uint_condition(b, o, UINT32_MAX);
}

bool setup_dsize(struct build *b, const struct option *o)
{
    for (const struct match *m = b->r->packet_matches; m; m = m->next)
        if (m->kind == KW_DSIZE)
            return rule_fail(b, "it stands twice in the rule");
    return uint_condition(b, o, UINT16_MAX);
}

/* "id:!5" is not offered, but numbers may be quoted. */
bool setup_ip_id(struct build *b, const struct option *o)
{
    struct option plain = *o;
    if (plain.value.n >= 2 && plain.value.p[0] == '"' && plain.value.p[plain.value.n - 1] == '"')
        plain.value = span_cut(plain.value, 1, plain.value.n - 2);
    return uint_condition(b, &plain, UINT16_MAX);
}

bool setup_window(struct build *b, const struct option *o)
{
    struct uint_cond *c = build_get(b, sizeof(*c));
    if (!parse_uint_cond(b, o->value, UINT16_MAX, c))
        return false;
    if (o->negated && c->op != UINT_EQ)
        return rule_fail_at(b, o->value.p, "a negated comparison is not possible");
    c->op = o->negated ? UINT_NE : c->op;
    build_add_packet(b, KW_TCP_WINDOW, c);
    return true;
}

bool setup_tos(struct build *b, const struct option *o)
{
    struct tos *t = build_get(b, sizeof(*t));
    struct span text = o->value;
    uint64_t v;
    char hex[8] = "0";
    if (text.n > 1 && text.n < 5 && (text.p[0] | 0x20) == 'x') {
        memcpy(hex + 1, text.p, text.n);
        text = span_of(hex, text.n + 1);
    }
    if (!parse_uint(text, false, &v) || v > 255)
        return rule_fail_at(b, o->value.p, "a number from 0 to 255 expected");
    t->tos = (uint8_t)v;
    t->negated = o->negated;
    build_add_packet(b, KW_TOS, t);
    return true;
}

bool setup_ipopts(struct build *b, const struct option *o)
{
    static const struct {
        const char *name;
        uint8_t option;
    } names[] = {{"rr", IPOPT_RR},     {"lsrr", IPOPT_LSRR},   {"eol", IPOPT_EOL},
                 {"nop", IPOPT_NOP},   {"ts", IPOPT_TS},       {"sec", IPOPT_SEC},
                 {"esec", IPOPT_ESEC}, {"ssrr", IPOPT_SSRR},   {"satid", IPOPT_SID},
                 {"qs", IPOPT_QS},     {"cipso", IPOPT_CIPSO}, {"rtralt", IPOPT_RTRALT}};
    struct ipopts *i = build_get(b, sizeof(*i));
    i->any = span_ieq(o->value, SPAN("any"));
    for (size_t k = 0; k < LEN(names); k++)
        if (span_ieq(o->value, span_str(names[k].name)))
            i->bits = 1u << names[k].option;
    if (!i->any && !i->bits)
        return rule_fail_at(b, o->value.p, "\"%.*s\" is not the name of an option",
                            (int)min_size(o->value.n, 40), (const char *)o->value.p);
    build_add_packet(b, KW_IPOPTS, i);
    return true;
}

/* Protocol numbers by their IANA names; the system's own table is not asked, so that a rule means
 * the same everywhere. */
static bool ip_proto_number(struct span s, uint8_t *ret)
{
    static const struct {
        const char *name;
        uint8_t number;
    } names[] = {{"ip", 0},         {"hopopt", 0},       {"icmp", 1},       {"igmp", 2},
                 {"ggp", 3},        {"ipencap", 4},      {"ipip", 4},       {"st", 5},
                 {"tcp", 6},        {"egp", 8},          {"igp", 9},        {"pup", 12},
                 {"udp", 17},       {"hmp", 20},         {"xns-idp", 22},   {"rdp", 27},
                 {"iso-tp4", 29},   {"dccp", 33},        {"xtp", 36},       {"ddp", 37},
                 {"ipv6", 41},      {"ipv6-route", 43},  {"ipv6-frag", 44}, {"idrp", 45},
                 {"rsvp", 46},      {"gre", 47},         {"esp", 50},       {"ah", 51},
                 {"skip", 57},      {"ipv6-icmp", 58},   {"icmpv6", 58},    {"ipv6-nonxt", 59},
                 {"ipv6-opts", 60}, {"rspf", 73},        {"vmtp", 81},      {"eigrp", 88},
                 {"ospf", 89},      {"ospfigp", 89},     {"ax.25", 93},     {"etherip", 97},
                 {"encap", 98},     {"pim", 103},        {"ipcomp", 108},   {"vrrp", 112},
                 {"l2tp", 115},     {"isis", 124},       {"sctp", 132},     {"fc", 133},
                 {"udplite", 136},  {"mpls-in-ip", 137}, {"hip", 139},      {"shim6", 140}};
    uint64_t v;
    if (span_u64(s, &v) && v < 256) {
        *ret = (uint8_t)v;
        return true;
    }
    for (size_t i = 0; i < LEN(names); i++)
        if (span_ieq(s, span_str(names[i].name))) {
            *ret = names[i].number;
            return true;
        }
    return false;
}

bool setup_ip_proto(struct build *b, const struct option *o)
{
    struct ip_proto_cond *c = build_get(b, sizeof(*c));
    struct span text = o->value;
    uint8_t sign = o->negated ? '!' : '=', number;
    if (text.n && (text.p[0] == '<' || text.p[0] == '>')) {
        sign = text.p[0];
        text = span_trim(span_from(text, 1));
    }
    if (!ip_proto_number(text, &number))
        return rule_fail_at(b, text.p, "\"%.*s\" is not an IP protocol", (int)min_size(text.n, 40),
                            (const char *)text.p);
    bool some = false;
    for (unsigned i = 0; i < 256; i++) {
        bool in = sign == '='   ? i == number
                  : sign == '!' ? i != number
                  : sign == '<' ? i < number
                                : i > number;
        if (in && b->r->ip_proto[i / 8] >> i % 8 & 1) {
            c->set[i / 8] |= (uint8_t)(1u << i % 8);
            some = true;
        }
    }
    if (!some)
        return rule_fail(b, "no protocol is left");
    memcpy(b->r->ip_proto, c->set, sizeof(c->set));
    build_add(b, LIST_PACKET, KW_IP_PROTO, c);
    return true;
}

bool setup_l3_proto(struct build *b, const struct option *o)
{
    struct l3_proto *l = build_get(b, sizeof(*l));
    if (span_ieq(o->value, SPAN("ipv4")) || span_ieq(o->value, SPAN("ip4")))
        l->version = 4;
    else if (span_ieq(o->value, SPAN("ipv6")) || span_ieq(o->value, SPAN("ip6")))
        l->version = 6;
    else
        return rule_fail_at(b, o->value.p, "ipv4 or ipv6 expected");
    build_add_packet(b, KW_L3_PROTO, l);
    return true;
}

/* The sign before or behind the letters: + all, * any, ! none. */
static uint8_t flag_sign(struct span *s)
{
    for (int end = 0; end < 2 && s->n; end++) {
        uint8_t c = s->p[end ? s->n - 1 : 0];
        if (c != '+' && c != '*' && c != '!')
            continue;
        *s = span_trim(span_cut(*s, end ? 0 : 1, s->n - 1));
        return c;
    }
    return 0;
}

bool setup_fragbits(struct build *b, const struct option *o)
{
    struct fragbits *f = build_get(b, sizeof(*f));
    struct span s = o->value;
    f->op = flag_sign(&s);
    for (size_t i = 0; i < s.n; i++) {
        uint8_t c = (uint8_t)(s.p[i] | 0x20);
        if (c == 'm')
            f->bits |= 0x2000;
        else if (c == 'd')
            f->bits |= 0x4000;
        else if (c == 'r')
            f->bits |= 0x8000;
        else
            return rule_fail_at(b, s.p + i, "'%c' is not one of M, D, R", s.p[i]);
    }
    if (!f->bits)
        return rule_fail_at(b, o->value.p, "no flag is given");
    build_add_packet(b, KW_FRAGBITS, f);
    return true;
}

static bool tcp_flag_letters(struct build *b, struct span s, uint8_t *ret)
{
    static const char letters[] = "FSRPAUEC";
    for (size_t i = 0; i < s.n; i++) {
        uint8_t c = s.p[i];
        const char *at = strchr(letters, c & ~0x20 ? (c & ~0x20) : ' ');
        if (at)
            *ret |= (uint8_t)(1u << (at - letters));
        else if (c == '1')
            *ret |= TCP_CWR;
        else if (c == '2')
            *ret |= TCP_ECE;
        else if (c != '0')
            return rule_fail_at(b, s.p + i, "'%c' is not a TCP flag", c);
    }
    return true;
}

bool setup_tcp_flags(struct build *b, const struct option *o)
{
    struct flags_cond *f = build_get(b, sizeof(*f));
    struct span ignore = o->value;
    struct span s = next_element(&ignore);
    ignore = span_trim(ignore);
    f->op = flag_sign(&s);
    if (!s.n)
        return rule_fail_at(b, o->value.p, "no flag is given");
    if (!tcp_flag_letters(b, s, &f->flags) || !tcp_flag_letters(b, ignore, &f->ignore))
        return false;
    build_add_packet(b, KW_TCP_FLAGS, f);
    return true;
}

bool setup_sameip(struct build *b, const struct option *o)
{
    build_add_packet(b, o->keyword, NULL);
    return true;
}

static bool csum(struct build *b, const struct option *o, uint8_t version, uint8_t proto)
{
    struct csum *c = build_get(b, sizeof(*c));
    c->ip_v = version;
    c->proto = proto;
    c->valid = span_ieq(o->value, SPAN("valid"));
    if (!c->valid && !span_ieq(o->value, SPAN("invalid")))
        return rule_fail_at(b, o->value.p, "valid or invalid expected");
    build_add_packet(b, o->keyword, c);
    return true;
}

bool setup_csum_ipv4(struct build *b, const struct option *o)
{
    return csum(b, o, 4, 0);
}

bool setup_csum_tcpv4(struct build *b, const struct option *o)
{
    return csum(b, o, 4, IPPROTO_TCP);
}

bool setup_csum_tcpv6(struct build *b, const struct option *o)
{
    return csum(b, o, 6, IPPROTO_TCP);
}

bool setup_csum_udpv4(struct build *b, const struct option *o)
{
    return csum(b, o, 4, IPPROTO_UDP);
}

bool setup_csum_udpv6(struct build *b, const struct option *o)
{
    return csum(b, o, 6, IPPROTO_UDP);
}

bool setup_csum_icmpv4(struct build *b, const struct option *o)
{
    return csum(b, o, 4, IPPROTO_ICMP);
}

bool setup_csum_icmpv6(struct build *b, const struct option *o)
{
    return csum(b, o, 6, IPPROTO_ICMPV6);
}

/* "100", ">100,1", "count", ">2,count", "5,any": the comparison and which layer it is about. */
bool setup_vlan_id(struct build *b, const struct option *o)
{
    struct vlan_id *v = build_get(b, sizeof(*v));
    struct span rest = o->value;
    struct span id = next_element(&rest);
    struct span layer = span_trim(rest);
    int64_t n;
    v->which = INDEX_ANY;
    if (span_eq(layer, SPAN("all")))
        v->which = INDEX_ALL;
    else if (span_eq(layer, SPAN("all1")))
        v->which = INDEX_ALL1;
    else if (span_eq(layer, SPAN("count")))
        v->which = INDEX_COUNT;
    else if (parse_int(layer, -3, 2, &n)) {
        v->which = INDEX_ONE;
        v->layer = (int8_t)n;
    } else if (layer.n && !span_eq(layer, SPAN("any")))
        return rule_fail_at(b, layer.p, "any, all, all1, count or a layer from -3 to 2 expected");
    if (!parse_uint_cond(b, id, 4095, &v->id))
        return false;
    build_add_packet(b, KW_VLAN_ID, v);
    return true;
}

static bool event_add(struct build *b, const struct option *o, unsigned event)
{
    struct event_cond *e = build_get(b, sizeof(*e));
    e->event = (uint16_t)event;
    build_add(b, LIST_PACKET, o->keyword, e);
    return true;
}

static bool event_unknown(struct build *b, struct span name)
{
    struct nearest near = nearest_to(name);
    for (unsigned e = 0; e < DECODE_EVENTS; e++)
        nearest_try(&near, span_str(decode_event_rule((enum decode_event)e)));
    for (unsigned e = 0; e < STREAM_EVENTS; e++)
        nearest_try(&near, span_str(stream_event_rule((enum stream_event)e)));
    return rule_fail_at(b, name.p, "\"%.*s\" is not the name of an event%s",
                        (int)min_size(name.n, 60), (const char *)name.p, nearest_text(&near));
}

bool setup_stream_event(struct build *b, const struct option *o)
{
    struct span name = o->value;
    if (span_starts(name, SPAN("stream.")))
        name = span_from(name, 7);
    enum stream_event e = stream_event_find(name);
    return e < STREAM_EVENTS ? event_add(b, o, e) : event_unknown(b, name);
}

bool setup_decode_event(struct build *b, const struct option *o)
{
    struct span name = o->value;
    struct option stream = *o;
    if (span_starts(name, SPAN("decoder.")))
        name = span_from(name, 8);
    if (span_starts(name, SPAN("stream."))) {
        stream.keyword = KW_STREAM_EVENT;
        return setup_stream_event(b, &stream);
    }
    enum decode_event e = decode_event_find(name);
    return e < DECODE_EVENTS ? event_add(b, o, e) : event_unknown(b, name);
}
