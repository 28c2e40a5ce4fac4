/* SPDX-License-Identifier: Apache-2.0 */
/* Single-producer, single-consumer ring of pointers with C11 atomics: how workers hand event
 * buffers to the one output thread. Bounded; a full ring is the producer's to count. */
#pragma once

#include "base/compiler.h"

#include <stdatomic.h>

struct ring {
    void **slots;
    size_t mask;
    _Alignas(64) _Atomic size_t head; /* next to read, the consumer's */
    _Alignas(64) _Atomic size_t tail; /* next to write, the producer's */
};

/* `slots` is rounded up to a power of two. */
void ring_init(struct ring *r, size_t slots);
void ring_free(struct ring *r);
/* False when the ring is full. */
bool ring_put(struct ring *r, void *p) MUST_CHECK;
/* NULL when the ring is empty. */
void *ring_get(struct ring *r);
size_t ring_count(struct ring *r);
