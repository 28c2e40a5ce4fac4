/* SPDX-License-Identifier: Apache-2.0 */
/* The two steps of every request. Admission on the I/O thread, before the body is read: host name
 * (against DNS rebinding), route, person, role, CSRF token, content type, body ceiling. Then, on a
 * worker: parameters and body checked against the route, and its handler. What is not under /api or
 * /metrics is the console's. */
#include "api/api.h"

#include "api/console.h"
#include "api/stream.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/must.h"

#include <unistd.h>

enum { BODY_MAX = 1 << 20 };

static struct api_call *call_new(struct api *a, struct http_request *rq)
{
    struct api_call *c = arena_zero(&rq->arena, sizeof(*c));
    must(c != NULL);
    c->api = a;
    c->rq = rq;
    c->out = &rq->answer.body;
    c->began_ns = clock_mono_ns();
    return c;
}

/* The host part of a Host header: without port and brackets. */
static struct span host_only(struct span host)
{
    if (host.n > 0 && host.p[0] == '[') {
        size_t end = span_find_byte(host, ']');
        return span_cut(host, 1, end > 0 ? end - 1 : 0);
    }
    return span_split(&host, ':');
}

/* A web page of another site can make a browser look up its own name as this node's address; the
 * Host header then carries that name. Addresses cannot be used so. */
static bool host_allowed(const struct api *a, const struct http_request *rq)
{
    struct span host = host_only(http_header_get(rq, "Host"));
    struct span names = span_str(a->conf.hosts);
    struct ip ip;
    if (rq->peer.local || ip_parse(host, &ip) || span_ieq(host, SPAN("localhost")))
        return true;
    if (span_ieq(host, span_str(a->machine)))
        return true;
    while (names.n > 0)
        if (span_ieq(host, span_trim(span_split(&names, ','))))
            return true;
    return false;
}

static void identify(struct api_call *c)
{
    struct http_request *rq = c->rq;
    struct accounts *accounts = c->api->conf.accounts;
    struct span bearer = http_header_get(rq, "Authorization");
    if (rq->peer.local && (rq->peer.uid == geteuid() || rq->peer.uid == 0)) {
        person_local(&c->who);
        return;
    }
    if (bearer.n > 7 && span_ieq(span_cut(bearer, 0, 7), SPAN("bearer "))) {
        c->bearer = span_trim(span_from(bearer, 7));
        if (!token_find(accounts, c->bearer, &c->who))
            c->who = (struct person){0};
        return;
    }
    struct span cookie = http_cookie_get(rq, "daizong_session");
    if (cookie.n > 0 && session_find(accounts, cookie, &c->who))
        c->session = cookie;
    else
        c->who = (struct person){0};
}

static bool refuse_method(struct api_call *c, unsigned allowed)
{
    static const struct {
        enum http_method method;
        const char *name;
    } names[] = {
        {HTTP_GET, "GET, HEAD"}, {HTTP_POST, "POST"}, {HTTP_PUT, "PUT"}, {HTTP_DELETE, "DELETE"}};
    struct buf b = buf_new(64);
    for (size_t i = 0; i < LEN(names); i++)
        if (allowed & names[i].method)
            buf_printf(&b, "%s%s", b.n ? ", " : "", names[i].name);
    char *list = arena_str(&c->rq->arena, buf_span(&b));
    buf_free(&b);
    http_header_set(c->rq, "Allow", list);
    answer_error(c, 405, "method_not_allowed", "see /api/v1/openapi.json",
                 "this path takes only %s", list ? list : "");
    return false;
}

static bool check_person(struct api_call *c)
{
    const struct route *r = c->route;
    if (r->role == ROLE_NONE)
        return true;
    if (c->who.role == ROLE_NONE) {
        http_header_set(c->rq, "WWW-Authenticate", "Bearer realm=\"daizong\"");
        answer_error(c, 401, "unauthenticated", "log in, or send Authorization: Bearer TOKEN",
                     "not logged in");
        return false;
    }
    if (!person_may(&c->who, r->role)) {
        answer_error(c, 403, "forbidden", "ask an administrator",
                     "this needs the role %s, you have %s", role_name(r->role),
                     role_name(c->who.role));
        return false;
    }
    return true;
}

static bool check_csrf(struct api_call *c)
{
    if (c->session.n == 0 || c->route->method == HTTP_GET || c->route->role == ROLE_NONE)
        return true;
    char given[SECRET_TEXT];
    struct span header = http_header_get(c->rq, "X-CSRF-Token");
    span_copy(header, given, sizeof(given));
    if (c->who.csrf[0] && secret_equal(given, c->who.csrf))
        return true;
    answer_error(c, 403, "csrf", "send X-CSRF-Token as GET /api/v1/session gives it",
                 "the CSRF token is missing or wrong");
    return false;
}

static bool check_body(struct api_call *c)
{
    struct http_request *rq = c->rq;
    const struct route *r = c->route;
    struct span type = http_header_get(rq, "Content-Type");
    struct span main_type = span_trim(span_split(&type, ';'));
    if (r->flags & ROUTE_UPLOAD) {
        if (!span_ieq(main_type, SPAN("application/octet-stream"))) {
            answer_error(c, 415, "unsupported_type", "send application/octet-stream",
                         "the body must be the capture file itself");
            return false;
        }
        char name[SECRET_TEXT];
        secret_random(16, name);
        rq->body_max = c->api->conf.upload_max_bytes;
        rq->body_file = arena_printf(&rq->arena, "%s/%s.part", c->api->conf.captures_dir, name);
        return rq->body_file != NULL;
    }
    rq->body_max = r->body ? BODY_MAX : 0;
    if (r->body && !span_ieq(main_type, SPAN("application/json"))) {
        answer_error(c, 415, "unsupported_type", "send Content-Type: application/json",
                     "the body must be JSON");
        return false;
    }
    return true;
}

static bool is_api(struct span path)
{
    return span_starts(path, SPAN("/api/")) || span_eq(path, SPAN("/api")) ||
           span_eq(path, SPAN("/metrics"));
}

static bool admit(void *ctx, struct http_request *rq)
{
    struct api *a = ctx;
    struct api_call *c = call_new(a, rq);
    unsigned allowed;
    rq->who = c;
    if (!host_allowed(a, rq)) {
        answer_error(c, 421, "wrong_host", "use the node's address, or name it with --host-name",
                     "this node does not answer to that host name");
        return false;
    }
    if (!is_api(rq->path)) {
        if (rq->method == HTTP_GET || rq->method == HTTP_HEAD)
            return console_answer(c); /* false: it is in memory and can go out at once */
        return refuse_method(c, HTTP_GET);
    }
    c->route = route_find(rq->method, rq->path, c, &allowed);
    if (!c->route && allowed)
        return refuse_method(c, allowed);
    if (!c->route) {
        answer_error(c, 404, "not_found", "see /api/v1/openapi.json", "there is no such path");
        return false;
    }
    identify(c);
    return check_person(c) && check_csrf(c) && check_body(c);
}

static void run(void *ctx, struct http_request *rq)
{
    struct api_call *c = rq->who;
    (void)ctx;
    rq->answer.status = c->route->status ? c->route->status : 200;
    rq->answer.type = "application/json";
    if (!args_from_query(c))
        return;
    if (c->route->body && !args_from_body(c))
        return;
    c->route->run(c);
}

struct api *api_open(const struct api_conf *conf, struct err *e)
{
    struct api *a = mem_zero(sizeof(*a));
    a->conf = *conf;
    a->started_ns = clock_mono_ns();
    if (gethostname(a->machine, sizeof(a->machine) - 1) != 0)
        a->machine[0] = '\0';
    a->hub = stream_hub_open(a, e);
    if (a->hub)
        return a;
    mem_free(a);
    return NULL;
}

bool api_run(struct api *a, const struct httpd_config *config, struct err *e)
{
    struct http_handler handler = {.ctx = a, .admit = admit, .run = run};
    a->http = httpd_start(config, &handler, e);
    return a->http != NULL;
}

void api_stop(struct api *a)
{
    if (!a)
        return;
    stream_hub_stop(a->hub);
    httpd_stop(a->http);
    a->http = NULL;
}

void api_close(struct api *a)
{
    if (!a)
        return;
    stream_hub_close(a->hub);
    mem_free(a);
}
