/* SPDX-License-Identifier: Apache-2.0 */
/* Builds packets for the flow and stream tests without a decoder, and a sink that keeps what it is
 * given. */
#pragma once

#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"
#include "flow/flow.h"
#include "flow/stream.h"

#include "unit.h"

enum { KEEP = 1 << 18 };

struct bench {
    struct flow_table *flows;
    struct stream_engine *streams;
    uint8_t *got[2];
    size_t n[2];
    uint64_t gaps[2], gap_bytes[2];
    unsigned calls[2], eofs[2], truncated;
    uint64_t number, now_ns;
    size_t take_at_most; /* of each call; 0: all */
    unsigned ended;
    enum flow_end last_end;
    uint64_t last_id;
    struct packet last;
    bool auto_done;
};

static size_t bench_data(void *user, struct flow *f, struct packet *p, enum dir dir,
                         struct span data, unsigned flags)
{
    struct bench *b = user;
    size_t n = data.n;

    (void)f;
    (void)p;
    if (b->take_at_most && n > b->take_at_most)
        n = b->take_at_most;
    if (b->n[dir] + n > KEEP)
        n = KEEP - b->n[dir];
    if (n)
        memcpy(b->got[dir] + b->n[dir], data.p, n);
    b->n[dir] += n;
    b->calls[dir]++;
    if (flags & STREAM_EOF)
        b->eofs[dir]++;
    if (flags & STREAM_TRUNCATED)
        b->truncated++;
    return n;
}

static void bench_gap(void *user, struct flow *f, struct packet *p, enum dir dir, uint64_t n)
{
    struct bench *b = user;

    (void)f;
    (void)p;
    b->gaps[dir]++;
    b->gap_bytes[dir] += n;
}

static void bench_ended(void *user, struct flow *f, enum flow_end why)
{
    struct bench *b = user;

    b->ended++;
    b->last_end = why;
    b->last_id = f->id;
    if (b->streams)
        stream_session_free(b->streams, f);
}

static inline void bench_open(struct bench *b, const struct flow_conf *fc,
                              const struct stream_conf *sc)
{
    struct flow_conf f;
    struct stream_conf s;

    memset(b, 0, sizeof(*b));
    flow_conf_default(&f);
    stream_conf_default(&s);
    b->flows = flow_table_new(fc ? fc : &f, bench_ended, b);
    b->streams =
        stream_engine_new(sc ? sc : &s, b->flows, (struct stream_sink){bench_data, bench_gap, b});
    b->got[0] = mem_get(KEEP);
    b->got[1] = mem_get(KEEP);
    b->now_ns = 1700000000ull * NS_PER_S;
    b->auto_done = true;
}

static inline void bench_close(struct bench *b)
{
    flow_table_free(b->flows);
    stream_engine_free(b->streams);
    mem_free(b->got[0]);
    mem_free(b->got[1]);
}

static inline struct ip bench_ip(uint32_t a)
{
    uint8_t b[4] = {(uint8_t)(a >> 24), (uint8_t)(a >> 16), (uint8_t)(a >> 8), (uint8_t)a};

    return ip_v4(b);
}

static inline struct packet bench_packet(struct bench *b, uint8_t proto, bool to_server)
{
    static const uint8_t header[64];
    struct packet p = {.ts_ns = b->now_ns,
                       .number = ++b->number,
                       .data = {header, 60},
                       .ip_v = 4,
                       .proto = proto,
                       .ttl = 64,
                       .l4 = header};

    p.src = bench_ip(to_server ? 0x0a000001 : 0xc0a80001);
    p.dst = bench_ip(to_server ? 0xc0a80001 : 0x0a000001);
    p.sport = to_server ? 40000 : 80;
    p.dport = to_server ? 80 : 40000;
    return p;
}

/* Sends one TCP packet of the standing conversation; returns what became of it. */
static inline struct packet *bench_tcp(struct bench *b, bool to_server, uint8_t flags, uint32_t seq,
                                       uint32_t ack, struct span payload)
{
    struct packet p = bench_packet(b, 6, to_server);

    p.tcp.seq = seq;
    p.tcp.ack = ack;
    p.tcp.flags = flags;
    p.tcp.window = 65000;
    p.payload = payload;
    b->last = p;
    flow_of_packet(b->flows, &b->last);
    stream_packet(b->streams, &b->last);
    if (b->auto_done)
        stream_packet_done(b->streams, &b->last);
    return &b->last;
}

static inline void bench_handshake(struct bench *b, uint32_t client, uint32_t server)
{
    struct span none = span_of(NULL, 0);

    bench_tcp(b, true, TCP_SYN, client, 0, none);
    bench_tcp(b, false, TCP_SYN | TCP_ACK, server, client + 1, none);
    bench_tcp(b, true, TCP_ACK, client + 1, server + 1, none);
}

static inline bool bench_has(const struct packet *p, enum stream_event e)
{
    for (unsigned i = 0; i < p->n_events; i++)
        if (p->events[i] == STREAM_EVENT_BASE + e)
            return true;
    return false;
}

static inline bool bench_got(const struct bench *b, enum dir dir, const char *want)
{
    return span_eq(span_of(b->got[dir], b->n[dir]), span_str(want));
}
