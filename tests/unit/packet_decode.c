/* SPDX-License-Identifier: Apache-2.0 */
/* Every link, network and transport layer: well-formed, too short, malformed, with the anomaly that
 * each must leave behind. Packets are written with base/wr. */
#include "packet/decode.h"

#include "packet/capture/capture.h"
#include "packet/ip_options.h"
#include "packet_build.h"

static void ethernet_tcp(void)
{
    struct seen s;
    struct wr w = build_start();

    build_ethernet(&w, 0x0800);
    size_t ip = build_ipv4(&w, 6, 0);
    build_tcp(&w, 1234, 80, 0x18, SPAN("\x01\x01\x08\x0a\0\0\0\x07\0\0\0\x09"));
    wr_bytes(&w, SPAN("hello"));
    build_ipv4_end(&w, ip);
    decode_built(&w, LINK_ETHERNET, &s);
    CHECK(s.n == 1 && s.last.n_events == 0);
    CHECK(s.last.ip_v == 4 && s.last.proto == 6 && s.last.sport == 1234 && s.last.dport == 80);
    CHECK(s.last.payload.n == 5 && memcmp(s.last.payload.p, "hello", 5) == 0);
    CHECK(s.last.tcp.has_ts && s.last.tcp.ts_value == 7 && s.last.tcp.ts_echo == 9);
    CHECK(s.last.tcp.flags == (TCP_PSH | TCP_ACK) && s.last.flags & PKT_WANTS_FLOW);
    CHECK(!(s.last.flags & (PKT_CHECKSUM_BAD | PKT_IP_CHECKSUM_BAD)));
    w.p[w.n - 1] ^= 1; /* a flipped bit is found by the transport's checksum, not by the header's */
    decode_built(&w, LINK_ETHERNET, &s);
    CHECK(s.last.flags & PKT_CHECKSUM_BAD && !(s.last.flags & PKT_IP_CHECKSUM_BAD));
    w.p[14 + 8] ^= 1;
    decode_built(&w, LINK_ETHERNET, &s);
    CHECK(s.last.flags & PKT_IP_CHECKSUM_BAD);
}

/* Cuts a whole packet at each length: no cut may pass as the whole, none may read outside (the
 * sanitizers watch), and each must say something. */
static void every_cut(void)
{
    struct wr w = build_start();

    build_ethernet(&w, 0x0800);
    size_t ip = build_ipv4(&w, 6, 0);
    build_tcp(&w, 1234, 80, 0x18, SPAN(""));
    wr_bytes(&w, SPAN("hello"));
    build_ipv4_end(&w, ip);
    for (size_t n = 0; n < w.n; n++) {
        struct seen s;
        struct wr cut = w;
        cut.n = n;
        decode_built(&cut, LINK_ETHERNET, &s);
        CHECK(s.n == 1 && s.last.flags & PKT_INVALID && s.last.n_events == 1);
        CHECK(s.last.events[0] == (n < 14   ? DEV_ETHERNET_PKT_TOO_SMALL
                                   : n < 34 ? DEV_IPV4_PKT_TOO_SMALL
                                            : DEV_IPV4_TRUNC_PKT));
    }
}

/* One Ethernet frame of this type with these bytes: its only anomaly, or DECODE_EVENTS for none. */
static bool frame_says(uint16_t type, struct span bytes, enum decode_event e)
{
    struct seen s;
    struct wr w = build_start();

    build_ethernet(&w, type);
    wr_bytes(&w, bytes);
    decode_built(&w, LINK_ETHERNET, &s);
    return e == DECODE_EVENTS ? s.last.n_events == 0 : only_event(&s, e);
}

/* The same for a link type. */
static bool link_says(uint16_t link, struct span bytes, enum decode_event e)
{
    struct seen s;
    struct wr w = build_start();

    wr_bytes(&w, bytes);
    decode_built(&w, link, &s);
    return e == DECODE_EVENTS ? s.last.n_events == 0 : only_event(&s, e);
}

/* The same for what an IPv4 header carries. */
static bool ipv4_says(uint8_t proto, struct span bytes, enum decode_event e)
{
    struct seen s;
    struct wr w = build_start();

    build_ethernet(&w, 0x0800);
    size_t ip = build_ipv4(&w, proto, 0);
    wr_bytes(&w, bytes);
    build_ipv4_end(&w, ip);
    decode_built(&w, LINK_ETHERNET, &s);
    return e == DECODE_EVENTS ? s.last.n_events == 0 : only_event(&s, e);
}

static bool ipv6_says(uint8_t next, struct span bytes, enum decode_event e)
{
    struct seen s;
    struct wr w = build_start();

    size_t ip = build_ipv6(&w, next);
    wr_bytes(&w, bytes);
    build_ipv6_end(&w, ip);
    decode_built(&w, LINK_RAW, &s);
    return e == DECODE_EVENTS ? s.last.n_events == 0 : only_event(&s, e);
}

static void vlan(void)
{
    struct seen s;
    struct wr w = build_start();

    build_ethernet(&w, 0x88a8);
    wr_u32(&w, 0x20058100); /* priority 1, 5 */
    wr_u32(&w, 0x00060800);
    size_t ip = build_ipv4(&w, 17, 0);
    build_udp(&w, 53, 1025, 2);
    wr_u16(&w, 7);
    build_ipv4_end(&w, ip);
    decode_built(&w, LINK_ETHERNET, &s);
    CHECK(s.last.n_vlan == 2 && s.last.vlan[0] == 5 && s.last.vlan[1] == 6);
    CHECK(s.last.n_events == 0 && s.last.proto == 17 && s.last.payload.n == 2);
    CHECK(frame_says(0x8100, SPAN("\0\5\x08"), DEV_VLAN_HEADER_TOO_SMALL));
    CHECK(frame_says(0x8100,
                     SPAN("\0\1\x81\0"
                          "\0\2\x91\0"
                          "\0\3\x81\0"
                          "\0\4\x08\0"),
                     DEV_VLAN_TOO_MANY_LAYERS));
    w = build_start();
    build_ethernet(&w, 0x8100);
    wr_u32(&w, 0x00059999);
    decode_built(&w, LINK_ETHERNET, &s);
    CHECK(s.last.n_events == 2 && s.last.events[0] == DEV_ETHERNET_UNKNOWN_ETHERTYPE);
    CHECK(s.last.events[1] == DEV_VLAN_UNKNOWN_TYPE && s.last.flags & PKT_INVALID);
    CHECK(frame_says(0x9999, SPAN("x"), DEV_ETHERNET_UNKNOWN_ETHERTYPE));
    CHECK(frame_says(0x88e7, SPAN("12345678901234567"), DEV_IEEE8021AH_HEADER_TOO_SMALL));
    CHECK(frame_says(0x8926, SPAN("12345"), DEV_VNTAG_HEADER_TOO_SMALL));
    CHECK(frame_says(0x893f, SPAN("1234567"), DEV_ETAG_HEADER_TOO_SMALL));
    CHECK(frame_says(0x8903, SPAN("123456789012345"), DEV_DCE_PKT_TOO_SMALL));
    CHECK(frame_says(0x893f, SPAN("123456\x86\xdd"), DECODE_EVENTS));
}

/* A tag the kernel took off stands before those that are still in the frame. */
static void stripped_vlan(void)
{
    static const uint8_t frame[] = "\2\0\0\0\0\2\2\0\0\0\0\1\x81\0\0\7\x99\x99";
    struct capture_packet c = {.data = span_of(frame, 18), .wire_n = 60, .link = LINK_ETHERNET};
    struct packet p;
    struct seen s = {0};

    c.vlan_stripped = true;
    c.vlan = 9;
    c.number = 3;
    memset(&p, 0xff, sizeof(p));
    decode_captured(build_decoder, &c, &p, build_note, &s);
    CHECK(s.n == 1 && s.last.n_vlan == 2 && s.last.vlan[0] == 9 && s.last.vlan[1] == 7);
    CHECK(s.last.number == 3 && s.last.flags & PKT_TRUNCATED && s.last.source == SRC_WIRE);
}

static void arp(void)
{
    struct seen s;
    struct wr w = build_start();
    struct span request = SPAN("\0\1\x08\0\6\4\0\1"
                               "\2\0\0\0\0\1\x0a\0\0\1"
                               "\0\0\0\0\0\0\x0a\0\0\2");

    build_ethernet(&w, 0x0806);
    wr_bytes(&w, request);
    build_zeros(&w, 18); /* Ethernet's padding */
    decode_built(&w, LINK_ETHERNET, &s);
    CHECK(s.last.n_events == 0 && s.last.arp && be16(s.last.arp + 6) == 1);
    CHECK(s.last.arp && be32(s.last.arp + 14) == 0x0a000001);
    CHECK(frame_says(0x0806, span_cut(request, 0, 7), DEV_ARP_PKT_TOO_SMALL));
    CHECK(frame_says(0x0806, span_cut(request, 0, 27), DEV_ARP_UNSUPPORTED_PKT));
    static const struct {
        size_t at;
        uint8_t value;
        enum decode_event event;
    } wrong[] = {
        {1, 2, DEV_ARP_UNSUPPORTED_HARDWARE},  {3, 1, DEV_ARP_UNSUPPORTED_PROTOCOL},
        {4, 5, DEV_ARP_INVALID_HARDWARE_SIZE}, {5, 6, DEV_ARP_INVALID_PROTOCOL_SIZE},
        {7, 99, DEV_ARP_UNSUPPORTED_OPCODE},
    };
    for (size_t i = 0; i < LEN(wrong); i++) {
        uint8_t b[28];
        memcpy(b, request.p, 28);
        b[wrong[i].at] = wrong[i].value;
        CHECK(frame_says(0x0806, span_of(b, 28), wrong[i].event));
    }
}

static void cooked_and_raw(void)
{
    struct seen s;
    struct wr w = build_start();

    build_zeros(&w, 14);
    wr_u16(&w, 0x0800);
    size_t ip = build_ipv4(&w, 17, 0);
    build_udp(&w, 1, 2, 0);
    build_ipv4_end(&w, ip);
    decode_built(&w, LINK_LINUX_SLL, &s);
    CHECK(s.last.n_events == 0 && s.last.dport == 2);
    struct wr again = build_start();
    uint8_t packet[28];
    memcpy(packet, w.p + 16, 28);
    wr_u16(&again, 0x0800);
    build_zeros(&again, 18);
    wr_bytes(&again, span_of(packet, 28));
    decode_built(&again, LINK_LINUX_SLL2, &s);
    CHECK(s.last.n_events == 0 && s.last.dport == 2);
    static const struct {
        uint16_t link;
        const char *head;
        size_t n;
    } heads[] = {
        {LINK_RAW, "", 0},          {LINK_IPV4, "", 0},         {LINK_NULL, "\2\0\0\0", 4},
        {LINK_NULL, "\0\0\0\2", 4}, {LINK_LOOP, "\0\0\0\2", 4}, {LINK_PPP, "\xff\3\0\x21", 4},
        {LINK_PPP, "\x21", 1},      {LINK_PPP, "\0\x2f", 2},    {LINK_CHDLC, "\x0f\0\x08\0", 4},
    };
    for (size_t i = 0; i < LEN(heads); i++) {
        again = build_start();
        wr_bytes(&again, span_of(heads[i].head, heads[i].n));
        wr_bytes(&again, span_of(packet, 28));
        decode_built(&again, heads[i].link, &s);
        CHECK(s.last.n_events == 0 && s.last.dport == 2 && s.last.ip_v == 4);
    }
    CHECK(link_says(LINK_RAW, SPAN("E1234567890123456789"), DEV_IPV4_TRUNC_PKT));
    CHECK(link_says(LINK_RAW, SPAN("E"), DEV_IPV4_PKT_TOO_SMALL));
    CHECK(link_says(LINK_RAW,
                    SPAN("\x50"
                         "1234567890123456789"),
                    DEV_IPRAW_INVALID_IP_VERSION));
    CHECK(link_says(LINK_NULL, SPAN("\2\0\0"), DEV_LTNULL_PKT_TOO_SMALL));
    CHECK(link_says(LINK_NULL, SPAN("\x63\0\0\0"), DEV_LTNULL_UNSUPPORTED_TYPE));
    CHECK(link_says(LINK_LINUX_SLL, SPAN("123456789012345"), DEV_SLL_PKT_TOO_SMALL));
    CHECK(link_says(LINK_LINUX_SLL2, SPAN("1234567890123456789"), DEV_SLL2_PKT_TOO_SMALL));
    CHECK(link_says(LINK_CHDLC, SPAN("123"), DEV_CHDLC_PKT_TOO_SMALL));
    CHECK(!decode_knows_link(105) && decode_knows_link(LINK_IPV6));
    w = build_start();
    wr_u32(&w, 1);
    decode_built(&w, 105, &s);
    CHECK(s.n == 1 && s.last.flags & PKT_INVALID &&
          decode_counters(build_decoder)[DC_UNKNOWN_LINK]);
}

static void ppp(void)
{
    CHECK(link_says(LINK_PPP, SPAN(""), DEV_PPP_PKT_TOO_SMALL));
    CHECK(link_says(LINK_PPP, SPAN("\xff\3"), DEV_PPP_PKT_TOO_SMALL));
    CHECK(link_says(LINK_PPP, SPAN("\xff\3\0"), DEV_PPP_PKT_TOO_SMALL));
    CHECK(link_says(LINK_PPP, SPAN("\xff\3\0\x21xx"), DEV_PPP_IP4_PKT_TOO_SMALL));
    CHECK(link_says(LINK_PPP, SPAN("\x21xx"), DEV_PPP_VJU_PKT_TOO_SMALL));
    CHECK(link_says(LINK_PPP, SPAN("\xff\3\0\x2fxx"), DEV_PPP_VJU_PKT_TOO_SMALL));
    CHECK(link_says(LINK_PPP, SPAN("\xff\3\0\x57xx"), DEV_PPP_IP6_PKT_TOO_SMALL));
    CHECK(link_says(LINK_PPP, SPAN("\xff\3\0\x2bxx"), DEV_PPP_UNSUP_PROTO));
    CHECK(link_says(LINK_PPP, SPAN("\xff\3\xc0\x21xx"), DECODE_EVENTS)); /* LCP */
    CHECK(link_says(LINK_PPP, SPAN("\xff\3\x66\x66xx"), DEV_PPP_WRONG_TYPE));
    CHECK(frame_says(0x8863, SPAN("\x11\x09\0\0\0\0"), DECODE_EVENTS));
    CHECK(frame_says(0x8863, SPAN("\x11\x09\0\0\0"), DEV_PPPOE_PKT_TOO_SMALL));
    CHECK(frame_says(0x8863, SPAN("\x11\x01\0\0\0\0"), DEV_PPPOE_WRONG_CODE));
    CHECK(frame_says(0x8863, SPAN("\x11\x09\0\0\0\x09"), DEV_PPPOE_MALFORMED_TAGS));
    CHECK(frame_says(0x8864, SPAN("\x11\0\0\1\0\4"), DEV_PPPOE_PKT_TOO_SMALL));
    CHECK(frame_says(0x8864, SPAN("\x11\0\0\1\0\4\0"), DEV_PPPOE_PKT_TOO_SMALL));
    CHECK(frame_says(0x8864, SPAN("\x11\0\0\1\0\4\0\x21xx"), DEV_PPP_IP4_PKT_TOO_SMALL));
    CHECK(frame_says(0x8864, SPAN("\x11\0\0\1\0\4\x57xxx"), DEV_PPP_IP6_PKT_TOO_SMALL));
    CHECK(frame_says(0x8864, SPAN("\x11\0\0\1\0\4\xc0\x21xx"), DECODE_EVENTS));
    CHECK(frame_says(0x8864, SPAN("\x11\0\0\1\0\4\x66\x66xx"), DEV_PPP_WRONG_TYPE));
}

static void mpls_and_nsh(void)
{
    struct seen s;
    struct wr w = build_start();

    build_ethernet(&w, 0x8847);
    wr_u32(&w, 100u << 12);
    wr_u32(&w, 101u << 12 | 0x100);
    size_t ip = build_ipv4(&w, 17, 0);
    build_udp(&w, 1, 2, 0);
    build_ipv4_end(&w, ip);
    decode_built(&w, LINK_ETHERNET, &s);
    CHECK(s.last.n_events == 0 && s.last.dport == 2);
    CHECK(frame_says(0x8847, SPAN("\0\0\0"), DEV_MPLS_HEADER_TOO_SMALL));
    CHECK(frame_says(0x8847, SPAN("\0\0\0\1"), DEV_MPLS_HEADER_TOO_SMALL));
    CHECK(frame_says(0x8847, SPAN("\0\6\x41\1xx"), DEV_MPLS_PKT_TOO_SMALL));
    CHECK(frame_says(0x8847, SPAN("\0\0\x11\1xxxx"), DEV_MPLS_BAD_LABEL_ROUTER_ALERT));
    CHECK(frame_says(0x8847, SPAN("\0\0\x31\1xxxx"), DEV_MPLS_BAD_LABEL_IMPLICIT_NULL));
    CHECK(frame_says(0x8847, SPAN("\0\0\x51\1xxxx"), DEV_MPLS_BAD_LABEL_RESERVED));
    CHECK(frame_says(0x8847, SPAN("\0\6\x41\1\x70xxx"), DEV_MPLS_UNKNOWN_PAYLOAD_TYPE));
    CHECK(frame_says(0x8847, SPAN("\0\6\x41\1\0\0\0\0x"), DEV_ETHERNET_PKT_TOO_SMALL));
    CHECK(frame_says(0x894f, SPAN("\0\2\2\1\0\0\0"), DEV_NSH_HEADER_TOO_SMALL));
    CHECK(frame_says(0x894f, SPAN("\x40\2\2\1\0\0\0\0x"), DEV_NSH_UNSUPPORTED_VERSION));
    CHECK(frame_says(0x894f, SPAN("\0\2\2\1\0\0\0\0"), DEV_NSH_BAD_HEADER_LENGTH));
    CHECK(frame_says(0x894f, SPAN("\0\2\1\1\0\0\0\0x"), DEV_NSH_BAD_HEADER_LENGTH));
    CHECK(frame_says(0x894f, SPAN("\0\2\0\1\0\0\0\0x"), DEV_NSH_RESERVED_TYPE));
    CHECK(frame_says(0x894f, SPAN("\0\2\3\1\0\0\0\0x"), DEV_NSH_UNSUPPORTED_TYPE));
    CHECK(frame_says(0x894f, SPAN("\0\2\2\4\0\0\0\0x"), DEV_NSH_UNKNOWN_PAYLOAD));
    CHECK(frame_says(0x894f, SPAN("\0\2\2\1\0\0\0\0x"), DEV_IPV4_PKT_TOO_SMALL));
    CHECK(frame_says(0x894f, SPAN("\0\2\2\3\0\0\0\0x"), DEV_ETHERNET_PKT_TOO_SMALL));
}

/* A header with these options in front of an empty UDP datagram. */
static void with_options(struct span options, struct seen *s)
{
    struct wr w = build_start();

    build_ethernet(&w, 0x0800);
    size_t ip = build_ipv4(&w, 17, 0);
    wr_bytes(&w, options);
    build_udp(&w, 1, 2, 0);
    put_be16(w.p + ip + 2, (uint16_t)(w.n - ip));
    w.p[ip] = (uint8_t)(0x45 + options.n / 4);
    decode_built(&w, LINK_ETHERNET, s);
}

static void ipv4(void)
{
    struct seen s;

    CHECK(frame_says(0x0800,
                     SPAN("\x65\0\0\x14"
                          "1234567890123456"),
                     DEV_IPV4_WRONG_IP_VER));
    CHECK(frame_says(0x0800,
                     SPAN("\x44\0\0\x14"
                          "1234567890123456"),
                     DEV_IPV4_HLEN_TOO_SMALL));
    CHECK(frame_says(0x0800,
                     SPAN("\x45\0\0\x13"
                          "1234567890123456"),
                     DEV_IPV4_IPLEN_SMALLER_THAN_HLEN));
    CHECK(ipv4_says(58, SPAN("xx"), DEV_IPV4_WITH_ICMPV6));
    CHECK(ipv4_says(2, SPAN("12345678"), DECODE_EVENTS)); /* nobody looks into IGMP */
    with_options(SPAN("\x94\4\0\0"), &s);
    CHECK(only_event(&s, DEV_IPV4_OPT_PAD_REQUIRED));
    CHECK(s.last.ip_option_seen == 1u << IPOPT_RTRALT && s.last.dport == 2);
    static const struct {
        const char *o;
        int event; /* -1: none */
        bool valid;
    } cases[] = {
        {"\1\1\1\1\1\1\1\0", -1, true},
        {"\x07\x07\4\0\0\0\0\0", -1, true},
        {"\x07\2\1\1\1\1\1\0", DEV_IPV4_OPT_INVALID_LEN, false},
        {"\x07\x07\5\0\0\0\0\0", DEV_IPV4_OPT_MALFORMED, false},
        {"\x07\x07\x0c\0\0\0\0\0", DEV_IPV4_OPT_MALFORMED, false},
        {"\x83\x09\4\0\0\0\0\0", DEV_IPV4_OPT_INVALID_LEN, false}, /* longer than the rest */
        {"\x07\0\4\0\0\0\0\0", DEV_IPV4_OPT_INVALID_LEN, false},
        {"\1\1\1\1\1\1\1\x07", DEV_IPV4_OPT_EOL_REQUIRED, true},
        {"\x77\4\0\0\0\0\0\0", DEV_IPV4_OPT_INVALID, true},
        {"\x94\4\0\0\x94\4\0\0", DEV_IPV4_OPT_DUPLICATE, true},
        {"\x44\x08\5\0\0\0\0\0", -1, true},
        {"\x44\x08\4\0\0\0\0\0", DEV_IPV4_OPT_MALFORMED, false},
        {"\x44\x04\5\0\0\0\0\0", DEV_IPV4_OPT_INVALID_LEN, false},
        {"\x88\x03\5\0\0\0\0\0", DEV_IPV4_OPT_INVALID_LEN, false},
        {"\x19\x06\5\0\0\0\0\0", DEV_IPV4_OPT_INVALID_LEN, false},
        {"\x86\x08\0\0\0\1\1\4", DEV_IPV4_OPT_INVALID_LEN, false},
    };
    for (size_t i = 0; i < LEN(cases); i++) {
        with_options(span_of(cases[i].o, 8), &s);
        CHECK(cases[i].event < 0 ? s.last.n_events == 0
                                 : only_event(&s, (enum decode_event)cases[i].event));
        CHECK(!(s.last.flags & PKT_INVALID) == cases[i].valid);
        CHECK(s.last.dport == 2); /* the payload is reached all the same */
    }
    with_options(SPAN("\x86\x10\0\0\0\1\1\x0a\0\1\1\1\1\1\1\1"), &s);
    CHECK(s.last.n_events == 0 && s.last.ip_option_seen == 1u << IPOPT_CIPSO);
    with_options(SPAN("\x86\x10\0\0\0\1\3\x0a\0\1\1\1\1\1\1\1"), &s);
    CHECK(only_event(&s, DEV_IPV4_OPT_MALFORMED));
}

static void ipv6(void)
{
    struct seen s;
    struct wr w = build_start();
    struct span udp = SPAN("\0\1\0\2\0\x08\0\0");

    size_t ip = build_ipv6(&w, 0);
    wr_bytes(&w, SPAN("\x3c\0\5\2\0\0\1\0"));   /* hop-by-hop: router alert, empty PadN */
    wr_bytes(&w, SPAN("\x2b\0\x3e\4\0\0\0\0")); /* destination: an option unknown here */
    wr_bytes(&w, SPAN("\x11\0\2\0\0\0\0\0"));   /* routing, type 2 */
    wr_bytes(&w, udp);
    build_ipv6_end(&w, ip);
    decode_built(&w, LINK_IPV6, &s);
    CHECK(s.last.n_events == 2 && s.last.events[0] == DEV_IPV6_ZERO_LEN_PADN);
    CHECK(s.last.events[1] == DEV_IPV6_DSTOPTS_UNKNOWN_OPT && s.last.dport == 2);
    CHECK(s.last.ip_head_n == 64 && s.last.proto == 17 && s.last.ip_payload.n == 8);
    for (size_t n = 40; n < w.n; n++) { /* shorter and shorter payloads must not pass silently */
        struct wr cut = w;
        cut.n = n;
        build_ipv6_end(&cut, ip);
        decode_built(&cut, LINK_IPV6, &s);
        CHECK(s.last.flags & PKT_INVALID && s.last.l4 == NULL);
    }
    CHECK(link_says(LINK_IPV6,
                    SPAN("\x60\0\0\0\0\1\x3b\0"
                         "12345678901234567890123456789012"),
                    DEV_IPV6_TRUNC_PKT));
    CHECK(frame_says(0x86dd,
                     SPAN("\x40\0\0\0\0\0\x3b\0"
                          "12345678901234567890123456789012"),
                     DEV_IPV6_WRONG_IP_VER));
    CHECK(ipv6_says(59, SPAN("x"), DEV_IPV6_DATA_AFTER_NONE_HEADER));
    CHECK(ipv6_says(59, SPAN(""), DECODE_EVENTS));
    CHECK(ipv6_says(89, SPAN("x"), DEV_IPV6_UNKNOWN_NEXT_HEADER));
    CHECK(ipv6_says(1, SPAN("x"), DEV_IPV6_WITH_ICMPV4));
    CHECK(ipv6_says(43, SPAN("\x3b\0\0\0\0\0\0\0"), DEV_IPV6_RH_TYPE_0));
    CHECK(ipv6_says(43,
                    SPAN("\x2b\0\2\0\0\0\0\0"
                         "\x3b\0\2\0\0\0\0\0"),
                    DEV_IPV6_EXTHDR_DUPL_RH));
    CHECK(ipv6_says(0, SPAN("\x3b\0\1\4\0\0\0\0"), DEV_IPV6_HOPOPTS_ONLY_PADDING));
    CHECK(ipv6_says(60, SPAN("\x3b\0\1\4\0\0\0\0"), DEV_IPV6_DSTOPTS_ONLY_PADDING));
    CHECK(ipv6_says(0, SPAN("\x3b\0\5\6\0\0\0\0"), DEV_IPV6_EXTHDR_INVALID_OPTLEN));
    CHECK(ipv6_says(0, SPAN("\x3b\0\5\1\0\x3e\1\0"), DEV_IPV6_EXTHDR_INVALID_OPTLEN));
    CHECK(ipv6_says(0, SPAN("\x3b\0\x3e\4\0\0\0\0"), DEV_IPV6_HOPOPTS_UNKNOWN_OPT));
    CHECK(ipv6_says(0,
                    SPAN("\0\0\5\4\0\0\0\0"
                         "\x3b\0\5\4\0\0\0\0"),
                    DEV_IPV6_EXTHDR_DUPL_HH));
    CHECK(ipv6_says(60,
                    SPAN("\x3c\0\5\4\0\0\0\0"
                         "\x3c\0\5\4\0\0\0\0"
                         "\x3b\0\5\4\0\0\0\0"),
                    DEV_IPV6_EXTHDR_DUPL_DH));
    CHECK(ipv6_says(51, SPAN("\x3b\1\0\0\0\0\0\0\0\0\0\0"), DECODE_EVENTS));
    CHECK(ipv6_says(51, SPAN("\x3b\1\0\1\0\0\0\0\0\0\0\0"), DEV_IPV6_EXTHDR_AH_RES_NOT_NULL));
    CHECK(ipv6_says(51, SPAN("\x3b\4\0\0\0\0\0\0\0\0\0\0"), DEV_IPV6_TRUNC_EXTHDR));
    CHECK(ipv6_says(51,
                    SPAN("\x33\1\0\0\0\0\0\0\0\0\0\0"
                         "\x3b\1\0\0\0\0\0\0\0\0\0\0"),
                    DEV_IPV6_EXTHDR_DUPL_AH));
    CHECK(ipv6_says(44, SPAN("\x3b\0\0\0\0\0\0\1"), DEV_IPV6_EXTHDR_USELESS_FH));
    CHECK(ipv6_says(44,
                    SPAN("\x3b\0\0\1\0\0\0\1"
                         "1234567"),
                    DEV_IPV6_FRAG_INVALID_LENGTH));
    CHECK(ipv6_says(135, SPAN("\x3b\0\0\0\0\0\0\0"), DECODE_EVENTS));
    CHECK(ipv6_says(4, SPAN("x"), DEV_IPV6_IPV4_IN_IPV6_TOO_SMALL));
    CHECK(ipv6_says(41, SPAN("x"), DEV_IPV6_IPV6_IN_IPV6_TOO_SMALL));
    CHECK(ipv6_says(4, SPAN("x1234567890123456789"), DEV_IPV6_IPV4_IN_IPV6_WRONG_VERSION));
    CHECK(ipv6_says(41, SPAN("A123456789012345678901234567890123456789"),
                    DEV_IPV6_IPV6_IN_IPV6_WRONG_VERSION));
}

/* A segment with these options, in whole words. */
static void tcp_with(struct span options, struct seen *s)
{
    struct wr w = build_start();

    build_ethernet(&w, 0x0800);
    size_t ip = build_ipv4(&w, 6, 0);
    build_tcp(&w, 1, 2, TCP_SYN, options);
    build_ipv4_end(&w, ip);
    decode_built(&w, LINK_ETHERNET, s);
}

static void tcp(void)
{
    struct seen s;

    tcp_with(SPAN("\2\4\5\xb4\1\3\3\7\4\2\1\1\x08\x0a\0\0\0\1\0\0\0\2\0\0"), &s);
    CHECK(s.last.n_events == 0 && s.last.tcp.has_mss && s.last.tcp.mss == 1460);
    CHECK(s.last.tcp.has_wscale && s.last.tcp.wscale == 7 && s.last.tcp.sack_ok);
    CHECK(s.last.tcp.has_ts && s.last.tcp.ts_value == 1 && s.last.tcp.header_n == 44);
    tcp_with(SPAN("\1\1\5\x0a\0\0\0\1\0\0\0\2"), &s);
    CHECK(s.last.tcp.has_sack && s.last.tcp.n_sack == 1 && be32(s.last.tcp.sack + 4) == 2);
    tcp_with(SPAN("\3\3\x0f\0"), &s);
    CHECK(s.last.tcp.has_wscale && s.last.tcp.wscale == 0);
    tcp_with(SPAN("\x22\6\1\2\3\4\1\1"), &s);
    CHECK(s.last.tcp.has_tfo && s.last.n_events == 0);
    tcp_with(SPAN("\xfe\4\xf9\x89"), &s);
    CHECK(s.last.tcp.has_tfo);
    tcp_with(SPAN("\x1d\4\0\0"), &s);
    CHECK(s.last.tcp.has_ao);
    tcp_with(SPAN("\5\2\1\1"), &s); /* an empty SACK is no fault */
    CHECK(s.last.n_events == 0);
    static const struct {
        const char *o;
        enum decode_event event;
        bool valid;
    } wrong[] = {
        {"\2\3\0\0", DEV_TCP_OPT_INVALID_LEN, true},
        {"\2\5\0\0", DEV_TCP_OPT_INVALID_LEN, false},
        {"\2\0\0\0", DEV_TCP_OPT_INVALID_LEN, false},
        {"\4\2\4\2", DEV_TCP_OPT_DUPLICATE, true},
    };
    for (size_t i = 0; i < LEN(wrong); i++) {
        tcp_with(span_of(wrong[i].o, 4), &s);
        CHECK(only_event(&s, wrong[i].event));
        CHECK(!(s.last.flags & PKT_INVALID) == wrong[i].valid && s.last.flags & PKT_WANTS_FLOW);
    }
    CHECK(ipv4_says(6, SPAN("1234567890123456789"), DEV_TCP_PKT_TOO_SMALL));
    CHECK(ipv4_says(6,
                    SPAN("123456789012\x60"
                         "1234567"),
                    DEV_TCP_HLEN_TOO_SMALL));
    CHECK(ipv4_says(6,
                    SPAN("123456789012\x40"
                         "1234567"),
                    DEV_TCP_INVALID_OPTLEN));
}

static void udp_sctp_esp(void)
{
    struct seen s;
    struct wr w = build_start();

    CHECK(ipv4_says(17, SPAN("1234567"), DEV_UDP_HLEN_TOO_SMALL));
    CHECK(ipv4_says(17, SPAN("\0\1\0\2\0\x09\0\0"), DEV_UDP_PKT_TOO_SMALL));
    CHECK(ipv4_says(17, SPAN("\0\1\0\2\0\x07\0\0"), DEV_UDP_LEN_INVALID));
    CHECK(ipv4_says(132, SPAN("12345678901"), DEV_SCTP_PKT_TOO_SMALL));
    CHECK(ipv4_says(50, SPAN("1234567"), DEV_ESP_PKT_TOO_SMALL));
    build_ethernet(&w, 0x0800);
    size_t ip = build_ipv4(&w, 50, 0);
    wr_u32(&w, 0xdeadbeef);
    wr_u32(&w, 1);
    build_ipv4_end(&w, ip);
    decode_built(&w, LINK_ETHERNET, &s);
    CHECK(s.last.esp_spi == 0xdeadbeef && s.last.flags & PKT_WANTS_FLOW);
    w = build_start();
    build_ethernet(&w, 0x0800);
    ip = build_ipv4(&w, 17, 0); /* bytes behind the datagram are not its payload */
    build_udp(&w, 1, 2, 3);
    wr_bytes(&w, SPAN("abcPADDING"));
    build_ipv4_end(&w, ip);
    decode_built(&w, LINK_ETHERNET, &s);
    CHECK(s.last.payload.n == 3 && s.last.n_events == 0);
}

static void icmp(void)
{
    struct seen s;
    struct wr w = build_start();

    build_ethernet(&w, 0x0800);
    size_t ip = build_ipv4(&w, 1, 0);
    wr_u32(&w, 0x03030000); /* port unreachable */
    wr_u32(&w, 0);
    build_ipv4(&w, 17, 0);
    build_udp(&w, 53, 1025, 0);
    build_ipv4_end(&w, ip);
    decode_built(&w, LINK_ETHERNET, &s);
    CHECK(s.last.n_events == 0 && s.last.icmp_inner && s.last.icmp_inner_ports);
    CHECK(s.last.icmp_inner_proto == 17 && s.last.icmp_inner_sport == 53);
    CHECK(s.last.icmp_inner_dport == 1025 && s.last.icmp_inner_src.b[15] == 1);
    CHECK(!(s.last.flags & PKT_CHECKSUM_BAD));
    CHECK(ipv4_says(1, SPAN("\x08\0\0"), DEV_ICMPV4_PKT_TOO_SMALL));
    CHECK(ipv4_says(1, SPAN("\x08\1\0\0\0\0\0\0"), DEV_ICMPV4_UNKNOWN_CODE));
    CHECK(ipv4_says(1, SPAN("\3\x10\0\0\0\0\0\0"), DEV_ICMPV4_UNKNOWN_CODE));
    CHECK(ipv4_says(1, SPAN("\xa5\0\0\0\0\0\0\0"), DEV_ICMPV4_UNKNOWN_TYPE));
    CHECK(ipv4_says(1, SPAN("\3\0\0\0\0\0\0\0x"), DEV_ICMPV4_IPV4_TRUNC_PKT));
    CHECK(ipv4_says(1,
                    SPAN("\3\0\0\0\0\0\0\0\x65"
                         "1234567890123456789"),
                    DEV_ICMPV4_IPV4_UNKNOWN_VER));
    CHECK(ipv4_says(1, SPAN("\3\0\0\0\0\0\0\0"), DECODE_EVENTS));
    w = build_start();
    ip = build_ipv6(&w, 58);
    wr_bytes(&w, SPAN("\x80\0\0\0\x12\x34\0\7ping"));
    build_ipv6_end(&w, ip);
    decode_built(&w, LINK_RAW, &s);
    CHECK(s.last.icmp_id == 0x1234 && s.last.icmp_seq == 7 && s.last.payload.n == 4);
    CHECK(s.last.flags & PKT_CHECKSUM_BAD);
    CHECK(ipv6_says(58, SPAN("\x80\0\0\0"), DEV_ICMPV6_PKT_TOO_SMALL));
    CHECK(ipv6_says(58, SPAN("\x80\x80\0\0\0\0\0\0"), DEV_ICMPV6_UNKNOWN_CODE));
    CHECK(ipv6_says(58, SPAN("\x82\0\0\0\0\0\0\0"), DEV_ICMPV6_MLD_MESSAGE_WITH_INVALID_HL));
    CHECK(ipv6_says(58, SPAN("\x85\0\0\0\0\0\0\0"), DECODE_EVENTS));
    CHECK(ipv6_says(58, SPAN("\5\0\0\0\0\0\0\0"), DEV_ICMPV6_UNASSIGNED_TYPE));
    CHECK(ipv6_says(58, SPAN("\xc9\0\0\0\0\0\0\0"), DEV_ICMPV6_EXPERIMENTATION_TYPE));
    CHECK(ipv6_says(58, SPAN("\x7f\0\0\0\0\0\0\0"), DEV_ICMPV6_UNKNOWN_TYPE));
    CHECK(ipv6_says(58, SPAN("\1\0\0\0\0\0\0\0x"), DEV_ICMPV6_IPV6_TRUNC_PKT));
    CHECK(ipv6_says(58, SPAN("\1\x08\0\0\0\0\0\0x"), DEV_ICMPV6_UNKNOWN_CODE));
    CHECK(ipv6_says(58, SPAN("\1\0\0\0\0\0\0\0A123456789012345678901234567890123456789"),
                    DEV_ICMPV6_IPV6_UNKNOWN_VER));
}

/* The sum by the book, for any length and any place in memory. */
static void checksums(void)
{
    uint8_t b[80];

    for (size_t i = 0; i < sizeof(b); i++)
        b[i] = (uint8_t)(i * 73 + 200);
    for (size_t n = 0; n < 70; n++) {
        for (size_t at = 0; at < 3; at++) {
            uint32_t sum = 0x1234;
            for (size_t i = 0; i < n; i++)
                sum += i % 2 ? b[at + i] : (uint32_t)b[at + i] << 8;
            while (sum >> 16)
                sum = (sum & 0xffff) + (sum >> 16);
            CHECK(checksum_add(0x1234, span_of(b + at, n)) == sum);
        }
    }
}

/* Captured before the network card filled the checksums in: after a thousand packets they are no
 * longer held against anyone, unless that was forbidden. */
static void offloaded(void)
{
    for (int automatic = 0; automatic < 2; automatic++) {
        struct decode_conf c = build_conf;
        struct seen s;
        struct wr w = build_start();
        c.checksums_auto = automatic;
        build_again(&c);
        size_t ip = build_ipv4(&w, 6, 0);
        build_tcp(&w, 1, 2, TCP_ACK, SPAN(""));
        build_ipv4_end(&w, ip);
        w.p[ip + 20 + 16] ^= 0xff;
        for (unsigned i = 0; i < 1000; i++) {
            decode_built(&w, LINK_RAW, &s);
            CHECK(s.last.flags & PKT_CHECKSUM_BAD);
        }
        decode_built(&w, LINK_RAW, &s);
        CHECK((s.last.flags & PKT_CHECKSUM_BAD) == 0 ? automatic : !automatic);
    }
    build_again(&build_conf);
}

static void names(void)
{
    CHECK_STR(decode_event_eve(DEV_IPV4_TRUNC_PKT), "decoder.ipv4.trunc_pkt");
    CHECK_STR(decode_event_rule(DEV_IPV4_WRONG_IP_VER), "ipv4.wrong_ip_version");
    CHECK(decode_event_find(SPAN("ppp.unsup_proto")) == DEV_PPP_UNSUP_PROTO);
    CHECK(decode_event_find(SPAN("ppp.nothing")) == DECODE_EVENTS);
    CHECK_STR(decode_event_counter_name(DEV_UDP_LEN_INVALID), "decoder.event.udp.len_invalid");
    CHECK_STR(decode_counter_name(DC_VLAN_QINQ), "decoder.vlan_qinq");
}

int main(void)
{
    build_begin();
    ethernet_tcp();
    every_cut();
    vlan();
    stripped_vlan();
    arp();
    cooked_and_raw();
    ppp();
    mpls_and_nsh();
    ipv4();
    ipv6();
    tcp();
    udp_sctp_esp();
    icmp();
    checksums();
    offloaded();
    names();
    build_end();
    return unit_end();
}
