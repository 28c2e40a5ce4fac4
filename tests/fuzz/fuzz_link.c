/* SPDX-License-Identifier: Apache-2.0 */
/* Frames of the sensor's link, and the event lines that they carry as the node reads them. What
 * was read and is written again must be read as the same. */
#include "fuzz.h"

#include "base/mem.h"
#include "event/link.h"

static void same(struct span a, struct span b)
{
    must(span_eq(a, b));
}

static void again_hello(const struct link_hello *h)
{
    struct buf b = buf_new(1 << 16);
    struct link_frame f;
    const char *why;

    link_put_hello(&b, h);
    struct span in = buf_span(&b);
    must(link_next(&in, &f, &why) == RD_OK && in.n == 0 && f.type == LINK_HELLO);
    must(f.hello.stream == h->stream && f.hello.first_seq == h->first_seq);
    must(f.hello.started_ns == h->started_ns);
    same(f.hello.sensor, h->sensor);
    same(f.hello.unit, h->unit);
    same(f.hello.program, h->program);
    same(f.hello.source, h->source);
    same(f.hello.token, h->token);
    must(link_name_valid(h->sensor));
    buf_free(&b);
}

static void again_events(const struct link_events *e)
{
    struct buf b = buf_new(LINK_FRAME_MAX + 64);
    struct span lines = e->lines, line;
    struct link_frame f;
    const char *why;
    uint32_t n = 0;

    size_t at = link_events_open(&b, e->first_seq);
    while (link_line_next(&lines, &line)) {
        link_events_add(&b, line);
        n++;
    }
    must(n == e->count);
    link_events_close(&b, at, n);
    struct span in = buf_span(&b);
    if (n) {
        must(link_next(&in, &f, &why) == RD_OK && f.type == LINK_EVENTS);
        must(f.events.first_seq == e->first_seq && f.events.count == n);
        same(f.events.lines, e->lines);
    }
    buf_free(&b);
}

int fuzz_one(const uint8_t *p, size_t n)
{
    struct span in = span_of(p, n);
    struct link_frame f;
    const char *why = NULL;
    enum rd_state st;

    while ((st = link_next(&in, &f, &why)) == RD_OK) {
        if (f.type == LINK_HELLO)
            again_hello(&f.hello);
        else if (f.type == LINK_EVENTS)
            again_events(&f.events);
        else if (f.type == LINK_BYE)
            must(f.bye.text.n <= UINT8_MAX);
    }
    must(st == RD_MORE || why);
    return 0;
}
