/* SPDX-License-Identifier: Apache-2.0 */
/* The node's own state (users, sessions, triage, settings, jobs, sensors) in one SQLite file in WAL
 * mode. Opening brings the file to this program's version through src/store/migrations/NNNN_*.sql,
 * each in one transaction; a file of a newer program is refused. One connection behind one
 * recursive lock: every function may be called from any thread; a cursor or a transaction holds the
 * lock until it ends. Commits are durable (synchronous=FULL). Times are nanoseconds since 1970 UTC.
 */
#pragma once

#include "base/err.h"
#include "base/span.h"

struct state;
struct state_rows;

enum state_kind { STATE_NULL, STATE_INT, STATE_REAL, STATE_TEXT, STATE_BLOB };

/* One bound value; borrowed for the call. */
struct state_arg {
    enum state_kind kind;
    int64_t i;
    double d;
    struct span s;
};

struct state_args {
    const struct state_arg *v;
    size_t n;
};

static inline struct state_arg state_int(int64_t i)
{
    return (struct state_arg){.kind = STATE_INT, .i = i};
}

static inline struct state_arg state_real(double d)
{
    return (struct state_arg){.kind = STATE_REAL, .d = d};
}

static inline struct state_arg state_text(struct span s)
{
    return (struct state_arg){.kind = STATE_TEXT, .s = s};
}

/* NULL binds NULL. */
static inline struct state_arg state_str(const char *s)
{
    return (struct state_arg){.kind = s ? STATE_TEXT : STATE_NULL, .s = span_str(s)};
}

static inline struct state_arg state_blob(struct span s)
{
    return (struct state_arg){.kind = STATE_BLOB, .s = s};
}

static inline struct state_arg state_null(void)
{
    return (struct state_arg){.kind = STATE_NULL};
}

/* state_exec(s, "UPDATE users SET role = ?1 WHERE name = ?2",
 *            STATE_ARGS(state_str("admin"), state_str(name)), e); a macro because the length of a
 * list of arguments is known to no function. */
#define STATE_ARGS(...)                                                                            \
    ((struct state_args){(const struct state_arg[]){__VA_ARGS__},                                  \
                         sizeof((const struct state_arg[]){__VA_ARGS__}) /                         \
                             sizeof(struct state_arg)})
#define STATE_NONE ((struct state_args){NULL, 0})

/* Opens (creating it with mode 0600) and migrates. ":memory:" for tests. */
bool state_open(const char *path, struct state **ret, struct err *e) MUST_CHECK;
void state_close(struct state *s);
/* The version that the file has after opening: the number of the last migration. */
int state_version(const struct state *s);

/* Runs one statement that returns no rows. Statements are prepared once and kept. A violated
 * constraint is ERR_CONFLICT. */
bool state_exec(struct state *s, const char *sql, struct state_args args, struct err *e) MUST_CHECK;
/* Rows changed by the last state_exec of this thread's transaction. */
int64_t state_changes(struct state *s);
int64_t state_last_id(struct state *s);

/* A cursor: state_rows_next until it returns false, then state_rows_end (which reports what went
 * wrong on the way, and gives the lock back). `struct state_rows *r CLEANUP(state_rows_endp)` is
 * the safe form where errors need no report of their own. */
bool state_query(struct state *s, const char *sql, struct state_args args, struct state_rows **ret,
                 struct err *e) MUST_CHECK;
bool state_rows_next(struct state_rows *r);
bool state_rows_end(struct state_rows *r, struct err *e);
void state_rows_endp(struct state_rows **r);
/* Columns from 0. Spans are borrowed until the next state_rows_next. NULL reads as 0 or empty. */
int64_t state_col_int(struct state_rows *r, int col);
double state_col_real(struct state_rows *r, int col);
struct span state_col_text(struct state_rows *r, int col);
struct span state_col_blob(struct state_rows *r, int col);
bool state_col_null(struct state_rows *r, int col);

/* One row, one integer column: *ret stays as it is when there is no row. */
bool state_get_int(struct state *s, const char *sql, struct state_args args, int64_t *ret,
                   struct err *e) MUST_CHECK;

/* A write transaction (BEGIN IMMEDIATE). Holds the lock; must be ended in the same thread. */
bool state_begin(struct state *s, struct err *e) MUST_CHECK;
bool state_commit(struct state *s, struct err *e) MUST_CHECK;
void state_rollback(struct state *s);
