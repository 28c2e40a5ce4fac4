/* SPDX-License-Identifier: Apache-2.0 */
/* The buffers and values of HTTP that rules look into. Most point into what the parser keeps; the
 * composed ones (http.header, http.header_names, http.start) are built at their first use and kept
 * on the transaction's arena. */
#include "proto/http.h"
#include "proto/http_body.h"
#include "proto/http_grammar.h"

static bool plain(struct span s, uint32_t index, struct inspect *ret)
{
    if (index || !s.p)
        return false;
    *ret = (struct inspect){.data = s, .final = true};
    return true;
}

static bool get_uri(struct tx *t, enum dir dir, uint32_t index, struct inspect *ret)
{
    (void)dir;
    return plain(http_tx_of(t)->uri_normal, index, ret);
}

static bool get_uri_raw(struct tx *t, enum dir dir, uint32_t index, struct inspect *ret)
{
    (void)dir;
    return plain(http_tx_of(t)->uri, index, ret);
}

static bool get_method(struct tx *t, enum dir dir, uint32_t index, struct inspect *ret)
{
    (void)dir;
    return plain(http_tx_of(t)->method, index, ret);
}

static bool get_protocol(struct tx *t, enum dir dir, uint32_t index, struct inspect *ret)
{
    const struct http_tx *tx = http_tx_of(t);

    return plain(dir == DIR_TS ? tx->protocol : tx->response_protocol, index, ret);
}

static bool get_line(struct tx *t, enum dir dir, uint32_t index, struct inspect *ret)
{
    return plain(http_tx_of(t)->side[dir].line, index, ret);
}

static bool get_host(struct tx *t, enum dir dir, uint32_t index, struct inspect *ret)
{
    (void)dir;
    return plain(http_tx_of(t)->host, index, ret);
}

static bool named(struct tx *t, enum dir dir, const char *name, struct inspect *ret)
{
    const struct http_header *h = http_header_find(&http_tx_of(t)->side[dir], name);

    return h && plain(h->value, 0, ret);
}

static bool get_host_raw(struct tx *t, enum dir dir, uint32_t index, struct inspect *ret)
{
    const struct http_tx *tx = http_tx_of(t);

    if (index)
        return false;
    if (tx->uri_host.p)
        return plain(tx->uri_host, 0, ret);
    return named(t, dir, "host", ret);
}

static bool get_user_agent(struct tx *t, enum dir dir, uint32_t index, struct inspect *ret)
{
    return !index && named(t, dir, "user-agent", ret);
}

static bool get_referer(struct tx *t, enum dir dir, uint32_t index, struct inspect *ret)
{
    return !index && named(t, dir, "referer", ret);
}

static bool get_accept(struct tx *t, enum dir dir, uint32_t index, struct inspect *ret)
{
    return !index && named(t, dir, "accept", ret);
}

static bool get_accept_enc(struct tx *t, enum dir dir, uint32_t index, struct inspect *ret)
{
    return !index && named(t, dir, "accept-encoding", ret);
}

static bool get_accept_lang(struct tx *t, enum dir dir, uint32_t index, struct inspect *ret)
{
    return !index && named(t, dir, "accept-language", ret);
}

static bool get_connection(struct tx *t, enum dir dir, uint32_t index, struct inspect *ret)
{
    return !index && named(t, dir, "connection", ret);
}

static bool get_content_type(struct tx *t, enum dir dir, uint32_t index, struct inspect *ret)
{
    return !index && named(t, dir, "content-type", ret);
}

static bool get_content_len(struct tx *t, enum dir dir, uint32_t index, struct inspect *ret)
{
    return !index && named(t, dir, "content-length", ret);
}

static bool get_location(struct tx *t, enum dir dir, uint32_t index, struct inspect *ret)
{
    return !index && named(t, dir, "location", ret);
}

static bool get_server(struct tx *t, enum dir dir, uint32_t index, struct inspect *ret)
{
    return !index && named(t, dir, "server", ret);
}

static bool get_cookie(struct tx *t, enum dir dir, uint32_t index, struct inspect *ret)
{
    return !index && named(t, dir, dir == DIR_TS ? "cookie" : "set-cookie", ret);
}

static bool get_stat_code(struct tx *t, enum dir dir, uint32_t index, struct inspect *ret)
{
    (void)dir;
    return plain(http_tx_of(t)->status_text, index, ret);
}

static bool get_stat_msg(struct tx *t, enum dir dir, uint32_t index, struct inspect *ret)
{
    (void)dir;
    return plain(http_tx_of(t)->message, index, ret);
}

static bool get_header_raw(struct tx *t, enum dir dir, uint32_t index, struct inspect *ret)
{
    const struct http_text *raw = &http_tx_of(t)->side[dir].raw;

    return raw->n && plain((struct span){raw->p, raw->n}, index, ret);
}

static bool is_cookie(struct span name, enum dir dir)
{
    return span_ieq(name, dir == DIR_TS ? SPAN("cookie") : SPAN("set-cookie"));
}

static size_t headers_room(const struct http_side *s)
{
    size_t n = 4;

    for (uint32_t i = 0; i < s->n_headers; i++)
        n += s->headers[i].name.n + s->headers[i].value.n + 4;
    return n;
}

static void put(struct http_text *t, struct span s)
{
    if (s.n)
        memcpy(t->p + t->n, s.p, s.n);
    t->n += s.n;
}

static void put_header(struct http_text *t, const struct http_header *h)
{
    put(t, h->name);
    put(t, SPAN(": "));
    put(t, h->value);
    put(t, SPAN("\r\n"));
}

static bool get_header(struct tx *t, enum dir dir, uint32_t index, struct inspect *ret)
{
    struct http_side *s = &http_tx_of(t)->side[dir];

    if (!s->normal_built) {
        struct http_text out = {arena_get(&t->mem, headers_room(s)), 0, 0};
        if (!out.p)
            return false;
        for (uint32_t i = 0; i < s->n_headers; i++) {
            if (!is_cookie(s->headers[i].name, dir))
                put_header(&out, &s->headers[i]);
        }
        s->normal = (struct span){out.p, out.n};
        s->normal_built = true;
    }
    return s->normal.n && plain(s->normal, index, ret);
}

static bool get_header_names(struct tx *t, enum dir dir, uint32_t index, struct inspect *ret)
{
    struct http_side *s = &http_tx_of(t)->side[dir];

    if (!s->names_built) {
        struct http_text out = {arena_get(&t->mem, headers_room(s)), 0, 0};
        if (!out.p)
            return false;
        if (s->n_headers)
            put(&out, SPAN("\r\n"));
        for (uint32_t i = 0; i < s->n_headers; i++) {
            put(&out, s->headers[i].name);
            put(&out, SPAN("\r\n"));
        }
        if (s->n_headers)
            put(&out, SPAN("\r\n"));
        s->names = (struct span){out.p, out.n};
        s->names_built = true;
    }
    return s->names.n && plain(s->names, index, ret);
}

static bool get_start(struct tx *t, enum dir dir, uint32_t index, struct inspect *ret)
{
    struct http_side *s = &http_tx_of(t)->side[dir];

    if (index || !s->line.p)
        return false;
    if (!s->start.p) {
        struct http_text out = {arena_get(&t->mem, headers_room(s) + s->line.n + 2), 0, 0};
        if (!out.p)
            return false;
        put(&out, s->line);
        put(&out, SPAN("\r\n"));
        for (uint32_t i = 0; i < s->n_headers; i++)
            put_header(&out, &s->headers[i]);
        put(&out, SPAN("\r\n"));
        s->start = (struct span){out.p, out.n};
    }
    return plain(s->start, 0, ret);
}

/* "Name: value" of one header after the other. */
static bool get_each_header(struct tx *t, enum dir dir, uint32_t index, struct inspect *ret)
{
    struct http_side *s = &http_tx_of(t)->side[dir];

    if (index >= s->n_headers)
        return false;
    if (!s->each) {
        s->each = arena_zero(&t->mem, sizeof(*s->each) * s->n_headers);
        s->n_each = s->each ? s->n_headers : 0;
    }
    if (index >= s->n_each)
        return false;
    if (!s->each[index].p) {
        const struct http_header *h = &s->headers[index];
        struct http_text out = {arena_get(&t->mem, h->name.n + h->value.n + 4), 0, 0};
        if (!out.p)
            return false;
        put_header(&out, h);
        s->each[index] = (struct span){out.p, out.n - 2};
    }
    return plain(s->each[index], 0, ret);
}

/* A body's window from where inspection may look on, once there is enough of it or all. */
static bool body(struct http_tx *tx, enum dir dir, struct inspect *ret)
{
    struct http_body *b = &tx->side[dir].body;
    const struct http_conf *conf = tx->conf;
    uint64_t min = dir == DIR_TS ? conf->request_inspect_min : conf->response_inspect_min;
    uint64_t win = dir == DIR_TS ? conf->request_inspect_window : conf->response_inspect_window;
    uint64_t limit = http_body_limit(tx, dir);
    bool complete =
        tx->tx.progress[dir] > HTTP_BODY || tx->side[dir].eof || (limit && b->total >= limit);

    if (!b->total || (!complete && !conf->http_inline && b->total < min))
        return false;
    uint64_t offset = 0;
    if (b->inspected > min) {
        uint64_t fresh = b->total - b->inspected;
        if (fresh < win)
            offset = b->inspected > win - fresh ? b->inspected - (win - fresh) : 0;
        else
            offset = b->inspected - win / 4;
    }
    if (offset < b->at)
        offset = b->at;
    b->seen = b->total;
    ret->data = span_from((struct span){b->p, b->n}, (size_t)(offset - b->at));
    ret->offset = offset;
    ret->final = complete;
    return ret->data.n > 0;
}

static bool get_body(struct tx *t, enum dir dir, uint32_t index, struct inspect *ret)
{
    return !index && body(http_tx_of(t), dir, ret);
}

static const struct file *nth_file(const struct tx *t, enum dir dir, uint32_t index)
{
    const struct file *f = t->files[dir];

    while (f && index--)
        f = f->next;
    return f;
}

/* Content of files: of responses the body itself, of requests what was uploaded. */
static bool get_file_data(struct tx *t, enum dir dir, uint32_t index, struct inspect *ret)
{
    if (dir == DIR_TC)
        return !index && body(http_tx_of(t), dir, ret);
    const struct file *f = nth_file(t, dir, index);
    if (!f)
        return false;
    const struct http_tx *tx = http_tx_of(t);
    if (f->state == FILE_OPEN && f->size < tx->conf->request_inspect_min &&
        !tx->conf->http_inline && !tx->side[DIR_TS].eof)
        return false; /* wait for more to look at */
    ret->data = buf_span(&f->window);
    ret->offset = f->window_at;
    ret->final = f->state != FILE_OPEN;
    return true;
}

static bool get_file_name(struct tx *t, enum dir dir, uint32_t index, struct inspect *ret)
{
    const struct file *f = nth_file(t, dir, index);

    return f && plain(f->name, 0, ret);
}

enum { TS = 1 << DIR_TS, TC = 1 << DIR_TC, BOTH = TS | TC };

/* clang-format off */
const struct proto_buffer http_buffers[HTTP_BUFFERS] = {
    {"http.uri", NULL, "http_uri", TS, HTTP_HEADERS, false, false, get_uri, "normalised target"},
    {"http.uri.raw", NULL, "http_raw_uri", TS, HTTP_HEADERS, false, false, get_uri_raw, "target as sent"},
    {"http.method", NULL, "http_method", TS, HTTP_HEADERS, false, false, get_method, "method"},
    {"http.protocol", "http_protocol", NULL, BOTH, HTTP_HEADERS, false, false, get_protocol, "protocol of the line"},
    {"http.request_line", "http_request_line", NULL, TS, HTTP_HEADERS, false, false, get_line, "request line"},
    {"http.response_line", "http_response_line", NULL, TC, HTTP_HEADERS, false, false, get_line, "response line"},
    {"http.stat_code", NULL, "http_stat_code", TC, HTTP_HEADERS, false, false, get_stat_code, "status code"},
    {"http.stat_msg", NULL, "http_stat_msg", TC, HTTP_HEADERS, false, false, get_stat_msg, "reason phrase"},
    {"http.host", NULL, "http_host", TS, HTTP_BODY, false, false, get_host, "host, lower case, without port"},
    {"http.host.raw", NULL, "http_raw_host", TS, HTTP_BODY, false, false, get_host_raw, "host as sent"},
    {"http.header", NULL, "http_header", BOTH, HTTP_BODY, false, false, get_header, "headers without cookies, one a line"},
    {"http.header.raw", NULL, "http_raw_header", BOTH, HTTP_BODY, false, false, get_header_raw, "headers as sent"},
    {"http.header_names", "http_header_names", NULL, BOTH, HTTP_BODY, false, false, get_header_names, "names of the headers, one a line"},
    {"http.start", "http_start", NULL, BOTH, HTTP_BODY, false, false, get_start, "line and headers"},
    {"http.request_header", NULL, NULL, TS, HTTP_BODY, true, false, get_each_header, "each request header"},
    {"http.response_header", NULL, NULL, TC, HTTP_BODY, true, false, get_each_header, "each response header"},
    {"http.cookie", NULL, "http_cookie", BOTH, HTTP_BODY, false, false, get_cookie, "Cookie or Set-Cookie"},
    {"http.user_agent", NULL, "http_user_agent", TS, HTTP_BODY, false, false, get_user_agent, "User-Agent"},
    {"http.referer", "http_referer", NULL, TS, HTTP_BODY, false, false, get_referer, "Referer"},
    {"http.accept", "http_accept", NULL, TS, HTTP_BODY, false, false, get_accept, "Accept"},
    {"http.accept_enc", "http_accept_enc", NULL, TS, HTTP_BODY, false, false, get_accept_enc, "Accept-Encoding"},
    {"http.accept_lang", "http_accept_lang", NULL, TS, HTTP_BODY, false, false, get_accept_lang, "Accept-Language"},
    {"http.connection", "http_connection", NULL, BOTH, HTTP_BODY, false, false, get_connection, "Connection"},
    {"http.content_type", "http_content_type", NULL, BOTH, HTTP_BODY, false, false, get_content_type, "Content-Type"},
    {"http.content_len", "http_content_len", NULL, BOTH, HTTP_BODY, false, false, get_content_len, "Content-Length"},
    {"http.location", "http_location", NULL, TC, HTTP_BODY, false, false, get_location, "Location"},
    {"http.server", "http_server", NULL, TC, HTTP_BODY, false, false, get_server, "Server"},
    {"http.request_body", NULL, "http_client_body", TS, HTTP_BODY, false, true, get_body, "request body"},
    {"http.response_body", NULL, "http_server_body", TC, HTTP_BODY, false, true, get_body, "response body, decoded"},
    {"file.data", "file_data", NULL, BOTH, HTTP_BODY, true, true, get_file_data, "content of files"},
    {"file.name", NULL, NULL, BOTH, HTTP_BODY, true, false, get_file_name, "name of files"},
};
/* clang-format on */

static bool get_urilen(struct tx *t, enum dir dir, uint32_t index, uint64_t *ret)
{
    (void)dir;
    *ret = http_tx_of(t)->uri_normal.n;
    return !index && http_tx_of(t)->uri_normal.p;
}

static bool get_urilen_raw(struct tx *t, enum dir dir, uint32_t index, uint64_t *ret)
{
    (void)dir;
    *ret = http_tx_of(t)->uri.n;
    return !index && http_tx_of(t)->uri.p;
}

static bool get_status(struct tx *t, enum dir dir, uint32_t index, uint64_t *ret)
{
    (void)dir;
    *ret = http_tx_of(t)->status;
    return !index && *ret;
}

const struct proto_value http_values[HTTP_VALUES] = {
    {"urilen", TS, HTTP_HEADERS, get_urilen},
    {"urilen.raw", TS, HTTP_HEADERS, get_urilen_raw},
    {"http.status", TC, HTTP_HEADERS, get_status},
};
