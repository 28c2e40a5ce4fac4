/* SPDX-License-Identifier: Apache-2.0 */
/* The sensor link: what is written reads back, short input waits, broken input is refused whatever
 * byte is broken. */
#include "event/link.h"

#include "unit.h"

static struct link_hello hello(void)
{
    return (struct link_hello){.version = LINK_VERSION,
                               .stream = 0x0123456789abcdefu,
                               .first_seq = 7,
                               .started_ns = 1700000000000000000u,
                               .sensor = SPAN("gate-1"),
                               .unit = SPAN("jinan"),
                               .program = SPAN("daizong-sensor 0.1.0"),
                               .source = SPAN("eth0"),
                               .token = SPAN("")};
}

static void fill(struct buf *b)
{
    struct link_hello h = hello();

    link_put_hello(b, &h);
    link_put_welcome(b, &(struct link_welcome){LINK_VERSION, 9, 1 << 20});
    size_t at = link_events_open(b, 9);
    link_events_add(b, SPAN("{\"a\":1}"));
    link_events_add(b, SPAN(""));
    link_events_add(b, SPAN("{\"b\":[2]}"));
    link_events_close(b, at, 3);
    at = link_events_open(b, 12);
    link_events_close(b, at, 0);
    link_put_ack(b, 11);
    link_put_empty(b, LINK_PING);
    link_put_bye(b, LINK_BYE_DONE, "end of file");
}

static void round_trip(void)
{
    struct buf b = buf_new(1 << 20);
    struct link_frame f;
    struct span line;
    const char *why = NULL;

    fill(&b);
    struct span in = buf_span(&b);
    CHECK(link_next(&in, &f, &why) == RD_OK && f.type == LINK_HELLO);
    CHECK(f.hello.stream == 0x0123456789abcdefu && f.hello.first_seq == 7);
    CHECK(span_eq(f.hello.sensor, SPAN("gate-1")) && span_eq(f.hello.unit, SPAN("jinan")));
    CHECK(span_eq(f.hello.source, SPAN("eth0")) && f.hello.token.n == 0);
    CHECK(link_next(&in, &f, &why) == RD_OK && f.type == LINK_WELCOME);
    CHECK(f.welcome.next_seq == 9 && f.welcome.window_bytes == 1 << 20);
    CHECK(link_next(&in, &f, &why) == RD_OK && f.type == LINK_EVENTS);
    CHECK(f.events.first_seq == 9 && f.events.count == 3);
    CHECK(link_line_next(&f.events.lines, &line) && span_eq(line, SPAN("{\"a\":1}")));
    CHECK(link_line_next(&f.events.lines, &line) && line.n == 0);
    CHECK(link_line_next(&f.events.lines, &line) && span_eq(line, SPAN("{\"b\":[2]}")));
    CHECK(!link_line_next(&f.events.lines, &line));
    CHECK(link_next(&in, &f, &why) == RD_OK && f.type == LINK_ACK && f.ack_seq == 11);
    CHECK(link_next(&in, &f, &why) == RD_OK && f.type == LINK_PING);
    CHECK(link_next(&in, &f, &why) == RD_OK && f.type == LINK_BYE);
    CHECK(f.bye.code == LINK_BYE_DONE && span_eq(f.bye.text, SPAN("end of file")));
    CHECK(in.n == 0 && link_next(&in, &f, &why) == RD_MORE);
    buf_free(&b);
}

static void short_input_waits(void)
{
    struct buf b = buf_new(1 << 20);
    struct link_frame f;
    const char *why;

    fill(&b);
    struct span whole = buf_span(&b);
    for (size_t n = 0; n < whole.n; n++) {
        struct span in = span_cut(whole, 0, n);
        enum rd_state st;
        while ((st = link_next(&in, &f, &why)) == RD_OK)
            continue;
        CHECK(st == RD_MORE);
    }
    buf_free(&b);
}

static enum rd_state first_of(const void *p, size_t n)
{
    struct span in = span_of(p, n);
    struct link_frame f;
    const char *why = NULL;
    enum rd_state st = link_next(&in, &f, &why);

    CHECK(st != RD_BAD || why != NULL);
    return st;
}

static void broken_input(void)
{
    struct buf b = buf_new(1 << 20);
    struct link_hello h = hello();
    unsigned seed = 1;

    CHECK(first_of("\0\0\0\0\1", 5) == RD_BAD);
    CHECK(first_of("\377\377\377\377\1", 5) == RD_BAD);
    CHECK(first_of("\0\0\0\1\143", 5) == RD_BAD);
    CHECK(first_of("GET / HTTP/1.1\r\n", 16) == RD_BAD);
    /* A frame whose count lies, whose line is longer than the frame, with bytes left over. */
    CHECK(first_of("\0\0\0\15\3\0\0\0\0\0\0\0\1\0\0\0\0", 17) == RD_BAD);
    CHECK(first_of("\0\0\0\22\3\0\0\0\0\0\0\0\1\0\0\0\1\0\0\0\5x", 22) == RD_BAD);
    CHECK(first_of("\0\0\0\12\4\0\0\0\0\0\0\0\1\0", 14) == RD_BAD);
    h.sensor = SPAN("../etc");
    link_put_hello(&b, &h);
    CHECK(first_of(b.p, b.n) == RD_BAD);
    /* Any one flipped byte: every answer is allowed but reading out of bounds. */
    buf_clear(&b);
    fill(&b);
    for (unsigned i = 0; i < 20000; i++) {
        seed = seed * 1664525u + 1013904223u;
        size_t at = seed % b.n;
        uint8_t was = b.p[at];
        b.p[at] = (uint8_t)(was ^ (seed >> 24 | 1));
        struct span in = buf_span(&b), line;
        struct link_frame f;
        const char *why;
        while (link_next(&in, &f, &why) == RD_OK)
            while (f.type == LINK_EVENTS && link_line_next(&f.events.lines, &line))
                seed += line.n ? line.p[line.n - 1] : 0u;
        b.p[at] = was;
    }
    buf_free(&b);
}

static void ceilings(void)
{
    struct buf b = buf_new(30);
    struct link_hello h = hello();

    link_put_hello(&b, &h);
    CHECK(b.full);
    buf_clear(&b);
    size_t at = link_events_open(&b, 1);
    link_events_add(&b, SPAN("0123456789012345678901234567890123456789"));
    link_events_close(&b, at, 1);
    CHECK(b.full);
    buf_free(&b);
    CHECK(link_name_valid(SPAN("a.b_c-9")) && !link_name_valid(SPAN("")));
    CHECK(!link_name_valid(SPAN("-a")) && !link_name_valid(SPAN("a/b")));
}

int main(void)
{
    round_trip();
    short_input_waits();
    broken_input();
    ceilings();
    return unit_end();
}
