/* SPDX-License-Identifier: Apache-2.0 */
/* Queries of the store on behalf of a person. */
#include "api/ask.h"

#include "api/scope.h"
#include "api/timespec.h"
#include "base/clock.h"
#include "base/jw.h"
#include "base/must.h"

#include <math.h>

enum { ANSWER_BYTES = 128 << 20, TIME_MS = 15000 };

bool ask_range(struct api_call *c, struct range *ret)
{
    /* Ranges relative to now begin and end with whole seconds, which is cheaper to look for. */
    uint64_t now = clock_now_ns() / NS_PER_S * NS_PER_S, next = now + NS_PER_S;
    const struct arg *from = call_arg(c, "from");
    const struct arg *to = call_arg(c, "to");
    *ret = (struct range){.to_ns = now + (uint64_t)86400 * NS_PER_S, .open = !from->given};
    if (from->given)
        must(timespec_parse(from->s, now, &ret->from_ns));
    if (to->given)
        must(timespec_parse(to->s, next, &ret->to_ns));
    else if (from->given)
        ret->to_ns = next;
    if (ret->open && ret->to_ns < NS_PER_S) /* before 1970 there is nothing, which is no mistake */
        ret->to_ns = NS_PER_S;
    if (ret->from_ns < ret->to_ns)
        return true;
    if (!to->given) {
        ret->to_ns = ret->from_ns + NS_PER_S;
        return true;
    }
    answer_error(c, 422, "invalid", "exchange them, or leave one out", "from must be before to");
    return false;
}

bool ask_query_text(struct api_call *c, struct span text, struct query **ret)
{
    struct query_error error;
    if (query_parse(&c->rq->arena, text, clock_now_ns(), ret, &error))
        return true;
    answer_position(c, error.position, error.text);
    return false;
}

bool ask_query(struct api_call *c, const char *argument, struct query **ret)
{
    const struct arg *q = call_arg(c, argument);
    return ask_query_text(c, q->given ? q->s : SPAN(""), ret);
}

/* One end of a range of events' times. A whole second is asked of the column of seconds, and the
 * time itself only of the indexes. */
static void bound_sql(struct buf *b, const char *op, uint64_t ns)
{
    unsigned long long us = ns / 1000, s = ns / NS_PER_S;
    if (ns % NS_PER_S == 0 && s <= UINT32_MAX)
        buf_printf(b,
                   "indexHint(timestamp %s fromUnixTimestamp64Micro(%llu, 'UTC')) AND timestamp_s "
                   "%s toDateTime(%llu, 'UTC')",
                   op, us, op, s);
    else
        buf_printf(b, "timestamp %s fromUnixTimestamp64Micro(%llu, 'UTC')", op, us);
}

void ask_time_sql(struct buf *b, const char *column, const struct range *r)
{
    uint64_t step_s = strcmp(column, "hour") == 0 ? 3600 : 60;
    if (strcmp(column, "timestamp") == 0) {
        bound_sql(b, ">=", r->from_ns);
        buf_str(b, " AND ");
        bound_sql(b, "<", r->to_ns);
    } else { /* a roll-up's rows carry the beginning of their hour or minute */
        buf_printf(b, "%s >= toDateTime(%llu, 'UTC') AND %s < toDateTime(%llu, 'UTC')", column,
                   (unsigned long long)(r->from_ns / NS_PER_S / step_s * step_s), column,
                   (unsigned long long)((r->to_ns + NS_PER_S - 1) / NS_PER_S));
    }
}

bool ask_close_range(struct api_call *c, struct range *r)
{
    const uint64_t day = (uint64_t)86400 * NS_PER_S;
    struct buf out = buf_new(1 << 16);
    if (!r->open)
        return true;
    bool ok = ask_store(c,
                        "SELECT toUnixTimestamp(min(minute)), toUnixTimestamp(max(minute)), "
                        "count() FROM events_minute WHERE event_type != 'stats'",
                        &out);
    struct rows rows = rows_of(&out);
    if (ok && rows_next(&rows) && cell_u64(&rows.cell[2]) > 0) {
        uint64_t first = cell_u64(&rows.cell[0]) * NS_PER_S;
        uint64_t last = (cell_u64(&rows.cell[1]) + 60) * NS_PER_S;
        r->from_ns = first < r->to_ns ? first : r->to_ns - NS_PER_S;
        if (last < r->to_ns && last > r->from_ns)
            r->to_ns = last;
    } else if (ok) {
        r->from_ns = r->to_ns > day ? r->to_ns - day : 0;
    }
    r->open = false;
    buf_free(&out);
    return ok;
}

bool ask_store(struct api_call *c, const char *sql, struct buf *out)
{
    struct scope scope;
    struct err e;
    scope_of(&c->who, &scope);
    struct store_query q = {.sql = sql,
                            .format = "JSONCompactEachRow",
                            .limits = {.time_ms = TIME_MS,
                                       .memory_bytes = (uint64_t)1 << 30,
                                       .answer_bytes = ANSWER_BYTES},
                            .scope = scope.store};
    if (store_query(c->api->conf.store, &q, out, NULL, &e))
        return true;
    answer_err(c, &e);
    return false;
}

bool rows_next(struct rows *r)
{
    struct json j;
    struct json_value v;
    r->n = 0;
    if (r->rest.n == 0)
        return false;
    struct span line = span_split(&r->rest, '\n');
    json_init(&j, line);
    if (json_next(&j, &v) != JSON_ARRAY)
        return false;
    while (r->n < CELLS && json_next(&j, &v) > JSON_END) {
        struct cell *c = &r->cell[r->n++];
        bool container = v.type == JSON_ARRAY || v.type == JSON_OBJECT;
        if (container && !json_skip(&j, &v))
            return false;
        *c = (struct cell){.raw = v.raw,
                           .string = v.type == JSON_STRING,
                           .escaped = v.type == JSON_STRING && v.escaped,
                           .array = container};
    }
    return true;
}

uint64_t cell_u64(const struct cell *c)
{
    uint64_t u = 0;
    return span_u64(c->raw, &u) ? u : 0;
}

double cell_double(const struct cell *c)
{
    char text[64];
    span_copy(c->raw, text, sizeof(text));
    double d = strtod(text, NULL);
    return isfinite(d) ? d : 0;
}

void cell_json(struct buf *b, const struct cell *c)
{
    jw_comma(b);
    if (c->string)
        buf_byte(b, '"');
    buf_span_add(b, c->raw);
    if (c->string)
        buf_byte(b, '"');
}

struct span cell_text(struct api_call *c, const struct cell *cell)
{
    if (!cell->escaped)
        return cell->raw;
    struct buf b = buf_new(cell->raw.n + 1);
    json_unescape(&b, cell->raw);
    struct span s = arena_dup(&c->rq->arena, buf_span(&b));
    buf_free(&b);
    return s;
}

void time_json(struct buf *b, uint64_t ns)
{
    char text[CLOCK_TEXT];
    clock_rfc3339(ns, text);
    jw_text(b, text);
}

void cell_time(struct buf *b, const struct cell *c)
{
    time_json(b, cell_u64(c) * 1000);
}

void ask_took(struct api_call *c)
{
    jw_key(c->out, "took_ms");
    jw_double(c->out, (double)((clock_mono_ns() - c->began_ns) / 1000) / 1000);
}
