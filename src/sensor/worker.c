/* SPDX-License-Identifier: Apache-2.0 */
/* A packet's journey: decode → flow → stream → application layer → detection → events. The
 * callbacks from below (decoder, stream engine, flow table) all come back here. */
#include "sensor/worker.h"

#include "base/mem.h"
#include "proto/file.h"

#include <netinet/in.h>

/* What the node's own stream holds: everything that the console shows. */
static const struct eve_conf eve_node = {
    .types = {[EVENT_alert] = true,
              [EVENT_anomaly] = true,
              [EVENT_arp] = true,
              [EVENT_dns] = true,
              [EVENT_drop] = true,
              [EVENT_fileinfo] = true,
              [EVENT_flow] = true,
              [EVENT_http] = true,
              [EVENT_ssh] = true,
              [EVENT_stats] = true,
              [EVENT_tls] = true},
    .anomaly_app = true,
    .alert = {.payload = true,
              .app_metadata = true,
              .flow = true,
              .rule_metadata = true,
              .rule_reference = true,
              .payload_bytes = 4096},
    .stats_totals = true,
    .stats_nulls = true,
    .metadata = true,
    .community_id = true,
};

static struct app *worker_app(struct worker *w, struct flow *f)
{
    struct app *a = f->app;

    if (a)
        return a;
    a = w->spare_apps;
    if (a)
        w->spare_apps = (struct app *)a->state;
    else
        a = mem_get(sizeof(*a));
    app_init(a, &w->env, f->key.proto == IPPROTO_TCP ? TRANSPORT_TCP : TRANSPORT_UDP, f->key.sport,
             f->key.dport);
    /* TCP's handshake has said who the server is. */
    a->fixed = f->key.proto == IPPROTO_TCP &&
               (f->flags & (FLOW_MIDSTREAM | FLOW_SWAPPED)) != FLOW_MIDSTREAM;
    f->app = a;
    return a;
}

static void worker_app_free(struct worker *w, struct flow *f)
{
    struct app *a = f->app;

    if (!a)
        return;
    app_free(a);
    a->state = w->spare_apps;
    w->spare_apps = a;
    f->app = NULL;
}

/* Events of recognition and parsing that were not reported yet. */
static void worker_app_anomalies(struct worker *w, const struct packet *p, const struct flow *f,
                                 struct app *a)
{
    bool upper = a->proto && a->proto->events_upper;

    for (size_t i = 0; i < w->n_writers; i++) {
        struct writer *o = &w->writers[i];
        if (!writer_wants(o, EVENT_anomaly) || !o->conf->anomaly_app)
            continue;
        for (size_t k = 0; k < a->n_layer_events; k++)
            write_app_layer_anomaly(o, p, f, a, a->layer_events[k]);
        for (size_t k = 0; a->proto && k < a->n_events; k++)
            write_app_anomaly(o, p, f, a, NULL, a->proto->event_names[a->events[k]], upper);
        for (struct tx *tx = a->first; tx; tx = tx->next)
            for (size_t k = tx->n_events_logged; k < tx->n_events; k++)
                write_app_anomaly(o, p, f, a, tx, a->proto->event_names[tx->events[k]], upper);
    }
    for (struct tx *tx = a->first; tx; tx = tx->next)
        tx->n_events_logged = tx->n_events;
    a->n_layer_events = a->n_events = 0;
}

static void *worker_file_begin(void *store, uint32_t *ret_id)
{
    return filestore_begin(store, ret_id);
}

static void worker_file_write(void *kept, struct span data)
{
    filestore_write(kept, data);
}

static bool worker_file_end(void *kept, const uint8_t *sha256)
{
    return filestore_end(kept, sha256);
}

static void worker_file(struct worker *w, const struct packet *p, const struct flow *f,
                        struct app *a, struct tx *tx, struct file *file)
{
    /* What is kept of a file that never ended is all there will be. */
    if (file->storing)
        file_close(a, file, FILE_TRUNCATED);
    file->logged = true;
    for (size_t i = 0; i < w->n_writers; i++)
        if (writer_wants(&w->writers[i], EVENT_fileinfo))
            write_file(&w->writers[i], p, f, a, tx, file);
    if (!file->stored || !w->conf->filestore.write_fileinfo)
        return;
    write_file(&w->notes, p, f, a, tx, file);
    filestore_note(w->store, file->sha256, file->store_id, p->ts_ns, buf_span(&w->notes.lines));
    writer_flush(&w->notes);
}

static void worker_tx(struct worker *w, const struct packet *p, const struct flow *f, struct app *a,
                      struct tx *tx, bool end)
{
    enum dir way = tx->one_way ? tx->way : DIR_TS;
    bool ready;

    /* A file is told of by the next packet that goes its way. */
    for (int d = 0; d < 2; d++)
        for (struct file *file = tx->files[d]; file; file = file->next)
            if (!file->logged && ((file->state != FILE_OPEN && d == p->dir) || end))
                worker_file(w, p, f, a, tx, file);
    if (tx->logged[DIR_TS])
        return;
    if (a->proto->log_ready)
        ready = a->proto->log_ready(a, tx, &way);
    else
        ready = tx_done(a, tx, DIR_TS) && tx_done(a, tx, DIR_TC);
    if (!ready && !end)
        return;
    tx->logged[DIR_TS] = tx->logged[DIR_TC] = true;
    if (!a->proto->log || a->proto->event_type == EVENT_TYPES)
        return;
    for (size_t i = 0; i < w->n_writers; i++)
        if (writer_wants(&w->writers[i], a->proto->event_type))
            write_tx(&w->writers[i], p, f, a, tx, way);
}

static void worker_transactions(struct worker *w, const struct packet *p, const struct flow *f,
                                struct app *a, bool end)
{
    worker_app_anomalies(w, p, f, a);
    if (!a->proto)
        return;
    for (struct tx *tx = a->first; tx; tx = tx->next)
        worker_tx(w, p, f, a, tx, end);
    app_tx_clean(a, w->detect != NULL);
}

static void worker_alerts(struct worker *w, struct packet *p, struct flow *f)
{
    struct alerts *al = &w->alerts;

    for (size_t k = 0; k < al->n; k++) {
        const struct alert *alert = &al->list[k];
        if (alert_is_silent(alert))
            continue;
        if (f)
            f->flags |= FLOW_ALERTED;
        p->flags |= PKT_ALERTED;
        for (size_t i = 0; i < w->n_writers; i++)
            if (writer_wants(&w->writers[i], EVENT_alert))
                write_alert(&w->writers[i], p, f, f ? f->app : NULL, alert);
    }
    for (size_t i = 0; al->tagged && i < w->n_writers; i++)
        if (writer_wants(&w->writers[i], EVENT_alert) && w->writers[i].conf->alert.tagged_packets)
            write_tagged(&w->writers[i], p, f);
}

/* A dropped packet is reported, for flows once a direction unless all are asked for. */
static void worker_drop(struct worker *w, const struct packet *p, struct flow *f)
{
    uint32_t logged = p->dir == DIR_TS ? FLOW_DROP_LOGGED : FLOW_DROP_LOGGED_TC;
    bool first = !f || !(f->flags & logged);

    for (size_t i = 0; i < w->n_writers; i++) {
        struct writer *o = &w->writers[i];
        if (writer_wants(o, EVENT_drop) && (first || o->conf->drop_all))
            write_drop(o, p, f, &w->alerts);
    }
    if (f)
        f->flags |= logged;
}

/* In line: what becomes of the packet. */
static void worker_verdict(struct worker *w, const struct packet *p, struct flow *f)
{
    if (p->flags & PKT_REJECT)
        w->ips[IPS_REJECTED]++;
    else
        w->ips[p->flags & PKT_DROP ? IPS_BLOCKED : IPS_ACCEPTED]++;
    if (!(p->flags & PKT_DROP))
        return;
    if (p->drop_reason != DROP_NONE)
        w->drop_reasons[p->drop_reason]++;
    worker_drop(w, p, f);
}

/* Detection and events of a packet that stream and application layer have seen. */
static void worker_report(struct worker *w, struct packet *p, struct flow *f, bool end)
{
    struct app *a = f ? f->app : NULL;

    w->alerts.n = 0;
    w->alerts.tagged = false;
    if (w->detect) {
        detect_packet(w->detect, p, f, a, &w->alerts);
        worker_alerts(w, p, f);
        if (a && a->deep)
            stream_set_depth(f, w->conf->proto.file.store_depth);
    }
    if (w->conf->simulate_ips && !(p->flags & PKT_PSEUDO))
        worker_verdict(w, p, f);
    if (p->n_events)
        for (size_t i = 0; i < w->n_writers; i++)
            if (writer_wants(&w->writers[i], EVENT_anomaly))
                write_anomalies(&w->writers[i], p, f);
    if (a && (a->first || a->n_layer_events || a->n_events))
        worker_transactions(w, p, f, a, end);
}

static const uint8_t pseudo_l4[20] = {[12] = 0x50, [13] = TCP_ACK};

/* A packet without bytes that speaks for the flow in one direction. */
static void worker_pseudo(struct packet *p, struct flow *f, enum dir dir, uint16_t source,
                          uint64_t ts_ns)
{
    const struct flow_key *k = &f->key;

    memset(p, 0, sizeof(*p));
    p->ts_ns = ts_ns;
    p->source = source;
    p->flags = PKT_PSEUDO | PKT_ESTABLISHED;
    p->ip_v = k->src.family;
    p->proto = k->proto;
    p->src = dir == DIR_TS ? k->src : k->dst;
    p->dst = dir == DIR_TS ? k->dst : k->src;
    p->sport = dir == DIR_TS ? k->sport : k->dport;
    p->dport = dir == DIR_TS ? k->dport : k->sport;
    p->n_vlan = f->n_vlan;
    memcpy(p->vlan, k->vlan, sizeof(p->vlan));
    p->l4 = pseudo_l4;
    p->tcp.flags = TCP_ACK;
    p->tcp.header_n = sizeof(pseudo_l4);
    p->data = p->payload = span_of(pseudo_l4, 0);
    p->flow = f;
    p->dir = (uint8_t)dir;
}

/* The parser changes: what the old one has is inspected and reported first. */
static void worker_changed(struct worker *w, const struct packet *p, struct flow *f)
{
    struct packet pseudo;

    for (int d = 0; d < 2; d++) {
        worker_pseudo(&pseudo, f, d, SRC_DETECT_LOG, p->ts_ns);
        worker_report(w, &pseudo, f, d == DIR_TC);
    }
}

/* A message is complete: raw inspection is to see its bytes with the transaction, not later. */
static void worker_trigger_raw(struct flow *f, const struct app *a, enum dir dir)
{
    for (const struct tx *tx = f->tcp ? a->first : NULL; tx; tx = tx->next) {
        if (tx->updated[dir] && tx_done(a, tx, dir)) {
            stream_raw_trigger(f, dir);
            return;
        }
    }
}

static size_t worker_feed(struct worker *w, struct flow *f, struct packet *p, enum dir dir,
                          struct span data, unsigned flags)
{
    struct app *a = worker_app(w, f);

    a->packet_number = p->number;
    a->ts_ns = p->ts_ns;
    size_t used = app_feed(a, dir, data, flags);
    worker_trigger_raw(f, a, dir);
    if (a->other_first) {
        stream_feed(w->streams, f, p, dir_other(dir));
        used = app_feed(a, dir, data, flags);
    }
    if (a->swapped && !(f->flags & FLOW_SWAPPED)) {
        flow_swap(f);
        f->flags |= FLOW_SWAPPED;
        p->dir = (uint8_t)dir_other(p->dir);
    }
    if (a->proto && a->side[dir] != SIDE_UNKNOWN)
        stream_recognised(f, dir);
    if (a->parse_failed) {
        a->parse_failed = false;
        exception_apply(p, f, EXCEPTION_APP_ERROR, w->conf->app_error_policy, &w->exceptions);
    }
    if (a->change_asked) {
        worker_changed(w, p, f);
        app_change_now(a);
    }
    return used;
}

static size_t worker_stream_data(void *user, struct flow *f, struct packet *p, enum dir dir,
                                 struct span data, unsigned flags)
{
    struct worker *w = user;

    if (f->flags & FLOW_NO_APP)
        return data.n;
    size_t used = worker_feed(w, f, p, dir, data, flags);
    if (!app_wants(f->app, dir))
        stream_stop_app(f, dir);
    return used;
}

static void worker_stream_gap(void *user, struct flow *f, struct packet *p, enum dir dir,
                              uint64_t n)
{
    struct worker *w = user;
    struct app *a = worker_app(w, f);

    a->packet_number = p->number;
    a->ts_ns = p->ts_ns;
    /* Before the protocol is known there is nobody to go over it. */
    if (a->proto)
        app_gap(a, dir, n);
    else
        stream_refuse_gap(f, dir);
}

static void macs_add(struct flow_macs *m, enum dir side, const uint8_t mac[6])
{
    for (unsigned i = 0; i < m->n[side]; i++)
        if (memcmp(m->mac[side][i], mac, 6) == 0)
            return;
    if (m->n[side] < FLOW_MACS)
        memcpy(m->mac[side][m->n[side]++], mac, 6);
}

static void worker_macs(struct flow *f, const struct packet *p)
{
    if (!f->macs)
        f->macs = mem_zero(sizeof(*f->macs));
    macs_add(f->macs, p->dir, p->ethernet + 6);
    macs_add(f->macs, dir_other(p->dir), p->ethernet);
}

static void worker_visit(void *user, struct packet *p)
{
    struct worker *w = user;
    struct flow *f = NULL;

    if (p->arp)
        for (size_t i = 0; i < w->n_writers; i++)
            if (writer_wants(&w->writers[i], EVENT_arp))
                write_arp(&w->writers[i], p);
    if (p->flags & PKT_FRAGMENT_REFUSED)
        exception_apply(p, NULL, EXCEPTION_DEFRAG_MEMCAP, w->conf->defrag_memcap_policy,
                        &w->exceptions);
    if (p->ip_v)
        f = flow_of_packet(w->flows, p);
    if (f && w->keep_macs && p->ethernet)
        worker_macs(f, p);
    if (f && f->state == FLOW_LOCAL_BYPASSED) {
        w->bypassed_packets++;
        w->bypassed_bytes += p->data.n;
        return;
    }
    if (f && (f->flags & FLOW_DROP) && w->conf->simulate_ips) {
        p->flags |= PKT_DROP;
        p->drop_reason = DROP_FLOW;
    }
    if (f && packet_is(p, IPPROTO_TCP))
        stream_packet(w->streams, p);
    else if (f && packet_is(p, IPPROTO_UDP))
        worker_feed(w, f, p, p->dir, p->payload, 0);
    worker_report(w, p, f, false);
    if (f && packet_is(p, IPPROTO_TCP))
        stream_packet_done(w->streams, p);
    /* A rule, the depth or a parser: nobody looks into the flow from the next packet on. */
    if (f && ((f->flags & FLOW_BYPASSED) || stream_wants_bypass(f) || (f->app && f->app->bypass)))
        flow_set_state(w->flows, f, FLOW_LOCAL_BYPASSED);
}

static void worker_flow_ended(void *user, struct flow *f, enum flow_end why)
{
    struct worker *w = user;
    struct packet pseudo;

    /* In line, what was dropped did not reach anyone: there is nothing to tell of it. */
    bool dropped = w->conf->simulate_ips && (f->flags & FLOW_DROP);
    if (f->tcp && !dropped) {
        for (int d = 0; d < 2; d++) {
            if (!stream_wants_flush(f, d) && !(f->app && f->app->first))
                continue;
            worker_pseudo(&pseudo, f, d, SRC_TIMEOUT, w->now_ns);
            pseudo.flags |= PKT_STREAM_EOF;
            stream_flush(w->streams, f, &pseudo, d);
            worker_report(w, &pseudo, f, d == DIR_TC);
        }
    } else if (f->app && f->app->first && !dropped) {
        worker_pseudo(&pseudo, f, DIR_TS, SRC_TIMEOUT, w->now_ns);
        worker_transactions(w, &pseudo, f, f->app, true);
    }
    for (size_t i = 0; i < w->n_writers; i++)
        if (writer_wants(&w->writers[i], EVENT_flow))
            write_flow(&w->writers[i], f, why, w->now_ns);
    mem_free(f->macs);
    f->macs = NULL;
    if (w->detect && f->detect)
        detect_flow_free(w->detect, f);
    worker_app_free(w, f);
    if (f->tcp)
        stream_session_free(w->streams, f);
}

void worker_init(struct worker *w, const struct sensor_conf *conf, const struct ruleset *rules,
                 struct output *const *outputs, size_t n_outputs)
{
    memset(w, 0, sizeof(*w));
    w->conf = conf;
    w->rules = rules;
    w->decoder = decoder_new(&conf->decode);
    w->flows = flow_table_new(&conf->flow, worker_flow_ended, w);
    w->streams = stream_engine_new(&conf->stream, w->flows,
                                   (struct stream_sink){worker_stream_data, worker_stream_gap, w});
    arena_pool_init(&w->pool, conf->app_memory_bytes);
    w->env = (struct app_env){.conf = &conf->proto, .pool = &w->pool};
    writer_init(&w->notes, conf, &eve_node, NULL);
    if (rules)
        w->detect = detect_new(rules, &conf->detect);
    for (size_t i = 0; i < n_outputs; i++) {
        struct writer *o = &w->writers[w->n_writers++];
        writer_init(o, conf, i < conf->n_eve ? &conf->eve[i] : &eve_node, outputs[i]);
        w->keep_macs = w->keep_macs || o->conf->ethernet;
        o->detect = w->detect;
        o->rules = rules;
    }
}

static void worker_forget(void *user, struct flow *f)
{
    struct worker *w = user;

    if (w->detect && f->detect)
        detect_flow_free(w->detect, f);
    for (struct tx *tx = f->app ? f->app->first : NULL; tx; tx = tx->next)
        tx->detect = NULL; /* on the transaction's memory */
}

void worker_rules(struct worker *w, const struct ruleset *rules)
{
    flow_each(w->flows, worker_forget, w);
    for (unsigned i = 0; w->detect && i < DETECT_COUNTERS; i++)
        w->detected_before[i] += detect_counters(w->detect)[i];
    detect_free(w->detect);
    w->alerts.n = 0;
    w->rules = rules;
    w->detect = detect_new(rules, &w->conf->detect);
    stream_check_overlap(w->streams, w->conf->stream.check_overlap);
    for (size_t i = 0; i < w->n_writers; i++) {
        w->writers[i].detect = w->detect;
        w->writers[i].rules = rules;
    }
}

void worker_keep_files(struct worker *w, struct filestore *store)
{
    w->store = store;
    w->sink = (struct file_sink){store, worker_file_begin, worker_file_write, worker_file_end};
    w->env.sink = &w->sink;
}

void worker_packet(struct worker *w, const struct capture_packet *cp)
{
    struct packet *p = &w->packet;

    w->packets++;
    w->bytes += cp->wire_n;
    if (cp->ts_ns > w->now_ns)
        w->now_ns = cp->ts_ns;
    if (!w->started_ns)
        w->started_ns = cp->ts_ns;
    flow_expire(w->flows, w->now_ns);
    decode_captured(w->decoder, cp, p, worker_visit, w);
}

void worker_idle(struct worker *w, uint64_t now_ns)
{
    if (now_ns > w->now_ns)
        w->now_ns = now_ns;
    flow_expire(w->flows, w->now_ns);
    decode_expire(w->decoder, w->now_ns);
    for (size_t i = 0; i < w->n_writers; i++)
        writer_flush(&w->writers[i]);
}

void worker_end(struct worker *w)
{
    flow_end_all(w->flows, FLOW_END_SHUTDOWN);
    for (size_t i = 0; i < w->n_writers; i++)
        writer_flush(&w->writers[i]);
}

void worker_free(struct worker *w)
{
    for (size_t i = 0; i < w->n_writers; i++)
        writer_free(&w->writers[i]);
    writer_free(&w->notes);
    if (w->detect)
        detect_free(w->detect);
    stream_engine_free(w->streams);
    flow_table_free(w->flows);
    decoder_free(w->decoder);
    while (w->spare_apps) {
        struct app *a = w->spare_apps;
        w->spare_apps = (struct app *)a->state;
        mem_free(a);
    }
    file_pool_free(&w->env);
    arena_pool_free(&w->pool);
}

static void counter_add(struct counter *to, size_t cap, size_t *n, const char *name, uint64_t value)
{
    if (*n < cap && name)
        to[(*n)++] = (struct counter){name, value};
}

/* Where each number of struct app_counts is told; %s is the protocol. */
static const struct {
    const char *kind;
    size_t offset;
} app_kinds[] = {{"app_layer.flow.%s", offsetof(struct app_counts, flows)},
                 {"app_layer.tx.%s", offsetof(struct app_counts, txs)},
                 {"app_layer.error.%s.parser", offsetof(struct app_counts, errors_parse)},
                 {"app_layer.error.%s.gap", offsetof(struct app_counts, errors_gap)},
                 {"app_layer.error.%s.alloc", offsetof(struct app_counts, errors_alloc)}};

/* Names made once. A protocol that runs over both transports is told apart: "dns_udp". */
static const char *app_counter_name(unsigned proto, unsigned transport, size_t kind)
{
    static char names[PROTO_COUNT][2][LEN(app_kinds)][64];
    char *name = names[proto][transport][kind];
    const struct proto *p = proto_table[proto];
    bool both = p->transports == (TRANSPORT_TCP | TRANSPORT_UDP);

    if (!name[0]) {
        const char *percent = strstr(app_kinds[kind].kind, "%s");
        snprintf(name, 64, "%.*s%s%s%s", (int)(percent - app_kinds[kind].kind),
                 app_kinds[kind].kind, p->name,
                 !both       ? ""
                 : transport ? "_udp"
                             : "_tcp",
                 percent + 2);
    }
    return name;
}

static size_t worker_app_counters(const struct worker *w, struct counter *to, size_t cap, size_t n)
{
    for (unsigned i = 1; i < PROTO_COUNT; i++) {
        for (unsigned t = 0; t < 2; t++) {
            const struct app_counts *c = &w->env.counts[t][i];
            if (!(proto_table[i]->transports & (t ? TRANSPORT_UDP : TRANSPORT_TCP)))
                continue;
            for (size_t k = 0; k < LEN(app_kinds); k++) {
                const void *at = (const char *)c + app_kinds[k].offset;
                counter_add(to, cap, &n, app_counter_name(i, t, k), *(const uint64_t *)at);
            }
        }
    }
    return n;
}

/* What an inline sensor would have done, and where policies stepped in. */
static size_t worker_ips_counters(const struct worker *w, struct counter *to, size_t cap, size_t n)
{
    static const char *const verdicts[IPS_VERDICTS] = {"ips.accepted", "ips.blocked",
                                                       "ips.rejected"};
    const struct exception_counts *all[] = {stream_exceptions(w->streams),
                                            flow_table_exceptions(w->flows), &w->exceptions};

    for (unsigned t = 0; t < EXCEPTIONS; t++) {
        for (unsigned p = 0; p < POLICIES; p++) {
            uint64_t sum = 0;
            for (size_t i = 0; i < LEN(all); i++)
                sum += all[i]->n[t][p];
            counter_add(to, cap, &n, exception_counter_name(t, p), sum);
        }
    }
    if (!w->conf->simulate_ips)
        return n;
    for (unsigned i = 0; i < IPS_VERDICTS; i++)
        counter_add(to, cap, &n, verdicts[i], w->ips[i]);
    for (unsigned i = 0; i < DROP_REASONS; i++)
        counter_add(to, cap, &n, drop_reason_counter(i), w->drop_reasons[i]);
    return n;
}

size_t worker_counters(const struct worker *w, struct counter *to, size_t cap)
{
    size_t n = 0;

    for (unsigned i = 0; i < DECODE_COUNTERS; i++)
        counter_add(to, cap, &n, decode_counter_name(i), decode_counters(w->decoder)[i]);
    for (unsigned i = 0; w->conf->stats_decoder_events && i < DECODE_EVENTS; i++)
        counter_add(to, cap, &n, decode_event_counter_name(i),
                    decode_event_counters(w->decoder)[i]);
    for (unsigned i = 0; i < FLOW_COUNTERS; i++)
        counter_add(to, cap, &n, flow_counter_name(i), flow_counters(w->flows)[i]);
    for (unsigned i = 0; i < STREAM_COUNTERS; i++)
        counter_add(to, cap, &n, stream_counter_name(i), stream_counters(w->streams)[i]);
    for (unsigned i = 0; w->detect && i < DETECT_COUNTERS; i++)
        counter_add(to, cap, &n, detect_counter_name(i),
                    w->detected_before[i] + detect_counters(w->detect)[i]);
    n = worker_app_counters(w, to, cap, n);
    counter_add(to, cap, &n, "app_layer.flow.failed_tcp", w->env.failed_tcp);
    counter_add(to, cap, &n, "app_layer.flow.failed_udp", w->env.failed_udp);
    counter_add(to, cap, &n, "flow_bypassed.local_pkts", w->bypassed_packets);
    counter_add(to, cap, &n, "flow_bypassed.local_bytes", w->bypassed_bytes);
    n = worker_ips_counters(w, to, cap, n);
    counter_add(to, cap, &n, "capture.kernel_packets", w->packets);
    counter_add(to, cap, &n, "capture.kernel_drops", w->kernel_drops);
    counter_add(to, cap, &n, "capture.interface_drops", w->interface_drops);
    uint64_t lost = 0, written = 0;
    for (size_t i = 0; i < w->n_writers; i++) {
        lost += w->writers[i].lost;
        written += w->writers[i].written;
    }
    counter_add(to, cap, &n, "output.events", written);
    counter_add(to, cap, &n, "output.events_lost", lost);
    return n;
}
