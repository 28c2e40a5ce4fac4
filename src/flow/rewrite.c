/* SPDX-License-Identifier: Apache-2.0 */
/* Inline, what the receiver gets must be what was inspected: a packet that brings other bytes for a
 * part of the stream that is there already goes on with those that are. */
#include "base/rd.h"
#include "base/wr.h"
#include "flow/reassembly.h"
#include "flow/tcp.h"
#include "packet/checksum.h"

enum { CHECKSUM_AT = 16, CHECKSUM_END = 18 };

static bool within(const struct packet *p, const uint8_t *at, size_t n)
{
    return at && at >= p->data.p && at <= p->data.p + p->data.n &&
           n <= (size_t)(p->data.p + p->data.n - at);
}

/* The same place in the copy, where `at` lies in the packet. */
static const uint8_t *moved(const struct packet *p, const uint8_t *copy, const uint8_t *at)
{
    return within(p, at, 0) ? copy + (at - p->data.p) : at;
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

    /* What was put together from fragments lies elsewhere: it did not come as this packet. */
    if (have.n != n || !within(p, p->l4, CHECKSUM_END) || !within(p, p->payload.p, p->payload.n))
        return;
    buf_clear(b);
    buf_span_add(b, p->data);
    if (b->full)
        return;
    move_to(p, b->p);
    uint8_t *l4 = b->p + (p->l4 - p->data.p);
    memcpy(b->p + (p->payload.p - p->data.p) + skip, have.p, n);
    put_be16(l4 + CHECKSUM_AT, checksum_change(be16(l4 + CHECKSUM_AT), went, p->payload));
}
