/* SPDX-License-Identifier: Apache-2.0 */
/* The state file: created private, migrated, refused when newer; cursors, transactions, errors. */
#include "store/state.h"

#include "unit.h"

#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

static char path[64];

static void opens_and_migrates(void)
{
    struct state *s = NULL;
    struct err e = {0};
    struct stat st;

    CHECK(state_open(path, &s, &e));
    CHECK(stat(path, &st) == 0 && (st.st_mode & 0777) == 0600);
    CHECK(state_version(s) >= 1);
    int64_t n = -1;
    CHECK(state_get_int(s, "SELECT count(*) FROM units", STATE_NONE, &n, &e) && n == 1);
    CHECK(state_exec(s, "INSERT INTO settings (key, value, changed_ns) VALUES (?1, ?2, ?3)",
                     STATE_ARGS(state_str("retention_days"), state_str("180"), state_int(5)), &e));
    state_close(s);
    /* Again: nothing is migrated twice, what was written is there. */
    CHECK(state_open(path, &s, &e));
    n = 0;
    CHECK(state_get_int(s, "SELECT value FROM settings WHERE key = ?1",
                        STATE_ARGS(state_str("retention_days")), &n, &e) &&
          n == 180);
    state_close(s);
}

static void newer_is_refused(void)
{
    struct state *s = NULL;
    struct err e = {0};
    sqlite3 *db;

    CHECK(sqlite3_open(path, &db) == SQLITE_OK);
    CHECK(sqlite3_exec(db, "PRAGMA user_version = 9999", NULL, NULL, NULL) == SQLITE_OK);
    sqlite3_close(db);
    CHECK(!state_open(path, &s, &e) && e.kind == ERR_CONFIG && strstr(e.text, "newer version"));
    CHECK(!state_open("/nonexistent/dir/state.db", &s, &e) && e.kind == ERR_IO);
}

static void rows_and_transactions(void)
{
    static const char insert[] = "INSERT INTO units (id, name) VALUES (?1, ?2)";
    struct state *s = NULL;
    struct state_rows *r, *inner;
    struct err e = {0};
    int64_t n = 0;

    CHECK(state_open(":memory:", &s, &e));
    CHECK(state_begin(s, &e));
    CHECK(state_exec(s, insert, STATE_ARGS(state_str("a"), state_text(SPAN("A"))), &e));
    state_rollback(s);
    CHECK(state_begin(s, &e));
    CHECK(state_exec(s, insert, STATE_ARGS(state_str("b"), state_str("B")), &e));
    CHECK(state_changes(s) == 1 && state_last_id(s) > 0);
    CHECK(state_commit(s, &e));
    CHECK(!state_exec(s, insert, STATE_ARGS(state_str("b"), state_str("B")), &e));
    CHECK(e.kind == ERR_CONFLICT);
    CHECK(!state_exec(s, insert, STATE_ARGS(state_str("c"), state_null()), &e));
    CHECK(!state_exec(s, "INSERT INTO nowhere VALUES (1)", STATE_NONE, &e) &&
          e.kind == ERR_INTERNAL);
    CHECK(state_query(s, "SELECT id, name, parent FROM units ORDER BY id", STATE_NONE, &r, &e));
    while (state_rows_next(r)) {
        n++;
        CHECK(state_col_null(r, 2) && state_col_text(r, 2).n == 0 && state_col_int(r, 2) == 0);
        /* The same text inside itself gets a statement of its own. */
        CHECK(state_query(s, "SELECT id, name, parent FROM units ORDER BY id", STATE_NONE, &inner,
                          &e));
        CHECK(state_rows_next(inner) && span_eq(state_col_text(inner, 0), SPAN("b")));
        CHECK(state_rows_end(inner, &e));
    }
    CHECK(state_rows_end(r, &e) && n == 2);
    CHECK(!state_exec(s, "INSERT INTO sessions VALUES (?1, 'nobody', '', '', '', 0, 0, 0)",
                      STATE_ARGS(state_blob(SPAN("\x01\x02"))), &e) &&
          e.kind == ERR_CONFLICT);
    state_close(s);
}

int main(void)
{
    snprintf(path, sizeof(path), "/tmp/daizong-state-%d.db", (int)getpid());
    opens_and_migrates();
    newer_is_refused();
    rows_and_transactions();
    char extra[80];
    unlink(path);
    snprintf(extra, sizeof(extra), "%s-wal", path);
    unlink(extra);
    snprintf(extra, sizeof(extra), "%s-shm", path);
    unlink(extra);
    return unit_end();
}
