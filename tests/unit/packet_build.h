/* SPDX-License-Identifier: Apache-2.0 */
/* Builds packets layer by layer into one buffer and keeps what decoding them shows. */
#pragma once

#include "base/rd.h"
#include "base/wr.h"
#include "packet/checksum.h"
#include "packet/decode.h"
#include "unit.h"

enum { SEEN_MOST = 40 };

/* What one decode_packet visited, in that order. */
struct seen {
    size_t n;
    struct packet all[SEEN_MOST];
    struct packet last; /* the captured one */
};

static struct decoder *build_decoder;
static struct decode_conf build_conf;
static uint64_t build_now_ns = 1000;
static uint8_t build_bytes[70000];

static inline void build_begin(void)
{
    decode_conf_default(&build_conf);
    build_decoder = decoder_new(&build_conf);
}

static inline void build_end(void)
{
    decoder_free(build_decoder);
}

/* A decoder with another configuration from here on. */
static inline void build_again(const struct decode_conf *c)
{
    decoder_free(build_decoder);
    build_decoder = decoder_new(c);
}

static inline struct wr build_start(void)
{
    return wr_into(build_bytes, sizeof(build_bytes));
}

static inline void build_zeros(struct wr *w, size_t n)
{
    uint8_t *p = wr_room(w, n);

    if (p)
        memset(p, 0, n);
}

static inline void build_ethernet(struct wr *w, uint16_t type)
{
    wr_bytes(w, SPAN("\x02\0\0\0\0\x02\x02\0\0\0\0\x01"));
    wr_u16(w, type);
}

/* From 10.0.0.1 to 10.0.0.2, no options; `frag`: flags and offset. Where it begins. */
static inline size_t build_ipv4(struct wr *w, uint8_t proto, uint16_t frag)
{
    size_t at = w->n;

    wr_u16(w, 0x4500);
    wr_u16(w, 0);
    wr_u16(w, 0x1234);
    wr_u16(w, frag);
    wr_u8(w, 64);
    wr_u8(w, proto);
    wr_u16(w, 0);
    wr_u32(w, 0x0a000001);
    wr_u32(w, 0x0a000002);
    return at;
}

static inline void build_fill_checksum(uint8_t *head, size_t n, uint8_t proto)
{
    size_t at = proto == 6 ? 16 : proto == 17 ? 6 : 2;
    uint8_t *l4 = head + 20;
    uint32_t sum = 0;

    if ((proto != 6 && proto != 17 && proto != 1) || n < at + 2)
        return;
    if (proto != 1) {
        sum = checksum_add(0, span_of(head + 12, 8));
        sum = checksum_add(sum + proto + (uint32_t)n, span_of("", 0));
    }
    put_be16(l4 + at, 0);
    put_be16(l4 + at, (uint16_t)~checksum_add(sum, span_of(l4, n)));
}

/* Fills in length and checksums of the header at `at`, which must have no options. */
static inline void build_ipv4_end(struct wr *w, size_t at)
{
    uint8_t *h = w->p + at;

    put_be16(h + 2, (uint16_t)(w->n - at));
    put_be16(h + 10, 0);
    put_be16(h + 10, (uint16_t)~checksum_add(0, span_of(h, 20)));
    if ((be16(h + 6) & 0x3fff) == 0)
        build_fill_checksum(h, w->n - at - 20, h[9]);
}

/* From 2001:db8::1 to 2001:db8::2. */
static inline size_t build_ipv6(struct wr *w, uint8_t next)
{
    size_t at = w->n;

    wr_u32(w, 0x60000000);
    wr_u16(w, 0);
    wr_u8(w, next);
    wr_u8(w, 64);
    for (uint8_t i = 1; i <= 2; i++) {
        wr_u32(w, 0x20010db8);
        build_zeros(w, 11);
        wr_u8(w, i);
    }
    return at;
}

static inline void build_ipv6_end(struct wr *w, size_t at)
{
    put_be16(w->p + at + 4, (uint16_t)(w->n - at - 40));
}

static inline void build_tcp(struct wr *w, uint16_t sport, uint16_t dport, uint8_t flags,
                             struct span options)
{
    wr_u16(w, sport);
    wr_u16(w, dport);
    wr_u32(w, 1000);
    wr_u32(w, 2000);
    wr_u8(w, (uint8_t)((5 + options.n / 4) << 4));
    wr_u8(w, flags);
    wr_u16(w, 8192);
    wr_u32(w, 0);
    wr_bytes(w, options);
}

static inline void build_udp(struct wr *w, uint16_t sport, uint16_t dport, size_t payload_n)
{
    wr_u16(w, sport);
    wr_u16(w, dport);
    wr_u16(w, (uint16_t)(8 + payload_n));
    wr_u16(w, 0);
}

static inline void build_note(void *user, struct packet *p)
{
    struct seen *s = user;

    if (s->n < SEEN_MOST)
        s->all[s->n] = *p;
    s->n++;
    s->last = *p;
}

static inline void decode_built(const struct wr *w, uint16_t link, struct seen *s)
{
    struct packet p;
    static uint8_t copy[70000]; /* exactly as long as the packet for the sanitizers' sake */

    memset(&p, 0xa5, sizeof(p)); /* nothing of an earlier packet may shine through */
    memcpy(copy + sizeof(copy) - w->n, w->p, w->n);
    p.data = span_of(copy + sizeof(copy) - w->n, w->n);
    p.ts_ns = build_now_ns;
    p.number = 1;
    p.wire_n = (uint32_t)w->n;
    p.source = SRC_WIRE;
    s->n = 0;
    decode_packet(build_decoder, link, &p, build_note, s);
}

/* Was exactly this the only anomaly of the captured packet? */
static inline bool only_event(const struct seen *s, enum decode_event e)
{
    return s->last.n_events == 1 && s->last.events[0] == e;
}
