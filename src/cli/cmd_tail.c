/* SPDX-License-Identifier: Apache-2.0 */
/* Watching events come in over the node's live stream. `query --follow` shows the last ones first:
 * they are asked for when the stream stands and what was on its way has arrived, so that none is
 * missing in between, and those that come both ways are shown once. */
#include "base/hash.h"
#include "base/jw.h"
#include "cli/run.h"
#include "cli/show.h"

#include <unistd.h>

enum { FOLLOW_MOST = 1000, ARRIVE_MS = 1500 };

struct tail {
    const struct cli *c;
    struct buf line;
    enum { KIND_OTHER, KIND_EVENT, KIND_GAP } kind;
    const char *before; /* path of the request for the last events; NULL: asked for or not wanted */
    uint64_t shown[FOLLOW_MOST];
    size_t shown_n;
    struct err e;
};

/* An event's identity as far as both ways tell it. */
static uint64_t identity(struct span event)
{
    static const char *const paths[] = {
        "timestamp", "event_type",         "flow_id",  "src_port",
        "tx_id",     "alert.signature_id", "dns.type", "fileinfo.filename",
        "pcap_cnt",  "anomaly.event",      "http.url", "src_ip",
    };
    struct buf b = buf_new(16 << 10);
    for (size_t i = 0; i < LEN(paths); i++) {
        json_text_at(event, paths[i], &b);
        buf_byte(&b, '\n');
    }
    uint64_t h = hash_bytes_key(1, 2, b.p, b.n);
    buf_free(&b);
    return h;
}

static bool was_shown(const struct tail *t, struct span event)
{
    uint64_t h = t->shown_n ? identity(event) : 0;
    for (size_t i = 0; i < t->shown_n; i++)
        if (t->shown[i] == h)
            return true;
    return false;
}

/* The newest come first in the answer and are shown last. */
static void show_answer(struct tail *t, struct span answer)
{
    struct span events[FOLLOW_MOST];
    struct json j;
    struct json_value v;
    json_init(&j, answer);
    if (json_next(&j, &v) != JSON_OBJECT)
        return;
    while (json_next(&j, &v) > JSON_END) {
        if (!json_key_is(&v, SPAN("events")) || v.type != JSON_ARRAY) {
            if (!json_skip(&j, &v))
                break;
            continue;
        }
        while (json_next(&j, &v) == JSON_OBJECT && json_skip(&j, &v) && t->shown_n < FOLLOW_MOST) {
            t->shown[t->shown_n] = identity(v.raw);
            events[t->shown_n++] = v.raw;
        }
    }
    for (size_t i = t->shown_n; i > 0; i--)
        show_event(t->c, events[i - 1]);
}

static bool show_before(struct tail *t)
{
    struct buf out = buf_new(64 << 20);
    struct client_request rq = {.method = "GET", .path = t->before};
    usleep(ARRIVE_MS * 1000);
    bool ok = client_call(t->c, &rq, &out, &t->e);
    if (ok)
        show_answer(t, buf_span(&out));
    t->before = NULL;
    buf_free(&out);
    return ok;
}

static void tail_line(struct tail *t, struct span line)
{
    uint64_t lost = 0;
    if (span_starts(line, SPAN("event: "))) {
        struct span kind = span_from(line, 7);
        t->kind = span_eq(kind, SPAN("event")) ? KIND_EVENT
                  : span_eq(kind, SPAN("gap")) ? KIND_GAP
                                               : KIND_OTHER;
        return;
    }
    if (!span_starts(line, SPAN("data: ")))
        return;
    struct span data = span_from(line, 6);
    if (t->kind == KIND_EVENT && !was_shown(t, data))
        show_event(t->c, data);
    if (t->kind == KIND_GAP && json_uint_at(data, "lost", &lost))
        fprintf(stderr, "daizong: %llu events came too fast to be shown; query has them\n",
                (unsigned long long)lost);
}

static bool tail_piece(void *ctx, struct span piece)
{
    struct tail *t = ctx;
    if (t->before && !show_before(t))
        return false;
    for (size_t i = 0; i < piece.n; i++) {
        if (piece.p[i] != '\n') {
            buf_byte(&t->line, piece.p[i]);
            continue;
        }
        tail_line(t, buf_span(&t->line));
        buf_clear(&t->line);
    }
    return fflush(stdout) == 0; /* a closed pipe ends it */
}

static bool run_tail(struct cli *c, struct tail *t, struct buf *path, struct buf *q, struct err *e)
{
    size_t position = SIZE_MAX;
    struct client_request rq = {.method = "GET",
                                .path = buf_cstr(path),
                                .piece = tail_piece,
                                .ctx = t,
                                .position = &position};
    t->c = c;
    t->line = buf_new(2 << 20);
    bool ok = client_call(c, &rq, NULL, e) || show_position(c, q, position, e);
    if (ok && t->e.kind != ERR_NONE) {
        *e = t->e;
        ok = false;
    }
    buf_free(&t->line);
    return ok;
}

bool cmd_tail(struct cli *c, struct err *e)
{
    static struct tail t;
    struct buf path = buf_new(64 << 10), q = buf_new(16 << 10);
    buf_str(&path, "/api/v1/stream");
    path_query(&path, c, &q);
    path_param(&path, "types", cli_value(c, OPT_TYPES));
    bool ok = run_tail(c, &t, &path, &q, e);
    buf_free(&path);
    buf_free(&q);
    return ok;
}

bool follow_events(struct cli *c, uint64_t last, struct err *e)
{
    static struct tail t;
    struct buf path = buf_new(64 << 10), before = buf_new(64 << 10);
    struct buf q = buf_new(16 << 10), again = buf_new(16 << 10);
    char limit[24];
    snprintf(limit, sizeof(limit), "%u", (unsigned)(last < FOLLOW_MOST ? last : FOLLOW_MOST));
    buf_str(&path, "/api/v1/stream");
    path_query(&path, c, &q);
    buf_str(&before, "/api/v1/events");
    path_query(&before, c, &again);
    path_param(&before, "from", cli_value(c, OPT_FROM));
    path_param(&before, "limit", limit);
    t.before = buf_cstr(&before);
    bool ok = run_tail(c, &t, &path, &q, e);
    buf_free(&path);
    buf_free(&before);
    buf_free(&q);
    buf_free(&again);
    return ok;
}
