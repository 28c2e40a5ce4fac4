/* SPDX-License-Identifier: Apache-2.0 */
/* X.509 certificates (RFC 5280, X.690 DER) as far as events and rules speak of them: names, serial,
 * validity, alternative names, fingerprint. Bounded reading over base/rd, no allocation but texts
 * on the given arena. */
#include "base/hex.h"
#include "proto/tls.h"

#include <openssl/evp.h>

enum {
    DER_INTEGER = 0x02,
    DER_OID = 0x06,
    DER_BMP = 0x1e,
    DER_UTC = 0x17,
    DER_TIME = 0x18,
    DER_SEQUENCE = 0x30,
    DER_OCTETS = 0x04,
    DER_BOOL = 0x01,
    DER_VERSION = 0xa0,
    DER_EXTENSIONS = 0xa3,
    SAN_EMAIL = 0x81,
    SAN_DNS = 0x82,
    SAN_URI = 0x86,
    SAN_IP = 0x87,
    SAN_DIRECTORY = 0xa4,
    TEXT_MOST = 2048,
};

/* One element: its tag and a reader of its content. */
static uint8_t der_next(struct rd *r, struct rd *ret)
{
    uint8_t tag = rd_u8(r);
    size_t n = rd_u8(r);

    if (n & 0x80) {
        size_t bytes = n & 0x7f;
        n = 0;
        if (bytes == 0 || bytes > 3)
            rd_bad(r, "length form not allowed in DER");
        for (size_t i = 0; i < bytes && rd_ok(r); i++) {
            uint8_t b = rd_u8(r);
            n = n << 8 | b;
        }
    }
    *ret = rd_sub(r, n);
    return tag;
}

static struct rd der_expect(struct rd *r, uint8_t tag)
{
    struct rd inner;

    if (der_next(r, &inner) != tag)
        rd_bad(r, "another element expected");
    return inner;
}

static void der_oid_text(struct buf *b, struct span oid)
{
    uint64_t v = 0;

    for (size_t i = 0; i < oid.n; i++) {
        v = v << 7 | (oid.p[i] & 0x7f);
        if (oid.p[i] & 0x80)
            continue;
        if (b->n == 0)
            buf_printf(b, "%u.%llu", v >= 80 ? 2 : (unsigned)v / 40,
                       (unsigned long long)(v >= 80 ? v - 80 : v % 40));
        else
            buf_printf(b, ".%llu", (unsigned long long)v);
        v = 0;
    }
}

static const char *attribute_name(struct span oid)
{
    static const struct {
        struct span oid;
        const char *name;
    } rows[] = {
        {{(const uint8_t *)"\x55\x04\x03", 3}, "CN"},
        {{(const uint8_t *)"\x55\x04\x04", 3}, "SN"},
        {{(const uint8_t *)"\x55\x04\x05", 3}, "serialNumber"},
        {{(const uint8_t *)"\x55\x04\x06", 3}, "C"},
        {{(const uint8_t *)"\x55\x04\x07", 3}, "L"},
        {{(const uint8_t *)"\x55\x04\x08", 3}, "ST"},
        {{(const uint8_t *)"\x55\x04\x09", 3}, "streetAddress"},
        {{(const uint8_t *)"\x55\x04\x0a", 3}, "O"},
        {{(const uint8_t *)"\x55\x04\x0b", 3}, "OU"},
        {{(const uint8_t *)"\x55\x04\x0c", 3}, "title"},
        {{(const uint8_t *)"\x55\x04\x0d", 3}, "description"},
        {{(const uint8_t *)"\x55\x04\x0f", 3}, "businessCategory"},
        {{(const uint8_t *)"\x55\x04\x11", 3}, "postalCode"},
        {{(const uint8_t *)"\x55\x04\x29", 3}, "name"},
        {{(const uint8_t *)"\x55\x04\x2a", 3}, "GN"},
        {{(const uint8_t *)"\x55\x04\x2e", 3}, "dnQualifier"},
        {{(const uint8_t *)"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x01", 9}, "Email"},
        {{(const uint8_t *)"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x02", 9}, "unstructuredName"},
        {{(const uint8_t *)"\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x19", 10}, "DC"},
        {{(const uint8_t *)"\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x01", 10}, "UID"},
        {{(const uint8_t *)"\x2b\x06\x01\x04\x01\x82\x37\x3c\x02\x01\x01", 11},
         "msJurisdictionLocality"},
        {{(const uint8_t *)"\x2b\x06\x01\x04\x01\x82\x37\x3c\x02\x01\x02", 11},
         "msJurisdictionStateOrProvince"},
        {{(const uint8_t *)"\x2b\x06\x01\x04\x01\x82\x37\x3c\x02\x01\x03", 11},
         "msJurisdictionCountry"},
    };

    for (size_t i = 0; i < LEN(rows); i++)
        if (span_eq(oid, rows[i].oid))
            return rows[i].name;
    return NULL;
}

static void attribute_value(struct buf *b, uint8_t tag, struct span v)
{
    if (tag != DER_BMP) {
        buf_span_add(b, v);
        return;
    }
    for (size_t i = 0; i + 1 < v.n; i += 2) {
        uint16_t c = be16(v.p + i);
        if (c < 0x80) {
            buf_byte(b, (uint8_t)c);
        } else if (c < 0x800) {
            buf_byte(b, (uint8_t)(0xc0 | c >> 6));
            buf_byte(b, (uint8_t)(0x80 | (c & 0x3f)));
        } else {
            buf_byte(b, (uint8_t)(0xe0 | c >> 12));
            buf_byte(b, (uint8_t)(0x80 | (c >> 6 & 0x3f)));
            buf_byte(b, (uint8_t)(0x80 | (c & 0x3f)));
        }
    }
}

/* A fixed room for texts, so that nothing is allocated: a buf that may not grow beyond it. */
static struct buf text_room(uint8_t *room)
{
    return (struct buf){.p = room, .cap = TEXT_MOST, .max = TEXT_MOST};
}

/* "C=GB, O=…, CN=…", the attributes of one set joined by " + ". */
static struct span name_text(struct rd *name, struct arena *mem)
{
    uint8_t room[TEXT_MOST], oid_room[TEXT_MOST];
    struct buf b = text_room(room);

    while (rd_more(name)) {
        struct rd set;
        der_next(name, &set);
        bool joined = false;
        while (rd_more(&set)) {
            struct rd pair = der_expect(&set, DER_SEQUENCE);
            struct rd oid = der_expect(&pair, DER_OID);
            struct rd value;
            uint8_t tag = der_next(&pair, &value);
            if (!rd_ok(name))
                break;
            if (b.n)
                buf_str(&b, joined ? " + " : ", ");
            joined = true;
            const char *known = attribute_name(span_of(oid.p, oid.n));
            struct buf dotted = text_room(oid_room);
            if (!known)
                der_oid_text(&dotted, span_of(oid.p, oid.n));
            buf_span_add(&b, known ? span_str(known) : buf_span(&dotted));
            buf_byte(&b, '=');
            attribute_value(&b, tag, span_of(value.p, value.n));
        }
    }
    return arena_dup(mem, buf_span(&b));
}

static struct span serial_text(struct span serial, struct arena *mem)
{
    static const char hex[] = "0123456789ABCDEF";
    uint8_t room[TEXT_MOST];
    size_t n = 0;

    for (size_t i = 0; i < serial.n && n + 3 < sizeof(room); i++) {
        if (i)
            room[n++] = ':';
        room[n++] = (uint8_t)hex[serial.p[i] >> 4];
        room[n++] = (uint8_t)hex[serial.p[i] & 15];
    }
    return arena_dup(mem, span_of(room, n));
}

/* UTCTime or GeneralizedTime into "2014-11-08T00:00:00" (RFC 5280 4.1.2.5). */
static void time_text(struct rd *validity, char text[24])
{
    struct rd r;
    uint8_t tag = der_next(validity, &r);
    unsigned d[14] = {0}, n = tag == DER_TIME ? 14 : 12;

    for (unsigned i = 0; i < n; i++) {
        uint8_t c = rd_u8(&r);
        if (!ascii_is_digit(c))
            rd_bad(&r, "a date's digit expected");
        d[i] = (unsigned)(c - '0');
    }
    if (!rd_ok(validity))
        return;
    unsigned k = n - 10;
    unsigned year = tag == DER_TIME ? d[0] * 1000 + d[1] * 100 + d[2] * 10 + d[3]
                                    : d[0] * 10 + d[1] + (d[0] >= 5 ? 1900 : 2000);
    snprintf(text, 24, "%04u-%u%u-%u%uT%u%u:%u%u:%u%u", year % 10000, d[k] % 10, d[k + 1] % 10,
             d[k + 2] % 10, d[k + 3] % 10, d[k + 4] % 10, d[k + 5] % 10, d[k + 6] % 10,
             d[k + 7] % 10, d[k + 8] % 10, d[k + 9] % 10);
}

/* Room for one more name; the list doubles, the arena's ceiling bounds it. */
static bool name_room(struct tls_cert *c, struct arena *mem)
{
    if (c->n_names < c->cap_names)
        return true;
    size_t cap = c->cap_names ? 2 * c->cap_names : 8;
    struct span *wider = arena_get(mem, cap * sizeof(*wider));
    if (!wider)
        return false;
    if (c->n_names)
        memcpy(wider, c->names, c->n_names * sizeof(*wider));
    c->names = wider;
    c->cap_names = cap;
    return true;
}

static void alternative_names(struct tls_cert *c, struct rd *octets, struct arena *mem)
{
    struct rd names = der_expect(octets, DER_SEQUENCE);

    while (rd_more(&names) && name_room(c, mem)) {
        struct rd one;
        uint8_t tag = der_next(&names, &one);
        if (!rd_ok(&names))
            return;
        struct span v = span_of(one.p, one.n);
        uint8_t room[TEXT_MOST];
        struct buf text = text_room(room);
        if (tag == SAN_IP) { /* EVE has the bytes, as a list */
            buf_byte(&text, '[');
            for (size_t i = 0; i < v.n; i++)
                buf_printf(&text, "%s%u", i ? ", " : "", v.p[i]);
            buf_byte(&text, ']');
            v = buf_span(&text);
        } else if (tag == SAN_DIRECTORY) {
            struct rd name = der_expect(&one, DER_SEQUENCE);
            struct span dn = name_text(&name, mem);
            buf_printf(&text, "DirectoryName(%.*s)", (int)dn.n, (const char *)dn.p);
            v = buf_span(&text);
        } else if (tag != SAN_DNS && tag != SAN_EMAIL && tag != SAN_URI) {
            continue;
        }
        c->names[c->n_names] = arena_dup(mem, v);
        if (c->names[c->n_names].p)
            c->n_names++;
    }
}

static void extensions(struct tls_cert *c, struct rd *tbs, struct arena *mem)
{
    static const uint8_t san[] = {0x55, 0x1d, 0x11};

    while (rd_more(tbs)) {
        struct rd element;
        if (der_next(tbs, &element) != DER_EXTENSIONS)
            continue;
        struct rd list = der_expect(&element, DER_SEQUENCE);
        while (rd_more(&list)) {
            struct rd ext = der_expect(&list, DER_SEQUENCE);
            struct rd oid = der_expect(&ext, DER_OID);
            struct rd value;
            if (der_next(&ext, &value) == DER_BOOL)
                der_next(&ext, &value);
            if (rd_ok(tbs) && span_eq(span_of(oid.p, oid.n), span_of(san, sizeof(san))))
                alternative_names(c, &value, mem);
        }
    }
}

static struct span fingerprint(struct span der, struct arena *mem)
{
    uint8_t digest[20], room[TEXT_MOST];
    struct buf b = text_room(room);

    if (EVP_Digest(der.p, der.n, digest, NULL, EVP_sha1(), NULL) != 1)
        return SPAN("");
    hex_add(&b, span_of(digest, sizeof(digest)), ':');
    return arena_dup(mem, buf_span(&b));
}

bool tls_cert_read(struct tls_cert *c, struct span der, struct arena *mem)
{
    struct verdict v = {0};
    struct rd r = rd_whole(der, &v);
    struct rd cert = der_expect(&r, DER_SEQUENCE);
    struct rd tbs = der_expect(&cert, DER_SEQUENCE);
    struct rd element;

    c->fingerprint = fingerprint(der, mem);
    if (tbs.n && tbs.p[0] == DER_VERSION)
        der_next(&tbs, &element);
    struct rd serial = der_expect(&tbs, DER_INTEGER);
    der_expect(&tbs, DER_SEQUENCE); /* signature algorithm */
    struct rd issuer = der_expect(&tbs, DER_SEQUENCE);
    struct rd validity = der_expect(&tbs, DER_SEQUENCE);
    struct rd subject = der_expect(&tbs, DER_SEQUENCE);
    der_expect(&tbs, DER_SEQUENCE); /* public key */
    if (v.state != RD_OK)
        return false;
    c->serial = serial_text(span_of(serial.p, serial.n), mem);
    c->issuer = name_text(&issuer, mem);
    c->subject = name_text(&subject, mem);
    time_text(&validity, c->not_before);
    time_text(&validity, c->not_after);
    c->parsed = v.state == RD_OK && c->serial.p && c->issuer.p && c->subject.p;
    /* Broken extensions leave the rest valid. */
    struct verdict own = {0};
    struct rd rest = rd_whole(span_of(tbs.p, tbs.n), &own);
    extensions(c, &rest, mem);
    return c->parsed;
}
