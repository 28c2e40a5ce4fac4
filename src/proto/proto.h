/* SPDX-License-Identifier: Apache-2.0 */
/* What an application protocol is to the rest of the sensor: one const struct with its recogniser,
 * its parser, the buffers that rules may look into and the events it writes. A protocol sees bytes,
 * a direction, its own state and its transactions; never a packet header, never the heap (state and
 * transactions live on arenas with ceilings), never a log. Adding one: one file and one line in
 * protocols.def. */
#pragma once

#include "base/arena.h"
#include "base/dir.h"
#include "base/rd.h"
#include "event/event.h"

struct app;
struct tx;
struct file;
struct proto_conf; /* proto/conf.h */

enum transport { TRANSPORT_TCP = 1, TRANSPORT_UDP = 2 };

/* Every protocol has a number: its line in protocols.def. Numbers never leave the process. */
enum proto_id {
    PROTO_NONE,
#define PROTO(id) PROTO_##id,
#include "proto/protocols.def"
#undef PROTO
    PROTO_COUNT
};

enum probe {
    PROBE_NO,    /* it is not this protocol */
    PROBE_MAYBE, /* more bytes are needed to say */
    PROBE_YES,
};

enum parse {
    PARSE_OK,   /* went on as far as *consumed; with bytes left over, more are needed */
    PARSE_DONE, /* nothing more in this flow is of interest to the parser (TLS after the handshake)
                 */
    PARSE_FAIL, /* not this protocol after all, or beyond repair: the parser is called no more */
};

enum parse_flag {
    PARSE_EOF = 1,       /* no more data will come in this direction */
    PARSE_TRUNCATED = 2, /* the stream was cut at its depth: no more data will be seen */
    PARSE_MIDSTREAM = 4, /* the flow's beginning was not seen */
};

/* Where inspection stands: rules on a buffer are tried from the progress on at which it can be
 * there, and are final when its transaction's direction has come to `proto.done`. */
struct inspect {
    struct span data;
    uint64_t offset; /* of data.p[0] in the whole, for a growing buffer whose front was let go */
    bool final;      /* a growing buffer that will not grow any more */
};

struct proto_buffer {
    const char *name;     /* sticky buffer, "http.uri" */
    const char *aliases;  /* older names, separated by spaces: "http_uri" */
    const char *modifier; /* content modifier of the same buffer, "http_uri", or NULL */
    uint8_t dirs;         /* bit 1 << DIR_TS, 1 << DIR_TC */
    uint8_t progress;     /* in its direction: available from here on */
    bool multi;           /* several instances: index 0, 1, … until false */
    bool growing;         /* a body: inspected as it comes, see inspect.offset */
    /* The index-th instance for the direction; false where there is none. */
    bool (*get)(struct tx *tx, enum dir dir, uint32_t index, struct inspect *ret);
    const char *help;
};

/* Rule keywords of a protocol that compare numbers, flags or lists instead of bytes are in
 * detect/; they reach a transaction's values through this, by name ("dns.opcode"). */
struct proto_value {
    const char *name;
    uint8_t dirs, progress;
    bool (*get)(struct tx *tx, enum dir dir, uint32_t index, uint64_t *ret);
};

/* What is known of a flow beside its bytes. Recognition is by content; a hint may only raise or
 * lower what is asked of it. */
struct probe_hint {
    const struct proto_conf *conf;
    uint16_t sport, dport;
    uint8_t transport;
};

struct proto {
    const char *name;           /* EVE's app_proto and the rule language's protocol: "http" */
    const char *title;          /* "HTTP/1.x" */
    uint8_t transports;         /* enum transport */
    size_t state_size, tx_size; /* zeroed memory; tx_size includes struct tx */
    uint8_t done[2];            /* progress at which a transaction is complete, per direction */
    const char *const
        *progress_names[2]; /* names of the progress values ("request_line"), or NULL */
    bool accepts_gaps;
    bool off;    /* not looked for unless the configuration says so */
    bool one_tx; /* a flow is one transaction, and not counted as one in app_layer.tx */

    /* Does this first data of a direction belong to the protocol? `dir` says who sends it as far as
     * that is known; *ret_swap may be set when client and server are the other way round. */
    enum probe (*probe)(struct span data, enum dir dir, const struct probe_hint *hint,
                        bool *ret_swap);
    /* Data in order; NULL: the protocol is recognised and no more, its other members are empty
     * then. For TCP: what was not consumed comes again with more behind it. For UDP: one datagram,
     * all of it. */
    enum parse (*parse)(struct app *app, enum dir dir, struct span data, unsigned flags,
                        size_t *consumed);
    /* n bytes are missing (TCP). Only with accepts_gaps. */
    enum parse (*gap)(struct app *app, enum dir dir, uint64_t n);
    /* Writes the protocol's object (http, dns, …) into an open event; for an alert, both sides or
     * `dir`'s, as EVE has it. False: nothing to write. A transaction that is several events sets
     * tx.log_more and is asked again with the next tx.log_part. */
    bool (*log)(struct app *app, struct tx *tx, enum dir dir, bool alert, struct event *ev);
    /* Is the transaction ready to be logged, and towards which direction does the event point?
     * Called when its progress changes. NULL: logged once when both directions are done. */
    bool (*log_ready)(struct app *app, struct tx *tx, enum dir *ret_dir);

    /* The client's address as a proxy names it, as text (EVE's xff); false: none. May be NULL. */
    bool (*client)(struct app *app, const struct tx *tx, struct span *ret);

    /* A rule wants nothing logged of this transaction: of what answers it neither, where that is a
     * transaction of its own. May be NULL. */
    void (*quiet)(struct app *app, const struct tx *tx);

    /* The transaction is about to be freed: the state must not point at it any more. May be NULL.
     */
    void (*tx_gone)(struct app *app, const struct tx *tx);

    const struct proto_buffer *buffers;
    size_t n_buffers;
    const struct proto_value *values;
    size_t n_values;
    const char *const *event_names; /* anomalies in the rule language's form: "invalid_opcode" */
    size_t n_events;
    bool events_upper;          /* EVE writes the names in upper case (HTTP, TLS) */
    enum event_type event_type; /* of what log writes; EVENT_TYPES for none */
};

extern const struct proto *const proto_table[PROTO_COUNT];

/* The protocol of this name, or NULL. */
const struct proto *proto_find(struct span name);

enum { TX_EVENTS = 16 };

/* The head of every transaction; a protocol's own struct begins with it. Allocated by app_tx_new on
 * an arena of its own, which goes when all have done with it. */
struct tx {
    struct tx *next;
    struct arena mem;      /* whatever belongs to the transaction */
    uint64_t id;           /* in its flow, from 0 */
    uint64_t packet_first; /* number and time of the packet that began it */
    uint64_t ts_first_ns;
    uint8_t progress[2]; /* the protocol's own scale, never decreasing */
    uint8_t n_events, n_events_logged;
    uint8_t events[TX_EVENTS]; /* index into proto.event_names */
    bool logged[2];    /* its event was written for this direction (DIR_TS only, if one event) */
    bool inspected[2]; /* detect has done with this direction */
    bool one_way;      /* only direction `way` exists (a DNS request event) */
    uint8_t way;
    uint16_t log_part; /* which of several events, see proto.log */
    bool log_more;
    struct file *files[2]; /* lists, newest last */
    uint8_t want_files;    /* bit per direction: rules want all its files */
    void *detect;          /* detect's per-transaction state, on mem */
    uint32_t detect_packet_alerts;
    bool updated[2]; /* something changed since detect and log last looked */
};

/* Parsers: a new transaction at the end of the flow's list; NULL at the ceiling (counted; the
 * parser then returns PARSE_FAIL or drops the message as its protocol allows). */
struct tx *app_tx_new(struct app *app);
/* Parsers: takes back the newest transaction, as if it had never been. */
void app_tx_drop(struct app *app, struct tx *tx);
/* Parsers: which transport carries the flow (enum transport). */
uint8_t app_transport(const struct app *app);
/* Parsers: progress only grows. Marks the transaction as changed. */
void tx_progress(struct tx *tx, enum dir dir, uint8_t progress);
/* Parsers: an anomaly of a transaction, or of the flow where there is no transaction. */
void tx_event(struct tx *tx, uint8_t event);
void app_event(struct app *app, uint8_t event);
/* Parsers: state_size bytes, zeroed at recognition. */
void *app_state(struct app *app);
/* Parsers: memory that lives as long as the flow; NULL at the ceiling. */
struct arena *app_arena(struct app *app);
const struct proto_conf *app_conf(const struct app *app);
/* proto.log: what the output whose event is being written wants of it. */
const struct log_conf *app_log_conf(const struct app *app);
/* Parsers: what follows is encrypted and nobody needs to see it; the flow is passed over. */
void app_bypass(struct app *app);
/* Parsers: another protocol goes on behind what was consumed (STARTTLS, CONNECT, Upgrade);
 * PROTO_NONE: recognise anew. Takes effect when parse returns. */
void app_change(struct app *app, enum proto_id to);
