/* SPDX-License-Identifier: Apache-2.0 */
/* Judgements on one TCP packet that several states share: is its acknowledgement, timestamp or
 * reset believable, and is it one of the packets that change nothing (keep-alive, probe, window
 * update, retransmission). Which system accepts what follows the receiver's policy. */
#include "flow/tcp.h"

enum { PAWS_SECONDS = 2073600 }; /* 24 days, RFC 7323 5.5 */

bool tcp_ack_valid(const struct tcp_in *in, struct tcp_side *s)
{
    const struct tcp_session *t = in->s;

    if (!(in->flags & TCP_ACK) || in->ack == s->last_ack)
        return true;
    if (seq_gt(in->ack, s->last_ack) && seq_leq(in->ack, s->next_win))
        return true;
    if (seq_lt(in->ack, s->last_ack)) {
        if (s->window == 0 || !seq_lt(in->ack, s->last_ack - s->window))
            return true;
    } else if (t->flags & TF_ASYNC) {
        return true;
    } else if (!(t->state > TCP_SYN_SENT && seq_gt(in->ack, s->next_win)) &&
               t->state == TCP_SYN_SENT && !in->ts && (in->flags & TCP_RST) &&
               in->ack == s->isn + 1) {
        return true;
    }
    tcp_event(in, SEV_PKT_INVALID_ACK);
    return false;
}

static bool rst_by_policy(const struct tcp_in *in, uint8_t os)
{
    const struct tcp_side *s = in->snd;

    switch (os) {
    case OS_HPUX11:
        return seq_geq(in->seq, s->next_seq);
    case OS_OLD_LINUX:
    case OS_LINUX:
    case OS_SOLARIS:
        return seq_geq(in->end, s->last_ack) && seq_lt(in->seq, s->next_seq + s->window);
    default:
        return in->seq == s->next_seq;
    }
}

bool tcp_rst_valid(const struct tcp_in *in)
{
    struct tcp_side *target = in->rcv;

    if (in->s->flags & TF_LIBERAL)
        return true;
    if (tcp_timestamp_bad(in))
        return false;
    if (in->n)
        tcp_event(in, SEV_RST_WITH_DATA);
    tcp_set_os(in->e, target, in->p);
    if ((in->flags & TCP_ACK) && in->ack && !tcp_ack_valid(in, target)) {
        tcp_event(in, SEV_RST_INVALID_ACK);
        return false;
    }
    /* Signed sessions: only the end knows whether it accepts the reset. */
    if (in->p->tcp.has_md5 || in->p->tcp.has_ao)
        target->flags |= SF_RST_RECV;
    if (in->s->flags & TF_ASYNC)
        return seq_geq(in->seq, in->snd->next_seq);
    return rst_by_policy(in, target->os);
}

static bool zero_timestamp_allowed(uint8_t os)
{
    return os == OS_OLD_LINUX || os == OS_WINDOWS || os == OS_WINDOWS2K3 || os == OS_VISTA ||
           os == OS_SOLARIS;
}

/* The handshake had a timestamp of zero: some systems give up on timestamps then, some take the
 * next one as the first. Returns whether this packet's is to be checked at all. */
static bool check_after_zero(const struct tcp_in *in, bool update)
{
    struct tcp_side *snd = in->snd;
    uint8_t os = in->rcv->os;

    if (!(snd->flags & SF_ZERO_TIMESTAMP))
        return true;
    if (os == OS_LINUX || os == OS_WINDOWS2K3) {
        if (update)
            in->s->flags &= ~(uint32_t)TF_TIMESTAMP;
        return false;
    }
    if (os != OS_OLD_LINUX && os != OS_WINDOWS && os != OS_VISTA)
        return true;
    if (update)
        snd->flags &= ~(uint32_t)SF_ZERO_TIMESTAMP;
    if (snd->next_seq != in->seq)
        return true;
    if (update)
        snd->last_ts = in->p->tcp.ts_value;
    return false;
}

static bool invalid(const struct tcp_in *in)
{
    tcp_event(in, SEV_PKT_INVALID_TIMESTAMP);
    return false;
}

/* Protection against wrapped sequence numbers (RFC 7323 5). */
static bool paws(const struct tcp_in *in, bool update)
{
    struct tcp_side *snd = in->snd;
    uint32_t now = packet_seconds(in->p), seen = snd->last_pkt_s;
    uint32_t value = in->p->tcp.ts_value, last = snd->last_ts;
    /* Off by one is accepted by Linux, and by us for all unless strict. */
    uint32_t slack = in->rcv->os == OS_LINUX || !in->e->conf.strict_timestamps ? 1 : 0;
    int32_t ahead = (int32_t)(value - last + slack);
    bool in_order = snd->next_seq == in->seq, late;

    if (seen == 0 && (in->s->flags & TF_MIDSTREAM))
        seen = now;
    late = now > seen + PAWS_SECONDS;
    if (ahead < 0 || (last != 0 && late)) {
        if (!in_order || !late)
            return invalid(in);
    }
    if (update) {
        if (in_order)
            snd->last_ts = value;
        snd->last_pkt_s = now;
    }
    return true;
}

/* Judges the timestamp; with `update` also takes it over. */
static bool timestamp(const struct tcp_in *in, bool update)
{
    const struct tcp_head *h = &in->p->tcp;
    struct tcp_side *rcv = in->rcv;
    bool check;

    tcp_set_os(in->e, rcv, in->p);
    if (!h->has_ts) {
        if (update && rcv->os == OS_SOLARIS)
            in->s->flags &= ~(uint32_t)TF_TIMESTAMP;
        return true;
    }
    check = check_after_zero(in, update);
    if (rcv->os == OS_HPUX11 && in->snd->next_seq != in->seq)
        check = false;
    if (h->ts_value == 0 && !zero_timestamp_allowed(rcv->os))
        return invalid(in);
    return !check || paws(in, update);
}

bool tcp_timestamp_valid(const struct tcp_in *in)
{
    return timestamp(in, false);
}

void tcp_timestamp_update(const struct tcp_in *in)
{
    timestamp(in, true);
}

bool tcp_is_retransmission(const struct tcp_in *in)
{
    const struct tcp_side *s = in->snd;

    if (in->n == 0)
        return false;
    if ((seq_lt(in->seq, s->last_ack) && seq_gt(in->end, s->last_ack)) ||
        seq_leq(in->end, s->last_ack) || seq_leq(in->end, s->next_seq)) {
        tcp_event(in, SEV_PKT_RETRANSMISSION);
        return true;
    }
    return false;
}

bool tcp_is_keepalive(const struct tcp_in *in)
{
    if (in->n > 1 || (in->flags & (TCP_SYN | TCP_FIN | TCP_RST)))
        return false;
    if (in->ack != in->rcv->last_ack || in->seq != in->snd->next_seq - 1)
        return false;
    in->snd->flags |= SF_KEEPALIVE;
    in->p->flags |= PKT_KEEPALIVE;
    return true;
}

bool tcp_is_keepalive_ack(const struct tcp_in *in)
{
    struct tcp_side *other = in->rcv;

    if (in->n > 0 || (in->flags & (TCP_SYN | TCP_FIN | TCP_RST)) || in->window == 0)
        return false;
    if ((uint32_t)in->window << other->wscale != other->window)
        return false;
    if (!(other->flags & SF_KEEPALIVE) || in->ack != other->last_ack ||
        in->seq != in->snd->next_seq)
        return false;
    other->flags &= ~(uint32_t)SF_KEEPALIVE;
    return true;
}

bool tcp_is_zero_window_probe_ack(const struct tcp_in *in)
{
    uint32_t win = (uint32_t)in->window << in->snd->wscale;

    if (in->s->state < TCP_ESTABLISHED || in->n != 0)
        return false;
    if ((in->flags & (TCP_ACK | TCP_SYN | TCP_FIN | TCP_RST)) != TCP_ACK)
        return false;
    if (!(in->s->flags & (in->ts ? TF_ZWP_TC : TF_ZWP_TS)))
        return false;
    return win == 0 && win == in->rcv->window && in->seq == in->snd->next_seq &&
           in->ack == in->rcv->last_ack;
}

bool tcp_is_shutdown_ack(const struct tcp_in *in)
{
    uint8_t state = in->s->state;

    if (state != TCP_TIME_WAIT && state != TCP_CLOSE_WAIT && state != TCP_LAST_ACK)
        return false;
    return in->flags == TCP_ACK && in->n == 0 && in->seq == in->snd->next_seq + 1 &&
           in->ack == in->rcv->next_seq + 1;
}

bool tcp_is_window_update(const struct tcp_in *in)
{
    if (in->s->state < TCP_ESTABLISHED || in->n > 0 || in->window == 0)
        return false;
    if (in->flags & (TCP_SYN | TCP_FIN | TCP_RST))
        return false;
    if ((uint32_t)in->window << in->rcv->wscale == in->rcv->window)
        return false;
    return in->ack == in->rcv->last_ack && in->seq == in->snd->next_seq;
}

/* A packet ahead of everything seen, in both numbers, that shrinks the window by more than it
 * carries and acknowledges: it would make the true packets look out of window. */
bool tcp_is_bad_window_update(const struct tcp_in *in)
{
    const struct tcp_side *rcv = in->rcv;
    uint32_t win, shrink, acked;

    if (in->s->state < TCP_ESTABLISHED || in->s->state == TCP_CLOSED)
        return false;
    if (in->flags & (TCP_SYN | TCP_FIN | TCP_RST))
        return false;
    win = (uint32_t)in->window << rcv->wscale;
    if (win >= rcv->window)
        return false;
    shrink = rcv->window - win;
    if (shrink <= in->n || !seq_gt(in->ack, rcv->next_seq) || !seq_gt(in->seq, in->snd->next_seq))
        return false;
    acked = in->ack - rcv->last_ack;
    if (win > 1024 ? shrink > acked + 32 : shrink > acked) {
        tcp_event(in, SEV_PKT_BAD_WINDOW_UPDATE);
        return true;
    }
    return false;
}

bool tcp_is_outdated_ack(const struct tcp_in *in)
{
    if (in->s->state < TCP_ESTABLISHED || in->n != 0)
        return false;
    if ((in->flags & (TCP_ACK | TCP_SYN | TCP_FIN | TCP_RST)) != TCP_ACK)
        return false;
    if (in->seq != in->snd->next_seq || !seq_lt(in->ack, in->rcv->last_ack))
        return false;
    return !in->p->tcp.has_sack || tcp_sack_outdated(in->rcv, in->p);
}

int tcp_is_spurious(const struct tcp_in *in)
{
    const struct tcp_side *s = in->snd;

    if (in->n == 0)
        return 0;
    if (!(s->flags & SF_NO_REASSEMBLY) && seq_leq(in->end, s->known_seq))
        return 2;
    return seq_leq(in->end, s->last_ack) ? 1 : 0;
}
