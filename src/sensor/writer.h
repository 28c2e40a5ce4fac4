/* SPDX-License-Identifier: Apache-2.0 */
/* The events of one worker on their way to one output: which types it wants, how detailed, and the
 * lines not yet handed over. Writing an event never fails; one too large for the buffer is counted
 * as lost. */
#pragma once

#include "output/output.h"
#include "sensor/conf.h"

struct writer {
    const struct eve_conf *conf;
    const struct log_conf *log; /* details of the protocols' events */
    const struct sensor_conf *sensor;
    struct output *out; /* NULL: the lines are taken from `lines` */
    struct buf lines;
    uint64_t pending, written, lost;
    uint64_t by_type[EVENT_TYPES];
    const char *interface; /* in_iface, or NULL */
    const char *capture;   /* pcap_filename, or NULL */
    const struct detect *detect;
    const struct ruleset *rules;
};

enum head_dir {
    HEAD_PACKET, /* as the packet was sent */
    HEAD_FLOW,   /* client to server */
    HEAD_TC,     /* server to client */
};

/* What the common fields are taken from; flow and packet may each be NULL, not both, except for
 * stats. */
struct event_of {
    enum event_type type;
    const struct packet *packet;
    const struct flow *flow;
    enum head_dir dir;
    const uint64_t *tx_id;
    uint64_t ts_ns; /* when there is no packet */
    /* The client behind a proxy, or empty; overwrite: stands in the place of the proxy's address.
     */
    struct span client;
    bool overwrite;
};

void writer_init(struct writer *w, const struct sensor_conf *sensor, const struct eve_conf *conf,
                 struct output *out);
void writer_free(struct writer *w);
/* Hands over what is pending. */
void writer_flush(struct writer *w);
static inline bool writer_wants(const struct writer *w, enum event_type t)
{
    return w->conf->types[t];
}

/* Says to the application layer whose event is written, and fills of->client where the output asks
 * for it (xff) and the transaction, which may be NULL, names one. */
void event_client(struct event_of *of, const struct writer *w, struct app *a, const struct tx *tx);
/* Begins an event with its common fields. */
void writer_begin(struct writer *w, struct event *ev, const struct event_of *of);
/* Ends it (ok) or takes it back. */
void writer_end(struct writer *w, struct event *ev, enum event_type type, bool ok);

void write_alert(struct writer *w, const struct packet *p, const struct flow *f, struct app *a,
                 const struct alert *alert);
void write_drop(struct writer *w, const struct packet *p, const struct flow *f,
                const struct alerts *alerts);
/* A packet that a `tag` wants logged. */
void write_tagged(struct writer *w, const struct packet *p, const struct flow *f);
void write_anomalies(struct writer *w, const struct packet *p, const struct flow *f);
void write_app_anomaly(struct writer *w, const struct packet *p, const struct flow *f,
                       const struct app *a, const struct tx *tx, const char *name, bool upper);
void write_app_layer_anomaly(struct writer *w, const struct packet *p, const struct flow *f,
                             const struct app *a, enum app_layer_event e);
void write_arp(struct writer *w, const struct packet *p);
void write_flow(struct writer *w, const struct flow *f, enum flow_end why, uint64_t now_ns);
void write_tx(struct writer *w, const struct packet *p, const struct flow *f, struct app *a,
              struct tx *tx, enum dir way);
void write_file(struct writer *w, const struct packet *p, const struct flow *f, struct app *a,
                struct tx *tx, const struct file *file);

/* Not a number but a list: the rulesets; its value says when they were loaded, in ns. */
#define STATS_ENGINES "detect.engines"

struct counter {
    const char *name;
    uint64_t value;
};
/* One stats event of named counters ("tcp.sessions"), nested at the dots. Sorts the array. */
void write_stats(struct writer *w, struct counter *counters, size_t n, uint64_t uptime_s,
                 uint64_t now_ns);

/* app_proto and its relatives of a flow's application layer; a may be NULL. */
void write_app_names(struct event *ev, const struct app *a);
/* EVE's name of an IP protocol number; unnamed ones as three digits. */
const char *ip_proto_name(uint8_t proto, char text[8]);
/* Community ID version 1 of a flow (or packet), "1:…"; returns its length, 0 when there was no
 * memory for the digest. */
size_t community_id(const struct ip *src, const struct ip *dst, uint16_t sport, uint16_t dport,
                    uint8_t proto, uint16_t seed, char text[64]);
