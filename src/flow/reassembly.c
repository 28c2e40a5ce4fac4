/* SPDX-License-Identifier: Apache-2.0 */
/* Runs hang in a treap by offset and in a list in order. In-order data are appended to the last run
 * without a search. A run only grows to the right; when the reader needs bytes across two touching
 * runs, the later one is moved into the earlier one, so that each byte moves a bounded number of
 * times. Within a run, pieces remember which segment brought which bytes: overlap policies judge by
 * the edges of segments. All memory is the caller's pool's. */
#include "flow/reassembly.h"

#include "base/must.h"

enum { RUN_BLOCK = 256 };
static_assert(sizeof(struct run) <= RUN_BLOCK, "a run has one block");

uint64_t reassembly_steps;

static uint64_t run_end(const struct run *r)
{
    return r->off + r->n;
}

static void rotate_up(struct tcp_side *s, struct run *r)
{
    struct run *p = r->parent, *g = p->parent;

    if (p->left == r) {
        p->left = r->right;
        if (r->right)
            r->right->parent = p;
        r->right = p;
    } else {
        p->right = r->left;
        if (r->left)
            r->left->parent = p;
        r->left = p;
    }
    p->parent = r;
    r->parent = g;
    if (!g)
        s->root = r;
    else if (g->left == p)
        g->left = r;
    else
        g->right = r;
    reassembly_steps++;
}

/* Links r behind `before` (NULL: as the first). */
static void run_link(struct tcp_side *s, struct run *r, struct run *before)
{
    struct run *after = before ? before->next : s->first;

    r->prev = before;
    r->next = after;
    if (before)
        before->next = r;
    else
        s->first = r;
    if (after)
        after->prev = r;
    else
        s->last = r;
    r->left = r->right = NULL;
    if (!s->root) {
        r->parent = NULL;
        s->root = r;
    } else if (before && !before->right) {
        before->right = r;
        r->parent = before;
    } else {
        /* Then `after` has no left child: it is the leftmost right of `before`. */
        after->left = r;
        r->parent = after;
    }
    while (r->parent && r->parent->priority < r->priority)
        rotate_up(s, r);
    s->n_runs++;
}

static void run_unlink(struct tcp_side *s, struct run *r)
{
    while (r->left || r->right) {
        struct run *up = !r->left                                 ? r->right
                         : !r->right                              ? r->left
                         : r->left->priority > r->right->priority ? r->left
                                                                  : r->right;
        rotate_up(s, up);
    }
    if (!r->parent)
        s->root = NULL;
    else if (r->parent->left == r)
        r->parent->left = NULL;
    else
        r->parent->right = NULL;
    if (r->prev)
        r->prev->next = r->next;
    else
        s->first = r->next;
    if (r->next)
        r->next->prev = r->prev;
    else
        s->last = r->prev;
    s->n_runs--;
}

static void run_free(struct block_pool *pool, struct tcp_side *s, struct run *r)
{
    run_unlink(s, r);
    block_put(pool, r->data, r->cap);
    if (r->pieces != r->own)
        block_put(pool, r->pieces, r->pieces_bytes);
    block_put(pool, r, RUN_BLOCK);
}

/* The last run that begins at or before off, or NULL. */
static struct run *run_floor(const struct tcp_side *s, uint64_t off)
{
    struct run *best = NULL;

    for (struct run *r = s->root; r; reassembly_steps++) {
        if (r->off <= off) {
            best = r;
            r = r->right;
        } else {
            r = r->left;
        }
    }
    return best;
}

/* Room for n more bytes at the end. */
static bool run_reserve(struct block_pool *pool, struct run *r, size_t n)
{
    size_t cap, want = r->n + n;
    uint8_t *data;

    if (r->head + want <= r->cap)
        return true;
    if (want <= r->cap && r->head >= r->cap / 2) {
        memmove(r->data, r->data + r->head, r->n);
        reassembly_steps += r->n;
        r->head = 0;
        return true;
    }
    data = block_get(pool, want, &cap); /* a power of two: growing doubles */
    if (!data)
        return false;
    if (r->n)
        memcpy(data, r->data + r->head, r->n);
    reassembly_steps += r->n;
    block_put(pool, r->data, r->cap);
    r->data = data;
    r->cap = cap;
    r->head = 0;
    return true;
}

static bool piece_reserve(struct block_pool *pool, struct run *r, uint32_t n)
{
    uint32_t live = r->n_pieces;
    struct piece *p;
    size_t bytes;

    if (r->first_piece + live + n <= r->cap_pieces)
        return true;
    if (live + n <= r->cap_pieces && r->first_piece >= r->cap_pieces / 2) {
        memmove(r->pieces, r->pieces + r->first_piece, live * sizeof(*p));
        r->first_piece = 0;
        return true;
    }
    p = block_get(pool, (size_t)(live + n) * 2 * sizeof(*p), &bytes);
    if (!p)
        return false;
    memcpy(p, r->pieces + r->first_piece, live * sizeof(*p));
    reassembly_steps += live;
    if (r->pieces != r->own)
        block_put(pool, r->pieces, r->pieces_bytes);
    r->pieces = p;
    r->pieces_bytes = bytes;
    r->cap_pieces = (uint32_t)(bytes / sizeof(*p));
    r->first_piece = 0;
    return true;
}

static bool run_append(struct block_pool *pool, struct run *r, const struct insert *in,
                       uint64_t off, uint32_t n)
{
    size_t at = (size_t)(off - in->off);

    if (!piece_reserve(pool, r, 1) || !run_reserve(pool, r, n))
        return false;
    memcpy(r->data + r->head + r->n, in->data.p + at, n);
    r->pieces[r->first_piece + r->n_pieces++] = (struct piece){
        .off = off, .n = n, .before = (uint32_t)at, .after = (uint32_t)(in->data.n - at - n)};
    r->n += n;
    reassembly_steps++;
    return true;
}

static struct run *run_new(struct block_pool *pool, struct tcp_side *s, uint64_t off,
                           struct run *before)
{
    static uint32_t turn = 0x9e3779b9u;
    size_t got;
    struct run *r = block_get(pool, RUN_BLOCK, &got);

    if (!r)
        return NULL;
    *r = (struct run){.off = off};
    r->pieces = r->own;
    r->cap_pieces = LEN(r->own);
    turn ^= turn << 13;
    turn ^= turn >> 17;
    turn ^= turn << 5;
    r->priority = turn;
    run_link(s, r, before);
    return r;
}

/* Does the newer segment's data replace what `old` brought? The edges are those of whole segments.
 * Table of the systems: Novak and Sturges, "Target-Based TCP Stream Reassembly" (2007). */
static bool new_wins(uint8_t os, const struct piece *old, const struct insert *in)
{
    uint64_t ol = old->off - old->before, or_ = old->off + old->n + old->after;
    uint64_t nl = in->off, nr = in->off + in->data.n;
    bool solaris = os == OS_SOLARIS || os == OS_OLD_SOLARIS || os == OS_HPUX11;

    if (os == OS_LAST)
        return true;
    if (os == OS_FIRST || os == OS_VISTA)
        return false;
    if (nl == ol)
        return nr >= or_ && (solaris || os == OS_OLD_LINUX || (os == OS_LINUX && nr > or_));
    if (nl < ol)
        return solaris ? nr >= or_ : true;
    return nr > or_ && solaris;
}

/* What r already holds of [cur, end). */
static uint64_t overlap(struct run *r, const struct insert *in, uint64_t cur, uint64_t end,
                        bool *differs)
{
    struct piece *p = r->pieces + r->first_piece;
    uint32_t lo = 0, hi = r->n_pieces;

    if (end > run_end(r))
        end = run_end(r);
    while (lo + 1 < hi) {
        uint32_t mid = (lo + hi) / 2;
        if (p[mid].off <= cur)
            lo = mid;
        else
            hi = mid;
    }
    for (; lo < r->n_pieces && p[lo].off < end; lo++) {
        uint64_t from = p[lo].off > cur ? p[lo].off : cur;
        uint64_t to = p[lo].off + p[lo].n < end ? p[lo].off + p[lo].n : end;
        uint8_t *have = r->data + r->head + (size_t)(from - r->off);
        const uint8_t *got = in->data.p + (size_t)(from - in->off);
        reassembly_steps++;
        if (from >= to)
            continue;
        if (in->check && memcmp(have, got, (size_t)(to - from)) != 0)
            *differs = true;
        if (!in->keep_old && new_wins(in->os, &p[lo], in))
            memcpy(have, got, (size_t)(to - from));
    }
    return end;
}

static void count_regions(struct tcp_side *s)
{
    enum { REGION_GAP = 262144, LOOK_AT = 16 };
    uint32_t n = 1;
    int left = LOOK_AT;

    for (const struct run *r = s->first; r && r->next && left-- > 0; r = r->next)
        if (r->next->off - run_end(r) > REGION_GAP)
            n++;
    if (n > s->max_regions)
        s->max_regions = n;
}

static enum insert_result insert_slow(struct block_pool *pool, struct tcp_side *s,
                                      const struct insert *in)
{
    uint64_t cur = in->off, end = in->off + in->data.n;
    struct run *r = run_floor(s, cur);
    enum insert_result result = INSERT_OK;

    while (cur < end) {
        struct run *next = r ? r->next : s->first;
        uint64_t hole;
        if (r && run_end(r) > cur) {
            bool differs = false;
            cur = overlap(r, in, cur, end, &differs);
            if (differs)
                result = INSERT_DIFFERENT;
            else if (result == INSERT_OK)
                result = INSERT_OVERLAP;
            continue;
        }
        if (next && next->off <= cur) {
            r = next;
            continue;
        }
        hole = next && next->off < end ? next->off : end;
        if (!r || run_end(r) != cur) {
            if (s->n_runs >= in->max_runs)
                return INSERT_TOO_MANY;
            r = run_new(pool, s, cur, r);
            if (!r)
                return INSERT_NO_MEMORY;
        }
        if (!run_append(pool, r, in, cur, (uint32_t)(hole - cur))) {
            if (r->n == 0)
                run_free(pool, s, r);
            return INSERT_NO_MEMORY;
        }
        cur = hole;
    }
    if (s->n_runs > 1)
        count_regions(s);
    return result;
}

enum insert_result reassembly_insert(struct block_pool *pool, struct tcp_side *s,
                                     const struct insert *in)
{
    struct run *last = s->last;
    enum insert_result result = INSERT_OK;

    if (in->data.n == 0)
        return INSERT_OK;
    must(in->off >= s->base);
    if (!last && in->off == s->base) {
        last = run_new(pool, s, in->off, NULL);
        if (!last)
            return INSERT_NO_MEMORY;
    }
    if (LIKELY(last && run_end(last) == in->off)) {
        if (!run_append(pool, last, in, in->off, (uint32_t)in->data.n)) {
            if (last->n == 0)
                run_free(pool, s, last);
            return INSERT_NO_MEMORY;
        }
    } else {
        result = insert_slow(pool, s, in);
    }
    if (result < INSERT_NO_MEMORY && in->off + in->data.n > s->edge)
        s->edge = in->off + in->data.n;
    return result;
}

/* Moves the runs that touch r into it. */
static void gather(struct block_pool *pool, struct tcp_side *s, struct run *r)
{
    while (r->next && r->next->off == run_end(r)) {
        struct run *n = r->next;
        if (!piece_reserve(pool, r, n->n_pieces) || !run_reserve(pool, r, n->n))
            return;
        memcpy(r->data + r->head + r->n, n->data + n->head, n->n);
        memcpy(r->pieces + r->first_piece + r->n_pieces, n->pieces + n->first_piece,
               n->n_pieces * sizeof(struct piece));
        reassembly_steps += n->n_pieces + n->n;
        r->n += n->n;
        r->n_pieces += n->n_pieces;
        run_free(pool, s, n);
    }
}

struct span reassembly_at(struct block_pool *pool, struct tcp_side *s, uint64_t off,
                          uint64_t *ret_gap)
{
    struct run *r = s->first && !s->first->next ? s->first : run_floor(s, off);

    *ret_gap = 0;
    if (r && r->off > off) { /* one run, behind a hole */
        *ret_gap = r->off - off;
        return span_of(NULL, 0);
    }
    if (r) {
        gather(pool, s, r);
        if (run_end(r) > off) {
            size_t at = (size_t)(off - r->off);
            return span_of(r->data + r->head + at, r->n - at);
        }
        if (r->next)
            *ret_gap = r->next->off - off;
    } else if (s->first) {
        *ret_gap = s->first->off - off;
    }
    return span_of(NULL, 0);
}

struct span reassembly_from(const struct tcp_side *s, uint64_t off, uint64_t *ret_off)
{
    const struct run *r = run_floor(s, off);

    if (!r || run_end(r) <= off)
        r = r ? r->next : s->first;
    *ret_off = off;
    if (!r)
        return span_of(NULL, 0);
    if (r->off > off)
        *ret_off = r->off;
    return span_of(r->data + r->head + (size_t)(*ret_off - r->off),
                   (size_t)(run_end(r) - *ret_off));
}

static void drop_pieces(struct run *r)
{
    while (r->n_pieces) {
        struct piece *p = &r->pieces[r->first_piece];
        if (p->off + p->n > r->off) {
            if (p->off < r->off) {
                uint32_t cut = (uint32_t)(r->off - p->off);
                p->off += cut;
                p->n -= cut;
                p->before += cut;
            }
            return;
        }
        r->first_piece++;
        r->n_pieces--;
        reassembly_steps++;
    }
    r->first_piece = 0;
}

void reassembly_drop(struct block_pool *pool, struct tcp_side *s, uint64_t off)
{
    struct run *r;

    if (off <= s->base)
        return;
    while ((r = s->first) && r->off < off) {
        uint32_t cut;
        if (run_end(r) <= off) {
            run_free(pool, s, r);
            continue;
        }
        cut = (uint32_t)(off - r->off);
        /* The treap's order stays: no other run begins in between. */
        r->off += cut;
        r->head += cut;
        r->n -= cut;
        drop_pieces(r);
        break;
    }
    s->base_seq += (uint32_t)(off - s->base);
    s->base = off;
}

void reassembly_clear(struct block_pool *pool, struct tcp_side *s)
{
    while (s->first)
        run_free(pool, s, s->first);
}
