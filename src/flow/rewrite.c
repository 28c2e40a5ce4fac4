/* SPDX-License-Identifier: Apache-2.0 */
/* Inline, what the receiver gets must be what was inspected: a packet that brings other bytes for a
 * part of the stream that is there already goes on with those that are. */
#include "base/rd.h"
#include "base/wr.h"
#include "flow/reassembly.h"
#include "flow/tcp.h"
#include "packet/checksum.h"

/* The same place in the copy, where `at` lies in the packet. */
static const uint8_t *moved(const struct packet *p, const uint8_t *copy, const uint8_t *at)
{
    bool inside = at && at >= p->data.p && at <= p->data.p + p->data.n;

    return inside ? copy + (at - p->data.p) : at;
}

static void move_to(struct packet *p, const uint8_t *copy)
{
    const uint8_t **const places[] = {&p->ethernet,     &p->ip,           &p->l4,
                                      &p->ip_options.p, &p->ip_payload.p, &p->tcp.sack,
                                      &p->payload.p,    &p->tcp.options.p};

    for (size_t i = 0; i < LEN(places); i++)
        *places[i] = moved(p, copy, *places[i]);
    p->data.p = copy;
}

/* RFC 1624: the sum of what went and of what came. */
static uint16_t checksum_change(uint16_t sum, struct span went, struct span came)
{
    uint32_t n = (uint16_t)~sum + (uint32_t)(uint16_t)~checksum_add(0, went);

    n = (n & 0xffff) + (n >> 16);
    return (uint16_t)~checksum_add(n, came);
}

void tcp_rewrite(struct tcp_in *in, struct tcp_side *s, size_t skip, uint64_t off, size_t n)
{
    struct packet *p = in->p;
    struct buf *b = &in->e->rewritten;
    uint64_t gap;
    struct span have = span_cut(reassembly_at(&in->e->pool, s, off, &gap), 0, n);
    struct span went = p->payload;

    if (have.n != n || moved(p, NULL, p->l4) == p->l4)
        return;
    buf_clear(b);
    buf_span_add(b, p->data);
    if (b->full)
        return;
    move_to(p, b->p);
    uint8_t *l4 = b->p + (p->l4 - p->data.p);
    memcpy(b->p + (p->payload.p - p->data.p) + skip, have.p, n);
    put_be16(l4 + 16, checksum_change(be16(l4 + 16), went, p->payload));
}
