/* SPDX-License-Identifier: Apache-2.0 */
/* From captured bytes to struct packet: link, network and transport layers, tunnels, fragments.
 * One call per captured packet; each packet found is given to the visitor: those inside tunnels and
 * those rebuilt from fragments, innermost first, then the captured one. All of them stay valid
 * until decode_packet returns. */
#pragma once

#include "packet/packet.h"

struct capture_packet;

/* The anomalies of this layer: names as in EVE (`anomaly.event`, rules: decode-event). */
enum decode_event {
#define DECODE_EVENT(id, name) DEV_##id,
#include "packet/decode_events.def"
#undef DECODE_EVENT
    DECODE_EVENTS
};

/* EVE's name, "decoder.ipv4.pkt_too_small", and the rule language's, "ipv4.pkt_too_small". */
const char *decode_event_eve(enum decode_event e);
const char *decode_event_rule(enum decode_event e);
/* The counter's name, "decoder.event.ipv4.pkt_too_small". */
const char *decode_event_counter_name(enum decode_event e);
/* DECODE_EVENTS when there is no such event. */
enum decode_event decode_event_find(struct span rule_name);

enum counter_decode {
#define DECODE_COUNTER(id, name) DC_##id,
#include "packet/decode_counters.def"
#undef DECODE_COUNTER
    DECODE_COUNTERS
};

const char *decode_counter_name(enum counter_decode c); /* "decoder.ipv4" */

enum defrag_policy {
    DEFRAG_BSD,
    DEFRAG_BSD_RIGHT,
    DEFRAG_LINUX,
    DEFRAG_FIRST,
    DEFRAG_LAST,
    DEFRAG_SOLARIS,
    DEFRAG_WINDOWS,
};

/* The policy of a name of host-os-policy ("bsd", "linux", "old-linux", "vista" ...). */
bool defrag_policy_find(struct span name, enum defrag_policy *ret);

struct decode_conf {
    bool checksums; /* check L3/L4 checksums and mark packets with wrong ones */
    /* Give that up when more than a tenth of the first thousand packets have a wrong TCP checksum:
     * then they were captured before the network card wrote them. */
    bool checksums_auto;
    bool teredo, vxlan, geneve, erspan, gtp;
    bool vxlan_strict;  /* reserved bits must be zero */
    bool erspan_type_1; /* GRE ERSPAN without a header of its own */
    uint16_t teredo_ports[4], vxlan_ports[4], geneve_ports[4], gtp_ports[4];
    uint8_t n_teredo_ports, n_vxlan_ports, n_geneve_ports, n_gtp_ports; /* no teredo port: any */
    uint8_t max_depth;      /* tunnels inside one another, 16 */
    uint8_t max_layers;     /* decoders entered for one packet, 16 */
    bool depth_is_flow_key; /* decoder.recursion-level.use-for-tracking */
    uint32_t defrag_timeout_s;
    uint32_t defrag_trackers, defrag_frags; /* ceilings */
    uint64_t defrag_memcap;
    enum defrag_policy defrag_default[2]; /* of IPv4 and IPv6 */
    /* How the host with this address treats overlapping fragments; NULL: as the default says. */
    enum defrag_policy (*defrag_policy)(void *user, const struct ip *destination);
    void *defrag_policy_user;
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
/* The same for what a capture gave, a VLAN tag that the kernel took off included; fills p's capture
 * part itself. */
void decode_captured(struct decoder *d, const struct capture_packet *c, struct packet *p,
                     packet_visitor *visit, void *user);
/* By enum counter_decode, and anomalies of visited packets by enum decode_event. */
const uint64_t *decode_counters(struct decoder *d);
const uint64_t *decode_event_counters(const struct decoder *d);
/* Is a link type decoded at all? */
bool decode_knows_link(uint16_t link);
/* Gives up fragment trackers whose time is over at now_ns. */
void decode_expire(struct decoder *d, uint64_t now_ns);
