/* SPDX-License-Identifier: Apache-2.0 */
/* Fragments: any order of arrival, every overlap policy against the published table of who wins,
 * the limits and the clock. */
#include "packet_build.h"

enum { PROTO_TEST = 253 };

static uint32_t next_id = 1;

/* One IPv4 fragment of `n` times the letter `fill` at offset `at`. */
static void fragment4(uint32_t id, size_t at, struct span data, bool more, struct seen *s)
{
    struct wr w = build_start();

    build_ethernet(&w, 0x0800);
    size_t ip = build_ipv4(&w, PROTO_TEST, (uint16_t)((at / 8) | (more ? 0x2000 : 0)));
    put_be16(w.p + ip + 4, (uint16_t)id);
    wr_bytes(&w, data);
    build_ipv4_end(&w, ip);
    decode_built(&w, LINK_ETHERNET, s);
}

static void fragment6(uint32_t id, size_t at, struct span data, bool more, struct seen *s)
{
    struct wr w = build_start();
    size_t ip = build_ipv6(&w, 60);

    wr_bytes(&w, SPAN("\x2c\0\5\2\0\0\0\0")); /* an extension header of the whole datagram */
    wr_u8(&w, PROTO_TEST);
    wr_u8(&w, 0);
    wr_u16(&w, (uint16_t)(at | (more ? 1 : 0)));
    wr_u32(&w, id);
    wr_bytes(&w, data);
    build_ipv6_end(&w, ip);
    decode_built(&w, LINK_RAW, s);
}

typedef void fragment_fn(uint32_t id, size_t at, struct span data, bool more, struct seen *s);

static void filled(fragment_fn *fn, uint32_t id, size_t at, size_t n, uint8_t fill, bool more,
                   struct seen *s)
{
    static uint8_t b[2048];

    memset(b, fill, n);
    fn(id, at, span_of(b, n), more, s);
}

static bool rebuilt(const struct seen *s, size_t payload_n)
{
    const struct packet *r = &s->all[0];

    return s->n == 2 && r->source == SRC_DEFRAG && r->flags & PKT_REBUILT && r->depth == 0 &&
           r->outer && r->ip_payload.n == payload_n && s->last.flags & PKT_FRAGMENT;
}

static void every_order(fragment_fn *fn)
{
    static const uint8_t orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                         {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    static const char text[] = "the quick brown fox jumps over the lazy dog";

    for (size_t o = 0; o < LEN(orders); o++) {
        struct seen s;
        uint32_t id = next_id++;
        for (size_t i = 0; i < 3; i++) {
            size_t at = (size_t)orders[o][i] * 16;
            size_t n = at == 32 ? sizeof(text) - 1 - 32 : 16;
            fn(id, at, span_of(text + at, n), at != 32, &s);
            if (i < 2)
                CHECK(s.n == 1 && s.last.n_events == 0 && s.last.flags & PKT_FRAGMENT);
        }
        CHECK(rebuilt(&s, sizeof(text) - 1));
        CHECK(memcmp(s.all[0].ip_payload.p, text, sizeof(text) - 1) == 0);
        CHECK(s.all[0].data.n == (size_t)(s.all[0].ip - s.all[0].data.p) + s.all[0].ip_n);
        CHECK(s.all[0].ip - s.all[0].data.p == (fn == fragment4 ? 14 : 0));
        CHECK(s.all[0].proto == PROTO_TEST && !(s.all[0].flags & PKT_IP_CHECKSUM_BAD));
    }
}

/* J. Novak, "Target-based fragmentation reassembly": six fragments in units of eight bytes and what
 * systems make of them. */
static void policies(fragment_fn *fn, size_t family)
{
    static const struct {
        enum defrag_policy policy;
        const char *result;
    } table[] = {
        {DEFRAG_BSD, "111442333666"},     {DEFRAG_BSD_RIGHT, "144422555666"},
        {DEFRAG_LINUX, "111442555666"},   {DEFRAG_FIRST, "111422333666"},
        {DEFRAG_LAST, "144442555666"},    {DEFRAG_SOLARIS, "111422333666"},
        {DEFRAG_WINDOWS, "111422333666"},
    };
    static const uint8_t fragments[6][2] = {{0, 3}, {4, 2}, {6, 3}, {1, 4}, {6, 3}, {9, 3}};

    for (size_t i = 0; i < LEN(table); i++) {
        struct decode_conf c = build_conf;
        struct seen s;
        unsigned overlaps = 0;
        c.defrag_default[family] = table[i].policy;
        build_again(&c);
        for (uint8_t f = 0; f < 6; f++) {
            filled(fn, 7, fragments[f][0] * 8u, fragments[f][1] * 8u, (uint8_t)('1' + f), f != 5,
                   &s);
            for (size_t e = 0; e < s.last.n_events; e++)
                overlaps +=
                    s.last.events[e] == (family ? DEV_IPV6_FRAG_OVERLAP : DEV_IPV4_FRAG_OVERLAP);
        }
        CHECK(rebuilt(&s, 96));
        char got[13] = {0};
        for (size_t u = 0; u < 12 && s.all[0].ip_payload.n == 96; u++)
            got[u] = (char)s.all[0].ip_payload.p[u * 8 + 7];
        CHECK_STR(got, table[i].result);
        CHECK(overlaps >= 1);
    }
    build_again(&build_conf);
}

static enum defrag_policy by_host(void *user, const struct ip *destination)
{
    CHECK(destination->b[15] == 2);
    return *(const enum defrag_policy *)user;
}

/* The policy may hang on the destination's address. */
static void callback(void)
{
    struct decode_conf c = build_conf;
    enum defrag_policy last = DEFRAG_LAST, found = DEFRAG_BSD;
    struct seen s;

    c.defrag_policy = by_host;
    c.defrag_policy_user = &last;
    build_again(&c);
    filled(fragment4, 9, 0, 8, 'a', true, &s);
    filled(fragment4, 9, 0, 8, 'b', true, &s);
    filled(fragment4, 9, 8, 8, 'c', false, &s);
    CHECK(rebuilt(&s, 16) && s.all[0].ip_payload.p[0] == 'b');
    build_again(&build_conf);
    CHECK(defrag_policy_find(SPAN("Vista"), &found) && found == DEFRAG_WINDOWS);
    CHECK(!defrag_policy_find(SPAN("beos"), &found));
}

static void limits(void)
{
    struct decode_conf c = build_conf;
    struct seen s;

    filled(fragment4, 20, 65528, 8, 'x', false, &s);
    CHECK(only_event(&s, DEV_IPV4_FRAG_PKT_TOO_LARGE) && s.n == 1);
    filled(fragment6, 20, 65528, 16, 'x', false, &s);
    CHECK(s.last.events[0] == DEV_IPV6_FRAG_PKT_TOO_LARGE && s.n == 1);
    c.defrag_frags = 2;
    c.defrag_trackers = 2;
    build_again(&c);
    filled(fragment4, 1, 0, 8, 'a', true, &s);
    filled(fragment4, 2, 0, 8, 'a', true, &s);
    filled(fragment4, 2, 8, 8, 'a', true, &s);
    CHECK(only_event(&s, DEV_IPV4_FRAG_IGNORED));
    filled(fragment4, 3, 0, 8, 'a', true, &s); /* the oldest datagram gives way */
    CHECK(s.last.n_events == 0);
    filled(fragment4, 1, 8, 8, 'b', false, &s);
    CHECK(s.n == 1);
    const uint64_t *n = decode_counters(build_decoder);
    CHECK(n[DC_MAX_FRAGS] == 1 && n[DC_HARD_REUSE] >= 1 && n[DC_MAX_TRACKERS] >= 1);
    c.defrag_memcap = 0;
    build_again(&c);
    filled(fragment4, 1, 0, 8, 'a', true, &s);
    CHECK(only_event(&s, DEV_IPV4_FRAG_IGNORED));
    build_again(&build_conf);
}

/* What waits too long is given up, its memory with it. */
static void timeout(void)
{
    struct seen s;

    filled(fragment4, 30, 0, 8, 'a', true, &s);
    CHECK(decode_counters(build_decoder)[DC_DEFRAG_MEMUSE] > 0);
    build_now_ns += (uint64_t)61 * 1000000000;
    filled(fragment4, 30, 8, 8, 'b', false, &s);
    CHECK(s.n == 1 && decode_counters(build_decoder)[DC_TRACKER_TIMEOUT] == 1);
    decode_expire(build_decoder, build_now_ns + (uint64_t)61 * 1000000000);
    CHECK(decode_counters(build_decoder)[DC_DEFRAG_MEMUSE] == 0);
}

/* Datagrams that differ in anything but the offset are not mixed. */
static void apart(void)
{
    struct seen s;
    struct wr w = build_start();

    filled(fragment4, 40, 0, 8, 'a', true, &s);
    build_ethernet(&w, 0x8100); /* the same in another VLAN */
    wr_u32(&w, 0x00050800);
    size_t ip = build_ipv4(&w, PROTO_TEST, 1);
    put_be16(w.p + ip + 4, 40);
    wr_bytes(&w, SPAN("bbbbbbbb"));
    build_ipv4_end(&w, ip);
    decode_built(&w, LINK_ETHERNET, &s);
    CHECK(s.n == 1);
    filled(fragment4, 41, 8, 8, 'b', false, &s);
    CHECK(s.n == 1);
    filled(fragment4, 40, 8, 8, 'b', false, &s);
    CHECK(rebuilt(&s, 16));
}

/* As many small fragments as fit, backwards: whole at the end, and quickly. */
static void many(void)
{
    struct seen s = {0};
    size_t n = 8000;

    for (size_t i = n; i-- > 0;)
        filled(fragment4, 50, i * 8, 8, (uint8_t)i, i + 1 < n, &s);
    CHECK(rebuilt(&s, n * 8));
    bool right = true;
    for (size_t i = 0; i < n && s.all[0].ip_payload.n == n * 8; i++)
        right = right && s.all[0].ip_payload.p[i * 8] == (uint8_t)i;
    CHECK(right);
}

int main(void)
{
    build_begin();
    every_order(fragment4);
    every_order(fragment6);
    policies(fragment4, 0);
    policies(fragment6, 1);
    callback();
    limits();
    timeout();
    apart();
    many();
    build_end();
    return unit_end();
}
