/* SPDX-License-Identifier: Apache-2.0 */
/* Who may do what: users with one of three roles, their browser sessions and API tokens, kept in
 * the state. A caller gets a struct person or nothing. Logins are throttled by name and by address;
 * secrets are stored only as digests. Safe to call from any thread. */
#pragma once

#include "base/buf.h"
#include "store/state.h"
#include "trust/password.h"

enum role { ROLE_NONE, ROLE_VIEWER, ROLE_ANALYST, ROLE_ADMIN };

enum { NAME_MAX_BYTES = 64, LANGUAGE_MAX = 8 };

struct person {
    char name[NAME_MAX_BYTES + 1];
    enum role role;
    char language[LANGUAGE_MAX];
    char unit[NAME_MAX_BYTES + 1];      /* id */
    char unit_name[NAME_MAX_BYTES + 1]; /* for people */
    char csrf[SECRET_TEXT];             /* of a session, else empty */
    bool local, token;
};

struct accounts;

/* `kind`: how new passwords are hashed. The state must outlive the accounts. */
struct accounts *accounts_open(struct state *state, enum password_kind kind);
void accounts_close(struct accounts *a);

const char *role_name(enum role role);
/* ROLE_NONE when the text names no role. */
enum role role_parse(struct span text);

/* Creates `admin` with a random password, written to `password`, unless a user exists already
 * (then it is ""). */
bool accounts_first(struct accounts *a, char password[PASSWORD_RANDOM_TEXT],
                    struct err *e) MUST_CHECK;

/* Checks name and password; fills in a new session: `token` goes into the cookie. ERR_LOGIN when
 * they do not match; ERR_BUSY with *retry_s when there were too many failures. */
struct login {
    struct span name, password, address, agent;
};
bool session_login(struct accounts *a, const struct login *l, char token[SECRET_TEXT],
                   struct person *ret, unsigned *retry_s, struct err *e) MUST_CHECK;
/* Whose session is this? False when it is unknown or has expired. */
bool session_find(struct accounts *a, struct span token, struct person *ret);
bool session_end(struct accounts *a, struct span token, struct err *e) MUST_CHECK;
/* An API token's owner, with the token's role if that is lower. */
bool token_find(struct accounts *a, struct span token, struct person *ret);
/* The owner of a sensor's token that comes over the network, with the owner's own role. */
bool sensor_token_find(struct accounts *a, struct span token, struct person *ret);
/* The owner of the data folder over the Unix socket: full rights. */
void person_local(struct person *ret);

bool user_add(struct accounts *a, struct span name, struct span password, enum role role,
              struct err *e) MUST_CHECK;
/* The last administrator stays: ERR_CONFLICT. */
bool user_delete(struct accounts *a, struct span name, struct err *e) MUST_CHECK;
/* Ends all of the user's sessions except the one of `keep` (a cookie's token, may be empty). */
bool user_password(struct accounts *a, struct span name, struct span password, struct span keep,
                   struct err *e) MUST_CHECK;
/* As user_password, but only when `old` is right (throttled like a login). */
bool user_password_own(struct accounts *a, const struct person *who, struct span old,
                       struct span password, struct span keep, struct err *e) MUST_CHECK;
bool user_language(struct accounts *a, struct span name, struct span language,
                   struct err *e) MUST_CHECK;
/* Appends a JSON array of users: name, role, language, created, last_login. */
bool users_json(struct accounts *a, struct buf *b, struct err *e) MUST_CHECK;

/* A new API token with at most the owner's role; `days` 0: never expires. Its text is shown once.
 */
struct token_new {
    struct span name, user;
    bool sensor; /* for a sensor's link, not for the API */
    enum role role;
    unsigned days;
};
bool token_add(struct accounts *a, const struct token_new *t, char text[SECRET_TEXT],
               int64_t *ret_id, struct err *e) MUST_CHECK;
/* `user` empty: anyone's. */
bool token_delete(struct accounts *a, int64_t id, struct span user, struct err *e) MUST_CHECK;
bool tokens_json(struct accounts *a, struct span user, struct buf *b, struct err *e) MUST_CHECK;
/* Appends a JSON array of the units this person may see. */
bool units_json(struct accounts *a, const struct person *who, struct buf *b,
                struct err *e) MUST_CHECK;
