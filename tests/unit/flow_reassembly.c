/* SPDX-License-Identifier: Apache-2.0 */
/* Reassembly alone: any segmentation, order and duplication of a byte stream gives that stream
 * again; overlaps go as each system's policy says; the cost is linear. */
#include "base/mem.h"
#include "flow/reassembly.h"

#include "unit.h"

static uint32_t state;

static uint32_t draw(uint32_t n)
{
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return state % n;
}

static enum insert_result put(struct block_pool *pool, struct tcp_side *s, uint64_t off,
                              struct span data, uint8_t os)
{
    const struct insert in = {.off = off, .data = data, .os = os, .max_runs = 1u << 20};

    return reassembly_insert(pool, s, &in);
}

static void clear(struct block_pool *pool, struct tcp_side *s)
{
    reassembly_clear(pool, s);
    CHECK(pool->used == 0 && s->n_runs == 0 && !s->root && !s->first && !s->last);
    block_pool_free(pool);
}

/* The runs are in order, do not overlap, and the treap holds the same. */
static bool sound(const struct tcp_side *s)
{
    uint32_t n = 0;

    for (const struct run *r = s->first; r; r = r->next, n++) {
        uint64_t at = r->off;
        if (r->prev && r->prev->off + r->prev->n > r->off)
            return false;
        if (r->parent ? r->parent->left != r && r->parent->right != r : s->root != r)
            return false;
        if (r->parent && r->parent->priority < r->priority)
            return false;
        for (uint32_t i = 0; i < r->n_pieces; i++) {
            const struct piece *p = &r->pieces[r->first_piece + i];
            if (p->off != at || p->n == 0)
                return false;
            at += p->n;
        }
        if (at != r->off + r->n)
            return false;
    }
    return n == s->n_runs;
}

static void any_order(uint32_t seed)
{
    enum { N = 6000, SEGMENTS = 900 };
    static uint8_t bytes[N];
    static struct {
        uint32_t off, n;
    } seg[SEGMENTS];
    struct block_pool pool;
    struct tcp_side s = {.base_seq = 7};
    uint32_t n = 0, at = 0;
    uint64_t done = 0, hole;
    bool equal = true, ok = true;

    state = seed * 2654435761u + 1;
    block_pool_init(&pool, 64u << 20);
    for (uint32_t i = 0; i < N; i++)
        bytes[i] = (uint8_t)draw(256);
    while (at < N && n < SEGMENTS) {
        uint32_t len = 1 + draw(draw(4) ? 20 : 200);
        if (len > N - at)
            len = N - at;
        seg[n].off = at;
        seg[n++].n = len;
        at += len;
    }
    const uint32_t whole = at, distinct = n;
    while (n < SEGMENTS && draw(20)) { /* duplicates and overlaps with the same bytes */
        seg[n].off = draw(whole);
        seg[n].n = 1 + draw(300);
        if (seg[n].n > whole - seg[n].off)
            seg[n].n = whole - seg[n].off;
        n++;
    }
    for (uint32_t i = n - 1; i > 0; i--) {
        uint32_t j = draw(i + 1), o = seg[i].off, l = seg[i].n;
        seg[i] = seg[j];
        seg[j].off = o;
        seg[j].n = l;
    }
    CHECK(distinct > 100);
    for (uint32_t i = 0; i < n; i++) {
        uint64_t off = seg[i].off, len = seg[i].n;
        struct span got;
        if (off + len <= s.base)
            continue;
        if (off < s.base) {
            len -= s.base - off;
            off = s.base;
        }
        ok = ok &&
             put(&pool, &s, off, span_of(bytes + off, len), (uint8_t)draw(15)) <= INSERT_OVERLAP;
        got = reassembly_at(&pool, &s, done, &hole);
        if (got.n && draw(3)) { /* a reader that takes some */
            size_t take = 1 + draw((uint32_t)got.n);
            equal = equal && memcmp(got.p, bytes + done, take) == 0;
            done += take;
            if (draw(2))
                reassembly_drop(&pool, &s, done);
        }
        ok = ok && sound(&s);
    }
    struct span got = reassembly_at(&pool, &s, done, &hole);
    CHECK(ok && equal && hole == 0);
    CHECK(done + got.n == whole && (got.n == 0 || memcmp(got.p, bytes + done, got.n) == 0));
    CHECK(s.edge == whole);
    reassembly_drop(&pool, &s, whole);
    CHECK(pool.used == 0 && s.base == whole && s.base_seq == 7 + whole);
    clear(&pool, &s);
}

/* The old segment's bytes are 'o', the new one's 'n'; what is in the stream afterwards. */
static const char *outcome(uint8_t os, uint64_t old, size_t old_n, uint64_t new, size_t new_n)
{
    static char text[32];
    struct block_pool pool;
    struct tcp_side s = {0};
    uint64_t at = old < new ? old : new, hole;

    block_pool_init(&pool, 1u << 20);
    put(&pool, &s, old, span_cut(SPAN("oooooooooooooooo"), 0, old_n), os);
    put(&pool, &s, new, span_cut(SPAN("nnnnnnnnnnnnnnnn"), 0, new_n), os);
    span_copy(reassembly_at(&pool, &s, at, &hole), text, sizeof(text));
    clear(&pool, &s);
    return text;
}

static void policies(void)
{
    /* the new one begins before and ends within */
    CHECK_STR(outcome(OS_BSD, 14, 4, 12, 4), "nnnnoo");
    CHECK_STR(outcome(OS_LINUX, 14, 4, 12, 4), "nnnnoo");
    CHECK_STR(outcome(OS_WINDOWS, 14, 4, 12, 4), "nnnnoo");
    CHECK_STR(outcome(OS_SOLARIS, 14, 4, 12, 4), "nnoooo");
    CHECK_STR(outcome(OS_FIRST, 14, 4, 12, 4), "nnoooo");
    CHECK_STR(outcome(OS_VISTA, 14, 4, 12, 4), "nnoooo");
    CHECK_STR(outcome(OS_LAST, 14, 4, 12, 4), "nnnnoo");
    /* begins with it, ends after */
    CHECK_STR(outcome(OS_BSD, 12, 2, 12, 4), "oonn");
    CHECK_STR(outcome(OS_LINUX, 12, 2, 12, 4), "nnnn");
    CHECK_STR(outcome(OS_OLD_LINUX, 12, 2, 12, 4), "nnnn");
    CHECK_STR(outcome(OS_WINDOWS, 12, 2, 12, 4), "oonn");
    /* the very same range */
    CHECK_STR(outcome(OS_LINUX, 12, 4, 12, 4), "oooo");
    CHECK_STR(outcome(OS_OLD_LINUX, 12, 4, 12, 4), "nnnn");
    CHECK_STR(outcome(OS_HPUX11, 12, 4, 12, 4), "nnnn");
    CHECK_STR(outcome(OS_MACOS, 12, 4, 12, 4), "oooo");
    /* begins within, ends after */
    CHECK_STR(outcome(OS_BSD, 12, 4, 14, 4), "oooonn");
    CHECK_STR(outcome(OS_SOLARIS, 12, 4, 14, 4), "oonnnn");
    CHECK_STR(outcome(OS_LAST, 12, 4, 14, 4), "oonnnn");
    /* swallows it */
    CHECK_STR(outcome(OS_SOLARIS, 14, 2, 12, 6), "nnnnnn");
    CHECK_STR(outcome(OS_FIRST, 14, 2, 12, 6), "nnoonn");
    /* lies within */
    CHECK_STR(outcome(OS_SOLARIS, 12, 6, 14, 2), "oooooo");
    CHECK_STR(outcome(OS_LAST, 12, 6, 14, 2), "oonnoo");
}

static void differing_data(void)
{
    struct block_pool pool;
    struct tcp_side s = {0};
    struct insert in = {.data = SPAN("abcdef"), .max_runs = 16, .check = true};

    block_pool_init(&pool, 1u << 20);
    CHECK(reassembly_insert(&pool, &s, &in) == INSERT_OK);
    in.data = SPAN("abc");
    CHECK(reassembly_insert(&pool, &s, &in) == INSERT_OVERLAP);
    in.data = SPAN("abX");
    CHECK(reassembly_insert(&pool, &s, &in) == INSERT_DIFFERENT);
    clear(&pool, &s);
}

enum shape { IN_ORDER, BACKWARDS, EVERY_SECOND, RANDOM, SHAPES };

/* Steps for n one-byte segments in an order that hurts. */
static uint64_t steps(enum shape shape, uint32_t n)
{
    struct block_pool pool;
    struct tcp_side s = {0};
    uint64_t before = reassembly_steps, hole;

    block_pool_init(&pool, 512u << 20);
    state = 4711;
    for (uint32_t i = 0; i < n; i++) {
        uint64_t off = i;
        if (shape == BACKWARDS)
            off = n - 1 - i;
        else if (shape == EVERY_SECOND)
            off = i < n / 2 ? 2 * i + 1 : 2 * (i - n / 2);
        else if (shape == RANDOM)
            off = draw(2 * n);
        put(&pool, &s, off, SPAN("x"), OS_LINUX);
        reassembly_at(&pool, &s, 0, &hole);
    }
    reassembly_drop(&pool, &s, s.edge);
    uint64_t took = reassembly_steps - before;
    clear(&pool, &s);
    return took;
}

static void linear_cost(void)
{
    for (int shape = 0; shape < SHAPES; shape++) {
        uint64_t one = steps(shape, 20000), two = steps(shape, 40000);
        if (two * 10 > one * 22)
            fprintf(stderr, "shape %d: %llu, %llu\n", shape, (unsigned long long)one,
                    (unsigned long long)two);
        CHECK(two * 10 <= one * 22);
    }
}

static void pool_ceiling(void)
{
    struct block_pool pool;
    void *kept[64];
    size_t n = 0, bytes;

    block_pool_init(&pool, 4096);
    while (n < 64 && (kept[n] = block_get(&pool, 100, &bytes)))
        n++;
    CHECK(n == 32 && bytes == 128 && pool.refused == 1);
    for (size_t i = 0; i < n; i++)
        block_put(&pool, kept[i], 128);
    CHECK(pool.used == 0 && pool.held == 4096);
    kept[0] = block_get(&pool, 4000, &bytes); /* spare blocks of another size make room */
    CHECK(kept[0] && bytes == 4096 && pool.held == 0);
    block_put(&pool, kept[0], bytes);
    CHECK(!block_get(&pool, (size_t)1 << 40, &bytes));
    block_pool_free(&pool);
}

int main(void)
{
    for (uint32_t seed = 1; seed <= 60; seed++)
        any_order(seed);
    policies();
    differing_data();
    linear_cost();
    pool_ceiling();
    return unit_end();
}
