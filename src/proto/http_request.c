/* SPDX-License-Identifier: Apache-2.0 */
/* The request side: a chain of steps over each chunk, from the request line to the end of the body
 * and on to the next request. A step takes what it needs and names the next one; partial lines are
 * kept by http_keep. Every byte is looked at a bounded number of times. */
#include "proto/http.h"
#include "proto/http_body.h"
#include "proto/http_grammar.h"

static struct http_stream *stream(struct http_conn *c)
{
    return &c->in[DIR_TS];
}

static enum step request_done(struct http_conn *c)
{
    struct http_stream *st = stream(c);
    struct http_tx *tx = http_tx(c, DIR_TS);

    if (!tx)
        return STEP_ERROR;
    if (tx->tx.progress[DIR_TS] != HTTP_COMPLETE) {
        if (tx->side[DIR_TS].coding == CODING_IDENTITY || tx->side[DIR_TS].coding == CODING_CHUNKED)
            http_message_end(c, tx, DIR_TS);
        http_request_flag_events(tx);
        tx_progress(&tx->tx, DIR_TS, HTTP_COMPLETE);
        http_body_end(c, tx, DIR_TS);
    }
    st->state = tx->is_0_9 ? STATE_IGNORE : STATE_IDLE;
    http_next(c, DIR_TS);
    return STEP_OK;
}

static enum step idle(struct http_conn *c, struct http_input *in)
{
    struct http_stream *st = stream(c);

    if (!http_left(in) && (st->status != STATUS_CLOSED || !st->buf.n))
        return STEP_MORE;
    st->has_content_length = st->has_left = false;
    struct http_tx *tx = http_tx(c, DIR_TS);
    if (!tx)
        return STEP_ERROR;
    tx_progress(&tx->tx, DIR_TS, HTTP_LINE);
    st->state = STATE_LINE;
    return STEP_OK;
}

static enum step line_complete(struct http_conn *c, struct span line)
{
    struct http_tx *tx = http_tx(c, DIR_TS);

    if (!tx || !http_room(c, DIR_TS, line.n))
        return STEP_ERROR;
    if (!line.n)
        return STEP_MORE;
    if (http_line_ignorable(line))
        return STEP_OK;
    struct span kept = arena_dup(&tx->tx.mem, http_chomp(line));
    if (!kept.p)
        return STEP_ERROR;
    http_request_line(c, tx, kept);
    if (tx->uri_host_invalid)
        http_request_flag_events(tx);
    tx_progress(&tx->tx, DIR_TS, HTTP_HEADERS);
    stream(c)->state = STATE_PROTOCOL;
    return STEP_OK;
}

static enum step request_line(struct http_conn *c, struct http_input *in)
{
    struct span rest = http_rest(in);
    size_t lf = span_find_byte(rest, '\n');

    if (lf == rest.n && stream(c)->status != STATUS_CLOSED)
        return http_keep(c, DIR_TS, in);
    size_t n = lf < rest.n ? lf + 1 : rest.n;
    if (!http_room(c, DIR_TS, n))
        return STEP_ERROR;
    struct span line = http_line_take(c, DIR_TS, in, n);
    return line.p || !n ? line_complete(c, line) : STEP_ERROR;
}

static enum step protocol(struct http_conn *c, struct http_input *in)
{
    struct http_stream *st = stream(c);
    struct http_tx *tx = http_tx(c, DIR_TS);

    if (!tx)
        return STEP_ERROR;
    if (tx->is_0_9) {
        struct span rest = http_rest(in);
        size_t spaces = 0;
        while (spaces < rest.n && http_is_space(rest.p[spaces]))
            spaces++;
        if (spaces == rest.n && spaces <= 16) {
            st->state = STATE_FINALIZE;
            return STEP_OK;
        }
        tx->is_0_9 = false;
        http_event(c, HTTP_EVENT_MISSING_PROTOCOL);
    }
    st->trailing = false;
    st->state = STATE_HEADERS;
    return STEP_OK;
}

static enum step headers_done(struct http_conn *c)
{
    struct http_stream *st = stream(c);
    struct http_tx *tx = http_tx(c, DIR_TS);

    if (!tx)
        return STEP_ERROR;
    if (st->trailing || tx->tx.progress[DIR_TS] > HTTP_HEADERS) {
        tx->side[DIR_TS].has_trailer = true;
        st->state = STATE_FINALIZE;
        return STEP_OK;
    }
    http_request_examine(c, tx);
    http_decode_begin(c, tx, DIR_TS);
    tx_progress(&tx->tx, DIR_TS, HTTP_BODY);
    st->state = STATE_CONNECT_CHECK;
    return STEP_OK;
}

static enum step headers(struct http_conn *c, struct http_input *in)
{
    struct http_stream *st = stream(c);

    if (st->status == STATUS_CLOSED) {
        http_headers_close(c, DIR_TS);
        struct http_tx *tx = http_tx(c, DIR_TS);
        if (tx && !st->trailing)
            tx_progress(&tx->tx, DIR_TS, HTTP_TRAILER);
        st->trailing = true;
        return headers_done(c);
    }
    switch (http_headers_data(c, DIR_TS, in)) {
    case HEADERS_END:
        return headers_done(c);
    case HEADERS_MORE:
        return STEP_MORE;
    default:
        return STEP_ERROR;
    }
}

static enum step connect_wait(struct http_conn *c)
{
    struct http_tx *tx = http_tx(c, DIR_TS);

    if (!tx)
        return STEP_ERROR;
    if (tx->tx.progress[DIR_TC] <= HTTP_LINE)
        return STEP_OTHER;
    stream(c)->state =
        tx->status >= 200 && tx->status <= 299 ? STATE_CONNECT_PROBE : STATE_FINALIZE;
    return STEP_OK;
}

/* Behind an accepted CONNECT: another request, or a tunnel. */
static enum step connect_probe(struct http_conn *c, struct http_input *in)
{
    struct http_stream *st = stream(c);
    struct span rest = http_rest(in);
    size_t i = 0;

    while (i < rest.n && rest.p[i] != '\n' && rest.p[i] != 0)
        i++;
    if (i == rest.n)
        return http_keep(c, DIR_TS, in);
    if (!st->buf.n) {
        size_t from = 0;
        while (from < i && http_is_space(rest.p[from]))
            from++;
        size_t to = from;
        while (to < i && !http_is_space(rest.p[to]))
            to++;
        if (http_method_of(span_cut(rest, from, to - from)) != METHOD_UNKNOWN)
            return request_done(c);
    }
    st->status = STATUS_TUNNEL;
    c->in[DIR_TC].status = STATUS_TUNNEL;
    return STEP_OK;
}

static enum step body_determine(struct http_conn *c)
{
    struct http_stream *st = stream(c);
    struct http_tx *tx = http_tx(c, DIR_TS);

    if (!tx)
        return STEP_ERROR;
    struct http_side *s = &tx->side[DIR_TS];
    switch (s->coding) {
    case CODING_CHUNKED:
        st->state = STATE_CHUNK_LENGTH;
        return STEP_OK;
    case CODING_IDENTITY:
        st->has_content_length = st->has_left = true;
        st->content_length = st->left = s->content_length;
        st->state = s->content_length ? STATE_BODY_KNOWN : STATE_FINALIZE;
        return STEP_OK;
    case CODING_NONE:
        st->state = STATE_FINALIZE;
        return STEP_OK;
    default:
        return STEP_ERROR;
    }
}

static enum step chunk_length(struct http_conn *c, struct http_input *in)
{
    struct http_stream *st = stream(c);
    struct http_tx *tx = http_tx(c, DIR_TS);
    bool extension;

    if (!tx)
        return STEP_ERROR;
    for (;;) {
        struct span rest = http_rest(in);
        size_t lf = span_find_byte(rest, '\n');
        if (lf == rest.n) {
            if (http_chunk_possible(rest))
                return http_keep(c, DIR_TS, in);
            http_event(c, HTTP_EVENT_INVALID_REQUEST_CHUNK_LEN);
            return STEP_ERROR;
        }
        if (!http_room(c, DIR_TS, lf + 1))
            return STEP_ERROR;
        struct span line = http_line_take(c, DIR_TS, in, lf + 1);
        if (!line.p)
            return STEP_ERROR;
        tx->side[DIR_TS].message_length += line.n;
        if (http_chunk_blank(line))
            continue;
        enum chunk_line got = http_chunk_length(line, &st->chunk_left, &extension);
        if (got == CHUNK_OK && extension)
            http_event(c, HTTP_EVENT_REQUEST_CHUNK_EXTENSION);
        if (got == CHUNK_NONE)
            http_event(c, HTTP_EVENT_INVALID_REQUEST_CHUNK_LEN);
        if (got != CHUNK_OK)
            return STEP_ERROR;
        break;
    }
    return http_chunk_begin(c, tx, DIR_TS);
}

static enum step body_known(struct http_conn *c, struct http_input *in)
{
    struct http_stream *st = stream(c);
    struct http_tx *tx = http_tx(c, DIR_TS);
    size_t n = http_left(in) < st->left ? http_left(in) : (size_t)st->left;

    if (!tx)
        return STEP_ERROR;
    if (!n)
        return STEP_MORE;
    if (in->gap) {
        tx->side[DIR_TS].message_length += n;
        http_body_gap(c, tx, DIR_TS, n);
    } else {
        http_message_data(c, tx, DIR_TS, span_cut(http_rest(in), 0, n));
    }
    in->at += n;
    st->left -= n;
    if (st->left)
        return STEP_MORE;
    st->state = STATE_FINALIZE;
    http_message_end(c, tx, DIR_TS);
    return STEP_OK;
}

/* Bytes that are no request are content of the one before. */
static enum step stray(struct http_conn *c, struct http_tx *tx, struct http_input *in, size_t n)
{
    struct span data = http_line_take(c, DIR_TS, in, n);

    if (!data.p && n)
        return STEP_ERROR;
    http_message_data(c, tx, DIR_TS, data);
    return STEP_OK;
}

static enum step finalize(struct http_conn *c, struct http_input *in)
{
    struct http_stream *st = stream(c);
    struct http_tx *tx = http_tx(c, DIR_TS);

    if (!tx)
        return STEP_ERROR;
    if (in->gap)
        return request_done(c);
    struct span rest = http_rest(in);
    size_t lf = span_find_byte(rest, '\n');
    if (st->status != STATUS_CLOSED) {
        if (!rest.n)
            return request_done(c);
        if (lf == rest.n)
            return http_keep(c, DIR_TS, in);
    }
    size_t n = lf < rest.n ? lf + 1 : rest.n;
    if (!http_room(c, DIR_TS, n))
        return STEP_ERROR;
    if (!st->buf.n && !n)
        return request_done(c);
    /* the first word of the line, which may have begun in an earlier chunk */
    size_t kept = st->buf.n;
    struct span head = rest;
    if (kept) {
        if (!http_text_add(app_arena(c->app), &st->buf, span_cut(rest, 0, n), 2 * HTTP_FIELD_LIMIT))
            return STEP_ERROR;
        head = (struct span){st->buf.p, st->buf.n};
        st->buf.n = kept;
    } else {
        head = span_cut(rest, 0, n);
    }
    size_t i = 0;
    while (i < head.n && http_is_space(head.p[i]))
        i++;
    size_t word = i;
    while (i < head.n && !http_is_space(head.p[i]))
        i++;
    if (i == word)
        return stray(c, tx, in, n);
    if (http_method_of(span_cut(head, word, i - word)) == METHOD_UNKNOWN) {
        if (!st->has_left || !st->left)
            http_event(c, HTTP_EVENT_REQUEST_BODY_UNEXPECTED);
        else
            st->left = 1;
        return stray(c, tx, in, n);
    }
    st->has_left = false;
    return request_done(c);
}

static enum step ignore(struct http_input *in)
{
    in->at = in->n;
    return STEP_MORE;
}

static enum step step(struct http_conn *c, struct http_input *in)
{
    struct http_stream *st = stream(c);
    struct http_tx *tx;

    switch (st->state) {
    case STATE_IDLE:
        return idle(c, in);
    case STATE_LINE:
        return request_line(c, in);
    case STATE_PROTOCOL:
        return protocol(c, in);
    case STATE_HEADERS:
        return headers(c, in);
    case STATE_CONNECT_CHECK:
        tx = http_tx(c, DIR_TS);
        if (!tx)
            return STEP_ERROR;
        if (tx->method_id == METHOD_CONNECT) {
            st->state = STATE_CONNECT_WAIT;
            return STEP_OTHER;
        }
        st->state = STATE_BODY_DETERMINE;
        return STEP_OK;
    case STATE_CONNECT_WAIT:
        return connect_wait(c);
    case STATE_CONNECT_PROBE:
        return connect_probe(c, in);
    case STATE_BODY_DETERMINE:
        return body_determine(c);
    case STATE_CHUNK_LENGTH:
        return chunk_length(c, in);
    case STATE_CHUNK_DATA:
        return http_chunk_data(c, DIR_TS, in);
    case STATE_CHUNK_END:
        return http_chunk_end(c, DIR_TS, in);
    case STATE_BODY_KNOWN:
        return body_known(c, in);
    case STATE_FINALIZE:
        return finalize(c, in);
    default:
        return ignore(in);
    }
}

/* A gap fits only into bodies of known length and between messages. */
static bool gap_allowed(struct http_conn *c)
{
    struct http_stream *st = stream(c);
    struct http_tx *tx = http_tx(c, DIR_TS);

    if (!tx) {
        st->status = STATUS_ERROR;
        return false;
    }
    return !(st->index == 0 && tx->tx.progress[DIR_TS] == HTTP_NOT_STARTED);
}

void http_request_data(struct http_conn *c, struct http_input *in)
{
    struct http_stream *st = stream(c);

    if (st->status == STATUS_ERROR || st->status == STATUS_TUNNEL)
        return;
    if (c->in[DIR_TC].status == STATUS_OTHER)
        c->in[DIR_TC].status = STATUS_DATA;
    if (in->gap && !gap_allowed(c))
        return;
    http_run(c, DIR_TS, in, step);
}
