/* SPDX-License-Identifier: Apache-2.0 */
/* Data transfer: acknowledgement and window of each packet, keep-alives, zero window probes,
 * one-sided traffic, and the packets that end the state (FIN, RST) or do not belong here (SYN). */
#include "flow/tcp.h"

static void close_by_rst(struct tcp_in *in)
{
    in->s->flags |= TF_CLOSED_BY_RST;
    tcp_set_state(in, TCP_CLOSED);
}

static void rst_acks(struct tcp_in *in)
{
    if ((in->flags & TCP_ACK) && tcp_ack_valid(in, in->rcv))
        tcp_update_last_ack(in->rcv, in->ack);
    tcp_update_last_ack(in->snd, in->seq);
    tcp_timestamp(in);
    tcp_segment(in, in->snd);
}

bool tcp_handle_rst(struct tcp_in *in)
{
    if (!tcp_rst_valid(in))
        return false;
    close_by_rst(in);
    rst_acks(in);
    return true;
}

static bool rst(struct tcp_in *in)
{
    if (!tcp_rst_valid(in))
        return false;
    close_by_rst(in);
    in->rcv->next_seq = in->ack;
    in->snd->next_seq = in->end + (in->ts ? 0 : 1);
    in->snd->window = (uint32_t)in->window << in->snd->wscale;
    rst_acks(in);
    return true;
}

bool tcp_handle_fin(struct tcp_in *in)
{
    struct tcp_side *snd = in->snd, *rcv = in->rcv;

    if (!tcp_ack_valid(in, rcv)) {
        tcp_event(in, SEV_FIN_INVALID_ACK);
        return false;
    }
    if (!seq_geq(in->seq, snd->last_ack) || !seq_leq(in->end, snd->next_win)) {
        tcp_event(in, SEV_FIN_OUT_OF_WINDOW);
        return false;
    }
    if (in->ts && (in->flags & TCP_SYN)) {
        tcp_event(in, SEV_FIN_SYN);
        return false;
    }
    tcp_set_state(in, in->ts ? TCP_CLOSE_WAIT : TCP_FIN_WAIT1);
    snd->next_seq = in->end + (in->ts ? 0 : 1);
    rcv->window = (uint32_t)in->window << rcv->wscale;
    tcp_timestamp(in);
    if (seq_lt(rcv->next_seq, in->ack))
        rcv->next_seq = in->ack;
    if (in->flags & TCP_ACK)
        tcp_update_last_ack(rcv, in->ack);
    tcp_segment(in, snd);
    return true;
}

static bool syn(struct tcp_in *in)
{
    const struct tcp_side *c = &in->s->side[DIR_TS], *v = &in->s->side[DIR_TC];
    enum stream_event event = SEV_EST_SYN_RESEND;

    if (in->flags & TCP_ACK) {
        if (in->ts)
            event = SEV_EST_SYNACK_TOSERVER;
        else if (in->ack != c->last_ack)
            event = SEV_EST_SYNACK_RESEND_WITH_DIFFERENT_ACK;
        else if (in->seq != v->isn)
            event = SEV_EST_SYNACK_RESEND_WITH_DIFF_SEQ;
        else if (in->s->flags & TF_3WHS_CONFIRMED)
            event = SEV_EST_SYNACK_RESEND;
        else
            return true; /* the server missed the last ACK of the handshake */
    } else if (!in->ts) {
        event = SEV_EST_SYN_TOCLIENT;
    } else if (in->ack != c->isn) {
        event = SEV_EST_SYN_RESEND_DIFF_SEQ;
    }
    tcp_event(in, event);
    return false;
}

/* Data before what was acknowledged: a retransmission, unless the flow's own loss or its being seen
 * on one side explains it. */
static bool before_last_ack(struct tcp_in *in)
{
    struct tcp_session *s = in->s;
    struct tcp_side *snd = in->snd;
    bool async = in->e->conf.async_oneway && (s->flags & TF_MIDSTREAM) && in->ts;

    if (s->flags & TF_ASYNC) {
        if (in->ts)
            tcp_update_last_ack(snd, in->seq);
        else
            snd->last_ack = in->seq;
    } else if (async && (snd->next_seq == in->seq || snd->last_ack == snd->isn + 1)) {
        tcp_update_last_ack(snd, in->seq);
        s->flags |= TF_ASYNC;
    } else if (!(seq_gt(snd->last_ack, snd->next_seq) && seq_gt(in->end, snd->next_seq))) {
        tcp_event(in, SEV_EST_PKT_BEFORE_LAST_ACK);
        return false;
    }
    return true;
}

static void in_window(struct tcp_in *in)
{
    struct tcp_session *s = in->s;
    struct tcp_side *rcv = in->rcv;

    rcv->window = (uint32_t)in->window << rcv->wscale;
    if (in->flags & TCP_ACK) {
        tcp_update_last_ack(rcv, in->ack);
        if (!(s->flags & TF_ASYNC) && seq_gt(rcv->last_ack, rcv->next_seq))
            in->e->counters[SC_ACK_UNSEEN]++;
    }
    tcp_timestamp(in);
    tcp_sack_update(in->e, rcv, in->p);
    tcp_update_next_win(rcv);
    tcp_segment(in, in->snd);
}

static void transfer(struct tcp_in *in)
{
    struct tcp_session *s = in->s;
    struct tcp_side *snd = in->snd, *rcv = in->rcv;

    if ((s->flags & (in->ts ? TF_ZWP_TC : TF_ZWP_TS)) && in->ack == rcv->next_seq + 1) {
        tcp_event(in, SEV_EST_ACK_ZWP_DATA);
    } else if (!tcp_ack_valid(in, rcv)) {
        tcp_event(in, SEV_EST_INVALID_ACK);
        return;
    }
    if (!in->ts && (s->flags & TF_MIDSTREAM_EST)) {
        snd->window = (uint32_t)in->window << snd->wscale;
        snd->next_win = snd->last_ack + snd->window;
        s->flags &= ~(uint32_t)TF_MIDSTREAM_EST;
    }
    if (in->n <= 1 && in->seq == snd->next_seq - 1) {
        /* keep-alive */
    } else if (!seq_geq(in->end, snd->last_ack) && !before_last_ack(in)) {
        return;
    }
    if (in->n == 1 && in->seq == snd->next_seq && snd->window == 0) {
        s->flags |= in->ts ? TF_ZWP_TS : TF_ZWP_TC;
        tcp_segment(in, snd);
        return;
    }
    /* RFC 9293, 3.10.7.4: what does not fit the window changes nothing, what is expected next not
     * either; otherwise one packet from the side would make all later ones look wrong. */
    if (!seq_leq(in->end, snd->next_win) && !tcp_liberal_window(s)) {
        tcp_event(in, SEV_EST_PACKET_OUT_OF_WINDOW);
        return;
    }
    if (seq_geq(in->end, snd->next_seq))
        tcp_update_next_seq(s, snd, in->end);
    in_window(in);
}

bool tcp_established(struct tcp_in *in)
{
    if (in->flags & TCP_RST)
        return rst(in);
    if (in->flags & TCP_FIN)
        return !tcp_timestamp_bad(in) && tcp_handle_fin(in);
    if (in->flags & TCP_SYN)
        return syn(in);
    if (!(in->flags & TCP_ACK))
        return true;
    if (tcp_timestamp_bad(in))
        return false;
    if (!in->ts)
        in->s->flags |= TF_3WHS_CONFIRMED;
    transfer(in);
    return true;
}
