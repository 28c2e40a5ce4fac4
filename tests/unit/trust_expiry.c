/* SPDX-License-Identifier: Apache-2.0 */
/* What ends a session or a token: time, idleness, a disabled owner; that a token opens only what it
 * was made for, that guessing from one address slows down for all names, and who sees which unit.
 */
#include "api/scope.h"
#include "trust/account.h"
#include "trust/throttle.h"

#include "base/clock.h"
#include "unit.h"

static const uint64_t hour = 3600 * (uint64_t)NS_PER_S;

static void set_disabled(struct state *s, const char *user, bool on)
{
    struct err e;

    CHECK(state_exec(s, "UPDATE users SET disabled = ?2 WHERE name = ?1",
                     STATE_ARGS(state_str(user), state_int(on)), &e));
}

/* Each use within the idle time carries a session on, but not beyond its life. */
static void session_life(struct accounts *a, struct state *s)
{
    struct login l = {.name = SPAN("bo"), .password = SPAN("password-1"), .address = SPAN("::2")};
    char token[SECRET_TEXT];
    struct person p;
    unsigned wait, uses = 0;
    uint64_t start = clock_now_ns();
    struct err e;

    CHECK(session_login(a, &l, token, &p, &wait, &e));
    for (unsigned i = 1; i <= 60; i++) {
        clock_set_fake(start + i * 11 * hour);
        if (!session_find(a, span_str(token), &p))
            break;
        uses++;
    }
    CHECK(uses >= 2 && uses < 60);
    CHECK(!session_find(a, span_str(token), &p));
    clock_set_fake(0);

    CHECK(session_login(a, &l, token, &p, &wait, &e) && session_find(a, span_str(token), &p));
    set_disabled(s, "bo", true);
    CHECK(!session_find(a, span_str(token), &p));
    CHECK(!session_login(a, &l, token, &p, &wait, &e) && e.kind == ERR_LOGIN);
    set_disabled(s, "bo", false);
    CHECK(session_login(a, &l, token, &p, &wait, &e));
}

static void token_life(struct accounts *a, struct state *s)
{
    struct token_new t = {.name = SPAN("t"), .user = SPAN("bo"), .role = ROLE_VIEWER};
    char api[SECRET_TEXT], sensor[SECRET_TEXT];
    struct person p;
    int64_t id;
    uint64_t now = clock_now_ns();
    struct err e;

    t.days = 1;
    CHECK(token_add(a, &t, api, &id, &e));
    t.sensor = true;
    CHECK(token_add(a, &t, sensor, &id, &e));
    CHECK(token_find(a, span_str(api), &p) && !sensor_token_find(a, span_str(api), &p));
    CHECK(sensor_token_find(a, span_str(sensor), &p) && !token_find(a, span_str(sensor), &p));
    set_disabled(s, "bo", true);
    CHECK(!token_find(a, span_str(api), &p) && !sensor_token_find(a, span_str(sensor), &p));
    set_disabled(s, "bo", false);
    CHECK(token_find(a, span_str(api), &p));
    clock_set_fake(now + 25 * hour);
    CHECK(!token_find(a, span_str(api), &p) && !sensor_token_find(a, span_str(sensor), &p));
    clock_set_fake(0);
}

static void guessing(struct accounts *a)
{
    char name[16], token[SECRET_TEXT];
    struct person p;
    unsigned wait = 0;
    struct err e = {0};
    struct login l = {.password = SPAN("guess-guess"), .address = SPAN("10.9.9.9")};

    for (int i = 0; i < THROTTLE_FREE; i++) {
        snprintf(name, sizeof(name), "name%d", i);
        l.name = span_str(name);
        CHECK(!session_login(a, &l, token, &p, &wait, &e) && e.kind == ERR_LOGIN);
    }
    l.name = SPAN("bo");
    l.password = SPAN("password-1");
    CHECK(!session_login(a, &l, token, &p, &wait, &e) && e.kind == ERR_BUSY && wait > 0);
    l.address = SPAN("10.9.9.8");
    CHECK(session_login(a, &l, token, &p, &wait, &e));
}

static void scopes(void)
{
    struct person who = {.role = ROLE_ANALYST, .unit = "plant"};
    struct scope s;

    scope_of(&who, &s);
    CHECK(!s.store.all && s.store.units_n == 1 && strcmp(s.store.units[0], "plant") == 0);
    CHECK(scope_sees(&who, "plant") && !scope_sees(&who, "plan") && !scope_sees(&who, "default"));
    who.role = ROLE_ADMIN;
    scope_of(&who, &s);
    CHECK(s.store.all && scope_sees(&who, "default"));
}

int main(void)
{
    char password[PASSWORD_RANDOM_TEXT];
    struct state *s = NULL;
    struct err e = {0};

    CHECK(state_open(":memory:", &s, &e));
    struct accounts *a = accounts_open(s, PASSWORD_PBKDF2_SM3);
    CHECK(accounts_first(a, password, &e));
    CHECK(user_add(a, SPAN("bo"), SPAN("password-1"), ROLE_ANALYST, &e));
    session_life(a, s);
    token_life(a, s);
    guessing(a);
    scopes();
    accounts_close(a);
    state_close(s);
    return unit_end();
}
