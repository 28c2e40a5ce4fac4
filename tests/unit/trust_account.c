/* SPDX-License-Identifier: Apache-2.0 */
/* Users, logins with throttling, sessions and tokens over a state in memory; password hashes. */
#include "trust/account.h"
#include "trust/throttle.h"

#include "base/clock.h"
#include "unit.h"

static void passwords(void)
{
    char text[PASSWORD_HASH_TEXT], other[PASSWORD_HASH_TEXT];
    struct err e;
    CHECK(password_hash(PASSWORD_ARGON2ID, SPAN("correct horse"), text, &e));
    CHECK(password_matches(SPAN("correct horse"), text));
    CHECK(!password_matches(SPAN("correct hors"), text));
    CHECK(!password_matches(SPAN(""), text));
    CHECK(password_hash(PASSWORD_ARGON2ID, SPAN("correct horse"), other, &e));
    CHECK(strcmp(text, other) != 0);
    CHECK(password_hash(PASSWORD_PBKDF2_SM3, SPAN("correct horse"), text, &e));
    CHECK(password_matches(SPAN("correct horse"), text));
    CHECK(!password_matches(SPAN("Correct horse"), text));
    text[strlen(text) - 1] = (char)(text[strlen(text) - 1] == '0' ? '1' : '0');
    CHECK(!password_matches(SPAN("correct horse"), text));
    CHECK(!password_matches(SPAN("x"), "plain"));
    CHECK(!password_matches(SPAN("x"), "$pbkdf2-sm3$i=0$00$00"));
    CHECK(!password_hash(PASSWORD_ARGON2ID, SPAN("short"), text, &e) && e.kind == ERR_INVALID);
    char random[PASSWORD_RANDOM_TEXT];
    password_random(random);
    CHECK(strlen(random) == 23 && random[5] == '-');
}

static void throttles(void)
{
    static struct throttle t;
    uint64_t now = 1000 * (uint64_t)NS_PER_S;
    for (unsigned i = 1; i < THROTTLE_FREE; i++) {
        throttle_failed(&t, SPAN("user:a"), now);
        CHECK(throttle_wait_s(&t, SPAN("user:a"), now) == 0);
    }
    throttle_failed(&t, SPAN("user:a"), now);
    CHECK(throttle_wait_s(&t, SPAN("user:a"), now) == 2);
    throttle_failed(&t, SPAN("user:a"), now);
    CHECK(throttle_wait_s(&t, SPAN("user:a"), now) == 4);
    CHECK(throttle_wait_s(&t, SPAN("user:b"), now) == 0);
    CHECK(throttle_wait_s(&t, SPAN("user:a"), now + 5 * (uint64_t)NS_PER_S) == 0);
    for (int i = 0; i < 40; i++)
        throttle_failed(&t, SPAN("user:a"), now);
    CHECK(throttle_wait_s(&t, SPAN("user:a"), now) == THROTTLE_MAX_S);
    throttle_succeeded(&t, SPAN("user:a"));
    CHECK(throttle_wait_s(&t, SPAN("user:a"), now) == 0);
    char key[32];
    for (int i = 0; i < 3 * THROTTLE_ENTRIES; i++) { /* a flood of names stays bounded */
        snprintf(key, sizeof(key), "user:%d", i);
        throttle_failed(&t, span_str(key), now + (uint64_t)i);
    }
    CHECK(throttle_wait_s(&t, span_str(key), now) == 0);
}

static void sessions(struct accounts *a)
{
    char token[SECRET_TEXT], second[SECRET_TEXT];
    struct person p;
    unsigned wait;
    struct err e;
    struct login l = {.name = SPAN("ana"), .password = SPAN("password-1"), .address = SPAN("::1")};
    CHECK(user_add(a, l.name, l.password, ROLE_ANALYST, &e));
    CHECK(!user_add(a, l.name, l.password, ROLE_ANALYST, &e) && e.kind == ERR_CONFLICT);
    CHECK(!user_add(a, SPAN("../x"), l.password, ROLE_VIEWER, &e) && e.kind == ERR_INVALID);
    CHECK(session_login(a, &l, token, &p, &wait, &e));
    CHECK(p.role == ROLE_ANALYST && strcmp(p.name, "ana") == 0 && p.csrf[0]);
    CHECK(session_login(a, &l, second, &p, &wait, &e) && strcmp(token, second) != 0);
    CHECK(session_find(a, span_str(token), &p) && strcmp(p.unit, "default") == 0);
    CHECK(!session_find(a, SPAN("nonsense"), &p));
    CHECK(user_password_own(a, &p, SPAN("password-1"), SPAN("password-2"), span_str(token), &e));
    CHECK(session_find(a, span_str(token), &p));   /* the one that changed it stays */
    CHECK(!session_find(a, span_str(second), &p)); /* the other ends */
    CHECK(session_end(a, span_str(token), &e) && !session_find(a, span_str(token), &p));
    CHECK(!session_login(a, &l, token, &p, &wait, &e) && e.kind == ERR_LOGIN);
    l.password = SPAN("password-2");
    CHECK(session_login(a, &l, token, &p, &wait, &e));
    clock_set_fake(clock_now_ns() + 13 * 3600 * (uint64_t)NS_PER_S);
    CHECK(!session_find(a, span_str(token), &p)); /* not used for 12 hours */
    clock_set_fake(0);
    l.password = SPAN("wrong-guess");
    for (int i = 0; i < THROTTLE_FREE; i++)
        CHECK(!session_login(a, &l, token, &p, &wait, &e));
    l.password = SPAN("password-2");
    CHECK(!session_login(a, &l, token, &p, &wait, &e) && e.kind == ERR_BUSY && wait > 0);
}

static void tokens(struct accounts *a)
{
    char text[SECRET_TEXT];
    struct person p;
    struct err e;
    int64_t id = 0;
    struct token_new t = {.name = SPAN("script"), .user = SPAN("ana"), .role = ROLE_VIEWER};
    CHECK(token_add(a, &t, text, &id, &e) && id > 0);
    CHECK(token_find(a, span_str(text), &p) && p.role == ROLE_VIEWER && p.token);
    text[5] ^= 1;
    CHECK(!token_find(a, span_str(text), &p));
    text[5] ^= 1;
    t.role = ROLE_ADMIN; /* a token never lifts its owner */
    char second[SECRET_TEXT];
    CHECK(token_add(a, &t, second, &id, &e));
    CHECK(token_find(a, span_str(second), &p) && p.role == ROLE_ANALYST);
    CHECK(token_delete(a, id, SPAN(""), &e) && !token_find(a, span_str(second), &p));
    CHECK(!token_delete(a, id, SPAN(""), &e) && e.kind == ERR_NOT_FOUND);
    t.user = SPAN("nobody");
    CHECK(!token_add(a, &t, second, &id, &e) && e.kind == ERR_NOT_FOUND);
    CHECK(!user_delete(a, SPAN("admin"), &e) && e.kind == ERR_CONFLICT);
    CHECK(user_delete(a, SPAN("ana"), &e));
    CHECK(!token_find(a, span_str(text), &p)); /* went with its owner */
}

int main(void)
{
    struct state *s = NULL;
    struct err e = {0};
    char password[PASSWORD_RANDOM_TEXT];
    passwords();
    throttles();
    CHECK(state_open(":memory:", &s, &e));
    struct accounts *a = accounts_open(s, PASSWORD_ARGON2ID);
    CHECK(accounts_first(a, password, &e) && password[0]);
    CHECK(accounts_first(a, password, &e) && !password[0]); /* printed once */
    sessions(a);
    tokens(a);
    accounts_close(a);
    state_close(s);
    return unit_end();
}
