/* SPDX-License-Identifier: Apache-2.0 */
/* Events of flows and transactions: flow, http, dns, tls, ssh, fileinfo; and stats. */
#include "base/clock.h"
#include "flow/stream.h"
#include "proto/file.h"
#include "sensor/writer.h"

#include <netinet/in.h>
#include <stdlib.h>

static void flow_tcp(struct event *ev, const struct flow *f)
{
    static const struct {
        uint8_t flag;
        enum field f;
    } flags[] = {{TCP_SYN, F_tcp_syn}, {TCP_FIN, F_tcp_fin}, {TCP_RST, F_tcp_rst},
                 {TCP_PSH, F_tcp_psh}, {TCP_ACK, F_tcp_ack}, {TCP_URG, F_tcp_urg},
                 {TCP_ECE, F_tcp_ecn}, {TCP_CWR, F_tcp_cwr}};
    struct stream_facts facts = {0};
    uint8_t ts = 0, tc = 0;
    char hex[4];

    if (f->tcp) {
        stream_facts(f, &facts);
        ts = f->tcp_flags[DIR_TS];
        tc = f->tcp_flags[DIR_TC];
    }
    event_open(ev, F_tcp);
    snprintf(hex, sizeof(hex), "%02x", ts | tc);
    event_text(ev, F_tcp_tcp_flags, hex);
    snprintf(hex, sizeof(hex), "%02x", ts);
    event_text(ev, F_tcp_tcp_flags_ts, hex);
    snprintf(hex, sizeof(hex), "%02x", tc);
    event_text(ev, F_tcp_tcp_flags_tc, hex);
    for (size_t i = 0; i < LEN(flags); i++)
        if ((ts | tc) & flags[i].flag)
            event_bool(ev, flags[i].f, true);
    if (f->tcp) {
        event_text(ev, F_tcp_state, tcp_state_name(facts.state));
        if (facts.gap[DIR_TS])
            event_bool(ev, F_tcp_ts_gap, true);
        if (facts.gap[DIR_TC])
            event_bool(ev, F_tcp_tc_gap, true);
        event_uint(ev, F_tcp_ts_max_regions, facts.max_regions[DIR_TS]);
        event_uint(ev, F_tcp_tc_max_regions, facts.max_regions[DIR_TC]);
        if (facts.urgent[DIR_TS])
            event_uint(ev, F_tcp_ts_urgent_oob_data, facts.urgent[DIR_TS]);
        if (facts.urgent[DIR_TC])
            event_uint(ev, F_tcp_tc_urgent_oob_data, facts.urgent[DIR_TC]);
    }
    event_close(ev);
}

static void flow_head(struct event *ev, const struct flow *f)
{
    if (f->key.proto == IPPROTO_ICMP || f->key.proto == IPPROTO_ICMPV6) {
        event_uint(ev, F_icmp_type, f->icmp_type);
        event_uint(ev, F_icmp_code, f->icmp_code);
        if (f->has_icmp_reply) {
            event_uint(ev, F_response_icmp_type, f->icmp_reply_type);
            event_uint(ev, F_response_icmp_code, f->icmp_reply_code);
        }
    } else if (f->key.proto == IPPROTO_ESP) {
        event_uint(ev, F_spi, f->esp_spi);
    }
}

/* Policies that were applied to the flow. */
static void flow_exceptions(struct event *ev, const struct flow *f)
{
    if (!f->exception_policy)
        return;
    event_open(ev, F_flow_exception_policy);
    for (unsigned t = 0; t < EXCEPTIONS; t++) {
        enum exception_policy p = exception_of(f, t);
        if (p == POLICIES)
            continue;
        event_element(ev);
        event_key_str(ev, SPAN("target"), span_str(exception_target_name(t)));
        event_key_str(ev, SPAN("policy"), span_str(exception_policy_name(p)));
        event_close_element(ev);
    }
    event_close(ev);
}

void write_flow(struct writer *w, const struct flow *f, enum flow_end why, uint64_t now_ns)
{
    struct event ev;
    const struct event_of of = {.type = EVENT_flow, .flow = f, .dir = HEAD_FLOW, .ts_ns = now_ns};
    const struct app *a = f->app;

    writer_begin(w, &ev, &of);
    flow_head(&ev, f);
    write_app_names(&ev, a);
    event_open(&ev, F_flow);
    event_uint(&ev, F_flow_pkts_toserver, f->packets[DIR_TS]);
    event_uint(&ev, F_flow_pkts_toclient, f->packets[DIR_TC]);
    event_uint(&ev, F_flow_bytes_toserver, f->bytes[DIR_TS]);
    event_uint(&ev, F_flow_bytes_toclient, f->bytes[DIR_TC]);
    event_time(&ev, F_flow_start, f->start_ns);
    event_time(&ev, F_flow_end, f->last_ns);
    event_uint(&ev, F_flow_age, f->last_ns / NS_PER_S - f->start_ns / NS_PER_S);
    event_text(&ev, F_flow_state, flow_state_name(f->state));
    if (f->state == FLOW_LOCAL_BYPASSED)
        event_text(&ev, F_flow_bypass, "local");
    event_text(&ev, F_flow_reason, flow_end_name(why));
    event_bool(&ev, F_flow_alerted, f->flags & FLOW_ALERTED);
    if (f->flags & FLOW_DROP)
        event_text(&ev, F_flow_action, "drop");
    else if (f->flags & FLOW_PASS)
        event_text(&ev, F_flow_action, "pass");
    flow_exceptions(&ev, f);
    if (a && a->proto && a->state)
        event_uint(&ev, F_flow_tx_cnt, a->next_tx_id);
    event_close(&ev);
    if (f->key.proto == IPPROTO_TCP)
        flow_tcp(&ev, f);
    writer_end(w, &ev, EVENT_flow, true);
}

void write_tx(struct writer *w, const struct packet *p, const struct flow *f, struct app *a,
              struct tx *tx, enum dir way)
{
    struct event ev;
    bool number = a->proto->event_type == EVENT_http;
    /* Version 2 of the DNS events shows responses from client to server too. */
    bool forward = a->proto->event_type == EVENT_dns && w->log->dns.version == 2;
    struct event_of of = {.type = a->proto->event_type,
                          .packet = p,
                          .flow = f,
                          .dir = way == DIR_TS || forward ? HEAD_FLOW : HEAD_TC,
                          .tx_id = number ? &tx->id : NULL};

    event_client(&of, w, a, tx);
    tx->log_part = 0;
    do {
        tx->log_more = false;
        writer_begin(w, &ev, &of);
        bool ok = a->proto->log(a, tx, way, false, &ev);
        if (ok && of.client.n && !of.overwrite)
            event_str(&ev, F_xff, of.client);
        writer_end(w, &ev, a->proto->event_type, ok);
        tx->log_part++;
    } while (tx->log_more);
}

void write_file(struct writer *w, const struct packet *p, const struct flow *f, struct app *a,
                struct tx *tx, const struct file *file)
{
    struct event ev;
    struct event_of of = {.type = EVENT_fileinfo,
                          .packet = p,
                          .flow = f,
                          .dir = file->dir == DIR_TS ? HEAD_FLOW : HEAD_TC};

    event_client(&of, w, a, tx);
    writer_begin(w, &ev, &of);
    if (a->proto->log && a->proto->event_type != EVENT_TYPES)
        a->proto->log(a, tx, file->dir, true, &ev);
    event_text(&ev, F_app_proto, a->proto->name);
    event_open(&ev, F_fileinfo);
    file_log(&ev, file, tx, false);
    event_close(&ev);
    if (of.client.n && !of.overwrite)
        event_str(&ev, F_xff, of.client);
    if (file->has_sm3) {
        event_open(&ev, F_daizong);
        event_hex(&ev, F_daizong_sm3, span_of(file->sm3, sizeof(file->sm3)), 0);
        event_close(&ev);
    }
    writer_end(w, &ev, EVENT_fileinfo, true);
}

static int counter_order(const void *a, const void *b)
{
    return strcmp(((const struct counter *)a)->name, ((const struct counter *)b)->name);
}

/* Length of the part of `name` up to and with its k-th dot; 0 when it has fewer. */
static size_t counter_prefix(const char *name, size_t k)
{
    for (size_t i = 0; name[i]; i++)
        if (name[i] == '.' && k-- == 0)
            return i + 1;
    return 0;
}

/* How many levels two names share. */
static size_t counter_shared(const char *a, const char *b)
{
    size_t level = 0;

    for (;; level++) {
        size_t na = counter_prefix(a, level), nb = counter_prefix(b, level);
        if (na == 0 || na != nb || memcmp(a, b, na) != 0)
            return level;
    }
}

/* The rulesets in force: there is one. */
static void stats_engines(const struct writer *w, struct event *ev, uint64_t loaded_ns)
{
    char text[CLOCK_TEXT];
    struct span when = span_of(text, clock_eve(loaded_ns, text));

    event_key_list(ev, SPAN("engines"));
    event_key_uint(ev, SPAN("id"), 0);
    event_key_str(ev, SPAN("last_reload"), when);
    event_key_uint(ev, SPAN("rules_loaded"), w->rules ? ruleset_loaded(w->rules) : 0);
    event_key_uint(ev, SPAN("rules_failed"), w->rules ? ruleset_failed(w->rules) : 0);
    event_key_uint(ev, SPAN("rules_skipped"), w->rules ? ruleset_skipped(w->rules) : 0);
    event_key_list_close(ev);
}

void write_stats(struct writer *w, struct counter *counters, size_t n, uint64_t uptime_s,
                 uint64_t now_ns)
{
    struct event ev;
    const struct event_of of = {.type = EVENT_stats, .ts_ns = now_ns};
    size_t open = 0;

    qsort(counters, n, sizeof(*counters), counter_order);
    writer_begin(w, &ev, &of);
    event_open(&ev, F_stats);
    event_key_uint(&ev, SPAN("uptime"), uptime_s);
    for (size_t i = 0; i < n; i++) {
        const char *name = counters[i].name;
        size_t shared = i ? counter_shared(counters[i - 1].name, name) : 0;
        for (; open > shared; open--)
            event_key_close(&ev);
        size_t from = shared ? counter_prefix(name, shared - 1) : 0, to;
        while ((to = counter_prefix(name, open)) != 0) {
            event_key_open(&ev, span_of(name + from, to - 1 - from));
            from = to;
            open++;
        }
        if (strcmp(name, STATS_ENGINES) == 0)
            stats_engines(w, &ev, counters[i].value);
        else if (counters[i].value || w->conf->stats_nulls)
            event_key_uint(&ev, span_str(name + from), counters[i].value);
    }
    for (; open > 0; open--)
        event_key_close(&ev);
    event_close(&ev);
    writer_end(w, &ev, EVENT_stats, true);
}
