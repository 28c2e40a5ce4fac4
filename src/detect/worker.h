/* SPDX-License-Identifier: Apache-2.0 */
/* What one worker has to itself while it inspects: scratch memory, candidate sets, the queue of
 * matches, statistics. Made once per worker; nothing in it is allocated per packet. */
#pragma once

#include "detect/engine.h"
#include "detect/group.h"
#include "detect/match.h"
#include "detect/prefilter.h"

enum {
    BASE64_BYTES = 65536,
    QUEUE_MAX = 1024,  /* matches of one packet before thresholds and the alert limit */
    CAPTURES_MAX = 64, /* captured values of one rule */
    PACKET_VARS_MAX = 32,
    PACKET_VAR_BYTES = 16384,
    CONTEXTS_MAX = 64, /* of all alerts of a packet */
};

/* A rule that matched, before thresholds, pass rules and the alert limit. */
struct queued {
    const struct rule *rule;
    struct tx *tx;
    uint64_t tx_id; /* UINT64_MAX: none */
    bool has_tx, tx_guessed, stream, state;
    uint8_t context, n_context; /* in detect.contexts */
};

/* A value that an expression captured; it becomes a variable when its rule matches. */
struct captured {
    uint8_t kind; /* enum variable_kind */
    uint32_t id;
    struct span value;
};

struct transform_cache;
struct pcre_worker;

struct detect {
    const struct ruleset *rules;
    const struct engine *engine;
    struct detect_conf conf;
    hs_scratch_t *hs;
    struct pcre_worker *pcre;
    struct inspection in;
    struct candidates packet; /* rules for this packet */
    struct candidates tx;     /* rules for this transaction */
    struct transform_cache *transforms;
    uint8_t *base64;
    double entropy;
    bool has_entropy;
    struct queued queue[QUEUE_MAX];
    uint32_t n_queue;
    struct captured captured[CAPTURES_MAX];
    uint32_t n_captured;
    struct captured packet_vars[PACKET_VARS_MAX]; /* of this packet */
    uint32_t n_packet_vars;
    uint8_t packet_var_bytes[PACKET_VAR_BYTES]; /* their values: buffers may go before events are
                                                   written */
    uint32_t n_packet_var_bytes;
    /* what data sets say: of rules that matched, then n_context_new of the rule being inspected */
    struct alert_context contexts[CONTEXTS_MAX];
    uint8_t n_contexts, n_context_new;
    struct flow_detect *free_flows;
    size_t value_bytes;     /* of captured values on this worker's flows */
    struct entries *vars;   /* xbits, hostbits: shared by all workers */
    struct entries *limits; /* shared by all workers */
    uint64_t counters[DETECT_COUNTERS];
    /* of the current packet */
    struct span stream; /* raw stream data to inspect */
    uint64_t stream_at;
    bool has_stream, stream_final;
    bool recognised; /* it is the first after its direction's protocol was settled */
};

/* content.c and bytes.c */
bool base64_decode_run(struct inspection *in, const struct base64_decode *b);
/* match_flow.c: direction and state that the rule asks of the flow. */
bool rule_flow_match(const struct inspection *in, const struct rule *r);
/* match_tx.c: did this anomaly of recognition come up since the last packet? */
bool layer_event_is_new(const struct inspection *in, uint8_t event);

/* The number of the flow's protocol, PROTO_NONE when it is not known. */
static inline uint8_t app_number(const struct app *a)
{
    for (uint8_t i = 1; a && a->proto && i < PROTO_COUNT; i++)
        if (proto_table[i] == a->proto)
            return i;
    return PROTO_NONE;
}

/* engine.c: the conditions of LIST_PACKET. */
bool rule_packet_matches(struct inspection *in, const struct rule *r);
/* engine.c: the rule's runs on header buffers. */
bool packet_runs_match(struct inspection *in, const struct rule *r);
/* engine.c: a rule matched: does what it does then and queues its alert. */
void rule_matched(struct detect *d, struct inspection *in, const struct rule *r, struct queued q);
