/* SPDX-License-Identifier: Apache-2.0 */
/* Users, tokens and settings. */
#include "api/api.h"
#include "api/handlers.h"
#include "base/clock.h"
#include "base/jw.h"

void users_run(struct api_call *c)
{
    struct err e;
    jw_open(c->out, '{');
    jw_key(c->out, "users");
    if (!users_json(c->api->conf.accounts, c->out, &e)) {
        answer_err(c, &e);
        return;
    }
    jw_close(c->out, '}');
}

/* The given password, or a random one in `made`. */
static struct span password_or_random(const struct arg *given, char made[PASSWORD_RANDOM_TEXT])
{
    made[0] = '\0';
    if (given->given)
        return given->s;
    password_random(made);
    return span_str(made);
}

void user_post(struct api_call *c)
{
    char made[PASSWORD_RANDOM_TEXT];
    struct err e;
    struct span name = call_body(c, "name")->s;
    struct span password = password_or_random(call_body(c, "password"), made);
    if (!user_add(c->api->conf.accounts, name, password, role_parse(call_body(c, "role")->s), &e)) {
        answer_err(c, &e);
        return;
    }
    jw_open(c->out, '{');
    jw_member_span(c->out, "name", name);
    jw_member_span(c->out, "role", call_body(c, "role")->s);
    if (made[0])
        jw_member_text(c->out, "password", made);
    jw_close(c->out, '}');
}

void user_delete_run(struct api_call *c)
{
    struct err e;
    if (user_delete(c->api->conf.accounts, call_path(c, "name"), &e))
        answer_no_content(c);
    else
        answer_err(c, &e);
}

void user_password_put(struct api_call *c)
{
    char made[PASSWORD_RANDOM_TEXT];
    struct err e;
    struct span name = call_path(c, "name");
    struct span password = password_or_random(call_body(c, "password"), made);
    bool own = span_ieq(name, span_str(c->who.name));
    if (!user_password(c->api->conf.accounts, name, password, own ? c->session : SPAN(""), &e)) {
        answer_err(c, &e);
        return;
    }
    jw_open(c->out, '{');
    jw_member_span(c->out, "name", name);
    if (made[0])
        jw_member_text(c->out, "password", made);
    jw_close(c->out, '}');
}

void tokens_run(struct api_call *c)
{
    struct err e;
    struct span user = c->who.role == ROLE_ADMIN ? SPAN("") : span_str(c->who.name);
    jw_open(c->out, '{');
    jw_key(c->out, "tokens");
    if (!tokens_json(c->api->conf.accounts, user, c->out, &e)) {
        answer_err(c, &e);
        return;
    }
    jw_close(c->out, '}');
}

void token_post(struct api_call *c)
{
    char text[SECRET_TEXT];
    int64_t id;
    struct err e;
    const struct arg *user = call_body(c, "user");
    struct token_new t = {.name = call_body(c, "name")->s,
                          .user = user->given    ? user->s
                                  : c->who.local ? SPAN("admin")
                                                 : span_str(c->who.name),
                          .role = role_parse(call_body(c, "role")->s),
                          .days = (unsigned)call_body(c, "days")->u,
                          .sensor = span_eq(call_body(c, "kind")->s, SPAN("sensor"))};
    if (!token_add(c->api->conf.accounts, &t, text, &id, &e)) {
        answer_err(c, &e);
        return;
    }
    jw_open(c->out, '{');
    jw_member_uint(c->out, "id", (uint64_t)id);
    jw_member_span(c->out, "name", t.name);
    jw_member_text(c->out, "token", text);
    jw_close(c->out, '}');
}

void token_delete_run(struct api_call *c)
{
    struct err e;
    uint64_t id;
    struct span user = c->who.role == ROLE_ADMIN ? SPAN("") : span_str(c->who.name);
    if (!span_u64(call_path(c, "id"), &id) || id > INT64_MAX) {
        answer_error(c, 404, "not_found", "see /api/v1/tokens", "there is no such token");
        return;
    }
    if (token_delete(c->api->conf.accounts, (int64_t)id, user, &e))
        answer_no_content(c);
    else
        answer_err(c, &e);
}

/* --- settings --- */

static const struct {
    const char *key, *fallback; /* JSON */
} settings[] = {
    {"retention_days", "180"},
    {"keep_raw", "true"},
    {"home_net",
     "[\"10.0.0.0/8\",\"172.16.0.0/12\",\"192.168.0.0/16\",\"fc00::/7\",\"fe80::/10\"]"},
    {"language", "\"\""},
};

static bool setting_json(struct api_call *c, size_t i, struct buf *b, struct err *e)
{
    struct state_rows *r;
    if (!state_query(c->api->conf.state, "SELECT value FROM settings WHERE key = ?1",
                     STATE_ARGS(state_str(settings[i].key)), &r, e))
        return false;
    jw_key(b, settings[i].key);
    if (state_rows_next(r))
        jw_raw(b, state_col_text(r, 0));
    else
        jw_raw(b, span_str(settings[i].fallback));
    return state_rows_end(r, e);
}

static void pending_json(struct buf *b, const struct api_pending *p)
{
    if (!p->retention_days[0] && !p->home_net[0])
        return;
    jw_key(b, "pending");
    jw_open(b, '{');
    if (p->retention_days[0])
        jw_member_text(b, "retention_days", p->retention_days);
    if (p->home_net[0])
        jw_member_text(b, "home_net", p->home_net);
    jw_close(b, '}');
}

static void settings_json(struct api_call *c, const struct api_pending *pending)
{
    struct err e;
    jw_open(c->out, '{');
    for (size_t i = 0; i < LEN(settings); i++)
        if (!setting_json(c, i, c->out, &e)) {
            answer_err(c, &e);
            return;
        }
    pending_json(c->out, pending);
    jw_close(c->out, '}');
}

void settings_get(struct api_call *c)
{
    struct api_pending nothing = {0};
    settings_json(c, &nothing);
}

static bool put(struct api_call *c, const char *key, struct span value, struct err *e)
{
    return state_exec(c->api->conf.state,
                      "INSERT INTO settings (key, value, changed_by, changed_ns) VALUES (?1, ?2, "
                      "?3, ?4) ON CONFLICT (key) DO UPDATE SET value = excluded.value, "
                      "changed_by = excluded.changed_by, changed_ns = excluded.changed_ns",
                      STATE_ARGS(state_str(key), state_text(value), state_str(c->who.name),
                                 state_int((int64_t)clock_now_ns())),
                      e);
}

static bool home_net_valid(struct api_call *c, const struct arg *a)
{
    struct cidr cidr;
    for (size_t i = 0; i < a->n; i++)
        if (!cidr_parse(a->list[i], &cidr)) {
            answer_error(c, 422, "invalid", "write 10.0.0.0/8", "home_net: %.*s is not a network",
                         (int)min_size(a->list[i].n, 60), a->list[i].p);
            return false;
        }
    return true;
}

/* A checked argument as JSON, the form settings are kept in. */
static void arg_json(struct buf *b, const struct arg *a)
{
    switch (a->param->kind) {
    case PARAM_UINT:
        buf_u64(b, a->u);
        break;
    case PARAM_BOOL:
        buf_str(b, a->u ? "true" : "false");
        break;
    case PARAM_STRINGS:
        jw_open(b, '[');
        for (size_t i = 0; i < a->n; i++)
            jw_span(b, a->list[i]);
        jw_close(b, ']');
        break;
    default:
        json_add_string(b, a->s);
    }
}

static bool put_all(struct api_call *c, struct err *e)
{
    bool ok = true;
    struct buf b = buf_new(1 << 20);
    for (size_t i = 0; ok && i < LEN(settings); i++) {
        const struct arg *a = call_body(c, settings[i].key);
        if (!a->given)
            continue;
        buf_clear(&b);
        arg_json(&b, a);
        ok = put(c, settings[i].key, buf_span(&b), e);
    }
    buf_free(&b);
    const struct arg *language = call_body(c, "language");
    if (ok && language->given && !c->who.local)
        ok = user_language(c->api->conf.accounts, span_str(c->who.name), language->s, e);
    return ok;
}

void settings_put(struct api_call *c)
{
    struct err e;
    struct api_pending pending = {0};
    if (call_body(c, "home_net")->given && !home_net_valid(c, call_body(c, "home_net")))
        return;
    if (!state_begin(c->api->conf.state, &e)) {
        answer_err(c, &e);
        return;
    }
    if (!put_all(c, &e)) {
        state_rollback(c->api->conf.state);
        answer_err(c, &e);
        return;
    }
    if (!state_commit(c->api->conf.state, &e)) {
        answer_err(c, &e);
        return;
    }
    if (c->api->conf.hooks.settings)
        c->api->conf.hooks.settings(c->api->conf.hooks.ctx, &pending);
    if (!call_body(c, "home_net")->given)
        pending.home_net[0] = '\0';
    settings_json(c, &pending);
}
