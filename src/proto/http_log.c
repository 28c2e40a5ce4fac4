/* SPDX-License-Identifier: Apache-2.0 */
/* EVE's http object, as the http event, alerts and fileinfo carry it, and the client behind a
 * proxy. */
#include "base/ip.h"
#include "proto/http.h"
#include "proto/http_grammar.h"

static void header(struct event *ev, enum field f, const struct http_side *s, const char *name)
{
    const struct http_header *h = http_header_find(s, name);

    if (h)
        event_str(ev, f, h->value);
}

static void content_range(struct event *ev, const struct http_side *s)
{
    const struct http_header *h = http_header_find(s, "content-range");
    struct http_range r;

    if (!h)
        return;
    event_open(ev, F_http_content_range);
    event_str(ev, F_http_content_range_raw, h->value);
    if (http_content_range(h->value, &r)) {
        if (r.start >= 0)
            event_uint(ev, F_http_content_range_start, (uint64_t)r.start);
        if (r.end >= 0)
            event_uint(ev, F_http_content_range_end, (uint64_t)r.end);
        if (r.size >= 0)
            event_uint(ev, F_http_content_range_size, (uint64_t)r.size);
    }
    event_close(ev);
}

/* The media type alone. */
static void content_type(struct event *ev, const struct http_side *s)
{
    const struct http_header *h = http_header_find(s, "content-type");

    if (h)
        event_str(ev, F_http_http_content_type,
                  span_cut(h->value, 0, span_find_byte(h->value, ';')));
}

static void basic(struct event *ev, const struct http_tx *tx)
{
    const struct http_side *ts = &tx->side[DIR_TS], *tc = &tx->side[DIR_TC];

    if (tx->host.p)
        event_str(ev, F_http_hostname, tx->host);
    if (tx->port)
        event_uint(ev, F_http_http_port, tx->port);
    if (tx->uri.p)
        event_str(ev, F_http_url, tx->uri);
    header(ev, F_http_http_user_agent, ts, "user-agent");
    header(ev, F_http_xff, ts, "x-forwarded-for");
    content_type(ev, tc);
    content_range(ev, tc);
}

static void extended(struct event *ev, const struct http_tx *tx)
{
    const struct http_side *tc = &tx->side[DIR_TC];

    header(ev, F_http_http_refer, &tx->side[DIR_TS], "referer");
    if (tx->method.p)
        event_str(ev, F_http_http_method, tx->method);
    if (tx->protocol.p)
        event_str(ev, F_http_protocol, tx->protocol);
    if (tx->status)
        event_uint(ev, F_http_status, tx->status);
    else if (tx->status_text.p)
        event_str(ev, F_http_status_string, tx->status_text);
    header(ev, F_http_redirect, tc, "location");
    event_uint(ev, F_http_length, tc->message_length);
}

static bool wanted(const struct http_log_conf *conf, struct span name)
{
    for (size_t i = 0; i < n_http_log_headers; i++) {
        if (conf->custom >> i & 1 && span_ieq(name, span_str(http_log_headers[i].header)))
            return true;
    }
    return false;
}

/* The list of a side's headers: all, or the chosen ones; none: no member at all. */
static void headers(struct event *ev, const struct http_tx *tx, enum dir dir,
                    const struct http_log_conf *conf)
{
    enum { NAME_MAX_BYTES = 255, VALUE_MAX_BYTES = 2047 };
    const struct http_side *s = &tx->side[dir];
    bool ts = dir == DIR_TS, any = false;
    bool all = ts ? conf->all_request_headers : conf->all_response_headers;

    for (uint32_t i = 0; i < s->n_headers; i++) {
        struct span name = s->headers[i].name, value = s->headers[i].value;
        if (!all && !wanted(conf, name))
            continue;
        if (!any)
            event_open(ev, ts ? F_http_request_headers : F_http_response_headers);
        any = true;
        event_element(ev);
        event_str(ev, ts ? F_http_request_headers_name : F_http_response_headers_name,
                  span_cut(name, 0, NAME_MAX_BYTES));
        event_str(ev, ts ? F_http_request_headers_value : F_http_response_headers_value,
                  span_cut(value, 0, VALUE_MAX_BYTES));
        event_close_element(ev);
    }
    if (any)
        event_close(ev);
}

/* Bodies as they are kept: control and high bytes as dots in the text form. */
static void bodies(struct event *ev, struct tx *t, bool text)
{
    static const enum field fields[2][2] = {
        {F_http_http_request_body, F_http_http_response_body},
        {F_http_http_request_body_printable, F_http_http_response_body_printable},
    };

    for (enum dir d = DIR_TS; d <= DIR_TC; d++) {
        const struct http_body *b = &http_tx_of(t)->side[d].body;
        struct arena scratch;
        if (!b->n)
            continue;
        if (!text) {
            event_base64(ev, fields[0][d], (struct span){b->p, b->n});
            continue;
        }
        arena_init(&scratch, t->mem.pool, b->n + 4096);
        uint8_t *copy = arena_get(&scratch, b->n);
        if (!copy)
            return;
        for (size_t i = 0; i < b->n; i++) {
            uint8_t ch = b->p[i];
            copy[i] = ascii_is_print(ch) || ch == '\n' || ch == '\r' ? ch : '.';
        }
        event_str(ev, fields[1][d], (struct span){copy, b->n});
        arena_free(&scratch);
    }
}

bool http_log(struct app *app, struct tx *t, enum dir dir, bool alert, struct event *ev)
{
    const struct http_log_conf *conf = &app_log_conf(app)->http;
    const struct http_tx *tx = http_tx_of(t);

    (void)dir;
    event_open(ev, F_http);
    basic(ev, tx);
    if (alert || conf->extended)
        extended(ev, tx);
    if (!alert && (conf->all_request_headers || conf->custom))
        headers(ev, tx, DIR_TS, conf);
    if (!alert && (conf->all_response_headers || conf->custom))
        headers(ev, tx, DIR_TC, conf);
    if (alert && app->log_body_text)
        bodies(ev, t, true);
    if (alert && app->log_body_base64)
        bodies(ev, t, false);
    event_close(ev);
    return true;
}

/* An address alone: without white space, brackets and port. */
static bool address(struct span s, struct span *ret)
{
    struct ip ip;

    s = span_trim(s);
    if (s.n && s.p[0] == '[')
        s = span_cut(s, 1, span_find_byte(s, ']') - 1);
    else if (span_find_byte(s, '.') < span_find_byte(s, ':'))
        s = span_cut(s, 0, span_find_byte(s, ':'));
    *ret = s;
    return ip_parse(s, &ip);
}

/* "client, proxy, proxy": before a reverse proxy the last one is whom it spoke to, before a forward
 * proxy the first one. */
bool http_client(struct app *app, const struct tx *t, struct span *ret)
{
    enum { SHORTEST = 7, LONGEST = 255 };
    const struct http_log_conf *conf = &app_log_conf(app)->http;
    const struct http_tx *tx = http_tx_of((struct tx *)(uintptr_t)t);
    const struct http_header *h = http_header_find(&tx->side[DIR_TS], conf->xff_header);

    if (!h || h->value.n < SHORTEST || h->value.n > LONGEST)
        return false;
    struct span rest = h->value, part = rest;
    while (rest.n) {
        part = span_split(&rest, ',');
        if (conf->xff_forward)
            break;
    }
    if (address(part, ret))
        return true;
    *ret = (struct span){NULL, 0};
    return false;
}
