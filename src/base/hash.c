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

static inline uint64_t rotl(uint64_t x, unsigned n)
{
    return x << n | x >> (64 - n);
}

static inline void sip_round(struct hash_stream *s)
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

void hash_begin(struct hash_stream *h, uint64_t k0, uint64_t k1)
{
    *h = (struct hash_stream){.a = 0x736f6d6570736575u ^ k0,
                              .b = 0x646f72616e646f6du ^ k1,
                              .c = 0x6c7967656e657261u ^ k0,
                              .d = 0x7465646279746573u ^ k1};
}

static inline void sip_word(struct hash_stream *h, uint64_t m)
{
    h->d ^= m;
    sip_round(h);
    h->a ^= m;
}

void hash_add(struct hash_stream *h, const void *data, size_t n)
{
    const uint8_t *p = data;
    struct hash_stream s = *h; /* in registers */

    for (; n && s.n % 8; n--, p++) {
        s.tail |= (uint64_t)*p << (8 * (s.n % 8));
        if (++s.n % 8 == 0) {
            sip_word(&s, s.tail);
            s.tail = 0;
        }
    }
    s.n += n;
    for (; n >= 8; n -= 8, p += 8)
        sip_word(&s, le64(p));
    for (size_t i = 0; i < n; i++)
        s.tail |= (uint64_t)p[i] << (8 * i);
    *h = s;
}

uint64_t hash_end(struct hash_stream *h)
{
    sip_word(h, h->tail | h->n << 56);
    h->c ^= 0xff;
    sip_round(h);
    sip_round(h);
    sip_round(h);
    return h->a ^ h->b ^ h->c ^ h->d;
}

uint64_t hash_bytes_key(uint64_t k0, uint64_t k1, const void *data, size_t n)
{
    struct hash_stream s;

    hash_begin(&s, k0, k1);
    hash_add(&s, data, n);
    return hash_end(&s);
}

uint64_t hash_bytes(const void *p, size_t n)
{
    return hash_bytes_key(hash_k0, hash_k1, p, n);
}
