/* SPDX-License-Identifier: Apache-2.0 */
/* The opening of a TCP session: three-way and four-way handshakes, TCP fast open, resent and
 * differing SYNs and SYN/ACKs, one-sided traffic and sessions picked up in their middle. What a
 * packet that does not fit means is judged as Suricata 8 does, with the same events. */
#include "flow/tcp.h"

enum { WSCALE_MAX = 14 };

static void first_timestamps(struct tcp_in *in, struct tcp_side *own, struct tcp_side *other)
{
    const struct tcp_head *h = &in->p->tcp;

    if (!h->has_ts) {
        own->last_ts = other->last_ts = 0;
        return;
    }
    own->last_ts = h->ts_value;
    other->last_ts = h->ts_echo;
    in->s->flags |= TF_TIMESTAMP;
    own->last_pkt_s = packet_seconds(in->p);
    if (own->last_ts == 0)
        own->flags |= SF_ZERO_TIMESTAMP;
    if (other->last_ts == 0)
        other->flags |= SF_ZERO_TIMESTAMP;
}

/* False when there is no room: the memcap's policy has decided, the packet itself is not wrong. */
static bool open_session(struct tcp_in *in, bool midstream)
{
    in->s = tcp_session_new(in);
    if (!in->s)
        return false;
    if (midstream)
        in->e->counters[SC_MIDSTREAM]++;
    return true;
}

/* The first packet seen is in the middle of a session; a FIN counts one number more. */
static bool pick_up_midstream(struct tcp_in *in, enum tcp_state state, uint32_t fin)
{
    struct tcp_side *c, *v;

    if (!open_session(in, true))
        return true;
    c = &in->s->side[DIR_TS];
    v = &in->s->side[DIR_TC];
    tcp_set_state(in, state);
    in->s->flags = TF_MIDSTREAM | TF_MIDSTREAM_EST;
    in->f->flags |= FLOW_MIDSTREAM;
    if (in->e->conf.async_oneway)
        in->s->flags |= TF_ASYNC;
    c->wscale = v->wscale = WSCALE_MAX;
    c->isn = in->seq - 1;
    tcp_set_base(c, c->isn);
    c->next_seq = in->end + fin;
    c->window = (uint32_t)in->window << c->wscale;
    c->last_ack = in->seq;
    c->next_win = c->last_ack + c->window;
    v->isn = in->ack - 1;
    tcp_set_base(v, v->isn);
    v->next_seq = v->isn + 1;
    v->last_ack = in->ack;
    v->next_win = v->last_ack;
    first_timestamps(in, c, v);
    tcp_segment(in, c);
    in->s->flags |= TF_SACKOK;
    return true;
}

static bool pick_up_synack(struct tcp_in *in)
{
    const struct tcp_head *h = &in->p->tcp;
    struct tcp_side *c, *v;

    if (!open_session(in, true))
        return true;
    /* The server speaks: turn the flow round. */
    if (in->ts) {
        flow_swap(in->f);
        in->p->dir = DIR_TC;
        in->ts = false;
    }
    c = &in->s->side[DIR_TS];
    v = &in->s->side[DIR_TC];
    in->snd = v;
    in->rcv = c;
    tcp_set_state(in, TCP_SYN_RECV);
    in->s->flags |= TF_MIDSTREAM | TF_MIDSTREAM_SYNACK;
    in->f->flags |= FLOW_MIDSTREAM;
    if (in->e->conf.async_oneway)
        in->s->flags |= TF_ASYNC;
    v->isn = in->seq;
    tcp_set_base(v, v->isn);
    v->next_seq = v->isn + 1;
    v->window = in->window;
    c->isn = in->ack - 1;
    tcp_set_base(c, c->isn);
    c->next_seq = c->isn + 1;
    c->last_ack = in->ack;
    v->last_ack = in->seq;
    v->next_win = v->last_ack + v->window;
    if (h->has_wscale) {
        c->wscale = h->wscale;
        v->wscale = WSCALE_MAX;
    }
    first_timestamps(in, v, c);
    if (h->sack_ok)
        in->s->flags |= TF_SACKOK;
    return true;
}

static bool first_syn(struct tcp_in *in)
{
    const struct tcp_head *h = &in->p->tcp;
    struct tcp_side *c, *v;

    if (!open_session(in, false))
        return true;
    c = &in->s->side[DIR_TS];
    v = &in->s->side[DIR_TC];
    tcp_set_state(in, TCP_SYN_SENT);
    if (in->e->conf.async_oneway)
        in->s->flags |= TF_ASYNC;
    c->isn = in->seq;
    tcp_set_base(c, c->isn);
    c->next_seq = c->isn + 1;
    if (h->has_ts) {
        c->last_ts = h->ts_value;
        if (c->last_ts == 0)
            c->flags |= SF_ZERO_TIMESTAMP;
        c->last_pkt_s = packet_seconds(in->p);
        c->flags |= SF_TIMESTAMP;
    }
    v->window = in->window;
    if (h->has_wscale) {
        in->s->flags |= TF_SERVER_WSCALE;
        v->wscale = h->wscale;
    }
    if (h->sack_ok)
        in->s->flags |= TF_CLIENT_SACKOK;
    if (h->has_tfo) {
        in->s->flags |= TF_TFO;
        if (in->n) {
            tcp_update_next_seq(in->s, c, c->next_seq + in->n);
            tcp_segment(in, c);
        }
    }
    return true;
}

/* Does the policy let sessions be picked up? */
static bool midstream_allowed(const struct tcp_in *in)
{
    uint8_t policy = in->e->conf.midstream_policy;

    return policy == POLICY_IGNORE || policy == POLICY_PASS_PACKET || policy == POLICY_PASS_FLOW;
}

/* The packet lacks its session's beginning: applies the policy. */
static bool midstream_policy(struct tcp_in *in)
{
    exception_apply(in->p, in->f, EXCEPTION_MIDSTREAM, in->e->conf.midstream_policy,
                    &in->e->exceptions);
    return midstream_allowed(in);
}

bool tcp_none(struct tcp_in *in)
{
    const struct stream_conf *conf = &in->e->conf;

    if (in->flags & TCP_RST) {
        tcp_event(in, SEV_RST_BUT_NO_SESSION);
        return false;
    }
    if (in->flags & TCP_FIN) {
        if (!midstream_policy(in) || !conf->midstream || in->n == 0) {
            tcp_event(in, SEV_FIN_BUT_NO_SESSION);
            return false;
        }
        return pick_up_midstream(in, TCP_FIN_WAIT1, 1);
    }
    if ((in->flags & (TCP_SYN | TCP_ACK)) == (TCP_SYN | TCP_ACK)) {
        if (!midstream_policy(in) || (!conf->midstream && !conf->async_oneway))
            return true;
        return pick_up_synack(in);
    }
    if (in->flags & TCP_SYN)
        return first_syn(in);
    if ((in->flags & TCP_ACK) && midstream_policy(in) && conf->midstream)
        return pick_up_midstream(in, TCP_ESTABLISHED, 0);
    return true;
}

/* What a SYN/ACK says comes into force: the packet's own or a queued one. */
static void synack_update(struct tcp_in *in, const struct tcp_queued *queued)
{
    struct tcp_session *s = in->s;
    struct tcp_side *c = &s->side[DIR_TS], *v = &s->side[DIR_TC];
    struct tcp_queued q;

    if (queued) {
        q = *queued;
    } else {
        q = tcp_queued_of_packet(in->p);
        q.ack = in->ack;
    }
    tcp_set_state(in, TCP_SYN_RECV);
    v->isn = q.seq;
    tcp_set_base(v, v->isn);
    v->next_seq = v->isn + 1;
    c->window = q.window;
    if (q.has_ts && (c->flags & SF_TIMESTAMP)) {
        v->last_ts = q.ts;
        s->flags |= TF_TIMESTAMP;
        v->last_pkt_s = q.packet_s;
        if (v->last_ts == 0)
            v->flags |= SF_ZERO_TIMESTAMP;
    } else {
        c->last_ts = v->last_ts = 0;
        c->flags &= ~(uint32_t)SF_ZERO_TIMESTAMP;
    }
    c->last_ack = q.ack;
    v->last_ack = v->isn + 1;
    c->wscale = (s->flags & TF_SERVER_WSCALE) && q.has_wscale ? q.wscale : 0;
    if ((s->flags & TF_CLIENT_SACKOK) && q.has_sack)
        s->flags |= TF_SACKOK;
    else
        s->flags &= ~(uint32_t)TF_SACKOK;
    v->next_win = v->last_ack + v->window;
    c->next_win = c->last_ack + c->window;
    s->flags &= ~(uint32_t)TF_4WHS;
}

/* A server that echoes a timestamp that was never sent is not the server. */
static bool echo_valid(const struct tcp_in *in)
{
    const struct tcp_side *c = &in->s->side[DIR_TS];
    uint32_t echo = in->p->tcp.ts_echo;

    if (in->ts || !in->p->tcp.has_ts || echo == 0)
        return true;
    if (c->flags & SF_TIMESTAMP)
        return c->last_ts == 0 || echo == c->last_ts;
    return c->last_ts != 0;
}

static bool synack_answers(struct tcp_in *in)
{
    struct tcp_session *s = in->s;
    struct tcp_side *c = &s->side[DIR_TS];
    bool bad_ts = in->e->conf.strict_timestamps && !echo_valid(in);
    bool tfo = in->p->tcp.has_tfo || (s->flags & TF_TFO);
    bool plain = in->ack == c->isn + 1, with_data = tfo && in->ack == c->next_seq;

    if ((plain || with_data) && !bad_ts) {
        if (tfo && !with_data) {
            c->next_seq = c->isn;
            tcp_event(in, SEV_3WHS_SYNACK_TFO_DATA_IGNORED);
            s->flags |= TF_TFO_IGNORED;
        }
    } else if (!tcp_queue_answers(in)) {
        if (!plain && !with_data)
            tcp_event(in, SEV_3WHS_SYNACK_WITH_WRONG_ACK);
        else
            tcp_event(in, SEV_PKT_INVALID_TIMESTAMP);
        return false;
    }
    if (tfo)
        s->flags |= TF_TFO;
    return true;
}

static bool synack_4whs(struct tcp_in *in)
{
    struct tcp_session *s = in->s;
    struct tcp_side *c = &s->side[DIR_TS], *v = &s->side[DIR_TC];
    const struct tcp_head *h = &in->p->tcp;

    if (!(s->flags & TF_4WHS)) {
        tcp_event(in, SEV_3WHS_SYNACK_IN_WRONG_DIRECTION);
        return false;
    }
    if (in->ack != v->isn + 1) {
        tcp_event(in, SEV_4WHS_SYNACK_WITH_WRONG_ACK);
        return false;
    }
    if (in->seq != c->isn) {
        tcp_event(in, SEV_4WHS_SYNACK_WITH_WRONG_SYN);
        return false;
    }
    tcp_set_state(in, TCP_SYN_RECV);
    c->isn = in->seq;
    tcp_set_base(c, c->isn);
    c->next_seq = c->isn + 1;
    v->window = in->window;
    if (h->has_ts && (v->flags & SF_TIMESTAMP)) {
        c->last_ts = h->ts_value;
        s->flags |= TF_TIMESTAMP;
        c->last_pkt_s = packet_seconds(in->p);
        if (c->last_ts == 0)
            c->flags |= SF_ZERO_TIMESTAMP;
    } else {
        c->last_ts = v->last_ts = 0;
        v->flags &= ~(uint32_t)SF_ZERO_TIMESTAMP;
    }
    v->last_ack = in->ack;
    c->last_ack = c->isn + 1;
    v->wscale = (s->flags & TF_SERVER_WSCALE) && h->has_wscale ? h->wscale : 0;
    if ((s->flags & TF_CLIENT_SACKOK) && h->sack_ok)
        s->flags |= TF_SACKOK;
    c->next_win = c->last_ack + c->window;
    v->next_win = v->last_ack + v->window;
    return true;
}

/* A SYN from the side that was sent one: both open at once. */
static void syn_of_server(struct tcp_in *in)
{
    struct tcp_session *s = in->s;
    struct tcp_side *v = &s->side[DIR_TC];
    const struct tcp_head *h = &in->p->tcp;

    s->flags |= TF_4WHS;
    v->isn = in->seq;
    tcp_set_base(v, v->isn);
    v->next_seq = v->isn + 1;
    if (h->has_ts) {
        v->last_ts = h->ts_value;
        if (v->last_ts == 0)
            v->flags |= SF_ZERO_TIMESTAMP;
        v->last_pkt_s = packet_seconds(in->p);
        v->flags |= SF_TIMESTAMP;
    }
    v->window = in->window;
    s->flags &= ~(uint32_t)(TF_SERVER_WSCALE | TF_CLIENT_SACKOK);
    v->wscale = 0;
    if (h->has_wscale) {
        s->flags |= TF_SERVER_WSCALE;
        v->wscale = h->wscale;
    }
    if (h->sack_ok)
        s->flags |= TF_CLIENT_SACKOK;
}

/* After the SYN the same host goes on: the other side is not seen here. */
static bool ack_of_one_side(struct tcp_in *in)
{
    struct tcp_session *s = in->s;
    struct tcp_side *c = &s->side[DIR_TS], *v = &s->side[DIR_TC];

    if (!in->e->conf.async_oneway)
        return true;
    if (in->seq != c->next_seq) {
        tcp_event(in, SEV_3WHS_ASYNC_WRONG_SEQ);
        return false;
    }
    s->flags |= TF_ASYNC;
    tcp_set_state(in, TCP_ESTABLISHED);
    tcp_queue_free(in->e, s);
    c->window = in->window;
    c->last_ack = in->seq;
    c->next_win = c->last_ack + c->window;
    v->isn = in->ack - 1;
    tcp_set_base(v, v->isn);
    v->next_seq = v->isn + 1;
    v->last_ack = v->next_seq;
    v->next_win = v->last_ack;
    if (s->flags & TF_SERVER_WSCALE)
        c->wscale = WSCALE_MAX;
    if (in->p->tcp.has_ts && (c->flags & SF_TIMESTAMP)) {
        s->flags |= TF_TIMESTAMP;
        c->flags &= ~(uint32_t)SF_TIMESTAMP;
        c->last_pkt_s = packet_seconds(in->p);
    } else {
        c->last_ts = 0;
        c->flags &= ~(uint32_t)SF_ZERO_TIMESTAMP;
    }
    if (s->flags & TF_CLIENT_SACKOK)
        s->flags |= TF_SACKOK;
    tcp_segment(in, c);
    return true;
}

static bool rst_on_syn(struct tcp_in *in)
{
    struct tcp_session *s = in->s;
    struct tcp_side *c = &s->side[DIR_TS];

    if (!tcp_rst_valid(in))
        return false;
    if (in->ts && (in->seq != c->isn || in->window != 0 || in->ack != c->isn + 1))
        return true;
    in->rcv->flags |= SF_RST_RECV;
    s->flags |= TF_CLOSED_BY_RST;
    tcp_set_state(in, TCP_CLOSED);
    tcp_queue_free(in->e, s);
    return true;
}

bool tcp_syn_sent(struct tcp_in *in)
{
    if ((in->flags & (TCP_SYN | TCP_ACK)) == (TCP_SYN | TCP_ACK)) {
        if (in->ts)
            return synack_4whs(in);
        if (!synack_answers(in))
            return false;
        tcp_queue_free(in->e, in->s);
        synack_update(in, NULL);
        return true;
    }
    if (!echo_valid(in)) {
        tcp_event(in, SEV_PKT_INVALID_TIMESTAMP);
        return false;
    }
    if (in->flags & TCP_RST)
        return rst_on_syn(in);
    if (in->flags & TCP_FIN)
        return true;
    if (in->flags & TCP_SYN) {
        if (in->ts)
            tcp_queue_syn(in);
        else
            syn_of_server(in);
        return true;
    }
    return !(in->flags & TCP_ACK) || ack_of_one_side(in);
}

static bool rst_on_synack(struct tcp_in *in)
{
    uint8_t os = in->rcv->os;

    if (!tcp_rst_valid(in))
        return false;
    os = in->rcv->os;
    /* These systems take such a reset for a stray packet after the evasion attempt. */
    if ((in->s->flags & TF_EVASION) && (os == OS_LINUX || os == OS_OLD_LINUX || os == OS_SOLARIS))
        return true;
    in->s->flags |= TF_CLOSED_BY_RST;
    tcp_set_state(in, TCP_CLOSED);
    tcp_timestamp(in);
    return true;
}

static bool synack_again(struct tcp_in *in)
{
    struct tcp_session *s = in->s;

    if (in->ts) {
        tcp_event(in, SEV_3WHS_SYNACK_TOSERVER_ON_SYN_RECV);
        return false;
    }
    if (in->ack != s->side[DIR_TS].last_ack) {
        tcp_event(in, SEV_3WHS_SYNACK_RESEND_WITH_DIFFERENT_ACK);
        return false;
    }
    return in->seq == s->side[DIR_TC].isn || tcp_queue_synack(in);
}

static bool syn_again(struct tcp_in *in)
{
    if (!in->ts) {
        tcp_event(in, SEV_3WHS_SYN_TOCLIENT_ON_SYN_RECV);
        return false;
    }
    if (in->seq != in->s->side[DIR_TS].isn) {
        tcp_event(in, SEV_3WHS_SYN_RESEND_DIFF_SEQ_ON_SYN_RECV);
        return false;
    }
    return true;
}

static bool ack_4whs(struct tcp_in *in)
{
    struct tcp_side *c = &in->s->side[DIR_TS], *v = &in->s->side[DIR_TC];

    if (in->seq != v->next_seq) {
        tcp_event(in, SEV_4WHS_WRONG_SEQ);
        return false;
    }
    if (!tcp_ack_valid(in, c)) {
        tcp_event(in, SEV_4WHS_INVALID_ACK);
        return false;
    }
    tcp_timestamp(in);
    tcp_update_last_ack(c, in->ack);
    tcp_update_next_seq(in->s, v, v->next_seq + in->n);
    c->window = (uint32_t)in->window << c->wscale;
    c->next_win = c->last_ack + c->window;
    tcp_set_state(in, TCP_ESTABLISHED);
    tcp_segment(in, v);
    return true;
}

static void assume_wscale(struct tcp_session *s)
{
    s->side[DIR_TC].wscale = s->side[DIR_TS].wscale = WSCALE_MAX;
    s->flags |= TF_SACKOK;
}

/* The handshake's last packet, as it should be. */
static void ack_normal(struct tcp_in *in)
{
    struct tcp_session *s = in->s;
    struct tcp_side *c = &s->side[DIR_TS], *v = &s->side[DIR_TC];

    tcp_timestamp(in);
    tcp_update_last_ack(v, in->ack);
    tcp_update_next_seq(s, c, c->next_seq + in->n);
    v->window = (uint32_t)in->window << v->wscale;
    v->next_win = v->last_ack + v->window;
    if (s->flags & TF_MIDSTREAM) {
        c->window = (uint32_t)in->window << c->wscale;
        c->next_win = c->last_ack + c->window;
        v->next_win = v->last_ack + v->window;
        if (!(s->flags & TF_MIDSTREAM_SYNACK))
            assume_wscale(s);
    }
    tcp_set_state(in, TCP_ESTABLISHED);
    /* With data it counts as established already: the bare ACK was lost. */
    if (in->n)
        in->p->flags |= PKT_ESTABLISHED;
    tcp_segment(in, c);
}

static void ack_async(struct tcp_in *in)
{
    struct tcp_session *s = in->s;
    struct tcp_side *c = &s->side[DIR_TS], *v = &s->side[DIR_TC];

    s->flags |= TF_ASYNC;
    v->next_seq += in->n;
    v->last_ack = in->seq;
    c->window = (uint32_t)in->window << c->wscale;
    c->last_ack = in->ack;
    tcp_timestamp(in);
    if (s->flags & TF_MIDSTREAM) {
        v->window = in->window;
        v->next_win = v->last_ack + v->window;
        assume_wscale(s);
    }
    tcp_set_state(in, TCP_ESTABLISHED);
    tcp_segment(in, v);
}

/* More of the server after its SYN/ACK, beyond what was expected: packets were lost. */
static void ack_after_loss_tc(struct tcp_in *in)
{
    struct tcp_side *c = &in->s->side[DIR_TS], *v = &in->s->side[DIR_TC];

    tcp_timestamp(in);
    tcp_update_last_ack(c, in->ack);
    v->next_seq = in->end;
    c->window = (uint32_t)in->window << c->wscale;
    c->next_win = c->last_ack + c->window;
    c->window = in->window;
    v->next_win = v->last_ack + v->window;
    tcp_set_state(in, TCP_ESTABLISHED);
    tcp_segment(in, v);
}

static void ack_after_loss_ts(struct tcp_in *in)
{
    struct tcp_session *s = in->s;
    struct tcp_side *c = &s->side[DIR_TS], *v = &s->side[DIR_TC];

    tcp_timestamp(in);
    c->next_seq = in->end;
    tcp_update_last_ack(v, in->ack);
    v->window = (uint32_t)in->window << v->wscale;
    v->next_win = v->last_ack + v->window;
    if (s->flags & TF_MIDSTREAM) {
        c->window = in->window;
        v->next_win = v->last_ack + v->window;
        assume_wscale(s);
    }
    tcp_set_state(in, TCP_ESTABLISHED);
    tcp_segment(in, c);
}

static bool ack_on_synack(struct tcp_in *in)
{
    struct tcp_session *s = in->s;
    struct tcp_side *c = &s->side[DIR_TS], *v = &s->side[DIR_TC];
    bool inlined = in->e->conf.inline_mode, missed = false;

    if (s->n_queue) {
        const struct tcp_queued *q = tcp_queue_find_ack(in);
        if (q)
            synack_update(in, q);
    }
    if (tcp_timestamp_bad(in))
        return false;
    if ((s->flags & TF_4WHS) && !in->ts)
        return ack_4whs(in);
    if (!in->ts && !(s->flags & (TF_MIDSTREAM_SYNACK | TF_TFO))) {
        if (inlined) {
            bool inject = in->n > 0 && in->ack == c->last_ack && in->seq == v->next_seq;
            tcp_event(in, inject ? SEV_3WHS_ACK_DATA_INJECT : SEV_3WHS_ACK_IN_WRONG_DIR);
            return false;
        }
        missed = true;
    }
    if (in->seq == c->next_seq && in->ack == v->next_seq) {
        ack_normal(in);
    } else if (in->e->conf.async_oneway && in->seq == v->next_seq) {
        ack_async(in);
    } else if (in->seq == c->next_seq) {
        s->flags |= TF_EVASION;
        tcp_event(in, SEV_3WHS_RIGHT_SEQ_WRONG_ACK_EVASION);
        return false;
    } else if (!in->ts && !inlined && seq_gt(in->seq, c->next_seq) &&
               seq_gt(in->ack, c->last_ack)) {
        ack_after_loss_tc(in);
    } else if (seq_gt(in->seq, c->next_seq) && seq_leq(in->seq, c->next_win) &&
               in->ack == v->next_seq) {
        ack_after_loss_ts(in);
    } else if ((missed || (s->flags & TF_TFO)) && in->ack == c->last_ack &&
               in->seq == v->next_seq) {
        tcp_update_next_seq(s, v, in->end);
        v->window = (uint32_t)in->window << v->wscale;
        v->next_win = v->last_ack + v->window;
        tcp_set_state(in, TCP_ESTABLISHED);
        tcp_segment(in, v);
    } else {
        tcp_event(in, SEV_3WHS_WRONG_SEQ_WRONG_ACK);
        return false;
    }
    return true;
}

bool tcp_syn_recv(struct tcp_in *in)
{
    if (in->flags & TCP_RST)
        return rst_on_synack(in);
    if (in->flags & TCP_FIN)
        return !tcp_timestamp_bad(in) && tcp_handle_fin(in);
    if ((in->flags & (TCP_SYN | TCP_ACK)) == (TCP_SYN | TCP_ACK))
        return synack_again(in);
    if (in->flags & TCP_SYN)
        return syn_again(in);
    return !(in->flags & TCP_ACK) || ack_on_synack(in);
}
