/* SPDX-License-Identifier: Apache-2.0 */
/* Writing and reading of link frames. The reader checks every length, name and count before it
 * hands a frame out, so that users of a frame need no checks of their own. */
#include "event/link.h"

#include "base/wr.h"

static const char link_magic[4] = {'D', 'Z', 'L', '1'};

static void put_u8(struct buf *b, uint8_t v)
{
    buf_byte(b, v);
}

static void put_u16(struct buf *b, uint16_t v)
{
    uint8_t p[2];
    put_be16(p, v);
    buf_add(b, p, sizeof(p));
}

static void put_u32(struct buf *b, uint32_t v)
{
    uint8_t p[4];
    put_be32(p, v);
    buf_add(b, p, sizeof(p));
}

static void put_u64(struct buf *b, uint64_t v)
{
    put_u32(b, (uint32_t)(v >> 32));
    put_u32(b, (uint32_t)v);
}

static void put_vec8(struct buf *b, struct span s)
{
    s = span_cut(s, 0, UINT8_MAX);
    put_u8(b, (uint8_t)s.n);
    buf_span_add(b, s);
}

static size_t frame_open(struct buf *b, enum link_type type)
{
    size_t at = b->n;
    put_u32(b, 0);
    put_u8(b, (uint8_t)type);
    return at;
}

static void frame_close(struct buf *b, size_t at)
{
    if (!b->full)
        put_be32(b->p + at, (uint32_t)(b->n - at - 4));
}

void link_put_hello(struct buf *b, const struct link_hello *h)
{
    size_t at = frame_open(b, LINK_HELLO);
    buf_add(b, link_magic, sizeof(link_magic));
    put_u16(b, h->version);
    put_u64(b, h->stream);
    put_u64(b, h->first_seq);
    put_u64(b, h->started_ns);
    put_vec8(b, h->sensor);
    put_vec8(b, h->unit);
    put_vec8(b, h->program);
    put_vec8(b, h->source);
    put_vec8(b, h->token);
    frame_close(b, at);
}

void link_put_welcome(struct buf *b, const struct link_welcome *w)
{
    size_t at = frame_open(b, LINK_WELCOME);
    buf_add(b, link_magic, sizeof(link_magic));
    put_u16(b, w->version);
    put_u64(b, w->next_seq);
    put_u32(b, w->window_bytes);
    frame_close(b, at);
}

void link_put_ack(struct buf *b, uint64_t seq)
{
    size_t at = frame_open(b, LINK_ACK);
    put_u64(b, seq);
    frame_close(b, at);
}

void link_put_bye(struct buf *b, enum link_bye_code code, const char *text)
{
    size_t at = frame_open(b, LINK_BYE);
    put_u8(b, (uint8_t)code);
    put_vec8(b, span_str(text));
    frame_close(b, at);
}

void link_put_empty(struct buf *b, enum link_type type)
{
    must(type == LINK_PING || type == LINK_PONG);
    frame_close(b, frame_open(b, type));
}

size_t link_events_open(struct buf *b, uint64_t first_seq)
{
    size_t at = frame_open(b, LINK_EVENTS);
    put_u64(b, first_seq);
    put_u32(b, 0);
    return at;
}

void link_events_add(struct buf *b, struct span line)
{
    if (!buf_room(b, line.n + 4))
        return;
    put_u32(b, (uint32_t)line.n);
    buf_span_add(b, line);
}

void link_events_close(struct buf *b, size_t at, uint32_t count)
{
    if (count == 0) {
        b->n = at;
        return;
    }
    if (b->full)
        return;
    put_be32(b->p + at + LINK_HEAD + 8, count);
    frame_close(b, at);
}

bool link_name_valid(struct span name)
{
    if (name.n == 0 || name.n > LINK_NAME_MAX || name.p[0] == '.' || name.p[0] == '-')
        return false;
    for (size_t i = 0; i < name.n; i++) {
        uint8_t c = name.p[i];
        if (!ascii_is_alpha(c) && !ascii_is_digit(c) && c != '.' && c != '_' && c != '-')
            return false;
    }
    return true;
}

static void read_magic(struct rd *r)
{
    struct span magic = rd_bytes(r, sizeof(link_magic));
    if (magic.n == sizeof(link_magic) && memcmp(magic.p, link_magic, magic.n) != 0)
        rd_bad(r, "not a Daizong link");
}

static struct span read_vec8(struct rd *r)
{
    struct rd sub = rd_vec8(r);
    return rd_rest(&sub);
}

static void read_hello(struct rd *r, struct link_hello *h)
{
    read_magic(r);
    h->version = rd_u16(r);
    h->stream = rd_u64(r);
    h->first_seq = rd_u64(r);
    h->started_ns = rd_u64(r);
    h->sensor = read_vec8(r);
    h->unit = read_vec8(r);
    h->program = read_vec8(r);
    h->source = read_vec8(r);
    h->token = read_vec8(r);
    if (rd_ok(r) && !link_name_valid(h->sensor))
        rd_bad(r, "bad sensor name");
    if (rd_ok(r) && h->unit.n && !link_name_valid(h->unit))
        rd_bad(r, "bad unit name");
    if (rd_ok(r) && h->first_seq == 0)
        rd_bad(r, "events are numbered from 1");
}

static void read_welcome(struct rd *r, struct link_welcome *w)
{
    read_magic(r);
    w->version = rd_u16(r);
    w->next_seq = rd_u64(r);
    w->window_bytes = rd_u32(r);
}

static void read_events(struct rd *r, struct link_events *ev)
{
    ev->first_seq = rd_u64(r);
    ev->count = rd_u32(r);
    ev->lines = (struct span){r->p, r->n};
    uint32_t seen = 0;
    while (rd_more(r)) {
        uint32_t n = rd_u32(r);
        rd_skip(r, n);
        seen++;
    }
    if (rd_ok(r) && (seen != ev->count || seen == 0))
        rd_bad(r, "count of events is wrong");
    if (rd_ok(r) && (ev->first_seq == 0 || ev->first_seq > UINT64_MAX - seen))
        rd_bad(r, "number of an event is wrong");
}

static void read_bye(struct rd *r, struct link_bye *bye)
{
    bye->code = rd_u8(r);
    bye->text = read_vec8(r);
}

static void read_payload(struct rd *r, struct link_frame *f)
{
    switch (f->type) {
    case LINK_HELLO:
        read_hello(r, &f->hello);
        break;
    case LINK_WELCOME:
        read_welcome(r, &f->welcome);
        break;
    case LINK_EVENTS:
        read_events(r, &f->events);
        break;
    case LINK_ACK:
        f->ack_seq = rd_u64(r);
        break;
    case LINK_BYE:
        read_bye(r, &f->bye);
        break;
    case LINK_PING:
    case LINK_PONG:
        break;
    default:
        rd_bad(r, "unknown type of frame");
    }
    rd_end(r);
}

enum rd_state link_next(struct span *in, struct link_frame *f, const char **why)
{
    struct verdict v = {.state = RD_OK};
    struct rd r = rd_stream(*in, &v);

    *f = (struct link_frame){.type = 0};
    uint32_t n = rd_u32(&r);
    if (rd_ok(&r) && n == 0)
        rd_bad(&r, "empty frame");
    if (rd_ok(&r) && n > LINK_FRAME_MAX)
        rd_bad(&r, "frame too long");
    struct rd body = rd_sub(&r, n);
    if (!rd_ok(&r)) {
        *why = v.why;
        return v.state;
    }
    f->type = (enum link_type)rd_u8(&body);
    read_payload(&body, f);
    if (v.state != RD_OK) {
        *why = v.why;
        return RD_BAD;
    }
    *in = (struct span){r.p, r.n};
    return RD_OK;
}

bool link_line_next(struct span *lines, struct span *ret_line)
{
    if (lines->n < 4)
        return false;
    size_t n = be32(lines->p);
    if (n > lines->n - 4)
        return false;
    *ret_line = (struct span){lines->p + 4, n};
    *lines = span_from(*lines, n + 4);
    return true;
}
