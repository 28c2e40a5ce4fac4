/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP/1.x to the rest of the sensor: recognition, the entry of data, gaps and ends of streams, and
 * which transaction each direction works on. Everything given is consumed: partial lines are kept
 * here, up to a limit, so that no byte is looked at again with every packet. */
#include "proto/http.h"
#include "proto/http_body.h"

static const char *const event_names[] = {
#define HTTP_EVENT(id, name) name,
#include "proto/http_events.def"
#undef HTTP_EVENT
};

void http_event(struct http_conn *c, enum http_event e)
{
    if (c->n_pending < LEN(c->pending))
        c->pending[c->n_pending++] = (uint8_t)e;
}

void http_tx_event(struct http_tx *tx, enum http_event e)
{
    tx_event(&tx->tx, (uint8_t)e);
}

/* The chunk of dir is done with: its anomalies fall to the newest request, or to the response that
 * is awaited (to the one before where there is none yet). */
static void give_events(struct http_conn *c, enum dir dir)
{
    struct tx *tx = c->app->last;

    if (!c->n_pending)
        return;
    if (dir == DIR_TC) {
        struct tx *before = NULL;
        for (tx = c->app->first; tx && tx->id < c->in[DIR_TC].index; tx = tx->next)
            before = tx;
        if (!tx || tx->id != c->in[DIR_TC].index)
            tx = before;
    }
    for (unsigned i = 0; tx && i < c->n_pending; i++) {
        tx_event(tx, c->pending[i]);
        tx->updated[dir] = true;
    }
    c->n_pending = 0;
}

bool http_text_add(struct arena *a, struct http_text *t, struct span s, size_t max)
{
    if (s.n > max || t->n > max - s.n)
        return false;
    if (t->cap - t->n < s.n) {
        size_t cap = t->cap * 2;
        if (cap > max)
            cap = max;
        if (cap < t->n + s.n)
            cap = t->n + s.n;
        uint8_t *p = arena_get(a, cap);
        if (!p)
            return false;
        if (t->n)
            memcpy(p, t->p, t->n);
        t->p = p;
        t->cap = cap;
    }
    if (s.n)
        memcpy(t->p + t->n, s.p, s.n);
    t->n += s.n;
    return true;
}

bool http_room(struct http_conn *c, enum dir dir, size_t n)
{
    if (!n || c->in[dir].buf.n + n <= HTTP_FIELD_LIMIT)
        return true;
    http_event(c, dir == DIR_TS ? HTTP_EVENT_REQUEST_FIELD_TOO_LONG
                                : HTTP_EVENT_RESPONSE_FIELD_TOO_LONG);
    return false;
}

enum step http_keep(struct http_conn *c, enum dir dir, struct http_input *in)
{
    struct span rest = http_rest(in);

    if (!http_room(c, dir, rest.n) ||
        !http_text_add(app_arena(c->app), &c->in[dir].buf, rest, HTTP_FIELD_LIMIT))
        return STEP_ERROR;
    in->at = in->n;
    return STEP_MORE;
}

struct span http_line_take(struct http_conn *c, enum dir dir, struct http_input *in, size_t n)
{
    struct http_text *buf = &c->in[dir].buf;
    struct span part = span_cut(http_rest(in), 0, n);

    in->at += n;
    if (!buf->n)
        return part;
    if (!http_text_add(app_arena(c->app), buf, part, 2 * HTTP_FIELD_LIMIT))
        return (struct span){NULL, 0};
    struct span line = {buf->p, buf->n};
    buf->n = 0;
    return line;
}

struct http_tx *http_tx(struct http_conn *c, enum dir dir)
{
    struct http_stream *st = &c->in[dir];
    struct tx *tx;

    if (st->tx)
        return st->tx;
    for (tx = c->app->first; tx && tx->id < st->index; tx = tx->next)
        ;
    if (tx) {
        st->index = tx->id; /* those before are complete and gone */
    } else {
        st->index = c->app->next_tx_id;
        tx = c->app->live < c->conf->max_tx ? app_tx_new(c->app) : NULL;
        if (!tx)
            return NULL;
    }
    st->tx = http_tx_of(tx);
    st->tx->conf = c->conf;
    return st->tx;
}

void http_next(struct http_conn *c, enum dir dir)
{
    c->in[dir].index++;
    c->in[dir].tx = NULL;
}

static const char *const methods[] = {
    "GET",
    "PUT",
    "POST",
    "HEAD",
    "TRACE",
    "OPTIONS",
    "CONNECT",
    "DELETE",
    "PATCH",
    "PROPFIND",
    "PROPPATCH",
    "MKCOL",
    "COPY",
    "MOVE",
    "LOCK",
    "UNLOCK",
    "CHECKOUT",
    "UNCHECKOUT",
    "CHECKIN",
    "UPDATE",
    "LABEL",
    "REPORT",
    "MKWORKSPACE",
    "MKACTIVITY",
    "MERGE",
    "INVALID",
    "VERSION-CONTROL",
    "BASELINE-CONTROL",
};

/* A method and a blank, at the very beginning. */
static enum probe probe_request(struct span data)
{
    bool maybe = false;

    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        struct span m = span_str(methods[i]);
        if (data.n <= m.n) {
            maybe |= span_starts(m, data);
        } else if (span_starts(data, m) && (data.p[m.n] == ' ' || data.p[m.n] == '\t')) {
            return PROBE_YES;
        }
    }
    return maybe ? PROBE_MAYBE : PROBE_NO;
}

static enum probe probe_response(struct span data)
{
    static const char *const versions[] = {"HTTP/0.9", "HTTP/1.0", "HTTP/1.1"};
    size_t n = data.n < 8 ? data.n : 8;

    for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
        if (span_ieq(span_cut(data, 0, n), span_of(versions[i], n)))
            return n == 8 ? PROBE_YES : PROBE_MAYBE;
    }
    return PROBE_NO;
}

static enum probe probe(struct span data, enum dir dir, const struct probe_hint *hint,
                        bool *ret_swap)
{
    (void)hint;
    enum probe own = dir == DIR_TS ? probe_request(data) : probe_response(data);

    *ret_swap = false;
    if (own != PROBE_NO)
        return own;
    if ((dir == DIR_TS ? probe_response(data) : probe_request(data)) == PROBE_YES) {
        *ret_swap = true;
        return PROBE_YES;
    }
    return PROBE_NO;
}

static struct http_conn *conn(struct app *app)
{
    struct http_conn *c = app_state(app);

    if (!c->app) {
        c->app = app;
        c->conf = &app_conf(app)->http;
    }
    return c;
}

static void close_side(struct http_conn *c, enum dir dir)
{
    if (c->in[dir].status != STATUS_ERROR)
        c->in[dir].status = STATUS_CLOSED;
}

static void end_of_stream(struct http_conn *c, enum dir dir)
{
    struct http_input none = {(const uint8_t *)"", 0, 0, false};

    if (c->closed[dir])
        return;
    c->closed[dir] = true;
    close_side(c, DIR_TS);
    if (dir == DIR_TC)
        close_side(c, DIR_TC);
    http_request_data(c, &none);
    none.at = 0;
    if (dir == DIR_TC)
        http_response_data(c, &none);
    for (struct tx *tx = c->app->first; tx; tx = tx->next) {
        http_tx_of(tx)->side[dir].eof = true;
        tx->updated[dir] = true;
    }
}

/* The stream was cut at its depth: open files end here. */
static void truncated(struct http_conn *c, enum dir dir)
{
    for (struct tx *tx = c->app->first; tx; tx = tx->next) {
        struct http_side *s = &http_tx_of(tx)->side[dir];
        if (s->file)
            file_close(c->app, s->file, FILE_TRUNCATED);
        s->file = NULL;
        s->dont_store = true;
    }
}

static enum parse parse(struct app *app, enum dir dir, struct span data, unsigned flags,
                        size_t *consumed)
{
    struct http_conn *c = conn(app);
    struct http_input in = {data.p, data.n, 0, false};

    if (data.n) {
        if (dir == DIR_TS)
            http_request_data(c, &in);
        else
            http_response_data(c, &in);
        give_events(c, dir);
    }
    /* What follows an upgrade belongs to the next protocol. */
    *consumed = app->change_asked && c->in[DIR_TC].status == STATUS_TUNNEL ? in.at : data.n;
    bool failed = c->in[dir].status == STATUS_ERROR;
    if (flags & PARSE_TRUNCATED)
        truncated(c, dir);
    if (flags & PARSE_EOF && app->seen[dir])
        end_of_stream(c, dir);
    return failed ? PARSE_FAIL : PARSE_OK;
}

static enum parse gap(struct app *app, enum dir dir, uint64_t n)
{
    struct http_conn *c = conn(app);
    struct http_input in = {(const uint8_t *)"", (size_t)n, 0, true};

    if (dir == DIR_TS)
        http_request_data(c, &in);
    else
        http_response_data(c, &in);
    give_events(c, dir);
    return c->in[dir].status == STATUS_ERROR ? PARSE_FAIL : PARSE_OK;
}

static void tx_gone(struct app *app, const struct tx *tx)
{
    struct http_conn *c = app_state(app);

    for (enum dir d = DIR_TS; c && d <= DIR_TC; d++) {
        struct http_tx *cur = c->in[d].tx;
        if (cur && &cur->tx == tx)
            c->in[d].tx = NULL;
        http_decode_free((struct http_tx *)(uintptr_t)tx, d);
    }
}

/* Complete, or both streams have ended and it will never be. */
static bool log_ready(struct app *app, struct tx *tx, enum dir *ret_dir)
{
    const struct http_conn *c = app_state(app);

    *ret_dir = DIR_TS;
    return (tx_done(app, tx, DIR_TS) && tx_done(app, tx, DIR_TC)) ||
           (c->closed[DIR_TS] && c->closed[DIR_TC]);
}

static const char *const progress_ts[] = {"request_not_started",
                                          "request_line",
                                          "request_headers",
                                          "request_body",
                                          "request_trailer",
                                          "request_complete",
                                          NULL};
static const char *const progress_tc[] = {"response_not_started",
                                          "response_line",
                                          "response_headers",
                                          "response_body",
                                          "response_trailer",
                                          "response_complete",
                                          NULL};

extern const struct proto proto_http;
const struct proto proto_http = {
    .name = "http",
    .title = "HTTP/1.x",
    .transports = TRANSPORT_TCP,
    .state_size = sizeof(struct http_conn),
    .tx_size = sizeof(struct http_tx),
    .done = {HTTP_COMPLETE, HTTP_COMPLETE},
    .progress_names = {progress_ts, progress_tc},
    .accepts_gaps = true,
    .probe = probe,
    .parse = parse,
    .gap = gap,
    .log = http_log,
    .log_ready = log_ready,
    .client = http_client,
    .tx_gone = tx_gone,
    .buffers = http_buffers,
    .n_buffers = HTTP_BUFFERS,
    .values = http_values,
    .n_values = HTTP_VALUES,
    .event_names = event_names,
    .n_events = HTTP_EVENTS,
    .events_upper = true,
    .event_type = EVENT_http,
};
