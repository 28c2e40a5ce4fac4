/* SPDX-License-Identifier: Apache-2.0 */
/* JSON shrinks to about a tenth at the fastest level already; higher ones cost more than they save
 * on a local network. */
#include "api/gzip.h"

#include <zlib.h>

enum { LEAST = 1024, LEVEL = 1, GZIP_WINDOW = 15 + 16 };

bool http_accepts(const struct http_request *rq, struct span coding)
{
    struct span list = http_header_get(rq, "Accept-Encoding");
    while (list.n > 0) {
        struct span one = span_split(&list, ',');
        struct span name = span_trim(span_split(&one, ';'));
        if (!span_ieq(name, coding))
            continue;
        struct span q = span_trim(one);
        return !span_eq(q, SPAN("q=0")) && !span_eq(q, SPAN("q=0.0"));
    }
    return false;
}

static bool compress_to(struct buf *to, struct span from)
{
    z_stream z = {.next_in = (uint8_t *)(uintptr_t)from.p, .avail_in = (uInt)from.n};
    if (deflateInit2(&z, LEVEL, Z_DEFLATED, GZIP_WINDOW, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        return false;
    size_t room = deflateBound(&z, from.n);
    bool ok = buf_room(to, room);
    if (ok) {
        z.next_out = to->p + to->n;
        z.avail_out = (uInt)room;
        ok = deflate(&z, Z_FINISH) == Z_STREAM_END;
        to->n += room - z.avail_out;
    }
    deflateEnd(&z);
    return ok;
}

void http_gzip(struct http_request *rq)
{
    struct http_answer *a = &rq->answer;
    if (a->stream || a->constant.n > 0 || a->body.full || a->body.n < LEAST)
        return;
    http_header_set(rq, "Vary", "Accept-Encoding");
    if (!http_accepts(rq, SPAN("gzip")))
        return;
    struct buf small = buf_new(a->body.n + a->body.n / 8 + LEAST);
    if (!compress_to(&small, buf_span(&a->body)) || small.n >= a->body.n) {
        buf_free(&small);
        return;
    }
    buf_free(&a->body);
    a->body = small;
    http_header_set(rq, "Content-Encoding", "gzip");
}
