/* SPDX-License-Identifier: Apache-2.0 */
/* Logins and sessions. A session's cookie is 256 random bits, of which the state holds the SHA-256;
 * it ends after 12 hours without use or 7 days in all. Its time of use is written at most once a
 * minute, so that reading pages does not write to the disk. */
#include "base/clock.h"
#include "trust/account_impl.h"

enum { IDLE_S = 12 * 3600, LIFE_S = 7 * 86400, TOUCH_S = 60 };

struct throttle_keys {
    char user[NAME_MAX_BYTES + 8];
    char address[80];
};

static void keys_of(struct throttle_keys *k, struct span name, struct span address)
{
    snprintf(k->user, sizeof(k->user), "user:%.*s", (int)min_size(name.n, NAME_MAX_BYTES), name.p);
    for (char *p = k->user; *p; p++)
        *p = (char)ascii_lower((uint8_t)*p);
    snprintf(k->address, sizeof(k->address), "addr:%.*s", (int)min_size(address.n, 64), address.p);
}

static unsigned throttled(struct accounts *a, const struct throttle_keys *k)
{
    uint64_t now = clock_mono_ns();
    pthread_mutex_lock(&a->lock);
    unsigned by_user = throttle_wait_s(&a->throttle, span_str(k->user), now);
    unsigned by_address = throttle_wait_s(&a->throttle, span_str(k->address), now);
    pthread_mutex_unlock(&a->lock);
    return by_user > by_address ? by_user : by_address;
}

static void note_try(struct accounts *a, const struct throttle_keys *k, bool good)
{
    uint64_t now = clock_mono_ns();
    pthread_mutex_lock(&a->lock);
    if (good) {
        throttle_succeeded(&a->throttle, span_str(k->user));
        throttle_succeeded(&a->throttle, span_str(k->address));
    } else {
        throttle_failed(&a->throttle, span_str(k->user), now);
        throttle_failed(&a->throttle, span_str(k->address), now);
    }
    pthread_mutex_unlock(&a->lock);
}

static void fill_person(struct person *p, struct state_rows *r)
{
    *p = (struct person){0};
    span_copy(state_col_text(r, 0), p->name, sizeof(p->name));
    p->role = role_parse(state_col_text(r, 1));
    span_copy(state_col_text(r, 2), p->language, sizeof(p->language));
    span_copy(state_col_text(r, 3), p->unit, sizeof(p->unit));
    span_copy(state_col_text(r, 4), p->unit_name, sizeof(p->unit_name));
}

/* True when the stored hash of an enabled user matches. Without such a user the time is spent. */
static bool check(struct accounts *a, struct span name, struct span password, struct person *ret)
{
    struct err e;
    struct state_rows *r;
    char hash[PASSWORD_HASH_TEXT] = "";
    if (!state_query(a->state,
                     "SELECT u.name, u.role, u.language, u.unit, n.name, u.hash FROM users u JOIN "
                     "units n ON n.id = u.unit WHERE u.name = ?1 AND u.disabled = 0",
                     STATE_ARGS(state_text(name)), &r, &e))
        return false;
    if (state_rows_next(r)) {
        fill_person(ret, r);
        span_copy(state_col_text(r, 5), hash, sizeof(hash));
    }
    bool good = state_rows_end(r, &e); /* the lock goes back before the slow part */
    if (hash[0] == '\0') {
        password_waste_time(password);
        return false;
    }
    return password_matches(password, hash) && good;
}

static bool wait_first(unsigned wait_s, struct err *e)
{
    return err_set(e, ERR_BUSY, "too many failed logins: try again in %u seconds", wait_s);
}

bool session_login(struct accounts *a, const struct login *l, char token[SECRET_TEXT],
                   struct person *ret, unsigned *retry_s, struct err *e)
{
    struct throttle_keys keys;
    char digest[SECRET_TEXT];
    keys_of(&keys, l->name, l->address);
    *retry_s = throttled(a, &keys);
    if (*retry_s)
        return wait_first(*retry_s, e);
    bool good = check(a, l->name, l->password, ret);
    note_try(a, &keys, good);
    if (!good)
        return err_set(e, ERR_LOGIN, "name or password is wrong");
    secret_random(32, token);
    secret_random(16, ret->csrf);
    secret_digest(span_str(token), digest);
    int64_t now = (int64_t)clock_now_ns();
    int64_t expires = now + (int64_t)LIFE_S * NS_PER_S;
    if (!state_exec(a->state, "DELETE FROM sessions WHERE expires_ns < ?1",
                    STATE_ARGS(state_int(now)), e))
        return false;
    if (!state_exec(a->state,
                    "INSERT INTO sessions (token_hash, user, csrf, address, agent, created_ns, "
                    "seen_ns, expires_ns) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6, ?7)",
                    STATE_ARGS(state_blob(span_str(digest)), state_str(ret->name),
                               state_str(ret->csrf), state_text(l->address),
                               state_text(span_cut(l->agent, 0, 200)), state_int(now),
                               state_int(expires)),
                    e))
        return false;
    return state_exec(a->state, "UPDATE users SET last_login_ns = ?2 WHERE name = ?1",
                      STATE_ARGS(state_str(ret->name), state_int(now)), e);
}

bool session_find(struct accounts *a, struct span token, struct person *ret)
{
    struct err e;
    struct state_rows *r;
    char digest[SECRET_TEXT];
    int64_t now = (int64_t)clock_now_ns(), seen = 0;
    bool found = false;
    if (token.n != 64)
        return false;
    secret_digest(token, digest);
    if (!state_query(a->state,
                     "SELECT u.name, u.role, u.language, u.unit, n.name, s.csrf, s.seen_ns FROM "
                     "sessions s JOIN users u ON u.name = s.user JOIN units n ON n.id = u.unit "
                     "WHERE s.token_hash = ?1 AND s.expires_ns > ?2 AND s.seen_ns > ?3 AND "
                     "u.disabled = 0",
                     STATE_ARGS(state_blob(span_str(digest)), state_int(now),
                                state_int(now - (int64_t)IDLE_S * NS_PER_S)),
                     &r, &e))
        return false;
    if (state_rows_next(r)) {
        fill_person(ret, r);
        span_copy(state_col_text(r, 5), ret->csrf, sizeof(ret->csrf));
        seen = state_col_int(r, 6);
        found = true;
    }
    if (!state_rows_end(r, &e) || !found)
        return false;
    if (now - seen < (int64_t)TOUCH_S * NS_PER_S)
        return true;
    return state_exec(a->state, "UPDATE sessions SET seen_ns = ?2 WHERE token_hash = ?1",
                      STATE_ARGS(state_blob(span_str(digest)), state_int(now)), &e);
}

bool session_end(struct accounts *a, struct span token, struct err *e)
{
    char digest[SECRET_TEXT];
    secret_digest(token, digest);
    return state_exec(a->state, "DELETE FROM sessions WHERE token_hash = ?1",
                      STATE_ARGS(state_blob(span_str(digest))), e);
}

static bool find_token(struct accounts *a, const char *kind, struct span token, struct person *ret)
{
    struct err e;
    struct state_rows *r;
    char digest[SECRET_TEXT];
    int64_t now = (int64_t)clock_now_ns(), used = 0;
    bool found = false;
    if (token.n < 8 || token.n > 100)
        return false;
    secret_digest(token, digest);
    if (!state_query(a->state,
                     "SELECT u.name, u.role, u.language, u.unit, n.name, t.role, t.used_ns FROM "
                     "tokens t JOIN users u ON u.name = t.user JOIN units n ON n.id = u.unit "
                     "WHERE t.token_hash = ?1 AND t.kind = ?3 AND (t.expires_ns IS NULL OR "
                     "t.expires_ns > ?2) AND u.disabled = 0",
                     STATE_ARGS(state_blob(span_str(digest)), state_int(now), state_str(kind)), &r,
                     &e))
        return false;
    if (state_rows_next(r)) {
        fill_person(ret, r);
        enum role role = role_parse(state_col_text(r, 5));
        if (role < ret->role && strcmp(kind, "api") == 0) /* a link has no roles, only an owner */
            ret->role = role;
        ret->token = true;
        used = state_col_int(r, 6);
        found = true;
    }
    if (!state_rows_end(r, &e) || !found)
        return false;
    if (now - used < (int64_t)TOUCH_S * NS_PER_S)
        return true;
    return state_exec(a->state, "UPDATE tokens SET used_ns = ?2 WHERE token_hash = ?1",
                      STATE_ARGS(state_blob(span_str(digest)), state_int(now)), &e);
}

bool token_find(struct accounts *a, struct span token, struct person *ret)
{
    return find_token(a, "api", token, ret);
}

bool sensor_token_find(struct accounts *a, struct span token, struct person *ret)
{
    return find_token(a, "sensor", token, ret);
}

bool user_password_own(struct accounts *a, const struct person *who, struct span old,
                       struct span password, struct span keep, struct err *e)
{
    struct throttle_keys keys;
    struct person same;
    keys_of(&keys, span_str(who->name), SPAN("session"));
    unsigned wait_s = throttled(a, &keys);
    if (wait_s)
        return wait_first(wait_s, e);
    bool good = check(a, span_str(who->name), old, &same);
    note_try(a, &keys, good);
    if (!good)
        return err_set(e, ERR_DENIED, "the old password is wrong");
    return user_password(a, span_str(who->name), password, keep, e);
}
