/* SPDX-License-Identifier: Apache-2.0 */
/* Overlaps and hostile segments: who keeps the bytes when edges coincide, what is told when one
 * segment both repeats and differs, and resets and timestamps that must not be believed. */
#include "base/mem.h"
#include "flow/reassembly.h"

#include "flow_packets.h"

static const struct span none = {NULL, 0};

static enum insert_result put(struct block_pool *pool, struct tcp_side *s, uint64_t off,
                              const char *data, uint8_t os, bool keep_old)
{
    const struct insert in = {.off = off,
                              .data = span_str(data),
                              .os = os,
                              .max_runs = 64,
                              .check = true,
                              .keep_old = keep_old};

    return reassembly_insert(pool, s, &in);
}

static bool holds(const struct tcp_side *s, uint64_t off, const char *want)
{
    const struct run *r = s->first;

    return r && r->off == off && span_eq(span_of(r->data + r->head, r->n), span_str(want));
}

/* The newer begins inside the older and ends with it: no system lets it replace anything. */
static void same_right_edge(void)
{
    static const uint8_t all[] = {OS_SOLARIS, OS_OLD_SOLARIS, OS_HPUX11, OS_LINUX, OS_BSD};
    struct block_pool pool;

    for (size_t i = 0; i < LEN(all); i++) {
        struct tcp_side s = {0};
        block_pool_init(&pool, 1u << 20);
        put(&pool, &s, 0, "oooo", all[i], false);
        CHECK(put(&pool, &s, 2, "nn", all[i], false) == INSERT_DIFFERENT);
        CHECK(holds(&s, 0, "oooo"));
        reassembly_clear(&pool, &s);
        block_pool_free(&pool);
    }
}

/* Inline what was passed on stays, whatever the policy. */
static void passed_stays(void)
{
    struct block_pool pool;
    struct tcp_side s = {0};

    block_pool_init(&pool, 1u << 20);
    put(&pool, &s, 0, "oooo", OS_LAST, true);
    CHECK(put(&pool, &s, 0, "nnnnnn", OS_LAST, true) == INSERT_DIFFERENT);
    CHECK(holds(&s, 0, "oooonn"));
    CHECK(put(&pool, &s, 0, "nnnn", OS_LAST, false) == INSERT_DIFFERENT);
    CHECK(holds(&s, 0, "nnnnnn"));
    reassembly_clear(&pool, &s);
    block_pool_free(&pool);
}

/* A segment over two runs differs in the first and repeats the second: it differs. */
static void differs_then_repeats(void)
{
    struct block_pool pool;
    struct tcp_side s = {0};

    block_pool_init(&pool, 1u << 20);
    put(&pool, &s, 10, "aa", OS_BSD, false);
    put(&pool, &s, 14, "bb", OS_BSD, false);
    CHECK(put(&pool, &s, 10, "aXccbb", OS_BSD, false) == INSERT_DIFFERENT);
    reassembly_clear(&pool, &s);
    block_pool_free(&pool);
}

/* Runs a quarter of a megabyte apart are regions of their own, nearer ones are not. */
static void regions(void)
{
    static const struct {
        uint64_t gap;
        unsigned regions;
    } cases[] = {{262144, 1}, {262145, 2}};
    struct block_pool pool;

    for (size_t i = 0; i < LEN(cases); i++) {
        struct tcp_side s = {0};
        block_pool_init(&pool, 1u << 20);
        put(&pool, &s, 0, "aa", OS_BSD, false);
        put(&pool, &s, 2 + cases[i].gap, "bb", OS_BSD, false);
        CHECK(s.max_regions == cases[i].regions);
        reassembly_clear(&pool, &s);
        block_pool_free(&pool);
    }
}

/* A packet with a timestamp, at a second of the conversation. */
static struct packet *stamped(struct bench *b, bool to_server, uint8_t flags, uint32_t seq,
                              uint32_t ack, uint32_t value, const char *text)
{
    struct packet p = bench_packet(b, 6, to_server);

    p.tcp.seq = seq;
    p.tcp.ack = ack;
    p.tcp.flags = flags;
    p.tcp.window = 65000;
    p.tcp.has_ts = true;
    p.tcp.ts_value = value;
    p.payload = span_str(text);
    b->last = p;
    flow_of_packet(b->flows, &b->last);
    stream_packet(b->streams, &b->last);
    stream_packet_done(b->streams, &b->last);
    return &b->last;
}

static void stamped_handshake(struct bench *b, const struct stream_conf *c)
{
    bench_open(b, NULL, c);
    stamped(b, true, TCP_SYN, 1000, 0, 500, "");
    stamped(b, false, TCP_SYN | TCP_ACK, 5000, 1001, 900, "");
    stamped(b, true, TCP_ACK, 1001, 5001, 501, "");
}

/* An old timestamp is refused; one behind by one only when that is asked for; zero never. */
static void timestamps(void)
{
    struct stream_conf c;
    struct bench b;

    stream_conf_default(&c);
    stamped_handshake(&b, &c);
    CHECK(bench_has(stamped(&b, true, TCP_ACK, 1001, 5001, 400, "old"), SEV_PKT_INVALID_TIMESTAMP));
    CHECK(
        !bench_has(stamped(&b, true, TCP_ACK, 1001, 5001, 500, "abc"), SEV_PKT_INVALID_TIMESTAMP));
    CHECK(bench_has(stamped(&b, true, TCP_ACK, 1004, 5001, 0, "def"), SEV_PKT_INVALID_TIMESTAMP));
    bench_close(&b);
    c.strict_timestamps = true;
    stamped_handshake(&b, &c);
    CHECK(bench_has(stamped(&b, true, TCP_ACK, 1001, 5001, 500, "abc"), SEV_PKT_INVALID_TIMESTAMP));
    bench_close(&b);
}

/* A reset whose acknowledgement points beyond what was sent ends nothing; one of a session with
 * signed segments is noted only. */
static void resets(void)
{
    struct bench b;
    struct packet *p;

    bench_open(&b, NULL, NULL);
    bench_handshake(&b, 1000, 5000);
    p = bench_tcp(&b, true, TCP_RST | TCP_ACK, 1001, 900000, none);
    CHECK(bench_has(p, SEV_RST_INVALID_ACK) && stream_state(p->flow) == TCP_ESTABLISHED);
    p = bench_tcp(&b, true, TCP_RST | TCP_ACK, 1001, 5001, none);
    CHECK(!bench_has(p, SEV_RST_INVALID_ACK) && stream_state(p->flow) == TCP_CLOSED);
    bench_close(&b);
}

/* Zero comes after the largest timestamp, but systems of BSD's kind do not send it. */
static void zero_timestamp(void)
{
    struct stream_conf c;
    struct bench b;

    stream_conf_default(&c);
    bench_open(&b, NULL, &c);
    stamped(&b, true, TCP_SYN, 1000, 0, 0xfffffff0, "");
    stamped(&b, false, TCP_SYN | TCP_ACK, 5000, 1001, 900, "");
    stamped(&b, true, TCP_ACK, 1001, 5001, 0xfffffff1, "");
    CHECK(bench_has(stamped(&b, true, TCP_ACK, 1001, 5001, 0, "a"), SEV_PKT_INVALID_TIMESTAMP));
    CHECK(!bench_has(stamped(&b, true, TCP_ACK, 1001, 5001, 1, "a"), SEV_PKT_INVALID_TIMESTAMP));
    bench_close(&b);
}

/* Of a session that is seen from one side a reset counts from the next byte on. */
static void one_sided_reset(void)
{
    struct stream_conf c;
    struct bench b;

    stream_conf_default(&c);
    c.async_oneway = true;
    bench_open(&b, NULL, &c);
    bench_tcp(&b, true, TCP_SYN, 1000, 0, none);
    bench_tcp(&b, true, TCP_ACK, 1001, 5001, SPAN("hello "));
    bench_tcp(&b, true, TCP_ACK, 1007, 5010, SPAN("world"));
    bench_tcp(&b, true, TCP_RST, 1003, 0, none);
    CHECK(stream_state(b.last.flow) == TCP_ESTABLISHED);
    bench_tcp(&b, true, TCP_RST, 1012, 0, none);
    CHECK(stream_state(b.last.flow) == TCP_CLOSED);
    bench_close(&b);
}

/* Data that were given on already are not given twice, to the last byte. */
static void repeated_tail(void)
{
    struct bench b;

    bench_open(&b, NULL, NULL);
    bench_handshake(&b, 1000, 5000);
    bench_tcp(&b, true, TCP_ACK, 1001, 5001, SPAN("abcd"));
    bench_tcp(&b, false, TCP_ACK, 5001, 1005, none);
    bench_tcp(&b, true, TCP_ACK, 1003, 5001, SPAN("cdef"));
    bench_tcp(&b, true, TCP_ACK, 1001, 5001, SPAN("abcd"));
    bench_tcp(&b, false, TCP_ACK, 5001, 1007, none);
    CHECK(bench_got(&b, DIR_TS, "abcdef"));
    bench_close(&b);
}

int main(void)
{
    same_right_edge();
    passed_stays();
    differs_then_repeats();
    regions();
    timestamps();
    zero_timestamp();
    resets();
    one_sided_reset();
    repeated_tail();
    return unit_end();
}
