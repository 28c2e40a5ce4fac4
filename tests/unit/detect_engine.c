/* SPDX-License-Identifier: Apache-2.0 */
/* The engine on rules built by hand: which packets alert, in which order, what pass, drop, flow
 * variables, limits and the alert ceiling do, and that candidates from every group are found. */
#include "base/mem.h"
#include "detect/buffers.h"
#include "detect/engine.h"
#include "detect/keyword.h"
#include "flow/stream.h"
#include "packet/decode.h"

#include "unit.h"

enum { TCP = 6, UDP = 17, RULES_MAX = 16 };

static struct rule rules[RULES_MAX], *order[RULES_MAX];
static struct content contents[RULES_MAX];
static struct match matches[4 * RULES_MAX];
static uint32_t n_rules, n_matches;
static struct address_set any_address = {.any = true};
static struct port_set any_port = {.any = true};
static struct ruleset set;
static struct detect_conf conf;
static struct detect *worker;
static struct alerts alerts;

static void begin(void)
{
    memset(rules, 0, sizeof(rules));
    memset(contents, 0, sizeof(contents));
    memset(&set, 0, sizeof(set));
    memset(&conf, 0, sizeof(conf));
    n_rules = n_matches = 0;
    conf.inspection_recursion_limit = 3000;
    conf.max_alerts = 15;
}

static struct match *match_new(uint16_t kind, const void *data)
{
    matches[n_matches] = (struct match){NULL, data, kind};
    return &matches[n_matches++];
}

static struct rule *rule_new(uint8_t proto, struct span bytes)
{
    uint32_t i = n_rules++;
    struct rule *r = order[i] = &rules[i];

    *r =
        (struct rule){.index = i, .sid = i + 1, .gid = 1, .src = &any_address, .dst = &any_address};
    r->sport = r->dport = &any_port;
    r->fast_list = LIST_PAYLOAD;
    r->ip_proto[proto >> 3] = (uint8_t)(1 << (proto & 7));
    if (bytes.n) {
        contents[i].bytes = bytes;
        r->payload_matches = match_new(KW_CONTENT, &contents[i]);
        r->fast = &contents[i];
        r->flags = RULE_NEEDS_PACKET;
    }
    return r;
}

static void compile(void)
{
    struct engine_input in = {.rules = order, .n_rules = n_rules, .conf = &conf};
    struct err e;

    CHECK(engine_compile(&in, &set.engine, &e));
    set.rules = order;
    set.n_rules = n_rules;
    worker = detect_new(&set, &conf);
}

static void end(void)
{
    detect_free(worker);
    engine_free(set.engine);
}

static const uint8_t head[20];

static struct packet packet_of(uint8_t proto, struct span payload)
{
    const uint8_t a[4] = {10, 0, 0, 1}, b[4] = {10, 0, 0, 2};
    struct packet p = {.ip_v = 4, .proto = proto, .src = ip_v4(a), .dst = ip_v4(b)};

    p.sport = 1000;
    p.dport = 80;
    p.l4 = head;
    p.payload = payload;
    p.ts_ns = 1000000000000u;
    return p;
}

/* Runs one packet; the sids of its alerts. */
static const char *run(struct packet *p, struct flow *f)
{
    static char text[256];
    size_t n = 0;

    if (f)
        p->flow = f;
    detect_packet(worker, p, f, NULL, &alerts);
    text[0] = 0;
    for (size_t i = 0; i < alerts.n; i++)
        n += (size_t)snprintf(text + n, sizeof(text) - n, "%u ", alert_sid(&alerts.list[i]));
    return text;
}

static const char *run_bytes(uint8_t proto, struct span payload, struct flow *f)
{
    struct packet p = packet_of(proto, payload);

    return run(&p, f);
}

static void payloads(void)
{
    static struct port_range web = {80, 80};
    static struct port_set web_port = {.r = &web, .n = 1};
    static struct port_range other = {81, 90};
    static struct port_set other_port = {.r = &other, .n = 1};

    begin();
    rule_new(UDP, SPAN("evil"));
    rule_new(UDP, SPAN("\0\0evil\0"));
    rule_new(UDP, SPAN("Good"))->dport = &web_port;
    rule_new(UDP, SPAN("Good"))->dport = &other_port;
    contents[n_rules].flags = CONTENT_NOCASE;
    rule_new(UDP, SPAN("evil"))->flags |= RULE_TO_CLIENT;
    rule_new(TCP, SPAN("evil"));
    rule_new(UDP, SPAN(""))->flags |= RULE_NEEDS_PACKET;
    compile();
    CHECK_STR(run_bytes(UDP, SPAN("an evil one"), NULL), "1 7 ");
    CHECK_STR(run_bytes(UDP, SPAN("\0\0evil\0"), NULL), "1 2 7 ");
    CHECK_STR(run_bytes(UDP, SPAN("Good"), NULL), "3 7 ");
    CHECK_STR(run_bytes(UDP, SPAN("nothing"), NULL), "7 ");
    CHECK_STR(run_bytes(TCP, SPAN("an evil one"), NULL), "6 ");
    CHECK_STR(run_bytes(1, SPAN("an evil one"), NULL), "");
    end();
}

static void flow_variables(void)
{
    static const uint32_t id = 0;
    static const struct flowbits put = {BIT_SET, 1, &id}, test = {BIT_ISSET, 1, &id};
    static const char *const names[] = {"seen"};
    struct flow f = {.key = {.proto = UDP}}, g = {.key = {.proto = UDP}};

    begin();
    set.flowbits = (struct names){names, 1};
    struct rule *r = rule_new(UDP, SPAN("first"));
    r->post_matches = match_new(KW_FLOWBITS, &put);
    r->flags |= RULE_NOALERT;
    r = rule_new(UDP, SPAN("second"));
    r->packet_matches = match_new(KW_FLOWBITS, &test);
    compile();
    CHECK_STR(run_bytes(UDP, SPAN("second"), &f), "");
    CHECK_STR(run_bytes(UDP, SPAN("first"), &f), "");
    CHECK_STR(run_bytes(UDP, SPAN("second"), &f), "2 ");
    CHECK_STR(run_bytes(UDP, SPAN("second"), &g), "");
    CHECK_STR(run_bytes(UDP, SPAN("first second"), &g), "2 ");
    struct buf b = buf_new(10000);
    struct event ev;
    event_begin(&ev, &b);
    CHECK(detect_metadata_log(NULL, NULL, &g, &set, &ev));
    CHECK(event_end(&ev) && span_find(buf_span(&b), SPAN("{\"flowbits\":[\"seen\"]}")) != SIZE_MAX);
    buf_free(&b);
    detect_flow_free(worker, &f);
    detect_flow_free(worker, &g);
    end();
}

static void actions(void)
{
    struct flow f = {.key = {.proto = UDP}};

    begin();
    conf.inline_mode = true;
    rule_new(UDP, SPAN("pass"))->action = ACTION_PASS;
    rule_new(UDP, SPAN("drop"))->action = ACTION_DROP;
    rule_new(UDP, SPAN("alert"));
    compile();
    struct packet p = packet_of(UDP, SPAN("drop alert"));
    CHECK_STR(run(&p, &f), "2 3 ");
    CHECK(alerts.drop && (p.flags & PKT_DROP) && p.drop_reason == DROP_RULES);
    CHECK(alerts.list[0].dropped && !alerts.list[1].dropped);
    CHECK(alerts.dropped_by && alert_sid(alerts.dropped_by) == 2);
    CHECK(!(f.flags & (FLOW_DROP | FLOW_PASS)) && (f.flags & FLOW_ALERTED));
    p = packet_of(UDP, SPAN("pass drop alert"));
    CHECK_STR(run(&p, &f), "");
    CHECK(alerts.pass && !alerts.drop && !(p.flags & PKT_DROP));
    detect_flow_free(worker, &f);
    end();
}

/* More matches than a packet may alert: those that come first in the rules' order stay. */
static void ceiling(void)
{
    begin();
    conf.max_alerts = 3;
    for (int i = 0; i < 6; i++)
        rule_new(UDP, SPAN("x"));
    compile();
    CHECK_STR(run_bytes(UDP, SPAN("x"), NULL), "1 2 3 ");
    CHECK(alerts.overflowed == 3);
    CHECK(detect_counters(worker)[DTC_ALERT] == 3 &&
          detect_counters(worker)[DTC_ALERT_OVERFLOW] == 3);
    end();
}

/* Rules on addresses alone are asked once per flow and direction, or on each packet without one. */
static void addresses(void)
{
    const uint8_t bad[4] = {10, 0, 0, 1};
    struct ip_range range = {ip_v4(bad), ip_v4(bad)};
    struct address_set list = {.v4 = &range, .n_v4 = 1};
    struct flow f = {.key = {.proto = UDP}};

    begin();
    struct rule *r = rule_new(UDP, SPAN(""));
    r->src = &list;
    r->flags = RULE_IP_ONLY;
    r = rule_new(UDP, SPAN(""));
    r->dst = &list;
    r->flags = RULE_IP_ONLY;
    compile();
    CHECK_STR(run_bytes(UDP, SPAN("a"), &f), "1 ");
    CHECK_STR(run_bytes(UDP, SPAN("a"), &f), "");
    CHECK_STR(run_bytes(UDP, SPAN("a"), NULL), "1 ");
    CHECK_STR(run_bytes(UDP, SPAN("a"), NULL), "1 ");
    detect_flow_free(worker, &f);
    end();
}

static void events(void)
{
    static const struct event_cond decode = {.event = DEV_IPV4_PKT_TOO_SMALL};
    static const struct event_cond stream = {.event = 1};

    begin();
    struct rule *r = rule_new(UDP, SPAN(""));
    memset(r->ip_proto, 0xff, sizeof(r->ip_proto));
    r->packet_matches = match_new(KW_DECODE_EVENT, &decode);
    r = rule_new(TCP, SPAN(""));
    r->packet_matches = match_new(KW_STREAM_EVENT, &stream);
    compile();
    struct packet p = {.n_events = 1, .events = {DEV_IPV4_PKT_TOO_SMALL}};
    CHECK_STR(run(&p, NULL), "1 ");
    p = packet_of(TCP, SPAN("x"));
    CHECK_STR(run(&p, NULL), "");
    p = packet_of(TCP, SPAN("x"));
    packet_event(&p, STREAM_EVENT_BASE + 1);
    CHECK_STR(run(&p, NULL), "2 ");
    end();
}

int main(void)
{
    payloads();
    flow_variables();
    actions();
    ceiling();
    addresses();
    events();
    return unit_end();
}
