/* SPDX-License-Identifier: Apache-2.0 */
/* The flow table and the stream engine. An input is a byte of configuration (bit 0 inline, 1
 * midstream, 2 one-sided, 3 overlap check, 4 small ceilings, 5 a reader that takes little, 6 strict
 * timestamps, 7 small depth) and packets of 12 bytes: direction and conversation, flags, sequence,
 * acknowledgement, window, length, options. Memory stays under its ceiling, the raw window is
 * contiguous, and all is given back. */
#include "fuzz.h"

#include "base/clock.h"
#include "base/must.h"
#include "base/rd.h"
#include "flow/stream.h"

enum { PACKET_BYTES = 12, RAW_FLAG = 1, KEEP_SOME = 2 };

struct world {
    struct flow_table *flows;
    struct stream_engine *streams;
    struct stream_conf conf;
    bool slow;
    uint32_t touched;
    uint64_t now_ns, number;
};

static size_t take(void *user, struct flow *f, struct packet *p, enum dir dir, struct span data,
                   unsigned flags)
{
    struct world *w = user;

    (void)p;
    for (size_t i = 0; i < data.n; i += 7)
        w->touched += data.p[i];
    if (data.n)
        w->touched += data.p[data.n - 1];
    if (flags & STREAM_TRUNCATED)
        stream_stop_app(f, dir);
    if (w->slow && data.n > 3) {
        stream_raw_keep(f, dir, 100);
        return data.n / 3;
    }
    return data.n;
}

static void gap(void *user, struct flow *f, struct packet *p, enum dir dir, uint64_t n)
{
    struct world *w = user;

    (void)p;
    must(n > 0);
    w->touched++;
    if (w->slow && n % 3 == 0)
        stream_refuse_gap(f, dir);
    if (w->slow && n % 5 == 0 && !(f->flags & FLOW_SWAPPED))
        flow_swap(f);
}

static void pseudo_of(struct packet *p, struct flow *f, enum dir dir)
{
    static const uint8_t header[20];

    *p = (struct packet){.flags = PKT_PSEUDO, .proto = 6, .ip_v = 4, .l4 = header, .flow = f};
    p->dir = (uint8_t)dir;
    p->tcp.flags = TCP_ACK;
}

static void ended(void *user, struct flow *f, enum flow_end why)
{
    struct world *w = user;
    struct packet p;

    (void)why;
    for (int d = 0; d < 2; d++) {
        if (!stream_wants_flush(f, d))
            continue;
        pseudo_of(&p, f, d);
        stream_flush(w->streams, f, &p, d);
    }
    stream_session_free(w->streams, f);
}

static void inspect(struct world *w, struct packet *p)
{
    uint64_t off;
    bool final;

    for (int turns = 0; turns < 4; turns++) {
        struct span raw = stream_raw(p->flow, p->dir, &off, &final);
        for (size_t i = 0; i < raw.n; i += 11)
            w->touched += raw.p[i];
        if (raw.n == 0)
            break;
        stream_raw_done(p->flow, p->dir, off + raw.n);
    }
}

static void one_packet(struct world *w, struct rd *r)
{
    static const uint8_t bytes[2048] = "0123456789abcdefghijklmnopqrstuvwxyz";
    static const uint8_t sack[8] = {0, 0, 16, 0, 0, 0, 17, 0};
    const uint8_t *b = rd_fixed(r, PACKET_BYTES);
    bool to_server = b[0] & 1;
    struct packet p = {.ts_ns = w->now_ns, .number = ++w->number, .ip_v = 4};

    w->now_ns += (uint64_t)(b[0] >> 4) * (b[11] & 64 ? NS_PER_S * 40ull : NS_PER_MS);
    p.proto = 6;
    p.ttl = 64;
    p.l4 = bytes;
    p.src = ip_v4((const uint8_t[]){10, 0, 0, to_server ? 1 : 2});
    p.dst = ip_v4((const uint8_t[]){10, 0, 0, to_server ? 2 : 1});
    p.sport = to_server ? (uint16_t)(1000 + (b[0] >> 1 & 3)) : 80;
    p.dport = to_server ? 80 : (uint16_t)(1000 + (b[0] >> 1 & 3));
    p.tcp.flags = b[1];
    p.tcp.seq = 0xfffff800u + be16(b + 2);
    p.tcp.ack = b[11] & 128 ? 0xfffff800u + be16(b + 4) * 4u : 0xfffff800u + be16(b + 4);
    p.tcp.window = be16(b + 6);
    p.payload = span_of(bytes, be16(b + 8) % sizeof(bytes) / (b[11] & 32 ? 1 : 64));
    /* Of some the payload lies elsewhere, as when it was put together from fragments. */
    p.data = span_of(bytes, b[11] & 64 ? 60 : sizeof(bytes));
    p.tcp.urgent = b[10];
    p.tcp.has_ts = b[11] & 1;
    p.tcp.ts_value = b[10];
    p.tcp.has_wscale = b[11] & 2;
    p.tcp.wscale = b[10] % 15;
    p.tcp.has_sack = b[11] & 4;
    p.tcp.sack = p.tcp.has_sack ? sack : NULL;
    p.tcp.n_sack = p.tcp.has_sack ? 1 : 0;
    p.tcp.has_tfo = b[11] & 8;
    p.tcp.has_md5 = b[11] & 16;
    if (!flow_of_packet(w->flows, &p))
        return;
    stream_packet(w->streams, &p);
    must(p.n_events <= PKT_EVENTS);
    if (b[10] & RAW_FLAG)
        inspect(w, &p);
    if (b[10] & KEEP_SOME)
        stream_raw_trigger(p.flow, p.dir);
    stream_packet_done(w->streams, &p);
    must(stream_counters(w->streams)[SC_REASSEMBLY_MEMUSE] <= w->conf.reassembly_memcap_bytes);
    flow_expire(w->flows, w->now_ns);
}

int fuzz_one(const uint8_t *p, size_t n)
{
    struct verdict v = {0};
    struct rd r = rd_whole(span_of(p, n), &v);
    struct world w = {.now_ns = 1700000000ull * NS_PER_S};
    struct flow_conf fc;
    uint8_t how = rd_u8(&r);

    flow_conf_default(&fc);
    fc.max_flows = how & 16 ? 2 : 64;
    stream_conf_default(&w.conf);
    w.conf.inline_mode = how & 1;
    w.conf.midstream = how & 2;
    w.conf.async_oneway = how & 4;
    w.conf.check_overlap = how & 8;
    w.conf.reassembly_memcap_bytes = how & 16 ? 4096 : 1u << 20;
    w.conf.segments_max = how & 16 ? 3 : 1000;
    w.slow = how & 32;
    w.conf.strict_timestamps = how & 64;
    w.conf.depth_bytes = how & 128 ? 3000 : 1u << 20;
    w.conf.default_os = (uint8_t)(n % (OS_LAST + 1));
    w.conf.urgent_policy = (uint8_t)(n % 4);
    w.flows = flow_table_new(&fc, ended, &w);
    w.streams = stream_engine_new(&w.conf, w.flows, (struct stream_sink){take, gap, &w});
    while (r.n >= PACKET_BYTES)
        one_packet(&w, &r);
    flow_table_free(w.flows);
    stream_engine_free(w.streams); /* aborts when something was not given back */
    return 0;
}
