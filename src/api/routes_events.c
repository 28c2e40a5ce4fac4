/* SPDX-License-Identifier: Apache-2.0 */
/* Searching events: the list, one event, the histogram, the most frequent values. */
#include "api/events.h"
#include "api/handlers.h"
#include "api/histogram.h"
#include "base/clock.h"
#include "base/jw.h"

enum { SQL_MAX = 256 << 10, BUCKETS = 120, BUCKETS_MAX = 2000, SERIES = 16, INTERVAL_DIGITS = 7 };

/* The store's time ends in 2299; identities (AN_EVENT in routes.c) end in 2112. */
static const int64_t TIME_MAX_US = (int64_t)1 << 52;

/* An event's identity as schema_id_text writes it, and no other way of writing it. */
static bool id_parse(struct span text, int64_t *us, uint64_t *stream, uint64_t *seq)
{
    char same[SCHEMA_ID_TEXT];
    if (!schema_id_parse(text, us, stream, seq) || *us < 0 || *us >= TIME_MAX_US)
        return false;
    schema_id_text(*us, *stream, *seq, same);
    return span_eq(text, span_str(same));
}

/* The page that is asked for. */
struct page {
    struct range range;
    const struct query *q;
    uint64_t limit;
    bool ascending;
    bool behind; /* of an event: a cursor was given */
    int64_t us;
    uint64_t stream, seq;
};

static bool read_cursor(struct api_call *c, struct page *p)
{
    const struct arg *cursor = call_arg(c, "cursor");
    p->behind = cursor->given;
    if (!cursor->given || id_parse(cursor->s, &p->us, &p->stream, &p->seq))
        return true;
    answer_error(c, 400, "bad_request", "take it from next_cursor", "the cursor is not one");
    return false;
}

static void page_where(struct buf *b, const struct page *p, const struct range *range)
{
    const char *dir = p->ascending ? "ASC" : "DESC", *op = p->ascending ? ">" : "<";
    ask_time_sql(b, "timestamp", range);
    buf_str(b, " AND ");
    query_sql(b, p->q);
    if (p->behind)
        buf_printf(b,
                   " AND timestamp %s= fromUnixTimestamp64Micro(%lld, 'UTC') AND (timestamp, "
                   "stream_id, stream_seq) %s (fromUnixTimestamp64Micro(%lld, 'UTC'), %llu, %llu)",
                   op, (long long)p->us, op, (long long)p->us, (unsigned long long)p->stream,
                   (unsigned long long)p->seq);
    buf_printf(b, " ORDER BY timestamp %s, stream_id %s, stream_seq %s", dir, dir, dir);
}

/* The part of the range, where the page begins, in which to look first: what is frequent is found
 * there, and the table is ordered by type before time. False: the range is too short for parts. */
static bool first_part(const struct page *p, const struct range *all, unsigned parts,
                       struct range *ret)
{
    uint64_t from = all->from_ns, to = all->to_ns;
    uint64_t at = p->behind ? (uint64_t)p->us * 1000 : 0;
    if (p->behind && p->ascending && at > from)
        from = at;
    if (p->behind && !p->ascending && at + 1000 < to)
        to = at + 1000;
    if (from >= to || (to - from) / parts < NS_PER_S)
        return false;
    *ret = (struct range){.from_ns = p->ascending ? from : to - (to - from) / parts,
                          .to_ns = p->ascending ? from + (to - from) / parts : to};
    return true;
}

/* Appends the page's events as a JSON array. */
static bool page_write(struct api_call *c, const struct page *p, struct event_list *ret)
{
    static const unsigned parts[] = {64, 8};
    struct range closed = p->range, part;
    struct buf where = buf_new(SQL_MAX);
    size_t before = c->out->n;
    bool ok = ask_close_range(c, &closed);
    *ret = (struct event_list){0};
    for (size_t i = 0; ok && !ret->more && i < LEN(parts); i++) {
        if (!first_part(p, &closed, parts[i], &part))
            continue;
        buf_clear(&where);
        c->out->n = before;
        page_where(&where, p, &part);
        ok = events_write(c, buf_cstr(&where), p->limit, ret);
    }
    if (ok && !ret->more) {
        buf_clear(&where);
        c->out->n = before;
        page_where(&where, p, &p->range);
        ok = events_write(c, buf_cstr(&where), p->limit, ret);
    }
    buf_free(&where);
    return ok;
}

void events_run(struct api_call *c)
{
    struct page p = {.limit = call_arg(c, "limit")->u,
                     .ascending = span_eq(call_arg(c, "order")->s, SPAN("asc"))};
    struct event_list list;
    struct query *q;
    if (!ask_range(c, &p.range) || !ask_query(c, "q", &q) || !read_cursor(c, &p))
        return;
    p.q = q;
    jw_open(c->out, '{');
    jw_key(c->out, "events");
    if (!page_write(c, &p, &list))
        return;
    jw_key(c->out, "next_cursor");
    if (list.more)
        jw_text(c->out, list.last);
    else
        jw_null(c->out);
    ask_took(c);
    jw_close(c->out, '}');
}

void event_run(struct api_call *c)
{
    int64_t us;
    uint64_t stream, seq;
    char where[300];
    if (!id_parse(call_path(c, "id"), &us, &stream, &seq)) {
        answer_error(c, 404, "not_found", "take it from _id", "there is no such event");
        return;
    }
    snprintf(where, sizeof(where),
             "timestamp = fromUnixTimestamp64Micro(%lld, 'UTC') AND stream_id = %llu AND "
             "stream_seq = %llu",
             (long long)us, (unsigned long long)stream, (unsigned long long)seq);
    size_t before = c->out->n;
    jw_open(c->out, '{');
    jw_key(c->out, "event");
    size_t list = c->out->n;
    if (!events_json(c, where, 1))
        return;
    if (c->out->n - list <= 2) {
        c->out->n = before;
        answer_error(c, 404, "not_found", "it may have been kept long enough and gone",
                     "there is no such event");
        return;
    }
    memmove(c->out->p + list, c->out->p + list + 1, c->out->n - list - 1); /* out of its list */
    c->out->n -= 2;
    jw_close(c->out, '}');
}

/* --- histogram --- */

uint64_t histogram_interval(const struct range *r, uint64_t want_s)
{
    static const uint64_t nice[] = {1,     2,     5,     10,    15,     30,    60,
                                    120,   300,   600,   900,   1800,   3600,  7200,
                                    10800, 21600, 43200, 86400, 172800, 604800};
    uint64_t span_s = (r->to_ns - r->from_ns) / NS_PER_S + 1;
    if (want_s && span_s / want_s <= BUCKETS_MAX)
        return want_s;
    for (size_t i = 0; i < LEN(nice); i++)
        if (span_s / nice[i] <= BUCKETS)
            return nice[i];
    return (span_s / BUCKETS / 604800 + 1) * 604800;
}

/* Rows (bucket, key, count) become series over all buckets; the keys live in the arena. */
struct series {
    struct span key;
    uint64_t *values;
};

static struct series *series_of(struct api_call *c, struct series *all, size_t *n, struct span key,
                                size_t buckets)
{
    for (size_t i = 0; i < *n; i++)
        if (span_eq(all[i].key, key))
            return &all[i];
    if (*n == SERIES)
        return &all[SERIES - 1];
    struct series *s = &all[(*n)++];
    s->key = arena_dup(&c->rq->arena, key);
    s->values = arena_zero(&c->rq->arena, buckets * sizeof(uint64_t));
    return s;
}

void histogram_json(struct api_call *c, const struct histogram *h)
{
    struct series all[SERIES];
    size_t n = 0;
    uint64_t total = 0;
    struct buf *b = c->out;
    struct rows rows = rows_of(h->rows);
    while (rows_next(&rows)) {
        uint64_t at = cell_u64(&rows.cell[0]);
        if (at < h->first || (at - h->first) / h->interval_s >= h->buckets)
            continue;
        struct series *s = series_of(c, all, &n, rows.cell[1].raw, h->buckets);
        if (!s->values)
            break;
        s->values[(at - h->first) / h->interval_s] += cell_u64(&rows.cell[2]);
        total += cell_u64(&rows.cell[2]);
    }
    jw_member_uint(b, "interval_s", h->interval_s);
    jw_key(b, "series");
    jw_open(b, '[');
    for (size_t i = 0; i < n; i++) {
        jw_open(b, '{');
        jw_member_span(b, "key", all[i].key);
        jw_key(b, "values");
        jw_open(b, '[');
        for (size_t k = 0; k < h->buckets && all[i].values; k++)
            jw_uint(b, all[i].values[k]);
        jw_close(b, ']');
        jw_close(b, '}');
    }
    jw_close(b, ']');
    jw_key(b, "times");
    jw_open(b, '[');
    for (size_t k = 0; k < h->buckets; k++)
        jw_uint(b, h->first + k * h->interval_s);
    jw_close(b, ']');
    if (h->total)
        jw_member_uint(b, "total", total);
}

void histogram_place(struct histogram *h, const struct range *r, uint64_t want_s)
{
    h->interval_s = histogram_interval(r, want_s);
    h->first = r->from_ns / NS_PER_S / h->interval_s * h->interval_s;
    uint64_t last = (r->to_ns - 1) / NS_PER_S / h->interval_s * h->interval_s;
    h->buckets = (size_t)((last - h->first) / h->interval_s + 1);
}

static const char *series_column(struct span by)
{
    if (span_eq(by, SPAN("event_type")))
        return "event_type";
    return span_eq(by, SPAN("severity")) ? "daizong_severity" : "'all'";
}

static void where_sql(struct buf *b, const char *time, const struct range *range,
                      const struct query *q)
{
    buf_str(b, " WHERE ");
    ask_time_sql(b, time, range);
    buf_str(b, " AND ");
    query_sql(b, q);
}

void histogram_either_sql(struct buf *b, const struct range *r, const struct ip *ip)
{
    static const char *const sides[] = {"src_ip", "dest_ip"};
    char text[IP_TEXT];
    ip_text(ip, text);
    for (size_t i = 0; i < LEN(sides); i++) {
        buf_printf(b, "%sSELECT timestamp_s, event_type, daizong_severity FROM events WHERE ",
                   i ? " UNION ALL " : "(");
        ask_time_sql(b, "timestamp", r);
        buf_printf(b, " AND %s = toIPv6('%s')", sides[i], text);
    }
    buf_str(b, " AND same_ip = 0)"); /* of the target's side: the source's has these already */
}

static bool is_either_address(const struct query *q)
{
    return q->kind == QUERY_FIELD && q->op == QUERY_EQ && q->targets == 2 &&
           q->target[0].field == F_src_ip && q->target[1].field == F_dest_ip;
}

/* The whole minutes of a range. */
static uint64_t minutes_from(const struct range *r)
{
    const uint64_t minute = 60 * (uint64_t)NS_PER_S;
    return (r->from_ns + minute - 1) / minute * minute;
}

static uint64_t minutes_to(const struct range *r)
{
    const uint64_t minute = 60 * (uint64_t)NS_PER_S;
    return r->to_ns / minute * minute;
}

/* Whole minutes from their roll-up, what is left of one at either end from the events. */
static void rollup_sql(struct buf *b, const struct range *r, const struct query *q)
{
    const struct range whole = {.from_ns = minutes_from(r), .to_ns = minutes_to(r)};
    const struct range edges[] = {{.from_ns = r->from_ns, .to_ns = whole.from_ns},
                                  {.from_ns = whole.to_ns, .to_ns = r->to_ns}};
    buf_str(b, "(SELECT minute AS timestamp_s, event_type, daizong_severity, events FROM "
               "events_minute");
    where_sql(b, "minute", &whole, q);
    for (size_t i = 0; i < LEN(edges); i++) {
        if (edges[i].from_ns >= edges[i].to_ns)
            continue;
        buf_str(b, " UNION ALL SELECT timestamp_s, event_type, daizong_severity, "
                   "toUInt64(1) FROM events");
        where_sql(b, "timestamp", &edges[i], q);
    }
    buf_byte(b, ')');
}

void histogram_run(struct api_call *c)
{
    struct range range;
    struct query *q;
    struct histogram h = {.total = true};
    uint64_t want_s = 0;
    struct span interval = call_arg(c, "interval")->s;
    if (!ask_range(c, &range) || !ask_query(c, "q", &q) || !ask_close_range(c, &range))
        return;
    if (!span_eq(interval, SPAN("auto")) &&
        (!span_u64(interval, &want_s) || interval.p[0] == '0' || interval.n > INTERVAL_DIGITS)) {
        answer_error(c, 422, "invalid", "write auto or a number from 1 to 9999999",
                     "interval: must be auto or seconds");
        return;
    }
    histogram_place(&h, &range, want_s);
    struct buf sql = buf_new(SQL_MAX), out = buf_new(64 << 20);
    bool rollup = query_is_rollup(q) && h.interval_s % 60 == 0, either = is_either_address(q);
    rollup = rollup && minutes_from(&range) < minutes_to(&range);
    buf_printf(&sql,
               "SELECT intDiv(toUnixTimestamp(timestamp_s), %llu) * %llu AS t, %s AS k, "
               "toUInt64(%s) AS n FROM %s",
               (unsigned long long)h.interval_s, (unsigned long long)h.interval_s,
               series_column(call_arg(c, "by")->s), rollup ? "sum(events)" : "count()",
               rollup || either ? "" : "events");
    if (rollup)
        rollup_sql(&sql, &range, q);
    else if (either)
        histogram_either_sql(&sql, &range, &q->low.cidr.ip);
    else
        where_sql(&sql, "timestamp", &range, q);
    buf_str(&sql, " GROUP BY t, k ORDER BY t");
    if (ask_store(c, buf_cstr(&sql), &out)) {
        h.rows = &out;
        jw_open(c->out, '{');
        jw_key(c->out, "from");
        time_json(c->out, range.from_ns);
        jw_key(c->out, "to");
        time_json(c->out, range.to_ns);
        histogram_json(c, &h);
        ask_took(c);
        jw_close(c->out, '}');
    }
    buf_free(&sql);
    buf_free(&out);
}

/* --- top values --- */

/* Is the value a text, whose empty one means that the event has none? */
static bool has_empty(const struct query_target *t)
{
    enum field_column kind = (enum field_column)field_table[t->field].column;
    return t->key.n > 0 || kind == COL_NONE || kind == COL_LC || kind == COL_STR ||
           kind == COL_STRS;
}

static bool top_sql(struct api_call *c, struct buf *sql, const struct query_target *t,
                    const struct query_target *sum, const char *where)
{
    struct buf value = buf_new(4096), number = buf_new(4096), text = buf_new(4096);
    bool array, ok = true;
    query_sql_value(&value, t, &array);
    if (sum->field == F_root) {
        buf_str(&number, "n");
    } else {
        buf_str(&number, "toUInt64(sum(");
        ok = query_sql_number(&number, sum);
        buf_str(&number, "))");
        if (!ok)
            answer_error(c, 422, "invalid", "see /api/v1/fields",
                         "sum: this field is not a number");
    }
    /* Grouped as it is stored; only what is shown becomes text. */
    query_sql_text(&text, t);
    buf_printf(
        sql,
        "SELECT %s, n, s, everything, kinds FROM (SELECT v, n, s, sum(n) OVER () AS everything, "
        "count() OVER () AS kinds FROM (SELECT %s%s%s AS v, count() AS n, %s AS s "
        "FROM events WHERE %s GROUP BY v%s) ORDER BY %s DESC, v LIMIT %llu)",
        buf_cstr(&text), array ? "arrayJoin(" : "", buf_cstr(&value), array ? ")" : "",
        buf_cstr(&number), where, has_empty(t) ? " HAVING v != ''" : "",
        sum->field != F_root ? "s" : "n", (unsigned long long)call_arg(c, "limit")->u);
    buf_free(&text);
    buf_free(&value);
    buf_free(&number);
    return ok;
}

/* A sum over a flow's both directions has no column of its own. */
static bool find_field(struct api_call *c, const char *argument, struct query_target *ret)
{
    const struct arg *a = call_arg(c, argument);
    *ret = (struct query_target){.field = F_root};
    if (!a->given || a->s.n == 0)
        return true;
    if (query_target_find(a->s, ret) && !(ret->key.n == 0 && field_table[ret->field].type == T_OBJ))
        return true;
    answer_error(c, 422, "invalid", "see /api/v1/fields", "%s: there is no field %.*s", argument,
                 (int)min_size(a->s.n, 60), a->s.p);
    return false;
}

void top_run(struct api_call *c)
{
    struct range range;
    struct query *q;
    struct query_target t, sum = {.field = F_root};
    bool sum_given = call_arg(c, "sum")->given;
    if (!ask_range(c, &range) || !ask_query(c, "q", &q) || !find_field(c, "field", &t) ||
        !find_field(c, "sum", &sum))
        return;
    struct buf sql = buf_new(SQL_MAX), where = buf_new(SQL_MAX), out = buf_new(64 << 20);
    ask_time_sql(&where, "timestamp", &range);
    buf_str(&where, " AND ");
    query_sql(&where, q);
    uint64_t everything = 0, kinds = 0, shown = 0;
    struct buf *b = c->out;
    bool ok = top_sql(c, &sql, &t, &sum, buf_cstr(&where)) && ask_store(c, buf_cstr(&sql), &out);
    struct rows rows = rows_of(&out);
    if (ok) {
        jw_open(b, '{');
        jw_member_span(b, "field", call_arg(c, "field")->s);
        jw_key(b, "values");
        jw_open(b, '[');
    }
    while (ok && rows_next(&rows)) {
        jw_open(b, '{');
        jw_key(b, "value");
        cell_json(b, &rows.cell[0]);
        jw_member_uint(b, "count", cell_u64(&rows.cell[1]));
        if (sum_given)
            jw_member_uint(b, "sum", cell_u64(&rows.cell[2]));
        jw_close(b, '}');
        shown += cell_u64(&rows.cell[1]);
        everything = cell_u64(&rows.cell[3]);
        kinds = cell_u64(&rows.cell[4]);
    }
    if (ok) {
        jw_close(b, ']');
        jw_member_uint(b, "other", everything - shown);
        jw_member_uint(b, "distinct", kinds);
        ask_took(c);
        jw_close(b, '}');
    }
    buf_free(&sql);
    buf_free(&where);
    buf_free(&out);
}
