/* SPDX-License-Identifier: Apache-2.0 */
/* JA3, JA3S (MD5 of the hello's numbers in their order) and JA4 (version, counts, ALPN and hashes
 * of sorted lists). Values that clients put in at random (GREASE, RFC 8701) do not count. */
#include "base/hex.h"
#include "proto/tls.h"

#include <openssl/evp.h>

bool tls_is_grease(uint16_t v)
{
    return (v & 0x0f0f) == 0x0a0a && v >> 8 == (v & 0xff);
}

enum { LIST_MOST = 4096 };

struct list_text {
    uint8_t room[LIST_MOST];
    struct buf b;
};

static void list_init(struct list_text *l)
{
    l->b = (struct buf){.p = l->room, .cap = LIST_MOST, .max = LIST_MOST};
}

static void ja3_list(struct buf *b, const uint16_t *v, size_t n)
{
    bool first = true;

    buf_byte(b, ',');
    for (size_t i = 0; i < n; i++) {
        if (tls_is_grease(v[i]))
            continue;
        if (!first)
            buf_byte(b, '-');
        first = false;
        buf_u64(b, v[i]);
    }
}

void tls_ja3(struct tls_side *s, bool server, struct arena *mem)
{
    const struct tls_hello *h = &s->hello;
    struct list_text l;
    uint8_t digest[16];

    list_init(&l);
    buf_u64(&l.b, h->version);
    ja3_list(&l.b, h->ciphers, h->n_ciphers);
    ja3_list(&l.b, h->extensions, h->n_extensions);
    if (!server) {
        ja3_list(&l.b, h->groups, h->n_groups);
        buf_byte(&l.b, ',');
        for (size_t i = 0; i < h->n_formats; i++) {
            if (i)
                buf_byte(&l.b, '-');
            buf_u64(&l.b, h->formats[i]);
        }
    }
    struct span text = buf_span(&l.b);
    s->ja3_string = arena_dup(mem, text);
    if (EVP_Digest(text.p, text.n, digest, NULL, EVP_md5(), NULL) == 1)
        hex_text(span_of(digest, sizeof(digest)), s->ja3);
}

static void sort_u16(uint16_t *v, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        uint16_t x = v[i];
        size_t k = i;
        for (; k > 0 && v[k - 1] > x; k--)
            v[k] = v[k - 1];
        v[k] = x;
    }
}

static void ja4_list(struct buf *b, const uint16_t *v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        buf_printf(b, "%s%04x", i ? "," : "", v[i]);
}

/* The first twelve hex digits of the text's SHA-256. */
static void ja4_hash(struct span text, char to[13])
{
    uint8_t digest[32];
    char hex[65];

    if (EVP_Digest(text.p, text.n, digest, NULL, EVP_sha256(), NULL) != 1) {
        memset(to, '0', 12);
    } else {
        hex_text(span_of(digest, sizeof(digest)), hex);
        memcpy(to, hex, 12);
    }
    to[12] = '\0';
}

static const char *ja4_version(uint16_t v)
{
    switch (v) {
    case 0x0304:
        return "13";
    case 0x0303:
        return "12";
    case 0x0302:
        return "11";
    case 0x0301:
        return "10";
    case 0x0300:
        return "s3";
    case 0x0002:
        return "s2";
    default:
        return "00";
    }
}

/* First and last character of the first ALPN; other bytes as hex digits of their value. */
static void ja4_alpn(const struct tls_hello *h, char to[3])
{
    static const char hex[] = "0123456789abcdef";

    to[0] = to[1] = '0';
    to[2] = '\0';
    if (h->n_alpns == 0 || h->alpns[0].n == 0)
        return;
    uint8_t first = h->alpns[0].p[0], last = h->alpns[0].p[h->alpns[0].n - 1];
    bool plain = (ascii_is_alpha(first) || ascii_is_digit(first)) &&
                 (ascii_is_alpha(last) || ascii_is_digit(last));
    to[0] = plain ? (char)first : hex[first >> 4];
    to[1] = plain ? (char)last : hex[last & 15];
}

void tls_ja4(const struct tls_hello *h, char text[40], struct arena *mem)
{
    uint16_t *ciphers = arena_get(mem, h->n_ciphers * sizeof(*ciphers));
    uint16_t extensions[TLS_EXTENSIONS];
    size_t n_ciphers = 0, n_extensions = 0, n_all = 0;
    char alpn[3], hash_ciphers[13], hash_extensions[13];
    bool sni = false;
    struct list_text l;

    for (size_t i = 0; ciphers && i < h->n_ciphers; i++)
        if (!tls_is_grease(h->ciphers[i]))
            ciphers[n_ciphers++] = h->ciphers[i];
    for (size_t i = 0; i < h->n_extensions; i++) {
        uint16_t e = h->extensions[i];
        if (tls_is_grease(e))
            continue;
        n_all++;
        sni |= e == 0;
        if (e != 0 && e != 16)
            extensions[n_extensions++] = e;
    }
    sort_u16(ciphers, n_ciphers);
    sort_u16(extensions, n_extensions);
    list_init(&l);
    ja4_list(&l.b, ciphers, n_ciphers);
    ja4_hash(buf_span(&l.b), hash_ciphers);
    list_init(&l);
    ja4_list(&l.b, extensions, n_extensions);
    uint16_t sigalgs[TLS_SIGALGS];
    size_t n_sigalgs = 0;
    for (size_t i = 0; i < h->n_sigalgs; i++)
        if (!tls_is_grease(h->sigalgs[i]))
            sigalgs[n_sigalgs++] = h->sigalgs[i];
    buf_byte(&l.b, '_');
    ja4_list(&l.b, sigalgs, n_sigalgs);
    ja4_hash(buf_span(&l.b), hash_extensions);
    ja4_alpn(h, alpn);
    snprintf(text, 40, "t%s%c%02zu%02zu%s_%s_%s", ja4_version(h->plain), sni ? 'd' : 'i',
             min_size(n_ciphers, 99), min_size(n_all, 99), alpn, hash_ciphers, hash_extensions);
}
