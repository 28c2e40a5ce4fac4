/* SPDX-License-Identifier: Apache-2.0 */
/* The OpenAPI 3.1 document, written from the route table: what a request is checked against and
 * what is documented are the same rows. */
#include "api/handlers.h"
#include "api/shape.h"
#include "base/jw.h"
#include "base/must.h"

#include <stdlib.h>

static const char time_pattern[] =
    "^(now(-[0-9]{1,6}[smhdw])?|(19[7-9][0-9]|20[0-9]{2})-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])T("
    "[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,6})?Z)$";

/* Text never holds a zero byte. */
static const char no_zero[] = "^[^\\u0000]*$";

static void choice_list(struct buf *b, const char *choices)
{
    struct span rest = span_str(choices);
    jw_open(b, '[');
    while (rest.n > 0)
        jw_span(b, span_split(&rest, '|'));
    jw_close(b, ']');
}

static void fallback(struct buf *b, const struct param *p)
{
    if (!p->fallback)
        return;
    jw_key(b, "default");
    if (p->kind == PARAM_UINT || p->kind == PARAM_BOOL)
        jw_raw(b, span_str(p->fallback));
    else
        jw_text(b, p->fallback);
}

static void object_schema(struct buf *b, const struct param *p);

/* The inside of a parameter's schema; lists stand in bodies as arrays, in queries as text. */
static void param_schema(struct buf *b, const struct param *p, bool body)
{
    uint64_t max = p->max ? p->max : 4096;
    switch (p->kind) {
    case PARAM_UINT:
        jw_member_text(b, "type", "integer");
        jw_member_uint(b, "minimum", p->min);
        jw_member_uint(b, "maximum", max);
        break;
    case PARAM_BOOL:
        jw_member_text(b, "type", "boolean");
        break;
    case PARAM_CHOICE:
        jw_member_text(b, "type", "string");
        jw_key(b, "enum");
        choice_list(b, p->choices);
        break;
    case PARAM_CHOICES:
        must(!body);
        jw_member_text(b, "type", "string");
        jw_key(b, "pattern");
        jw_comma(b);
        buf_printf(b, "\"^((%s)(,(%s))*)?$\"", p->choices, p->choices);
        break;
    case PARAM_TIME:
        jw_member_text(b, "type", "string");
        jw_member_text(b, "pattern", time_pattern);
        break;
    case PARAM_IP:
        jw_member_text(b, "type", "string");
        jw_key(b, "anyOf");
        jw_raw(b, SPAN("[{\"format\":\"ipv4\"},{\"format\":\"ipv6\"}]"));
        break;
    case PARAM_STRINGS:
        jw_member_text(b, "type", "array");
        jw_key(b, "items");
        jw_open(b, '{');
        jw_member_text(b, "type", "string");
        if (p->format)
            jw_member_text(b, "format", p->format);
        jw_member_uint(b, "maxLength", 4096);
        jw_close(b, '}');
        jw_member_uint(b, "minItems", p->min);
        jw_member_uint(b, "maxItems", p->max ? p->max : 10000);
        break;
    case PARAM_OBJECT:
        object_schema(b, p->inner);
        break;
    default:
        jw_member_text(b, "type", "string");
        if (p->kind == PARAM_QUERY)
            jw_member_text(b, "format", "daizong-query");
        if (p->format)
            jw_member_text(b, "format", p->format);
        if (p->pattern)
            jw_member_text(b, "pattern", p->pattern);
        else if (!p->format && p->kind == PARAM_STRING)
            jw_member_text(b, "pattern", no_zero);
        jw_member_uint(b, "minLength", p->min);
        jw_member_uint(b, "maxLength", max);
        break;
    }
    fallback(b, p);
}

static void object_schema(struct buf *b, const struct param *p)
{
    jw_member_text(b, "type", "object");
    jw_member_bool(b, "additionalProperties", false);
    jw_key(b, "properties");
    jw_open(b, '{');
    for (const struct param *x = p; x->name; x++) {
        jw_key(b, x->name);
        jw_open(b, '{');
        jw_member_text(b, "description", x->help);
        param_schema(b, x, true);
        jw_close(b, '}');
    }
    jw_close(b, '}');
    jw_key(b, "required");
    jw_open(b, '[');
    for (const struct param *x = p; x->name; x++)
        if (x->required)
            jw_text(b, x->name);
    jw_close(b, ']');
}

static void parameters(struct buf *b, const struct param *p, const char *in, bool required)
{
    for (; p && p->name; p++) {
        jw_open(b, '{');
        jw_member_text(b, "name", p->name);
        jw_member_text(b, "in", in);
        jw_member_bool(b, "required", required || p->required);
        jw_member_text(b, "description", p->help);
        jw_key(b, "schema");
        jw_open(b, '{');
        param_schema(b, p, false);
        jw_close(b, '}');
        jw_close(b, '}');
    }
}

static void answer(struct buf *b, const char *status, const char *what, const char *type,
                   const char *shape)
{
    jw_key(b, status);
    jw_open(b, '{');
    jw_member_text(b, "description", what);
    if (type) {
        jw_key(b, "content");
        jw_open(b, '{');
        jw_key(b, type);
        jw_open(b, '{');
        jw_key(b, "schema");
        if (shape)
            shape_schema(b, shape);
        else
            jw_raw(b, SPAN("{\"type\":\"string\"}"));
        jw_close(b, '}');
        jw_close(b, '}');
    }
    jw_close(b, '}');
}

static void one_error(struct buf *b, struct span status)
{
    char text[8];
    span_copy(status, text, sizeof(text));
    answer(b, text, "see error.code, error.message and error.hint", "application/json", "@Error");
}

static void answers(struct buf *b, const struct route *r)
{
    char status[8];
    struct span errors = span_str(r->errors);
    const char *type = r->flags & ROUTE_STREAM ? "text/event-stream"
                       : r->flags & ROUTE_TEXT ? "text/plain"
                       : r->answer             ? "application/json"
                                               : NULL;
    snprintf(status, sizeof(status), "%u", r->status ? r->status : 200);
    jw_key(b, "responses");
    jw_open(b, '{');
    answer(b, status, "done", type, r->answer);
    one_error(b, SPAN("400"));
    if (r->role != ROLE_NONE) {
        one_error(b, SPAN("401"));
        one_error(b, SPAN("403"));
    }
    if (r->body || (r->flags & ROUTE_UPLOAD))
        one_error(b, SPAN("415"));
    if (r->body)
        one_error(b, SPAN("413"));
    if (r->body || r->params)
        one_error(b, SPAN("422"));
    while (errors.n > 0) {
        struct span one = span_split(&errors, ' ');
        bool there = (span_eq(one, SPAN("401")) && r->role != ROLE_NONE) ||
                     (span_eq(one, SPAN("413")) && r->body);
        if (one.n > 0 && !there)
            one_error(b, one);
    }
    jw_close(b, '}');
}

static void one_of(struct buf *b, const char *members)
{
    struct span rest = span_str(members);
    if (rest.n == 0)
        return;
    jw_key(b, "oneOf");
    jw_open(b, '[');
    while (rest.n > 0) {
        jw_open(b, '{');
        jw_key(b, "required");
        jw_open(b, '[');
        jw_span(b, span_split(&rest, '|'));
        jw_close(b, ']');
        jw_close(b, '}');
    }
    jw_close(b, ']');
}

static void body(struct buf *b, const struct route *r)
{
    if (!r->body && !(r->flags & ROUTE_UPLOAD))
        return;
    jw_key(b, "requestBody");
    jw_open(b, '{');
    jw_member_bool(b, "required", true);
    jw_key(b, "content");
    jw_open(b, '{');
    jw_key(b, r->body ? "application/json" : "application/octet-stream");
    jw_open(b, '{');
    jw_key(b, "schema");
    jw_open(b, '{');
    if (r->body)
        object_schema(b, r->body);
    else
        jw_raw(b, SPAN("\"type\":\"string\",\"format\":\"binary\",\"minLength\":1"));
    one_of(b, r->one_of);
    jw_close(b, '}');
    jw_close(b, '}');
    jw_close(b, '}');
    jw_close(b, '}');
}

static void operation(struct buf *b, const struct route *r)
{
    static const char *const names[] = {
        [HTTP_GET] = "get", [HTTP_POST] = "post", [HTTP_PUT] = "put", [HTTP_DELETE] = "delete"};
    char id[160];
    size_t n = 0;
    for (const char *p = r->path; *p && n + 16 < sizeof(id); p++) {
        bool plain = ascii_is_alpha((uint8_t)*p) || ascii_is_digit((uint8_t)*p);
        if (plain)
            id[n++] = *p;
        else if (n > 0 && id[n - 1] != '_')
            id[n++] = '_';
    }
    snprintf(id + n, sizeof(id) - n, "%s%s", n && id[n - 1] == '_' ? "" : "_", names[r->method]);
    jw_key(b, names[r->method]);
    jw_open(b, '{');
    jw_member_text(b, "operationId", id);
    jw_member_text(b, "summary", r->help);
    jw_key(b, "description");
    jw_comma(b);
    buf_printf(b, "\"Least role: %s.\"", role_name(r->role));
    jw_key(b, "tags");
    jw_open(b, '[');
    jw_text(b, r->tag);
    jw_close(b, ']');
    jw_key(b, "parameters");
    jw_open(b, '[');
    parameters(b, r->path_params, "path", true);
    parameters(b, r->params, "query", false);
    jw_close(b, ']');
    body(b, r);
    answers(b, r);
    if (r->role == ROLE_NONE) {
        jw_key(b, "security");
        jw_raw(b, SPAN("[]"));
    }
    jw_close(b, '}');
}

static bool first_of_path(size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (strcmp(routes[k].path, routes[i].path) == 0)
            return false;
    return true;
}

void openapi_run(struct api_call *c)
{
    struct buf *b = c->out;
    jw_open(b, '{');
    jw_member_text(b, "openapi", "3.1.0");
    jw_key(b, "info");
    jw_open(b, '{');
    jw_member_text(b, "title", "Daizong node API");
    jw_member_text(b, "version", DAIZONG_VERSION);
    jw_member_text(
        b, "description",
        "Errors carry a code, a message and a hint. Lists page by next_cursor. Browsers "
        "log in with a session cookie and send X-CSRF-Token with writes; scripts send a "
        "bearer token; the owner of the data folder needs neither over its Unix socket.");
    jw_key(b, "license");
    jw_raw(b, SPAN("{\"name\":\"Apache-2.0\",\"identifier\":\"Apache-2.0\"}"));
    jw_close(b, '}');
    jw_key(b, "security");
    jw_raw(b, SPAN("[{\"session\":[]},{\"token\":[]}]"));
    jw_key(b, "paths");
    jw_open(b, '{');
    for (size_t i = 0; i < routes_n; i++) {
        if (!first_of_path(i))
            continue;
        jw_key(b, routes[i].path);
        jw_open(b, '{');
        for (size_t k = i; k < routes_n; k++)
            if (strcmp(routes[k].path, routes[i].path) == 0)
                operation(b, &routes[k]);
        jw_close(b, '}');
    }
    jw_close(b, '}');
    jw_key(b, "components");
    jw_open(b, '{');
    jw_key(b, "securitySchemes");
    jw_raw(b,
           SPAN("{\"session\":{\"type\":\"apiKey\",\"in\":\"cookie\",\"name\":\"daizong_session\"}"
                ",\"token\":{\"type\":\"http\",\"scheme\":\"bearer\"}}"));
    jw_key(b, "schemas");
    jw_open(b, '{');
    for (size_t i = 0; i < shapes_n; i++) {
        jw_key(b, shapes[i].name);
        shape_schema(b, shapes[i].text);
    }
    jw_close(b, '}');
    jw_close(b, '}');
    jw_close(b, '}');
}
