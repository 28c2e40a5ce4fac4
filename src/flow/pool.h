/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks of memory in sizes of powers of two, kept for re-use, under one ceiling: what reassembly
 * stores its bytes in. At the ceiling block_get returns NULL and the caller counts a refusal. */
#pragma once

#include "base/compiler.h"

enum { BLOCK_MIN_BITS = 6, BLOCK_CLASSES = 22 };

struct block_pool {
    void *spare[BLOCK_CLASSES];
    uint64_t used, held, max; /* bytes given out, kept spare, and the most of both together */
    uint64_t refused;
};

void block_pool_init(struct block_pool *p, uint64_t max_bytes);
/* Frees what is spare; everything must have been put back. */
void block_pool_free(struct block_pool *p);
/* At least n bytes, not cleared; *ret_n says how many. NULL at the ceiling. */
void *block_get(struct block_pool *p, size_t n, size_t *ret_n);
/* n: as block_get returned it. */
void block_put(struct block_pool *p, void *block, size_t n);
