/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP/1.1 over a Unix socket, TCP or TLS: Content-Length, chunked and until-close bodies. The
 * other side is our own node, but what it says is read with bounds all the same. */
#include "cli/client.h"

#include "base/json.h"
#include "cli/transport.h"

#include <errno.h>
#include <unistd.h>

enum { ANSWER_MAX = 256 << 20, HEAD_MAX = 64 << 10, BLOCK = 64 << 10 };

struct answer {
    unsigned status;
    bool chunked, has_length;
    uint64_t length;
};

/* Bytes from the connection that were not used yet. */
struct reader {
    struct transport *t;
    uint8_t bytes[BLOCK];
    size_t at, n;
};

static bool more(struct reader *r)
{
    ssize_t n = transport_read(r->t, r->bytes, sizeof(r->bytes));
    r->at = 0;
    r->n = n > 0 ? (size_t)n : 0;
    return n > 0;
}

static bool read_line(struct reader *r, char *line, size_t cap)
{
    size_t n = 0;
    for (;;) {
        if (r->at == r->n && !more(r))
            return false;
        uint8_t c = r->bytes[r->at++];
        if (c == '\n')
            break;
        if (n + 1 >= cap)
            return false;
        line[n++] = (char)c;
    }
    if (n > 0 && line[n - 1] == '\r')
        n--;
    line[n] = '\0';
    return true;
}

static bool read_head(struct reader *r, struct answer *a, struct err *e)
{
    char line[8192];
    size_t all = 0;
    *a = (struct answer){0};
    if (!read_line(r, line, sizeof(line)))
        return err_set(e, ERR_UNAVAILABLE, "the node closed the connection");
    struct span s = span_str(line);
    uint64_t status;
    if (s.n < 12 || !span_starts(s, SPAN("HTTP/1.")) || !span_u64(span_cut(s, 9, 3), &status))
        return err_set(e, ERR_PROTOCOL, "what answers there is not a node");
    a->status = (unsigned)status;
    for (;;) {
        if (!read_line(r, line, sizeof(line)))
            return err_set(e, ERR_PROTOCOL, "the connection to the node broke");
        if (!line[0])
            return true;
        struct span value = span_str(line);
        struct span name = span_split(&value, ':');
        value = span_trim(value);
        all += name.n + value.n;
        if (all > HEAD_MAX)
            return err_set(e, ERR_PROTOCOL, "the node's answer has too long a head");
        if (span_ieq(name, SPAN("content-length")))
            a->has_length = span_u64(value, &a->length);
        if (span_ieq(name, SPAN("transfer-encoding")))
            a->chunked = span_ieq(value, SPAN("chunked"));
    }
}

struct sink {
    const struct client_request *rq;
    struct buf *out;
    bool stream, stopped;
};

static bool give(struct sink *s, struct span piece)
{
    if (s->stream)
        s->stopped = !s->rq->piece(s->rq->ctx, piece);
    else
        buf_span_add(s->out, piece);
    return !s->stopped;
}

/* The next n bytes; n == UINT64_MAX: all until the end. */
static bool read_bytes(struct reader *r, uint64_t n, struct sink *s)
{
    while (n > 0) {
        if (r->at == r->n && !more(r))
            return n == UINT64_MAX;
        size_t take = r->n - r->at;
        if (take > n)
            take = (size_t)n;
        struct span piece = span_of(r->bytes + r->at, take);
        r->at += take;
        if (n != UINT64_MAX)
            n -= take;
        if (!give(s, piece))
            return true;
    }
    return true;
}

static bool read_chunks(struct reader *r, struct sink *s)
{
    char line[256];
    for (;;) {
        if (!read_line(r, line, sizeof(line)))
            return false;
        uint64_t n = 0;
        if (ascii_hex((uint8_t)line[0]) < 0)
            return false;
        for (const char *p = line; ascii_hex((uint8_t)*p) >= 0; p++) {
            if (n >> 56)
                return false;
            n = n << 4 | (unsigned)ascii_hex((uint8_t)*p);
        }
        if (n == 0)
            return true;
        if (!read_bytes(r, n, s))
            return false;
        if (s->stopped)
            return true;
        if (!read_line(r, line, sizeof(line)))
            return false;
    }
}

static bool send_file(struct transport *t, const struct client_request *rq, struct err *e)
{
    uint8_t block[BLOCK];
    uint64_t sent = 0;
    while (sent < rq->file_bytes) {
        ssize_t n = read(rq->file, block, sizeof(block));
        if (n <= 0)
            return err_set(e, ERR_IO, "the file became shorter while it was read");
        if ((uint64_t)n > rq->file_bytes - sent)
            n = (ssize_t)(rq->file_bytes - sent);
        if (!transport_write(t, block, (size_t)n))
            return true; /* the answer says why */
        sent += (uint64_t)n;
        if (rq->sent)
            rq->sent(rq->ctx, sent);
    }
    return true;
}

static bool send_request(struct transport *t, const struct cli *c, const struct client_request *rq,
                         struct err *e)
{
    struct buf head = buf_new(HEAD_MAX);
    const char *token = cli_value(c, OPT_TOKEN);
    if (!token)
        token = getenv("DAIZONG_TOKEN");
    buf_printf(&head, "%s %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n", rq->method, rq->path,
               transport_host(t));
    if (token && *token)
        buf_printf(&head, "Authorization: Bearer %s\r\n", token);
    if (rq->file > 0)
        buf_printf(&head, "Content-Type: application/octet-stream\r\nContent-Length: %llu\r\n",
                   (unsigned long long)rq->file_bytes);
    else if (rq->body.n > 0)
        buf_printf(&head, "Content-Type: application/json\r\nContent-Length: %zu\r\n", rq->body.n);
    else if (strcmp(rq->method, "GET") != 0)
        buf_str(&head, "Content-Length: 0\r\n");
    buf_str(&head, "\r\n");
    if (rq->file <= 0)
        buf_span_add(&head, rq->body);
    bool ok = !head.full && transport_write(t, head.p, head.n);
    buf_free(&head);
    if (!ok)
        return err_set(e, ERR_IO, "cannot send to the node: %m");
    return rq->file <= 0 || send_file(t, rq, e);
}

static bool error_of(const struct answer *a, const struct client_request *rq, struct span body,
                     struct err *e)
{
    uint64_t position = 0;
    if (rq->position && json_uint_at(body, "error.position", &position))
        *rq->position = (size_t)position;
    struct buf code = buf_new(200), text = buf_new(2000), hint = buf_new(1000);
    enum err_kind kind = ERR_INTERNAL;
    json_text_at(body, "error.code", &code);
    json_text_at(body, "error.hint", &hint);
    if (!json_text_at(body, "error.message", &text) || text.n == 0)
        buf_printf(&text, "the node answered with status %u", a->status);
    for (unsigned k = 0; k < ERR_KINDS; k++)
        if (strcmp(err_name((enum err_kind)k), buf_cstr(&code)) == 0)
            kind = (enum err_kind)k;
    if (kind == ERR_INTERNAL && a->status < 500)
        kind = a->status == 400 ? ERR_PARSE : a->status == 403 ? ERR_DENIED : ERR_INVALID;
    if (a->status == 429)
        kind = ERR_BUSY;
    if (a->status == 503)
        kind = ERR_UNAVAILABLE;
    err_set(e, kind, "%s%s%s%s", buf_cstr(&text), hint.n ? " (" : "", buf_cstr(&hint),
            hint.n ? ")" : "");
    buf_free(&code);
    buf_free(&text);
    buf_free(&hint);
    return false;
}

/* Not logged in: with a token or without one, what helps differs. */
static bool refused(const struct cli *c, const struct answer *a, struct err *e)
{
    const char *token = cli_value(c, OPT_TOKEN);
    if (!token)
        token = getenv("DAIZONG_TOKEN");
    if (a->status != 401)
        return false;
    if (token && *token)
        return err_set(e, ERR_LOGIN,
                       "the token is not valid there (make one on the node's machine: daizong "
                       "user token NAME)");
    return err_set(e, ERR_LOGIN,
                   "no token was given (--token or DAIZONG_TOKEN; make one on the node's machine: "
                   "daizong user token NAME)");
}

bool client_call(const struct cli *c, const struct client_request *rq, struct buf *out,
                 struct err *e)
{
    struct transport *t;
    struct reader r;
    struct answer a = {0};
    struct buf own = buf_new(ANSWER_MAX);
    if (!transport_open(c, &t, e))
        return false;
    r = (struct reader){.t = t};
    bool ok = send_request(t, c, rq, e) && read_head(&r, &a, e);
    if (ok) {
        struct sink s = {.rq = rq, .out = &own, .stream = rq->piece && a.status / 100 == 2};
        bool whole = a.chunked      ? read_chunks(&r, &s)
                     : a.has_length ? read_bytes(&r, a.length, &s)
                                    : read_bytes(&r, UINT64_MAX, &s);
        if (own.full)
            ok = err_set(e, ERR_FULL, "the answer is larger than 256 MB: ask for less");
        else if (!whole && !s.stopped)
            ok = err_set(e, ERR_PROTOCOL, "the connection to the node broke");
        else if (a.status / 100 != 2)
            ok = error_of(&a, rq, buf_span(&own), e) || refused(c, &a, e);
        else if (out)
            buf_span_add(out, buf_span(&own));
    }
    buf_free(&own);
    transport_close(t);
    return ok;
}

void client_escape(struct buf *b, const char *text)
{
    for (const char *p = text; *p; p++) {
        uint8_t c = (uint8_t)*p;
        if (ascii_is_alpha(c) || ascii_is_digit(c) || c == '-' || c == '.' || c == '_')
            buf_byte(b, c);
        else
            buf_printf(b, "%%%02X", c);
    }
}

static bool value_at(struct span object, const char *path, struct json_value *v)
{
    struct json j;
    struct span rest = span_str(path);
    uint64_t at = 0, want = 0;
    bool array = false;
    json_init(&j, object);
    if (json_next(&j, v) != JSON_OBJECT)
        return false;
    struct span key = span_split(&rest, '.');
    while (json_next(&j, v) > JSON_END) {
        if (array ? at++ != want : !json_key_is(v, key)) {
            if (!json_skip(&j, v))
                return false;
            continue;
        }
        if (rest.n == 0)
            return v->type != JSON_OBJECT && v->type != JSON_ARRAY ? true : json_skip(&j, v);
        array = v->type == JSON_ARRAY;
        key = span_split(&rest, '.');
        at = 0;
        if (array ? !span_u64(key, &want) : v->type != JSON_OBJECT)
            return false;
    }
    return false;
}

bool json_text_at(struct span object, const char *path, struct buf *out)
{
    struct json_value v;
    if (!value_at(object, path, &v))
        return false;
    if (v.type == JSON_STRING && v.escaped)
        json_unescape(out, v.raw);
    else if (v.type != JSON_NULL)
        buf_span_add(out, v.raw);
    return true;
}

bool json_uint_at(struct span object, const char *path, uint64_t *ret)
{
    struct json_value v;
    if (!value_at(object, path, &v) || (v.type != JSON_INT && v.type != JSON_UINT))
        return false;
    *ret = v.type == JSON_UINT ? v.u : (uint64_t)v.i;
    return true;
}

bool json_double_at(struct span object, const char *path, double *ret)
{
    struct json_value v;
    if (!value_at(object, path, &v))
        return false;
    if (v.type == JSON_DOUBLE)
        *ret = v.d;
    else if (v.type == JSON_INT)
        *ret = (double)v.i;
    else
        return false;
    return true;
}
