/* SPDX-License-Identifier: Apache-2.0 */
/* The walk through a run of conditions on one buffer. Conditions follow one another by recursion: a
 * content or an expression on which a later one depends is tried at each of its occurrences until
 * the rest fits, all others decide once. A failure that no other occurrence can mend ends the whole
 * walk (FOUND_NEVER). The window arithmetic of depth, offset, distance and within is that of the
 * rule language's reference implementation, with its behaviour at the edges. */
#include "detect/content.h"

#include "detect/keyword.h"
#include "detect/pcre.h"
#include "detect/search.h"
#include "detect/worker.h"

static enum found walk(struct inspection *in, const struct match *m);

/* Where one try of a content may be found. */
struct window {
    int64_t from, to; /* to: the end of the last byte that may belong to it */
    bool never;       /* nothing in this buffer can lie in it */
};

static int64_t number_or_var(const struct inspection *in, int32_t n, bool is_var)
{
    return is_var ? (int64_t)(uint32_t)in->vars[(uint32_t)n % BYTE_VARS_MAX] : n;
}

/* Depths count from the whole's beginning; buf may begin later. */
static void window_shift(const struct inspection *in, struct window *w)
{
    int64_t start = (int64_t)in->buf_at, n = (int64_t)in->buf.n;

    if (w->to <= start)
        w->never = true;
    else if (w->to < start + n)
        w->to -= start;
}

static void window_relative(const struct inspection *in, const struct content *c, uint32_t base,
                            struct window *w)
{
    int64_t distance = c->distance;

    w->from = base;
    if (c->flags & CONTENT_DISTANCE) {
        distance = number_or_var(in, c->distance, c->flags & CONTENT_DISTANCE_VAR);
        w->from += distance;
        if (w->from < 0)
            w->from = 0;
    }
    if (c->flags & CONTENT_WITHIN) {
        int64_t within = number_or_var(in, c->within, c->flags & CONTENT_WITHIN_VAR);
        int64_t to = (int64_t)base + within + distance;
        if (w->to > to)
            w->to = to;
        if (in->buf_at != 0 && base == 0)
            window_shift(in, w);
    }
    int64_t depth = number_or_var(in, c->depth, c->flags & CONTENT_DEPTH_VAR);
    if ((depth != 0 || (c->flags & CONTENT_DEPTH_VAR)) && depth + base < w->to)
        w->to = depth + base;
    int64_t offset = number_or_var(in, c->offset, c->flags & CONTENT_OFFSET_VAR);
    if (offset > w->from)
        w->from = offset;
}

static void window_absolute(const struct inspection *in, const struct content *c, struct window *w)
{
    int64_t depth = number_or_var(in, c->depth, c->flags & CONTENT_DEPTH_VAR);

    if (depth != 0 || (c->flags & CONTENT_DEPTH_VAR))
        w->to = depth;
    if (in->buf_at != 0 && (c->flags & CONTENT_DEPTH))
        window_shift(in, w);
    w->from = number_or_var(in, c->offset, c->flags & CONTENT_OFFSET_VAR);
}

static struct window window_of(const struct inspection *in, const struct content *c, uint32_t base)
{
    int64_t n = (int64_t)in->buf.n;
    struct window w = {0, n, false};

    if (c->flags & (CONTENT_DISTANCE | CONTENT_WITHIN))
        window_relative(in, c, base, &w);
    else
        window_absolute(in, c, &w);
    if (c->flags & (CONTENT_OFFSET_VAR | CONTENT_DEPTH_VAR))
        w.to += w.from;
    if (w.to > n)
        w.to = n;
    return w;
}

/* Does a later condition gain anything from another occurrence of the one before m? A content that
 * only has a distance fits after the first occurrence or never. */
static bool retry_helps(const struct content *c, const struct match *next)
{
    if (!(c->flags & CONTENT_RELATIVE_NEXT))
        return false;
    if (next && next->kind == KW_CONTENT) {
        const struct content *n = next->data;
        if ((n->flags & (CONTENT_DISTANCE | CONTENT_WITHIN | CONTENT_NEGATED)) == CONTENT_DISTANCE)
            return false;
    }
    return true;
}

static bool is_single(const struct content *c)
{
    return !(c->flags & (CONTENT_DISTANCE | CONTENT_WITHIN | CONTENT_RELATIVE_NEXT | CONTENT_DEPTH |
                         CONTENT_OFFSET));
}

/* A negated content: it holds when the pattern is not in its window. */
static enum found walk_negated(struct inspection *in, const struct match *m, size_t hit,
                               const struct window *w)
{
    const struct content *c = m->data;

    if (hit == SIZE_MAX ||
        ((c->flags & CONTENT_ENDS) && (int64_t)(hit + c->bytes.n) != w->to - w->from))
        return m->next ? walk(in, m->next) : FOUND;
    return is_single(c) ? FOUND_NEVER : FOUND_NOT;
}

enum found match_content(struct inspection *in, const struct match *m)
{
    const struct content *c = m->data;
    uint32_t base = in->at;
    bool relative = c->flags & (CONTENT_DISTANCE | CONTENT_WITHIN);
    bool negated = c->flags & CONTENT_NEGATED;
    struct window w = window_of(in, c, base);

    if (w.never)
        return FOUND_NOT;
    for (;;) {
        if (w.from > w.to || w.to <= 0) {
            if (!negated)
                return FOUND_NOT;
            return m->next ? walk(in, m->next) : FOUND;
        }
        size_t hit = SIZE_MAX;
        if (!((c->flags & CONTENT_ENDS) && w.to < (int64_t)in->buf.n))
            hit = search_span(span_cut(in->buf, 0, (size_t)w.to), (size_t)w.from, c->bytes,
                              c->flags & CONTENT_NOCASE);
        if (negated)
            return walk_negated(in, m, hit, &w);
        if (hit == SIZE_MAX)
            return relative ? FOUND_NOT : FOUND_NEVER;
        size_t end = hit + c->bytes.n;
        in->at = (uint32_t)end;
        if (!(c->flags & CONTENT_ENDS) || end == in->buf.n) {
            if (!m->next)
                return FOUND;
            enum found r = walk(in, m->next);
            if (r != FOUND_NOT)
                return r;
            if (!retry_helps(c, m->next))
                return FOUND_NEVER;
        }
        w.from = (int64_t)hit + 1;
    }
}

enum found match_pcre(struct inspection *in, const struct match *m)
{
    const struct pcre *x = m->data;
    uint32_t base = in->at;

    in->pcre_from = 0;
    for (;;) {
        if (!pcre_try(in, x))
            return FOUND_NOT;
        if (!m->next)
            return FOUND;
        uint32_t from = in->pcre_from;
        enum found r = walk(in, m->next);
        if (r != FOUND_NOT || !(x->flags & PCRE_RELATIVE_NEXT))
            return r;
        if (from == 0) /* negated: there is no other occurrence */
            return FOUND_NOT;
        in->at = base;
        in->pcre_from = from;
    }
}

enum found match_base64_decode(struct inspection *in, const struct match *m)
{
    const struct base64_decode *b = m->data;

    if (!base64_decode_run(in, b))
        return FOUND_NOT;
    if (!b->matches)
        return m->next ? walk(in, m->next) : FOUND;
    struct span outer = in->buf;
    uint64_t outer_at = in->buf_at;
    in->buf = in->base64;
    in->buf_at = 0;
    in->at = 0;
    enum found r = walk(in, b->matches);
    in->buf = outer;
    in->buf_at = outer_at;
    return r == FOUND ? FOUND : FOUND_NOT;
}

static enum found walk(struct inspection *in, const struct match *m)
{
    if (++in->steps == in->d->conf.inspection_recursion_limit)
        return FOUND_NEVER;
    switch (m->kind) {
    case KW_CONTENT:
        return match_content(in, m);
    case KW_PCRE:
        return match_pcre(in, m);
    case KW_BASE64_DECODE:
        return match_base64_decode(in, m);
    default: {
        enum found r = match_table[m->kind](in, m);
        if (r != FOUND || !m->next)
            return r;
        return walk(in, m->next);
    }
    }
}

bool content_inspect(struct inspection *in, const struct match *m)
{
    in->at = 0;
    in->steps = 0;
    in->pcre_from = 0;
    return walk(in, m) == FOUND;
}
