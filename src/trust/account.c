/* SPDX-License-Identifier: Apache-2.0 */
/* Users and tokens over the state: adding, changing, listing. Sessions and logins are in
 * trust/session.c. */
#include "trust/account.h"

#include "base/clock.h"
#include "base/hex.h"
#include "base/json.h"
#include "base/jw.h"
#include "base/mem.h"
#include "trust/account_impl.h"

struct accounts *accounts_open(struct state *state, enum password_kind kind)
{
    struct accounts *a = mem_zero(sizeof(*a));
    a->state = state;
    a->kind = kind;
    pthread_mutex_init(&a->lock, NULL);
    return a;
}

void accounts_close(struct accounts *a)
{
    if (!a)
        return;
    pthread_mutex_destroy(&a->lock);
    mem_free(a);
}

static const char *const role_names[] = {[ROLE_NONE] = "none",
                                         [ROLE_VIEWER] = "viewer",
                                         [ROLE_ANALYST] = "analyst",
                                         [ROLE_ADMIN] = "admin"};

const char *role_name(enum role role)
{
    return role_names[role];
}

enum role role_parse(struct span text)
{
    for (unsigned i = ROLE_VIEWER; i <= ROLE_ADMIN; i++)
        if (span_eq(text, span_str(role_names[i])))
            return (enum role)i;
    return ROLE_NONE;
}

void person_local(struct person *ret)
{
    *ret = (struct person){.name = "local",
                           .role = ROLE_ADMIN,
                           .unit = "default",
                           .unit_name = "default",
                           .local = true};
}

static bool name_valid(struct span name)
{
    if (name.n == 0 || name.n > NAME_MAX_BYTES)
        return false;
    for (size_t i = 0; i < name.n; i++) {
        uint8_t c = name.p[i];
        bool plain = ascii_is_alpha(c) || ascii_is_digit(c);
        if (!plain && (i == 0 || (c != '.' && c != '_' && c != '-' && c != '@')))
            return false;
    }
    return true;
}

bool user_add(struct accounts *a, struct span name, struct span password, enum role role,
              struct err *e)
{
    char hash[PASSWORD_HASH_TEXT];
    int64_t now = (int64_t)clock_now_ns();
    if (!name_valid(name))
        return err_set(e, ERR_INVALID,
                       "a user's name has 1 to %d letters, digits, '.', '_', '-' or '@', the first "
                       "a letter or digit",
                       NAME_MAX_BYTES);
    if (role == ROLE_NONE)
        return err_set(e, ERR_INVALID, "the role must be admin, analyst or viewer");
    if (!password_hash(a->kind, password, hash, e))
        return false;
    if (state_exec(a->state,
                   "INSERT INTO users (name, hash, role, created_ns, changed_ns) "
                   "VALUES (?1, ?2, ?3, ?4, ?4)",
                   STATE_ARGS(state_text(name), state_str(hash), state_str(role_name(role)),
                              state_int(now)),
                   e))
        return true;
    if (e->kind == ERR_CONFLICT)
        err_set(e, ERR_CONFLICT, "the user %.*s exists already", (int)name.n, name.p);
    return false;
}

bool accounts_first(struct accounts *a, char password[PASSWORD_RANDOM_TEXT], struct err *e)
{
    int64_t users = 0;
    password[0] = '\0';
    if (!state_get_int(a->state, "SELECT count(*) FROM users", STATE_NONE, &users, e))
        return false;
    if (users > 0)
        return true;
    password_random(password);
    if (user_add(a, SPAN("admin"), span_str(password), ROLE_ADMIN, e))
        return true;
    password[0] = '\0';
    return false;
}

static bool no_user(struct err *e, struct span name)
{
    return err_set(e, ERR_NOT_FOUND, "there is no user %.*s", (int)min_size(name.n, NAME_MAX_BYTES),
                   name.p);
}

static bool delete_locked(struct accounts *a, struct span name, struct err *e)
{
    int64_t others = 0, there = 0;
    struct state_args args = STATE_ARGS(state_text(name));
    if (!state_get_int(a->state, "SELECT count(*) FROM users WHERE name = ?1", args, &there, e))
        return false;
    if (!there)
        return no_user(e, name);
    if (!state_get_int(a->state,
                       "SELECT count(*) FROM users WHERE name != ?1 AND role = 'admin' AND "
                       "disabled = 0",
                       args, &others, e))
        return false;
    if (!others)
        return err_set(e, ERR_CONFLICT, "the last administrator cannot be deleted");
    return state_exec(a->state, "DELETE FROM users WHERE name = ?1", args, e);
}

bool user_delete(struct accounts *a, struct span name, struct err *e)
{
    if (!state_begin(a->state, e))
        return false;
    if (delete_locked(a, name, e))
        return state_commit(a->state, e);
    state_rollback(a->state);
    return false;
}

bool user_password(struct accounts *a, struct span name, struct span password, struct span keep,
                   struct err *e)
{
    char hash[PASSWORD_HASH_TEXT], digest[SECRET_TEXT];
    if (!password_hash(a->kind, password, hash, e))
        return false;
    secret_digest(keep, digest);
    if (!state_exec(
            a->state,
            "UPDATE users SET hash = ?2, must_change = 0, changed_ns = ?3 WHERE name = ?1",
            STATE_ARGS(state_text(name), state_str(hash), state_int((int64_t)clock_now_ns())), e))
        return false;
    if (state_changes(a->state) == 0)
        return no_user(e, name);
    return state_exec(a->state, "DELETE FROM sessions WHERE user = ?1 AND token_hash != ?2",
                      STATE_ARGS(state_text(name), state_blob(span_str(digest))), e);
}

bool user_language(struct accounts *a, struct span name, struct span language, struct err *e)
{
    if (!span_eq(language, SPAN("zh")) && !span_eq(language, SPAN("en")) && language.n != 0)
        return err_set(e, ERR_INVALID, "the language must be zh or en");
    return state_exec(a->state, "UPDATE users SET language = ?2 WHERE name = ?1",
                      STATE_ARGS(state_text(name), state_text(language)), e);
}

static void time_member(struct buf *b, const char *key, struct state_rows *r, int col)
{
    char text[CLOCK_TEXT];
    jw_key(b, key);
    if (state_col_null(r, col)) {
        jw_null(b);
        return;
    }
    clock_rfc3339((uint64_t)state_col_int(r, col), text);
    jw_text(b, text);
}

bool users_json(struct accounts *a, struct buf *b, struct err *e)
{
    struct state_rows *r;
    if (!state_query(a->state,
                     "SELECT name, role, language, unit, created_ns, last_login_ns FROM users "
                     "ORDER BY name",
                     STATE_NONE, &r, e))
        return false;
    jw_open(b, '[');
    while (state_rows_next(r)) {
        jw_open(b, '{');
        jw_member_span(b, "name", state_col_text(r, 0));
        jw_member_span(b, "role", state_col_text(r, 1));
        jw_member_span(b, "language", state_col_text(r, 2));
        jw_member_span(b, "unit", state_col_text(r, 3));
        time_member(b, "created", r, 4);
        time_member(b, "last_login", r, 5);
        jw_close(b, '}');
    }
    jw_close(b, ']');
    return state_rows_end(r, e);
}

bool token_add(struct accounts *a, const struct token_new *t, char text[SECRET_TEXT],
               int64_t *ret_id, struct err *e)
{
    char secret[SECRET_TEXT], digest[SECRET_TEXT], hint[9];
    uint64_t now = clock_now_ns();
    if (t->name.n == 0 || utf8_length(t->name) > NAME_MAX_BYTES)
        return err_set(e, ERR_INVALID, "a token's name has 1 to %d characters", NAME_MAX_BYTES);
    if (t->role == ROLE_NONE)
        return err_set(e, ERR_INVALID, "the role must be admin, analyst or viewer");
    secret_random(24, secret);
    snprintf(text, SECRET_TEXT, "dz_%s", secret);
    secret_digest(span_str(text), digest);
    snprintf(hint, sizeof(hint), "%.8s", text);
    struct state_arg expires =
        t->days ? state_int((int64_t)(now + (uint64_t)t->days * 86400 * NS_PER_S)) : state_null();
    if (!state_exec(a->state,
                    "INSERT INTO tokens (name, user, token_hash, hint, role, created_ns, "
                    "expires_ns, kind) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                    STATE_ARGS(state_text(t->name), state_text(t->user),
                               state_blob(span_str(digest)), state_str(hint),
                               state_str(role_name(t->role)), state_int((int64_t)now), expires,
                               state_str(t->sensor ? "sensor" : "api")),
                    e))
        return e->kind == ERR_CONFLICT ? no_user(e, t->user) : false;
    *ret_id = state_last_id(a->state);
    return true;
}

bool token_delete(struct accounts *a, int64_t id, struct span user, struct err *e)
{
    if (!state_exec(a->state, "DELETE FROM tokens WHERE id = ?1 AND (?2 = '' OR user = ?2)",
                    STATE_ARGS(state_int(id), state_text(user)), e))
        return false;
    if (state_changes(a->state) == 0)
        return err_set(e, ERR_NOT_FOUND, "there is no such token");
    return true;
}

bool tokens_json(struct accounts *a, struct span user, struct buf *b, struct err *e)
{
    struct state_rows *r;
    if (!state_query(
            a->state,
            "SELECT id, name, user, hint, role, created_ns, used_ns, expires_ns, kind FROM "
            "tokens WHERE ?1 = '' OR user = ?1 ORDER BY id",
            STATE_ARGS(state_text(user)), &r, e))
        return false;
    jw_open(b, '[');
    while (state_rows_next(r)) {
        jw_open(b, '{');
        jw_member_uint(b, "id", (uint64_t)state_col_int(r, 0));
        jw_member_span(b, "name", state_col_text(r, 1));
        jw_member_span(b, "user", state_col_text(r, 2));
        jw_member_span(b, "hint", state_col_text(r, 3));
        jw_member_span(b, "role", state_col_text(r, 4));
        jw_member_span(b, "kind", state_col_text(r, 8));
        time_member(b, "created", r, 5);
        time_member(b, "last_used", r, 6);
        time_member(b, "expires", r, 7);
        jw_close(b, '}');
    }
    jw_close(b, ']');
    return state_rows_end(r, e);
}

bool units_json(struct accounts *a, const struct person *who, struct buf *b, struct err *e)
{
    struct state_rows *r;
    if (!state_query(a->state, "SELECT id, name FROM units WHERE ?1 OR id = ?2 ORDER BY id",
                     STATE_ARGS(state_int(who->role == ROLE_ADMIN), state_str(who->unit)), &r, e))
        return false;
    jw_open(b, '[');
    while (state_rows_next(r)) {
        jw_open(b, '{');
        jw_member_span(b, "id", state_col_text(r, 0));
        jw_member_span(b, "name", state_col_text(r, 1));
        jw_close(b, '}');
    }
    jw_close(b, ']');
    return state_rows_end(r, e);
}
