/* SPDX-License-Identifier: Apache-2.0 */
/* Header fields of requests and responses as libhtp reads them: folding (also with a NUL), lines
 * ended by CR, LF, CRLF or LFCR in responses, names without colon, repetitions joined by ", ". The
 * bytes are kept once, as sent, on the transaction's arena and the fields point into them. A header
 * that is not complete is tried again only when an end of line came, and folds are limited, so that
 * the cost stays linear in the bytes. */
#include "proto/http.h"
#include "proto/http_grammar.h"

enum { FOLDS_MAX = 128 };

enum result { R_OK, R_MORE, R_ERROR };

/* The bytes being read: a cursor that never passes n. `complete`: no more will come. */
struct field_reader {
    const uint8_t *p;
    size_t n;
    bool response, complete;
};

struct field_out {
    struct span name, value;
    uint32_t flags;
};

/* The end of a value: how many bytes of end of line, then perhaps one byte of folding. */
struct value_end {
    size_t eol, at; /* at: behind eol and fold */
    bool folded;
    uint8_t fold;
    bool deformed;
};

static size_t eol_regular(const struct field_reader *r, size_t at)
{
    size_t left = r->n - at;
    const uint8_t *p = r->p + at;

    if (left >= 2 && p[0] == '\r' && p[1] == '\n')
        return 2;
    if (r->response && left >= 2 && p[0] == '\n' && p[1] == '\r')
        return 2;
    if (left >= 1 && (p[0] == '\n' || (r->response && p[0] == '\r')))
        return 1;
    return 0;
}

/* Is there an empty line, LF or CRLF, at `at`? */
static bool at_newline(const struct field_reader *r, size_t at)
{
    size_t left = r->n - at;

    return (left >= 1 && r->p[at] == '\n') ||
           (left >= 2 && r->p[at] == '\r' && r->p[at + 1] == '\n');
}

/* The odd mixtures of CR and LF that browsers take for one end of line. */
static enum result eol_deformed(const struct field_reader *r, size_t at, size_t *ret)
{
    const uint8_t *p = r->p + at;
    size_t left = r->n - at;

    if (left >= 4 && memcmp(p, "\n\r\r\n", 4) == 0 && at_newline(r, at + 4)) {
        *ret = 4;
        return R_OK;
    }
    if (!r->response) {
        if (left >= 4 && memcmp(p, "\n\r\r\n", 4) == 0) {
            *ret = 2;
            return R_OK;
        }
        return R_ERROR;
    }
    if (left < 3 || memcmp(p, "\r\n\r", 3) != 0)
        return R_ERROR;
    size_t i = 3;
    while (i < left && (p[i] == '\r' || p[i] == ' ' || p[i] == '\t'))
        i++;
    if (i == left)
        return R_MORE;
    if (i == 3)
        return R_ERROR;
    if (p[i] == '\n')
        i++;
    if (at_newline(r, at + i))
        return R_ERROR;
    *ret = i;
    return R_OK;
}

static enum result eol_any(const struct field_reader *r, size_t at, size_t *ret, bool *deformed)
{
    enum result d = eol_deformed(r, at, ret);

    *deformed = d == R_OK;
    if (d != R_ERROR)
        return d;
    *ret = eol_regular(r, at);
    return *ret ? R_OK : R_ERROR;
}

static bool is_fold(uint8_t c)
{
    return c == ' ' || c == '\t' || c == 0;
}

/* An end of line and white space behind it. */
static enum result folding(const struct field_reader *r, size_t at, struct value_end *ret)
{
    *ret = (struct value_end){0};
    if (r->response) {
        ret->eol = eol_regular(r, at);
        if (!ret->eol)
            return R_ERROR;
    } else {
        enum result e = eol_any(r, at, &ret->eol, &ret->deformed);
        if (e != R_OK)
            return e;
    }
    if (at + ret->eol == r->n)
        return R_MORE;
    if (!is_fold(r->p[at + ret->eol]))
        return R_ERROR;
    ret->folded = true;
    ret->fold = r->p[at + ret->eol];
    ret->at = at + ret->eol + 1;
    return R_OK;
}

static enum result folding_or_end(const struct field_reader *r, size_t at, struct value_end *ret)
{
    enum result f = folding(r, at, ret);

    if (f == R_OK || (f == R_MORE && !r->complete))
        return f;
    *ret = (struct value_end){0};
    enum result e = eol_any(r, at, &ret->eol, &ret->deformed);
    if (e != R_OK)
        return e;
    ret->at = at + ret->eol;
    if (r->complete)
        return R_OK;
    if (ret->at == r->n)
        return R_MORE;
    return is_fold(r->p[ret->at]) ? R_ERROR : R_OK;
}

/* One line of a value: the bytes to its end, and the end. */
static enum result value_line(const struct field_reader *r, size_t at, struct span *ret_bytes,
                              struct value_end *ret_end)
{
    const uint8_t *p = r->p + at;
    size_t left = r->n - at, i = 0;

    if (r->response) {
        while (i < left && p[i] != '\n' && p[i] != '\r')
            i++;
    } else {
        const uint8_t *lf = left ? memchr(p, '\n', left) : NULL;
        i = lf ? (size_t)(lf - p) : left;
    }
    if (i == left)
        return R_MORE;
    if (i && p[i - 1] == '\r')
        i--;
    *ret_bytes = (struct span){p, i};
    return folding_or_end(r, at + i, ret_end);
}

/* RFC 2616's token characters: a bit for each byte. */
static bool is_token(uint8_t c)
{
    static const uint32_t bits[8] = {0, 0x03ff6cfa, 0xc7fffffe, 0x57ffffff, 0, 0, 0, 0};

    return bits[c >> 5] >> (c & 31) & 1;
}

static size_t skip_blanks(const struct field_reader *r, size_t at)
{
    while (at < r->n && (r->p[at] == ' ' || r->p[at] == '\t'))
        at++;
    return at;
}

/* Does a folded line look like a field of its own (token and colon)? */
static enum result looks_like_field(const struct field_reader *r, size_t at)
{
    size_t i = skip_blanks(r, at);
    size_t from = i;

    if (i == r->n)
        return R_MORE;
    while (i < r->n && is_token(r->p[i]))
        i++;
    if (i == r->n)
        return R_MORE;
    bool any = i > from;
    i = skip_blanks(r, i);
    if (i == r->n)
        return R_MORE;
    if (r->p[i] != ':')
        return R_ERROR;
    if (skip_blanks(r, i + 1) == r->n)
        return R_MORE;
    return any ? R_OK : R_ERROR;
}

struct value_builder {
    struct arena *a;
    struct span first; /* borrowed while there was no fold */
    struct http_text text;
    bool folded;
};

static struct span built(const struct value_builder *b)
{
    return b->folded ? (struct span){b->text.p, b->text.n} : b->first;
}

static bool build(struct value_builder *b, const void *p, size_t n)
{
    if (!b->folded) {
        b->folded = true;
        if (!http_text_add(b->a, &b->text, b->first, HTTP_TEXT_MAX))
            return false;
    }
    return http_text_add(b->a, &b->text, span_of(p, n), HTTP_TEXT_MAX);
}

/* The lines behind the first fold. *at is behind the fold; on R_OK behind the value. */
static enum result value_folds(const struct field_reader *r, size_t *at, struct value_end end,
                               struct value_builder *b, uint32_t *flags)
{
    size_t rest = *at, i = *at;
    uint8_t fold = end.fold;

    for (unsigned folds = 0; folds < FOLDS_MAX; folds++) {
        if (r->response) {
            enum result like = looks_like_field(r, i);
            if (like == R_MORE)
                return R_MORE;
            if (like == R_OK) {
                *at = i;
                return R_OK;
            }
        }
        struct span line;
        enum result got = value_line(r, i, &line, &end);
        if (got != R_OK)
            return got;
        i = end.at;
        if (end.deformed)
            *flags |= HEADER_DEFORMED_EOL;
        if (built(b).n && !build(b, &fold, 1))
            return R_ERROR;
        if (line.n || end.eol > 1) {
            rest = i;
            if (!build(b, line.p, line.n))
                return R_ERROR;
        } else if (i < r->n && r->p[i] == '\n') {
            rest = i;
        }
        if (!end.folded)
            break;
        fold = end.fold;
    }
    *at = rest;
    return R_OK;
}

static enum result value(struct arena *a, const struct field_reader *r, size_t *at,
                         struct span *ret, uint32_t *flags)
{
    struct value_builder b = {.a = a};
    struct value_end end;
    enum result got = value_line(r, *at, &b.first, &end);

    if (got != R_OK)
        return got;
    if (end.deformed)
        *flags |= HEADER_DEFORMED_EOL;
    size_t i = end.at;
    if (end.folded) {
        got = value_folds(r, &i, end, &b, flags);
        if (got != R_OK)
            return got;
    }
    *at = i;
    *ret = http_trim(built(&b));
    return R_OK;
}

/* The length of the name before its colon; 0 and the colon may not follow. */
static size_t name_length(const struct field_reader *r, size_t at)
{
    const uint8_t *p = r->p + at;
    size_t left = r->n - at;
    uint8_t ended = 0;

    for (size_t i = 0; i < left; i++) {
        uint8_t c = p[i];
        if (!ended) {
            if (c == ':')
                return i;
            if (c == '\n' || (r->response && c == '\r'))
                ended = c;
        } else if (c == ' ') {
            ended = 0;
        } else if (c == '\n' && ended == '\r') {
            ended = c;
        } else {
            return i - 1;
        }
    }
    return 0;
}

static uint32_t name_flags(struct span name)
{
    uint32_t flags = 0;
    size_t i = 0;

    if (!name.n)
        return HEADER_NAME_EMPTY;
    uint8_t last = name.p[name.n - 1];
    if (name.p[0] == ' ' || name.p[0] == '\t')
        flags |= HEADER_NAME_SPACE_BEFORE;
    if (last == ' ' || last == '\t')
        flags |= HEADER_NAME_SPACE_AFTER;
    while (i < name.n && (name.p[i] == ' ' || name.p[i] == '\t'))
        i++;
    while (i < name.n && is_token(name.p[i]))
        i++;
    while (i < name.n && (name.p[i] == ' ' || name.p[i] == '\t'))
        i++;
    return i < name.n ? flags | HEADER_NAME_NOT_TOKEN : flags;
}

static enum result with_colon(struct arena *a, const struct field_reader *r, size_t *at,
                              struct field_out *out)
{
    size_t n = name_length(r, *at);
    size_t i = *at + n;

    if (i >= r->n || r->p[i] != ':')
        return R_ERROR;
    struct span name = {r->p + *at, n};
    out->flags = name_flags(name);
    out->name = http_trim(name);
    i = skip_blanks(r, i + 1);
    if (i == r->n)
        return R_MORE;
    enum result got = value(a, r, &i, &out->value, &out->flags);
    if (got == R_OK)
        *at = i;
    return got;
}

static enum result without_colon(struct arena *a, const struct field_reader *r, size_t *at,
                                 struct field_out *out)
{
    if (r->n - *at >= 2 && r->p[*at] == '\r' && r->p[*at + 1] == '\n')
        return R_ERROR;
    out->name = (struct span){r->p, 0};
    out->flags = HEADER_NO_COLON | HEADER_NAME_EMPTY;
    return value(a, r, at, &out->value, &out->flags);
}

static enum result field(struct arena *a, const struct field_reader *r, size_t *at,
                         struct field_out *out)
{
    if (with_colon(a, r, at, out) == R_OK)
        return R_OK;
    return without_colon(a, r, at, out);
}

uint32_t http_name_hash(struct span name)
{
    uint32_t h = 2166136261u;

    for (size_t i = 0; i < name.n; i++) {
        if (name.p[i])
            h = (h ^ ascii_lower(name.p[i])) * 16777619u;
    }
    return h;
}

/* Does a header's name equal this lower-case one, NUL bytes left out? */
static bool name_is(struct span name, const char *want)
{
    size_t k = 0;

    for (size_t i = 0; i < name.n; i++) {
        if (!name.p[i])
            continue;
        if (ascii_lower(name.p[i]) != (uint8_t)want[k] || !want[k])
            return false;
        k++;
    }
    return want[k] == '\0';
}

const struct http_header *http_header_find(const struct http_side *s, const char *name)
{
    uint32_t hash = http_name_hash(span_str(name));

    for (uint32_t i = 0; i < s->n_headers; i++) {
        if (s->headers[i].hash == hash && name_is(s->headers[i].name, name))
            return &s->headers[i];
    }
    return NULL;
}

bool http_value_has(struct span value, const char *what)
{
    if (!value.n || !memchr(value.p, 0, value.n))
        return span_ifind(value, span_str(what)) != SIZE_MAX;
    for (size_t from = 0; from < value.n; from++) {
        size_t k = 0;
        for (size_t i = from; i < value.n && what[k]; i++) {
            if (!value.p[i])
                continue;
            if (ascii_lower(value.p[i]) != (uint8_t)what[k])
                break;
            k++;
        }
        if (!what[k])
            return true;
        /* runs of NUL must not be walked again and again */
        while (from + 1 < value.n && !value.p[from] && !value.p[from + 1])
            from++;
    }
    return false;
}

static struct http_header *find_same(struct http_side *s, struct span name, uint32_t hash)
{
    for (uint32_t i = 0; i < s->n_headers; i++) {
        if (s->headers[i].hash == hash && span_ieq(s->headers[i].name, name))
            return &s->headers[i];
    }
    return NULL;
}

static void join(struct arena *a, struct http_header *h, struct span v)
{
    struct http_text t = {NULL, 0, 0};

    if (h->cap) {
        t = (struct http_text){(uint8_t *)(uintptr_t)h->value.p, h->value.n, h->cap};
    } else if (!http_text_add(a, &t, h->value, HTTP_TEXT_MAX)) {
        return;
    }
    if (!http_text_add(a, &t, SPAN(", "), HTTP_TEXT_MAX) || !http_text_add(a, &t, v, HTTP_TEXT_MAX))
        return;
    h->value = (struct span){t.p, t.n};
    h->cap = t.cap;
}

static void repeat(struct http_conn *c, struct http_tx *tx, enum dir dir, struct http_header *h,
                   struct span v)
{
    struct http_side *s = &tx->side[dir];
    bool first = !(h->flags & HEADER_REPEATED);

    if (!first) {
        if (s->repeats >= HTTP_REPEATS_MAX)
            return;
        s->repeats++;
    }
    h->flags |= HEADER_REPEATED;
    if (span_ieq(h->name, SPAN("content-length"))) {
        uint64_t was, is;
        bool had = http_content_length(h->value, &was, NULL);
        bool has = http_content_length(v, &is, NULL);
        if (!had || !has || was != is)
            http_event(c, dir == DIR_TS ? HTTP_EVENT_DUPLICATE_CL_REQUEST
                                        : HTTP_EVENT_DUPLICATE_CL_RESPONSE);
    } else {
        join(&tx->tx.mem, h, v);
    }
    if (first)
        http_event(c, dir == DIR_TS ? HTTP_EVENT_REQUEST_HEADER_REPETITION
                                    : HTTP_EVENT_RESPONSE_HEADER_REPETITION);
}

static void warn_invalid(struct http_conn *c, struct http_tx *tx, enum dir dir)
{
    if (tx->side[dir].warned_invalid)
        return;
    tx->side[dir].warned_invalid = true;
    http_event(c, dir == DIR_TS ? HTTP_EVENT_REQUEST_HEADER_INVALID
                                : HTTP_EVENT_RESPONSE_HEADER_INVALID);
}

static void warn(struct http_conn *c, struct http_tx *tx, enum dir dir, uint32_t flags)
{
    struct http_side *s = &tx->side[dir];

    if (flags & HEADER_DEFORMED_EOL && dir == DIR_TC)
        http_event(c, HTTP_EVENT_DEFORMED_EOL);
    if (flags & HEADER_NAME_SPACE_AFTER)
        warn_invalid(c, tx, dir);
    if (flags & HEADER_NAME_SPACE_BEFORE && !s->warned_folding) {
        s->warned_folding = true;
        http_event(c, dir == DIR_TS ? HTTP_EVENT_INVALID_REQUEST_FOLDING
                                    : HTTP_EVENT_INVALID_RESPONSE_FOLDING);
    }
    if (flags & HEADER_NAME_NOT_TOKEN)
        warn_invalid(c, tx, dir);
    if (flags & HEADER_NO_COLON) {
        if (!s->warned_colon)
            http_event(c, dir == DIR_TS ? HTTP_EVENT_REQUEST_FIELD_MISSING_COLON
                                        : HTTP_EVENT_RESPONSE_FIELD_MISSING_COLON);
        s->warned_colon = true;
    } else if (flags & HEADER_NAME_EMPTY) {
        warn_invalid(c, tx, dir);
    }
}

/* Adds a field to the table; false when there are too many or memory is out. */
static bool add(struct http_conn *c, struct http_tx *tx, enum dir dir, const struct field_out *f)
{
    struct http_side *s = &tx->side[dir];
    uint32_t hash = http_name_hash(f->name);

    warn(c, tx, dir, f->flags);
    struct http_header *same = find_same(s, f->name, hash);
    if (same) {
        repeat(c, tx, dir, same, f->value);
        return true;
    }
    if (s->n_headers > c->conf->max_headers) {
        if (!s->too_many)
            http_event(c, dir == DIR_TS ? HTTP_EVENT_REQUEST_TOO_MANY_HEADERS
                                        : HTTP_EVENT_RESPONSE_TOO_MANY_HEADERS);
        s->too_many = true;
        return false;
    }
    if (s->n_headers == s->cap_headers) {
        uint32_t cap = s->cap_headers ? s->cap_headers * 2 : 12;
        struct http_header *h = arena_get(&tx->tx.mem, cap * sizeof(*h));
        if (!h)
            return false;
        if (s->n_headers)
            memcpy(h, s->headers, s->n_headers * sizeof(*h));
        s->headers = h;
        s->cap_headers = cap;
    }
    s->headers[s->n_headers++] =
        (struct http_header){.name = f->name, .value = f->value, .hash = hash, .flags = f->flags};
    s->normal_built = s->names_built = false;
    return true;
}

/* Reads fields from raw.p + raw_parsed on. */
static enum header_end fields(struct http_conn *c, struct http_tx *tx, enum dir dir,
                              struct http_text *raw, bool complete)
{
    struct http_side *s = &tx->side[dir];
    struct field_reader r = {raw->p, raw->n, dir == DIR_TC, complete};
    size_t at = s->raw_parsed;

    for (bool any = false;; any = true) {
        struct field_out f = {0};
        enum result got = field(&tx->tx.mem, &r, &at, &f);
        if (got == R_MORE)
            break;
        if (got == R_ERROR) {
            size_t eol;
            bool deformed;
            if (!any && eol_any(&r, at, &eol, &deformed) == R_OK) {
                s->raw_parsed = at + eol;
                return HEADERS_END;
            }
            break;
        }
        if (!add(c, tx, dir, &f))
            return HEADERS_ERROR;
        s->raw_parsed = at;
        size_t eol = eol_regular(&r, at);
        if (eol) {
            s->raw_parsed = at + eol;
            return HEADERS_END;
        }
    }
    return HEADERS_MORE;
}

/* How much of the chunk may belong to the header: to the first empty line, or all. */
static size_t likely_end(const struct http_text *raw, struct span s)
{
    const uint8_t *p = s.p, *end = s.p + s.n;
    /* the last two bytes that came before, for an empty line across chunks */
    uint8_t b1 = raw->n > 0 ? raw->p[raw->n - 1] : '\n';
    uint8_t b2 = raw->n > 1 ? raw->p[raw->n - 2] : raw->n > 0 ? '\n' : 0;

    /* An LF right behind the line is no end unless nothing follows: libhtp takes it for a field. */
    if (raw->n && s.n && s.p[0] == '\n' && (b1 == '\n' || (b1 == '\r' && b2 == '\n')))
        return 1;
    if (s.n > 1 && s.p[0] == '\r' && s.p[1] == '\n' && b1 == '\n')
        return 2;
    while (p < end) {
        const uint8_t *lf = memchr(p, '\n', (size_t)(end - p));
        if (!lf)
            break;
        p = lf + 1;
        if (p < end && *p == '\n')
            return (size_t)(p + 1 - s.p);
        if (p + 1 < end && p[0] == '\r' && p[1] == '\n')
            return (size_t)(p + 2 - s.p);
    }
    return s.n;
}

static bool has_line_end(const struct http_text *raw, size_t from, bool response)
{
    size_t n = raw->n - from;

    return n && (memchr(raw->p + from, '\n', n) || (response && memchr(raw->p + from, '\r', n)));
}

static enum header_end take(struct http_conn *c, struct http_tx *tx, enum dir dir,
                            struct http_input *in)
{
    struct http_stream *st = &c->in[dir];
    struct http_side *s = &tx->side[dir];
    struct http_text *raw = st->trailing ? &s->trailer : &s->raw;
    struct span rest = http_rest(in);
    size_t n = likely_end(raw, rest);
    size_t before = raw->n;

    if (!http_text_add(&tx->tx.mem, raw, span_cut(rest, 0, n), HTTP_RAW_MAX))
        return HEADERS_ERROR;
    in->at += n;
    /* A line may have begun with the CR before: look at it again. */
    if (!has_line_end(raw, before, dir == DIR_TC) &&
        !(dir == DIR_TC && before && raw->p[before - 1] == '\r'))
        return http_room(c, dir, raw->n - s->raw_parsed) ? HEADERS_MORE : HEADERS_ERROR;
    size_t parsed = s->raw_parsed;
    enum header_end end = fields(c, tx, dir, raw, false);
    if (end == HEADERS_MORE && s->raw_parsed == parsed) {
        /* Nothing but an empty line: the header is over. */
        const uint8_t *p = raw->p + parsed;
        size_t left = raw->n - parsed;
        size_t eol = left && p[0] == '\n' ? 1 : left > 1 && p[0] == '\r' && p[1] == '\n' ? 2 : 0;
        if (eol && (dir == DIR_TS || eol == left)) {
            s->raw_parsed += eol;
            end = HEADERS_END;
        }
    }
    if (end == HEADERS_END) {
        /* What was taken beyond the end goes back. */
        size_t beyond = raw->n - s->raw_parsed;
        if (beyond > raw->n - before)
            beyond = raw->n - before;
        in->at -= beyond;
        raw->n = s->raw_parsed;
    } else if (end == HEADERS_MORE && !http_room(c, dir, raw->n - s->raw_parsed)) {
        return HEADERS_ERROR;
    }
    return end;
}

enum header_end http_headers_data(struct http_conn *c, enum dir dir, struct http_input *in)
{
    struct http_tx *tx = http_tx(c, dir);
    enum header_end end = HEADERS_MORE;

    if (!tx)
        return HEADERS_ERROR;
    while (end == HEADERS_MORE && http_left(in))
        end = take(c, tx, dir, in);
    return end;
}

void http_headers_close(struct http_conn *c, enum dir dir)
{
    struct http_tx *tx = c->in[dir].tx;

    if (!tx)
        return;
    struct http_text *raw = c->in[dir].trailing ? &tx->side[dir].trailer : &tx->side[dir].raw;
    if (raw->n > tx->side[dir].raw_parsed)
        (void)fields(c, tx, dir, raw, true);
}
