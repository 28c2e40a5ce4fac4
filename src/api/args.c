/* SPDX-License-Identifier: Apache-2.0 */
/* Checks parameters and JSON bodies against the rows of a route. Unknown names, repeated names,
 * wrong types and values outside their limits are refused with the name and the limit; handlers see
 * only what passed. */
#include "api/route.h"

#include "api/timespec.h"
#include "base/clock.h"
#include "base/hex.h"
#include "base/json.h"

#include <math.h>

enum { STRING_MAX = 4096, LIST_MAX = 10000 };

static uint64_t max_of(const struct param *p)
{
    return p->max ? p->max : STRING_MAX;
}

static size_t count_params(const struct param *p)
{
    size_t n = 0;
    while (p && p[n].name)
        n++;
    return n;
}

static bool refuse(struct api_call *c, const struct param *p, const char *why)
{
    answer_error(c, 422, "invalid", p->help ? p->help : "", "%s: %s", p->name, why);
    return false;
}

static bool is_choice(const char *choices, struct span s)
{
    struct span rest = span_str(choices);
    while (rest.n > 0) {
        struct span one = span_split(&rest, '|');
        if (span_eq(one, s))
            return true;
    }
    return false;
}

static bool check_string(struct api_call *c, struct arg *a)
{
    const struct param *p = a->param;
    char why[200];
    uint64_t ns;
    struct ip ip;
    struct span rest;
    if (!utf8_valid(a->s))
        return refuse(c, p, "is not UTF-8");
    switch (p->kind) {
    case PARAM_CHOICE:
        if (is_choice(p->choices, a->s))
            return true;
        snprintf(why, sizeof(why), "must be one of %s", p->choices);
        return refuse(c, p, why);
    case PARAM_CHOICES:
        rest = a->s;
        while (rest.n > 0) {
            struct span one = span_split(&rest, ',');
            if (is_choice(p->choices, one))
                continue;
            snprintf(why, sizeof(why), "must be of %s, separated by commas", p->choices);
            return refuse(c, p, why);
        }
        return true;
    case PARAM_TIME:
        if (timespec_parse(a->s, clock_now_ns(), &ns))
            return true;
        return refuse(c, p, "must be RFC 3339 (2026-01-31T12:00:00Z), now, or now-15m");
    case PARAM_IP:
        return ip_parse(a->s, &ip) || refuse(c, p, "must be an IP address");
    default:
        break;
    }
    uint64_t characters = utf8_length(a->s);
    if (characters >= p->min && characters <= max_of(p))
        return true;
    snprintf(why, sizeof(why), "must have %llu to %llu characters", (unsigned long long)p->min,
             (unsigned long long)max_of(p));
    return refuse(c, p, why);
}

static bool check_uint(struct api_call *c, struct arg *a)
{
    char why[100];
    if (a->u >= a->param->min && a->u <= max_of(a->param))
        return true;
    snprintf(why, sizeof(why), "must be from %llu to %llu", (unsigned long long)a->param->min,
             (unsigned long long)max_of(a->param));
    return refuse(c, a->param, why);
}

static bool check_text(struct api_call *c, struct arg *a)
{
    switch (a->param->kind) {
    case PARAM_UINT:
        if (!span_u64(a->s, &a->u))
            return refuse(c, a->param, "must be a whole number");
        return check_uint(c, a);
    case PARAM_BOOL:
        a->u = span_eq(a->s, SPAN("true"));
        return a->u || span_eq(a->s, SPAN("false")) || refuse(c, a->param, "must be true or false");
    default:
        return check_string(c, a);
    }
}

/* Room for the arguments of `params`, with their fallbacks. */
static struct arg *new_args(struct api_call *c, const struct param *params, size_t *n)
{
    *n = count_params(params);
    struct arg *args = arena_zero(&c->rq->arena, (*n + 1) * sizeof(*args));
    must(args != NULL);
    for (size_t i = 0; i < *n; i++) {
        args[i].param = &params[i];
        if (!params[i].fallback)
            continue;
        args[i].s = span_str(params[i].fallback);
        args[i].given = true;
        if (params[i].kind == PARAM_UINT)
            must(span_u64(args[i].s, &args[i].u));
        if (params[i].kind == PARAM_BOOL)
            args[i].u = span_eq(args[i].s, SPAN("true"));
    }
    return args;
}

static struct arg *arg_of(struct arg *args, size_t n, struct span name)
{
    for (size_t i = 0; i < n; i++)
        if (span_eq(span_str(args[i].param->name), name))
            return &args[i];
    return NULL;
}

static bool unknown(struct api_call *c, const char *what, struct span name)
{
    answer_error(c, 400, "bad_request", "see /api/v1/openapi.json", "unknown %s %.*s", what,
                 (int)min_size(name.n, 100), name.p);
    return false;
}

static bool twice(struct api_call *c, const char *name)
{
    answer_error(c, 400, "bad_request", "give it once", "%s is given twice", name);
    return false;
}

static bool all_given(struct api_call *c, const struct arg *args, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (args[i].param->required && !args[i].given) {
            answer_error(c, 422, "invalid", args[i].param->help, "%s is missing",
                         args[i].param->name);
            return false;
        }
    return true;
}

bool args_from_query(struct api_call *c)
{
    bool seen[64] = {false};
    c->args = new_args(c, c->route->params, &c->args_n);
    must(c->args_n <= LEN(seen));
    for (size_t i = 0; i < c->rq->queries; i++) {
        const struct http_pair *pair = &c->rq->query[i];
        struct arg *a = arg_of(c->args, c->args_n, pair->name);
        if (!a)
            return unknown(c, "parameter", pair->name);
        if (seen[a - c->args])
            return twice(c, a->param->name);
        seen[a - c->args] = true;
        a->s = pair->value;
        a->given = true;
        if (!check_text(c, a))
            return false;
    }
    return all_given(c, c->args, c->args_n);
}

/* --- JSON bodies --- */

static bool object_args(struct api_call *c, struct json *j, struct arg *args, size_t n);

static struct span unescaped(struct api_call *c, const struct json_value *v)
{
    if (!v->escaped)
        return v->raw;
    struct buf b = buf_new(v->raw.n + 1);
    json_unescape(&b, v->raw);
    struct span s = arena_dup(&c->rq->arena, buf_span(&b));
    buf_free(&b);
    return s;
}

static bool string_list(struct api_call *c, struct json *j, struct arg *a)
{
    const struct param *p = a->param;
    uint64_t most = p->max ? p->max : LIST_MAX;
    struct json_value v;
    size_t cap = 16;
    a->list = arena_get(&c->rq->arena, cap * sizeof(*a->list));
    must(a->list != NULL);
    for (;;) {
        enum json_type t = json_next(j, &v);
        if (t == JSON_END)
            break;
        if (t != JSON_STRING)
            return refuse(c, p, "must be an array of strings");
        if (a->n == most)
            return refuse(c, p, "has too many elements");
        if (a->n == cap) {
            struct span *more = arena_get(&c->rq->arena, 2 * cap * sizeof(*more));
            if (!more)
                return refuse(c, p, "is too large");
            memcpy(more, a->list, cap * sizeof(*more));
            a->list = more;
            cap *= 2;
        }
        struct span s = unescaped(c, &v);
        if (utf8_length(s) > STRING_MAX || memchr(s.p, 0, s.n))
            return refuse(c, p, "holds a string that is too long or holds a zero byte");
        if (p->kind == PARAM_CHOICES && !is_choice(p->choices, s))
            return refuse(c, p, "holds a value that is not one of its choices");
        a->list[a->n++] = s;
    }
    return a->n >= p->min || refuse(c, p, "has too few elements");
}

/* To JSON Schema 1.0 and 1e2 are whole numbers too. */
static bool whole_number(const struct json_value *v, uint64_t *ret)
{
    if (v->type == JSON_INT && v->i >= 0) {
        *ret = (uint64_t)v->i;
        return true;
    }
    if (v->type != JSON_DOUBLE || !(v->d >= 0 && v->d < 1e15) || v->d != floor(v->d))
        return false;
    *ret = (uint64_t)v->d;
    return true;
}

static bool member_value(struct api_call *c, struct json *j, struct json_value *v, struct arg *a)
{
    switch (a->param->kind) {
    case PARAM_UINT:
        return whole_number(v, &a->u) ? check_uint(c, a)
                                      : refuse(c, a->param, "must be a whole number from 0");
    case PARAM_BOOL:
        a->u = v->b;
        return v->type == JSON_BOOL || refuse(c, a->param, "must be true or false");
    case PARAM_CHOICES:
    case PARAM_STRINGS:
        if (v->type != JSON_ARRAY)
            return refuse(c, a->param, "must be an array of strings");
        return string_list(c, j, a);
    case PARAM_OBJECT:
        if (v->type != JSON_OBJECT)
            return refuse(c, a->param, "must be an object");
        a->inner = new_args(c, a->param->inner, &a->inner_n);
        return object_args(c, j, a->inner, a->inner_n);
    default:
        if (v->type != JSON_STRING)
            return refuse(c, a->param, "must be a string");
        a->s = unescaped(c, v);
        if (a->s.n && memchr(a->s.p, 0, a->s.n))
            return refuse(c, a->param, "holds a zero byte");
        return check_string(c, a);
    }
}

static bool object_args(struct api_call *c, struct json *j, struct arg *args, size_t n)
{
    bool seen[32] = {false};
    struct json_value v;
    must(n <= LEN(seen));
    for (;;) {
        enum json_type t = json_next(j, &v);
        if (t == JSON_END)
            break;
        if (t == JSON_BAD) {
            answer_error(c, 400, "parse", "send a JSON object", "the body is not JSON: %s",
                         j->v.why ? j->v.why : "");
            return false;
        }
        struct arg *a = v.key_escaped ? NULL : arg_of(args, n, v.key);
        if (!a)
            return unknown(c, "member", v.key);
        if (seen[a - args])
            return twice(c, a->param->name);
        seen[a - args] = true;
        a->given = true;
        if (!member_value(c, j, &v, a))
            return false;
    }
    return all_given(c, args, n);
}

/* The whole text must be JSON before any member is looked at: a broken body is told as such. */
static bool whole_json(struct span text)
{
    struct json j;
    struct json_value v;
    json_init(&j, text);
    json_next(&j, &v);
    return json_skip(&j, &v) && json_done(&j);
}

/* route.one_of */
static bool one_given(struct api_call *c)
{
    unsigned given = 0;
    struct span rest = span_str(c->route->one_of);
    if (rest.n == 0)
        return true;
    while (rest.n > 0)
        given += arg_of(c->body, c->body_n, span_split(&rest, '|'))->given;
    if (given != 1)
        answer_error(c, 422, "invalid", "leave out the others", "give exactly one of %s",
                     c->route->one_of);
    return given == 1;
}

bool args_from_body(struct api_call *c)
{
    struct json j;
    struct json_value v;
    struct span text = buf_span(&c->rq->body);
    c->body = new_args(c, c->route->body, &c->body_n);
    if (!whole_json(text)) {
        answer_error(c, 400, "parse", "send a JSON object", "the body is not JSON");
        return false;
    }
    json_init(&j, text);
    if (json_next(&j, &v) != JSON_OBJECT) {
        answer_error(c, 422, "invalid", "send a JSON object", "the body is not a JSON object");
        return false;
    }
    return object_args(c, &j, c->body, c->body_n) && one_given(c);
}
