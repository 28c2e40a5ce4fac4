/* SPDX-License-Identifier: Apache-2.0 */
/* One worker: everything that one core needs to take packets from a source to events, run to
 * completion. Workers share only what is immutable (settings, rules) and the outputs. */
#pragma once

#include "output/filestore.h"
#include "packet/capture/capture.h"
#include "proto/file.h"
#include "sensor/writer.h"

enum ips_verdict { IPS_ACCEPTED, IPS_BLOCKED, IPS_REJECTED, IPS_VERDICTS };

struct worker {
    const struct sensor_conf *conf;
    const struct ruleset *rules; /* NULL: no detection */
    struct decoder *decoder;
    struct flow_table *flows;
    struct stream_engine *streams;
    struct arena_pool pool;
    struct app_env env;
    struct app *spare_apps;
    struct detect *detect;
    struct writer writers[CONF_EVES + 1];
    size_t n_writers;
    struct filestore *store;
    struct file_sink sink; /* the store, as the parsers see it */
    struct writer notes;   /* what is written beside kept files */
    struct alerts alerts;
    struct packet packet;
    uint64_t packets, bytes, now_ns, started_ns;
    uint64_t kernel_drops, interface_drops;
    uint64_t apps_refused;
    bool keep_macs; /* some output shows a flow's link layer addresses */
    uint64_t bypassed_packets, bypassed_bytes;
    uint64_t ips[IPS_VERDICTS], drop_reasons[DROP_REASONS];
    struct exception_counts exceptions;
    uint64_t detected_before[DETECT_COUNTERS]; /* by rule sets that are no longer in force */
};

/* `outputs` are parallel to conf->eve, with the node's link last when there is one. */
void worker_init(struct worker *w, const struct sensor_conf *conf, const struct ruleset *rules,
                 struct output *const *outputs, size_t n_outputs);
/* Files are kept in `store` from now on; called before the first packet. */
void worker_keep_files(struct worker *w, struct filestore *store);
/* Other rules are in force from the next packet on; flows and transactions go on, what the old ones
 * knew of them (flowbits, counts) is forgotten. The old ruleset is not looked at any more. */
void worker_rules(struct worker *w, const struct ruleset *rules);
/* Decodes, inspects and reports one captured packet. */
void worker_packet(struct worker *w, const struct capture_packet *cp);
/* Time goes on without packets (live): ends flows whose time is over, hands pending events over. */
void worker_idle(struct worker *w, uint64_t now_ns);
/* The source has ended: ends all flows and hands everything over. */
void worker_end(struct worker *w);
void worker_free(struct worker *w);
/* All counters of the worker into `to` (at most cap), added up by the caller; returns how many. */
size_t worker_counters(const struct worker *w, struct counter *to, size_t cap);
