/* SPDX-License-Identifier: Apache-2.0 */
/* Users and tokens, through the node. */
#include "base/jw.h"
#include "cli/client.h"
#include "cli/run.h"

#include <unistd.h>

bool cmd_user_list(struct cli *c, struct err *e)
{
    struct buf out = buf_new(8 << 20);
    struct client_request rq = {.method = "GET", .path = "/api/v1/users"};
    bool ok = client_call(c, &rq, &out, e);
    struct json j;
    struct json_value v;
    if (ok && c->json)
        printf("%s\n", buf_cstr(&out));
    json_init(&j, buf_span(&out));
    bool list =
        ok && !c->json && json_next(&j, &v) == JSON_OBJECT && json_next(&j, &v) == JSON_ARRAY;
    while (list && json_next(&j, &v) == JSON_OBJECT && json_skip(&j, &v)) {
        struct buf name = buf_new(200), role = buf_new(200), last = buf_new(200);
        json_text_at(v.raw, "name", &name);
        json_text_at(v.raw, "role", &role);
        json_text_at(v.raw, "last_login", &last);
        printf("%-24s %-8s %s\n", buf_cstr(&name), buf_cstr(&role), buf_cstr(&last));
        buf_free(&name);
        buf_free(&role);
        buf_free(&last);
    }
    buf_free(&out);
    return ok;
}

/* From standard input without its line feed; empty when the node shall make one. */
static bool password_of(const struct cli *c, char *text, size_t cap, struct err *e)
{
    text[0] = '\0';
    if (!c->given[OPT_PASSWORD_STDIN])
        return true;
    if (!fgets(text, (int)cap, stdin))
        return err_set(e, ERR_USAGE, "there is no password on standard input");
    text[strcspn(text, "\r\n")] = '\0';
    return text[0] || err_set(e, ERR_USAGE, "the password is empty");
}

static bool send(struct cli *c, const char *method, const char *path, struct buf *body,
                 const char *done, struct err *e)
{
    struct buf out = buf_new(1 << 20), password = buf_new(200);
    struct client_request rq = {
        .method = method, .path = path, .body = body ? buf_span(body) : (struct span){NULL, 0}};
    bool ok = client_call(c, &rq, &out, e);
    if (ok && c->json)
        printf("%s\n", out.n ? buf_cstr(&out) : "{}");
    else if (ok && json_text_at(buf_span(&out), "password", &password))
        printf("%s; the password is %s (shown only this once)\n", done, buf_cstr(&password));
    else if (ok)
        printf("%s\n", done);
    buf_free(&out);
    buf_free(&password);
    return ok;
}

bool cmd_user_add(struct cli *c, struct err *e)
{
    char password[300], done[300];
    const char *role = cli_value(c, OPT_ROLE);
    if (!password_of(c, password, sizeof(password), e))
        return false;
    struct buf b = buf_new(4096);
    jw_open(&b, '{');
    jw_member_text(&b, "name", c->args[0]);
    jw_member_text(&b, "role", role ? role : "viewer");
    if (password[0])
        jw_member_text(&b, "password", password);
    jw_close(&b, '}');
    snprintf(done, sizeof(done), "user %.100s added as %.20s", c->args[0], role ? role : "viewer");
    bool ok = send(c, "POST", "/api/v1/users", &b, done, e);
    buf_free(&b);
    return ok;
}

bool cmd_user_passwd(struct cli *c, struct err *e)
{
    char password[300], done[300];
    struct buf b = buf_new(4096), path = buf_new(1024);
    bool ok = password_of(c, password, sizeof(password), e);
    buf_str(&path, "/api/v1/users/");
    client_escape(&path, c->args[0]);
    buf_str(&path, "/password");
    jw_open(&b, '{');
    if (password[0])
        jw_member_text(&b, "password", password);
    jw_close(&b, '}');
    snprintf(done, sizeof(done), "the password of %.100s is changed", c->args[0]);
    ok = ok && send(c, "PUT", buf_cstr(&path), &b, done, e);
    buf_free(&b);
    buf_free(&path);
    return ok;
}

bool cmd_user_delete(struct cli *c, struct err *e)
{
    char done[300];
    struct buf path = buf_new(1024);
    buf_str(&path, "/api/v1/users/");
    client_escape(&path, c->args[0]);
    snprintf(done, sizeof(done), "user %.100s deleted", c->args[0]);
    bool ok = send(c, "DELETE", buf_cstr(&path), NULL, done, e);
    buf_free(&path);
    return ok;
}

bool cmd_user_token(struct cli *c, struct err *e)
{
    const char *role = cli_value(c, OPT_ROLE), *days = cli_value(c, OPT_DAYS);
    struct buf b = buf_new(4096), out = buf_new(1 << 20), text = buf_new(300);
    struct client_request rq = {.method = "POST", .path = "/api/v1/tokens"};
    uint64_t n = 0;
    if (days && !span_u64(span_str(days), &n))
        return err_set(e, ERR_USAGE, "--days needs a number");
    jw_open(&b, '{');
    jw_member_text(&b, "name", c->args[0]);
    jw_member_text(&b, "role", role ? role : "viewer");
    jw_member_text(&b, "kind", c->given[OPT_SENSOR] ? "sensor" : "api");
    if (days)
        jw_member_uint(&b, "days", n);
    jw_close(&b, '}');
    rq.body = buf_span(&b);
    bool ok = client_call(c, &rq, &out, e);
    if (ok && c->json)
        printf("%s\n", buf_cstr(&out));
    else if (ok && json_text_at(buf_span(&out), "token", &text))
        printf("%s\n", buf_cstr(&text));
    buf_free(&b);
    buf_free(&out);
    buf_free(&text);
    return ok;
}
