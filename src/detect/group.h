/* SPDX-License-Identifier: Apache-2.0 */
/* The compiled rules: who is asked when. Rules with a fast pattern wait for their prefilter, sorted
 * by what it looks into (payload by transport and direction, protocol buffers by protocol and
 * direction); the few without one stand in lists narrowed by their headers. Each rule that looks
 * into transactions has a plan: its steps in the order in which they can be taken. */
#pragma once

#include "detect/buffers.h"
#include "detect/engine.h"
#include "detect/header.h"
#include "detect/prefilter.h"

enum packet_class { CLASS_TCP, CLASS_UDP, CLASS_ICMP, CLASS_OTHER, CLASSES };

enum step_kind {
    STEP_BUFFER,    /* a run on a buffer of the protocol */
    STEP_FILE_DATA, /* a run on the content of the transaction's files */
    STEP_FILE_NAME,
    STEP_VALUE,  /* one condition on the transaction */
    STEP_STREAM, /* payload contents of a rule that also looks into transactions */
};

/* One step of a rule in a transaction: Suricata's inspection engine. */
struct step {
    uint8_t kind; /* enum step_kind */
    uint8_t dir, progress;
    uint8_t proto;      /* enum proto_id; PROTO_NONE: whatever the flow has */
    uint8_t id;         /* bit in the state that is kept with the transaction */
    bool fast;          /* holds the rule's fast pattern */
    bool on_null;       /* holds when the buffer is absent */
    uint16_t transform; /* number of its transform list, 0: none */
    const struct buffer_matches *run;
    const struct proto_buffer *buffer;
    const struct match *match; /* STEP_VALUE; the run's first condition otherwise */
};

struct plan {
    const struct step *steps;
    uint8_t n_steps;
    bool tx;           /* decided in transactions */
    bool packet_type;  /* not for packets made at a flow's end */
    bool packet_runs;  /* has runs on header buffers */
    bool stream;       /* payload contents run on the reassembled stream */
    bool recognition;  /* asks for the protocol alone: when it has just become known */
    bool needs_packet; /* … and on the packet even if it went into the stream */
};

/* A buffer that some rules' fast patterns are in. */
struct unit {
    struct prefilter *filter; /* shared between units of one buffer */
    const struct proto_buffer *buffer;
    uint8_t kind; /* enum step_kind */
    uint8_t progress;
    uint16_t catalogue, transform;
};

struct app_group {
    struct unit *units; /* by progress */
    uint32_t n_units;
    uint32_t *always; /* rules without a fast pattern */
    uint32_t n_always;
};

struct event_rules {
    uint32_t *starts; /* of event e: rules[starts[e]] … rules[starts[e + 1]] */
    uint32_t *rules;
    uint32_t n_events;
};

struct transform_list {
    const struct transform *list;
    uint16_t n;
};

struct engine {
    struct arena arena;
    const struct rule *const *rules;
    uint32_t n_rules;
    const struct buffer_info *buffers;
    uint16_t n_buffers;
    struct plan *plans;
    struct transform_list *transforms; /* number 0 is no transform */
    uint16_t n_transforms;
    struct prefilter **filters; /* all, to free and to size scratch by */
    size_t n_filters;
    /* payload, by direction */
    struct prefilter *named[2]; /* payload rules of protocols that are recognised only */
    struct prefilter *tcp_stream[2], *tcp_packet[2], *udp[2], *other[2];
    struct unit *packet_units[2]; /* header buffers */
    uint32_t n_packet_units[2];
    struct app_group app[PROTO_COUNT][2];
    struct header_index *always[CLASSES][2]; /* packet rules without a fast pattern */
    struct header_index *ip_only[2];
    bool has_ip_only[2], has_raw_stream[2];
    struct event_rules events;    /* decoder's, then the stream's from STREAM_EVENT_BASE on */
    struct entries *vars;         /* shared by the workers, locked */
    struct entries *limits;       /* same */
    struct entries *tagged_hosts; /* same */
    bool has_tags, has_recognition;
};

/* group_plan.c: fills plans and transform lists. */
void engine_plan(struct engine *g);
/* Rules that can never match here (a buffer of a protocol that is not parsed). */
bool rule_impossible(const struct engine *g, const struct rule *r);
/* The number of this transform list, entered when new. */
uint16_t transform_number(struct engine *g, const struct transform *list, uint16_t n);
enum packet_class packet_class_of(const struct packet *p);
