/* SPDX-License-Identifier: Apache-2.0 */
/* Internet addresses by value: 16 bytes, IPv4 in the last four with `family` 4. */
#pragma once

#include "base/span.h"

struct ip {
    uint8_t b[16];  /* IPv4: bytes 12..15, the rest zero */
    uint8_t family; /* 4, 6, or 0 for none */
};

static inline struct ip ip_v4(const uint8_t *p)
{
    struct ip a = {.family = 4};
    memcpy(a.b + 12, p, 4);
    return a;
}

static inline struct ip ip_v6(const uint8_t *p)
{
    struct ip a = {.family = 6};
    memcpy(a.b, p, 16);
    return a;
}

static inline bool ip_eq(const struct ip *a, const struct ip *b)
{
    return a->family == b->family && memcmp(a->b, b->b, 16) == 0;
}

/* By family, then bytes: -1, 0, 1. */
int ip_cmp(const struct ip *a, const struct ip *b);

enum { IP_TEXT = 48 };
/* EVE's form: dotted, or eight full groups of four hex digits; returns the length. */
size_t ip_eve(const struct ip *a, char text[IP_TEXT]);
/* The short form of RFC 5952; returns the length. */
size_t ip_text(const struct ip *a, char text[IP_TEXT]);
/* Reads any common form of one address. */
bool ip_parse(struct span text, struct ip *ret);

struct cidr {
    struct ip ip;
    uint8_t bits; /* of the family: 0..32 or 0..128 */
};
/* "10.0.0.0/8", "10.0.0.0/255.0.0.0", "2001:db8::/32" or one address; host bits are cleared. */
bool cidr_parse(struct span text, struct cidr *ret);
bool cidr_has(const struct cidr *c, const struct ip *a);
/* First and last address of the range. */
void cidr_range(const struct cidr *c, struct ip *ret_first, struct ip *ret_last);
