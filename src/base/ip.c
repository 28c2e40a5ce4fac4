/* SPDX-License-Identifier: Apache-2.0 */
/* Address texts. EVE writes IPv6 uncompressed, people read RFC 5952; both are here. */
#include "base/ip.h"

#include <arpa/inet.h>

int ip_cmp(const struct ip *a, const struct ip *b)
{
    if (a->family != b->family)
        return a->family < b->family ? -1 : 1;
    int c = memcmp(a->b, b->b, 16);
    return (c > 0) - (c < 0);
}

static size_t ip_v4_text(const uint8_t *p, char *text)
{
    size_t n = 0;

    for (size_t i = 0; i < 4; i++) {
        if (i)
            text[n++] = '.';
        if (p[i] >= 100)
            text[n++] = (char)('0' + p[i] / 100);
        if (p[i] >= 10)
            text[n++] = (char)('0' + p[i] / 10 % 10);
        text[n++] = (char)('0' + p[i] % 10);
    }
    text[n] = '\0';
    return n;
}

size_t ip_eve(const struct ip *a, char text[IP_TEXT])
{
    static const char hex[] = "0123456789abcdef";
    size_t n = 0;

    if (a->family != 6)
        return ip_v4_text(a->b + 12, text);
    for (size_t i = 0; i < 16; i++) {
        if (i && i % 2 == 0)
            text[n++] = ':';
        text[n++] = hex[a->b[i] >> 4];
        text[n++] = hex[a->b[i] & 15];
    }
    text[n] = '\0';
    return n;
}

size_t ip_text(const struct ip *a, char text[IP_TEXT])
{
    if (a->family != 6)
        return ip_v4_text(a->b + 12, text);
    if (!inet_ntop(AF_INET6, a->b, text, IP_TEXT))
        text[0] = '\0';
    return strlen(text);
}

bool ip_parse(struct span text, struct ip *ret)
{
    char s[IP_TEXT];
    uint8_t b[16];

    if (text.n == 0 || text.n >= sizeof(s) || memchr(text.p, 0, text.n))
        return false;
    span_copy(text, s, sizeof(s));
    if (inet_pton(AF_INET, s, b) == 1) {
        *ret = ip_v4(b);
        return true;
    }
    if (inet_pton(AF_INET6, s, b) == 1) {
        *ret = ip_v6(b);
        return true;
    }
    return false;
}

/* Bit position 0..128 of the family's first bit inside the 16 bytes. */
static unsigned ip_first_bit(const struct ip *a)
{
    return a->family == 6 ? 0 : 96;
}

static bool mask_bits(const struct ip *mask, uint8_t *ret)
{
    unsigned n = 0;
    bool ended = false;

    for (unsigned i = ip_first_bit(mask); i < 128; i++) {
        bool one = mask->b[i / 8] >> (7 - i % 8) & 1;
        if (one && ended)
            return false;
        ended |= !one;
        n += one;
    }
    *ret = (uint8_t)n;
    return true;
}

bool cidr_parse(struct span text, struct cidr *ret)
{
    struct cidr c;
    struct ip mask;
    uint64_t bits;
    bool has_mask = span_find_byte(text, '/') < text.n;
    struct span address = span_split(&text, '/');

    if (!ip_parse(address, &c.ip))
        return false;
    c.bits = c.ip.family == 6 ? 128 : 32;
    if (has_mask) {
        if (span_u64(text, &bits) && bits <= c.bits)
            c.bits = (uint8_t)bits;
        else if (!ip_parse(text, &mask) || mask.family != c.ip.family || !mask_bits(&mask, &c.bits))
            return false;
    }
    struct ip last;
    cidr_range(&c, &c.ip, &last);
    *ret = c;
    return true;
}

void cidr_range(const struct cidr *c, struct ip *ret_first, struct ip *ret_last)
{
    struct ip first = c->ip, last = c->ip;

    for (unsigned i = ip_first_bit(&c->ip) + c->bits; i < 128; i++) {
        uint8_t bit = (uint8_t)(0x80 >> i % 8);
        first.b[i / 8] &= (uint8_t)~bit;
        last.b[i / 8] |= bit;
    }
    *ret_first = first;
    *ret_last = last;
}

bool cidr_has(const struct cidr *c, const struct ip *a)
{
    if (a->family != c->ip.family)
        return false;
    unsigned from = ip_first_bit(a) / 8, whole = from + c->bits / 8u, rest = c->bits % 8u;

    if (memcmp(a->b + from, c->ip.b + from, whole - from) != 0)
        return false;
    return rest == 0 || (a->b[whole] ^ c->ip.b[whole]) >> (8 - rest) == 0;
}
