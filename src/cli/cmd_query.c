/* SPDX-License-Identifier: Apache-2.0 */
/* Searching events and watching them come in. */
#include "base/jw.h"
#include "cli/client.h"
#include "cli/run.h"

static void add_param(struct buf *path, const char *name, const char *value)
{
    if (!value)
        return;
    buf_printf(path, "%c%s=", strchr(buf_cstr(path), '?') ? '&' : '?', name);
    client_escape(path, value);
}

/* The words of the query as one text. */
static void add_query(struct buf *path, const struct cli *c)
{
    struct buf q = buf_new(16 << 10);
    for (unsigned i = 0; i < c->args_n; i++)
        buf_printf(&q, "%s%s", i ? " " : "", c->args[i]);
    if (q.n)
        add_param(path, "q", buf_cstr(&q));
    buf_free(&q);
}

static void text_of(struct span event, const char *path, const char *format)
{
    struct buf b = buf_new(8192);
    json_text_at(event, path, &b);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    printf(format, buf_cstr(&b));
#pragma GCC diagnostic pop
    buf_free(&b);
}

static void print_event(const struct cli *c, struct span event)
{
    static const char *const details[] = {"alert.signature", "dns.queries", "http.hostname",
                                          "http.url",        "tls.sni",     "fileinfo.filename",
                                          "anomaly.event",   "app_proto"};
    if (c->json) {
        printf("%.*s\n", (int)event.n, (const char *)event.p);
        return;
    }
    text_of(event, "timestamp", "%.26s ");
    text_of(event, "event_type", "%-8s ");
    text_of(event, "src_ip", "%s:");
    text_of(event, "src_port", "%s -> ");
    text_of(event, "dest_ip", "%s:");
    text_of(event, "dest_port", "%s ");
    for (size_t i = 0; i < LEN(details); i++)
        text_of(event, details[i], " %.120s");
    printf("\n");
}

static bool print_top(const struct cli *c, struct span answer)
{
    struct json j;
    struct json_value v;
    if (c->json) {
        printf("%.*s\n", (int)answer.n, (const char *)answer.p);
        return true;
    }
    json_init(&j, answer);
    if (json_next(&j, &v) != JSON_OBJECT)
        return true;
    while (json_next(&j, &v) > JSON_END) {
        if (!json_key_is(&v, SPAN("values")) || v.type != JSON_ARRAY) {
            if (!json_skip(&j, &v))
                break;
            continue;
        }
        while (json_next(&j, &v) == JSON_OBJECT && json_skip(&j, &v)) {
            text_of(v.raw, "count", "%10s  ");
            text_of(v.raw, "value", "%s\n");
        }
    }
    return true;
}

static void print_events(const struct cli *c, struct span answer)
{
    struct json j;
    struct json_value v;
    json_init(&j, answer);
    if (json_next(&j, &v) != JSON_OBJECT)
        return;
    while (json_next(&j, &v) > JSON_END) {
        if (!json_key_is(&v, SPAN("events")) || v.type != JSON_ARRAY) {
            if (!json_skip(&j, &v))
                break;
            continue;
        }
        while (json_next(&j, &v) == JSON_OBJECT && json_skip(&j, &v))
            print_event(c, v.raw);
    }
}

static void print_count(const struct cli *c, struct span answer)
{
    uint64_t n = 0;
    json_uint_at(answer, "total", &n);
    printf(c->json ? "{\"count\":%llu}\n" : "%llu\n", (unsigned long long)n);
}

bool cmd_query(struct cli *c, struct err *e)
{
    const char *top = cli_value(c, OPT_TOP);
    bool count = c->given[OPT_NUMBER] > 0;
    struct buf path = buf_new(64 << 10), out = buf_new(256 << 20);
    if (top && count)
        return err_set(e, ERR_USAGE, "--top and --count exclude each other");
    buf_str(&path, top     ? "/api/v1/events/top"
                   : count ? "/api/v1/events/histogram?by=none"
                           : "/api/v1/events");
    add_query(&path, c);
    add_param(&path, "field", top);
    add_param(&path, "from", cli_value(c, OPT_FROM));
    add_param(&path, "to", cli_value(c, OPT_TO));
    add_param(&path, "limit", cli_value(c, OPT_LIMIT));
    struct client_request rq = {.method = "GET", .path = buf_cstr(&path)};
    bool ok = client_call(c, &rq, &out, e);
    if (ok && count)
        print_count(c, buf_span(&out));
    else if (ok && top)
        print_top(c, buf_span(&out));
    else if (ok)
        print_events(c, buf_span(&out));
    buf_free(&path);
    buf_free(&out);
    return ok;
}

struct tail {
    const struct cli *c;
    struct buf line;
    bool event;
};

static void tail_line(struct tail *t, struct span line)
{
    if (span_starts(line, SPAN("event: ")))
        t->event = span_eq(span_from(line, 7), SPAN("event"));
    else if (t->event && span_starts(line, SPAN("data: ")))
        print_event(t->c, span_from(line, 6));
}

static bool tail_piece(void *ctx, struct span piece)
{
    struct tail *t = ctx;
    for (size_t i = 0; i < piece.n; i++) {
        if (piece.p[i] != '\n') {
            buf_byte(&t->line, piece.p[i]);
            continue;
        }
        tail_line(t, buf_span(&t->line));
        buf_clear(&t->line);
    }
    return fflush(stdout) == 0; /* a closed pipe ends it */
}

bool cmd_tail(struct cli *c, struct err *e)
{
    struct tail t = {.c = c, .line = buf_new(2 << 20)};
    struct buf path = buf_new(64 << 10);
    buf_str(&path, "/api/v1/stream");
    add_query(&path, c);
    add_param(&path, "types", cli_value(c, OPT_TYPES));
    struct client_request rq = {
        .method = "GET", .path = buf_cstr(&path), .piece = tail_piece, .ctx = &t};
    bool ok = client_call(c, &rq, NULL, e);
    buf_free(&path);
    buf_free(&t.line);
    return ok;
}
