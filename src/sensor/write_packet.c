/* SPDX-License-Identifier: Apache-2.0 */
/* Events that a packet gives: alert, drop, anomaly, arp. */
#include "base/hex.h"
#include "flow/stream.h"
#include "proto/file.h"
#include "sensor/writer.h"

#include <netinet/in.h>

void write_app_names(struct event *ev, const struct app *a)
{
    const char *name = a ? app_name(a) : NULL;

    if (!a)
        return;
    if (name)
        event_text(ev, F_app_proto, name);
    for (int d = 0; name && d < 2; d++) {
        const char *side = app_side_name(a, d);
        if (side && strcmp(side, name) != 0)
            event_text(ev, d == DIR_TS ? F_app_proto_ts : F_app_proto_tc, side);
    }
    if (a->original != PROTO_NONE && proto_table[a->original] != a->proto)
        event_text(ev, F_app_proto_orig, proto_table[a->original]->name);
}

static void alert_flow(struct event *ev, const struct flow *f)
{
    event_open(ev, F_flow);
    event_uint(ev, F_flow_pkts_toserver, f->packets[DIR_TS]);
    event_uint(ev, F_flow_pkts_toclient, f->packets[DIR_TC]);
    event_uint(ev, F_flow_bytes_toserver, f->bytes[DIR_TS]);
    event_uint(ev, F_flow_bytes_toclient, f->bytes[DIR_TC]);
    event_time(ev, F_flow_start, f->start_ns);
    event_ip(ev, F_flow_src_ip, &f->key.src);
    event_ip(ev, F_flow_dest_ip, &f->key.dst);
    if (f->key.proto == IPPROTO_TCP || f->key.proto == IPPROTO_UDP ||
        f->key.proto == IPPROTO_SCTP) {
        event_uint(ev, F_flow_src_port, f->key.sport);
        event_uint(ev, F_flow_dest_port, f->key.dport);
    }
    event_close(ev);
}

static void packet_bytes(struct event *ev, const struct packet *p)
{
    event_base64(ev, F_packet, p->data);
    event_open(ev, F_packet_info);
    event_uint(ev, F_packet_info_linktype, p->link);
    event_text(ev, F_packet_info_linktype_name, link_name(p->link));
    event_close(ev);
}

static void printable(struct event *ev, enum field f, struct span s)
{
    struct buf b = buf_new(s.n + 1);

    for (size_t i = 0; i < s.n; i++) {
        uint8_t c = s.p[i];
        buf_byte(&b, ascii_is_print(c) || c == '\n' || c == '\r' || c == '\t' ? c : '.');
    }
    event_str(ev, f, buf_span(&b));
    buf_free(&b);
}

/* The stream from `raw` on, with a remark in the place of what was lost. */
static void stream_payload(struct buf *b, const struct flow *f, enum dir dir, struct span raw,
                           uint64_t at)
{
    while (raw.n && b->n < b->max) {
        buf_span_add(b, span_cut(raw, 0, b->max - b->n));
        uint64_t end = at + raw.n;
        raw = stream_raw_next(f, dir, end, &at);
        if (raw.n && at > end)
            buf_printf(b, "[%llu bytes missing]", (unsigned long long)(at - end));
    }
}

static void alert_payload(struct writer *w, struct event *ev, const struct packet *p,
                          const struct flow *f, const struct alert *alert)
{
    const struct eve_alert_conf *c = &w->conf->alert;
    struct buf b = buf_new(c->payload_bytes);

    if (!c->payload && !c->payload_printable) {
        return;
    }
    if (alert->stream && f && f->tcp) {
        uint64_t offset;
        bool final;
        struct span raw = stream_raw(f, p->dir, &offset, &final);
        stream_payload(&b, f, p->dir, raw, offset);
    }
    struct span data = b.n ? buf_span(&b) : span_cut(p->payload, 0, c->payload_bytes);
    if (data.n) {
        if (c->payload)
            event_base64(ev, F_payload, data);
        if (c->payload_printable)
            printable(ev, F_payload_printable, data);
    }
    event_uint(ev, F_stream, b.n > 0);
    buf_free(&b);
}

static void alert_app(struct writer *w, struct event *ev, struct app *a, const struct alert *alert)
{
    if (!a || !a->proto || !w->conf->alert.app_metadata || !alert->tx)
        return;
    if (a->proto->log && a->proto->event_type != EVENT_TYPES)
        a->proto->log(a, alert->tx, alert->dir, true, ev);
    const struct file *file = alert->tx->files[alert->dir];
    if (!file)
        return;
    event_open(ev, F_files);
    for (; file; file = file->next) {
        event_element(ev);
        file_log(ev, file, alert->tx, true);
        event_close_element(ev);
    }
    event_close(ev);
}

static void alert_verdict(struct event *ev, const struct packet *p, bool passed)
{
    bool drop = p->flags & PKT_DROP;

    event_open(ev, F_verdict);
    event_text(ev, F_verdict_action, drop ? "drop" : passed ? "pass" : "alert");
    if (p->flags & PKT_REJECT) {
        event_text(ev, F_verdict_reject_target, "to_source");
        event_open(ev, F_verdict_reject);
        event_item(ev, p->proto == IPPROTO_TCP ? SPAN("tcp-reset") : SPAN("icmp-prohib"));
        event_close(ev);
    }
    event_close(ev);
}

static void alert_tunnel(struct event *ev, const struct packet *p)
{
    const struct packet *o = p->outer;
    char number[8];

    if (!o || o->ip_v == 0 || p->source == SRC_DEFRAG)
        return;
    event_open(ev, F_tunnel);
    event_ip(ev, F_tunnel_src_ip, &o->src);
    event_uint(ev, F_tunnel_src_port, o->sport);
    event_ip(ev, F_tunnel_dest_ip, &o->dst);
    event_uint(ev, F_tunnel_dest_port, o->dport);
    event_text(ev, F_tunnel_proto, ip_proto_name(o->proto, number));
    event_uint(ev, F_tunnel_ip_v, o->ip_v);
    event_uint(ev, F_tunnel_depth, p->depth);
    if (o->number)
        event_uint(ev, F_tunnel_pcap_cnt, o->number);
    event_text(ev, F_tunnel_pkt_src, packet_source_name(o->source));
    event_close(ev);
}

void write_alert(struct writer *w, const struct packet *p, const struct flow *f, struct app *a,
                 const struct alert *alert)
{
    struct event ev;
    struct event_of of = {
        .type = EVENT_alert, .packet = p, .flow = f, .tx_id = alert->has_tx ? &alert->tx_id : NULL};

    event_client(&of, w, a, alert->tx);
    writer_begin(w, &ev, &of);
    if (alert->tx_guessed)
        event_bool(&ev, F_tx_guessed, true);
    detect_alert_log(w->detect, alert, p, &ev);
    if (of.client.n && !of.overwrite)
        event_str(&ev, F_alert_xff, of.client);
    event_close(&ev);
    alert_tunnel(&ev, p);
    if (f)
        write_app_names(&ev, a);
    alert_app(w, &ev, a, alert);
    if (f) {
        event_text(&ev, F_direction, p->dir == DIR_TS ? "to_server" : "to_client");
        if (w->conf->alert.flow)
            alert_flow(&ev, f);
    }
    alert_payload(w, &ev, p, f, alert);
    if (w->conf->alert.packet)
        packet_bytes(&ev, p);
    if (w->conf->alert.verdict)
        alert_verdict(&ev, p, alert->passed);
    writer_end(w, &ev, EVENT_alert, true);
}

static void drop_tcp(struct event *ev, const struct packet *p)
{
    static const struct {
        uint8_t flag;
        enum field f;
    } flags[] = {{TCP_SYN, F_drop_syn}, {TCP_ACK, F_drop_ack}, {TCP_PSH, F_drop_psh},
                 {TCP_RST, F_drop_rst}, {TCP_URG, F_drop_urg}, {TCP_FIN, F_drop_fin}};

    event_uint(ev, F_drop_tcpseq, p->tcp.seq);
    event_uint(ev, F_drop_tcpack, p->tcp.ack);
    event_uint(ev, F_drop_tcpwin, p->tcp.window);
    for (size_t i = 0; i < LEN(flags); i++)
        event_bool(ev, flags[i].f, p->tcp.flags & flags[i].flag);
    event_uint(ev, F_drop_tcpres, 0);
    event_uint(ev, F_drop_tcpurgp, p->tcp.urgent);
}

void write_drop(struct writer *w, const struct packet *p, const struct flow *f,
                const struct alerts *alerts)
{
    struct event ev;
    const struct event_of of = {.type = EVENT_drop, .packet = p, .flow = f};

    writer_begin(w, &ev, &of);
    event_open(&ev, F_drop);
    if (p->ip_v == 4) {
        event_uint(&ev, F_drop_len, p->ip_n);
        event_uint(&ev, F_drop_tos, p->tos);
        event_uint(&ev, F_drop_ttl, p->ttl);
        event_uint(&ev, F_drop_ipid, p->ip_id);
    } else if (p->ip_v == 6) {
        event_uint(&ev, F_drop_len, p->ip_n);
        event_uint(&ev, F_drop_tc, p->ipv6_flow >> 20 & 0xff);
        event_uint(&ev, F_drop_hoplimit, p->ttl);
        event_uint(&ev, F_drop_flowlbl, p->ipv6_flow & 0xfffff);
    }
    if (packet_is(p, IPPROTO_TCP)) {
        drop_tcp(&ev, p);
    } else if (packet_is(p, IPPROTO_UDP)) {
        event_uint(&ev, F_drop_udplen, p->payload.n + 8);
    } else if (packet_is(p, IPPROTO_ICMP)) {
        event_uint(&ev, F_drop_icmp_id, p->icmp_id);
        event_uint(&ev, F_drop_icmp_seq, p->icmp_seq);
    }
    event_text(&ev, F_drop_reason, drop_reason_text(p->drop_reason));
    event_close(&ev);
    if (w->conf->drop_alerts && alerts->dropped_by) {
        detect_alert_log(w->detect, alerts->dropped_by, p, &ev);
        event_close(&ev);
    }
    if (f)
        event_text(&ev, F_direction, p->dir == DIR_TS ? "to_server" : "to_client");
    writer_end(w, &ev, EVENT_drop, true);
}

void write_tagged(struct writer *w, const struct packet *p, const struct flow *f)
{
    struct event ev;
    const struct event_of of = {.type = EVENT_packet, .packet = p, .flow = f};

    writer_begin(w, &ev, &of);
    packet_bytes(&ev, p);
    writer_end(w, &ev, EVENT_packet, true);
}

static void anomaly(struct writer *w, const struct packet *p, const struct flow *f,
                    const char *type, const char *name)
{
    struct event ev;
    const struct event_of of = {.type = EVENT_anomaly, .packet = p, .flow = f};

    writer_begin(w, &ev, &of);
    event_open(&ev, F_anomaly);
    event_text(&ev, F_anomaly_type, type);
    event_text(&ev, F_anomaly_event, name);
    event_close(&ev);
    if (w->conf->anomaly_packet)
        packet_bytes(&ev, p);
    writer_end(w, &ev, EVENT_anomaly, true);
}

void write_anomalies(struct writer *w, const struct packet *p, const struct flow *f)
{
    for (size_t i = 0; i < p->n_events; i++) {
        uint16_t e = p->events[i];
        if (e >= STREAM_EVENT_BASE && w->conf->anomaly_stream)
            anomaly(w, p, f, "stream",
                    stream_event_eve((enum stream_event)(e - STREAM_EVENT_BASE)));
        else if (e < STREAM_EVENT_BASE && w->conf->anomaly_decode)
            anomaly(w, p, f, "decode", decode_event_eve((enum decode_event)e));
    }
}

static void app_anomaly(struct writer *w, const struct event_of *of, const char *app_proto,
                        struct span name, const char *layer)
{
    struct event ev;

    writer_begin(w, &ev, of);
    event_open(&ev, F_anomaly);
    if (app_proto)
        event_text(&ev, F_anomaly_app_proto, app_proto);
    event_text(&ev, F_anomaly_type, "applayer");
    event_str(&ev, F_anomaly_event, name);
    event_text(&ev, F_anomaly_layer, layer);
    event_close(&ev);
    writer_end(w, &ev, EVENT_anomaly, true);
}

void write_app_anomaly(struct writer *w, const struct packet *p, const struct flow *f,
                       const struct app *a, const struct tx *tx, const char *name, bool upper)
{
    const struct event_of of = {
        .type = EVENT_anomaly, .packet = p, .flow = f, .tx_id = tx ? &tx->id : NULL};
    char text[96];
    size_t n = 0;

    for (; name[n] && n < sizeof(text); n++)
        text[n] = upper && name[n] >= 'a' && name[n] <= 'z' ? (char)(name[n] - 32) : name[n];
    app_anomaly(w, &of, a->proto->name, span_of(text, n), "proto_parser");
}

void write_app_layer_anomaly(struct writer *w, const struct packet *p, const struct flow *f,
                             const struct app *a, enum app_layer_event e)
{
    const struct event_of of = {.type = EVENT_anomaly, .packet = p, .flow = f};

    app_anomaly(w, &of, a->proto ? a->proto->name : NULL, span_str(app_layer_event_names[e]),
                "proto_detect");
}

void write_arp(struct writer *w, const struct packet *p)
{
    static const char *const opcodes[] = {"unknown", "request", "reply", "request_reverse",
                                          "reply_reverse"};
    struct event ev;
    const struct event_of of = {.type = EVENT_arp, .packet = p};
    const uint8_t *b = p->arp;
    char mac[18], number[24];
    struct ip a;

    writer_begin(w, &ev, &of);
    event_open(&ev, F_arp);
    event_text(&ev, F_arp_hw_type, "ethernet");
    event_text(&ev, F_arp_proto_type, "ipv4");
    uint16_t op = be16(b + 6);
    snprintf(number, sizeof(number), "%s", op < LEN(opcodes) ? opcodes[op] : "unknown");
    event_text(&ev, F_arp_opcode, number);
    snprintf(mac, sizeof(mac), "%02x:%02x:%02x:%02x:%02x:%02x", b[8], b[9], b[10], b[11], b[12],
             b[13]);
    event_text(&ev, F_arp_src_mac, mac);
    a = ip_v4(b + 14);
    event_ip(&ev, F_arp_src_ip, &a);
    snprintf(mac, sizeof(mac), "%02x:%02x:%02x:%02x:%02x:%02x", b[18], b[19], b[20], b[21], b[22],
             b[23]);
    event_text(&ev, F_arp_dest_mac, mac);
    a = ip_v4(b + 24);
    event_ip(&ev, F_arp_dest_ip, &a);
    event_close(&ev);
    writer_end(w, &ev, EVENT_arp, true);
}
