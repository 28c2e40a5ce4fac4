/* SPDX-License-Identifier: Apache-2.0 */
/* What the keywords hold: the data struct of every row in keywords.def, made by its set-up function
 * (keyword_*.c) on the ruleset's arena and read by its match function (match_*.c). Immutable after
 * loading. Names of flow variables are numbers in the ruleset's name tables (rule.h). */
#pragma once

#include "detect/keyword_app.h"
#include "detect/keyword_payload.h"

enum keyword_id {
    KW_NONE,
#define KEYWORD(id, name, aliases, setup, match, flags, help) KW_##id,
#include "detect/keywords.def"
#undef KEYWORD
    KEYWORDS
};
/* The rule language's name of a keyword. */
const char *keyword_name(enum keyword_id id);

/* Packet header conditions; the others (ttl, ip id, itype, icode, icmp_id, icmp_seq, seq, ack,
 * window, tcp.mss, tcp.wscale, fragoffset, dsize, icmpv6.mtu, vlan.layers …) are a uint_cond. */
struct flags_cond {
    uint8_t op; /* 0 exactly, '+' all of them, '*' any of them, '!' none of them */
    uint8_t flags, ignore;
    bool negated; /* flags:!S… with another modifier */
};
struct fragbits {
    uint8_t op;    /* as flags_cond.op */
    uint16_t bits; /* of packet.ip_flags: 0x8000 reserved, 0x4000 DF, 0x2000 MF */
};
struct tos {
    uint8_t tos;
    bool negated;
};
struct ipopts {
    uint32_t bits; /* any of packet.ip_option_seen */
    bool any;      /* `any`: some option */
};
struct ip_proto_cond { /* the protocols that may match, as a bit set; also in rule.ip_proto */
    uint8_t set[32];
};
struct l3_proto {
    uint8_t version; /* 4 or 6 */
};
struct csum {
    uint8_t proto; /* IP protocol, 0: the IPv4 header's own */
    uint8_t ip_v;
    bool valid;
};
struct vlan_id {
    struct uint_cond id;
    int8_t layer;  /* 0, 1, 2; -1 … -3 from the inside */
    uint8_t which; /* enum index_which */
};
/* Which of several values has to match. */
enum index_which { INDEX_ANY, INDEX_ALL, INDEX_ALL1, INDEX_ONE, INDEX_COUNT };

struct stream_size {
    uint8_t side; /* 's' server, 'c' client, 'b' both, 'e' either */
    struct uint_cond n;
};
struct event_cond { /* decode-event: enum decode_event, stream-event: enum stream_event */
    uint16_t event;
};

/* Flow conditions; flow: itself is in rule.flags. flow.age is a uint_cond. */
enum flow_count_side { FLOW_COUNT_TS, FLOW_COUNT_TC, FLOW_COUNT_EITHER, FLOW_COUNT_BOTH };
struct flow_count { /* flow.pkts, flow.bytes and their _toserver, _toclient forms */
    uint8_t side;   /* enum flow_count_side; BOTH: the sum */
    struct uint_cond n;
};

enum bit_op { BIT_SET, BIT_UNSET, BIT_TOGGLE, BIT_ISSET, BIT_ISNOTSET };
struct flowbits {
    uint8_t op; /* enum bit_op */
    uint16_t n; /* more than one (a|b): any of them for ISSET, none for ISNOTSET */
    const uint32_t *ids;
};
enum track { TRACK_SRC, TRACK_DST, TRACK_RULE, TRACK_BOTH /* ip pair */, TRACK_FLOW, TRACK_EITHER };
struct xbits {     /* hostbits too */
    uint8_t op;    /* enum bit_op */
    uint8_t track; /* enum track: SRC, DST, BOTH (ip_pair; hostbits: both), FLOW stands for tx */
    uint32_t id, expire_s;
};
enum flowint_op {
    FLOWINT_SET,
    FLOWINT_ADD,
    FLOWINT_SUB,
    FLOWINT_LT,
    FLOWINT_LE,
    FLOWINT_EQ,
    FLOWINT_NE,
    FLOWINT_GE,
    FLOWINT_GT,
    FLOWINT_ISSET,
    FLOWINT_ISNOTSET
};
struct flowint {
    uint8_t op;   /* enum flowint_op */
    bool by_name; /* the operand is another variable */
    uint32_t id, other;
    uint32_t value;
};
struct flowvar { /* flowvar and pktvar: the captured value holds these bytes */
    uint32_t id;
    bool negated, nocase;
    struct span bytes;
};
enum tag_type { TAG_SESSION, TAG_HOST };
enum tag_metric { TAG_PACKETS, TAG_SECONDS, TAG_BYTES };
struct tag {
    uint8_t type;   /* enum tag_type */
    uint8_t metric; /* enum tag_metric */
    uint8_t track;  /* of host: TRACK_SRC or TRACK_DST */
    uint32_t count;
};

enum iprep_side { IPREP_ANY, IPREP_SRC, IPREP_DST, IPREP_BOTH };
struct iprep;
struct iprep_cond {
    const struct iprep *list;
    uint8_t side; /* enum iprep_side */
    uint8_t category;
    struct uint_cond value; /* 0: the address has no reputation */
};

struct config {      /* logging off */
    bool scope_flow; /* of all transactions of the flow, not this one alone */
};

enum threshold_type {
    THRESHOLD_LIMIT,
    THRESHOLD_THRESHOLD,
    THRESHOLD_BOTH,
    THRESHOLD_DETECTION,
    THRESHOLD_RATE,
    THRESHOLD_BACKOFF
};
struct threshold {
    uint8_t type;  /* enum threshold_type */
    uint8_t track; /* enum track: SRC, DST, RULE, BOTH, FLOW */
    uint32_t count, seconds;
    uint32_t multiplier; /* backoff */
    uint8_t new_action;  /* rate_filter: enum rule_action; ACTION_ALERT, DROP, PASS, REJECT */
    uint32_t timeout_s;  /* rate_filter */
};
struct suppress {
    const struct suppress *next;
    bool all;      /* no address given */
    uint8_t track; /* TRACK_SRC, TRACK_DST, TRACK_EITHER */
    const struct address_set *ip;
};
