/* SPDX-License-Identifier: Apache-2.0 */
/* Logging in and out, and one's own password. */
#include "api/api.h"
#include "api/handlers.h"
#include "base/jw.h"

static void session_object(struct api_call *c)
{
    struct err e;
    struct buf *b = c->out;
    jw_open(b, '{');
    jw_key(b, "user");
    jw_open(b, '{');
    jw_member_text(b, "name", c->who.name);
    jw_member_text(b, "role", role_name(c->who.role));
    jw_member_text(b, "language", c->who.language);
    jw_close(b, '}');
    jw_member_text(b, "csrf", c->who.csrf);
    jw_key(b, "unit");
    jw_open(b, '{');
    jw_member_text(b, "id", c->who.unit);
    jw_member_text(b, "name", c->who.unit_name);
    jw_close(b, '}');
    jw_key(b, "units");
    if (!units_json(c->api->conf.accounts, &c->who, b, &e)) {
        answer_err(c, &e);
        return;
    }
    jw_close(b, '}');
}

static void set_cookie(struct api_call *c, const char *token, unsigned age_s)
{
    http_header_set(c->rq, "Set-Cookie",
                    arena_printf(&c->rq->arena,
                                 "daizong_session=%s; Path=/; HttpOnly; SameSite=Strict; "
                                 "Max-Age=%u%s",
                                 token, age_s, c->rq->peer.tls ? "; Secure" : ""));
}

void session_post(struct api_call *c)
{
    char token[SECRET_TEXT];
    unsigned retry_s = 0;
    struct err e;
    struct login l = {.name = call_body(c, "username")->s,
                      .password = call_body(c, "password")->s,
                      .address = span_str(c->rq->peer.text),
                      .agent = http_header_get(c->rq, "User-Agent")};
    if (session_login(c->api->conf.accounts, &l, token, &c->who, &retry_s, &e)) {
        set_cookie(c, token, 7 * 86400);
        session_object(c);
        return;
    }
    if (retry_s) {
        http_header_set(c->rq, "Retry-After", arena_printf(&c->rq->arena, "%u", retry_s));
        answer_error(c, 429, "throttled", "wait, or ask an administrator", "%s", e.text);
        return;
    }
    answer_err(c, &e);
}

void session_get(struct api_call *c)
{
    session_object(c);
}

void session_delete(struct api_call *c)
{
    struct err e;
    if (c->session.n > 0 && !session_end(c->api->conf.accounts, c->session, &e)) {
        answer_err(c, &e);
        return;
    }
    set_cookie(c, "", 0);
    answer_no_content(c);
}

void session_password(struct api_call *c)
{
    struct err e;
    if (c->who.local) {
        answer_error(c, 409, "conflict", "use PUT /api/v1/users/{name}/password",
                     "the local owner has no password");
        return;
    }
    if (user_password_own(c->api->conf.accounts, &c->who, call_body(c, "old")->s,
                          call_body(c, "new")->s, c->session, &e))
        answer_no_content(c);
    else if (e.kind == ERR_BUSY)
        answer_error(c, 429, "throttled", "wait", "%s", e.text);
    else
        answer_err(c, &e);
}
