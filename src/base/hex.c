/* SPDX-License-Identifier: Apache-2.0 */
/* Table-driven conversions between bytes and text. */
#include "base/hex.h"

static const char hex_digits[] = "0123456789abcdef";
static const char base64_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void hex_add(struct buf *b, struct span s, char separator)
{
    for (size_t i = 0; i < s.n; i++) {
        if (separator && i)
            buf_byte(b, (uint8_t)separator);
        buf_byte(b, (uint8_t)hex_digits[s.p[i] >> 4]);
        buf_byte(b, (uint8_t)hex_digits[s.p[i] & 15]);
    }
}

void hex_text(struct span s, char *text)
{
    for (size_t i = 0; i < s.n; i++) {
        text[2 * i] = hex_digits[s.p[i] >> 4];
        text[2 * i + 1] = hex_digits[s.p[i] & 15];
    }
    text[2 * s.n] = '\0';
}

void base64_add(struct buf *b, struct span s)
{
    if (!buf_room(b, (s.n + 2) / 3 * 4))
        return;
    for (size_t i = 0; i < s.n; i += 3) {
        size_t left = s.n - i;
        uint32_t v = (uint32_t)s.p[i] << 16;
        if (left > 1)
            v |= (uint32_t)s.p[i + 1] << 8;
        if (left > 2)
            v |= s.p[i + 2];
        b->p[b->n++] = (uint8_t)base64_digits[v >> 18];
        b->p[b->n++] = (uint8_t)base64_digits[v >> 12 & 63];
        b->p[b->n++] = left > 1 ? (uint8_t)base64_digits[v >> 6 & 63] : '=';
        b->p[b->n++] = left > 2 ? (uint8_t)base64_digits[v & 63] : '=';
    }
}

static int base64_value(uint8_t c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (ascii_is_digit(c))
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

size_t base64_decode(struct span s, uint8_t *to, size_t cap, size_t *ret_used)
{
    uint32_t v = 0;
    unsigned bits = 0;
    size_t n = 0, i = 0;

    for (; i < s.n; i++) {
        int d = base64_value(s.p[i]);
        if (d < 0)
            break;
        v = v << 6 | (uint32_t)d;
        bits += 6;
        if (bits >= 8) {
            if (n == cap)
                break;
            bits -= 8;
            to[n++] = (uint8_t)(v >> bits);
        }
    }
    if (ret_used)
        *ret_used = i;
    return n;
}

bool utf8_valid(struct span s)
{
    size_t i = 0;

    while (i < s.n) {
        uint8_t c = s.p[i];
        if (c < 0x80) {
            i++;
            continue;
        }
        size_t more = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : 1;
        if (c < 0xc2 || c > 0xf4 || s.n - i <= more)
            return false;
        uint8_t second = s.p[i + 1];
        uint8_t least = c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : 0x80;
        uint8_t most = c == 0xed ? 0x9f : c == 0xf4 ? 0x8f : 0xbf;
        if (second < least || second > most)
            return false;
        for (size_t k = 2; k <= more; k++)
            if ((s.p[i + k] & 0xc0) != 0x80)
                return false;
        i += more + 1;
    }
    return true;
}

size_t utf8_length(struct span s)
{
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++)
        n += (s.p[i] & 0xc0) != 0x80;
    return n;
}
