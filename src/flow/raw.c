/* SPDX-License-Identifier: Apache-2.0 */
/* What detection sees of a stream apart from any application protocol. Outside inline mode it looks
 * in chunks: once a chunk's worth has been acknowledged, or when the application asks for it, or at
 * the end. Inline it looks at each packet with a chunk of the stream around it. */
#include "flow/reassembly.h"
#include "flow/tcp.h"

static bool chunk_ready(const struct tcp_session *t, const struct tcp_side *s, enum dir dir)
{
    const struct stream_conf *c = &t->engine->conf;
    uint64_t chunk = dir == DIR_TS ? c->chunk_ts_bytes : c->chunk_tc_bytes, acked;

    if (s->flags & (SF_DEPTH | SF_RAW_TRIGGER | SF_RAW_CLOSED))
        return true;
    if (t->state > TCP_TIME_WAIT || t->pseudo)
        return true;
    acked = side_acked(s);
    return acked > s->raw && acked - s->raw >= chunk;
}

/* Where inspection begins: with a trigger, the application's window before its progress. */
static uint64_t raw_start(const struct tcp_side *s)
{
    uint64_t from = s->raw;

    if ((s->flags & SF_RAW_TRIGGER) && s->raw_keep) {
        uint64_t window = s->app > s->raw_keep ? s->app - s->raw_keep : 0;
        from = window < from ? window : from;
    }
    return from < s->base ? s->base : from;
}

static struct span raw_inline(const struct tcp_session *t, const struct tcp_side *s, enum dir dir,
                              uint64_t *ret_offset)
{
    const struct stream_conf *c = &t->engine->conf;
    uint64_t chunk = dir == DIR_TS ? c->chunk_ts_bytes : c->chunk_tc_bytes, off;
    uint64_t n = t->packet_right - t->packet_left, from;
    struct span all;

    if (n == 0)
        return span_of(NULL, 0);
    if (chunk / 3 * 2 < n)
        chunk = n + chunk / 3;
    from = t->packet_right > chunk ? t->packet_right - chunk : 0;
    from = from < s->base ? s->base : from;
    all = reassembly_from(s, from, &off);
    while (all.n && off + all.n <= t->packet_left)
        all = reassembly_from(s, off + all.n, &off);
    if (off > t->packet_left || off + all.n < t->packet_right)
        return span_of(NULL, 0);
    *ret_offset = off;
    return span_cut(all, 0, (size_t)(chunk < all.n ? chunk : all.n));
}

struct span stream_raw(const struct flow *f, enum dir dir, uint64_t *ret_offset, bool *ret_final)
{
    struct tcp_session *t = f->tcp;
    struct tcp_side *s;
    struct span data;
    uint64_t acked, off;

    *ret_offset = 0;
    *ret_final = false;
    if (!t)
        return span_of(NULL, 0);
    s = &t->side[dir];
    *ret_final = t->pseudo || t->state == TCP_CLOSED;
    if (!s->first || (s->flags & (SF_NO_REASSEMBLY | SF_RAW_OFF)))
        return span_of(NULL, 0);
    if (t->engine->conf.inline_mode && !t->pseudo)
        return raw_inline(t, s, dir, ret_offset);
    if (s->raw >= s->edge || !chunk_ready(t, s, dir))
        return span_of(NULL, 0);
    data = reassembly_from(s, raw_start(s), &off);
    acked = side_acked(s);
    if (!t->pseudo) {
        if (off >= acked)
            return span_of(NULL, 0);
        if (off + data.n > acked)
            data.n = (size_t)(acked - off);
    }
    *ret_offset = off;
    return data;
}

struct span stream_raw_next(const struct flow *f, enum dir dir, uint64_t from, uint64_t *ret_offset)
{
    const struct tcp_session *t = f->tcp;
    const struct tcp_side *s = &t->side[dir];
    struct span none = span_of(NULL, 0);

    if (t->engine->conf.inline_mode && !t->pseudo)
        return none;
    struct span data = reassembly_from(s, from, ret_offset);
    uint64_t acked = t->pseudo ? UINT64_MAX : side_acked(s);
    if (*ret_offset < from || *ret_offset >= acked)
        return none;
    return span_cut(data, 0, min_size(data.n, acked - *ret_offset));
}

void stream_raw_done(struct flow *f, enum dir dir, uint64_t offset)
{
    struct tcp_side *s;

    if (!f->tcp)
        return;
    s = &f->tcp->side[dir];
    if (offset > s->edge)
        offset = s->edge;
    if (offset > s->raw)
        s->raw = offset;
    s->flags |= SF_RAW_TOUCHED;
    s->flags &= ~(uint32_t)SF_RAW_TRIGGER;
}

void stream_raw_trigger(struct flow *f, enum dir dir)
{
    if (f->tcp)
        f->tcp->side[dir].flags |= SF_RAW_TRIGGER;
}

void stream_raw_keep(struct flow *f, enum dir dir, uint32_t n)
{
    if (f->tcp)
        f->tcp->side[dir].raw_keep = n;
}

void stream_stop_raw(struct flow *f)
{
    if (!f->tcp)
        return;
    f->tcp->side[DIR_TS].flags |= SF_RAW_CLOSED;
    f->tcp->side[DIR_TC].flags |= SF_RAW_CLOSED;
}
