/* SPDX-License-Identifier: Apache-2.0 */
/* SipHash (Aumasson, Bernstein: "SipHash: a fast short-input PRF", 2012) with 1 compression and 3
 * finalisation rounds, as hash tables use it. */
#include "base/hash.h"

#include "base/rd.h"

#include <stdlib.h>
#include <sys/random.h>

static uint64_t hash_k0 = 0x0706050403020100u, hash_k1 = 0x0f0e0d0c0b0a0908u;

void hash_seed_random(void)
{
    uint64_t k[2];

    must(getrandom(k, sizeof(k), 0) == (ssize_t)sizeof(k));
    hash_k0 = k[0];
    hash_k1 = k[1];
}

struct sip {
    uint64_t a, b, c, d;
};

static inline uint64_t rotl(uint64_t x, unsigned n)
{
    return x << n | x >> (64 - n);
}

static inline void sip_round(struct sip *s)
{
    s->a += s->b;
    s->b = rotl(s->b, 13) ^ s->a;
    s->a = rotl(s->a, 32);
    s->c += s->d;
    s->d = rotl(s->d, 16) ^ s->c;
    s->a += s->d;
    s->d = rotl(s->d, 21) ^ s->a;
    s->c += s->b;
    s->b = rotl(s->b, 17) ^ s->c;
    s->c = rotl(s->c, 32);
}

uint64_t hash_bytes_key(uint64_t k0, uint64_t k1, const void *data, size_t n)
{
    const uint8_t *p = data;
    struct sip s = {0x736f6d6570736575u ^ k0, 0x646f72616e646f6du ^ k1, 0x6c7967656e657261u ^ k0,
                    0x7465646279746573u ^ k1};
    uint64_t last = (uint64_t)n << 56;

    for (; n >= 8; n -= 8, p += 8) {
        uint64_t m = le64(p);
        s.d ^= m;
        sip_round(&s);
        s.a ^= m;
    }
    for (size_t i = 0; i < n; i++)
        last |= (uint64_t)p[i] << (8 * i);
    s.d ^= last;
    sip_round(&s);
    s.a ^= last;
    s.c ^= 0xff;
    sip_round(&s);
    sip_round(&s);
    sip_round(&s);
    return s.a ^ s.b ^ s.c ^ s.d;
}

uint64_t hash_bytes(const void *p, size_t n)
{
    return hash_bytes_key(hash_k0, hash_k1, p, n);
}
