/* SPDX-License-Identifier: Apache-2.0 */
/* Seeded hashing. Every table that outside bytes can reach is keyed with the process seed (SipHash-
 * 1-3, so that collisions cannot be made to order), and nothing a user sees depends on its order.
 */
#pragma once

#include "base/span.h"

/* Draws the process seed from the kernel. Called once at start; without it the seed is fixed
 * (tests). */
void hash_seed_random(void);
/* SipHash-1-3 with the process seed. */
uint64_t hash_bytes(const void *p, size_t n) PURE;
/* SipHash-1-3 with a given key, for what must be the same in every run. */
uint64_t hash_bytes_key(uint64_t k0, uint64_t k1, const void *p, size_t n) PURE;

/* The same hash of bytes that come in pieces. */
struct hash_stream {
    uint64_t a, b, c, d, n;
    uint64_t tail; /* the last n % 8 bytes, little-endian */
};
void hash_begin(struct hash_stream *h, uint64_t k0, uint64_t k1);
void hash_add(struct hash_stream *h, const void *p, size_t n);
uint64_t hash_end(struct hash_stream *h);

static inline uint64_t hash_span(struct span s)
{
    return hash_bytes(s.p, s.n);
}

/* Finaliser for values that are already well spread or trusted. */
static inline uint64_t hash_mix(uint64_t x)
{
    x ^= x >> 32;
    x *= 0xd6e8feb86659fd93u;
    x ^= x >> 32;
    x *= 0xd6e8feb86659fd93u;
    x ^= x >> 32;
    return x;
}
