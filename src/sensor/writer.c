/* SPDX-License-Identifier: Apache-2.0 */
/* The common fields of every event, and the buffer between worker and output. */
#include "sensor/writer.h"

#include "base/hex.h"

#include <netinet/in.h>
#include <openssl/evp.h>

enum { WRITER_MAX = 16 << 20, WRITER_BATCH = 64 << 10 };

void writer_init(struct writer *w, const struct sensor_conf *sensor, const struct eve_conf *conf,
                 struct output *out)
{
    bool own = conf >= sensor->eve && conf < sensor->eve + CONF_EVES;

    /* The node's own stream is not in the configuration: it says what is shipped. */
    *w = (struct writer){
        .conf = conf, .log = own ? &conf->log : &sensor->proto.log, .sensor = sensor, .out = out};
    w->lines = buf_new(WRITER_MAX);
}

void writer_flush(struct writer *w)
{
    if (w->pending == 0)
        return;
    if (w->out)
        output_write(w->out, buf_span(&w->lines), w->pending);
    buf_clear(&w->lines);
    w->pending = 0;
}

void writer_free(struct writer *w)
{
    writer_flush(w);
    buf_free(&w->lines);
}

const char *ip_proto_name(uint8_t proto, char text[8])
{
    static const char *const names[256] = {
#define IP_PROTO(number, name) [number] = name,
#include "sensor/ip_proto.def"
#undef IP_PROTO
    };

    if (names[proto])
        return names[proto];
    snprintf(text, 8, "%03u", proto);
    return text;
}

size_t community_id(const struct ip *src, const struct ip *dst, uint16_t sport, uint16_t dport,
                    uint8_t proto, uint16_t seed, char text[64])
{
    uint8_t data[64], digest[20];
    size_t n = 0, bytes = src->family == 6 ? 16 : 4, from = 16 - bytes;
    int order = memcmp(src->b + from, dst->b + from, bytes);
    bool swap = order > 0 || (order == 0 && sport > dport);
    const struct ip *a = swap ? dst : src, *b = swap ? src : dst;
    uint16_t ports[2] = {swap ? dport : sport, swap ? sport : dport};

    data[n++] = (uint8_t)(seed >> 8);
    data[n++] = (uint8_t)seed;
    memcpy(data + n, a->b + from, bytes);
    memcpy(data + n + bytes, b->b + from, bytes);
    n += 2 * bytes;
    data[n++] = proto;
    data[n++] = 0;
    for (size_t i = 0; i < 2; i++) {
        data[n++] = (uint8_t)(ports[i] >> 8);
        data[n++] = (uint8_t)ports[i];
    }
    if (EVP_Digest(data, n, digest, NULL, EVP_sha1(), NULL) != 1)
        return 0;
    struct buf out = buf_new(64);
    buf_str(&out, "1:");
    base64_add(&out, span_of(digest, sizeof(digest)));
    size_t len = out.n;
    memcpy(text, buf_cstr(&out), len + 1);
    buf_free(&out);
    return len;
}

static bool has_ports(uint8_t proto)
{
    return proto == IPPROTO_TCP || proto == IPPROTO_UDP || proto == IPPROTO_SCTP;
}

void event_client(struct event_of *of, const struct writer *w, struct app *a, const struct tx *tx)
{
    const struct http_log_conf *h = &w->log->http;

    if (a)
        a->log = w->log;
    if (h->xff_mode == XFF_OFF || !tx || !a->proto || !a->proto->client ||
        !a->proto->client(a, tx, &of->client))
        return;
    of->overwrite = h->xff_mode == XFF_OVERWRITE;
}

static void head_tuple(struct event *ev, const struct event_of *of, bool to_server,
                       const struct ip *src, uint16_t sport, const struct ip *dst, uint16_t dport,
                       bool ports)
{
    if (of->overwrite && to_server)
        event_str(ev, F_src_ip, of->client);
    else
        event_ip(ev, F_src_ip, src);
    if (ports)
        event_uint(ev, F_src_port, sport);
    if (of->overwrite && !to_server)
        event_str(ev, F_dest_ip, of->client);
    else
        event_ip(ev, F_dest_ip, dst);
    if (ports)
        event_uint(ev, F_dest_port, dport);
}

static void head_addresses(struct event *ev, const struct event_of *of)
{
    const struct packet *p = of->packet;
    const struct flow *f = of->flow;
    uint8_t proto = p && p->ip_v ? p->proto : f ? f->key.proto : 0, family;
    char number[8];

    if (of->dir == HEAD_PACKET && p) {
        if (p->ip_v == 0)
            return;
        head_tuple(ev, of, p->dir == DIR_TS, &p->src, p->sport, &p->dst, p->dport,
                   has_ports(proto));
        family = p->ip_v;
    } else if (f) {
        const struct flow_key *k = &f->key;
        proto = k->proto;
        if (of->dir == HEAD_TC)
            head_tuple(ev, of, false, &k->dst, k->dport, &k->src, k->sport, has_ports(proto));
        else
            head_tuple(ev, of, true, &k->src, k->sport, &k->dst, k->dport, has_ports(proto));
        family = k->src.family;
    } else {
        return;
    }
    event_text(ev, F_proto, ip_proto_name(proto, number));
    event_uint(ev, F_ip_v, family);
    if (p && p->l4 && (proto == IPPROTO_ICMP || proto == IPPROTO_ICMPV6)) {
        event_uint(ev, F_icmp_type, p->icmp_type);
        event_uint(ev, F_icmp_code, p->icmp_code);
    }
    if (p && p->l4 && proto == IPPROTO_ESP)
        event_uint(ev, F_spi, p->esp_spi);
}

static void mac_text(const uint8_t *m, char text[18])
{
    snprintf(text, 18, "%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3], m[4], m[5]);
}

static void head_macs(struct event *ev, const struct flow_macs *m, enum dir side, enum field f)
{
    char text[18];

    event_open(ev, f);
    for (unsigned i = 0; i < m->n[side]; i++) {
        mac_text(m->mac[side][i], text);
        event_item(ev, span_str(text));
    }
    event_close(ev);
}

static void head_options(struct writer *w, struct event *ev, const struct event_of *of)
{
    const struct packet *p = of->packet;
    const struct flow *f = of->flow;
    char text[64];

    if (w->conf->community_id && f) {
        size_t n = community_id(&f->key.src, &f->key.dst, f->key.sport, f->key.dport, f->key.proto,
                                w->conf->community_seed, text);
        if (n)
            event_str(ev, F_community_id, span_of(text, n));
    }
    if (w->conf->ethernet && p && p->ethernet) {
        bool turned =
            (of->dir == HEAD_FLOW && p->dir == DIR_TC) || (of->dir == HEAD_TC && p->dir == DIR_TS);
        event_open(ev, F_ether);
        mac_text(p->ethernet + (turned ? 0 : 6), text);
        event_text(ev, F_ether_src_mac, text);
        mac_text(p->ethernet + (turned ? 6 : 0), text);
        event_text(ev, F_ether_dest_mac, text);
        event_close(ev);
    } else if (w->conf->ethernet && p && (p->flags & PKT_PSEUDO) && f && f->has_mac) {
        bool forward = of->dir == HEAD_PACKET ? p->dir == DIR_TS : of->dir == HEAD_FLOW;
        event_open(ev, F_ether);
        mac_text(f->mac[forward ? DIR_TS : DIR_TC], text);
        event_text(ev, F_ether_src_mac, text);
        mac_text(f->mac[forward ? DIR_TC : DIR_TS], text);
        event_text(ev, F_ether_dest_mac, text);
        event_close(ev);
    } else if (w->conf->ethernet && !p && f && f->macs) {
        event_open(ev, F_ether);
        head_macs(ev, f->macs, DIR_TC, F_ether_dest_macs);
        head_macs(ev, f->macs, DIR_TS, F_ether_src_macs);
        event_close(ev);
    }
    if (w->conf->pcap_file && w->capture)
        event_text(ev, F_pcap_filename, w->capture);
}

void writer_begin(struct writer *w, struct event *ev, const struct event_of *of)
{
    const struct packet *p = of->packet;
    const struct flow *f = of->flow;

    event_begin(ev, &w->lines);
    event_time(ev, F_timestamp, p ? p->ts_ns : of->ts_ns);
    if (f)
        event_uint(ev, F_flow_id, f->id);
    if (f && f->parent_id)
        event_uint(ev, F_parent_id, f->parent_id);
    if (p && p->number)
        event_uint(ev, F_pcap_cnt, p->number);
    if (w->interface)
        event_text(ev, F_in_iface, w->interface);
    event_text(ev, F_event_type, event_table[of->type].name);
    const uint16_t *vlan = p ? p->vlan : f ? f->key.vlan : NULL;
    size_t n_vlan = p ? p->n_vlan : f ? f->n_vlan : 0;
    if (n_vlan) {
        event_open(ev, F_vlan);
        for (size_t i = 0; i < n_vlan; i++)
            event_item_uint(ev, vlan[i]);
        event_close(ev);
    }
    head_addresses(ev, of);
    if (p)
        event_text(ev, F_pkt_src, packet_source_name(p->source));
    if (of->tx_id)
        event_uint(ev, F_tx_id, *of->tx_id);
    head_options(w, ev, of);
    if (w->conf->metadata && f && w->rules && of->type != EVENT_stats)
        detect_metadata_log(w->detect, p, f, w->rules, ev);
}

void writer_end(struct writer *w, struct event *ev, enum event_type type, bool ok)
{
    if (!ok) {
        event_cancel(ev);
        return;
    }
    if (!event_end(ev)) {
        w->lost++;
        return;
    }
    w->pending++;
    w->written++;
    w->by_type[type]++;
    if (w->lines.n >= WRITER_BATCH)
        writer_flush(w);
}
