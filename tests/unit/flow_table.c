/* SPDX-License-Identifier: Apache-2.0 */
/* The flow table: which packets are one flow, directions, timers by packet time, the ceiling with
 * its eviction, identifiers that are the same in every run. */
#include "flow_packets.h"

enum { UDP = 17, ICMP = 1, ICMPV6 = 58, ESP = 50, GRE = 47, IPIP = 4 };

static struct packet *pass(struct bench *b, struct packet p)
{
    b->last = p;
    flow_of_packet(b->flows, &b->last);
    return &b->last;
}

static void directions(void)
{
    struct bench b;
    struct packet p, *q;
    struct flow *f;

    bench_open(&b, NULL, NULL);
    q = pass(&b, bench_packet(&b, UDP, true));
    f = q->flow;
    CHECK(f && q->dir == DIR_TS && (q->flags & PKT_FIRST_IN_DIR) && !(q->flags & PKT_ESTABLISHED));
    CHECK(q->flow_packets == 0 && f->state == FLOW_NEW);
    q = pass(&b, bench_packet(&b, UDP, false));
    CHECK(q->flow == f && q->dir == DIR_TC && (q->flags & PKT_ESTABLISHED));
    CHECK(f->state == FLOW_ESTABLISHED && q->flow_packets == 1 && f->bytes[DIR_TC] == 60);
    p = bench_packet(&b, UDP, true);
    p.n_vlan = 1;
    p.vlan[0] = 7;
    CHECK(pass(&b, p)->flow != f); /* another VLAN, another flow */
    p = bench_packet(&b, UDP, true);
    p.depth = 1;
    CHECK(pass(&b, p)->flow != f);
    p = bench_packet(&b, UDP, true);
    p.sport++;
    CHECK(pass(&b, p)->flow != f);
    p = bench_packet(&b, UDP, true);
    p.flags = PKT_FRAGMENT;
    CHECK(!pass(&b, p)->flow);
    CHECK(!pass(&b, bench_packet(&b, GRE, true))->flow);
    q = pass(&b, bench_packet(&b, IPIP, false)); /* without ports all go to the server */
    CHECK(q->flow && pass(&b, bench_packet(&b, IPIP, true))->dir == DIR_TS);
    CHECK(flow_counters(b.flows)[FC_UDP] == 4 && flow_count(b.flows) == 5);
    bench_close(&b);
    CHECK(b.ended == 5 && b.last_end == FLOW_END_SHUTDOWN);
}

static void icmp_and_esp(void)
{
    struct bench b;
    struct packet p, *q;
    struct flow *f, *udp;

    bench_open(&b, NULL, NULL);
    p = bench_packet(&b, ICMP, true);
    p.icmp_type = 8;
    p.sport = p.dport = 0;
    f = pass(&b, p)->flow;
    p = bench_packet(&b, ICMP, false);
    p.icmp_type = 0;
    p.sport = p.dport = 0;
    q = pass(&b, p);
    CHECK(q->flow == f && q->dir == DIR_TC && f->has_icmp_reply && f->icmp_reply_type == 0);
    p = bench_packet(&b, ICMP, true);
    p.icmp_type = 3; /* an error that speaks of nothing known makes no flow */
    CHECK(!pass(&b, p)->flow);
    udp = pass(&b, bench_packet(&b, UDP, true))->flow;
    p = bench_packet(&b, ICMP, false);
    p.icmp_type = 3;
    p.icmp_inner = true;
    p.icmp_inner_proto = UDP;
    p.icmp_inner_src = udp->key.src;
    p.icmp_inner_dst = udp->key.dst;
    p.icmp_inner_sport = udp->key.sport;
    p.icmp_inner_dport = udp->key.dport;
    q = pass(&b, p);
    CHECK(q->flow == udp && q->dir == DIR_TC && udp->state == FLOW_NEW);
    p = bench_packet(&b, ESP, true);
    p.esp_spi = 99;
    p.sport = p.dport = 0;
    f = pass(&b, p)->flow;
    CHECK(pass(&b, p)->flow == f);
    p.esp_spi = 100;
    CHECK(pass(&b, p)->flow != f);
    bench_close(&b);
}

static void timers(void)
{
    struct bench b;
    struct packet *q;
    uint64_t first;

    bench_open(&b, NULL, NULL);
    first = pass(&b, bench_packet(&b, UDP, true))->flow->id;
    b.now_ns += 30ull * NS_PER_S - NS_PER_US;
    CHECK(pass(&b, bench_packet(&b, UDP, true))->flow->id == first);
    b.now_ns += 30ull * NS_PER_S; /* new UDP: 30 s, to the microsecond */
    q = pass(&b, bench_packet(&b, UDP, true));
    CHECK(q->flow->id != first && b.ended == 1 && b.last_id == first);
    CHECK(b.last_end == FLOW_END_TIMEOUT);
    pass(&b, bench_packet(&b, UDP, false)); /* established: 300 s */
    b.now_ns += 299ull * NS_PER_S;
    flow_expire(b.flows, b.now_ns);
    CHECK(b.ended == 1 && flow_count(b.flows) == 1);
    b.now_ns += 2ull * NS_PER_S;
    flow_expire(b.flows, b.now_ns);
    CHECK(b.ended == 2 && flow_count(b.flows) == 0);
    CHECK(flow_counters(b.flows)[FC_MGR_EST_PRUNED] == 1);
    bench_close(&b);
}

static void time_goes_back(void)
{
    struct bench b;
    struct flow *f;

    bench_open(&b, NULL, NULL);
    f = pass(&b, bench_packet(&b, UDP, true))->flow;
    b.now_ns -= 100ull * NS_PER_S;
    CHECK(pass(&b, bench_packet(&b, UDP, true))->flow == f && f->last_ns > b.now_ns);
    flow_expire(b.flows, b.now_ns);
    CHECK(flow_count(b.flows) == 1);
    bench_close(&b);
}

static struct packet numbered(struct bench *b, uint32_t n)
{
    struct packet p = bench_packet(b, UDP, true);

    p.src = bench_ip(0x0b000000 + n);
    return p;
}

static void eviction(void)
{
    struct flow_conf c;
    struct bench b;
    struct packet *q;
    uint64_t kept;

    flow_conf_default(&c);
    c.max_flows = 100;
    bench_open(&b, &c, NULL);
    for (uint32_t i = 0; i < 100; i++) {
        b.now_ns += NS_PER_S / 100;
        pass(&b, numbered(&b, i));
    }
    CHECK(b.ended == 0 && flow_count(b.flows) == 100);
    b.now_ns += 2ull * NS_PER_S;
    kept = pass(&b, numbered(&b, 0))->flow->id; /* the oldest is alive again */
    q = pass(&b, numbered(&b, 1000));
    CHECK(q->flow && b.ended == 1 && b.last_end == FLOW_END_FORCED && b.last_id != kept);
    CHECK(flow_counters(b.flows)[FC_EMERG_ENTERED] == 1);
    CHECK(flow_counters(b.flows)[FC_GET_USED] == 1 && flow_count(b.flows) == 100);
    for (uint32_t i = 0; i < 5000; i++)
        CHECK(pass(&b, numbered(&b, 2000 + i))->flow != NULL);
    CHECK(flow_count(b.flows) == 100);
    b.now_ns += 60ull * NS_PER_S;
    flow_expire(b.flows, b.now_ns);
    CHECK(flow_count(b.flows) == 0 && flow_counters(b.flows)[FC_EMERG_OVER] == 1);
    bench_close(&b);
}

static uint64_t run_identifiers(uint64_t *sum)
{
    struct bench b;
    uint64_t last = 0;

    *sum = 0;
    bench_open(&b, NULL, NULL);
    for (uint32_t i = 0; i < 1000; i++) {
        last = pass(&b, numbered(&b, i))->flow->id;
        CHECK(last > 0 && last < (1ull << 53));
        *sum = *sum * 31 + last;
    }
    bench_close(&b);
    return last;
}

static void same_identifiers(void)
{
    uint64_t a, b, x, y;

    x = run_identifiers(&a);
    hash_seed_random(); /* the table's order changes, the identifiers do not */
    y = run_identifiers(&b);
    CHECK(a == b && x == y);
}

static void names(void)
{
    CHECK_STR(flow_counter_name(FC_EMERG_ENTERED), "flow.emerg_mode_entered");
    CHECK_STR(flow_state_name(FLOW_ESTABLISHED), "established");
    CHECK_STR(flow_end_name(FLOW_END_TIMEOUT), "timeout");
}

int main(void)
{
    directions();
    icmp_and_esp();
    timers();
    time_goes_back();
    eviction();
    same_identifiers();
    names();
    return unit_end();
}
