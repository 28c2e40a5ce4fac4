/* SPDX-License-Identifier: Apache-2.0 */
/* SYNs and SYN/ACKs that differ from the one in force are remembered, a bounded number of them:
 * which of them counts is known only when the other side answers one. So a forged resend cannot
 * blind the sensor. */
#include "flow/tcp.h"

struct tcp_queued tcp_queued_of_packet(const struct packet *p)
{
    const struct tcp_head *h = &p->tcp;

    return (struct tcp_queued){
        .seq = h->seq,
        .window = h->window,
        .packet_s = packet_seconds(p),
        .has_sack = h->sack_ok,
        .has_wscale = h->has_wscale,
        .wscale = h->has_wscale ? h->wscale : 0,
        .has_ts = h->has_ts,
        .ts = h->has_ts ? h->ts_value : 0,
    };
}

static struct tcp_queued of_session(const struct tcp_session *s)
{
    const struct tcp_side *c = &s->side[DIR_TS], *v = &s->side[DIR_TC];

    return (struct tcp_queued){
        .seq = c->isn,
        .window = (uint16_t)v->window,
        .packet_s = c->last_pkt_s,
        .has_sack = (s->flags & TF_CLIENT_SACKOK) != 0,
        .has_wscale = (s->flags & TF_SERVER_WSCALE) != 0,
        .wscale = (s->flags & TF_SERVER_WSCALE) ? v->wscale : 0,
        .has_ts = (c->flags & SF_TIMESTAMP) != 0,
        .ts = (c->flags & SF_TIMESTAMP) ? c->last_ts : 0,
    };
}

static bool same(const struct tcp_queued *a, const struct tcp_queued *b)
{
    return a->seq == b->seq && a->ack == b->ack && a->ts == b->ts && a->window == b->window &&
           a->wscale == b->wscale && a->has_sack == b->has_sack && a->has_wscale == b->has_wscale &&
           a->has_ts == b->has_ts;
}

void tcp_queue_free(struct stream_engine *e, struct tcp_session *s)
{
    block_put(&e->sessions, s->queue, s->queue_bytes);
    s->queue = NULL;
    s->queue_bytes = 0;
    s->n_queue = 0;
}

static bool queue_add(struct tcp_in *in, const struct tcp_queued *q)
{
    struct tcp_session *s = in->s;

    if ((s->n_queue + 1u) * sizeof(*q) > s->queue_bytes) {
        size_t bytes;
        struct tcp_queued *more =
            block_get(&in->e->sessions, (s->n_queue + 4u) * sizeof(*q), &bytes);
        if (!more)
            return false;
        if (s->n_queue)
            memcpy(more, s->queue, s->n_queue * sizeof(*q));
        block_put(&in->e->sessions, s->queue, s->queue_bytes);
        s->queue = more;
        s->queue_bytes = bytes;
    }
    s->queue[s->n_queue++] = *q;
    return true;
}

void tcp_queue_syn(struct tcp_in *in)
{
    struct tcp_session *s = in->s;
    struct tcp_queued force = of_session(s), now = tcp_queued_of_packet(in->p);

    if (!same(&force, &now) || force.packet_s != now.packet_s) {
        bool known = false;
        for (uint8_t i = 0; i < s->n_queue && !known; i++)
            known = force.has_ts && s->queue[i].has_ts && s->queue[i].ts == force.ts &&
                    s->queue[i].seq == force.seq;
        if (!known && s->n_queue > 0 && s->n_queue == in->e->conf.max_syn_queued) {
            tcp_event(in, SEV_3WHS_SYN_FLOOD);
            memmove(s->queue, s->queue + 1, (s->n_queue - 1u) * sizeof(*s->queue));
            s->queue[s->n_queue - 1] = force;
        } else if (!known) {
            queue_add(in, &force);
        }
    }
    tcp_apply_syn(s, &now);
}

void tcp_apply_syn(struct tcp_session *s, const struct tcp_queued *q)
{
    struct tcp_side *c = &s->side[DIR_TS], *v = &s->side[DIR_TC];

    if (q->has_ts) {
        c->last_pkt_s = q->packet_s;
        c->last_ts = q->ts;
        c->flags |= SF_TIMESTAMP;
    }
    if (q->has_wscale) {
        s->flags |= TF_SERVER_WSCALE;
        v->wscale = q->wscale;
    } else {
        v->wscale = 0;
    }
    v->window = q->window;
    if (q->has_sack)
        s->flags |= TF_CLIENT_SACKOK;
    else
        s->flags &= ~(uint32_t)TF_CLIENT_SACKOK;
    c->isn = q->seq;
    tcp_set_base(c, c->isn);
    c->next_seq = c->isn + 1;
}

bool tcp_queue_answers(struct tcp_in *in)
{
    struct tcp_session *s = in->s;
    const struct tcp_head *h = &in->p->tcp;
    uint32_t seq = in->ack - 1;

    for (uint8_t i = 0; i < s->n_queue; i++) {
        const struct tcp_queued *q = &s->queue[i];
        bool match = h->has_ts ? q->has_ts && q->ts == h->ts_echo && q->seq == seq
                               : !in->e->conf.strict_timestamps && q->seq == seq;
        if (match) {
            struct tcp_queued found = *q;
            tcp_apply_syn(s, &found);
            return true;
        }
    }
    return false;
}

bool tcp_queue_synack(struct tcp_in *in)
{
    struct tcp_session *s = in->s;
    struct tcp_queued q = tcp_queued_of_packet(in->p);

    q.ack = in->ack;
    for (uint8_t i = 0; i < s->n_queue; i++)
        if (same(&s->queue[i], &q))
            return true;
    if (s->n_queue == in->e->conf.max_synack_queued) {
        tcp_event(in, SEV_3WHS_SYNACK_FLOOD);
        return false;
    }
    return queue_add(in, &q);
}

struct tcp_queued *tcp_queue_find_ack(const struct tcp_in *in)
{
    struct tcp_session *s = in->s;

    for (uint8_t i = s->n_queue; i-- > 0;)
        if (s->queue[i].seq == in->ack - 1 && s->queue[i].ack == in->seq)
            return &s->queue[i];
    return NULL;
}
