/* SPDX-License-Identifier: Apache-2.0 */
/* The end of a TCP session, from the first FIN to CLOSED. The client's FIN leads through CLOSE_WAIT
 * and LAST_ACK, the server's through FIN_WAIT1 and FIN_WAIT2, as Suricata counts the states; which
 * numbers each state accepts, and the events for those it does not, are Suricata 8's too. */
#include "flow/tcp.h"

static bool reject(const struct tcp_in *in, enum stream_event event)
{
    tcp_event(in, event);
    return false;
}

static void window_of_receiver(struct tcp_in *in)
{
    in->rcv->window = (uint32_t)in->window << in->rcv->wscale;
}

static bool beyond_window(const struct tcp_in *in)
{
    return seq_gt(in->seq, in->snd->last_ack + in->snd->window);
}

static bool fits_window(const struct tcp_in *in)
{
    return seq_leq(in->end, in->snd->next_win) || tcp_liberal_window(in->s);
}

/* We missed packets that the sender has received and acknowledged. */
static void catch_up(struct tcp_in *in, uint32_t slack)
{
    if (seq_lt(in->rcv->next_seq - slack, in->ack))
        in->rcv->next_seq = in->ack;
}

static void advance(struct tcp_in *in, uint32_t at)
{
    if (in->seq == at)
        tcp_update_next_seq(in->s, in->snd, in->end);
}

static void ack_if_set(struct tcp_in *in)
{
    if (in->flags & TCP_ACK)
        tcp_update_last_ack(in->rcv, in->ack);
}

static void sacks_and_data(struct tcp_in *in)
{
    tcp_sack_update(in->e, in->rcv, in->p);
    tcp_update_next_win(in->rcv);
    tcp_segment(in, in->snd);
}

static bool fin_wait1_fin(struct tcp_in *in)
{
    struct tcp_side *snd = in->snd, *rcv = in->rcv;
    bool with_ack = (in->flags & TCP_ACK) != 0, again = tcp_is_retransmission(in);

    if (!again && with_ack && !in->ts && in->seq == snd->next_seq - 1 && in->ack == rcv->last_ack)
        again = true;
    if (!again && (seq_lt(in->seq, snd->next_seq - 1) || beyond_window(in)))
        return reject(in, SEV_FIN1_FIN_WRONG_SEQ);
    if (!tcp_ack_valid(in, rcv))
        return reject(in, SEV_FIN1_INVALID_ACK);
    if (with_ack && !in->ts)
        tcp_timestamp(in);
    if (!again) {
        tcp_set_state(in, with_ack ? TCP_TIME_WAIT : TCP_CLOSING);
        window_of_receiver(in);
    }
    if (!with_ack || in->ts)
        tcp_timestamp(in);
    if (!with_ack || in->ts || !again) {
        catch_up(in, 1);
        advance(in, with_ack && in->ts ? snd->next_seq : snd->next_seq - 1);
        ack_if_set(in);
    }
    tcp_segment(in, snd);
    return true;
}

static bool fin_wait1_ack(struct tcp_in *in)
{
    struct tcp_side *snd = in->snd, *rcv = in->rcv;
    uint32_t expected = in->ts ? snd->next_seq : snd->next_seq - 1;
    bool again = tcp_is_retransmission(in);

    if (!tcp_ack_valid(in, rcv))
        return reject(in, SEV_FIN1_INVALID_ACK);
    if (!again && (!in->ts || in->ack == rcv->next_seq)) {
        if (!fits_window(in))
            return reject(in, SEV_FIN1_ACK_WRONG_SEQ);
        if (in->seq == expected)
            tcp_set_state(in, TCP_FIN_WAIT2);
        window_of_receiver(in);
    }
    tcp_timestamp(in);
    catch_up(in, 1);
    advance(in, expected);
    tcp_update_last_ack(rcv, in->ack);
    sacks_and_data(in);
    return true;
}

bool tcp_fin_wait1(struct tcp_in *in)
{
    if (in->flags & TCP_RST)
        return tcp_handle_rst(in);
    if (in->flags & TCP_FIN)
        return !tcp_timestamp_bad(in) && fin_wait1_fin(in);
    if (in->flags & TCP_SYN)
        return reject(in, SEV_SHUTDOWN_SYN_RESEND);
    if (!(in->flags & TCP_ACK))
        return true;
    return !tcp_timestamp_bad(in) && fin_wait1_ack(in);
}

static bool fin_wait2_fin(struct tcp_in *in)
{
    struct tcp_side *snd = in->snd, *rcv = in->rcv;
    bool again = in->seq == snd->next_seq - 1 && in->ack == rcv->last_ack;

    again = again || tcp_is_retransmission(in);
    if (!again && (seq_lt(in->seq, snd->next_seq) || beyond_window(in)))
        return reject(in, SEV_FIN2_FIN_WRONG_SEQ);
    if (!tcp_ack_valid(in, rcv))
        return reject(in, SEV_FIN2_INVALID_ACK);
    if (!again) {
        tcp_set_state(in, TCP_TIME_WAIT);
        if (in->ts)
            advance(in, snd->next_seq);
        window_of_receiver(in);
    }
    tcp_timestamp(in);
    catch_up(in, 0);
    ack_if_set(in);
    tcp_segment(in, snd);
    return true;
}

static bool fin_wait2_ack(struct tcp_in *in)
{
    bool again = tcp_is_retransmission(in);

    if (!tcp_ack_valid(in, in->rcv))
        return reject(in, SEV_FIN2_INVALID_ACK);
    if (!again) {
        if (!fits_window(in))
            return reject(in, SEV_FIN2_ACK_WRONG_SEQ);
        window_of_receiver(in);
    }
    tcp_timestamp(in);
    advance(in, in->snd->next_seq);
    tcp_update_last_ack(in->rcv, in->ack);
    sacks_and_data(in);
    return true;
}

bool tcp_fin_wait2(struct tcp_in *in)
{
    if (in->flags & TCP_RST)
        return tcp_handle_rst(in);
    if (in->flags & TCP_FIN)
        return !tcp_timestamp_bad(in) && fin_wait2_fin(in);
    if (in->flags & TCP_SYN)
        return reject(in, SEV_SHUTDOWN_SYN_RESEND);
    if (!(in->flags & TCP_ACK))
        return true;
    return !tcp_timestamp_bad(in) && fin_wait2_ack(in);
}

bool tcp_closing(struct tcp_in *in)
{
    struct tcp_side *c = &in->s->side[DIR_TS];
    bool again;

    if (in->flags & TCP_RST)
        return tcp_handle_rst(in);
    if (in->flags & TCP_SYN)
        return reject(in, SEV_SHUTDOWN_SYN_RESEND);
    if (!(in->flags & TCP_ACK))
        return true;
    if (tcp_timestamp_bad(in))
        return false;
    again = tcp_is_retransmission(in);
    if (in->seq != in->snd->next_seq)
        return reject(in, SEV_CLOSING_ACK_WRONG_SEQ);
    if (!tcp_ack_valid(in, in->rcv))
        return reject(in, SEV_CLOSING_INVALID_ACK);
    if (!again) {
        tcp_set_state(in, TCP_TIME_WAIT);
        c->window = (uint32_t)in->window << c->wscale;
    }
    tcp_timestamp(in);
    catch_up(in, 0);
    tcp_update_last_ack(in->rcv, in->ack);
    tcp_segment(in, in->snd);
    return true;
}

static bool close_wait_fin(struct tcp_in *in)
{
    bool again = tcp_is_retransmission(in);

    if (!again && (seq_lt(in->seq, in->snd->next_seq) || beyond_window(in)))
        return reject(in, SEV_CLOSEWAIT_FIN_OUT_OF_WINDOW);
    if (!tcp_ack_valid(in, in->rcv))
        return reject(in, SEV_CLOSEWAIT_INVALID_ACK);
    if (!again) {
        if (!in->ts)
            tcp_set_state(in, TCP_LAST_ACK);
        window_of_receiver(in);
    }
    tcp_timestamp(in);
    catch_up(in, 0);
    ack_if_set(in);
    tcp_segment(in, in->snd);
    return true;
}

static bool close_wait_ack(struct tcp_in *in)
{
    bool again = tcp_is_retransmission(in);

    if (in->n > 0 && seq_leq(in->end, in->snd->last_ack))
        return reject(in, SEV_CLOSEWAIT_PKT_BEFORE_LAST_ACK);
    if (beyond_window(in))
        return reject(in, SEV_CLOSEWAIT_ACK_OUT_OF_WINDOW);
    if (!tcp_ack_valid(in, in->rcv))
        return reject(in, SEV_CLOSEWAIT_INVALID_ACK);
    if (!again)
        window_of_receiver(in);
    tcp_timestamp(in);
    catch_up(in, 0);
    advance(in, in->snd->next_seq);
    tcp_update_last_ack(in->rcv, in->ack);
    tcp_segment(in, in->snd);
    return true;
}

bool tcp_close_wait(struct tcp_in *in)
{
    if (in->flags & TCP_RST)
        return tcp_handle_rst(in);
    if (in->flags & TCP_FIN)
        return !tcp_timestamp_bad(in) && close_wait_fin(in);
    if (in->flags & TCP_SYN)
        return reject(in, SEV_SHUTDOWN_SYN_RESEND);
    if (!(in->flags & TCP_ACK))
        return true;
    return !tcp_timestamp_bad(in) && close_wait_ack(in);
}

bool tcp_last_ack(struct tcp_in *in)
{
    struct tcp_side *snd = in->snd;
    bool again;

    if (in->flags & TCP_RST)
        return tcp_handle_rst(in);
    if (in->flags & TCP_FIN)
        return true;
    if (in->flags & TCP_SYN)
        return reject(in, SEV_SHUTDOWN_SYN_RESEND);
    if (!(in->flags & TCP_ACK))
        return true;
    if (tcp_timestamp_bad(in))
        return false;
    if (!in->ts)
        return true;
    again = tcp_is_retransmission(in);
    if (!tcp_ack_valid(in, in->rcv))
        return reject(in, SEV_LASTACK_INVALID_ACK);
    if (!again) {
        if (!seq_lt(in->seq, snd->next_seq)) {
            if (in->seq != snd->next_seq && in->seq != snd->next_seq + 1)
                return reject(in, SEV_LASTACK_ACK_WRONG_SEQ);
            tcp_set_state(in, TCP_CLOSED);
        }
        window_of_receiver(in);
    }
    tcp_timestamp(in);
    catch_up(in, 0);
    tcp_update_last_ack(in->rcv, in->ack);
    tcp_segment(in, snd);
    return true;
}

bool tcp_time_wait(struct tcp_in *in)
{
    struct tcp_side *snd = in->snd;
    uint32_t next = in->ts ? snd->next_seq : snd->next_seq - 1;
    bool again;

    if (in->flags & TCP_RST)
        return tcp_handle_rst(in);
    if (in->flags & TCP_FIN)
        return true;
    if (in->flags & TCP_SYN)
        return reject(in, SEV_SHUTDOWN_SYN_RESEND);
    if (!(in->flags & TCP_ACK))
        return true;
    if (tcp_timestamp_bad(in))
        return false;
    again = tcp_is_retransmission(in);
    if (!again && in->seq != next && in->seq != next + 1) {
        if (!in->ts && in->n > 0 && in->seq == snd->last_ack)
            return true;
        return reject(in, SEV_TIMEWAIT_ACK_WRONG_SEQ);
    }
    if (!tcp_ack_valid(in, in->rcv))
        return reject(in, SEV_TIMEWAIT_INVALID_ACK);
    if (!again) {
        tcp_set_state(in, TCP_CLOSED);
        window_of_receiver(in);
    }
    tcp_timestamp(in);
    catch_up(in, 0);
    tcp_update_last_ack(in->rcv, in->ack);
    tcp_segment(in, snd);
    return true;
}
