/* SPDX-License-Identifier: Apache-2.0 */
/* From an accepted packet to ordered bytes at the sink. Outside inline mode a packet's own data are
 * stored, and its acknowledgement hands up what the other side had sent before: the application
 * sees what the receiver has confirmed, in the turn of the packet that confirmed it. Inline mode,
 * resets, one-sided sessions and the end of a flow hand up the packet's own direction. A hole is a
 * gap once the receiver has acknowledged beyond it. */
#include "flow/reassembly.h"
#include "flow/tcp.h"

enum { UPDATE_OTHER = 1, UPDATE_OWN = 2 };

static unsigned which_way(const struct tcp_in *in)
{
    const struct tcp_session *s = in->s;

    if (in->e->conf.inline_mode || s->pseudo || (in->flags & TCP_RST))
        return UPDATE_OWN;
    if ((in->flags & TCP_FIN) && s->state > TCP_TIME_WAIT)
        return (in->flags & TCP_ACK) ? UPDATE_OTHER | UPDATE_OWN : UPDATE_OWN;
    if (s->state == TCP_CLOSED)
        return UPDATE_OTHER | UPDATE_OWN;
    return (s->flags & TF_ASYNC) ? UPDATE_OWN : UPDATE_OTHER;
}

/* How much of [off, off + n) lies within the depth; marks the side when it ends here. */
static uint32_t within_depth(const struct tcp_in *in, struct tcp_side *s, uint32_t seq, uint32_t n)
{
    uint32_t depth = in->s->depth_bytes;
    uint64_t end;

    if (depth == 0)
        return n;
    if (s->flags & SF_DEPTH)
        return 0;
    if (seq_gt(s->base_seq, seq)) {
        if (seq_leq(seq + n, s->base_seq))
            return 0;
        end = s->base + n - (s->base_seq - seq);
    } else {
        end = s->base + (seq + n - s->base_seq);
    }
    if (end > depth) {
        s->flags |= SF_DEPTH;
        return 0;
    }
    return n;
}

/* Sets aside the byte that the urgent pointer names; false when nothing is left of the payload. */
static bool urgent(struct tcp_in *in, struct tcp_side *s, uint32_t *n)
{
    const struct stream_conf *c = &in->e->conf;
    uint16_t pointer = in->p->tcp.urgent;
    bool oob = c->urgent_policy == URGENT_OOB;

    if (!(in->flags & TCP_URG) || pointer == 0 || pointer > in->n ||
        (!oob && c->urgent_policy != URGENT_GAP))
        return true;
    if (s->urgent_shift < UINT16_MAX) {
        if (oob)
            s->urgent_shift++;
        if (s->urgent_shift == UINT16_MAX)
            tcp_event(in, SEV_REASSEMBLY_URGENT_OOB_LIMIT_REACHED);
    } else if (c->urgent_oob_limit_policy == URGENT_DROP) {
        in->p->flags |= PKT_DROP;
        return false;
    }
    if (oob) {
        in->e->counters[SC_URGENT_OOB]++;
        s->urgent_bytes++;
    }
    if (oob && s->urgent_shift == UINT16_MAX && c->urgent_oob_limit_policy == URGENT_INLINE)
        return true;
    if (pointer == 1 && in->n == 1)
        return false;
    (*n)--;
    return true;
}

static void count_insert(struct tcp_in *in, enum insert_result r, uint32_t n)
{
    uint64_t *c = in->e->counters;

    switch (r) {
    case INSERT_DIFFERENT:
        c[SC_OVERLAP_DIFF]++;
        tcp_event(in, SEV_REASSEMBLY_OVERLAP_DIFFERENT_DATA);
        FALLTHROUGH;
    case INSERT_OVERLAP:
        c[SC_OVERLAP]++;
        FALLTHROUGH;
    case INSERT_OK:
        c[SC_SEGMENT_FROM_POOL]++;
        c[SC_BYTES] += n;
        break;
    case INSERT_TOO_MANY:
        c[SC_REGIONS_FULL]++;
        tcp_event(in, SEV_REASSEMBLY_INSERT_LIMIT);
        in->s->flags |= TF_LIBERAL;
        break;
    case INSERT_NO_MEMORY:
        c[SC_SEGMENT_MEMCAP]++;
        c[SC_INSERT_FAIL]++;
        tcp_event(in, SEV_REASSEMBLY_INSERT_MEMCAP);
        exception_apply(in->p, in->f, EXCEPTION_REASSEMBLY_MEMCAP,
                        in->e->conf.reassembly_memcap_policy, &in->e->exceptions);
        in->s->flags |= TF_LIBERAL;
        break;
    }
}

/* Stores the packet's data; false when they were refused. */
static bool store(struct tcp_in *in, struct tcp_side *s)
{
    const struct stream_conf *c = &in->e->conf;
    uint32_t seq = in->seq - s->urgent_shift, n = in->n, skip = 0, fit;
    struct insert what = {.keep_old = c->inline_mode,
                          .check = c->check_overlap || c->inline_mode,
                          .max_runs = c->segments_max};
    enum insert_result r;

    if (in->s->first_data == 0)
        in->s->first_data = in->ts ? 1 : 2;
    tcp_set_os(in->e, s, in->p);
    if ((s->flags & SF_APP_OFF) && (s->flags & (SF_RAW_CLOSED | SF_RAW_OFF)))
        return true;
    if (!urgent(in, s, &n))
        return true;
    fit = within_depth(in, s, seq, n);
    if (s->flags & SF_DEPTH) {
        tcp_event(in, SEV_REASSEMBLY_DEPTH_REACHED);
        in->e->counters[SC_DEPTH]++;
    }
    if (fit == 0)
        return true;
    if (in->p->tcp.has_tfo && (in->flags & TCP_SYN))
        seq++;
    if (seq_leq(seq + fit, s->known_seq)) {
        tcp_event(in, SEV_REASSEMBLY_SEGMENT_BEFORE_BASE_SEQ);
        return false;
    }
    if (seq_leq(seq + fit, s->base_seq))
        return true;
    if (seq_lt(seq, s->base_seq))
        skip = s->base_seq - seq;
    what.off = s->base + (seq + skip - s->base_seq);
    what.data = span_cut(in->p->payload, skip, fit - skip);
    what.os = s->os;
    in->s->packet_left = what.off;
    in->s->packet_right = what.off + what.data.n;
    r = reassembly_insert(&in->e->pool, s, &what);
    if (c->inline_mode && r == INSERT_DIFFERENT) {
        tcp_rewrite(in, s, skip, what.off, what.data.n);
        r = c->check_overlap ? r : INSERT_OVERLAP;
    }
    count_insert(in, r, (uint32_t)what.data.n);
    return r < INSERT_NO_MEMORY;
}

static unsigned flags_for(const struct tcp_in *in, const struct tcp_side *s)
{
    unsigned f = 0;

    if (in->s->state == TCP_CLOSED || in->s->pseudo)
        f |= STREAM_EOF;
    if (in->s->flags & TF_MIDSTREAM)
        f |= STREAM_MIDSTREAM;
    if (s->flags & SF_DEPTH)
        f |= STREAM_TRUNCATED;
    return f;
}

/* How many of n bytes from app progress on may be shown: what is acknowledged, or all at the end.
 */
static uint64_t shown(const struct tcp_in *in, const struct tcp_side *s, uint64_t n)
{
    const struct tcp_session *t = in->s;
    uint64_t acked;

    if (in->e->conf.inline_mode || n == 0)
        return n;
    if (t->pseudo && (t->state < TCP_CLOSED || (t->flags & TF_CLOSED_BY_RST)))
        return n;
    acked = side_acked(s);
    if (s->app <= acked && s->app + n > acked)
        return acked - s->app;
    return n;
}

static bool gap_certain(const struct tcp_session *t, const struct tcp_side *s)
{
    return side_acked(s) - (t->state >= TCP_FIN_WAIT1 ? 1 : 0) > s->app;
}

/* The sink may turn the flow round (the client was the server): then both sides change places, and
 * the packet with them. Returns the side that was meant. */
static struct tcp_side *after_sink(struct tcp_in *in, uint32_t swapped, enum dir *dir)
{
    if (swapped != (in->f->flags & FLOW_SWAPPED)) {
        struct tcp_side *snd = in->snd;
        in->snd = in->rcv;
        in->rcv = snd;
        in->ts = !in->ts;
        in->p->dir = in->ts ? DIR_TS : DIR_TC;
        *dir = dir_other(*dir);
    }
    return &in->s->side[*dir];
}

/* False when the application does not go over it: its protocol is not known yet. */
static bool tell_gap(struct tcp_in *in, enum dir *dir, uint64_t n)
{
    const struct stream_sink *sink = &in->e->sink;
    uint32_t swapped = in->f->flags & FLOW_SWAPPED;
    struct tcp_side *s;

    in->s->side[*dir].flags &= ~(uint32_t)SF_GAP_REFUSED;
    sink->gap(sink->user, in->f, in->p, *dir, n);
    s = after_sink(in, swapped, dir);
    tcp_event(in, SEV_REASSEMBLY_SEQ_GAP);
    s->flags |= SF_GAP;
    in->e->counters[SC_GAP]++;
    in->e->counters[SC_GAP_BYTES] += n;
    in->s->flags |= TF_LIBERAL;
    s->need = s->need > n ? s->need - (uint32_t)n : 0;
    s->flags |= SF_RECOGNISED;
    if (s->flags & SF_GAP_REFUSED)
        return false;
    s->app += n;
    return true;
}

/* Returns how many bytes the application has taken. */
static size_t give(struct tcp_in *in, enum dir *dir, struct span data)
{
    const struct stream_sink *sink = &in->e->sink;
    uint32_t swapped = in->f->flags & FLOW_SWAPPED;
    struct tcp_side *s = &in->s->side[*dir];
    size_t used;

    s->need = 0;
    used = sink->data(sink->user, in->f, in->p, *dir, data, flags_for(in, s));
    s = after_sink(in, swapped, dir);
    used = used < data.n ? used : data.n;
    s->app += used;
    if (used && !(s->flags & SF_APP_OFF))
        s->flags |= SF_RECOGNISED;
    return used;
}

static bool no_app(const struct tcp_side *s)
{
    return (s->flags & (SF_APP_OFF | SF_NO_REASSEMBLY)) != 0;
}

void tcp_deliver(struct tcp_in *in, enum dir dir)
{
    struct tcp_session *t = in->s;
    struct tcp_side *s = &t->side[dir];
    bool ending = t->pseudo && t->state >= TCP_CLOSED, was_gap = false;

    if (no_app(s))
        return;
    if (s->edge <= s->app && (t->state >= TCP_CLOSING || t->pseudo)) {
        give(in, &dir, span_of(NULL, 0));
        return;
    }
    for (; !no_app(s); s = &t->side[dir]) {
        uint64_t hole;
        struct span data = reassembly_at(&in->e->pool, s, s->app, &hole);
        unsigned flags = flags_for(in, s);
        if (was_gap && data.n == 0)
            return;
        hole = shown(in, s, hole);
        was_gap = data.n == 0 && hole && gap_certain(t, s);
        if (was_gap) {
            if (!tell_gap(in, &dir, hole))
                return;
            continue;
        }
        if (data.n == 0 && !(flags & STREAM_TRUNCATED))
            return;
        data.n = (size_t)shown(in, s, data.n);
        if (data.n == 0 && !(flags & (STREAM_EOF | STREAM_TRUNCATED)))
            return;
        if (!ending && data.n < s->need)
            return;
        if (give(in, &dir, data) == 0 || (flags & STREAM_TRUNCATED))
            return;
    }
}

void tcp_segment(struct tcp_in *in, struct tcp_side *from)
{
    struct tcp_session *t = in->s;
    enum dir own = from == &t->side[DIR_TS] ? DIR_TS : DIR_TC;
    unsigned way = which_way(in);

    if (way & UPDATE_OTHER) {
        uint32_t swapped = in->f->flags & FLOW_SWAPPED;
        tcp_deliver(in, dir_other(own));
        if (swapped != (in->f->flags & FLOW_SWAPPED)) {
            own = dir_other(own);
            from = &t->side[own];
        }
    }
    if (in->n > 0 && !(from->flags & SF_NO_REASSEMBLY) && !(in->flags & TCP_RST)) {
        if (!store(in, from))
            return;
        in->p->flags |= PKT_STREAM_ADDED;
    }
    /* Reached just now: the application is told that no more will come. */
    if ((from->flags & (SF_DEPTH | SF_NO_REASSEMBLY)) == SF_DEPTH)
        way = UPDATE_OWN;
    if (way & UPDATE_OWN)
        tcp_deliver(in, own);
}

/* Inline mode keeps a chunk before the raw progress: it inspects a window around each packet. */
static uint64_t raw_left(const struct stream_engine *e, const struct tcp_session *t,
                         const struct tcp_side *s, enum dir dir)
{
    uint64_t left = s->raw, keep = 0;

    if (e->conf.inline_mode)
        keep = dir == DIR_TS ? e->conf.chunk_ts_bytes : e->conf.chunk_tc_bytes;
    if (!(s->flags & SF_APP_OFF) && t->state < TCP_CLOSED && s->raw_keep > keep)
        keep = s->raw_keep;
    return left > keep ? left - keep : 0;
}

static void raw_progress(struct tcp_session *t, struct tcp_side *s)
{
    if (!(s->flags & SF_RAW_TOUCHED) && t->done_est) {
        uint64_t target = (s->flags & SF_APP_OFF) ? side_acked(s) : s->app;
        if (target > s->raw)
            s->raw = target;
        s->flags &= ~(uint32_t)SF_RAW_TRIGGER;
    }
    if (t->done_est && (s->flags & SF_RAW_CLOSED))
        s->flags |= SF_RAW_OFF;
    s->flags &= ~(uint32_t)SF_RAW_TOUCHED;
}

void tcp_prune(struct stream_engine *e, struct flow *f, struct tcp_session *t, enum dir dir)
{
    struct tcp_side *s = &t->side[dir];
    bool app_off = (s->flags & SF_APP_OFF) != 0, raw_off;
    uint64_t left, acked;

    (void)f;
    raw_progress(t, s);
    raw_off = (s->flags & SF_RAW_OFF) != 0;
    if (s->flags & SF_NO_REASSEMBLY)
        return;
    if ((s->flags & SF_DEPTH) || (app_off && raw_off)) {
        s->flags |= SF_NO_REASSEMBLY;
        reassembly_clear(&e->pool, s);
        return;
    }
    left = app_off ? raw_left(e, t, s, dir) : s->app;
    if (!app_off && !raw_off && raw_left(e, t, s, dir) < left)
        left = raw_left(e, t, s, dir);
    acked = side_acked(s);
    if (e->conf.inline_mode) {
        /* Overlaps with what is not acknowledged yet have to be seen. */
        left = left < acked ? left : acked;
    } else if (e->conf.check_overlap) {
        uint32_t window = s->window ? s->window : 4096;
        left = left > window ? left - window : 0;
    }
    reassembly_drop(&e->pool, s, left);
    if (s->flags & SF_RECOGNISED)
        s->known_seq = s->base_seq;
}
