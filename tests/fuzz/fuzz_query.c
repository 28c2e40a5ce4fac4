/* SPDX-License-Identifier: Apache-2.0 */
/* The query language: up to the first NUL a query, behind it an event line to try it on. What is
 * parsed becomes SQL in which every value stays inside its quotes. */
#include "fuzz.h"

#include "api/match.h"
#include "api/query_sql.h"
#include "api/timespec.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/must.h"

/* Quotes and parentheses of the SQL balance, whatever the values held. */
static void balanced(struct span sql)
{
    int depth = 0;
    bool quoted = false;

    for (size_t i = 0; i < sql.n; i++) {
        uint8_t c = sql.p[i];
        if (quoted && c == '\\')
            i++;
        else if (c == '\'')
            quoted = !quoted;
        else if (!quoted && (c == '(' || c == ')'))
            depth += c == '(' ? 1 : -1;
        must(depth >= 0);
        must(quoted || (c != ';' && c != '#'));
    }
    must(!quoted && depth == 0);
}

int fuzz_one(const uint8_t *p, size_t n)
{
    const uint64_t now = 1700000000u * (uint64_t)NS_PER_S;
    struct span rest = span_of(p, n);
    struct span text = span_split(&rest, '\0');
    struct arena_pool pool;
    struct arena a;
    struct query *q;
    struct query_error error;
    struct match *m;
    uint64_t ns;

    arena_pool_init(&pool, 64 << 20);
    arena_init(&a, &pool, 16 << 20);
    if (query_parse(&a, text, now, &q, &error)) {
        struct buf sql = buf_new(4 << 20);
        query_sql(&sql, q);
        balanced(buf_span(&sql));
        (void)query_is_rollup(q);
        buf_free(&sql);
    } else {
        must(error.position <= text.n && error.text[0]);
    }
    arena_free(&a);
    arena_pool_free(&pool);
    if (match_compile(text, now, &m, &error)) {
        (void)match_line(m, rest);
        match_free(m);
    }
    (void)timespec_parse(text, now, &ns);
    return 0;
}
