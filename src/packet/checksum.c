/* SPDX-License-Identifier: Apache-2.0 */
/* Checksums are summed eight bytes at a time in the machine's byte order, which RFC 1071 2(B)
 * allows, and turned round once at the end. */
#include "packet/checksum.h"

#include "base/rd.h"
#include "packet/decode_priv.h"

uint16_t checksum_add(uint32_t sum, struct span s)
{
    uint64_t a = 0, b = 0;
    size_t i = 0;

    for (; i + 16 <= s.n; i += 16) {
        uint64_t x, y;
        memcpy(&x, s.p + i, 8);
        memcpy(&y, s.p + i + 8, 8);
        a += (x & 0xffffffff) + (x >> 32);
        b += (y & 0xffffffff) + (y >> 32);
    }
    a += b;
    for (; i + 2 <= s.n; i += 2) {
        uint16_t x;
        memcpy(&x, s.p + i, 2);
        a += x;
    }
    if (i < s.n) {
        uint8_t last[2] = {s.p[i], 0};
        uint16_t x;
        memcpy(&x, last, 2);
        a += x;
    }
    while (a >> 16)
        a = (a & 0xffff) + (a >> 16);
    uint8_t folded[2];
    uint16_t a16 = (uint16_t)a;
    memcpy(folded, &a16, 2);
    uint32_t all = sum + be16(folded);
    while (all >> 16)
        all = (all & 0xffff) + (all >> 16);
    return (uint16_t)all;
}

bool checksum_ip_ok(const struct packet *p)
{
    if (p->ip_v != 4)
        return true;
    return checksum_add(0, span_of(p->ip, (size_t)(p->ip[0] & 0x0f) * 4)) == 0xffff;
}

static uint16_t pseudo(const struct packet *p, size_t n)
{
    size_t address_n = p->ip_v == 4 ? 4 : 16;
    uint32_t sum = checksum_add(0, span_of(p->src.b + 16 - address_n, address_n));

    sum = checksum_add(sum, span_of(p->dst.b + 16 - address_n, address_n));
    sum += p->proto;
    sum += (uint32_t)(n >> 16) + (uint32_t)(n & 0xffff);
    return checksum_add(sum, (struct span){rd_zeros, 0});
}

bool checksum_l4_ok(const struct packet *p)
{
    struct span s = p->ip_payload;

    if (!p->l4 || p->flags & PKT_FRAGMENT)
        return true;
    switch (p->proto) {
    case PROTO_ICMP:
        return checksum_add(0, s) == 0xffff;
    case PROTO_UDP:
        if (p->ip_v == 4 && be16(p->l4 + 6) == 0)
            return true;
        return checksum_add(pseudo(p, be16(p->l4 + 4)), span_cut(s, 0, be16(p->l4 + 4))) == 0xffff;
    case PROTO_TCP:
    case PROTO_ICMPV6:
        return checksum_add(pseudo(p, s.n), s) == 0xffff;
    default:
        return true;
    }
}
