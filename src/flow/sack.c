/* SPDX-License-Identifier: Apache-2.0 */
/* Selective acknowledgements (RFC 2018): which bytes beyond last_ack the receiver holds. Disjoint
 * ranges in order, a bounded number of them; they widen the window that the sender may fill. */
#include "base/rd.h"
#include "flow/tcp.h"

enum { SACKS_MAX = 64 };

void tcp_sack_free(struct stream_engine *e, struct tcp_side *s)
{
    block_put(&e->pool, s->sacks, s->sacks_bytes);
    s->sacks = NULL;
    s->sacks_bytes = 0;
    s->n_sacks = 0;
}

uint32_t tcp_sacked_bytes(const struct tcp_side *s)
{
    uint32_t n = 0;

    for (uint16_t i = 0; i < s->n_sacks; i++)
        n += s->sacks[i].right - s->sacks[i].left;
    return n;
}

void tcp_sack_prune(struct tcp_side *s)
{
    uint16_t gone = 0;

    while (gone < s->n_sacks && seq_lt(s->sacks[gone].right, s->last_ack))
        gone++;
    if (gone) {
        s->n_sacks = (uint16_t)(s->n_sacks - gone);
        memmove(s->sacks, s->sacks + gone, s->n_sacks * sizeof(*s->sacks));
    }
    if (s->n_sacks && seq_lt(s->sacks[0].left, s->last_ack))
        s->sacks[0].left = s->last_ack;
}

static bool sack_room(struct stream_engine *e, struct tcp_side *s)
{
    size_t have = s->sacks_bytes / sizeof(*s->sacks), bytes;
    struct sack *more;

    if (s->n_sacks < have)
        return true;
    if (s->n_sacks >= SACKS_MAX)
        return false;
    more = block_get(&e->pool, (s->n_sacks + 4u) * sizeof(*more), &bytes);
    if (!more)
        return false;
    if (s->n_sacks)
        memcpy(more, s->sacks, s->n_sacks * sizeof(*more));
    block_put(&e->pool, s->sacks, s->sacks_bytes);
    s->sacks = more;
    s->sacks_bytes = bytes;
    return true;
}

static void sack_insert(struct stream_engine *e, struct tcp_side *s, uint32_t left, uint32_t right)
{
    uint16_t i = 0, j;

    if (seq_lt(left, s->last_ack))
        left = s->last_ack;
    while (i < s->n_sacks && seq_lt(s->sacks[i].right, left))
        i++;
    for (j = i; j < s->n_sacks && seq_leq(s->sacks[j].left, right); j++) {
        if (seq_lt(s->sacks[j].left, left))
            left = s->sacks[j].left;
        if (seq_gt(s->sacks[j].right, right))
            right = s->sacks[j].right;
    }
    if (j == i) {
        if (!sack_room(e, s))
            return;
        memmove(s->sacks + i + 1, s->sacks + i, (size_t)(s->n_sacks - i) * sizeof(*s->sacks));
        s->n_sacks++;
    } else if (j > i + 1) {
        memmove(s->sacks + i + 1, s->sacks + j, (size_t)(s->n_sacks - j) * sizeof(*s->sacks));
        s->n_sacks = (uint16_t)(s->n_sacks - (j - i - 1));
    }
    s->sacks[i] = (struct sack){left, right};
}

void tcp_sack_update(struct stream_engine *e, struct tcp_side *s, const struct packet *p)
{
    if (!p->tcp.has_sack || !p->tcp.sack)
        return;
    for (uint8_t i = 0; i < p->tcp.n_sack; i++) {
        uint32_t left = be32(p->tcp.sack + 8u * i);
        uint32_t right = be32(p->tcp.sack + 8u * i + 4);
        if (seq_leq(right, s->last_ack) || seq_geq(left, right))
            continue;
        if (seq_gt(left, s->last_ack + s->window))
            continue;
        sack_insert(e, s, left, right);
    }
}

bool tcp_sack_outdated(const struct tcp_side *s, const struct packet *p)
{
    if (!p->tcp.sack)
        return false;
    for (uint8_t i = 0; i < p->tcp.n_sack; i++) {
        uint32_t left = be32(p->tcp.sack + 8u * i);
        uint32_t right = be32(p->tcp.sack + 8u * i + 4);
        bool known = false;
        for (uint16_t j = 0; j < s->n_sacks && !known; j++)
            known = seq_geq(left, s->sacks[j].left) && seq_leq(right, s->sacks[j].right);
        if (!known)
            return false;
    }
    return p->tcp.n_sack > 0;
}
