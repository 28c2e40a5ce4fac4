/* SPDX-License-Identifier: Apache-2.0 */
/* What the decoders of this folder share. A decoder is `bool decode_x(d, p, s)`: it reads layer x
 * from the bytes s into p, notes anomalies and counters, goes on to the next layer, and answers
 * whether s was that layer at all (a tunnelled packet that is not is dropped unseen). */
#pragma once

#include "base/rd.h"
#include "packet/decode.h"

/* Every layer counts, so that no packet holds more packets than this. */
enum { DECODE_PACKETS = 32, IP_MAX = 65535 };

enum {
    ETHER_IPV4 = 0x0800,
    ETHER_ARP = 0x0806,
    ETHER_BRIDGE = 0x6558,
    ETHER_VLAN = 0x8100,
    ETHER_IPV6 = 0x86dd,
    ETHER_MPLS = 0x8847,
    ETHER_MPLS_MULTICAST = 0x8848,
    ETHER_PPPOE_DISCOVERY = 0x8863,
    ETHER_PPPOE_SESSION = 0x8864,
    ETHER_PPP_GRE = 0x880b,
    ETHER_ERSPAN = 0x88be,
    ETHER_8021AD = 0x88a8,
    ETHER_8021AH = 0x88e7,
    ETHER_DCE = 0x8903,
    ETHER_VNTAG = 0x8926,
    ETHER_ETAG = 0x893f,
    ETHER_NSH = 0x894f,
    ETHER_QINQ = 0x9100,
};

enum {
    PROTO_HOPOPTS = 0,
    PROTO_ICMP = 1,
    PROTO_IPIP = 4,
    PROTO_TCP = 6,
    PROTO_UDP = 17,
    PROTO_IPV6 = 41,
    PROTO_ROUTING = 43,
    PROTO_FRAGMENT = 44,
    PROTO_GRE = 47,
    PROTO_ESP = 50,
    PROTO_AH = 51,
    PROTO_ICMPV6 = 58,
    PROTO_NONE = 59,
    PROTO_DSTOPTS = 60,
    PROTO_SCTP = 132,
    PROTO_MH = 135,
    PROTO_HIP = 139,
    PROTO_SHIM6 = 140,
};

struct defrag;

struct decoder {
    struct decode_conf conf;
    bool check;             /* checksums are checked still */
    uint64_t bad_checksums; /* of TCP */
    uint64_t counters[DECODE_COUNTERS];
    uint64_t events[DECODE_EVENTS];
    struct defrag *defrag;
    struct packet *queue[DECODE_PACKETS]; /* found inside the captured one, innermost first */
    uint8_t n_queue, n_scratch, n_buffers;
    uint8_t *buffers[DECODE_PACKETS]; /* bytes of rebuilt packets, made when first needed */
    struct packet scratch[DECODE_PACKETS];
};

typedef bool decode_fn(struct decoder *d, struct packet *p, struct span s);

static inline void decode_event(struct packet *p, enum decode_event e)
{
    packet_event(p, (uint16_t)e);
}

/* Notes the anomaly and that the packet is invalid; false, for `return decode_bad(...)`. */
static inline bool decode_bad(struct packet *p, enum decode_event e)
{
    packet_event(p, (uint16_t)e);
    p->flags |= PKT_INVALID;
    return false;
}

static inline void decode_count(struct decoder *d, enum counter_decode c)
{
    d->counters[c]++;
}

/* One more decoder entered for this packet: is that still allowed? */
static inline bool decode_layer(const struct decoder *d, struct packet *p)
{
    p->layers++;
    if (LIKELY(p->layers < d->conf.max_layers))
        return true;
    return decode_bad(p, DEV_TOO_MANY_LAYERS);
}

/* decode_link.c */
bool decode_link(struct decoder *d, struct packet *p, uint16_t link, struct span s);
decode_fn decode_ethernet, decode_vlan, decode_arp, decode_mpls, decode_ppp;
/* What follows an EtherType; false when that is unknown. Inner results are not told. */
bool decode_network(struct decoder *d, struct packet *p, uint16_t ether_type, struct span s);

/* PPP protocol numbers (RFC 1661 and its registry) that carry data nobody here looks into, and
 * those that set a link up. */
bool ppp_is_other(uint16_t proto);
bool ppp_is_control(uint16_t proto);

/* decode_frame.c */
decode_fn decode_pppoe_session, decode_pppoe_discovery, decode_nsh;

/* decode_ip4.c, decode_ip6.c */
decode_fn decode_ipv4, decode_ipv6;

/* decode_l4.c, decode_icmp.c: s is the payload as the IP header claims it */
decode_fn decode_tcp, decode_udp, decode_sctp, decode_esp, decode_icmp4, decode_icmp6;

/* decode_tunnel.c */
decode_fn decode_gre, decode_udp_tunnel, decode_erspan_2;
/* A new packet of s inside p, decoded by fn and queued for its visit; NULL when s is not that or
 * the depth limit is met. */
struct packet *decode_inner(struct decoder *d, struct packet *p, struct span s,
                            enum packet_source source, decode_fn *fn);
/* A packet of rebuilt bytes that p, a fragment, completed; fn begins behind link_n bytes of them.
 */
void decode_rebuilt(struct decoder *d, struct packet *p, struct span s, size_t link_n,
                    decode_fn *fn);
/* 64 KiB and more for one rebuilt packet, valid until the captured packet is done; NULL when there
 * are no more. */
uint8_t *decode_buffer(struct decoder *d);
