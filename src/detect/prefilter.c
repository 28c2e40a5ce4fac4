/* SPDX-License-Identifier: Apache-2.0 */
/* Building and running prefilters. Equal patterns are compiled once and carry a list of rules.
 * Patterns are only a necessary condition, so a long one may be cut: the matcher decides. */
#include "detect/prefilter.h"

#include "base/hash.h"
#include "base/mem.h"
#include "base/must.h"
#include "detect/cache.h"

enum {
    SUFFIX_MAX = 64, /* longer end patterns are cut to their last bytes */
    BLOOM_BITS = 1 << 15,
};

struct suffix {
    uint64_t hash;
    uint32_t first, n; /* rules */
};

struct prefilter {
    hs_database_t *db;
    uint32_t *starts; /* of pattern i: rules[starts[i]] … rules[starts[i + 1]] */
    uint32_t *rules;
    uint32_t n_literals;
    size_t min_length; /* of the literals */
    /* end patterns: open addressing over a power of two, hash 0 is a free place */
    struct suffix *table;
    uint32_t table_mask;
    uint32_t *suffix_rules;
    uint64_t lengths; /* bit per length 1..64 (bit length - 1) that occurs */
    uint64_t *bloom;
    size_t bytes;
};

void candidates_init(struct candidates *c, uint32_t n_rules)
{
    *c = (struct candidates){.n_rules = n_rules};
    c->list = mem_array(n_rules + 1, sizeof(*c->list));
    c->bits = mem_zero((n_rules / 64 + 1) * sizeof(*c->bits));
}

void candidates_free(struct candidates *c)
{
    mem_free(c->list);
    mem_free(c->bits);
    *c = (struct candidates){0};
}

void candidates_clear(struct candidates *c)
{
    for (uint32_t i = 0; i < c->n; i++)
        c->bits[c->list[i] >> 6] = 0;
    c->n = 0;
}

void candidates_sort(struct candidates *c)
{
    uint32_t *l = c->list;

    if (c->n > 96) { /* the bits are in order already */
        uint32_t n = 0;
        for (uint32_t w = 0; w <= c->n_rules / 64; w++)
            for (uint64_t b = c->bits[w]; b; b &= b - 1)
                l[n++] = w * 64 + (uint32_t)__builtin_ctzll(b);
        return;
    }
    for (uint32_t i = 1; i < c->n; i++) {
        uint32_t x = l[i], k = i;
        for (; k > 0 && l[k - 1] > x; k--)
            l[k] = l[k - 1];
        l[k] = x;
    }
}

/* Multiplicative hash that grows by one byte towards the front. */
static ALWAYS_INLINE uint64_t suffix_step(uint64_t h, uint8_t c)
{
    return (h ^ ascii_lower(c)) * 0x9e3779b97f4a7c15u;
}

static ALWAYS_INLINE uint64_t suffix_end(uint64_t h, size_t n)
{
    h = (h ^ (h >> 29)) + n;
    return h ? h : 1;
}

static uint64_t suffix_hash(struct span s)
{
    uint64_t h = 0;

    for (size_t i = s.n; i-- > 0;)
        h = suffix_step(h, s.p[i]);
    return suffix_end(h, s.n);
}

static int pattern_order(const void *a, const void *b)
{
    const struct pattern *x = a, *y = b;

    if (x->nocase != y->nocase)
        return x->nocase ? 1 : -1;
    int c = span_cmp(x->bytes, y->bytes);
    if (c)
        return c;
    return x->rule < y->rule ? -1 : x->rule > y->rule;
}

struct hashed {
    uint64_t hash;
    uint32_t rule;
};

static int hashed_order(const void *a, const void *b)
{
    const struct hashed *x = a, *y = b;

    if (x->hash != y->hash)
        return x->hash < y->hash ? -1 : 1;
    return x->rule < y->rule ? -1 : x->rule > y->rule;
}

static void suffix_insert(struct prefilter *f, uint64_t hash, uint32_t first, uint32_t n)
{
    uint32_t at = (uint32_t)(hash >> 20) & f->table_mask;

    while (f->table[at].hash)
        at = (at + 1) & f->table_mask;
    f->table[at] = (struct suffix){hash, first, n};
    uint32_t bit = (uint32_t)(hash >> 40) & (BLOOM_BITS - 1);
    f->bloom[bit >> 6] |= (uint64_t)1 << (bit & 63);
}

static void build_suffixes(struct prefilter *f, const struct pattern *patterns, size_t n)
{
    struct hashed *h = mem_array(n, sizeof(*h));
    uint32_t size = 16;

    while (size < 2 * n)
        size *= 2;
    f->table = mem_zero(size * sizeof(*f->table));
    f->table_mask = size - 1;
    f->bloom = mem_zero(BLOOM_BITS / 8);
    f->suffix_rules = mem_array(n, sizeof(*f->suffix_rules));
    f->bytes += size * sizeof(*f->table) + BLOOM_BITS / 8 + n * sizeof(uint32_t);
    for (size_t i = 0; i < n; i++) {
        struct span s = patterns[i].bytes;
        if (s.n > SUFFIX_MAX)
            s = span_from(s, s.n - SUFFIX_MAX);
        f->lengths |= (uint64_t)1 << (s.n - 1);
        h[i] = (struct hashed){suffix_hash(s), patterns[i].rule};
    }
    qsort(h, n, sizeof(*h), hashed_order);
    for (size_t i = 0, first = 0; i < n; i++) {
        f->suffix_rules[i] = h[i].rule;
        if (i + 1 == n || h[i + 1].hash != h[i].hash) {
            suffix_insert(f, h[i].hash, (uint32_t)first, (uint32_t)(i + 1 - first));
            first = i + 1;
        }
    }
    mem_free(h);
}

static bool compile(struct prefilter *f, const struct pattern *p, size_t n, const char *cache_dir,
                    struct err *e)
{
    const char **texts = mem_array(n, sizeof(*texts));
    size_t *lengths = mem_array(n, sizeof(*lengths));
    unsigned *flags = mem_array(n, sizeof(*flags)), *ids = mem_array(n, sizeof(*ids));
    uint32_t k = 0;

    f->starts = mem_array(n + 1, sizeof(*f->starts));
    f->rules = mem_array(n, sizeof(*f->rules));
    f->bytes += (2 * n + 1) * sizeof(uint32_t);
    f->min_length = SIZE_MAX;
    for (size_t i = 0; i < n; i++) {
        f->rules[i] = p[i].rule;
        if (i && p[i].nocase == p[i - 1].nocase && span_eq(p[i].bytes, p[i - 1].bytes))
            continue;
        f->starts[k] = (uint32_t)i;
        texts[k] = (const char *)p[i].bytes.p;
        lengths[k] = p[i].bytes.n;
        flags[k] = HS_FLAG_SINGLEMATCH | (p[i].nocase ? HS_FLAG_CASELESS : 0);
        ids[k] = k;
        f->min_length = min_size(f->min_length, p[i].bytes.n);
        k++;
    }
    f->starts[k] = (uint32_t)n;
    f->n_literals = k;
    bool ok = cache_compile(&(struct cache_literals){texts, lengths, flags, ids, k}, cache_dir,
                            &f->db, e);
    mem_free(texts);
    mem_free(lengths);
    mem_free(flags);
    mem_free(ids);
    size_t size = 0;
    if (ok && hs_database_size(f->db, &size) == HS_SUCCESS)
        f->bytes += size;
    return ok;
}

bool prefilter_build(const struct pattern *patterns, size_t n, const char *cache_dir,
                     struct prefilter **ret, struct err *e)
{
    struct prefilter *f = mem_zero(sizeof(*f));
    struct pattern *literals = mem_array(n + 1, sizeof(*literals));
    struct pattern *ends = mem_array(n + 1, sizeof(*ends));
    size_t n_literals = 0, n_ends = 0;
    bool ok = true;

    *ret = NULL;
    for (size_t i = 0; i < n; i++) {
        must(patterns[i].bytes.n > 0);
        if (patterns[i].at_end)
            ends[n_ends++] = patterns[i];
        else
            literals[n_literals++] = patterns[i];
    }
    f->bytes = sizeof(*f);
    if (n_ends)
        build_suffixes(f, ends, n_ends);
    if (n_literals) {
        qsort(literals, n_literals, sizeof(*literals), pattern_order);
        ok = compile(f, literals, n_literals, cache_dir, e);
    }
    mem_free(literals);
    mem_free(ends);
    if (!ok) {
        prefilter_free(f);
        return false;
    }
    *ret = f;
    return true;
}

void prefilter_free(struct prefilter *f)
{
    if (!f)
        return;
    hs_free_database(f->db);
    mem_free(f->starts);
    mem_free(f->rules);
    mem_free(f->table);
    mem_free(f->bloom);
    mem_free(f->suffix_rules);
    mem_free(f);
}

bool prefilter_scratch(const struct prefilter *f, hs_scratch_t **scratch, struct err *e)
{
    if (f->db && hs_alloc_scratch(f->db, scratch) != HS_SUCCESS)
        return err_set(e, ERR_INTERNAL, "no scratch memory for the pattern matcher");
    return true;
}

size_t prefilter_bytes(const struct prefilter *f)
{
    return f->bytes;
}

static void suffix_found(const struct prefilter *f, uint64_t hash, struct candidates *c)
{
    uint32_t at = (uint32_t)(hash >> 20) & f->table_mask;

    for (; f->table[at].hash; at = (at + 1) & f->table_mask) {
        const struct suffix *s = &f->table[at];
        if (s->hash != hash)
            continue;
        for (uint32_t i = 0; i < s->n; i++)
            candidates_add(c, f->suffix_rules[s->first + i]);
        return;
    }
}

static void suffix_scan(const struct prefilter *f, struct span data, struct candidates *c)
{
    uint64_t h = 0, lengths = f->lengths;

    for (size_t n = 1; lengths && n <= data.n; n++, lengths >>= 1) {
        h = suffix_step(h, data.p[data.n - n]);
        if (!(lengths & 1))
            continue;
        uint64_t hash = suffix_end(h, n);
        uint32_t bit = (uint32_t)(hash >> 40) & (BLOOM_BITS - 1);
        if (f->bloom[bit >> 6] >> (bit & 63) & 1)
            suffix_found(f, hash, c);
    }
}

struct scan {
    const struct prefilter *f;
    struct candidates *c;
};

static int literal_found(unsigned id, unsigned long long from, unsigned long long to,
                         unsigned flags, void *user)
{
    const struct scan *s = user;
    const struct prefilter *f = s->f;

    (void)from, (void)to, (void)flags;
    for (uint32_t i = f->starts[id]; i < f->starts[id + 1]; i++)
        candidates_add(s->c, f->rules[i]);
    return 0;
}

void prefilter_scan(const struct prefilter *f, struct span data, hs_scratch_t *scratch,
                    struct candidates *c)
{
    if (f->table)
        suffix_scan(f, data, c);
    if (!f->db || data.n < f->min_length || data.n > UINT32_MAX)
        return;
    struct scan s = {f, c};
    hs_error_t r =
        hs_scan(f->db, (const char *)data.p, (unsigned)data.n, 0, scratch, literal_found, &s);
    must(r == HS_SUCCESS);
}
