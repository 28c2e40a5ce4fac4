/* SPDX-License-Identifier: Apache-2.0 */
/* The application layer of one flow: recognition by content, the parser's state, the list of
 * transactions and its clean-up. Fed by the sensor with ordered bytes (TCP) or datagrams (UDP),
 * read by detect and the outputs. One struct app per flow that carries data; not thread-safe, a
 * flow has one worker. */
#pragma once

#include "proto/proto.h"

/* Of one protocol over one transport: app_layer.*. */
struct app_counts {
    uint64_t flows, txs;
    uint64_t errors_parse, errors_gap, errors_alloc;
};

/* What a worker shares with all its flows. */
struct app_env {
    const struct proto_conf *conf;
    struct arena_pool *pool;
    struct app_counts counts[2][PROTO_COUNT]; /* by transport: TCP, UDP */
    uint64_t failed_tcp, failed_udp;
    struct file_hashes *spare_hashes; /* see file_pool_free */
    const struct file_sink *sink;     /* where kept files go, or NULL */
};

enum app_side {
    SIDE_UNKNOWN, /* nothing seen, or not enough */
    SIDE_KNOWN,
    SIDE_FAILED, /* enough seen, no protocol fits */
};

/* The flow-level anomalies of recognition, as EVE's applayer events name them. */
enum app_layer_event {
    APP_MISMATCH_PROTOCOL_BOTH_DIRECTIONS,
    APP_WRONG_DIRECTION_FIRST_DATA,
    APP_DETECT_PROTOCOL_ONLY_ONE_DIRECTION,
    APP_PROTO_DETECTION_SKIPPED,
    APP_NO_TLS_AFTER_STARTTLS,
    APP_UNEXPECTED_PROTOCOL,
    APP_LAYER_EVENTS
};
extern const char *const app_layer_event_names[APP_LAYER_EVENTS]; /* EVE upper case */

struct app {
    struct app_env *env;
    const struct proto *proto;   /* the parser in charge, NULL until known */
    enum proto_id id;            /* its number */
    enum proto_id side_proto[2]; /* recognised per direction */
    uint8_t side[2];             /* enum app_side */
    enum proto_id original;      /* before a change, or PROTO_NONE */
    enum proto_id expected;
    uint8_t transport;
    bool failed, parser_off, swapped, done;
    bool bypass;       /* the parser wants nothing more, and nobody else is to look either */
    bool parse_failed; /* the parser has just given up; taken back by who looks */
    bool fixed;        /* set by the sensor: the flow is not to be turned round */
    bool off[2];       /* parser stopped in this direction (gap, PARSE_DONE) */
    void *state;
    struct arena mem;
    struct tx *first, *last; /* live transactions in order */
    uint32_t n_files;
    uint8_t want_files;  /* bit per direction: rules want all files from now on */
    bool deep;           /* it carries a wanted file: the stream's depth is file_conf.store_depth */
    uint64_t next_tx_id; /* also how many there were */
    uint32_t live;
    uint16_t sport, dport;                   /* of the flow: hints for probing order only */
    uint64_t seen[2];                        /* bytes fed per direction */
    uint8_t n_events, events[8];             /* parser anomalies without a transaction */
    uint8_t n_layer_events, layer_events[8]; /* enum app_layer_event */
    /* set by the sensor before each feed: the packet that brings the bytes */
    uint64_t packet_number, ts_ns;
    enum proto_id change_to;
    bool change_asked;
    uint8_t began; /* the direction of the first bytes */
    /* A side was recognised while bytes of the other one that came before were kept: give those,
     * then these again. Set by the feed that consumed nothing for this reason. */
    bool other_first, other_given;
    /* Set around the writing of an alert: the http object holds bodies as text, as Base64. */
    bool log_body_text, log_body_base64;
    /* Set by the sensor before each call of proto.log: what the output wants; NULL: the default. */
    const struct log_conf *log;
};

void app_init(struct app *a, struct app_env *env, uint8_t transport, uint16_t sport,
              uint16_t dport);
void app_free(struct app *a);
/* Ordered bytes of one direction. Returns how many were consumed: the caller keeps the rest and
 * gives it again with more. Everything is consumed once there is no use for it. */
size_t app_feed(struct app *a, enum dir dir, struct span data, unsigned parse_flags);
/* A parser asked for another one (change_asked) and what it left has been dealt with: carries the
 * change out. */
void app_change_now(struct app *a);
/* n bytes will never come. */
void app_gap(struct app *a, enum dir dir, uint64_t n);
/* Is there any use in further data of this direction? */
bool app_wants(const struct app *a, enum dir dir);
/* Frees the transactions at the front of the list that all have done with: both directions
 * complete (or the flow at its end), logged and inspected. `detecting` false: nobody inspects. */
void app_tx_clean(struct app *a, bool detecting);
/* Is this direction of the transaction complete? */
bool tx_done(const struct app *a, const struct tx *tx, enum dir dir);
/* EVE's app_proto of the flow: "http", "failed", or NULL for none. */
const char *app_name(const struct app *a);
/* EVE's name of one side, for app_proto_ts and app_proto_tc, or NULL. */
const char *app_side_name(const struct app *a, enum dir dir);
