/* SPDX-License-Identifier: Apache-2.0 */
/* Chunks of 512 B, 4 KiB, 32 KiB and odd sizes; an arena grows through the classes so that a small
 * transaction costs a small chunk and a large one few calls. */
#include "base/arena.h"

#include "base/mem.h"
#include "base/must.h"

#include <stdarg.h>
#include <stdio.h>

#if defined(__SANITIZE_ADDRESS__)
#define ARENA_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_ASAN 1
#endif
#endif

enum { CLASS_COUNT = 3 };
static const size_t class_bytes[CLASS_COUNT] = {512, 4096, 32768};

struct arena_chunk {
    struct arena_chunk *next;
    size_t bytes; /* of the whole chunk, head included */
    uint32_t class;
    uint32_t pad[3];
};

static_assert(sizeof(struct arena_chunk) % 16 == 0, "chunk data stay aligned");

void arena_pool_init(struct arena_pool *p, size_t max_bytes)
{
    *p = (struct arena_pool){.max_bytes = max_bytes};
}

void arena_pool_free(struct arena_pool *p)
{
    for (size_t i = 0; i < CLASS_COUNT; i++) {
        while (p->spare[i]) {
            struct arena_chunk *c = p->spare[i];
            p->spare[i] = c->next;
            mem_free(c);
        }
    }
    p->spare_bytes = 0;
}

void arena_init(struct arena *a, struct arena_pool *pool, size_t max_bytes)
{
    *a = (struct arena){.pool = pool, .max_bytes = max_bytes};
}

static struct arena_chunk *chunk_take(struct arena_pool *p, uint32_t class, size_t bytes)
{
    struct arena_chunk *c = NULL;

    if (p && p->bytes + bytes > p->max_bytes) {
        p->refused++;
        return NULL;
    }
    if (p && class < CLASS_COUNT && p->spare[class]) {
        c = p->spare[class];
        p->spare[class] = c->next;
        p->spare_bytes -= c->bytes;
    } else {
        c = mem_try(bytes);
        if (!c)
            return NULL;
    }
    c->bytes = bytes;
    c->class = class;
    if (p) {
        p->bytes += bytes;
        if (p->bytes > p->peak_bytes)
            p->peak_bytes = p->bytes;
    }
    return c;
}

static void chunk_give(struct arena_pool *p, struct arena_chunk *c)
{
    if (!p) {
        mem_free(c);
        return;
    }
    p->bytes -= c->bytes;
#ifndef ARENA_ASAN
    /* Under ASan chunks go back to the heap, so that use after reset is seen. */
    if (c->class < CLASS_COUNT && p->spare_bytes < (8u << 20)) {
        p->spare_bytes += c->bytes;
        c->next = p->spare[c->class];
        p->spare[c->class] = c;
        return;
    }
#endif
    mem_free(c);
}

void *arena_get_slow(struct arena *a, size_t n)
{
    size_t want = (n + 15) & ~(size_t)15;

    if (want < n || want > a->max_bytes)
        return NULL;
    /* The class after the last chunk's, so that large arenas take few chunks. */
    uint32_t class = a->chunks ? a->chunks->class + 1 : 0;
    if (class >= CLASS_COUNT)
        class = CLASS_COUNT - 1;
    while (class < CLASS_COUNT && class_bytes[class] < want + sizeof(struct arena_chunk))
        class ++;
    size_t bytes = class < CLASS_COUNT ? class_bytes[class] : want + sizeof(struct arena_chunk);
    if (a->bytes + bytes > a->max_bytes) {
        bytes = want + sizeof(struct arena_chunk);
        class = CLASS_COUNT;
        if (a->bytes + bytes > a->max_bytes)
            return NULL;
    }
    struct arena_chunk *c = chunk_take(a->pool, class, bytes);
    if (!c)
        return NULL;
    a->bytes += bytes;
    uint8_t *data = (uint8_t *)(c + 1);
    if (class == CLASS_COUNT && a->chunks) {
        /* An odd chunk is full at once: keep filling the one before it. */
        c->next = a->chunks->next;
        a->chunks->next = c;
        return data;
    }
    c->next = a->chunks;
    a->chunks = c;
    a->next = data + want;
    a->end = (uint8_t *)c + bytes;
    return data;
}

void arena_free(struct arena *a)
{
    while (a->chunks) {
        struct arena_chunk *c = a->chunks;
        a->chunks = c->next;
        chunk_give(a->pool, c);
    }
    a->next = a->end = NULL;
    a->bytes = 0;
}

char *arena_str(struct arena *a, struct span s)
{
    char *p = arena_get(a, s.n + 1);
    if (!p)
        return NULL;
    if (s.n)
        memcpy(p, s.p, s.n);
    p[s.n] = '\0';
    return p;
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
    va_list ap, again;

    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    char *p = n < 0 ? NULL : arena_get(a, (size_t)n + 1);
    if (p)
        vsnprintf(p, (size_t)n + 1, fmt, again);
    va_end(again);
    return p;
}
