/* SPDX-License-Identifier: Apache-2.0 */
/* SQLite behind the state API: opening, migrations, prepared statements kept by their text,
 * cursors. A statement in use (a cursor inside a cursor on the same text) gets a second copy. */
#include "store/state.h"

#include "base/mem.h"
#include "base/must.h"
#include "store/migrations.h"

#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <unistd.h>

enum { STATE_STATEMENTS = 128 };

struct state_rows {
    struct state *s;
    sqlite3_stmt *stmt;
    int rc;
    bool kept; /* belongs to the cache */
};

struct state {
    sqlite3 *db;
    pthread_mutex_t lock;
    sqlite3_stmt *kept[STATE_STATEMENTS];
    bool busy[STATE_STATEMENTS];
    size_t kept_n;
    int version;
};

static bool db_fail(struct state *s, struct err *e, const char *what)
{
    int rc = sqlite3_extended_errcode(s->db);
    enum err_kind kind = ERR_IO;

    switch (rc & 0xff) {
    case SQLITE_CONSTRAINT:
        kind = ERR_CONFLICT;
        break;
    case SQLITE_FULL:
        kind = ERR_FULL;
        break;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        kind = ERR_BUSY;
        break;
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
        kind = ERR_DENIED;
        break;
    case SQLITE_NOMEM:
        kind = ERR_NOMEM;
        break;
    case SQLITE_ERROR:
    case SQLITE_MISUSE:
    case SQLITE_RANGE:
        kind = ERR_INTERNAL;
        break;
    default:
        break;
    }
    return err_set(e, kind, "state: %s: %s", what, sqlite3_errmsg(s->db));
}

static bool run_script(struct state *s, const char *sql, struct err *e)
{
    if (sqlite3_exec(s->db, sql, NULL, NULL, NULL) != SQLITE_OK)
        return db_fail(s, e, "statement");
    return true;
}

static bool migrate_one(struct state *s, const struct migration *m, struct err *e)
{
    char pragma[64];

    snprintf(pragma, sizeof(pragma), "PRAGMA user_version = %d", m->version);
    if (!run_script(s, "BEGIN IMMEDIATE", e))
        return false;
    if (!run_script(s, m->sql, e) || !run_script(s, pragma, e) || !run_script(s, "COMMIT", e)) {
        sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
        return err_wrap(e, "migration %s", m->name);
    }
    s->version = m->version;
    return true;
}

static bool migrate(struct state *s, const char *path, struct err *e)
{
    int64_t version = 0;

    if (!state_get_int(s, "PRAGMA user_version", STATE_NONE, &version, e))
        return false;
    s->version = (int)version;
    if (version > migrations[migrations_n - 1].version)
        return err_set(e, ERR_CONFIG,
                       "%s was written by a newer version of this program (state version %d, this "
                       "program knows %d): use that program",
                       path, (int)version, migrations[migrations_n - 1].version);
    for (size_t i = 0; i < migrations_n; i++)
        if (migrations[i].version > s->version && !migrate_one(s, &migrations[i], e))
            return false;
    return true;
}

/* SQLite would create the file with the umask's mode. */
static bool create_private(const char *path, struct err *e)
{
    if (strcmp(path, ":memory:") == 0)
        return true;
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return err_set(e, ERR_IO, "cannot open %s: %m", path);
    close(fd);
    return true;
}

bool state_open(const char *path, struct state **ret, struct err *e)
{
    pthread_mutexattr_t attr;

    if (!create_private(path, e))
        return false;
    struct state *s = mem_zero(sizeof(*s));
    pthread_mutexattr_init(&attr);
    pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(&s->lock, &attr);
    pthread_mutexattr_destroy(&attr);
    if (sqlite3_open_v2(path, &s->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL) !=
        SQLITE_OK) {
        db_fail(s, e, path);
        state_close(s);
        return false;
    }
    sqlite3_extended_result_codes(s->db, 1);
    sqlite3_busy_timeout(s->db, 5000);
    sqlite3_db_config(s->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(s->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    if (!run_script(s,
                    "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                    "PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON;"
                    /* A confined node has no place for files of its own choice: deciding many
                     * groups in one transaction failed for want of one. */
                    "PRAGMA temp_store = MEMORY;",
                    e) ||
        !migrate(s, path, e)) {
        err_wrap(e, "%s", path);
        state_close(s);
        return false;
    }
    *ret = s;
    return true;
}

void state_close(struct state *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->kept_n; i++)
        sqlite3_finalize(s->kept[i]);
    sqlite3_close(s->db);
    pthread_mutex_destroy(&s->lock);
    mem_free(s);
}

int state_version(const struct state *s)
{
    return s->version;
}

static sqlite3_stmt *statement_get(struct state *s, const char *sql, bool *kept)
{
    sqlite3_stmt *stmt = NULL;

    *kept = false;
    for (size_t i = 0; i < s->kept_n; i++) {
        if (!s->busy[i] && strcmp(sqlite3_sql(s->kept[i]), sql) == 0) {
            s->busy[i] = *kept = true;
            return s->kept[i];
        }
    }
    if (sqlite3_prepare_v3(s->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &stmt, NULL) != SQLITE_OK)
        return NULL;
    if (stmt && s->kept_n < STATE_STATEMENTS) {
        s->kept[s->kept_n] = stmt;
        s->busy[s->kept_n++] = *kept = true;
    }
    return stmt;
}

static void statement_put(struct state *s, sqlite3_stmt *stmt, bool kept)
{
    if (!kept) {
        sqlite3_finalize(stmt);
        return;
    }
    sqlite3_reset(stmt);
    sqlite3_clear_bindings(stmt);
    for (size_t i = 0; i < s->kept_n; i++)
        if (s->kept[i] == stmt)
            s->busy[i] = false;
}

static int bind_one(sqlite3_stmt *stmt, int at, const struct state_arg *a)
{
    switch (a->kind) {
    case STATE_INT:
        return sqlite3_bind_int64(stmt, at, a->i);
    case STATE_REAL:
        return sqlite3_bind_double(stmt, at, a->d);
    case STATE_TEXT:
        return sqlite3_bind_text(stmt, at, a->s.p ? (const char *)a->s.p : "", (int)a->s.n,
                                 SQLITE_TRANSIENT);
    case STATE_BLOB:
        return sqlite3_bind_blob(stmt, at, a->s.p ? (const void *)a->s.p : "", (int)a->s.n,
                                 SQLITE_TRANSIENT);
    case STATE_NULL:
    default:
        return sqlite3_bind_null(stmt, at);
    }
}

/* Lock held. */
static sqlite3_stmt *statement_bound(struct state *s, const char *sql, struct state_args args,
                                     bool *kept)
{
    sqlite3_stmt *stmt = statement_get(s, sql, kept);

    for (size_t i = 0; stmt && i < args.n; i++) {
        must(args.v[i].s.n < INT32_MAX);
        if (bind_one(stmt, (int)i + 1, &args.v[i]) != SQLITE_OK) {
            statement_put(s, stmt, *kept);
            return NULL;
        }
    }
    return stmt;
}

bool state_query(struct state *s, const char *sql, struct state_args args, struct state_rows **ret,
                 struct err *e)
{
    bool kept;

    *ret = NULL;
    pthread_mutex_lock(&s->lock);
    sqlite3_stmt *stmt = statement_bound(s, sql, args, &kept);
    if (!stmt) {
        db_fail(s, e, sql);
        pthread_mutex_unlock(&s->lock);
        return false;
    }
    struct state_rows *r = mem_zero(sizeof(*r));
    *r = (struct state_rows){s, stmt, SQLITE_ROW, kept};
    *ret = r;
    return true;
}

bool state_rows_next(struct state_rows *r)
{
    if (r->rc != SQLITE_ROW)
        return false;
    r->rc = sqlite3_step(r->stmt);
    return r->rc == SQLITE_ROW;
}

bool state_rows_end(struct state_rows *r, struct err *e)
{
    struct state *s = r->s;
    bool ok = r->rc == SQLITE_ROW || r->rc == SQLITE_DONE;

    if (!ok)
        db_fail(s, e, sqlite3_sql(r->stmt));
    statement_put(s, r->stmt, r->kept);
    mem_free(r);
    pthread_mutex_unlock(&s->lock);
    return ok;
}

void state_rows_endp(struct state_rows **r)
{
    struct err e;

    if (*r)
        state_rows_end(*r, &e);
}

int64_t state_col_int(struct state_rows *r, int col)
{
    return sqlite3_column_int64(r->stmt, col);
}

double state_col_real(struct state_rows *r, int col)
{
    return sqlite3_column_double(r->stmt, col);
}

struct span state_col_text(struct state_rows *r, int col)
{
    const unsigned char *p = sqlite3_column_text(r->stmt, col);

    return (struct span){p ? p : (const uint8_t *)"",
                         p ? (size_t)sqlite3_column_bytes(r->stmt, col) : 0};
}

struct span state_col_blob(struct state_rows *r, int col)
{
    const uint8_t *p = sqlite3_column_blob(r->stmt, col);

    return (struct span){p ? p : (const uint8_t *)"",
                         p ? (size_t)sqlite3_column_bytes(r->stmt, col) : 0};
}

bool state_col_null(struct state_rows *r, int col)
{
    return sqlite3_column_type(r->stmt, col) == SQLITE_NULL;
}

bool state_exec(struct state *s, const char *sql, struct state_args args, struct err *e)
{
    struct state_rows *r;

    if (!state_query(s, sql, args, &r, e))
        return false;
    while (state_rows_next(r))
        continue;
    return state_rows_end(r, e);
}

int64_t state_changes(struct state *s)
{
    return sqlite3_changes64(s->db);
}

int64_t state_last_id(struct state *s)
{
    return sqlite3_last_insert_rowid(s->db);
}

bool state_get_int(struct state *s, const char *sql, struct state_args args, int64_t *ret,
                   struct err *e)
{
    struct state_rows *r;

    if (!state_query(s, sql, args, &r, e))
        return false;
    if (state_rows_next(r))
        *ret = state_col_int(r, 0);
    return state_rows_end(r, e);
}

bool state_begin(struct state *s, struct err *e)
{
    pthread_mutex_lock(&s->lock);
    if (state_exec(s, "BEGIN IMMEDIATE", STATE_NONE, e))
        return true;
    pthread_mutex_unlock(&s->lock);
    return false;
}

bool state_commit(struct state *s, struct err *e)
{
    bool ok = state_exec(s, "COMMIT", STATE_NONE, e);

    if (!ok && !sqlite3_get_autocommit(s->db)) {
        struct err ignored;
        if (!state_exec(s, "ROLLBACK", STATE_NONE, &ignored))
            err_wrap(e, "and the rollback failed too");
    }
    pthread_mutex_unlock(&s->lock);
    return ok;
}

void state_rollback(struct state *s)
{
    struct err e;

    if (!sqlite3_get_autocommit(s->db) && !state_exec(s, "ROLLBACK", STATE_NONE, &e))
        must(sqlite3_get_autocommit(s->db));
    pthread_mutex_unlock(&s->lock);
}
