/* SPDX-License-Identifier: Apache-2.0 */
/* From captured bytes to struct packet: link, network and transport layers, tunnels, fragments.
 * One call per captured packet; each packet found (the outer one, then those inside tunnels and
 * those rebuilt from fragments) is given to the visitor in that order. */
#pragma once

#include "packet/packet.h"

/* The anomalies of this layer: names as in EVE (`anomaly.event`, rules: decode-event). */
enum decode_event {
#define DECODE_EVENT(id, rule_name, eve_name) DEV_##id,
#include "packet/decode_events.def"
#undef DECODE_EVENT
    DECODE_EVENTS
};

/* EVE's "IPV4_PKT_TOO_SMALL"-like name, and the rule language's "ipv4.pkt_too_small". */
const char *decode_event_eve(enum decode_event e);
const char *decode_event_rule(enum decode_event e);
enum decode_event decode_event_find(struct span rule_name);

enum counter_decode {
#define DECODE_COUNTER(id, name) DC_##id,
#include "packet/decode_counters.def"
#undef DECODE_COUNTER
    DECODE_COUNTERS
};

const char *decode_counter_name(enum counter_decode c); /* "decoder.ipv4" */

struct decode_conf {
    bool checksums; /* check L3/L4 checksums and mark packets with wrong ones */
    bool teredo, vxlan, geneve, erspan, gtp;
    uint16_t teredo_ports[4], vxlan_ports[4], geneve_ports[4];
    uint8_t n_teredo_ports, n_vxlan_ports, n_geneve_ports;
    uint8_t max_depth;      /* tunnels inside one another, 16 */
    uint8_t max_layers;     /* decoders entered for one packet, 16 */
    bool depth_is_flow_key; /* decoder.recursion-level.use-for-tracking */
    uint32_t defrag_timeout_s;
    uint32_t defrag_trackers, defrag_frags; /* ceilings */
    uint64_t defrag_memcap;
};

/* Suricata's shipped defaults. */
void decode_conf_default(struct decode_conf *c);

struct decoder; /* one per worker: counters, fragments, scratch packets */

struct decoder *decoder_new(const struct decode_conf *conf);
void decoder_free(struct decoder *d);

typedef void packet_visitor(void *user, struct packet *p);

/* Decodes one captured packet and visits what it holds. */
void decode_packet(struct decoder *d, uint16_t link, struct packet *p, packet_visitor *visit,
                   void *user);
const uint64_t *decode_counters(const struct decoder *d);
/* Gives up fragment trackers whose time is over at now_ns. */
void decode_expire(struct decoder *d, uint64_t now_ns);
