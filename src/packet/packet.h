/* SPDX-License-Identifier: Apache-2.0 */
/* One packet on its way through the sensor: where its layers lie, what they say, what was odd about
 * them, and what later stages found. Pointers go into the capture buffer or, for a rebuilt packet,
 * into its owner's; they are valid until the packet has been dealt with. Filled by packet/decode.c,
 * nothing here allocates. */
#pragma once

#include "base/dir.h"
#include "base/ip.h"
#include "base/span.h"

struct flow;

/* libpcap link types that are decoded. */
enum link_type {
    LINK_NULL = 0,
    LINK_ETHERNET = 1,
    LINK_PPP = 9,
    LINK_RAW_BSD = 12,
    LINK_RAW_OPENBSD = 14,
    LINK_PPP_HDLC = 50,
    LINK_RAW = 101,
    LINK_CHDLC = 104,
    LINK_LOOP = 108,
    LINK_LINUX_SLL = 113,
    LINK_IPV4 = 228,
    LINK_IPV6 = 229,
    LINK_LINUX_SLL2 = 276,
};

/* Where a packet came from: EVE's pkt_src. */
enum packet_source {
    SRC_WIRE,       /* "wire/pcap" */
    SRC_GRE,        /* "gre tunnel" */
    SRC_IPV4,       /* "ipv4 tunnel" */
    SRC_IPV6,       /* "ipv6 tunnel" */
    SRC_TEREDO,     /* "teredo tunnel" */
    SRC_DEFRAG,     /* "defrag" */
    SRC_TIMEOUT,    /* "stream (flow timeout)": made at a flow's end */
    SRC_DETECT_LOG, /* "stream (detect/log)": made when a protocol changes */
    SRC_ERSPAN,     /* "erspan tunnel" */
    SRC_VXLAN,      /* "vxlan encapsulation" */
    SRC_GENEVE,     /* "geneve encapsulation" */
    SRC_GTP,        /* "gtp tunnel" */
    SRC_MPLS,
    SRC_COUNT
};

enum packet_flag {
    PKT_FRAGMENT = 1 << 0,     /* an IP fragment, not rebuilt */
    PKT_REBUILT = 1 << 1,      /* put together by defragmentation */
    PKT_PSEUDO = 1 << 2,       /* made by the sensor at a flow's end: no bytes of the wire */
    PKT_INVALID = 1 << 3,      /* a layer is malformed; a flow only with PKT_WANTS_FLOW */
    PKT_CHECKSUM_BAD = 1 << 4, /* the transport's checksum is wrong and was checked */
    PKT_TRUNCATED = 1 << 5,    /* the capture holds less than the wire had */
    PKT_TUNNELED = 1 << 6,     /* lies inside another packet */
    PKT_TUNNEL_OUTER = 1 << 7, /* carries another packet */
    PKT_ESTABLISHED = 1 << 8,  /* both sides of the flow have been seen */
    PKT_STREAM_ADDED = 1 << 9, /* its payload went into a TCP stream */
    PKT_NO_PAYLOAD_INSPECT = 1 << 10,
    PKT_NO_INSPECT = 1 << 11, /* pass rule or bypass: no detection */
    PKT_DROP = 1 << 12,       /* a rule or policy dropped it (inline) */
    PKT_REJECT = 1 << 13,
    PKT_STREAM_EOF = 1 << 14,   /* last packet of the flow in its direction */
    PKT_FIRST_IN_DIR = 1 << 15, /* first packet of its flow in this direction */
    PKT_ALERTED = 1 << 16,
    PKT_STREAM_NO_EVENTS = 1 << 17,
    PKT_KEEPALIVE = 1 << 18,
    PKT_WANTS_FLOW = 1 << 19,       /* decoded well enough to belong to a flow */
    PKT_IP_CHECKSUM_BAD = 1 << 20,  /* of the IPv4 header; PKT_CHECKSUM_BAD: of the transport */
    PKT_FRAGMENT_REFUSED = 1 << 21, /* no room to keep the fragment */
};

enum tcp_flag {
    TCP_FIN = 0x01,
    TCP_SYN = 0x02,
    TCP_RST = 0x04,
    TCP_PSH = 0x08,
    TCP_ACK = 0x10,
    TCP_URG = 0x20,
    TCP_ECE = 0x40,
    TCP_CWR = 0x80,
};

struct tcp_head {
    uint32_t seq, ack;
    uint16_t window, urgent;
    uint8_t flags, header_n;
    bool has_ts, sack_ok, has_wscale, has_mss, has_sack, has_tfo, has_md5, has_ao;
    uint8_t wscale, n_sack;
    uint16_t mss;
    uint32_t ts_value, ts_echo;
    const uint8_t *sack; /* n_sack pairs of 32-bit edges, network order */
    struct span options;
};

/* Why a packet was dropped (inline): EVE's drop.reason. */
enum drop_reason {
    DROP_NONE,
#define DROP_REASON(id, counter, text) DROP_##id,
#include "packet/drop_reasons.def"
#undef DROP_REASON
    DROP_REASONS
};
/* EVE's name of a link type: "EN10MB"; "unknown". */
const char *link_name(uint16_t link);
const char *drop_reason_text(enum drop_reason r);    /* "flow drop"; "" for none */
const char *drop_reason_counter(enum drop_reason r); /* "ips.drop_reason.flow_drop", or NULL */

enum { PKT_EVENTS = 15, PKT_VLANS = 3 };

struct packet {
    /* capture */
    uint64_t ts_ns;  /* when it was on the wire */
    uint64_t number; /* in its capture, from 1 (EVE's pcap_cnt); 0 for live and made ones */
    struct span
        data; /* as captured, from the link layer; of a tunnelled packet what the tunnel held */
    uint32_t wire_n;            /* length on the wire */
    uint16_t link;              /* enum link_type */
    uint16_t source;            /* enum packet_source */
    uint32_t flags;             /* enum packet_flag */
    const struct packet *outer; /* the packet around this one, or NULL */
    uint8_t depth;              /* tunnels around this one */
    uint8_t layers;             /* decoders entered so far, those of outer packets included */

    /* link */
    const uint8_t *ethernet; /* 14 bytes, or NULL */
    const uint8_t *arp;      /* 28 bytes of a well-formed Ethernet/IPv4 ARP packet, or NULL */
    uint16_t ether_type;
    uint8_t n_vlan;
    uint16_t vlan[PKT_VLANS]; /* identifiers, outermost first */

    /* network: ip_v 0 means there is none */
    uint8_t ip_v;
    uint8_t proto; /* upper protocol, IPv6 extension headers passed */
    uint8_t ttl;
    uint8_t tos;
    uint16_t ip_id;     /* IPv4 */
    uint16_t ip_flags;  /* IPv4: flags and fragment offset as on the wire */
    uint16_t ip_head_n; /* header with options or extension headers */
    uint32_t ip_n;      /* total length the header claims */
    uint32_t ipv6_flow; /* traffic class and flow label as on the wire */
    const uint8_t *ip;  /* the header */
    struct ip src, dst;
    struct span ip_options;  /* IPv4 */
    uint32_t ip_option_seen; /* bit per IPv4 option kind: 1 << IPOPT_* of packet/ip_options.h */
    struct span ip_payload;  /* what follows header and extension headers */

    /* transport */
    uint16_t sport, dport; /* TCP, UDP, SCTP */
    uint8_t icmp_type, icmp_code;
    uint16_t icmp_id, icmp_seq;
    uint32_t esp_spi;
    const uint8_t *l4;   /* the transport header, or NULL */
    struct tcp_head tcp; /* when proto is TCP and l4 is set */
    struct span payload; /* behind the transport header */
    /* ICMP errors carry a packet: its addresses and ports, for finding the flow they speak of */
    bool icmp_inner, icmp_inner_ports;
    uint8_t icmp_inner_proto;
    struct ip icmp_inner_src, icmp_inner_dst;
    uint16_t icmp_inner_sport, icmp_inner_dport;

    /* what was odd: enum decode_event of packet/decode_event.h and stream events, see flow/ */
    uint8_t n_events;
    uint16_t events[PKT_EVENTS];

    /* later stages */
    struct flow *flow;
    uint8_t dir; /* enum dir, once it has a flow */
    uint8_t drop_reason;
    uint32_t flow_packets; /* packets of its flow before this one */
    void *alerts;          /* detect's, or NULL */
};

/* Clears all that decoding fills and later stages add; what the capture said stays. */
static inline void packet_reset(struct packet *p)
{
    memset((uint8_t *)p + offsetof(struct packet, flags), 0,
           sizeof(*p) - offsetof(struct packet, flags));
}

static inline bool packet_is(const struct packet *p, uint8_t proto)
{
    return p->l4 && p->proto == proto;
}

/* Records an anomaly; beyond PKT_EVENTS they are only counted by the decoder's statistics. */
static inline void packet_event(struct packet *p, uint16_t event)
{
    if (p->n_events < PKT_EVENTS)
        p->events[p->n_events++] = event;
}

/* The outermost packet around this one, or NULL. */
static inline const struct packet *packet_root(const struct packet *p)
{
    const struct packet *o = p->outer;

    while (o && o->outer)
        o = o->outer;
    return o;
}

/* EVE's pkt_src text. */
const char *packet_source_name(enum packet_source source);
