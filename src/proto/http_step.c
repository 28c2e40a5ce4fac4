/* SPDX-License-Identifier: Apache-2.0 */
/* What the request and the response side do alike: running their steps over a chunk of the stream,
 * and the chunks of a chunked body once their length is known. */
#include "proto/http_body.h"

/* A gap fits only into bodies of known length or to the end, and between messages. */
static bool gap_fits(uint8_t state)
{
    return state == STATE_BODY_KNOWN || state == STATE_BODY_CLOSE || state == STATE_FINALIZE ||
           state == STATE_IGNORE;
}

void http_run(struct http_conn *c, enum dir dir, struct http_input *in,
              enum step (*step)(struct http_conn *c, struct http_input *in))
{
    struct http_stream *st = &c->in[dir];
    enum step got = STEP_OK;

    while (got == STEP_OK) {
        if (in->gap && !gap_fits(st->state)) {
            http_event(c, HTTP_EVENT_INVALID_GAP);
            return;
        }
        got = step(c, in);
        if (got == STEP_OK && st->status == STATUS_TUNNEL)
            return;
    }
    if (got == STEP_ERROR)
        st->status = STATUS_ERROR;
    else
        st->status = got == STEP_OTHER && http_left(in) ? STATUS_OTHER : STATUS_DATA;
}

enum step http_chunk_begin(struct http_conn *c, struct http_tx *tx, enum dir dir)
{
    struct http_stream *st = &c->in[dir];

    if (st->chunk_left) {
        st->state = STATE_CHUNK_DATA;
        return STEP_OK;
    }
    st->trailing = true;
    tx->side[dir].raw_parsed = 0;
    tx_progress(&tx->tx, dir, HTTP_TRAILER);
    st->state = STATE_HEADERS;
    return STEP_OK;
}

enum step http_chunk_data(struct http_conn *c, enum dir dir, struct http_input *in)
{
    struct http_stream *st = &c->in[dir];
    struct http_tx *tx = http_tx(c, dir);
    size_t n = http_left(in) < st->chunk_left ? http_left(in) : (size_t)st->chunk_left;

    if (!tx)
        return STEP_ERROR;
    if (!n)
        return STEP_MORE;
    http_message_data(c, tx, dir, span_cut(http_rest(in), 0, n));
    in->at += n;
    st->chunk_left -= n;
    if (st->chunk_left)
        return STEP_MORE;
    st->state = STATE_CHUNK_END;
    return STEP_OK;
}

enum step http_chunk_end(struct http_conn *c, enum dir dir, struct http_input *in)
{
    struct http_tx *tx = http_tx(c, dir);
    struct span rest = http_rest(in);
    size_t lf = span_find_byte(rest, '\n');
    size_t n = lf < rest.n ? lf + 1 : rest.n;

    if (!tx)
        return STEP_ERROR;
    tx->side[dir].message_length += n;
    in->at += n;
    if (lf == rest.n)
        return STEP_MORE;
    c->in[dir].state = STATE_CHUNK_LENGTH;
    return STEP_OK;
}
