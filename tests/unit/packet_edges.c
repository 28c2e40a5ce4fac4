/* SPDX-License-Identifier: Apache-2.0 */
/* Fragments at the edges of the overlap policies, IPv6 fragments that name different protocols, and
 * IPv4 options whose layout depends on a flag or a tag. */
#include "packet_build.h"

enum { PROTO_TEST = 253 };

static void fragment4(uint16_t id, size_t at, size_t n, uint8_t fill, bool more, struct seen *s)
{
    struct wr w = build_start();
    uint8_t data[256];

    memset(data, fill, n);
    build_ethernet(&w, 0x0800);
    size_t ip = build_ipv4(&w, PROTO_TEST, (uint16_t)((at / 8) | (more ? 0x2000 : 0)));
    put_be16(w.p + ip + 4, id);
    wr_bytes(&w, span_of(data, n));
    build_ipv4_end(&w, ip);
    decode_built(&w, LINK_ETHERNET, s);
}

static void fragment6(uint8_t proto, size_t at, bool more, struct seen *s)
{
    struct wr w = build_start();
    size_t ip = build_ipv6(&w, 44);

    wr_u8(&w, proto);
    wr_u8(&w, 0);
    wr_u16(&w, (uint16_t)(at | (more ? 1 : 0)));
    wr_u32(&w, 77);
    wr_bytes(&w, SPAN("12345678"));
    build_ipv6_end(&w, ip);
    decode_built(&w, LINK_RAW, s);
}

/* RFC 8200 4.5: only the first fragment's next header counts. */
static void other_protocol(void)
{
    struct seen s;

    fragment6(PROTO_TEST, 0, true, &s);
    fragment6(6, 8, false, &s);
    CHECK(s.n == 2 && s.all[0].ip_payload.n == 16 && s.all[0].proto == PROTO_TEST);
}

/* One letter for each eight bytes of the datagram that is built of an older fragment (o), a newer
 * one (n) and an end (e). */
static const char *outcome(enum defrag_policy policy, const size_t old[2], const size_t new[2])
{
    static char text[17];
    struct decode_conf c = build_conf;
    struct seen s;
    size_t end = 8;

    c.defrag_default[0] = policy;
    build_again(&c);
    fragment4(9, old[0] * 8, old[1] * 8, 'o', true, &s);
    fragment4(9, new[0] * 8, new[1] * 8, 'n', true, &s);
    if (old[0] && new[0])
        fragment4(9, 0, 8, 's', true, &s);
    fragment4(9, end * 8, 8, 'e', false, &s);
    memset(text, 0, sizeof(text));
    for (size_t i = 0; s.n == 2 && i < s.all[0].ip_payload.n / 8; i++)
        text[i] = (char)s.all[0].ip_payload.p[i * 8];
    build_again(&build_conf);
    return text;
}

/* The newer fragment begins before the older and ends with it: Windows keeps the older then. */
static void edges(void)
{
    static const size_t late[] = {2, 6}, early[] = {1, 7}, begin[] = {1, 3};

    CHECK_STR(outcome(DEFRAG_WINDOWS, late, early), "snooooooe");
    CHECK_STR(outcome(DEFRAG_SOLARIS, late, early), "snnnnnnne");
    CHECK_STR(outcome(DEFRAG_LAST, early, begin), "snnnooooe"); /* begins with it, is shorter */
}

static void options(struct span o, struct seen *s)
{
    struct wr w = build_start();

    build_ethernet(&w, 0x0800);
    size_t ip = build_ipv4(&w, PROTO_TEST, 0);
    wr_bytes(&w, o);
    w.p[ip] = (uint8_t)(0x40 | (5 + o.n / 4));
    wr_bytes(&w, SPAN("12345678"));
    build_ipv4_end(&w, ip);
    decode_built(&w, LINK_ETHERNET, s);
}

static bool malformed(const struct seen *s)
{
    for (unsigned i = 0; i < s->last.n_events; i++)
        if (s->last.events[i] == DEV_IPV4_OPT_MALFORMED)
            return true;
    return false;
}

/* Timestamps with addresses (flags 1 and 3) step by eight bytes, alone by four. */
static void timestamp_records(void)
{
    static const struct {
        uint8_t pointer, flag;
        bool bad;
    } cases[] = {{9, 0, false}, {9, 1, true}, {9, 3, true}, {13, 1, false}, {13, 3, false}};
    uint8_t o[12] = {68, 12};
    struct seen s;

    for (size_t i = 0; i < LEN(cases); i++) {
        o[2] = cases[i].pointer;
        o[5] = cases[i].flag;
        options(span_of(o, sizeof(o)), &s);
        CHECK(malformed(&s) == cases[i].bad);
    }
}

/* The byte behind a tag's length must be zero, but the free-form tag 7 has none such. */
static void security_tags(void)
{
    uint8_t o[12] = {134, 12, 0, 0, 0, 1, 7, 4, 9, 9};
    struct seen s;

    o[1] = 10;
    options(span_of(o, sizeof(o)), &s);
    CHECK(!malformed(&s));
    o[6] = 1;
    options(span_of(o, sizeof(o)), &s);
    CHECK(malformed(&s));
    o[8] = 0;
    options(span_of(o, sizeof(o)), &s);
    CHECK(!malformed(&s));
}

int main(void)
{
    build_begin();
    other_protocol();
    edges();
    timestamp_records();
    security_tags();
    build_end();
    return unit_end();
}
