/* SPDX-License-Identifier: Apache-2.0 */
/* Free lists by size class. A class that is empty takes from the heap while used + held stay under
 * the ceiling; when they would not, spare blocks of other classes are given back first. */
#include "flow/pool.h"

#include "base/mem.h"
#include "base/must.h"

#include <string.h>

static unsigned class_of(size_t n)
{
    unsigned c = 0;

    while (((size_t)1 << (c + BLOCK_MIN_BITS)) < n)
        c++;
    return c;
}

void block_pool_init(struct block_pool *p, uint64_t max_bytes)
{
    *p = (struct block_pool){.max = max_bytes};
}

static bool give_back_one(struct block_pool *p)
{
    for (unsigned c = BLOCK_CLASSES; c-- > 0;) {
        void *b = p->spare[c];
        if (b) {
            memcpy(&p->spare[c], b, sizeof(void *));
            p->held -= (uint64_t)1 << (c + BLOCK_MIN_BITS);
            mem_free(b);
            return true;
        }
    }
    return false;
}

void block_pool_free(struct block_pool *p)
{
    while (give_back_one(p))
        continue;
    must(p->used == 0);
}

void *block_get(struct block_pool *p, size_t n, size_t *ret_n)
{
    unsigned c = class_of(n);
    size_t size = (size_t)1 << (c + BLOCK_MIN_BITS);
    void *b;

    if (UNLIKELY(c >= BLOCK_CLASSES || p->used + size > p->max)) {
        p->refused++;
        return NULL;
    }
    b = p->spare[c];
    if (LIKELY(b)) {
        memcpy(&p->spare[c], b, sizeof(void *));
        p->held -= size;
    } else {
        while (p->used + p->held + size > p->max && give_back_one(p))
            continue;
        b = mem_try(size);
        if (!b) {
            p->refused++;
            return NULL;
        }
    }
    p->used += size;
    *ret_n = size;
    return b;
}

void block_put(struct block_pool *p, void *block, size_t n)
{
    unsigned c = class_of(n);

    if (!block)
        return;
    must(p->used >= n);
    p->used -= n;
    p->held += n;
    memcpy(block, &p->spare[c], sizeof(void *));
    p->spare[c] = block;
}
