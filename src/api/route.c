/* SPDX-License-Identifier: Apache-2.0 */
/* Finding a route by method and path, and the answers that every route can give. Paths are few and
 * short: a scan over the table costs less than a microsecond. */
#include "api/route.h"

#include "base/jw.h"

#include <stdarg.h>

static struct span next_segment(struct span *path)
{
    if (path->n > 0 && path->p[0] == '/')
        *path = span_from(*path, 1);
    size_t end = span_find_byte(*path, '/');
    struct span s = span_cut(*path, 0, end);
    *path = span_from(*path, end);
    return s;
}

static bool path_matches(const char *pattern, struct span path, struct api_call *c)
{
    struct span want = span_str(pattern);
    c->paths = 0;
    while (want.n > 0 && path.n > 0) {
        struct span w = next_segment(&want);
        struct span p = next_segment(&path);
        if (w.n > 2 && w.p[0] == '{') {
            if (p.n == 0 || c->paths == PATH_ARGS)
                return false;
            c->path[c->paths++] = (struct path_arg){span_cut(w, 1, w.n - 2), p};
        } else if (!span_eq(w, p)) {
            return false;
        }
    }
    return want.n == 0 && path.n == 0;
}

static bool is_literal(struct span path)
{
    for (size_t i = 0; i < routes_n; i++)
        if (span_eq(span_str(routes[i].path), path))
            return true;
    return false;
}

const struct route *route_find(enum http_method method, struct span path, struct api_call *c,
                               unsigned *allowed)
{
    if (method == HTTP_HEAD)
        method = HTTP_GET;
    *allowed = 0;
    bool literal = is_literal(path);
    for (size_t i = 0; i < routes_n; i++) {
        if (literal ? !span_eq(span_str(routes[i].path), path)
                    : !path_matches(routes[i].path, path, c))
            continue;
        *allowed |= routes[i].method;
        if (routes[i].method == method)
            return &routes[i];
    }
    return NULL;
}

static const struct arg *find_arg(const struct arg *a, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(a[i].param->name, name) == 0)
            return &a[i];
    return NULL;
}

const struct arg *call_arg(const struct api_call *c, const char *name)
{
    const struct arg *a = find_arg(c->args, c->args_n, name);
    must(a != NULL);
    return a;
}

const struct arg *call_body(const struct api_call *c, const char *name)
{
    const struct arg *a = find_arg(c->body, c->body_n, name);
    must(a != NULL);
    return a;
}

const struct arg *arg_inner(const struct arg *a, const char *name)
{
    const struct arg *inner = find_arg(a->inner, a->inner_n, name);
    must(inner != NULL);
    return inner;
}

struct span call_path(const struct api_call *c, const char *name)
{
    for (size_t i = 0; i < c->paths; i++)
        if (span_eq(c->path[i].name, span_str(name)))
            return c->path[i].value;
    must(false);
    return (struct span){NULL, 0};
}

static void error_begin(struct api_call *c, unsigned status, const char *code)
{
    struct http_answer *a = &c->rq->answer;
    a->status = status;
    a->type = "application/json";
    buf_clear(&a->body);
    jw_open(&a->body, '{');
    jw_key(&a->body, "error");
    jw_open(&a->body, '{');
    jw_member_text(&a->body, "code", code);
}

static void error_end(struct api_call *c, const char *hint)
{
    struct buf *b = &c->rq->answer.body;
    jw_member_text(b, "hint", hint);
    jw_close(b, '}');
    jw_close(b, '}');
    buf_byte(b, '\n');
}

void answer_error(struct api_call *c, unsigned status, const char *code, const char *hint,
                  const char *fmt, ...)
{
    char text[600];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    error_begin(c, status, code);
    jw_member_text(&c->rq->answer.body, "message", text);
    error_end(c, hint);
}

/* What to do, where the message alone does not say it. */
static const char *hint_of(enum err_kind kind)
{
    switch (kind) {
    case ERR_NOT_FOUND:
        return "take the name from the list of what there is";
    case ERR_CONFLICT:
        return "look at what is there already, or choose another name";
    case ERR_BUSY:
        return "try again later";
    case ERR_LOGIN:
        return "check name and password, or ask an administrator for a new one";
    case ERR_DENIED:
        return "check what was given, or ask an administrator";
    case ERR_INVALID:
        return "see /api/v1/openapi.json for what is allowed";
    default:
        return "see the node's log";
    }
}

void answer_err(struct api_call *c, const struct err *e)
{
    const char *code = err_name(e->kind);
    const char *hint = hint_of(e->kind);
    unsigned status = (unsigned)err_http_status(e->kind);
    if (e->kind == ERR_UNAVAILABLE || e->kind == ERR_PROTOCOL) {
        code = "store_unavailable";
        status = 503;
        hint = "the store is starting or down: see health";
        http_header_set(c->rq, "Retry-After", "2");
    } else if (e->kind == ERR_TIMEOUT) {
        hint = "narrow the time range or the query";
    } else if (e->kind == ERR_FULL) {
        hint = "narrow the time range or ask for less";
    }
    error_begin(c, status, code);
    jw_member_text(&c->rq->answer.body, "message", e->text);
    error_end(c, hint);
}

void answer_position(struct api_call *c, unsigned position, const char *message)
{
    error_begin(c, 400, "bad_request");
    jw_member_text(&c->rq->answer.body, "message", message);
    jw_member_uint(&c->rq->answer.body, "position", position);
    error_end(c,
              "see /api/v1/fields for the fields; words, \"phrases\", field:value, -not, (a OR b)");
}

void answer_no_content(struct api_call *c)
{
    c->rq->answer.status = 204;
    c->rq->answer.type = NULL;
    buf_clear(c->out);
}
