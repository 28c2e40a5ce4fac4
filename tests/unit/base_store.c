/* SPDX-License-Identifier: Apache-2.0 */
/* What holds memory: arenas and their ceilings, growing buffers, hash table, ring, hashing. */
#include "base/arena.h"
#include "base/buf.h"
#include "base/hash.h"
#include "base/htab.h"
#include "base/mem.h"
#include "base/ring.h"

#include "unit.h"

static void arenas(void)
{
    struct arena_pool pool;
    struct arena a, b;

    arena_pool_init(&pool, 100000);
    arena_init(&a, &pool, 60000);
    arena_init(&b, &pool, 90000);
    size_t got = 0;
    for (size_t n = 1; n < 2000; n += 7) {
        uint8_t *p = arena_get(&a, n);
        if (!p)
            break;
        CHECK(((uintptr_t)p & 15) == 0);
        memset(p, 0xaa, n);
        got += n;
    }
    CHECK(got > 20000 && a.bytes <= 60000 && pool.bytes == a.bytes);
    CHECK(arena_get(&a, 70000) == NULL);
    CHECK(arena_get(&b, 80000) == NULL && pool.refused > 0);
    arena_free(&a);
    CHECK(pool.bytes == 0 && arena_get(&b, 80000) != NULL);
    CHECK(span_eq(arena_dup(&b, SPAN("xyz")), SPAN("xyz")));
    CHECK_STR(arena_printf(&b, "%d-%s", 5, "q"), "5-q");
    CHECK_STR(arena_str(&b, SPAN("abc")), "abc");
    arena_free(&b);
    arena_pool_free(&pool);
    arena_init(&a, NULL, 1000);
    uint8_t *z = arena_zero(&a, 600);
    CHECK(z && z[0] == 0 && z[599] == 0 && arena_get(&a, 600) == NULL);
    arena_free(&a);
}

static void buffers(void)
{
    struct buf b = buf_new(10);

    buf_str(&b, "12345");
    buf_u64(&b, 678);
    CHECK(!b.full && b.n == 8);
    buf_str(&b, "xyz");
    CHECK(b.full && b.n == 8);
    buf_drop(&b, 5);
    CHECK(span_eq(buf_span(&b), SPAN("678")));
    buf_clear(&b);
    buf_i64(&b, INT64_MIN);
    CHECK(b.full);
    buf_free(&b);
    b = buf_new(100);
    buf_i64(&b, INT64_MIN);
    buf_byte(&b, ' ');
    buf_u64(&b, UINT64_MAX);
    CHECK_STR(buf_cstr(&b), "-9223372036854775808 18446744073709551615");
    buf_free(&b);
}

struct item {
    struct hnode node;
    uint64_t key;
};

static bool item_equal(const struct hnode *n, const void *key)
{
    uint64_t k;
    memcpy(&k, key, sizeof(k));
    return ((const struct item *)(const void *)n)->key == k;
}

static void tables(void)
{
    enum { N = 1000 };
    struct item *items = mem_array(N, sizeof(*items));
    struct htab h = {0};

    for (uint64_t i = 0; i < N; i++) {
        items[i].key = i;
        htab_add(&h, hash_bytes(&i, sizeof(i)), &items[i].node);
    }
    for (uint64_t i = 0; i < N; i += 2)
        htab_remove(&h, &items[i].node);
    CHECK(h.count == N / 2);
    for (uint64_t i = 0; i < N; i++)
        CHECK((htab_find(&h, hash_bytes(&i, sizeof(i)), item_equal, &i) != NULL) == (i % 2 == 1));
    size_t at = 0, seen = 0;
    for (struct hnode *n = htab_next(&h, &at, NULL); n; n = htab_next(&h, &at, n))
        seen++;
    CHECK(seen == N / 2);
    htab_free(&h);
    mem_free(items);
}

static void rings(void)
{
    struct ring r;
    int x[5];

    ring_init(&r, 4);
    for (size_t i = 0; i < 4; i++)
        CHECK(ring_put(&r, &x[i]));
    CHECK(!ring_put(&r, &x[4]) && ring_count(&r) == 4);
    for (size_t i = 0; i < 4; i++)
        CHECK(ring_get(&r) == &x[i]);
    CHECK(ring_get(&r) == NULL);
    ring_free(&r);
}

int main(void)
{
    arenas();
    buffers();
    tables();
    rings();
    /* In pieces of any size it is the same hash. */
    for (size_t step = 1; step < 20; step++) {
        const char *text = "what comes in pieces must hash as the whole";
        struct hash_stream h;
        size_t n = strlen(text);
        hash_begin(&h, 1, 2);
        for (size_t at = 0; at < n; at += step)
            hash_add(&h, text + at, at + step < n ? step : n - at);
        CHECK(hash_end(&h) == hash_bytes_key(1, 2, text, n));
    }
    /* Key and message of the reference vectors' form: bytes 0..15 as key; distinct inputs differ.
     */
    uint64_t a = hash_bytes("", 0), b = hash_bytes("\0", 1);
    hash_seed_random();
    CHECK(a != b && hash_bytes("", 0) != a);
    return unit_end();
}
