/* SPDX-License-Identifier: Apache-2.0 */
/* Content of messages, decoded: kept in a window for rules, up to the configured limit, and handed
 * to files: request bodies of POST and PUT (or the parts of a form), all response bodies. What was
 * inspected slides out of the window, so that a body costs its limit at most. */
#include "proto/http_body.h"
#include "proto/http.h"
#include "proto/http_grammar.h"

uint64_t http_body_limit(const struct http_tx *tx, enum dir dir)
{
    const struct file *f = tx->side[dir].file;

    if (f && f->wanted)
        return f->env->conf->file.store_depth;
    return dir == DIR_TS ? tx->conf->request_body_limit : tx->conf->response_body_limit;
}

static uint64_t keep_of(const struct http_conn *c, enum dir dir)
{
    uint64_t min = dir == DIR_TS ? c->conf->request_inspect_min : c->conf->response_inspect_min;
    uint64_t win =
        dir == DIR_TS ? c->conf->request_inspect_window : c->conf->response_inspect_window;

    return min > win ? min : win;
}

/* Lets go of what rules have done with, except for a margin behind which they may look back. */
static void prune(struct http_conn *c, struct http_tx *tx, enum dir dir)
{
    struct http_body *b = &tx->side[dir].body;
    uint64_t keep = keep_of(c, dir);

    if (b->seen > b->inspected)
        b->inspected = b->seen;
    if (b->total - b->inspected > 3 * keep)
        b->inspected = b->total - keep;
    if (b->inspected <= keep)
        return;
    uint64_t left = b->inspected - keep;
    if (tx->body_kind == BODY_MULTIPART && dir == DIR_TS && left > tx->body_parsed)
        left = tx->body_parsed;
    if (left <= b->at || left - b->at < b->n / 2)
        return; /* not worth moving */
    size_t drop = left - b->at < b->n ? (size_t)(left - b->at) : b->n;
    memmove(b->p, b->p + drop, b->n - drop);
    b->n -= drop;
    b->at += drop;
}

/* Room for n more bytes: what is known of the length is taken at once. */
static bool room(struct http_conn *c, struct http_tx *tx, enum dir dir, size_t n)
{
    struct http_side *s = &tx->side[dir];
    struct http_body *b = &s->body;
    uint64_t limit = http_body_limit(tx, dir);

    if (b->cap - b->n >= n)
        return true;
    uint64_t cap = b->cap ? 2 * (uint64_t)b->cap : 512;
    if (!b->cap && s->has_content_length && !s->decoder)
        cap = s->content_length;
    if (limit && cap > limit)
        cap = limit;
    if (!limit && cap > 4 * keep_of(c, dir))
        cap = 4 * keep_of(c, dir);
    if (cap < b->n + n)
        cap = b->n + n;
    uint8_t *p = arena_get(&tx->tx.mem, cap);
    if (!p)
        return false;
    if (b->n)
        memcpy(p, b->p, b->n);
    b->p = p;
    b->cap = cap;
    return true;
}

static void append(struct http_conn *c, struct http_tx *tx, enum dir dir, struct span data)
{
    struct http_body *b = &tx->side[dir].body;

    prune(c, tx, dir);
    b->total += data.n;
    if (c->conf->no_bodies && tx->body_kind != BODY_MULTIPART)
        return;
    if (!room(c, tx, dir, data.n)) {
        /* Out of memory: the window starts anew behind what is lost. */
        b->n = 0;
        b->at = b->total;
        return;
    }
    if (data.n)
        memcpy(b->p + b->n, data.p, data.n);
    b->n += data.n;
    tx->tx.updated[dir] = true;
}

static struct span file_name(struct http_tx *tx, struct span name)
{
    if (name.n > HTTP_FILENAME_MAX) {
        http_tx_event(tx, HTTP_EVENT_FILE_NAME_TOO_LONG);
        name.n = HTTP_FILENAME_MAX;
    }
    return name;
}

/* Marks the part of a whole that a response's Content-Range speaks of. */
static void set_range(struct http_tx *tx, struct file *f)
{
    const struct http_header *h = http_header_find(&tx->side[DIR_TC], "content-range");
    struct http_range r;

    if (!h)
        return;
    if (!http_content_range(h->value, &r)) {
        http_tx_event(tx, HTTP_EVENT_RANGE_INVALID);
        return;
    }
    if (r.end <= 0 || r.size <= 0 || (r.start == 0 && r.end == r.size - 1))
        return;
    if (r.start > r.end || r.end > r.size - 1) {
        http_tx_event(tx, HTTP_EVENT_RANGE_INVALID);
        return;
    }
    f->is_range = true;
    f->start = (uint64_t)r.start;
    f->end = (uint64_t)r.end;
}

static void open_response_file(struct http_conn *c, struct http_tx *tx)
{
    struct http_side *s = &tx->side[DIR_TC];
    const struct http_header *cd = http_header_find(s, "content-disposition");
    struct span name;

    if (!cd || !http_parameter(cd->value, SPAN("filename="), &name)) {
        if (!tx->has_path)
            return;
        name = tx->path;
    }
    s->file = file_open(c->app, &tx->tx, DIR_TC, file_name(tx, name));
    if (!s->file)
        return;
    s->file->window.max = 0; /* rules look into the body itself */
    set_range(tx, s->file);
}

static void to_file(struct http_conn *c, struct http_tx *tx, enum dir dir, struct span data)
{
    struct http_side *s = &tx->side[dir];

    if (s->dont_store)
        return;
    if (!s->file) {
        if (dir == DIR_TC)
            open_response_file(c, tx);
        else if (tx->has_path)
            s->file = file_open(c->app, &tx->tx, DIR_TS, file_name(tx, tx->path));
    }
    if (s->file)
        file_append(c->app, s->file, data);
}

/* What a request's body is, once its first bytes are there. */
static void begin_request(struct http_conn *c, struct http_tx *tx)
{
    enum { BOUNDARY_MAX = 200 };
    const struct http_header *ct = http_header_find(&tx->side[DIR_TS], "content-type");
    struct span b;

    (void)c;
    tx->side[DIR_TS].body.begun = true;
    if (tx->method_id == METHOD_PUT) {
        tx->body_kind = BODY_PUT;
        return;
    }
    if (tx->method_id != METHOD_POST)
        return;
    if (!ct || !http_parameter(ct->value, SPAN("boundary="), &b)) {
        tx->body_kind = BODY_POST;
        return;
    }
    if (b.n >= BOUNDARY_MAX)
        return;
    struct http_text t = {NULL, 0, 0};
    if (!http_text_add(&tx->tx.mem, &t, SPAN("--"), HTTP_TEXT_MAX) ||
        !http_text_add(&tx->tx.mem, &t, b, HTTP_TEXT_MAX) ||
        !http_text_add(&tx->tx.mem, &t, SPAN("--"), HTTP_TEXT_MAX))
        return;
    tx->boundary = (struct span){t.p, t.n};
    tx->body_kind = BODY_MULTIPART;
}

void http_body_data(struct http_conn *c, struct http_tx *tx, enum dir dir, struct span data)
{
    struct http_side *s = &tx->side[dir];
    uint64_t limit = http_body_limit(tx, dir);

    if (!data.n)
        return;
    if (dir == DIR_TS && !s->body.begun)
        begin_request(c, tx);
    if (limit && s->body.total >= limit) {
        if (s->file)
            file_close(c->app, s->file, FILE_TRUNCATED);
        s->file = NULL;
        s->dont_store = true;
        return;
    }
    if (limit && s->body.total + data.n > limit)
        data.n = (size_t)(limit - s->body.total);
    append(c, tx, dir, data);
    if (dir == DIR_TC || tx->body_kind == BODY_POST || tx->body_kind == BODY_PUT)
        to_file(c, tx, dir, data);
    else if (tx->body_kind == BODY_MULTIPART)
        http_multipart(c, tx, false);
}

void http_body_gap(struct http_conn *c, struct http_tx *tx, enum dir dir, uint64_t n)
{
    struct http_side *s = &tx->side[dir];
    struct http_body *b = &s->body;
    uint64_t limit = http_body_limit(tx, dir);

    if (dir == DIR_TS && !b->begun)
        begin_request(c, tx);
    if (limit && b->total >= limit) {
        http_body_data(c, tx, dir, SPAN("-"));
        return;
    }
    /* The window cannot hold a hole: it goes on behind it. What is missing does not count. */
    b->n = 0;
    b->at = b->total;
    if (dir == DIR_TS && tx->body_kind == BODY_MULTIPART)
        tx->body_parsed = b->total;
    else if (dir == DIR_TC || tx->body_kind != BODY_OTHER)
        to_file(c, tx, dir, (struct span){(const uint8_t *)"", 0});
    if (s->file)
        file_gap(c->app, s->file, n);
    tx->tx.updated[dir] = true;
}

void http_body_end(struct http_conn *c, struct http_tx *tx, enum dir dir)
{
    struct http_side *s = &tx->side[dir];

    if (s->file)
        file_close(c->app, s->file, FILE_CLOSED);
    s->file = NULL;
    tx->tx.updated[dir] = true;
}

void http_message_data(struct http_conn *c, struct http_tx *tx, enum dir dir, struct span data)
{
    struct http_side *s = &tx->side[dir];

    s->message_length += data.n;
    if (s->decoder && !s->no_decoding) {
        http_decode(c, tx, dir, data);
        return;
    }
    s->entity_length += data.n;
    http_body_data(c, tx, dir, data);
}

void http_message_end(struct http_conn *c, struct http_tx *tx, enum dir dir)
{
    if (tx->side[dir].decoder)
        http_decode_end(c, tx, dir);
}
