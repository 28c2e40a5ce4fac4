/* SPDX-License-Identifier: Apache-2.0 */
/* TCP sessions packet by packet: states, events, what the application is given and when. */
#include "base/wr.h"
#include "flow/policy.h"
#include "packet/checksum.h"

#include "flow_packets.h"

static const struct span none = {NULL, 0};

static void normal_session(void)
{
    struct bench b;
    struct packet *p;

    bench_open(&b, NULL, NULL);
    bench_handshake(&b, 1000, 5000);
    p = &b.last;
    CHECK(stream_state(p->flow) == TCP_ESTABLISHED && p->flow->state == FLOW_ESTABLISHED);
    CHECK(p->n_events == 0);
    p = bench_tcp(&b, true, TCP_ACK | TCP_PSH, 1001, 5001, SPAN("GET / "));
    CHECK(b.n[DIR_TS] == 0); /* not before the server has acknowledged it */
    CHECK((p->flags & PKT_STREAM_ADDED) && (p->flags & PKT_ESTABLISHED));
    bench_tcp(&b, false, TCP_ACK, 5001, 1007, none);
    CHECK(bench_got(&b, DIR_TS, "GET / ") && b.calls[DIR_TS] == 1);
    bench_tcp(&b, false, TCP_ACK | TCP_PSH, 5001, 1007, SPAN("200 OK"));
    bench_tcp(&b, true, TCP_ACK, 1007, 5007, none);
    CHECK(bench_got(&b, DIR_TC, "200 OK"));
    bench_tcp(&b, true, TCP_FIN | TCP_ACK, 1007, 5007, none);
    CHECK(stream_state(b.last.flow) == TCP_CLOSE_WAIT);
    bench_tcp(&b, false, TCP_FIN | TCP_ACK, 5007, 1008, none);
    CHECK(stream_state(b.last.flow) == TCP_LAST_ACK && b.last.flow->state == FLOW_CLOSED);
    p = bench_tcp(&b, true, TCP_ACK, 1008, 5008, none);
    CHECK(stream_state(p->flow) == TCP_CLOSED && p->n_events == 0);
    CHECK(b.eofs[DIR_TS] > 0 && b.eofs[DIR_TC] > 0);
    CHECK(p->flow->packets[DIR_TS] == 6 && p->flow->packets[DIR_TC] == 4);
    CHECK(p->flow->tcp_flags[DIR_TS] == (TCP_SYN | TCP_ACK | TCP_PSH | TCP_FIN));
    /* a new SYN opens a flow of its own */
    bench_tcp(&b, true, TCP_SYN, 90000, 0, none);
    CHECK(b.ended == 1 && b.last_end == FLOW_END_REUSED);
    CHECK(stream_state(b.last.flow) == TCP_SYN_SENT && b.last.flow->packets[DIR_TS] == 1);
    CHECK(b.last.flow->id != b.last_id);
    bench_close(&b);
}

static void sequence_wrap(void)
{
    struct bench b;

    bench_open(&b, NULL, NULL);
    bench_handshake(&b, 0xfffffffa, 0xfffffffe);
    bench_tcp(&b, true, TCP_ACK, 0xfffffffb, 0xffffffff, SPAN("abc"));
    bench_tcp(&b, true, TCP_ACK, 0xfffffffe, 0xffffffff, SPAN("defgh")); /* over the end */
    bench_tcp(&b, true, TCP_ACK, 3, 0xffffffff, SPAN("ij"));
    bench_tcp(&b, false, TCP_ACK, 0xffffffff, 5, none);
    CHECK(bench_got(&b, DIR_TS, "abcdefghij") && b.gaps[DIR_TS] == 0);
    bench_close(&b);
}

static void loss(void)
{
    struct bench b;
    struct packet *p;

    bench_open(&b, NULL, NULL);
    bench_handshake(&b, 1000, 5000);
    bench_tcp(&b, true, TCP_ACK, 1001, 5001, SPAN("aaa"));
    bench_tcp(&b, true, TCP_ACK, 1009, 5001, SPAN("ccc")); /* 5 bytes missing */
    bench_tcp(&b, false, TCP_ACK, 5001, 1004, none);
    CHECK(bench_got(&b, DIR_TS, "aaa") && b.gaps[DIR_TS] == 0);
    bench_tcp(&b, true, TCP_ACK, 1012, 5001, SPAN("ddd"));
    CHECK(b.gaps[DIR_TS] == 0);
    p = bench_tcp(&b, false, TCP_ACK, 5001, 1015, none);
    CHECK(b.gaps[DIR_TS] == 1 && b.gap_bytes[DIR_TS] == 5);
    CHECK(bench_got(&b, DIR_TS, "aaacccddd"));
    CHECK(bench_has(p, SEV_REASSEMBLY_SEQ_GAP));
    struct stream_facts facts;
    stream_facts(p->flow, &facts);
    CHECK(facts.gap[DIR_TS] && !facts.gap[DIR_TC] && facts.max_regions[DIR_TS] == 1);
    bench_close(&b);
}

static void filled_hole(void)
{
    struct bench b;

    bench_open(&b, NULL, NULL);
    bench_handshake(&b, 1000, 5000);
    bench_tcp(&b, true, TCP_ACK, 1004, 5001, SPAN("bbb"));
    bench_tcp(&b, true, TCP_ACK, 1010, 5001, SPAN("ddd"));
    bench_tcp(&b, true, TCP_ACK, 1007, 5001, SPAN("ccc"));
    bench_tcp(&b, false, TCP_ACK, 5001, 1001, none);
    CHECK(b.n[DIR_TS] == 0);
    bench_tcp(&b, true, TCP_ACK, 1001, 5001, SPAN("aaa"));
    bench_tcp(&b, false, TCP_ACK, 5001, 1013, none);
    CHECK(bench_got(&b, DIR_TS, "aaabbbcccddd") && b.calls[DIR_TS] == 1);
    bench_close(&b);
}

static void events(void)
{
    struct bench b;
    struct packet *p;

    CHECK(stream_event_find(SPAN("3whs_synack_with_wrong_ack")) == SEV_3WHS_SYNACK_WITH_WRONG_ACK);
    CHECK(stream_event_find(SPAN("nonsense")) == STREAM_EVENTS);
    CHECK_STR(stream_event_eve(SEV_EST_PACKET_OUT_OF_WINDOW), "stream.est_packet_out_of_window");
    bench_open(&b, NULL, NULL);
    p = bench_tcp(&b, true, TCP_RST, 1, 0, none);
    CHECK(bench_has(p, SEV_RST_BUT_NO_SESSION) && p->flow && !p->flow->tcp);
    p = bench_tcp(&b, true, TCP_FIN | TCP_ACK, 1, 1, none);
    CHECK(bench_has(p, SEV_FIN_BUT_NO_SESSION));
    bench_tcp(&b, true, TCP_SYN, 1000, 0, none);
    CHECK(b.ended == 1); /* a flow without session is taken over by a SYN */
    p = bench_tcp(&b, false, TCP_SYN | TCP_ACK, 5000, 77, none);
    CHECK(bench_has(p, SEV_3WHS_SYNACK_WITH_WRONG_ACK));
    bench_tcp(&b, false, TCP_SYN | TCP_ACK, 5000, 1001, none);
    p = bench_tcp(&b, true, TCP_ACK, 1001, 99, none);
    CHECK(bench_has(p, SEV_3WHS_RIGHT_SEQ_WRONG_ACK_EVASION));
    bench_tcp(&b, true, TCP_ACK, 1001, 5001, none);
    CHECK(stream_state(b.last.flow) == TCP_ESTABLISHED);
    p = bench_tcp(&b, true, TCP_ACK, 1001 + 70000, 5001, SPAN("x"));
    CHECK(bench_has(p, SEV_EST_PACKET_OUT_OF_WINDOW));
    p = bench_tcp(&b, true, TCP_ACK, 1001, 5001 + 70000, SPAN("x"));
    CHECK(bench_has(p, SEV_PKT_INVALID_ACK) && bench_has(p, SEV_EST_INVALID_ACK));
    p = bench_tcp(&b, true, 0, 1001, 12, none);
    CHECK(bench_has(p, SEV_PKT_BROKEN_ACK));
    p = bench_tcp(&b, true, TCP_SYN, 1000, 0, none);
    CHECK(bench_has(p, SEV_EST_SYN_RESEND_DIFF_SEQ));
    bench_close(&b);
}

/* A packet from the side, far beyond the window, moves nothing: what the client sends next fits,
 * and its reset, which has to name exactly the next byte, is believed. */
static void out_of_window(void)
{
    struct bench b;
    struct packet *p;

    bench_open(&b, NULL, NULL);
    bench_handshake(&b, 1000, 5000);
    bench_tcp(&b, true, TCP_ACK, 1001, 5001, SPAN("aaa"));
    p = bench_tcp(&b, true, TCP_ACK, 1001 + 1000000, 5001, SPAN("forged"));
    CHECK(bench_has(p, SEV_EST_PACKET_OUT_OF_WINDOW));
    CHECK(stream_size(p->flow, DIR_TS) == 4);
    bench_tcp(&b, true, TCP_ACK, 1004, 5001, SPAN("bbb"));
    bench_tcp(&b, false, TCP_ACK, 5001, 1007, none);
    CHECK(bench_got(&b, DIR_TS, "aaabbb") && b.gaps[DIR_TS] == 0);
    p = bench_tcp(&b, true, TCP_ACK, 1007 - 1000000, 5001, SPAN("forged"));
    p = bench_tcp(&b, true, TCP_ACK, 1007 + 1000000, 5001, SPAN("forged"));
    p = bench_tcp(&b, true, TCP_RST, 1007, 0, none);
    CHECK(stream_state(p->flow) == TCP_CLOSED);
    bench_close(&b);
}

static void midstream(void)
{
    struct stream_conf c;
    struct bench b;

    bench_open(&b, NULL, NULL);
    bench_tcp(&b, true, TCP_ACK, 1000, 5000, SPAN("abc"));
    CHECK(!b.last.flow->tcp); /* off as shipped */
    bench_close(&b);
    stream_conf_default(&c);
    c.midstream = true;
    bench_open(&b, NULL, &c);
    bench_tcp(&b, true, TCP_ACK, 1000, 5000, SPAN("abc"));
    bench_tcp(&b, false, TCP_ACK, 5000, 1003, SPAN("xyz"));
    bench_tcp(&b, true, TCP_ACK, 1003, 5003, none);
    CHECK(bench_got(&b, DIR_TS, "abc") && bench_got(&b, DIR_TC, "xyz"));
    CHECK(b.last.flow->flags & FLOW_MIDSTREAM);
    bench_close(&b);
    bench_open(&b, NULL, &c); /* the SYN/ACK tells who the server is */
    bench_tcp(&b, false, TCP_SYN | TCP_ACK, 5000, 1001, none);
    CHECK(b.last.flow->key.dport == 80 && b.last.dir == DIR_TC);
    CHECK(b.last.flow->packets[DIR_TC] == 1 && b.last.flow->packets[DIR_TS] == 0);
    bench_tcp(&b, true, TCP_ACK, 1001, 5001, SPAN("req"));
    bench_tcp(&b, false, TCP_ACK, 5001, 1004, none);
    CHECK(stream_state(b.last.flow) == TCP_ESTABLISHED && bench_got(&b, DIR_TS, "req"));
    bench_close(&b);
}

static void one_sided(void)
{
    struct stream_conf c;
    struct bench b;

    stream_conf_default(&c);
    c.async_oneway = true;
    bench_open(&b, NULL, &c);
    bench_tcp(&b, true, TCP_SYN, 1000, 0, none);
    bench_tcp(&b, true, TCP_ACK, 1001, 5001, SPAN("hello "));
    bench_tcp(&b, true, TCP_ACK, 1007, 5010, SPAN("world"));
    CHECK(stream_state(b.last.flow) == TCP_ESTABLISHED);
    CHECK(bench_got(&b, DIR_TS, "hello world"));
    bench_close(&b);
}

static void depth(void)
{
    struct stream_conf c;
    struct bench b;
    struct packet *p;

    stream_conf_default(&c);
    c.depth_bytes = 6;
    bench_open(&b, NULL, &c);
    bench_handshake(&b, 1000, 5000);
    bench_tcp(&b, true, TCP_ACK, 1001, 5001, SPAN("abc"));
    bench_tcp(&b, false, TCP_ACK, 5001, 1004, none);
    p = bench_tcp(&b, true, TCP_ACK, 1004, 5001, SPAN("defghi"));
    CHECK(bench_has(p, SEV_REASSEMBLY_DEPTH_REACHED) && b.truncated > 0);
    CHECK(bench_got(&b, DIR_TS, "abc"));
    p = bench_tcp(&b, true, TCP_ACK, 1010, 5001, SPAN("more"));
    CHECK(p->n_events == 0 && stream_counters(b.streams)[SC_DEPTH] == 1);
    CHECK(stream_counters(b.streams)[SC_REASSEMBLY_MEMUSE] == 0);
    bench_close(&b);
}

static void urgent_data(void)
{
    struct stream_conf c;
    struct bench b;

    for (int policy = URGENT_INLINE; policy <= URGENT_OOB; policy++) {
        if (policy == URGENT_DROP)
            continue;
        stream_conf_default(&c);
        c.urgent_policy = (uint8_t)policy;
        bench_open(&b, NULL, &c);
        bench_handshake(&b, 1000, 5000);
        struct packet p = bench_packet(&b, 6, true);
        p.tcp.seq = 1001;
        p.tcp.ack = 5001;
        p.tcp.flags = TCP_ACK | TCP_URG;
        p.tcp.urgent = 4;
        p.tcp.window = 65000;
        p.payload = SPAN("abcU");
        flow_of_packet(b.flows, &p);
        stream_packet(b.streams, &p);
        stream_packet_done(b.streams, &p);
        bench_tcp(&b, true, TCP_ACK, 1005, 5001, SPAN("def"));
        bench_tcp(&b, false, TCP_ACK, 5001, 1008, none);
        CHECK(bench_got(&b, DIR_TS, policy == URGENT_INLINE ? "abcUdef" : "abcdef"));
        CHECK(stream_counters(b.streams)[SC_URGENT_OOB] == (policy == URGENT_OOB));
        bench_close(&b);
    }
}

static void memory_ceilings(void)
{
    static uint8_t block[1400];
    struct stream_conf c;
    struct bench b;
    struct packet *p = NULL;

    stream_conf_default(&c);
    c.reassembly_memcap_bytes = 16384;
    bench_open(&b, NULL, &c);
    bench_handshake(&b, 1000, 5000);
    for (uint32_t i = 0; i < 20; i++)
        p = bench_tcp(&b, true, TCP_ACK, 1001 + i * 1400, 5001, span_of(block, sizeof(block)));
    CHECK(stream_counters(b.streams)[SC_SEGMENT_MEMCAP] > 0);
    CHECK(stream_counters(b.streams)[SC_REASSEMBLY_MEMUSE] <= 16384);
    CHECK(bench_has(p, SEV_REASSEMBLY_INSERT_MEMCAP) && !(p->flags & PKT_STREAM_ADDED));
    bench_close(&b);

    stream_conf_default(&c);
    c.memcap_bytes = 100; /* not one session */
    bench_open(&b, NULL, &c);
    bench_tcp(&b, true, TCP_SYN, 1000, 0, none);
    CHECK(!b.last.flow->tcp && stream_counters(b.streams)[SC_SSN_MEMCAP] == 1);
    bench_close(&b);

    stream_conf_default(&c);
    c.segments_max = 4;
    bench_open(&b, NULL, &c);
    bench_handshake(&b, 1000, 5000);
    for (uint32_t i = 0; i < 10; i++)
        p = bench_tcp(&b, true, TCP_ACK, 1002 + i * 2, 5001, SPAN("x"));
    CHECK(stream_counters(b.streams)[SC_REGIONS_FULL] == 6);
    CHECK(bench_has(p, SEV_REASSEMBLY_INSERT_LIMIT));
    bench_close(&b);
}

static void reset_by_policy(void)
{
    struct os_rule rule = {.os = OS_LINUX};
    struct stream_conf c;
    struct bench b;

    stream_conf_default(&c); /* BSD: exactly the next sequence number */
    bench_open(&b, NULL, &c);
    bench_handshake(&b, 1000, 5000);
    bench_tcp(&b, true, TCP_RST, 1010, 0, none);
    CHECK(stream_state(b.last.flow) == TCP_ESTABLISHED);
    bench_tcp(&b, true, TCP_RST, 1001, 0, none);
    CHECK(stream_state(b.last.flow) == TCP_CLOSED);
    bench_close(&b);
    CHECK(cidr_parse(SPAN("192.168.0.0/16"), &rule.net));
    c.os_rules = &rule;
    c.n_os_rules = 1;
    bench_open(&b, NULL, &c); /* Linux: anything in the window */
    bench_handshake(&b, 1000, 5000);
    bench_tcp(&b, true, TCP_RST, 1010, 0, none);
    CHECK(stream_state(b.last.flow) == TCP_CLOSED);
    bench_close(&b);
}

static void flush_at_end(void)
{
    struct bench b;
    struct packet pseudo;

    bench_open(&b, NULL, NULL);
    bench_handshake(&b, 1000, 5000);
    bench_tcp(&b, true, TCP_ACK, 1001, 5001, SPAN("unconfirmed"));
    CHECK(b.n[DIR_TS] == 0 && stream_wants_flush(b.last.flow, DIR_TS));
    pseudo = bench_packet(&b, 6, true);
    pseudo.flags |= PKT_PSEUDO;
    pseudo.flow = b.last.flow;
    stream_flush(b.streams, b.last.flow, &pseudo, DIR_TS);
    CHECK(bench_got(&b, DIR_TS, "unconfirmed") && b.eofs[DIR_TS] == 1);
    bench_close(&b);
}

static void raw_chunks(void)
{
    static uint8_t block[1300];
    struct bench b;
    uint64_t off;
    bool final;
    struct span raw;

    bench_open(&b, NULL, NULL);
    b.auto_done = false;
    bench_handshake(&b, 1000, 5000);
    for (uint32_t i = 0; i < 2; i++) {
        bench_tcp(&b, true, TCP_ACK, 1001 + i * 1300, 5001, span_of(block, 1300));
        CHECK(stream_raw(b.last.flow, DIR_TS, &off, &final).n == 0);
        /* detection has seen the packet but not the stream: progress stays behind */
        stream_raw_done(b.last.flow, DIR_TS, 0);
        stream_packet_done(b.streams, &b.last);
        bench_tcp(&b, false, TCP_ACK, 5001, 1001 + (i + 1) * 1300, none);
        stream_packet_done(b.streams, &b.last);
    }
    bench_tcp(&b, true, TCP_ACK, 3601, 5001, SPAN("tail"));
    raw = stream_raw(b.last.flow, DIR_TS, &off, &final);
    CHECK(raw.n == 2600 && off == 0 && !final);
    stream_raw_done(b.last.flow, DIR_TS, off + raw.n);
    CHECK(stream_raw(b.last.flow, DIR_TS, &off, &final).n == 0);
    stream_packet_done(b.streams, &b.last);
    bench_tcp(&b, false, TCP_ACK, 5001, 3605, none);
    stream_packet_done(b.streams, &b.last);
    CHECK(stream_raw(b.last.flow, DIR_TS, &off, &final).n == 0);
    stream_raw_trigger(b.last.flow, DIR_TS);
    raw = stream_raw(b.last.flow, DIR_TS, &off, &final);
    CHECK(raw.n == 4 && off == 2600);
    bench_close(&b);
}

/* Behind a gap there is another part, once the other side has gone on or the flow ends. */
static void raw_parts(void)
{
    struct bench b;
    struct packet pseudo;
    uint64_t off;
    bool final;

    bench_open(&b, NULL, NULL);
    b.auto_done = false;
    bench_handshake(&b, 1000, 5000);
    bench_tcp(&b, true, TCP_ACK, 1001, 5001, SPAN("VERY"));
    stream_raw_done(b.last.flow, DIR_TS, 0);
    stream_packet_done(b.streams, &b.last);
    bench_tcp(&b, true, TCP_ACK, 1009, 5001, SPAN("DATA"));
    CHECK(stream_raw_next(b.last.flow, DIR_TS, 4, &off).n == 0);
    stream_raw_done(b.last.flow, DIR_TS, 0);
    stream_packet_done(b.streams, &b.last);
    pseudo = bench_packet(&b, 6, true);
    pseudo.flags |= PKT_PSEUDO;
    pseudo.flow = b.last.flow;
    stream_flush(b.streams, b.last.flow, &pseudo, DIR_TS);
    CHECK(span_eq(stream_raw(b.last.flow, DIR_TS, &off, &final), SPAN("VERY")) && off == 0);
    CHECK(span_eq(stream_raw_next(b.last.flow, DIR_TS, 4, &off), SPAN("DATA")) && off == 8);
    CHECK(stream_raw_next(b.last.flow, DIR_TS, 12, &off).n == 0);
    CHECK(span_eq(stream_raw(b.last.flow, DIR_TS, &off, &final), SPAN("VERY")));
    bench_close(&b);
}

/* Sends four bytes in a packet that has all its headers. */
static struct packet *whole_packet(struct bench *b, uint8_t bytes[24], const char *text)
{
    struct packet p = bench_packet(b, 6, true);

    memset(bytes, 0, 24);
    bytes[12] = 0x50;
    memcpy(bytes + 20, text, 4);
    put_be16(bytes + 16, (uint16_t)~checksum_add(0, span_of(bytes, 24)));
    p.data = span_of(bytes, 24);
    p.l4 = bytes;
    p.payload = span_of(bytes + 20, 4);
    p.tcp.seq = 1001;
    p.tcp.ack = 5001;
    p.tcp.flags = TCP_ACK;
    p.tcp.window = 65000;
    b->last = p;
    flow_of_packet(b->flows, &b->last);
    stream_packet(b->streams, &b->last);
    stream_packet_done(b->streams, &b->last);
    return &b->last;
}

/* Inline, other bytes for what was inspected already do not pass; the capture stays as it is. */
static void rewritten(void)
{
    struct stream_conf c;
    struct bench b;
    uint8_t first[24], second[24];

    for (int each = 0; each < 2; each++) {
        stream_conf_default(&c);
        c.inline_mode = each;
        bench_open(&b, NULL, &c);
        bench_handshake(&b, 1000, 5000);
        struct packet *p = whole_packet(&b, first, "GOOD");
        CHECK(p->data.p == first);
        p = whole_packet(&b, second, "EVIL");
        CHECK(memcmp(second + 20, "EVIL", 4) == 0);
        CHECK(span_eq(p->payload, each ? SPAN("GOOD") : SPAN("EVIL")));
        CHECK(p->l4 == p->data.p && p->payload.p == p->l4 + 20);
        CHECK(checksum_add(0, p->data) == 0xffff);
        bench_close(&b);
    }
}

/* What a policy drops says so, though the session finds the packet wrong too. */
static void policy_reason(void)
{
    struct stream_conf c;
    struct bench b;

    stream_conf_default(&c);
    c.inline_mode = c.drop_invalid = true;
    c.midstream_policy = POLICY_DROP_FLOW;
    bench_open(&b, NULL, &c);
    struct packet *p = bench_tcp(&b, true, TCP_FIN | TCP_ACK, 1001, 5001, SPAN("late"));
    CHECK((p->flags & PKT_DROP) && p->drop_reason == DROP_STREAM_MIDSTREAM);
    bench_close(&b);
}

int main(void)
{
    normal_session();
    sequence_wrap();
    loss();
    filled_hole();
    events();
    out_of_window();
    midstream();
    one_sided();
    depth();
    urgent_data();
    memory_ceilings();
    reset_by_policy();
    flush_at_end();
    raw_chunks();
    raw_parts();
    rewritten();
    policy_reason();
    return unit_end();
}
