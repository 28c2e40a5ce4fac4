/* SPDX-License-Identifier: Apache-2.0 */
/* Every link, network and transport layer: well-formed, too short, malformed, with the anomaly that
 * each must leave behind. Packets are written with base/wr. */
#include "packet/decode.h"

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

static void names(void)
{
    CHECK_STR(decode_event_eve(DEV_IPV4_TRUNC_PKT), "decoder.ipv4.trunc_pkt");
    CHECK_STR(decode_event_rule(DEV_IPV4_WRONG_IP_VER), "ipv4.wrong_ip_version");
    CHECK(decode_event_find(SPAN("ppp.unsup_proto")) == DEV_PPP_UNSUP_PROTO);
    CHECK(decode_event_find(SPAN("ppp.nothing")) == DECODE_EVENTS);
    CHECK_STR(decode_counter_name(DC_VLAN_QINQ), "decoder.vlan_qinq");
}

int main(void)
{
    build_begin();
    ethernet_tcp();
    every_cut();
    names();
    build_end();
    return unit_end();
}
