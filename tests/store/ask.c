/* SPDX-License-Identifier: Apache-2.0 */
/* The store client against a store that holds 4,000 events of sensor s1
 * (tests/store/test_client.py): parameters, scopes, limits, errors. usage: ask URL. Prints `ok …`
 * or `not ok …` lines. */
#include "store/schema.h"

#include <stdio.h>

static int bad;

static void check(bool ok, const char *what)
{
    bad += !ok;
    printf("%s %s\n", ok ? "ok" : "not ok", what);
}

static uint64_t number(struct store *s, const char *sql, const struct store_scope *scope)
{
    struct store_query q = {.sql = sql, .scope = *scope};
    struct err e;
    uint64_t n = 0;

    if (store_query_u64(s, &q, &n, &e))
        return n;
    printf("# %s\n", e.text);
    return UINT64_MAX;
}

static enum err_kind fails(struct store *s, const struct store_query *q)
{
    struct buf out CLEANUP(buf_free) = buf_new(1 << 20);
    struct err e = {.kind = ERR_NONE};

    return store_query(s, q, &out, NULL, &e) ? ERR_NONE : e.kind;
}

int main(int argc, char **argv)
{
    static const char *const mine[] = {"default", "it's"}, *const other[] = {"other"};
    const struct store_scope all = {.all = true}, none = {0}, own = {.units = mine, .units_n = 2},
                             else_ = {.units = other, .units_n = 1};
    struct store *s;
    struct store_stats st;
    struct err e;
    struct buf out = buf_new(1 << 20);

    if (argc < 2 || !store_open(&(struct store_conf){.url = argv[1]}, &s, &e))
        return 1;
    char version[32];
    check(store_wait(s, 5000, &e) && store_ping(s, version, sizeof(version), &e) &&
              version[0] == '2',
          "ping");
    check(number(s, "SELECT count() FROM events", &all) == 4000, "all units");
    check(number(s, "SELECT count() FROM events", &own) == 4000, "own unit");
    check(number(s, "SELECT count() FROM events", &else_) == 0, "another unit");
    check(number(s, "SELECT count() FROM events", &none) == 0, "no unit");
    check(number(s, "SELECT count() FROM events AS x JOIN (SELECT 1 AS a) AS y ON 1 = 1", &else_) ==
              0,
          "under another name");
    check(number(s, "SELECT sum(events) FROM (SELECT events FROM daizong.events_minute)", &else_) ==
              0,
          "roll-up in a subquery");
    check(number(s, "SELECT sum(events) FROM events_minute", &own) == 4000, "roll-up");
    static const char odd[] = "a'b\\c\td\n\r%&=?";
    struct store_param p = {"x", {(const uint8_t *)odd, sizeof(odd) - 1}};
    struct store_query q = {
        .sql = "SELECT length({x:String}), {x:String} = 'a\\'b\\\\c\\td\\n\\r%&=?'",
        .format = "TabSeparated",
        .params = &p,
        .params_n = 1,
        .scope = all};
    check(store_query(s, &q, &out, &st, &e) && span_eq(buf_span(&out), SPAN("13\t1\n")),
          "parameter");
    check(st.result_rows == 1, "stats");
    q = (struct store_query){.sql = "SELEC", .scope = all};
    check(fails(s, &q) == ERR_INVALID, "bad SQL");
    q.sql = "SELECT * FROM nope";
    check(fails(s, &q) == ERR_NOT_FOUND, "no such table");
    q.sql = "DROP TABLE events";
    check(fails(s, &q) == ERR_DENIED, "read-only");
    q.sql = "SELECT sleepEachRow(1) FROM numbers(3) SETTINGS max_block_size = 1";
    q.limits.time_ms = 1000;
    enum err_kind kind = fails(s, &q);
    check(kind == ERR_TIMEOUT || kind == ERR_DENIED, "time");
    q = (struct store_query){
        .sql = "SELECT number FROM numbers(1000)", .scope = all, .limits.result_rows = 10};
    check(fails(s, &q) == ERR_FULL, "rows");
    q.limits.cut = true;
    check(fails(s, &q) == ERR_NONE, "rows, cut");
    q = (struct store_query){
        .sql = "SELECT repeat('x', 100000)", .scope = all, .limits.answer_bytes = 1000};
    check(fails(s, &q) == ERR_FULL, "bytes");
    check(number(s, "SELECT 41 + 1", &all) == 42, "and goes on");
    store_close(s);
    buf_free(&out);
    return bad != 0;
}
