/* SPDX-License-Identifier: Apache-2.0 */
/* The decoder's frame: configuration, names, counters, the queue of packets found inside the
 * captured one, and their visits. Layers are decoded in decode_*.c. */
#include "packet/decode.h"

#include "base/mem.h"
#include "packet/capture/capture.h"
#include "packet/decode_priv.h"
#include "packet/defrag.h"

enum { CHECKSUM_SAMPLE = 1000 };

static const char *const event_names[DECODE_EVENTS] = {
#define DECODE_EVENT(id, name) [DEV_##id] = "decoder." name,
#include "packet/decode_events.def"
#undef DECODE_EVENT
};

static const char *const event_counter_names[DECODE_EVENTS] = {
#define DECODE_EVENT(id, name) [DEV_##id] = "decoder.event." name,
#include "packet/decode_events.def"
#undef DECODE_EVENT
};

static const char *const counter_names[DECODE_COUNTERS] = {
#define DECODE_COUNTER(id, name) [DC_##id] = name,
#include "packet/decode_counters.def"
#undef DECODE_COUNTER
};

const char *decode_event_eve(enum decode_event e)
{
    must(e < DECODE_EVENTS);
    return event_names[e];
}

const char *decode_event_rule(enum decode_event e)
{
    return decode_event_eve(e) + sizeof("decoder.") - 1;
}

const char *decode_event_counter_name(enum decode_event e)
{
    must(e < DECODE_EVENTS);
    return event_counter_names[e];
}

enum decode_event decode_event_find(struct span rule_name)
{
    unsigned e = 0;

    while (e < DECODE_EVENTS && !span_ieq(rule_name, span_str(decode_event_rule(e))))
        e++;
    return (enum decode_event)e;
}

const char *decode_counter_name(enum counter_decode c)
{
    must(c < DECODE_COUNTERS);
    return counter_names[c];
}

void decode_conf_default(struct decode_conf *c)
{
    *c = (struct decode_conf){
        .checksums = true,
        .checksums_auto = true,
        .teredo = true,
        .vxlan = true,
        .vxlan_strict = true,
        .geneve = true,
        .erspan = true,
        .teredo_ports = {3544},
        .n_teredo_ports = 1,
        .vxlan_ports = {4789},
        .n_vxlan_ports = 1,
        .geneve_ports = {6081},
        .n_geneve_ports = 1,
        .gtp_ports = {2152},
        .n_gtp_ports = 1,
        .max_depth = 16,
        .max_layers = 16,
        .depth_is_flow_key = true,
        .defrag_timeout_s = 60,
        .defrag_trackers = 65535,
        .defrag_frags = 65535,
        .defrag_memcap = (uint64_t)32 << 20,
        .defrag_default = {DEFRAG_WINDOWS, DEFRAG_BSD},
    };
}

struct decoder *decoder_new(const struct decode_conf *conf)
{
    struct decoder *d = mem_zero(sizeof(*d));

    d->conf = *conf;
    d->check = conf->checksums;
    /* each tunnel enters a decoder, so that the scratch packets suffice */
    if (d->conf.max_layers >= DECODE_PACKETS)
        d->conf.max_layers = DECODE_PACKETS - 1;
    d->defrag = defrag_new(&d->conf, d->counters);
    return d;
}

void decoder_free(struct decoder *d)
{
    if (!d)
        return;
    for (size_t i = 0; i < DECODE_PACKETS; i++)
        mem_free(d->buffers[i]);
    defrag_free(d->defrag);
    mem_free(d);
}

uint8_t *decode_buffer(struct decoder *d)
{
    if (d->n_buffers == DECODE_PACKETS)
        return NULL;
    if (!d->buffers[d->n_buffers])
        d->buffers[d->n_buffers] = mem_get(DEFRAG_BUFFER);
    return d->buffers[d->n_buffers++];
}

static struct packet *new_packet(struct decoder *d, struct packet *p, struct span s,
                                 enum packet_source source)
{
    if (p->layers + 1 >= d->conf.max_layers || d->n_scratch == DECODE_PACKETS) {
        decode_bad(p, DEV_TOO_MANY_LAYERS);
        return NULL;
    }
    struct packet *in = &d->scratch[d->n_scratch++];
    packet_reset(in);
    in->ts_ns = p->ts_ns;
    in->number = 0;
    in->data = s;
    in->wire_n = (uint32_t)s.n;
    in->link = LINK_RAW;
    in->source = (uint16_t)source;
    in->outer = p;
    in->layers = (uint8_t)(p->layers + 1);
    return in;
}

/* Decodes and queues, or takes the packet (and what was found in it) back. */
static bool decode_new(struct decoder *d, struct packet *in, struct span s, decode_fn *fn,
                       bool must_be_valid)
{
    uint8_t queued = d->n_queue;

    if (!fn(d, in, s) || (must_be_valid && in->flags & PKT_INVALID)) {
        d->n_queue = queued;
        return false;
    }
    must(d->n_queue < DECODE_PACKETS);
    d->queue[d->n_queue++] = in;
    return true;
}

struct packet *decode_inner(struct decoder *d, struct packet *p, struct span s,
                            enum packet_source source, decode_fn *fn)
{
    if (p->depth >= d->conf.max_depth) {
        decode_bad(p, DEV_TOO_MANY_LAYERS);
        return NULL;
    }
    struct packet *in = new_packet(d, p, s, source);
    if (!in)
        return NULL;
    in->depth = (uint8_t)(p->depth + 1);
    in->flags = PKT_TUNNELED;
    if (!decode_new(d, in, s, fn, source == SRC_TEREDO))
        return NULL;
    p->flags |= PKT_TUNNEL_OUTER | PKT_NO_PAYLOAD_INSPECT;
    return in;
}

void decode_rebuilt(struct decoder *d, struct packet *p, struct span s, size_t link_n,
                    decode_fn *fn)
{
    struct packet *in = new_packet(d, p, s, SRC_DEFRAG);

    if (!in)
        return;
    in->depth = p->depth;
    in->flags = PKT_REBUILT | PKT_TUNNELED;
    in->n_vlan = p->n_vlan;
    memcpy(in->vlan, p->vlan, sizeof(in->vlan));
    in->link = p->link;
    if (decode_new(d, in, span_from(s, link_n), fn, false))
        p->flags |= PKT_TUNNEL_OUTER | PKT_NO_PAYLOAD_INSPECT;
}

static void decode_visit(struct decoder *d, struct packet *p, packet_visitor *visit, void *user)
{
    for (size_t i = 0; i < p->n_events; i++)
        d->events[p->events[i]]++;
    visit(user, p);
}

/* Are checksums left to the network card? Asked once. */
static void judge_checksums(struct decoder *d)
{
    if (d->conf.checksums_auto && d->bad_checksums > CHECKSUM_SAMPLE / 10)
        d->check = false;
}

static void decode_run(struct decoder *d, uint16_t link, struct packet *p, packet_visitor *visit,
                       void *user)
{
    p->link = link;
    d->n_queue = 0;
    d->n_scratch = 0;
    d->n_buffers = 0;
    d->counters[DC_PKTS]++;
    d->counters[DC_BYTES] += p->data.n;
    if (p->data.n > d->counters[DC_MAX_PKT_SIZE])
        d->counters[DC_MAX_PKT_SIZE] = p->data.n;
    if (p->wire_n > p->data.n)
        p->flags |= PKT_TRUNCATED;
    decode_link(d, p, link, p->data);
    if (UNLIKELY(p->flags & PKT_INVALID))
        d->counters[DC_INVALID]++;
    if (UNLIKELY(d->counters[DC_PKTS] == CHECKSUM_SAMPLE))
        judge_checksums(d);
    for (size_t i = 0; i < d->n_queue; i++)
        decode_visit(d, d->queue[i], visit, user);
    decode_visit(d, p, visit, user);
}

void decode_packet(struct decoder *d, uint16_t link, struct packet *p, packet_visitor *visit,
                   void *user)
{
    packet_reset(p);
    decode_run(d, link, p, visit, user);
}

void decode_captured(struct decoder *d, const struct capture_packet *c, struct packet *p,
                     packet_visitor *visit, void *user)
{
    p->ts_ns = c->ts_ns;
    p->number = c->number;
    p->data = c->data;
    p->wire_n = c->wire_n;
    p->source = SRC_WIRE;
    packet_reset(p);
    if (c->vlan_stripped) {
        p->vlan[0] = c->vlan & 0xfff;
        p->n_vlan = 1;
    }
    decode_run(d, c->link, p, visit, user);
}

const uint64_t *decode_counters(struct decoder *d)
{
    if (d->counters[DC_PKTS])
        d->counters[DC_AVG_PKT_SIZE] = d->counters[DC_BYTES] / d->counters[DC_PKTS];
    d->counters[DC_DEFRAG_MEMUSE] = defrag_memory(d->defrag);
    d->counters[DC_TOO_MANY_LAYERS] = d->events[DEV_TOO_MANY_LAYERS];
    return d->counters;
}

const uint64_t *decode_event_counters(const struct decoder *d)
{
    return d->events;
}

void decode_expire(struct decoder *d, uint64_t now_ns)
{
    defrag_expire(d->defrag, now_ns);
}
