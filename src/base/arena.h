/* SPDX-License-Identifier: Apache-2.0 */
/* Memory by lifetime: worker, flow, transaction, request. An arena takes chunks from a pool (one
 * per worker, not thread-safe) or the heap, has a ceiling from birth and returns NULL at it: the
 * caller's policy decides (a counted verdict). Everything goes at once with arena_reset/free. */
#pragma once

#include "base/span.h"

struct arena_chunk;

/* Chunks of one worker, kept for re-use; `bytes` counts what its arenas hold now. */
struct arena_pool {
    struct arena_chunk *spare[4];
    size_t spare_bytes, bytes, peak_bytes, max_bytes;
    uint64_t refused;
};

struct arena {
    struct arena_chunk *chunks;
    struct arena_pool *pool;
    uint8_t *next, *end;
    size_t bytes, max_bytes;
};

/* max_bytes: the most that all arenas of this pool may hold together. */
void arena_pool_init(struct arena_pool *p, size_t max_bytes);
void arena_pool_free(struct arena_pool *p);

/* pool may be NULL (heap). Nothing is allocated before the first arena_get. */
void arena_init(struct arena *a, struct arena_pool *pool, size_t max_bytes);
/* n bytes aligned to 16, not cleared; NULL at the ceiling of the arena or its pool. */
void *arena_get_slow(struct arena *a, size_t n);
/* Returns all memory. The arena can be used again. */
void arena_free(struct arena *a);

static inline void *arena_get(struct arena *a, size_t n)
{
    size_t want = (n + 15) & ~(size_t)15;
    if (LIKELY(want >= n && want <= (size_t)(a->end - a->next))) {
        void *p = a->next;
        a->next += want;
        return p;
    }
    return arena_get_slow(a, n);
}

/* Cleared memory, or NULL. */
static inline void *arena_zero(struct arena *a, size_t n)
{
    void *p = arena_get(a, n);
    return p ? memset(p, 0, n) : NULL;
}

/* A copy of s; an empty span with p == NULL when there is no room and s is not empty. */
static inline struct span arena_dup(struct arena *a, struct span s)
{
    uint8_t *p = arena_get(a, s.n);
    if (!p)
        return (struct span){NULL, 0};
    if (s.n)
        memcpy(p, s.p, s.n);
    return (struct span){p, s.n};
}

/* A C string copy of s, or NULL. */
char *arena_str(struct arena *a, struct span s);
char *arena_printf(struct arena *a, const char *fmt, ...) PRINTF_LIKE(2, 3);
