/* SPDX-License-Identifier: Apache-2.0 */
/* Flows: packets of one conversation by addresses, ports, protocol, VLAN and tunnel depth, with
 * their counters, state and timers, and the stream and application state that hangs on them. One
 * table per worker, hard memory ceiling, eviction oldest first (counted). A flow belongs to one
 * worker; nothing here locks. */
#pragma once

#include "base/dir.h"
#include "base/htab.h"
#include "packet/packet.h"

struct app;
struct exception_counts;
struct tcp_session;

enum flow_state { FLOW_NEW, FLOW_ESTABLISHED, FLOW_CLOSED, FLOW_LOCAL_BYPASSED };

enum flow_end { FLOW_END_TIMEOUT, FLOW_END_FORCED, FLOW_END_SHUTDOWN, FLOW_END_REUSED };

enum flow_flag {
    FLOW_TO_DST_SEEN = 1 << 0, /* a packet towards the server has been seen */
    FLOW_TO_SRC_SEEN = 1 << 1,
    FLOW_ALERTED = 1 << 2,
    FLOW_PASS = 1 << 3, /* a pass rule: no more detection */
    FLOW_DROP = 1 << 4, /* a drop rule decided for the whole flow */
    FLOW_NO_PAYLOAD_INSPECT = 1 << 5,
    FLOW_SWAPPED = 1 << 6, /* client and server were exchanged after recognition */
    FLOW_TS_EOF = 1 << 7,
    FLOW_TC_EOF = 1 << 8,
    FLOW_WRONG_DIRECTION = 1 << 9,
    FLOW_MIDSTREAM = 1 << 10,
    FLOW_BYPASSED = 1 << 11,
    FLOW_ELEPHANT = 1 << 12,
    FLOW_DROP_LOGGED = 1 << 14, /* a drop towards the server was reported */
    FLOW_DROP_LOGGED_TC = 1 << 20,
    FLOW_NO_APP = 1 << 13, /* application layer switched off for it */
};

struct flow_key {
    struct ip src, dst; /* of the client and the server */
    uint16_t sport, dport;
    uint8_t proto, depth;
    uint16_t vlan[PKT_VLANS];
};

/* What flows are told apart by, the same for both directions (ESP: one direction and its SPI). */
struct flow_tuple {
    uint8_t a[16], b[16];
    uint16_t a_port, b_port; /* or ICMP types */
    uint32_t spi;
    uint16_t vlan[PKT_VLANS];
    uint8_t proto, depth;
    uint8_t family, pad[7];
};

/* The addresses of the link layer that a flow's sides had, at most so many each. */
enum { FLOW_MACS = 10 };
struct flow_macs {
    uint8_t n[2];
    uint8_t mac[2][FLOW_MACS][6]; /* [DIR_TS]: of the client */
};

struct flow {
    struct hnode node;
    struct flow *lru_next, *lru_prev;
    struct flow_tuple tuple;
    struct flow_key key;
    uint64_t id;        /* EVE's flow_id: the same in every replay, below 2^53 */
    uint64_t parent_id; /* or 0 */
    uint64_t start_ns, last_ns;
    uint64_t packets[2], bytes[2];
    uint32_t flags; /* enum flow_flag */
    uint8_t state;  /* enum flow_state */
    uint8_t n_vlan;
    uint8_t tcp_flags[2];         /* all seen, per direction */
    uint8_t icmp_type, icmp_code; /* of the first packet */
    bool has_icmp_reply;
    uint8_t icmp_reply_type, icmp_reply_code;
    uint32_t esp_spi;
    uint64_t first_number; /* number of its first packet */
    uint8_t ttl_min[2], ttl_max[2];
    uint8_t mac[2][6];
    bool has_mac;
    struct flow_macs *macs;  /* or NULL; the sensor's, which frees it at the flow's end */
    struct tcp_session *tcp; /* or NULL */
    struct app *app;         /* or NULL */
    void *detect;            /* detect's per-flow state (flowbits, counters), or NULL */
    uint32_t exception_policy;
    /* the table's own */
    uint32_t timeout_s;  /* how long it may be silent */
    uint32_t queued_s;   /* when it was put at the end of its list */
    uint8_t proto_class; /* TCP, UDP, ICMP, other */
    bool emergency;      /* ended while memory was short */
};

struct flow_timeouts {
    uint32_t fresh_s, established_s, closed_s, bypassed_s;
};

struct flow_conf {
    uint64_t memcap_bytes;
    uint32_t max_flows;                  /* derived from the memcap when 0 */
    uint32_t emergency_recovery_percent; /* of all flows free again: the emergency is over */
    bool vlan_is_key, depth_is_key;
    uint8_t memcap_policy; /* enum exception_policy: of packets that get no flow */
    struct flow_timeouts tcp, udp, icmp, other;
    struct flow_timeouts tcp_emergency, udp_emergency, icmp_emergency, other_emergency;
};

void flow_conf_default(struct flow_conf *c);

enum counter_flow {
#define FLOW_COUNTER(id, name) FC_##id,
#include "flow/flow_counters.def"
#undef FLOW_COUNTER
    FLOW_COUNTERS
};
const char *flow_counter_name(enum counter_flow c); /* "flow.total" */

/* Told when a flow ends, before its memory goes: the sensor writes its last events. */
typedef void flow_ended(void *user, struct flow *f, enum flow_end why);

struct flow_table;

struct flow_table *flow_table_new(const struct flow_conf *conf, flow_ended *ended, void *user);
void flow_table_free(struct flow_table *t);
/* The packet's flow, found or made, with counters, state and direction brought up to date: sets
 * p->flow, p->dir, p->flow_packets, PKT_ESTABLISHED and PKT_FIRST_IN_DIR. NULL: packets without a
 * flow (fragments, ICMP errors that speak of no flow, protocols above IP that are not decoded). A
 * flow whose time is over, or a TCP session that is done when a new SYN comes, ends first. */
struct flow *flow_of_packet(struct flow_table *t, struct packet *p);
/* Ends flows whose time is over at now_ns (packet time); looks at a bounded number per call and
 * does nothing more than once a second. */
void flow_expire(struct flow_table *t, uint64_t now_ns);
/* Calls `fn` for each flow; it must not end any. */
void flow_each(struct flow_table *t, void (*fn)(void *user, struct flow *f), void *user);
/* Ends one flow now. */
void flow_finish(struct flow_table *t, struct flow *f, enum flow_end why);
/* Ends all flows, oldest first (end of a capture). */
void flow_end_all(struct flow_table *t, enum flow_end why);
/* Client and server were the other way round: exchanges both sides of everything in the flow.
 * Within a sink's call the stream engine turns the packet in hand (p->dir) itself. */
void flow_swap(struct flow *f);
/* Sets the state that the stream engine found; drives the timer. */
void flow_set_state(struct flow_table *t, struct flow *f, enum flow_state state);
const uint64_t *flow_counters(const struct flow_table *t);
const struct exception_counts *flow_table_exceptions(const struct flow_table *t);
/* Live flows, and the bytes they take. */
uint32_t flow_count(const struct flow_table *t);
uint64_t flow_memuse(const struct flow_table *t);
/* "new", "established", "closed", "bypassed"; "timeout", "forced", "shutdown", "unknown". */
const char *flow_state_name(enum flow_state s);
const char *flow_end_name(enum flow_end why);
