/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of a multipart/form-data request body that carry a file name become files. Works on
 * the body's window from where the last call stopped (tx->body_parsed); what may be the beginning
 * of a boundary stays for the next call. */
#include "proto/http.h"
#include "proto/http_body.h"
#include "proto/http_grammar.h"

/* One look at what is there: positions are offsets into `data`. */
struct form {
    struct http_conn *c;
    struct http_tx *tx;
    struct span data;
    struct span mark, last; /* "--boundary", "--boundary--" */
};

static size_t find(const struct form *f, size_t from, struct span what)
{
    size_t at = span_find(span_from(f->data, from), what);

    return at == SIZE_MAX ? SIZE_MAX : from + at;
}

static void parsed(const struct form *f, size_t n)
{
    f->tx->body_parsed += n;
}

static void store(const struct form *f, size_t from, size_t n)
{
    struct http_side *s = &f->tx->side[DIR_TS];

    if (s->file)
        file_append(f->c->app, s->file, span_cut(f->data, from, n));
}

static void close_file(const struct form *f, enum file_state state)
{
    struct http_side *s = &f->tx->side[DIR_TS];

    if (s->file)
        file_close(f->c->app, s->file, state);
    s->file = NULL;
    f->tx->in_part = false;
}

/* How much of [from, end) surely is content: not what may be CRLF and a boundary's beginning. */
static size_t safe_length(const struct form *f, size_t from)
{
    size_t n = f->data.n - from;

    if (n <= f->mark.n + 2)
        return 0;
    size_t len = n - (f->mark.n + 2);
    while (len < n) {
        const uint8_t *p = f->data.p + from + len;
        if (p[0] == '\r' && (len + 1 == n || p[1] == '\n'))
            break;
        len++;
    }
    return len;
}

/* Header lines of one part: its file name, if it has one. */
static bool part_name(const struct form *f, struct span head, struct span *ret)
{
    static const struct span disposition = {(const uint8_t *)"content-disposition:", 20};
    bool found = false;

    while (head.n) {
        size_t eol = span_find(head, SPAN("\r\n"));
        struct span line = span_cut(head, 0, eol);
        size_t colon = span_find_byte(line, ':');
        if (colon + 1 >= line.n)
            http_tx_event(f->tx, HTTP_EVENT_MULTIPART_INVALID_HEADER);
        else if (span_ieq(span_cut(line, 0, disposition.n), disposition))
            found |= http_parameter(span_from(line, disposition.n), SPAN("filename="), ret);
        if (eol == SIZE_MAX)
            break;
        head = span_from(head, eol + 2);
    }
    return found;
}

static void open_file(const struct form *f, struct span name)
{
    if (name.n > HTTP_FILENAME_MAX)
        name.n = HTTP_FILENAME_MAX;
    f->tx->side[DIR_TS].file = file_open(f->c->app, &f->tx->tx, DIR_TS, name);
}

/* Content of an open part. True: it ended, and the next boundary is at *ret. */
static bool in_part(const struct form *f, bool complete, size_t *ret)
{
    size_t mark = find(f, 0, f->mark);

    if (mark != SIZE_MAX) {
        store(f, 0, mark >= 2 ? mark - 2 : 0);
        close_file(f, FILE_CLOSED);
        *ret = mark;
        return true;
    }
    if (complete) {
        store(f, 0, f->data.n);
        parsed(f, f->data.n);
        close_file(f, FILE_TRUNCATED);
        return false;
    }
    size_t n = safe_length(f, 0);
    store(f, 0, n);
    parsed(f, n);
    return false;
}

enum part { PART_NEXT, PART_WAIT };

/* One part from its boundary at `mark`. *ret: where to go on. */
static enum part one_part(const struct form *f, size_t mark, size_t *ret)
{
    size_t head_end = find(f, mark, SPAN("\r\n\r\n"));

    if (head_end == SIZE_MAX)
        return PART_WAIT;
    size_t from = mark + f->mark.n + 2;
    struct span name, head = {f->data.p, 0};
    if (head_end > from)
        head = span_cut(f->data, from, head_end - from);
    size_t content = head_end + 4;
    *ret = content;
    if (!part_name(f, head, &name))
        return PART_NEXT;
    size_t next = find(f, content, f->mark);
    if (next == content && span_starts(span_from(f->data, content), f->last)) {
        http_tx_event(f->tx, HTTP_EVENT_MULTIPART_NO_FILEDATA);
        return PART_NEXT;
    }
    open_file(f, name);
    if (next != SIZE_MAX) {
        store(f, content, next >= content + 2 ? next - 2 - content : 0);
        close_file(f, FILE_CLOSED);
        *ret = next;
        return PART_NEXT;
    }
    f->tx->in_part = true;
    size_t n = safe_length(f, content);
    store(f, content, n);
    *ret = content + n;
    return PART_WAIT;
}

void http_multipart(struct http_conn *c, struct http_tx *tx, bool complete)
{
    const struct http_body *b = &tx->side[DIR_TS].body;

    if (tx->body_parsed < b->at)
        tx->body_parsed = b->at;
    size_t skip = (size_t)(tx->body_parsed - b->at);
    struct form f = {c, tx, span_from((struct span){b->p, b->n}, skip),
                     span_cut(tx->boundary, 0, tx->boundary.n - 2), tx->boundary};
    size_t mark = 0;
    if (tx->in_part) {
        if (!in_part(&f, complete, &mark))
            return;
    } else {
        mark = find(&f, 0, f.mark);
    }
    while (mark != SIZE_MAX) {
        size_t at = mark;
        if (span_starts(span_from(f.data, mark), f.last)) {
            parsed(&f, f.data.n);
            return;
        }
        enum part p = one_part(&f, mark, &at);
        if (p == PART_WAIT) {
            parsed(&f, tx->in_part ? at : mark);
            return;
        }
        mark = find(&f, at, f.mark);
        if (mark == SIZE_MAX && at > 0) {
            /* behind the last part: look on from its end */
            size_t keep = f.last.n < f.data.n - at ? f.last.n : f.data.n - at;
            parsed(&f, f.data.n - keep);
            return;
        }
    }
    if (f.data.n > f.last.n)
        parsed(&f, f.data.n - f.last.n + 1);
}
