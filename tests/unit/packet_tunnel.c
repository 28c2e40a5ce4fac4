/* SPDX-License-Identifier: Apache-2.0 */
/* Tunnels: what is inside becomes a packet of its own, visited before the one around it; what only
 * looks like a tunnel leaves no trace; depth is bounded. */
#include "packet_build.h"

static void inner_udp(struct wr *w, uint16_t dport)
{
    size_t ip = build_ipv4(w, 17, 0);

    build_udp(w, 5000, dport, 0);
    build_ipv4_end(w, ip);
}

/* The whole frame: Ethernet, IPv4 of `proto`, `head`, then an inner datagram to port 99. */
static void carry(uint8_t proto, struct span head, struct seen *s)
{
    struct wr w = build_start();

    build_ethernet(&w, 0x0800);
    size_t ip = build_ipv4(&w, proto, 0);
    wr_bytes(&w, head);
    inner_udp(&w, 99);
    build_ipv4_end(&w, ip);
    decode_built(&w, LINK_ETHERNET, s);
}

/* The same over UDP to `port`. */
static void carry_udp(uint16_t port, struct span head, struct seen *s)
{
    struct wr w = build_start();

    build_ethernet(&w, 0x0800);
    size_t ip = build_ipv4(&w, 17, 0);
    build_udp(&w, 40000, port, head.n + 28);
    wr_bytes(&w, head);
    inner_udp(&w, 99);
    build_ipv4_end(&w, ip);
    decode_built(&w, LINK_ETHERNET, s);
}

static bool tunneled(const struct seen *s, enum packet_source source)
{
    const struct packet *in = &s->all[0];

    return s->n == 2 && in->source == source && in->dport == 99 && in->depth == 1 &&
           in->flags & PKT_TUNNELED && in->number == 0 && in->ts_ns == build_now_ns &&
           s->last.flags & PKT_TUNNEL_OUTER && s->last.n_events == 0;
}

static void ip_in_ip(void)
{
    struct seen s;
    struct wr w = build_start();

    carry(4, SPAN(""), &s);
    CHECK(tunneled(&s, SRC_IPV4) && s.last.flags & PKT_WANTS_FLOW);
    size_t six = build_ipv6(&w, 4);
    inner_udp(&w, 99);
    build_ipv6_end(&w, six);
    decode_built(&w, LINK_RAW, &s);
    CHECK(tunneled(&s, SRC_IPV6));
    w = build_start();
    six = build_ipv6(&w, 41);
    size_t in = build_ipv6(&w, 17);
    build_udp(&w, 1, 99, 0);
    build_ipv6_end(&w, in);
    build_ipv6_end(&w, six);
    decode_built(&w, LINK_RAW, &s);
    CHECK(tunneled(&s, SRC_IPV6) && s.all[0].ip_v == 6);
    w = build_start();
    size_t four = build_ipv4(&w, 41, 0);
    in = build_ipv6(&w, 17);
    build_udp(&w, 1, 99, 0);
    build_ipv6_end(&w, in);
    build_ipv4_end(&w, four);
    decode_built(&w, LINK_RAW, &s);
    CHECK(tunneled(&s, SRC_IPV4) && s.all[0].ip_v == 6);
    w = build_start();
    four = build_ipv4(&w, 4, 0); /* not IPv4 inside: no second packet, no flag */
    wr_bytes(&w, SPAN("notanippacketatallnono"));
    build_ipv4_end(&w, four);
    decode_built(&w, LINK_RAW, &s);
    CHECK(s.n == 1 && !(s.last.flags & PKT_TUNNEL_OUTER));
}

static bool gre_says(struct span head, enum decode_event e)
{
    struct seen s;

    carry(47, head, &s);
    return s.n == 1 && only_event(&s, e) && s.last.flags & PKT_INVALID;
}

static void gre(void)
{
    struct seen s;
    struct wr w = build_start();

    carry(47, SPAN("\0\0\x08\0"), &s);
    CHECK(tunneled(&s, SRC_GRE) && !(s.last.flags & PKT_WANTS_FLOW));
    carry(47, SPAN("\xb0\0\x08\0\0\0\0\0\0\0\0\1\0\0\0\2"), &s); /* checksum, key, sequence */
    CHECK(tunneled(&s, SRC_GRE));
    carry(47, SPAN("\x40\0\x08\0\0\0\0\0\x08\0\0\4abcd\0\0\0\0"), &s); /* one source route */
    CHECK(tunneled(&s, SRC_GRE));
    carry(47, SPAN("\x30\x81\x88\x0b\0\0\0\0\0\0\0\1\0\0\0\2\xff\3\0\x21"), &s); /* PPTP */
    CHECK(tunneled(&s, SRC_GRE));
    carry(47, SPAN("\0\0\x99\x99"), &s); /* an unknown payload is nobody's fault */
    CHECK(s.n == 1 && s.last.n_events == 0);
    CHECK(gre_says(SPAN("\1\0\x08\0"), DEV_GRE_VERSION0_RECUR));
    CHECK(gre_says(SPAN("\0\x08\x08\0"), DEV_GRE_VERSION0_FLAGS));
    CHECK(gre_says(SPAN("\x40\0\x08\0\0\0\0\0\x08\0\0\xff"), DEV_GRE_VERSION0_MALFORMED_SRE_HDR));
    CHECK(gre_says(SPAN("\0\2\x08\0"), DEV_GRE_WRONG_VERSION));
    CHECK(gre_says(SPAN("\xa0\1\x88\x0b"), DEV_GRE_VERSION1_CHKSUM));
    CHECK(gre_says(SPAN("\x60\1\x88\x0b"), DEV_GRE_VERSION1_ROUTE));
    CHECK(gre_says(SPAN("\x28\1\x88\x0b"), DEV_GRE_VERSION1_SSR));
    CHECK(gre_says(SPAN("\x21\1\x88\x0b"), DEV_GRE_VERSION1_RECUR));
    CHECK(gre_says(SPAN("\x20\x09\x88\x0b"), DEV_GRE_VERSION1_FLAGS));
    CHECK(gre_says(SPAN("\x20\1\x08\0"), DEV_GRE_VERSION1_WRONG_PROTOCOL));
    CHECK(gre_says(SPAN("\0\1\x88\x0b"), DEV_GRE_VERSION1_NO_KEY));
    static const struct {
        const char *head;
        size_t n;
        enum decode_event event;
    } cut[] = {
        {"\0\0\x08", 3, DEV_GRE_PKT_TOO_SMALL},
        {"\xb0\0\x08\0\0\0\0", 7, DEV_GRE_VERSION0_HDR_TOO_BIG},
        {"\x30\1\x88\x0b\0\0\0\0\0", 9, DEV_GRE_VERSION1_HDR_TOO_BIG},
    };
    for (size_t i = 0; i < LEN(cut); i++) {
        w = build_start();
        size_t ip = build_ipv4(&w, 47, 0);
        wr_bytes(&w, span_of(cut[i].head, cut[i].n));
        build_ipv4_end(&w, ip);
        decode_built(&w, LINK_RAW, &s);
        CHECK(only_event(&s, cut[i].event));
    }
}

static void erspan(void)
{
    struct seen s;
    struct span frame = SPAN("\x10\0\x88\xbe\0\0\0\1" /* GRE with a sequence number */
                             "\x10\x07\0\0\0\0\0\0"   /* version 1, VLAN 7 */
                             "\2\0\0\0\0\2\2\0\0\0\0\1\x08\0" /* Ethernet */);
    uint8_t b[64];

    carry(47, frame, &s);
    CHECK(tunneled(&s, SRC_GRE) && s.all[0].n_vlan == 1 && s.all[0].vlan[0] == 7);
    memcpy(b, frame.p, frame.n);
    b[8] = 0x20;
    carry(47, span_of(b, frame.n), &s);
    CHECK(s.n == 1 && s.last.n_events == 0);
}

static void over_udp(void)
{
    struct seen s;
    struct wr w = build_start();

    carry_udp(4789, SPAN("\x08\0\0\0\0\0\1\0\2\0\0\0\0\2\2\0\0\0\0\1\x08\0"), &s);
    CHECK(tunneled(&s, SRC_VXLAN));
    carry_udp(4789, SPAN("\x08\0\0\0\0\0\1\0\2\0\0\0\0\2\2\0\0\0\0\1\x81\0\0\5\x08\0"), &s);
    CHECK(tunneled(&s, SRC_VXLAN) && s.all[0].vlan[0] == 5);
    carry_udp(4789, SPAN("\x88\0\0\0\0\0\1\0\2\0\0\0\0\2\2\0\0\0\0\1\x08\0"), &s);
    CHECK(s.n == 1 && s.last.n_events == 0 && s.last.flags & PKT_WANTS_FLOW);
    carry_udp(4789, SPAN("\x08\0\0\0\0\0\1\0\2\0\0\0\0\2\2\0\0\0\0\1\x99\x99"), &s);
    CHECK(s.n == 1 && only_event(&s, DEV_VXLAN_UNKNOWN_PAYLOAD_TYPE));
    carry_udp(4788, SPAN("\x08\0\0\0\0\0\1\0\2\0\0\0\0\2\2\0\0\0\0\1\x08\0"), &s);
    CHECK(s.n == 1);
    carry_udp(6081, SPAN("\2\0\x08\0\0\0\1\0\1\2\3\1wxyz"), &s); /* one option of a word */
    CHECK(tunneled(&s, SRC_GENEVE));
    carry_udp(6081, SPAN("\2\0\x08\0\0\0\1\0\1\2\3\2wxyz"), &s); /* options past their room */
    CHECK(s.n == 1 && s.last.n_events == 0);
    carry_udp(6081, SPAN("\0\0\x65\x58\0\0\1\0\2\0\0\0\0\2\2\0\0\0\0\1\x08\0"), &s);
    CHECK(tunneled(&s, SRC_GENEVE));
    carry_udp(6081, SPAN("\0\0\x99\x99\0\0\1\0"), &s);
    CHECK(s.n == 1 && only_event(&s, DEV_GENEVE_UNKNOWN_PAYLOAD_TYPE));
    /* Teredo, with and without an origin, and one byte too many */
    for (unsigned i = 0; i < 3; i++) {
        size_t origin = i == 1 ? 8 : 0, extra = i == 2 ? 1 : 0;
        w = build_start();
        size_t ip = build_ipv4(&w, 17, 0);
        build_udp(&w, 40000, 3544, origin + 48 + extra);
        build_zeros(&w, origin);
        size_t six = build_ipv6(&w, 17);
        build_udp(&w, 1, 99, 0);
        build_ipv6_end(&w, six);
        build_zeros(&w, extra);
        build_ipv4_end(&w, ip);
        decode_built(&w, LINK_RAW, &s);
        CHECK(extra ? s.n == 1 && s.last.n_events == 0 : tunneled(&s, SRC_TEREDO));
    }
}

static void gtp(void)
{
    struct decode_conf c = build_conf;
    struct seen s;

    carry_udp(2152, SPAN("\x30\xff\0\x1c\0\0\0\1"), &s); /* not unless asked for */
    CHECK(s.n == 1);
    c.gtp = true;
    build_again(&c);
    carry_udp(2152, SPAN("\x30\xff\0\x1c\0\0\0\1"), &s);
    CHECK(tunneled(&s, SRC_GTP));
    carry_udp(2152, SPAN("\x34\xff\0\x24\0\0\0\1\0\0\0\x85\1\0\x09\0"), &s);
    CHECK(tunneled(&s, SRC_GTP)); /* an extension header */
    carry_udp(2152, SPAN("\x34\xff\0\x24\0\0\0\1\0\0\0\x85\0\0\x09\0"), &s);
    CHECK(s.n == 1 && s.last.n_events == 0); /* an extension of no length */
    carry_udp(2152, SPAN("\x30\xff\0\x1d\0\0\0\1"), &s);
    CHECK(s.n == 1);
    build_again(&build_conf);
}

/* Shells around shells: the limit is met, said, and nothing beyond it is visited. */
static void depth(void)
{
    struct seen s;
    struct wr w = build_start();
    size_t ip[40];

    for (size_t i = 0; i < LEN(ip); i++)
        ip[i] = build_ipv4(&w, 4, 0);
    inner_udp(&w, 99);
    for (size_t i = LEN(ip); i-- > 0;)
        build_ipv4_end(&w, ip[i]);
    decode_built(&w, LINK_RAW, &s);
    CHECK(s.n > 2 && s.n <= 16);
    CHECK(s.last.n_events == 0);
    CHECK(s.all[0].n_events == 1 && s.all[0].events[0] == DEV_TOO_MANY_LAYERS);
    for (size_t i = 0; i + 1 < s.n && i < SEEN_MOST; i++)
        CHECK(s.all[i].depth == s.n - 1 - i);
    CHECK(decode_event_counters(build_decoder)[DEV_TOO_MANY_LAYERS] == 1);
    CHECK(decode_counters(build_decoder)[DC_TOO_MANY_LAYERS] == 1);
}

int main(void)
{
    build_begin();
    ip_in_ip();
    gre();
    erspan();
    over_udp();
    gtp();
    depth();
    build_end();
    return unit_end();
}
