/* SPDX-License-Identifier: Apache-2.0 */
/* The checked intermediate form of one rule: what the language front end (lexer, parser, keyword
 * set-up) makes and the engine (prefilter, matcher) consumes. Built at start on the ruleset's
 * arena, immutable afterwards. Inside detect/ only. */
#pragma once

#include "base/arena.h"
#include "base/ip.h"
#include "detect/detect.h"

enum rule_action {
    ACTION_ALERT,
    ACTION_PASS,
    ACTION_DROP,
    ACTION_REJECT,
    ACTION_REJECT_DST,
    ACTION_REJECT_BOTH,
    ACTION_CONFIG
};

enum rule_flag {
    RULE_TO_SERVER = 1 << 0, /* flow:to_server (or implied by its buffers) */
    RULE_TO_CLIENT = 1 << 1,
    RULE_BIDIRECTIONAL = 1 << 2, /* <> */
    RULE_NOALERT = 1 << 3,
    RULE_ESTABLISHED = 1 << 4,
    RULE_NOT_ESTABLISHED = 1 << 5,
    RULE_STATELESS = 1 << 6,
    RULE_ONLY_STREAM = 1 << 7,
    RULE_NO_STREAM = 1 << 8,
    RULE_ONLY_FRAG = 1 << 9,
    RULE_NO_FRAG = 1 << 10,
    RULE_NEEDS_PACKET = 1 << 11, /* inspects packet payload or headers */
    RULE_NEEDS_STREAM = 1 << 12, /* payload contents that run on the reassembled stream too */
    RULE_NEEDS_APP = 1 << 13,    /* has buffers of a protocol */
    RULE_IP_ONLY = 1 << 14,      /* header alone decides: tested once per flow and direction */
    RULE_DECODE_EVENT = 1 << 15, /* decode-event or stream-event */
    RULE_TARGET_SRC = 1 << 16,
    RULE_TARGET_DST = 1 << 17,
    RULE_PREFILTER = 1 << 18, /* `prefilter` keyword */
    RULE_NOT_FIRST_ONLY = 1 << 19,
    RULE_TX_BOTH = 1 << 20,        /* => : both directions of one transaction */
    RULE_PRIORITY_GIVEN = 1 << 21, /* `priority` was written, classtype does not override it */
    RULE_FILES = 1 << 22, /* has conditions on files (file.data, filename, filestore …) */
    RULE_ALERT = 1 << 23, /* `alert`: alert whatever the action (with pass and config rules) */
};

/* Addresses of a header side as sorted, non-overlapping ranges (negations worked in). */
struct ip_range {
    struct ip first, last;
};
struct address_set {
    bool any; /* both families, no exception */
    const struct ip_range *v4, *v6;
    uint32_t n_v4, n_v6;
};
struct port_range {
    uint16_t first, last;
};
struct port_set {
    bool any;
    const struct port_range *r;
    uint32_t n;
};

/* What a run of matches looks into. From LIST_BUFFER on: LIST_BUFFER + index of a buffer in the
 * catalogue (detect/buffers.h). */
enum match_list {
    LIST_PACKET,  /* conditions on packet, flow and flow variables: tested before any content */
    LIST_PAYLOAD, /* packet payload and reassembled stream */
    LIST_BASE64,  /* what base64_decode decoded: hangs on that match, see keyword.h */
    LIST_TX,      /* values of a transaction: dns.opcode, app-layer-event, tls.version … */
    LIST_POST,    /* done only when all else matched: flowbits set, xbits set, tag … */
    LIST_BUFFER,
};

struct match;

/* One condition. `kind` is the keyword's row in keywords.def (enum keyword_id); its data are the
 * keyword's own struct of detect/keyword.h. */
struct match {
    struct match *next;
    const void *data;
    uint16_t kind;
};

enum content_flag {
    CONTENT_NOCASE = 1 << 0,
    CONTENT_NEGATED = 1 << 1,
    CONTENT_DISTANCE = 1 << 2,
    CONTENT_WITHIN = 1 << 3,
    CONTENT_OFFSET = 1 << 4,
    CONTENT_DEPTH = 1 << 5,
    CONTENT_FAST = 1 << 6,
    CONTENT_FAST_ONLY = 1 << 7,
    CONTENT_STARTS = 1 << 8,
    CONTENT_ENDS = 1 << 9,
    CONTENT_RAWBYTES = 1 << 10,
    CONTENT_FAST_CHOP = 1 << 11,
    CONTENT_DISTANCE_VAR = 1 << 12,
    CONTENT_WITHIN_VAR = 1 << 13,
    CONTENT_OFFSET_VAR = 1 << 14,
    CONTENT_DEPTH_VAR = 1 << 15,
    CONTENT_RELATIVE_NEXT = 1 << 16, /* a later match of the run is relative to this one */
    CONTENT_REPLACE = 1 << 17,
};

struct content {
    struct span bytes;        /* lower case when nocase */
    uint32_t flags;           /* enum content_flag */
    int32_t distance, within; /* or an index of a byte_extract/byte_math variable (…_VAR flags) */
    int32_t offset, depth; /* depth counts from the buffer's start (offset is added), or an index */
    uint16_t fast_offset, fast_length; /* part of bytes to filter by; length 0: all */
    struct span replace;               /* same length as bytes */
};

/* A run of conditions on one buffer in rule order. A rule has several runs on one buffer only if
 * the buffer is multi (one per use of its sticky buffer: each has to match some instance) or if
 * their transforms differ. */
struct buffer_matches {
    struct buffer_matches *next;
    uint16_t buffer; /* index into the catalogue, detect/buffers.h */
    uint16_t transform_n;
    uint8_t dirs; /* of a rule with => : 1 << DIR_TS or 1 << DIR_TC when it was said; else 0 */
    const struct transform *transforms; /* dotprefix, to_lowercase, …, in order; keyword.h */
    struct match *matches, *last;
};

struct rule {
    uint32_t index; /* in the ruleset, in order of priority */
    uint32_t sid, gid, rev;
    uint8_t action; /* enum rule_action */
    uint8_t priority;
    uint32_t flags; /* enum rule_flag */
    const char *msg, *class_name, *class_text;
    const char *text; /* the rule as written */
    const char *file;
    uint32_t line;
    const char *const *references; /* "url,https://…" resolved to full addresses */
    uint32_t n_references;
    struct rule_metadata {
        const char *key, *value;
    } * metadata;
    uint32_t n_metadata;

    uint8_t ip_proto[32]; /* bit set of IP protocols the header admits */
    uint8_t ip_v;         /* 0 any, 4, 6 */
    uint8_t app;          /* enum proto_id named in the header or implied; PROTO_NONE; from
                           * APP_FOREIGN on a protocol that nothing here recognises (buffers.h) */
    bool app_failed_ok, tcp_packet_only, tcp_stream_only; /* tcp-pkt, tcp-stream */
    bool arp, pkthdr, app_named; /* `alert arp`, `alert pkthdr`; app stands in the header */
    const struct address_set *src, *dst;
    const struct port_set *sport, *dport;

    struct match *packet_matches;  /* LIST_PACKET */
    struct match *payload_matches; /* LIST_PAYLOAD */
    struct buffer_matches *buffers;
    struct match *tx_matches;                 /* LIST_TX */
    struct match *post_matches;               /* LIST_POST */
    const struct threshold *threshold;        /* threshold keyword or event_filter, or NULL */
    const struct threshold *detection_filter; /* or NULL */
    const struct threshold *rate_filter;      /* of threshold.config, or NULL */
    const struct suppress *suppress;          /* list, of threshold.config, or NULL */
    bool threshold_given;                     /* threshold is the rule's own */
    uint8_t n_byte_vars;                      /* byte_extract and byte_math variables */

    /* chosen by rule_choose_fast, used by the prefilter; NULL: no content to filter by */
    const struct content *fast;
    int32_t fast_list;                     /* LIST_PAYLOAD or LIST_BUFFER + index */
    const struct buffer_matches *fast_run; /* the run it is in; NULL for the payload */
};

/* Names that rules share, by number. */
struct names {
    const char *const *name;
    uint32_t n;
};

struct engine;
struct catalogue; /* buffers.h */

/* What was loaded. The front end fills all but `engine`. */
struct ruleset {
    struct arena arena;  /* everything the rules hold */
    struct rule **rules; /* by rule.index: the order in which they apply */
    size_t n_rules;
    size_t active, failed, skipped; /* skipped: their `requires` is not fulfilled */
    const struct catalogue *catalogue;
    struct diagnostic *diagnostics;
    size_t n_diagnostics;
    struct dataset **datasets;
    size_t n_datasets;
    struct iprep *iprep; /* or NULL */
    struct names flowbits, xbits /* and hostbits */, flowints, flowvars;
    void **compiled; /* pcre2_code to free */
    size_t n_compiled;
    struct engine *engine;
};

/* The front end's whole work: reads the files, checks, orders, numbers and chooses fast patterns.
 * False only when nothing could be read. */
bool ruleset_parse(const struct detect_conf *conf, const char *const *files, size_t n_files,
                   struct ruleset **ret, struct err *e) MUST_CHECK;
/* Frees all but `engine`. */
void ruleset_release(struct ruleset *r);
/* The last pass over a rule: sets fast, fast_list and fast_run. */
void rule_choose_fast(struct rule *r, const struct catalogue *c);
