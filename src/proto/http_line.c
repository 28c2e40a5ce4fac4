/* SPDX-License-Identifier: Apache-2.0 */
/* The small grammars of HTTP/1.x with libhtp's leniency: request and response lines, versions,
 * lengths, chunk lengths, parameters; and what a request's headers say about host, body and
 * authorisation. Nothing here keeps state; spans point into the transaction's arena. */
#include "proto/http.h"
#include "proto/http_grammar.h"

static const char *const other_methods[] = {
    "DELETE",  "OPTIONS", "TRACE",      "PATCH",       "PROPFIND",         "PROPPATCH",
    "MKCOL",   "COPY",    "MOVE",       "LOCK",        "UNLOCK",           "CHECKOUT",
    "CHECKIN", "UPDATE",  "LABEL",      "REPORT",      "MKACTIVITY",       "VERSION-CONTROL",
    "MERGE",   "INVALID", "UNCHECKOUT", "MKWORKSPACE", "BASELINE-CONTROL",
};

enum http_method http_method_of(struct span s)
{
    if (span_eq(s, SPAN("GET")))
        return METHOD_GET;
    if (span_eq(s, SPAN("POST")))
        return METHOD_POST;
    if (span_eq(s, SPAN("HEAD")))
        return METHOD_HEAD;
    if (span_eq(s, SPAN("PUT")))
        return METHOD_PUT;
    if (span_eq(s, SPAN("CONNECT")))
        return METHOD_CONNECT;
    for (size_t i = 0; i < sizeof(other_methods) / sizeof(other_methods[0]); i++) {
        if (span_eq(s, span_str(other_methods[i])))
            return METHOD_OTHER;
    }
    return METHOD_UNKNOWN;
}

struct span http_chomp(struct span s)
{
    while (s.n && (s.p[s.n - 1] == '\n' || s.p[s.n - 1] == '\r'))
        s.n--;
    return s;
}

struct span http_trim(struct span s)
{
    while (s.n && http_is_space(s.p[0])) {
        s.p++;
        s.n--;
    }
    while (s.n && http_is_space(s.p[s.n - 1]))
        s.n--;
    return s;
}

static size_t skip_space(struct span s, size_t i)
{
    while (i < s.n && http_is_space(s.p[i]))
        i++;
    return i;
}

static size_t skip_word(struct span s, size_t i)
{
    while (i < s.n && !http_is_space(s.p[i]))
        i++;
    return i;
}

/* White space as Rust's is_ascii_whitespace has it: no vertical tab. */
static size_t skip_ascii_space(struct span s, size_t i)
{
    while (i < s.n && http_is_space(s.p[i]) && s.p[i] != 11)
        i++;
    return i;
}

enum http_version http_version_of(struct span s, bool *ret_extra)
{
    size_t i = skip_ascii_space(s, 0);

    *ret_extra = false;
    if (s.n - i < 4 || !span_ieq(span_cut(s, i, 4), SPAN("http")))
        return VERSION_INVALID;
    i += 4;
    size_t slash = skip_ascii_space(s, i);
    if (slash == s.n || s.p[slash] != '/')
        return VERSION_INVALID;
    size_t digits = slash + 1;
    while (digits < s.n &&
           (s.p[digits] == '0' || (http_is_space(s.p[digits]) && s.p[digits] != 11)))
        digits++;
    bool extra = slash > i || digits > slash + 1;
    struct span rest = span_from(s, digits);
    enum http_version v;
    if (span_starts(rest, SPAN(".9"))) {
        v = VERSION_0_9;
        rest = span_from(rest, 2);
    } else if (span_starts(rest, SPAN("1.0"))) {
        v = VERSION_1_0;
        rest = span_from(rest, 3);
    } else if (span_starts(rest, SPAN("1.1"))) {
        v = VERSION_1_1;
        rest = span_from(rest, 3);
    } else {
        return VERSION_INVALID;
    }
    if (skip_ascii_space(rest, 0) != rest.n)
        return VERSION_INVALID;
    *ret_extra = extra;
    return v;
}

static size_t skip_blank(struct span s, size_t i)
{
    while (i < s.n && (s.p[i] == ' ' || s.p[i] == '\t'))
        i++;
    return i;
}

bool http_content_length(struct span s, uint64_t *ret, unsigned *ret_extra)
{
    size_t i = skip_blank(s, 0), from = i;

    while (i < s.n && !ascii_is_digit(s.p[i]))
        i++;
    size_t digits = i;
    while (i < s.n && ascii_is_digit(s.p[i]))
        i++;
    if (i == digits)
        return false;
    if (ret_extra)
        *ret_extra = (digits > from ? 1u : 0) | (skip_blank(s, i) < s.n ? 2u : 0);
    return span_u64(span_cut(s, digits, i - digits), ret);
}

static bool is_chunk_control(uint8_t c)
{
    return c == ' ' || (c >= 9 && c <= 13);
}

bool http_chunk_blank(struct span line)
{
    for (size_t i = 0; i < line.n; i++) {
        if (!is_chunk_control(line.p[i]))
            return false;
    }
    return true;
}

bool http_chunk_possible(struct span s)
{
    size_t i = 0;

    while (i < s.n && is_chunk_control(s.p[i]))
        i++;
    return i == s.n || ascii_hex(s.p[i]) >= 0;
}

enum chunk_line http_chunk_length(struct span line, uint64_t *ret, bool *ret_extension)
{
    size_t i = 0;

    *ret_extension = false;
    while (i < line.n && is_chunk_control(line.p[i]))
        i++;
    size_t from = i;
    uint64_t v = 0;
    bool overflow = false;
    for (; i < line.n && ascii_hex(line.p[i]) >= 0; i++) {
        overflow |= v >> 60 != 0;
        v = v << 4 | (uint64_t)ascii_hex(line.p[i]);
    }
    size_t digits = i - from;
    i = skip_blank(line, i);
    if (!digits && i == line.n)
        return CHUNK_NONE;
    if (!digits || overflow)
        return CHUNK_BAD;
    if (v > INT32_MAX)
        return CHUNK_NONE;
    *ret = v;
    *ret_extension = span_find_byte(span_from(line, i), ';') < line.n - i;
    return CHUNK_OK;
}

bool http_line_ignorable(struct span line)
{
    return span_eq(line, SPAN("\r")) || span_eq(line, SPAN("\n")) || span_eq(line, SPAN("\r\n"));
}

bool http_line_is_body(struct span line)
{
    size_t i = 0;

    while (i < line.n && (http_is_space(line.p[i]) || line.p[i] == 0))
        i++;
    return !span_ieq(span_cut(line, i, 4), SPAN("http"));
}

static void no_protocol(struct http_conn *c, struct http_tx *tx, enum http_event e)
{
    tx->is_0_9 = true;
    tx->side[DIR_TS].version = VERSION_0_9;
    if (tx->method_id == METHOD_UNKNOWN)
        http_event(c, e);
}

/* Target and protocol: cut at the first blank, or at any white space where there is no blank. */
static void split_target(struct http_conn *c, struct http_tx *tx, struct span rest)
{
    size_t cut = span_find_byte(rest, ' ');
    struct span uri = http_trim(span_cut(rest, 0, cut));
    struct span protocol = http_trim(span_from(rest, cut + 1));
    bool odd = false;

    for (size_t i = 0; i < uri.n && !odd; i++)
        odd = http_is_space(uri.p[i]) && uri.p[i] != ' ';
    if (odd) {
        http_event(c, HTTP_EVENT_URI_DELIM);
        if (uri.n == rest.n) {
            cut = skip_word(rest, 0);
            uri = span_cut(rest, 0, cut);
            protocol = http_trim(span_from(rest, cut + 1));
        }
    }
    tx->uri = uri;
    if (protocol.n)
        tx->protocol = protocol;
}

void http_request_line(struct http_conn *c, struct http_tx *tx, struct span line)
{
    bool extra;

    tx->side[DIR_TS].line = line;
    size_t from = skip_space(line, 0);
    size_t to = skip_word(line, from);
    if (from)
        http_event(c, HTTP_EVENT_LEADING_WHITESPACE);
    tx->method = span_cut(line, from, to - from);
    tx->method_id = (uint8_t)http_method_of(tx->method);
    size_t target = skip_space(line, to);
    for (size_t i = to; i < target; i++) {
        if (line.p[i] != ' ') {
            http_event(c, HTTP_EVENT_METHOD_DELIM);
            break;
        }
    }
    struct span rest = http_trim(span_from(line, target));
    if (target == line.n) {
        no_protocol(c, tx, HTTP_EVENT_UNKNOWN_METHOD);
    } else {
        split_target(c, tx, rest);
        if (!tx->protocol.n) {
            no_protocol(c, tx, HTTP_EVENT_UNKNOWN_METHOD_NO_PROTOCOL);
        } else {
            tx->side[DIR_TS].version = (uint8_t)http_version_of(tx->protocol, &extra);
            if (extra)
                http_event(c, HTTP_EVENT_PROTOCOL_EXTRA_DATA);
            if (tx->method_id == METHOD_UNKNOWN && tx->side[DIR_TS].version == VERSION_INVALID)
                http_event(c, HTTP_EVENT_UNKNOWN_METHOD_INVALID_PROTOCOL);
        }
    }
    http_uri_normalise(c, tx);
}

void http_response_line(struct http_conn *c, struct http_tx *tx, struct span line)
{
    struct http_side *s = &tx->side[DIR_TC];
    size_t i = 0;
    bool extra = false;

    s->line = http_chomp(line);
    s->version = VERSION_INVALID;
    tx->status = 0;
    tx->response_protocol = tx->status_text = tx->message = (struct span){NULL, 0};
    while (i < line.n && (http_is_space(line.p[i]) || line.p[i] == 0))
        i++;
    size_t end = skip_word(line, i);
    if (end > i) {
        tx->response_protocol = span_cut(line, i, end - i);
        s->version = (uint8_t)http_version_of(tx->response_protocol, &extra);
        if (extra)
            http_event(c, HTTP_EVENT_PROTOCOL_EXTRA_DATA);
        i = skip_space(line, end);
        size_t status = i;
        end = skip_word(line, i);
        if (status > 0 && end > status) {
            uint64_t v;
            tx->status_text = span_cut(line, status, end - status);
            if (span_u64(tx->status_text, &v) && v >= 100 && v <= 999)
                tx->status = (uint16_t)v;
            i = skip_ascii_space(line, end);
            if (i > end)
                tx->message = http_chomp(span_from(line, i));
        }
    }
    if (s->version == VERSION_INVALID)
        http_event(c, HTTP_EVENT_RESPONSE_INVALID_PROTOCOL);
    if (!tx->status)
        http_event(c, HTTP_EVENT_RESPONSE_INVALID_STATUS);
}

static void examine_coding(struct http_conn *c, struct http_tx *tx)
{
    struct http_side *s = &tx->side[DIR_TS];
    const struct http_header *te = http_header_find(s, "transfer-encoding");
    const struct http_header *cl = http_header_find(s, "content-length");
    unsigned extra = 0;

    if (te) {
        if (!http_value_has(te->value, "chunked")) {
            s->coding = CODING_INVALID;
            tx->invalid_te = true;
        } else {
            if (s->version < VERSION_1_1)
                tx->invalid_te = true;
            s->coding = CODING_CHUNKED;
        }
    } else if (cl) {
        s->has_content_length = http_content_length(cl->value, &s->content_length, &extra);
        if (extra & 1)
            http_event(c, HTTP_EVENT_CL_EXTRA_START);
        if (extra & 2)
            http_event(c, HTTP_EVENT_CL_EXTRA_END);
        s->coding = s->has_content_length ? CODING_IDENTITY : CODING_INVALID;
        tx->invalid_cl = !s->has_content_length;
    } else {
        s->coding = CODING_NONE;
    }
}

static void examine_host(struct http_tx *tx)
{
    const struct http_header *h = http_header_find(&tx->side[DIR_TS], "host");
    struct span host, port;
    bool valid;

    tx->host = tx->uri_host;
    tx->port = tx->uri_port;
    if (!h) {
        tx->host_missing = tx->side[DIR_TS].version >= VERSION_1_1;
        return;
    }
    if (!http_host_port(h->value, &host, &port, &valid)) {
        tx->host_ambiguous |= tx->host.p != NULL;
        return;
    }
    tx->header_host_invalid = !valid;
    uint16_t number = http_port_number(port);
    if (!tx->host.p) {
        uint8_t *p = arena_get(&tx->tx.mem, host.n);
        if (!p)
            return;
        for (size_t i = 0; i < host.n; i++)
            p[i] = ascii_lower(host.p[i]);
        tx->host = (struct span){p, host.n};
        if (port.n)
            tx->port = number;
        return;
    }
    if (!span_ieq(tx->host, host) || (port.n && tx->port && tx->port != number))
        tx->host_ambiguous = true;
}

static void examine_authorization(struct http_tx *tx)
{
    const struct http_header *h = http_header_find(&tx->side[DIR_TS], "authorization");

    if (!h)
        return;
    struct span v = h->value;
    tx->auth_unrecognised = !span_ieq(span_cut(v, 0, 5), SPAN("basic")) &&
                            !span_ieq(span_cut(v, 0, 6), SPAN("digest")) &&
                            !span_ieq(span_cut(v, 0, 6), SPAN("bearer"));
}

void http_request_examine(struct http_conn *c, struct http_tx *tx)
{
    examine_coding(c, tx);
    examine_host(tx);
    examine_authorization(tx);
}

void http_request_flag_events(struct http_tx *tx)
{
    if (tx->invalid_te)
        http_tx_event(tx, HTTP_EVENT_INVALID_TE_REQUEST);
    if (tx->invalid_cl)
        http_tx_event(tx, HTTP_EVENT_INVALID_CL_REQUEST);
    if (tx->host_missing)
        http_tx_event(tx, HTTP_EVENT_MISSING_HOST_HEADER);
    if (tx->host_ambiguous)
        http_tx_event(tx, HTTP_EVENT_HOST_HEADER_AMBIGUOUS);
    if (tx->uri_host_invalid)
        http_tx_event(tx, HTTP_EVENT_URI_HOST_INVALID);
    if (tx->header_host_invalid)
        http_tx_event(tx, HTTP_EVENT_HEADER_HOST_INVALID);
    if (tx->auth_unrecognised)
        http_tx_event(tx, HTTP_EVENT_AUTH_UNRECOGNIZED);
}

static bool range_number(struct span *s, int64_t *ret)
{
    size_t i = 0;

    while (i < s->n && ascii_is_digit(s->p[i]))
        i++;
    bool ok = i && span_i64(span_cut(*s, 0, i), ret);
    *s = span_from(*s, i);
    return ok;
}

bool http_content_range(struct span v, struct http_range *ret)
{
    *ret = (struct http_range){-1, -1, -1};
    size_t i = skip_blank(v, 0);
    /* the unit, then a blank */
    while (i < v.n && v.p[i] != ' ')
        i++;
    if (i == v.n)
        return false;
    v = span_from(v, skip_blank(v, i));
    if (v.n && v.p[0] == '*') {
        v = span_from(v, 1);
        if (!v.n || v.p[0] != '/')
            return false;
        v = span_from(v, 1);
        return range_number(&v, &ret->size);
    }
    if (!range_number(&v, &ret->start) || !v.n || v.p[0] != '-')
        return false;
    v = span_from(v, 1);
    if (!range_number(&v, &ret->end) || !v.n || v.p[0] != '/')
        return false;
    v = span_from(v, 1);
    if (v.n && v.p[0] == '*')
        return true;
    return range_number(&v, &ret->size);
}

/* Tests one "name=value" of a header value; name may be empty (the first token is wanted). */
static bool parameter_is(struct span token, struct span name, struct span *ret)
{
    if (token.n <= name.n || !span_ieq(span_cut(token, 0, name.n), name))
        return false;
    struct span v = span_from(token, name.n);
    if (v.p[0] == '"')
        v = span_from(v, 1);
    if (v.n && v.p[v.n - 1] == '"')
        v.n--;
    *ret = v;
    return true;
}

bool http_parameter(struct span value, struct span name, struct span *ret)
{
    struct span line = span_from(value, skip_space(value, 0));
    size_t from = 0;
    unsigned quotes = 0;

    for (size_t i = 1; i < line.n; i++) {
        bool escaped = line.p[i - 1] == '\\';
        bool last = i + 1 == line.n;
        if (!escaped && line.p[i] == '"')
            quotes++;
        if (quotes % 2 || !(last || (!escaped && line.p[i] == ';')))
            continue;
        if (parameter_is(span_cut(line, from, i - from + (last ? 1 : 0)), name, ret))
            return true;
        from = i + 1;
        while (from < line.n && http_is_space(line.p[from])) {
            i++;
            from++;
        }
    }
    return false;
}
