/* SPDX-License-Identifier: Apache-2.0 */
/* The indices only grow; release on the own index publishes the slot, acquire on the other's sees
 * it. */
#include "base/ring.h"

#include "base/mem.h"
#include "base/must.h"

void ring_init(struct ring *r, size_t slots)
{
    size_t n = 2;

    while (n < slots)
        n *= 2;
    r->slots = mem_array(n, sizeof(*r->slots));
    r->mask = n - 1;
    atomic_init(&r->head, 0);
    atomic_init(&r->tail, 0);
}

void ring_free(struct ring *r)
{
    mem_free(r->slots);
    r->slots = NULL;
}

bool ring_put(struct ring *r, void *p)
{
    size_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);

    must(p);
    if (tail - atomic_load_explicit(&r->head, memory_order_acquire) > r->mask)
        return false;
    r->slots[tail & r->mask] = p;
    atomic_store_explicit(&r->tail, tail + 1, memory_order_release);
    return true;
}

void *ring_get(struct ring *r)
{
    size_t head = atomic_load_explicit(&r->head, memory_order_relaxed);

    if (head == atomic_load_explicit(&r->tail, memory_order_acquire))
        return NULL;
    void *p = r->slots[head & r->mask];
    atomic_store_explicit(&r->head, head + 1, memory_order_release);
    return p;
}

size_t ring_count(struct ring *r)
{
    return atomic_load_explicit(&r->tail, memory_order_acquire) -
           atomic_load_explicit(&r->head, memory_order_acquire);
}
