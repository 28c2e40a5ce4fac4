/* SPDX-License-Identifier: Apache-2.0 */
/* The stream engine's gate: sessions and their memory, one packet through the state machine, the
 * flush at a flow's end, and what other parts ask of a session. */
#include "flow/stream.h"

#include "base/mem.h"
#include "base/must.h"
#include "flow/reassembly.h"
#include "flow/table.h"
#include "flow/tcp.h"

static const char *const counter_names[] = {
#define STREAM_COUNTER(id, name) [SC_##id] = name,
#include "flow/stream_counters.def"
#undef STREAM_COUNTER
};

static const struct {
    const char *rule, *eve;
} event_names[] = {
#define STREAM_EVENT(id, rule_name, eve_name) [SEV_##id] = {rule_name, eve_name},
#include "flow/stream_events.def"
#undef STREAM_EVENT
};

const char *stream_counter_name(enum counter_stream c)
{
    return counter_names[c];
}

const char *stream_event_eve(enum stream_event e)
{
    return event_names[e].eve;
}

const char *stream_event_rule(enum stream_event e)
{
    return event_names[e].rule;
}

enum stream_event stream_event_find(struct span rule_name)
{
    for (unsigned i = 0; i < STREAM_EVENTS; i++)
        if (span_ieq(rule_name, span_str(event_names[i].rule)))
            return (enum stream_event)i;
    return STREAM_EVENTS;
}

const char *tcp_state_name(enum tcp_state s)
{
    static const char *const names[] = {
        "none",      "listen",    "syn_sent", "syn_recv",   "established", "fin_wait1",
        "fin_wait2", "time_wait", "last_ack", "close_wait", "closing",     "closed",
    };

    return names[s];
}

void stream_conf_default(struct stream_conf *c)
{
    *c = (struct stream_conf){
        .memcap_bytes = 64u << 20,
        .reassembly_memcap_bytes = 256u << 20,
        .depth_bytes = 1u << 20,
        .drop_invalid = true,
        .checksum_validation = true,
        .max_syn_queued = 10,
        .max_synack_queued = 5,
        .chunk_ts_bytes = 2560,
        .chunk_tc_bytes = 2560,
        .raw = true,
        .segments_max = 16384,
        .urgent_policy = URGENT_OOB,
        .urgent_oob_limit_policy = URGENT_DROP,
        .default_os = OS_BSD,
    };
}

static bool is_starter(const struct stream_conf *c, uint8_t flags)
{
    if (flags & (TCP_RST | TCP_FIN))
        return false;
    if ((flags & (TCP_SYN | TCP_ACK)) == TCP_SYN)
        return true;
    return (c->midstream || c->async_oneway) &&
           (flags & (TCP_SYN | TCP_ACK)) == (TCP_SYN | TCP_ACK);
}

/* A SYN on a session that is over, or on a flow without one, opens a flow of its own. */
static bool reuse(void *user, const struct flow *f, const struct packet *p)
{
    const struct stream_engine *e = user;
    const struct tcp_session *t = f->tcp;
    enum dir dir;
    bool syn_only;

    if (!packet_is(p, 6) || f->proto_class != 0 || !is_starter(&e->conf, p->tcp.flags))
        return false;
    dir = flow_direction(f, p);
    syn_only = !(p->tcp.flags & TCP_ACK);
    if (!t)
        return syn_only || dir == DIR_TS;
    if (syn_only && dir == DIR_TS && (t->flags & TF_TFO_IGNORED))
        return true;
    if (dir == (syn_only ? DIR_TS : DIR_TC) && t->side[dir].isn == p->tcp.seq)
        return false;
    return t->state >= TCP_LAST_ACK || t->state == TCP_NONE;
}

struct stream_engine *stream_engine_new(const struct stream_conf *conf, struct flow_table *flows,
                                        struct stream_sink sink)
{
    struct stream_engine *e = mem_zero(sizeof(*e));

    e->conf = *conf;
    e->rewritten = buf_new(1 << 18);
    e->flows = flows;
    e->sink = sink;
    if (e->conf.segments_max == 0)
        e->conf.segments_max = 1;
    block_pool_init(&e->pool, conf->reassembly_memcap_bytes);
    block_pool_init(&e->sessions, conf->memcap_bytes);
    flow_table_set_reuse(flows, reuse, e);
    return e;
}

void stream_engine_free(struct stream_engine *e)
{
    if (!e)
        return;
    block_pool_free(&e->pool);
    block_pool_free(&e->sessions);
    buf_free(&e->rewritten);
    mem_free(e);
}

void stream_check_overlap(struct stream_engine *e, bool check)
{
    e->conf.check_overlap = check;
}

const uint64_t *stream_counters(const struct stream_engine *e)
{
    return e->counters;
}

static void memory_counters(struct stream_engine *e)
{
    e->counters[SC_MEMUSE] = e->sessions.used;
    e->counters[SC_REASSEMBLY_MEMUSE] = e->pool.used;
}

void tcp_event(const struct tcp_in *in, enum stream_event event)
{
    if (!(in->p->flags & PKT_STREAM_NO_EVENTS))
        packet_event(in->p, (uint16_t)(STREAM_EVENT_BASE + event));
}

void tcp_set_state(const struct tcp_in *in, enum tcp_state state)
{
    struct tcp_session *t = in->s;

    if (t->state == state || t->pseudo)
        return;
    t->previous = t->state;
    t->state = (uint8_t)state;
    switch (state) {
    case TCP_ESTABLISHED:
    case TCP_FIN_WAIT1:
    case TCP_FIN_WAIT2:
    case TCP_CLOSING:
    case TCP_CLOSE_WAIT:
        flow_set_state(in->e->flows, in->f, FLOW_ESTABLISHED);
        break;
    case TCP_LAST_ACK:
    case TCP_TIME_WAIT:
    case TCP_CLOSED:
        flow_set_state(in->e->flows, in->f, FLOW_CLOSED);
        break;
    default:
        break;
    }
}

void tcp_set_os(struct stream_engine *e, struct tcp_side *s, const struct packet *p)
{
    int best = -1;

    if (s->flags & SF_OS_KNOWN)
        return;
    s->flags |= SF_OS_KNOWN;
    s->os = e->conf.default_os;
    for (size_t i = 0; i < e->conf.n_os_rules; i++) {
        const struct os_rule *r = &e->conf.os_rules[i];
        if ((int)r->net.bits > best && cidr_has(&r->net, &p->dst)) {
            best = r->net.bits;
            s->os = r->os;
        }
    }
    if (s->os == OS_BSD_RIGHT)
        s->os = OS_BSD;
    else if (s->os == OS_OLD_SOLARIS)
        s->os = OS_SOLARIS;
}

struct tcp_session *tcp_session_new(struct tcp_in *in)
{
    struct stream_engine *e = in->e;
    size_t bytes;
    struct tcp_session *t = block_get(&e->sessions, sizeof(*t), &bytes);

    if (!t) {
        e->counters[SC_SSN_MEMCAP]++;
        exception_apply(in->p, in->f, EXCEPTION_SESSION_MEMCAP, e->conf.memcap_policy,
                        &e->exceptions);
        return NULL;
    }
    *t = (struct tcp_session){
        .engine = e, .depth_bytes = e->conf.depth_bytes, .packet_flags = in->flags};
    for (int d = 0; d < 2; d++) {
        t->side[d].max_regions = 1;
        if (!e->conf.raw)
            t->side[d].flags = SF_RAW_OFF | SF_RAW_CLOSED;
    }
    t->side[in->ts ? DIR_TS : DIR_TC].tcp_flags = in->flags;
    in->f->tcp_flags[in->ts ? DIR_TS : DIR_TC] = in->flags;
    in->f->tcp = t;
    e->counters[SC_SESSIONS]++;
    e->counters[SC_ACTIVE]++;
    e->counters[SC_SSN_FROM_POOL]++;
    return t;
}

void tcp_session_swap(struct tcp_session *t)
{
    struct tcp_side s = t->side[0];

    t->side[0] = t->side[1];
    t->side[1] = s;
    if (t->first_data)
        t->first_data = (uint8_t)(3 - t->first_data);
    if (t->prune_due)
        t->prune_due = (uint8_t)(3 - t->prune_due);
}

void stream_session_free(struct stream_engine *e, struct flow *f)
{
    struct tcp_session *t = f->tcp;
    size_t bytes = 64;

    if (!t)
        return;
    f->tcp = NULL;
    for (int d = 0; d < 2; d++) {
        reassembly_clear(&e->pool, &t->side[d]);
        tcp_sack_free(e, &t->side[d]);
    }
    tcp_queue_free(e, t);
    while (bytes < sizeof(*t))
        bytes *= 2;
    block_put(&e->sessions, t, bytes);
    e->counters[SC_ACTIVE]--;
    memory_counters(e);
}

static bool dispatch(struct tcp_in *in, uint8_t state);

/* A reset that the other side may not have accepted: judge as if it had not come. */
static bool closed(struct tcp_in *in)
{
    struct tcp_session *t = in->s;

    if ((in->flags & TCP_RST) || (in->snd->flags & SF_RST_RECV) ||
        !(in->rcv->flags & SF_RST_RECV) || t->previous == TCP_CLOSED)
        return true;
    if (!dispatch(in, t->previous))
        return false;
    if (t->state == TCP_CLOSED)
        t->state = t->previous;
    return true;
}

static bool dispatch(struct tcp_in *in, uint8_t state)
{
    switch (state) {
    case TCP_SYN_SENT:
        return tcp_syn_sent(in);
    case TCP_SYN_RECV:
        return tcp_syn_recv(in);
    case TCP_ESTABLISHED:
        return tcp_established(in);
    case TCP_FIN_WAIT1:
        return tcp_fin_wait1(in);
    case TCP_FIN_WAIT2:
        return tcp_fin_wait2(in);
    case TCP_CLOSING:
        return tcp_closing(in);
    case TCP_CLOSE_WAIT:
        return tcp_close_wait(in);
    case TCP_LAST_ACK:
        return tcp_last_ack(in);
    case TCP_TIME_WAIT:
        return tcp_time_wait(in);
    case TCP_CLOSED:
        return closed(in);
    default:
        return true;
    }
}

/* The sender of a reset goes on as if nothing had happened: the reset was another's. */
static void check_after_rst(struct tcp_in *in)
{
    if ((in->flags & TCP_RST) || !(in->rcv->flags & SF_RST_RECV))
        return;
    in->rcv->flags &= ~(uint32_t)SF_RST_RECV;
    in->s->flags &= ~(uint32_t)TF_CLOSED_BY_RST;
    tcp_event(in, SEV_SUSPECTED_RST_INJECT);
}

/* Packets that change nothing and need no state. */
static bool nothing_new(struct tcp_in *in)
{
    bool probe_ack;

    if (tcp_is_keepalive(in))
        return true;
    if (tcp_is_keepalive_ack(in)) {
        in->snd->flags &= ~(uint32_t)SF_KEEPALIVE;
        return true;
    }
    in->snd->flags &= ~(uint32_t)SF_KEEPALIVE;
    probe_ack = tcp_is_zero_window_probe_ack(in);
    in->s->flags &= ~(uint32_t)(in->ts ? TF_ZWP_TC : TF_ZWP_TS);
    if (probe_ack)
        return true;
    if (!tcp_is_shutdown_ack(in) && !tcp_is_window_update(in) &&
        (tcp_is_bad_window_update(in) || tcp_is_outdated_ack(in)))
        return true;
    switch (tcp_is_spurious(in)) {
    case 2:
        tcp_event(in, SEV_PKT_SPURIOUS_RETRANSMISSION);
        return true;
    case 1:
        tcp_event(in, SEV_PKT_SPURIOUS_RETRANSMISSION);
        return false;
    default:
        return false;
    }
}

static void count_packet(struct stream_engine *e, uint8_t flags)
{
    if ((flags & (TCP_SYN | TCP_ACK)) == TCP_SYN)
        e->counters[SC_SYN]++;
    else if ((flags & (TCP_SYN | TCP_ACK)) == (TCP_SYN | TCP_ACK))
        e->counters[SC_SYNACK]++;
    if (flags & TCP_RST)
        e->counters[SC_RST]++;
}

static void track_flags(struct tcp_in *in)
{
    struct tcp_session *t = in->s;

    t->packet_flags |= in->flags;
    in->snd->tcp_flags |= in->flags;
    in->f->tcp_flags[in->ts ? DIR_TS : DIR_TC] |= in->flags;
    if ((t->flags & TF_ASYNC) && in->snd->tcp_flags && in->rcv->tcp_flags)
        t->flags &= ~(uint32_t)TF_ASYNC;
}

static struct tcp_in tcp_in_of(struct stream_engine *e, struct flow *f, struct packet *p,
                               enum dir dir)
{
    struct tcp_in in = {.e = e,
                        .f = f,
                        .p = p,
                        .s = f->tcp,
                        .seq = p->tcp.seq,
                        .ack = p->tcp.ack,
                        .n = (uint32_t)p->payload.n,
                        .end = p->tcp.seq + (uint32_t)p->payload.n,
                        .window = p->tcp.window,
                        .flags = p->tcp.flags,
                        .ts = dir == DIR_TS};

    if (in.s) {
        in.snd = &in.s->side[dir];
        in.rcv = &in.s->side[dir_other(dir)];
    }
    return in;
}

static bool run(struct tcp_in *in)
{
    bool ok = true;

    if (!in->s || in->s->state == TCP_NONE)
        return tcp_none(in);
    if (!nothing_new(in))
        ok = dispatch(in, in->s->state);
    if (ok)
        check_after_rst(in);
    return ok;
}

static void finish_packet(struct stream_engine *e, struct flow *f)
{
    if (f->tcp && f->tcp->prune_due) {
        enum dir dir = f->tcp->prune_due == 1 ? DIR_TS : DIR_TC;
        f->tcp->prune_due = 0;
        tcp_prune(e, f, f->tcp, dir);
        memory_counters(e);
    }
}

void stream_packet(struct stream_engine *e, struct packet *p)
{
    struct flow *f = p->flow;
    struct tcp_in in;

    if (!f || !packet_is(p, 6) || f->proto_class != 0)
        return;
    count_packet(e, p->tcp.flags);
    if (e->conf.checksum_validation && (p->flags & PKT_CHECKSUM_BAD)) {
        e->counters[SC_INVALID_CHECKSUM]++;
        return;
    }
    finish_packet(e, f);
    in = tcp_in_of(e, f, p, (enum dir)p->dir);
    if (in.s) {
        in.s->packet_left = in.s->packet_right = 0;
        track_flags(&in);
    }
    if (!(in.flags & TCP_ACK) && in.ack != 0)
        tcp_event(&in, SEV_PKT_BROKEN_ACK);
    if ((in.flags & TCP_URG) && e->conf.urgent_policy == URGENT_DROP) {
        if (e->conf.inline_mode) {
            p->flags |= PKT_DROP;
            p->drop_reason = DROP_STREAM_URGENT;
        }
        return;
    }
    if (e->conf.inline_mode && (f->flags & FLOW_DROP)) {
        stream_stop_app(f, DIR_TS);
        stream_stop_app(f, DIR_TC);
        return;
    }
    if (!run(&in) && e->conf.inline_mode && e->conf.drop_invalid && !(f->flags & FLOW_PASS)) {
        p->flags |= PKT_DROP | PKT_NO_PAYLOAD_INSPECT;
        if (p->drop_reason == DROP_NONE) /* a policy may have said why */
            p->drop_reason = DROP_STREAM;
    }
    if (f->tcp) {
        struct tcp_session *t = f->tcp;
        t->done_est = t->state >= TCP_ESTABLISHED;
        t->prune_due = (uint8_t)(p->dir == DIR_TS ? 1 : 2);
        if (e->conf.bypass && (t->side[0].flags & t->side[1].flags & SF_DEPTH))
            t->flags |= TF_BYPASS;
    }
    memory_counters(e);
}

bool stream_wants_bypass(const struct flow *f)
{
    return f->tcp && (f->tcp->flags & TF_BYPASS);
}

const struct exception_counts *stream_exceptions(const struct stream_engine *e)
{
    return &e->exceptions;
}

void stream_packet_done(struct stream_engine *e, struct packet *p)
{
    if (p->flow)
        finish_packet(e, p->flow);
}

/* Hands up one direction as a pseudo packet of that direction does. */
void stream_flush(struct stream_engine *e, struct flow *f, struct packet *pseudo, enum dir dir)
{
    struct tcp_session *t = f->tcp;
    struct tcp_in in;

    if (!t)
        return;
    finish_packet(e, f);
    e->counters[SC_PSEUDO]++;
    in = tcp_in_of(e, f, pseudo, dir);
    in.n = 0;
    in.end = in.seq;
    in.flags = TCP_ACK;
    t->pseudo = true;
    t->packet_left = t->packet_right = 0;
    if (t->state != TCP_NONE)
        tcp_segment(&in, &t->side[dir]);
    t->done_est = t->state >= TCP_ESTABLISHED;
    t->prune_due = (uint8_t)(dir == DIR_TS ? 1 : 2);
}

void stream_feed(struct stream_engine *e, struct flow *f, struct packet *p, enum dir dir)
{
    struct tcp_in in;

    if (!f->tcp)
        return;
    in = tcp_in_of(e, f, p, (enum dir)p->dir);
    tcp_deliver(&in, dir);
}

bool stream_wants_flush(const struct flow *f, enum dir dir)
{
    const struct tcp_session *t = f->tcp;
    const struct tcp_side *s;

    if (!t)
        return false;
    s = &t->side[dir];
    if (t->state >= TCP_ESTABLISHED && t->state != TCP_CLOSED)
        return true;
    if (!(s->flags & SF_RAW_OFF) && s->edge > s->raw)
        return true;
    return !(s->flags & SF_APP_OFF) && s->edge > s->app;
}

void stream_stop_app(struct flow *f, enum dir dir)
{
    if (f->tcp)
        f->tcp->side[dir].flags |= SF_APP_OFF;
}

void stream_recognised(struct flow *f, enum dir dir)
{
    if (f->tcp)
        f->tcp->side[dir].flags |= SF_RECOGNISED;
}

void stream_refuse_gap(struct flow *f, enum dir dir)
{
    if (f->tcp)
        f->tcp->side[dir].flags |= SF_GAP_REFUSED;
}

void stream_need(struct flow *f, enum dir dir, uint32_t n)
{
    if (f->tcp)
        f->tcp->side[dir].need = n;
}

void stream_set_depth(struct flow *f, uint32_t depth_bytes)
{
    if (f->tcp)
        f->tcp->depth_bytes = depth_bytes;
}

uint64_t stream_size(const struct flow *f, enum dir dir)
{
    const struct tcp_side *s;

    if (!f->tcp)
        return 0;
    s = &f->tcp->side[dir];
    return (uint32_t)(s->next_seq - s->isn);
}

enum tcp_state stream_state(const struct flow *f)
{
    return f->tcp ? (enum tcp_state)f->tcp->state : TCP_NONE;
}

void stream_facts(const struct flow *f, struct stream_facts *ret)
{
    *ret = (struct stream_facts){0};
    if (!f->tcp)
        return;
    ret->session = true;
    ret->state = f->tcp->state;
    for (int d = 0; d < 2; d++) {
        const struct tcp_side *s = &f->tcp->side[d];
        ret->gap[d] = (s->flags & SF_GAP) != 0;
        ret->max_regions[d] = s->max_regions;
        ret->urgent[d] = s->urgent_bytes;
    }
}
