/* SPDX-License-Identifier: Apache-2.0 */
/* The decoder of base64.h: four characters at a time, a rest of two or three characters gives one
 * or two bytes. */
#include "detect/base64.h"

static int digit(uint8_t c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

size_t base64_decode_into(uint8_t *out, size_t cap, struct span s, enum base64_mode mode)
{
    size_t n = 0, padding = 0;
    uint32_t bits = 0, have = 0;
    bool clean = true;

    for (size_t i = 0; i < s.n; i++) {
        int d = digit(s.p[i]);
        if (d < 0 || padding) {
            if (s.p[i] == '=' && (have >= 2 || padding)) {
                padding++;
                continue;
            }
            if (mode == BASE64_RFC2045)
                continue;
            clean = false;
            break;
        }
        bits = bits << 6 | (uint32_t)d;
        if (++have < 4)
            continue;
        if (cap - n < 3)
            return n;
        out[n++] = (uint8_t)(bits >> 16);
        out[n++] = (uint8_t)(bits >> 8);
        out[n++] = (uint8_t)bits;
        bits = have = 0;
    }
    if (mode == BASE64_STRICT && (!clean || (have + padding) % 4 || have == 1))
        return 0;
    if (have >= 2 && cap - n >= 2) {
        bits <<= 6 * (4 - have);
        out[n++] = (uint8_t)(bits >> 16);
        if (have == 3)
            out[n++] = (uint8_t)(bits >> 8);
    }
    return n;
}
