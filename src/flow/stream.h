/* SPDX-License-Identifier: Apache-2.0 */
/* TCP: the session's state machine and the reassembly of each direction into ordered bytes, with
 * sequence wrap, overlaps by policy, gaps, midstream and one-sided pickup, urgent data, and
 * ceilings per flow and in total. Without inline mode data are handed up once the other side has
 * acknowledged them, as the receiver sees them. */
#pragma once

#include "base/span.h"
#include "flow/policy.h"

enum stream_event {
#define STREAM_EVENT(id, rule_name, eve_name) SEV_##id,
#include "flow/stream_events.def"
#undef STREAM_EVENT
    STREAM_EVENTS
};
/* In struct packet's event list stream events stand behind the decoder's. */
enum { STREAM_EVENT_BASE = 4096 };
const char *stream_event_eve(enum stream_event e);
const char *stream_event_rule(enum stream_event e);
enum stream_event stream_event_find(struct span rule_name);

enum tcp_state {
    TCP_NONE,
    TCP_LISTEN,
    TCP_SYN_SENT,
    TCP_SYN_RECV,
    TCP_ESTABLISHED,
    TCP_FIN_WAIT1,
    TCP_FIN_WAIT2,
    TCP_TIME_WAIT,
    TCP_LAST_ACK,
    TCP_CLOSE_WAIT,
    TCP_CLOSING,
    TCP_CLOSED,
};

enum os_policy {
    OS_BSD,
    OS_BSD_RIGHT,
    OS_OLD_LINUX,
    OS_LINUX,
    OS_OLD_SOLARIS,
    OS_SOLARIS,
    OS_HPUX10,
    OS_HPUX11,
    OS_IRIX,
    OS_MACOS,
    OS_WINDOWS,
    OS_WINDOWS2K3,
    OS_VISTA,
    OS_FIRST,
    OS_LAST,
};

/* What the byte that the urgent pointer names is to the application. */
enum urgent_policy {
    URGENT_INLINE, /* data like any other */
    URGENT_DROP,   /* the packet is dropped */
    URGENT_OOB,    /* out of band: not in the stream, sequence numbers are shifted */
    URGENT_GAP,    /* missing from the stream */
};

struct stream_conf {
    uint64_t memcap_bytes, reassembly_memcap_bytes;
    uint32_t depth_bytes;            /* 0: no limit */
    bool strict_timestamps;          /* stream.liberal-timestamps: no */
    bool check_overlap;              /* some rule asks for reassembly_overlap_different_data */
    uint8_t urgent_oob_limit_policy; /* when 65535 urgent bytes were set aside */
    bool midstream, async_oneway, inline_mode, drop_invalid, bypass;
    bool checksum_validation;
    uint32_t max_syn_queued, max_synack_queued;
    uint32_t chunk_ts_bytes, chunk_tc_bytes; /* raw inspection, 2560 each */
    bool randomize_chunk, raw;
    uint32_t segments_max;    /* out-of-order regions kept per direction */
    uint8_t urgent_policy;    /* inline, drop, oob, gap */
    uint8_t midstream_policy; /* enum exception_policy: of packets without a session's beginning */
    uint8_t memcap_policy, reassembly_memcap_policy; /* where the ceilings refuse */
    uint8_t default_os;
    struct os_rule {
        struct cidr net;
        uint8_t os;
    } * os_rules;
    size_t n_os_rules;
};

void stream_conf_default(struct stream_conf *c);

enum counter_stream {
#define STREAM_COUNTER(id, name) SC_##id,
#include "flow/stream_counters.def"
#undef STREAM_COUNTER
    STREAM_COUNTERS
};
const char *stream_counter_name(enum counter_stream c); /* "tcp.sessions" */

/* Receives ordered data. Returns how many bytes it has done with; the rest stays in the stream. */
enum stream_flag {
    STREAM_EOF = 1,       /* the values are those of proto.h's PARSE_* */
    STREAM_TRUNCATED = 2, /* cut at its depth */
    STREAM_MIDSTREAM = 4,
};

struct stream_sink {
    size_t (*data)(void *user, struct flow *f, struct packet *p, enum dir dir, struct span data,
                   unsigned parse_flags);
    void (*gap)(void *user, struct flow *f, struct packet *p, enum dir dir, uint64_t n);
    void *user;
};

struct stream_engine;

struct stream_engine *stream_engine_new(const struct stream_conf *conf, struct flow_table *flows,
                                        struct stream_sink sink);
void stream_engine_free(struct stream_engine *s);
/* Whether data that come again are compared from now on (stream_conf.check_overlap). */
void stream_check_overlap(struct stream_engine *s, bool check);
/* One TCP packet that has a flow. Sets packet events and PKT_STREAM_*; calls the sink. */
void stream_packet(struct stream_engine *s, struct packet *p);
/* The flow ends: what is still held is handed up (with gaps told), then the session goes. */
void stream_flush(struct stream_engine *s, struct flow *f, struct packet *pseudo, enum dir dir);
void stream_session_free(struct stream_engine *s, struct flow *f);
/* The worker is done with the packet (application layer and detection have run): lets go of what
 * nobody wants any more in the packet's direction. Called for every packet given to
 * stream_packet(); without it the same happens with the flow's next packet. */
void stream_packet_done(struct stream_engine *s, struct packet *p);
/* Hands up what is ready in one direction outside of a packet's turn: protocol recognition found
 * out from one side what the other side speaks. */
void stream_feed(struct stream_engine *s, struct flow *f, struct packet *p, enum dir dir);
/* Has the flow unprocessed data or an unfinished session in this direction, so that a pseudo packet
 * is due at its end? */
bool stream_wants_flush(const struct flow *f, enum dir dir);
/* The application wants raw inspection to look at what there is, before a chunk is full. */
void stream_raw_trigger(struct flow *f, enum dir dir);
/* The application wants this many bytes before its progress kept for raw inspection. */
void stream_raw_keep(struct flow *f, enum dir dir, uint32_t n);
/* The protocol of this direction is known (or given up while the other's is known). Taking data
 * without stream_stop_app in the same call says so too. */
void stream_recognised(struct flow *f, enum dir dir);
/* Within the sink's gap(): the flow's protocol is not known yet, so the gap stays where it is and
 * is told again with the next acknowledgement. */
void stream_refuse_gap(struct flow *f, enum dir dir);
/* The application needs at least n more bytes before it is to be called again. */
void stream_need(struct flow *f, enum dir dir, uint32_t n);
/* This flow's depth from now on (app-layer.protocols.*.stream-depth); 0: no limit. */
void stream_set_depth(struct flow *f, uint32_t depth_bytes);
/* What raw inspection may look at now in this direction and has not let go: contiguous bytes from
 * *ret_offset of the stream on. `final` when no more will come. Empty when nothing new. */
struct span stream_raw(const struct flow *f, enum dir dir, uint64_t *ret_offset, bool *ret_final);
/* The part of the stream that follows `from`, where a span of stream_raw() ended at a gap; nothing
 * is let go. Empty: there is no more that may be looked at. */
struct span stream_raw_next(const struct flow *f, enum dir dir, uint64_t from,
                            uint64_t *ret_offset);
/* Raw inspection is done with all before `offset`. */
void stream_raw_done(struct flow *f, enum dir dir, uint64_t offset);
/* Bytes of this direction so far (the stream_size keyword) and its state. */
uint64_t stream_size(const struct flow *f, enum dir dir);
enum tcp_state stream_state(const struct flow *f);
const char *tcp_state_name(enum tcp_state s); /* EVE's tcp.state */
/* Does raw inspection or the application want nothing more of the flow? */
void stream_stop_app(struct flow *f, enum dir dir);
void stream_stop_raw(struct flow *f);
/* For the flow event: ts_gap, tc_gap, max_regions, urgent bytes. */
struct stream_facts {
    bool gap[2];
    uint32_t max_regions[2];
    uint64_t urgent[2];
    uint8_t state;
    bool session; /* there was one */
};
void stream_facts(const struct flow *f, struct stream_facts *ret);
/* Is nothing more to be had from the flow (stream.bypass: both sides are at their depth)? */
bool stream_wants_bypass(const struct flow *f);
const struct exception_counts *stream_exceptions(const struct stream_engine *s);
const uint64_t *stream_counters(const struct stream_engine *s);
