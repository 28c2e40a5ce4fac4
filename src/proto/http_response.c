/* SPDX-License-Identifier: Apache-2.0 */
/* The response side: like the request side a chain of steps over each chunk. What is no response
 * line is content, as browsers show it; a chunk length that is none turns the rest into content;
 * a message without length ends with the connection. */
#include "proto/http.h"
#include "proto/http_body.h"
#include "proto/http_grammar.h"

static struct http_stream *stream(struct http_conn *c)
{
    return &c->in[DIR_TC];
}

/* Where the request side waits for this response, or the response asked to yield, stop here. */
static bool must_yield(struct http_conn *c)
{
    bool same = c->in[DIR_TC].index == c->in[DIR_TS].index;

    if (stream(c)->status == STATUS_OTHER && same)
        return true;
    if (c->other_at_end) {
        c->other_at_end = false;
        return same;
    }
    return false;
}

/* An accepted CONNECT turns the connection into something else. */
static void connect_accepted(struct http_conn *c, struct http_tx *tx)
{
    if (tx->method_id != METHOD_CONNECT || tx->status < 200 || tx->status > 299 ||
        stream(c)->index != 0)
        return;
    app_change(c->app, PROTO_NONE);
    tx_progress(&tx->tx, DIR_TS, HTTP_COMPLETE);
    tx_progress(&tx->tx, DIR_TC, HTTP_COMPLETE);
}

static enum step response_done(struct http_conn *c)
{
    struct http_tx *tx = http_tx(c, DIR_TC);

    if (!tx)
        return STEP_ERROR;
    if (tx->tx.progress[DIR_TC] != HTTP_COMPLETE) {
        tx_progress(&tx->tx, DIR_TC, HTTP_COMPLETE);
        if (tx->side[DIR_TC].coding != CODING_NONE)
            http_message_end(c, tx, DIR_TC);
        http_body_end(c, tx, DIR_TC);
        connect_accepted(c, tx);
    }
    if (must_yield(c))
        return STEP_OTHER;
    http_next(c, DIR_TC);
    stream(c)->state = STATE_IDLE;
    return STEP_OK;
}

static enum step idle(struct http_conn *c, struct http_input *in)
{
    struct http_stream *st = stream(c);

    if (!http_left(in))
        return STEP_MORE;
    struct http_tx *tx = http_tx(c, DIR_TC);
    if (!tx)
        return STEP_ERROR;
    if (tx->tx.progress[DIR_TS] == HTTP_NOT_STARTED) {
        http_event(c, HTTP_EVENT_UNABLE_TO_MATCH);
        tx->uri = tx->path = tx->uri_normal = SPAN("/libhtp::request_uri_not_seen");
        tx->has_path = true;
        tx_progress(&tx->tx, DIR_TS, HTTP_COMPLETE);
        http_next(c, DIR_TS);
    }
    st->has_content_length = st->has_left = false;
    if (tx->is_0_9) {
        tx->side[DIR_TC].coding = CODING_IDENTITY;
        tx->side[DIR_TC].no_decoding = true;
        tx_progress(&tx->tx, DIR_TC, HTTP_BODY);
        st->state = STATE_BODY_CLOSE;
    } else {
        tx_progress(&tx->tx, DIR_TC, HTTP_LINE);
        st->state = STATE_LINE;
    }
    if (!tx->method.p && !tx->uri.p && c->in[DIR_TS].state == STATE_LINE)
        http_event(c, HTTP_EVENT_REQUEST_LINE_INCOMPLETE);
    return STEP_OK;
}

static enum step line_complete(struct http_conn *c, struct http_input *in, struct span line)
{
    struct http_stream *st = stream(c);
    struct http_tx *tx = http_tx(c, DIR_TC);

    if (!tx)
        return STEP_ERROR;
    if (!line.n)
        return STEP_MORE;
    if (http_line_ignorable(line)) {
        if (st->status == STATUS_CLOSED)
            st->state = STATE_FINALIZE;
        return STEP_OK;
    }
    if (http_line_is_body(line)) {
        struct span rest = http_rest(in);
        if (rest.n > 1 && (rest.p[0] == 'H' || http_chomp(line).n <= 2))
            return STEP_OK;
        tx->side[DIR_TC].no_decoding = true;
        http_message_data(c, tx, DIR_TC, line);
        if (!rest.n) {
            tx->side[DIR_TC].coding = CODING_IDENTITY;
            tx_progress(&tx->tx, DIR_TC, HTTP_BODY);
            st->has_left = false;
            st->state = STATE_FINALIZE;
        }
        return STEP_OK;
    }
    struct span kept = arena_dup(&tx->tx.mem, line);
    if (!kept.p)
        return STEP_ERROR;
    http_response_line(c, tx, kept);
    st->trailing = false;
    tx->side[DIR_TC].raw.n = tx->side[DIR_TC].raw_parsed = 0;
    tx->side[DIR_TC].raw = (struct http_text){NULL, 0, 0};
    tx_progress(&tx->tx, DIR_TC, HTTP_HEADERS);
    st->state = STATE_HEADERS;
    return STEP_OK;
}

/* The length of the first line with its end (CR, LF or CRLF); 0 when the end is not there. */
static size_t line_length(struct span s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '\n')
            return i + 1;
        if (s.p[i] == '\r') {
            if (i + 1 == s.n)
                return 0;
            return s.p[i + 1] == '\n' ? i + 2 : i + 1;
        }
    }
    return 0;
}

static enum step response_line(struct http_conn *c, struct http_input *in)
{
    struct http_stream *st = stream(c);
    struct span rest = http_rest(in);
    size_t n = line_length(rest);

    if (!n && st->status != STATUS_CLOSED)
        return http_keep(c, DIR_TC, in);
    if (!n)
        n = rest.n;
    if (!http_room(c, DIR_TC, n))
        return STEP_ERROR;
    struct span line = http_line_take(c, DIR_TC, in, n);
    return line.p || !n ? line_complete(c, in, line) : STEP_ERROR;
}

static enum step headers(struct http_conn *c, struct http_input *in)
{
    struct http_stream *st = stream(c);
    struct http_tx *tx = http_tx(c, DIR_TC);

    if (!tx)
        return STEP_ERROR;
    if (st->status == STATUS_CLOSED) {
        http_headers_close(c, DIR_TC);
        tx->side[DIR_TC].has_trailer |= st->trailing;
        st->state = STATE_FINALIZE;
        return STEP_OK;
    }
    switch (http_headers_data(c, DIR_TC, in)) {
    case HEADERS_END:
        tx->side[DIR_TC].has_trailer |= st->trailing;
        st->state = st->trailing ? STATE_FINALIZE : STATE_BODY_DETERMINE;
        return STEP_OK;
    case HEADERS_MORE:
        return STEP_MORE;
    default:
        return STEP_ERROR;
    }
}

static enum step headers_known(struct http_conn *c, struct http_tx *tx)
{
    tx_progress(&tx->tx, DIR_TC, HTTP_BODY);
    http_decode_begin(c, tx, DIR_TC);
    return STEP_OK;
}

static bool has_cl_value(const struct http_header *cl)
{
    uint64_t v;

    return cl && http_content_length(cl->value, &v, NULL) && v > 0;
}

/* 100 Continue announces another response: this one is forgotten. */
static void continue_seen(struct http_conn *c, struct http_tx *tx)
{
    if (tx->seen_100)
        http_event(c, HTTP_EVENT_CONTINUE_ALREADY_SEEN);
    tx->seen_100 = true;
    tx->side[DIR_TC].n_headers = 0;
    tx->side[DIR_TC].normal_built = tx->side[DIR_TC].names_built = false;
    stream(c)->state = STATE_LINE;
}

static bool upgrade_is(const struct http_tx *tx, const char *what)
{
    const struct http_header *h = http_header_find(&tx->side[DIR_TC], "upgrade");

    return h && http_value_has(h->value, what);
}

static enum step switching(struct http_conn *c, struct http_tx *tx)
{
    stream(c)->state = STATE_FINALIZE;
    if (c->in[DIR_TS].status != STATUS_ERROR)
        c->in[DIR_TS].status = STATUS_TUNNEL;
    stream(c)->status = STATUS_TUNNEL;
    if (upgrade_is(tx, "h2c") || upgrade_is(tx, "websocket"))
        app_change(c->app, PROTO_NONE);
    return headers_known(c, tx);
}

/* A request that waits for leave to send its body, and was refused. */
static void refused(struct http_conn *c, struct http_tx *tx)
{
    struct http_stream *ts = &c->in[DIR_TS];
    const struct http_header *e = http_header_find(&tx->side[DIR_TS], "expect");

    if (ts->has_content_length && ts->content_length && ts->has_left &&
        ts->left == ts->content_length && e && span_eq(e->value, SPAN("100-continue")))
        ts->state = STATE_FINALIZE;
}

static enum step body_length(struct http_conn *c, struct http_tx *tx, const struct http_header *te,
                             const struct http_header *cl)
{
    struct http_stream *st = stream(c);
    struct http_side *s = &tx->side[DIR_TC];

    if (te && http_value_has(te->value, "chunked")) {
        if (!span_ieq(te->value, SPAN("chunked")))
            http_event(c, HTTP_EVENT_ABNORMAL_TE);
        if (s->version < VERSION_1_1)
            http_event(c, HTTP_EVENT_CHUNKED_OLD_PROTO);
        s->coding = CODING_CHUNKED;
        st->state = STATE_CHUNK_LENGTH;
        return STEP_OK;
    }
    s->coding = CODING_IDENTITY;
    if (cl) {
        unsigned extra = 0;
        s->has_content_length = http_content_length(cl->value, &s->content_length, &extra);
        if (extra & 1)
            http_event(c, HTTP_EVENT_CL_EXTRA_START);
        if (extra & 2)
            http_event(c, HTTP_EVENT_CL_EXTRA_END);
        if (!s->has_content_length) {
            http_event(c, HTTP_EVENT_INVALID_CL_RESPONSE);
            return STEP_ERROR;
        }
        st->has_content_length = st->has_left = true;
        st->content_length = st->left = s->content_length;
        st->state = s->content_length ? STATE_BODY_KNOWN : STATE_FINALIZE;
        return STEP_OK;
    }
    const struct http_header *ct = http_header_find(s, "content-type");
    if (ct && span_ifind(ct->value, SPAN("multipart/byteranges")) != SIZE_MAX) {
        http_event(c, HTTP_EVENT_MULTIPART_BYTERANGES);
        return STEP_ERROR;
    }
    st->has_left = false;
    st->state = STATE_BODY_CLOSE;
    return STEP_OK;
}

static enum step body_determine(struct http_conn *c)
{
    struct http_stream *st = stream(c);
    struct http_tx *tx = http_tx(c, DIR_TC);

    if (!tx)
        return STEP_ERROR;
    struct http_side *s = &tx->side[DIR_TC];
    if (tx->method_id == METHOD_CONNECT) {
        if (tx->status >= 200 && tx->status <= 299) {
            st->state = STATE_FINALIZE;
            return headers_known(c, tx);
        }
        if (c->in[DIR_TS].status != STATUS_ERROR)
            c->in[DIR_TS].status = STATUS_DATA;
        if (tx->status != 407)
            c->other_at_end = true;
    }
    const struct http_header *cl = http_header_find(s, "content-length");
    const struct http_header *te = http_header_find(s, "transfer-encoding");
    if (tx->status == 101) {
        if (!te && !cl)
            return switching(c, tx);
        http_event(c, HTTP_EVENT_SWITCHING_WITH_CL);
    } else if (tx->status == 100 && !te && !has_cl_value(cl)) {
        continue_seen(c, tx);
        return STEP_OK;
    } else if (tx->status >= 400 && tx->status <= 499) {
        refused(c, tx);
    }
    bool none = tx->method_id == METHOD_HEAD;
    if (!none &&
        ((tx->status >= 100 && tx->status <= 199) || tx->status == 204 || tx->status == 304)) {
        none = !te && !cl;
        if (!none)
            http_event(c, HTTP_EVENT_RESPONSE_BODY_UNEXPECTED);
    }
    if (none) {
        s->coding = CODING_NONE;
        st->state = STATE_FINALIZE;
    } else if (body_length(c, tx, te, cl) == STEP_ERROR) {
        return STEP_ERROR;
    }
    return headers_known(c, tx);
}

/* What looked like chunks is content to the end of the connection. */
static enum step not_chunked(struct http_conn *c, struct http_tx *tx)
{
    tx->side[DIR_TC].coding = CODING_IDENTITY;
    stream(c)->state = STATE_BODY_CLOSE;
    http_event(c, HTTP_EVENT_INVALID_RESPONSE_CHUNK_LEN);
    return STEP_OK;
}

static enum step chunk_length(struct http_conn *c, struct http_input *in)
{
    struct http_stream *st = stream(c);
    struct http_tx *tx = http_tx(c, DIR_TC);
    bool extension;

    if (!tx)
        return STEP_ERROR;
    for (;;) {
        struct span rest = http_rest(in);
        size_t lf = span_find_byte(rest, '\n');
        if (lf == rest.n) {
            if (!st->buf.n && !http_chunk_possible(rest))
                return not_chunked(c, tx);
            return http_keep(c, DIR_TC, in);
        }
        if (!http_room(c, DIR_TC, lf + 1))
            return STEP_ERROR;
        struct span line = http_line_take(c, DIR_TC, in, lf + 1);
        if (!line.p)
            return STEP_ERROR;
        tx->side[DIR_TC].message_length += line.n;
        if (http_chunk_blank(line))
            continue;
        switch (http_chunk_length(line, &st->chunk_left, &extension)) {
        case CHUNK_NONE:
            st->chunk_left = 0;
            return STEP_OK;
        case CHUNK_BAD:
            in->at -= lf + 1;
            return not_chunked(c, tx);
        default:
            break;
        }
        if (extension)
            http_event(c, HTTP_EVENT_RESPONSE_CHUNK_EXTENSION);
        break;
    }
    return http_chunk_begin(c, tx, DIR_TC);
}

static enum step closed_in_body(struct http_conn *c, struct http_tx *tx, struct http_input *in)
{
    stream(c)->state = STATE_FINALIZE;
    if (http_left(in) && !in->gap)
        http_message_data(c, tx, DIR_TC, http_rest(in));
    in->at = in->n;
    return STEP_OK;
}

static enum step chunk_data(struct http_conn *c, struct http_input *in)
{
    struct http_tx *tx = http_tx(c, DIR_TC);

    if (!tx)
        return STEP_ERROR;
    if (stream(c)->status == STATUS_CLOSED)
        return closed_in_body(c, tx, in);
    return http_chunk_data(c, DIR_TC, in);
}

static enum step body_known(struct http_conn *c, struct http_input *in)
{
    struct http_stream *st = stream(c);
    struct http_tx *tx = http_tx(c, DIR_TC);
    size_t n = http_left(in) < st->left ? http_left(in) : (size_t)st->left;

    if (!tx)
        return STEP_ERROR;
    if (st->status == STATUS_CLOSED)
        return closed_in_body(c, tx, in);
    if (!n)
        return STEP_MORE;
    if (!in->gap) {
        http_message_data(c, tx, DIR_TC, span_cut(http_rest(in), 0, n));
    } else if (tx->side[DIR_TC].decoder) {
        http_message_end(c, tx, DIR_TC);
    } else {
        tx->side[DIR_TC].message_length += n;
        http_body_gap(c, tx, DIR_TC, n);
    }
    in->at += n;
    st->left -= n;
    if (st->left)
        return STEP_MORE;
    st->state = STATE_FINALIZE;
    http_message_end(c, tx, DIR_TC);
    return STEP_OK;
}

static enum step body_close(struct http_conn *c, struct http_input *in)
{
    struct http_tx *tx = http_tx(c, DIR_TC);

    if (!tx)
        return STEP_ERROR;
    if (http_left(in)) {
        if (in->gap) {
            tx->side[DIR_TC].message_length += http_left(in);
            http_body_gap(c, tx, DIR_TC, http_left(in));
        } else {
            http_message_data(c, tx, DIR_TC, http_rest(in));
        }
        in->at = in->n;
    }
    if (stream(c)->status != STATUS_CLOSED)
        return STEP_MORE;
    stream(c)->state = STATE_FINALIZE;
    return STEP_OK;
}

static enum step finalize(struct http_conn *c, struct http_input *in)
{
    struct http_stream *st = stream(c);
    struct http_tx *tx = http_tx(c, DIR_TC);

    if (!tx)
        return STEP_ERROR;
    if (in->gap)
        return response_done(c);
    struct span rest = http_rest(in);
    size_t n = rest.n;
    if (st->status != STATUS_CLOSED) {
        if (!rest.n)
            return response_done(c);
        if (rest.p[0] != '\n') {
            size_t lf = span_find_byte(rest, '\n');
            if (lf == rest.n)
                return http_keep(c, DIR_TC, in);
            n = lf + 1;
        }
    }
    if (!http_room(c, DIR_TC, st->buf.n ? n : 0))
        return STEP_ERROR;
    if (!st->buf.n && !n)
        return response_done(c);
    size_t kept = st->buf.n;
    struct span data = span_cut(rest, 0, n);
    if (kept) {
        if (!http_text_add(app_arena(c->app), &st->buf, data, 4 * HTTP_FIELD_LIMIT))
            return STEP_ERROR;
        data = (struct span){st->buf.p, st->buf.n};
        st->buf.n = kept;
    }
    if (http_line_is_body(data)) {
        http_event(c, HTTP_EVENT_RESPONSE_BODY_UNEXPECTED);
        st->buf.n = 0;
        in->at += n;
        http_message_data(c, tx, DIR_TC, data);
        return STEP_OK;
    }
    return response_done(c);
}

static enum step step(struct http_conn *c, struct http_input *in)
{
    switch (stream(c)->state) {
    case STATE_IDLE:
        return idle(c, in);
    case STATE_LINE:
        return response_line(c, in);
    case STATE_HEADERS:
        return headers(c, in);
    case STATE_BODY_DETERMINE:
        return body_determine(c);
    case STATE_CHUNK_LENGTH:
        return chunk_length(c, in);
    case STATE_CHUNK_DATA:
        return chunk_data(c, in);
    case STATE_CHUNK_END:
        return http_chunk_end(c, DIR_TC, in);
    case STATE_BODY_KNOWN:
        return body_known(c, in);
    case STATE_BODY_CLOSE:
        return body_close(c, in);
    case STATE_FINALIZE:
        return finalize(c, in);
    default:
        return STEP_ERROR;
    }
}

void http_response_data(struct http_conn *c, struct http_input *in)
{
    struct http_stream *st = stream(c);

    if (st->status == STATUS_ERROR || st->status == STATUS_TUNNEL)
        return;
    if (in->gap) {
        struct http_tx *tx = http_tx(c, DIR_TC);
        if (!tx || (c->in[DIR_TS].index == 0 && tx->tx.progress[DIR_TC] == HTTP_NOT_STARTED)) {
            st->status = STATUS_ERROR;
            return;
        }
    }
    http_run(c, DIR_TC, in, step);
}
