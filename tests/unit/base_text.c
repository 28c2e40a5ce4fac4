/* SPDX-License-Identifier: Apache-2.0 */
/* Spans, addresses, times, hex and Base64: forms that are read, written, and refused. */
#include "base/clock.h"
#include "base/err.h"
#include "base/hex.h"
#include "base/ip.h"

#include "unit.h"

#include <limits.h>

static void spans(void)
{
    uint64_t u;
    int64_t i;
    struct span s = SPAN("a,b,,c");

    CHECK(span_eq(span_split(&s, ','), SPAN("a")) && span_eq(span_split(&s, ','), SPAN("b")));
    CHECK(span_split(&s, ',').n == 0 && span_eq(span_split(&s, ','), SPAN("c")) && s.n == 0);
    CHECK(span_distance(SPAN("conten"), SPAN("Content")) == 1 &&
          span_distance(SPAN("abc"), SPAN("")) == 3);
    CHECK(span_distance(SPAN("flow"), SPAN("wolf")) == 4 &&
          span_distance(SPAN("x"), SPAN("X")) == 0);
    uint8_t lengthy[SPAN_DISTANCE_MOST + 1] = {0};
    CHECK(span_distance(span_of(lengthy, sizeof(lengthy)), SPAN("x")) == UINT_MAX);
    CHECK(span_distance(span_of(lengthy, SPAN_DISTANCE_MOST), SPAN("x")) == SPAN_DISTANCE_MOST);
    CHECK(span_u64(SPAN("18446744073709551615"), &u) && u == UINT64_MAX);
    CHECK(!span_u64(SPAN("18446744073709551616"), &u) && !span_u64(SPAN(""), &u));
    CHECK(span_i64(SPAN("-9223372036854775808"), &i) && i == INT64_MIN);
    CHECK(!span_i64(SPAN("9223372036854775808"), &i));
    CHECK(span_find(SPAN("hello"), SPAN("llo")) == 2 &&
          span_find(SPAN("he"), SPAN("x")) == SIZE_MAX);
    CHECK(span_ifind(SPAN("HeLLo"), SPAN("llo")) == 2);
    CHECK(span_eq(span_trim(SPAN(" \t x y \r\n")), SPAN("x y")));
    CHECK(span_cmp(SPAN("ab"), SPAN("abc")) < 0 && span_cmp(SPAN("b"), SPAN("abc")) > 0);
}

static void addresses(void)
{
    struct ip a;
    struct cidr c;
    char text[IP_TEXT];

    CHECK(ip_parse(SPAN("192.168.1.254"), &a) && ip_eve(&a, text) == 13);
    CHECK_STR(text, "192.168.1.254");
    CHECK(ip_parse(SPAN("2001:db8::1"), &a));
    ip_eve(&a, text);
    CHECK_STR(text, "2001:0db8:0000:0000:0000:0000:0000:0001");
    ip_text(&a, text);
    CHECK_STR(text, "2001:db8::1");
    CHECK(!ip_parse(SPAN("1.2.3"), &a) && !ip_parse(SPAN("1.2.3.4.5"), &a) &&
          !ip_parse(SPAN(""), &a));
    CHECK(cidr_parse(SPAN("10.1.2.3/255.255.0.0"), &c) && c.bits == 16);
    CHECK(ip_parse(SPAN("10.1.9.9"), &a) && cidr_has(&c, &a));
    CHECK(ip_parse(SPAN("10.2.9.9"), &a) && !cidr_has(&c, &a));
    CHECK(cidr_parse(SPAN("2001:db8::/33"), &c) && ip_parse(SPAN("2001:db8:7fff::"), &a));
    CHECK(cidr_has(&c, &a) && ip_parse(SPAN("2001:db8:8000::"), &a) && !cidr_has(&c, &a));
    CHECK(!cidr_parse(SPAN("10.0.0.0/33"), &c) && !cidr_parse(SPAN("10.0.0.0/255.0.255.0"), &c));
    CHECK(cidr_parse(SPAN("0.0.0.0/0"), &c) && cidr_parse(SPAN("1.1.1.1"), &c) && c.bits == 32);
}

static void times(void)
{
    uint64_t ns, again;
    char text[CLOCK_TEXT];

    CHECK(clock_parse(SPAN("2016-07-13T22:42:07.199672+0000"), &ns));
    CHECK(ns == 1468449727199672000u);
    clock_rfc3339(ns, text);
    CHECK_STR(text, "2016-07-13T22:42:07.199672Z");
    CHECK(clock_parse(SPAN("2016-07-14 06:42:07.199672+08:00"), &again) && again == ns);
    CHECK(clock_parse(SPAN("2024-02-29T00:00:00Z"), &ns) && ns == 1709164800u * (uint64_t)NS_PER_S);
    CHECK(!clock_parse(SPAN("2024-13-01T00:00:00Z"), &ns) && !clock_parse(SPAN("now"), &ns));
    CHECK(!clock_parse(SPAN("2024-01-01T00:00:00"), &ns));
    for (int64_t d = -1000; d < 60000; d += 37) {
        int64_t y;
        unsigned m, day;
        clock_date(d, &y, &m, &day);
        CHECK(clock_days(y, m, day) == d);
    }
    clock_set_fake(42);
    CHECK(clock_now_ns() == 42 && clock_mono_ns() == 42);
    clock_set_fake(0);
    CHECK(clock_now_ns() > 42 && clock_cpu_ns() > 0);
}

static void conversions(void)
{
    struct buf b = buf_new(1000);
    uint8_t out[16];
    size_t used;

    hex_add(&b, SPAN("\x01\xab"), ':');
    CHECK_STR(buf_cstr(&b), "01:ab");
    buf_clear(&b);
    base64_add(&b, SPAN("any carnal pleas"));
    CHECK_STR(buf_cstr(&b), "YW55IGNhcm5hbCBwbGVhcw==");
    CHECK(base64_decode(SPAN("YW55IGM!"), out, sizeof(out), &used) == 5 && used == 7);
    CHECK(utf8_valid(SPAN("\xe5\xb2\xb1\xf0\x9f\x98\x80")) && !utf8_valid(SPAN("\xc0\x80")));
    CHECK(utf8_length(SPAN("a\xe5\xb2\xb1\xf0\x9f\x98\x80")) == 3 && utf8_length(SPAN("")) == 0);
    CHECK(!utf8_valid(SPAN("\xed\xa0\x80")) && !utf8_valid(SPAN("\xe5\xb2")));
    buf_free(&b);
    struct err e;
    CHECK(!err_set(&e, ERR_IO, "cannot open %s", "x") && !err_wrap(&e, "loading"));
    CHECK_STR(e.text, "loading: cannot open x");
    CHECK(err_exit_code(e.kind) == 74 && err_http_status(ERR_NOT_FOUND) == 404);
}

int main(void)
{
    spans();
    addresses();
    times();
    conversions();
    return unit_end();
}
