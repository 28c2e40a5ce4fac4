/* SPDX-License-Identifier: Apache-2.0 */
/* Finding and writing alert groups. */
#include "api/groups.h"

#include "api/scope.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/htab.h"
#include "base/jw.h"
#include "base/must.h"
#include "event/link.h"
#include "store/schema.h"

enum { SQL_MAX = 1 << 20, SPARK = 24, ROLLUP_LEAST_S = 86400, KEYS_BYTES = 128 << 10 };

static const char *const status_names[] = {"new", "archived", "escalated", "all"};

const char *group_status_name(enum group_status s)
{
    return status_names[s];
}

enum group_status group_status_parse(struct span s)
{
    for (unsigned i = 0; i < LEN(status_names); i++)
        if (span_eq(s, span_str(status_names[i])))
            return (enum group_status)i;
    return GROUP_NEW;
}

static void make_id(struct group *g)
{
    ip_text(&g->src, g->src_text);
    ip_text(&g->dest, g->dest_text);
    bool usual = strcmp(g->unit, LINK_DEFAULT_UNIT) == 0;
    snprintf(g->id, sizeof(g->id), "%u-%s-%s%s%s", g->sid, g->src_text, g->dest_text,
             usual ? "" : "-", usual ? "" : g->unit);
}

bool group_of(uint64_t sid, struct span src, struct span dest, struct span unit, struct group *ret)
{
    *ret = (struct group){.sid = (uint32_t)sid};
    if (unit.n && !link_name_valid(unit))
        return false;
    span_copy(unit.n ? unit : SPAN(LINK_DEFAULT_UNIT), ret->unit, sizeof(ret->unit));
    if (sid > UINT32_MAX || !ip_parse(src, &ret->src) || !ip_parse(dest, &ret->dest))
        return false;
    make_id(ret);
    return true;
}

bool group_id_parse(struct span id, struct group *ret)
{
    uint64_t sid;
    *ret = (struct group){0};
    if (!span_u64(span_split(&id, '-'), &sid))
        return false;
    struct span src = span_split(&id, '-'), dest = span_split(&id, '-');
    return group_of(sid, src, dest, id, ret);
}

/* --- decisions --- */

struct decision {
    struct hnode node;
    struct span id, note, by;
    enum group_status status;
    int64_t decided_ns, until_ns; /* until 0: for ever */
};

static bool same_id(const struct hnode *node, const void *key)
{
    const struct decision *d = (const void *)node; /* its first member */
    const struct span *id = key;
    return span_eq(d->id, *id);
}

/* "(7, toIPv6('10.0.0.1'), toIPv6('10.0.0.2'), 'default')", to be looked for in GROUP_KEY. */
#define GROUP_KEY "(alert_signature_id, src_ip, dest_ip, daizong_unit)"

static void key_sql(struct buf *b, const struct group *g)
{
    buf_printf(b, "(%u, toIPv6('%s'), toIPv6('%s'), ", g->sid, g->src_text, g->dest_text);
    schema_quote(b, span_str(g->unit));
    buf_byte(b, ')');
}

static bool load_decisions(struct api_call *c, struct htab *h)
{
    struct state_rows *r;
    struct err e;
    struct arena *a = &c->rq->arena;
    htab_init(h, 1024);
    if (!state_query(c->api->conf.state,
                     "SELECT id, status, note, decided_by, decided_ns, until_ns FROM triage WHERE "
                     "status != 'new' AND ?1 IN ('', unit)",
                     STATE_ARGS(state_str(scope_unit(&c->who))), &r, &e)) {
        answer_err(c, &e);
        return false;
    }
    while (state_rows_next(r)) {
        struct decision *d = arena_zero(a, sizeof(*d));
        if (!d)
            break;
        d->id = arena_dup(a, state_col_text(r, 0));
        d->status = group_status_parse(state_col_text(r, 1));
        d->note = arena_dup(a, state_col_text(r, 2));
        d->by = arena_dup(a, state_col_text(r, 3));
        d->decided_ns = state_col_int(r, 4);
        d->until_ns = state_col_int(r, 5);
        htab_add(h, hash_span(d->id), &d->node);
    }
    if (state_rows_end(r, &e))
        return true;
    answer_err(c, &e);
    return false;
}

static void apply_decision(const struct htab *h, struct group *g)
{
    struct span id = span_str(g->id);
    struct hnode *node = htab_find(h, hash_span(id), same_id, &id);
    if (!node)
        return;
    const struct decision *d = CONTAINER_OF(node, const struct decision, node);
    uint64_t arrived_s = g->arrived_s ? g->arrived_s : g->last_us / 1000000;
    if (d->until_ns && arrived_s > (uint64_t)d->until_ns / NS_PER_S)
        return;
    g->status = d->status;
    g->note = d->note;
    g->by = d->by;
    g->decided_ns = d->decided_ns;
}

/* --- finding --- */

static void severity_sql(struct buf *b, struct span list)
{
    bool first = true;
    if (list.n == 0)
        return;
    buf_str(b, " AND daizong_severity IN (");
    while (list.n > 0) {
        buf_str(b, first ? "" : ", ");
        schema_quote(b, span_split(&list, ','));
        first = false;
    }
    buf_str(b, ")");
}

static void only_sql(struct buf *b, const struct group *g)
{
    buf_printf(b,
               " AND alert_signature_id = %u AND src_ip = toIPv6('%s') AND dest_ip = toIPv6('%s') "
               "AND daizong_unit = ",
               g->sid, g->src_text, g->dest_text);
    schema_quote(b, span_str(g->unit));
}

/* Long enough that whole hours of a roll-up stand for it. */
static bool is_wide(const struct range *r)
{
    return r->open || r->to_ns - r->from_ns >= (uint64_t)ROLLUP_LEAST_S * NS_PER_S;
}

static void find_sql(struct buf *b, const struct group_filter *f)
{
    static const char *const orders[] = {
        [SORT_LAST] = "l DESC, n DESC",
        [SORT_COUNT] = "n DESC, l DESC",
        [SORT_SEVERITY] = "indexOf(['critical','high','medium','low','info'], sev), l DESC"};
    bool plain = f->q->kind == QUERY_ALL;
    bool rollup = plain && is_wide(&f->range);
    buf_printf(b,
               "SELECT alert_signature_id AS sid, IPv6NumToString(src_ip) AS s, "
               "IPv6NumToString(dest_ip) AS d, toUInt64(%s) AS n, toUnixTimestamp64Micro(%s) AS f, "
               "toUnixTimestamp64Micro(%s) AS l, any(alert_signature), any(alert_category), "
               "any(daizong_severity) AS sev, any(app_proto), any(daizong_sensor), "
               "toUnixTimestamp(%s), daizong_unit FROM "
               "%s WHERE ",
               rollup ? "sum(events)" : "count()", rollup ? "min(first)" : "min(timestamp)",
               rollup ? "max(last)" : "max(timestamp)", rollup ? "max(arrived)" : "max(ingest_ts)",
               rollup ? "alerts_hour" : "events");
    if (!rollup)
        buf_str(b, "event_type = 'alert' AND ");
    ask_time_sql(b, rollup ? "hour" : "timestamp", &f->range);
    if (!plain) {
        buf_str(b, " AND ");
        query_sql(b, f->q);
    }
    severity_sql(b, f->severities);
    if (f->only)
        only_sql(b, f->only);
    buf_printf(b, " GROUP BY sid, src_ip, dest_ip, daizong_unit ORDER BY %s LIMIT %d",
               orders[f->sort], GROUPS_MAX + 1);
}

static struct ip address(struct span text)
{
    struct ip ip = {0};
    if (span_starts(text, SPAN("::ffff:")))
        text = span_from(text, 7);
    if (!ip_parse(text, &ip))
        ip = (struct ip){.family = 6};
    return ip;
}

static struct span keep(struct api_call *c, const struct cell *cell)
{
    return arena_dup(&c->rq->arena, cell->raw);
}

static void read_group(struct api_call *c, const struct rows *r, struct group *g)
{
    *g = (struct group){.sid = (uint32_t)cell_u64(&r->cell[0]),
                        .src = address(r->cell[1].raw),
                        .dest = address(r->cell[2].raw),
                        .count = cell_u64(&r->cell[3]),
                        .first_us = cell_u64(&r->cell[4]),
                        .last_us = cell_u64(&r->cell[5])};
    span_copy(r->cell[12].raw, g->unit, sizeof(g->unit));
    make_id(g);
    g->signature = keep(c, &r->cell[6]);
    g->category = keep(c, &r->cell[7]);
    g->severity = keep(c, &r->cell[8]);
    g->app_proto = keep(c, &r->cell[9]);
    g->sensor = keep(c, &r->cell[10]);
    g->arrived_s = cell_u64(&r->cell[11]);
}

bool groups_find(struct api_call *c, const struct group_filter *f, struct group_list *ret)
{
    struct buf sql = buf_new(SQL_MAX), out = buf_new(64 << 20);
    struct htab decisions = {0};
    *ret = (struct group_list){0};
    find_sql(&sql, f);
    bool ok = ask_store(c, buf_cstr(&sql), &out) && load_decisions(c, &decisions);
    struct rows rows = rows_of(&out);
    size_t lines = 0;
    for (size_t i = 0; i < out.n; i++)
        lines += out.p[i] == '\n';
    if (ok) {
        ret->group = arena_get(&c->rq->arena, (lines + 1) * sizeof(struct group));
        ok = ret->group != NULL;
        if (!ok)
            answer_error(c, 507, "full", "narrow the time range", "too many groups");
    }
    ret->cut = lines > GROUPS_MAX; /* also when most of those looked at have another status */
    while (ok && ret->n < lines && rows_next(&rows)) {
        struct group *g = &ret->group[ret->n];
        if (ret->n == GROUPS_MAX)
            break;
        read_group(c, &rows, g);
        apply_decision(&decisions, g);
        if (f->status != GROUP_ALL && g->status != f->status)
            continue;
        ret->alerts += g->count;
        ret->n++;
    }
    htab_free(&decisions);
    buf_free(&sql);
    buf_free(&out);
    return ok;
}

/* --- counting --- */

/* The table to count in and its time: a short range has no use for whole hours. */
static void counted_sql(struct buf *b, const char *rollup, const char *rows,
                        const struct range *range)
{
    bool wide = is_wide(range);
    buf_printf(b, "%s%s WHERE ", wide ? rollup : rows, wide ? "alerts_hour" : "events");
    ask_time_sql(b, wide ? "hour" : "timestamp", range);
    buf_str(b, wide ? "" : " AND event_type = 'alert'");
}

/* Of these decided groups, how many are in the range and still as they were decided? */
static bool count_decided(struct api_call *c, const struct range *range, const struct htab *h,
                          const struct buf *keys, uint64_t *n)
{
    struct buf sql = buf_new(SQL_MAX), out = buf_new(64 << 20);
    buf_str(&sql, "SELECT alert_signature_id, IPv6NumToString(src_ip), IPv6NumToString(dest_ip), "
                  "daizong_unit, toUnixTimestamp64Micro(max(");
    counted_sql(&sql, "last)) FROM ", "timestamp)) FROM ", range);
    buf_printf(&sql,
               " AND " GROUP_KEY " IN (%.*s) GROUP BY alert_signature_id, src_ip, dest_ip, "
               "daizong_unit",
               (int)keys->n, (const char *)keys->p);
    bool ok = ask_store(c, buf_cstr(&sql), &out);
    struct rows rows = rows_of(&out);
    while (ok && rows_next(&rows)) {
        struct group g = {.sid = (uint32_t)cell_u64(&rows.cell[0]),
                          .src = address(rows.cell[1].raw),
                          .dest = address(rows.cell[2].raw),
                          .last_us = cell_u64(&rows.cell[4])};
        span_copy(rows.cell[3].raw, g.unit, sizeof(g.unit));
        make_id(&g);
        apply_decision(h, &g);
        *n += g.status != GROUP_NEW;
    }
    buf_free(&sql);
    buf_free(&out);
    return ok;
}

static bool count_all_decided(struct api_call *c, const struct range *range, uint64_t *n)
{
    struct htab decisions = {0};
    struct buf keys = buf_new(SQL_MAX);
    struct group key;
    size_t at = 0;
    bool ok = load_decisions(c, &decisions);
    struct hnode *node = ok ? htab_next(&decisions, &at, NULL) : NULL;
    while (ok && node) {
        const struct decision *d = CONTAINER_OF(node, const struct decision, node);
        if (group_id_parse(d->id, &key)) {
            buf_str(&keys, keys.n ? ", " : "");
            key_sql(&keys, &key);
        }
        node = htab_next(&decisions, &at, node);
        if (keys.n > 0 && (!node || keys.n > KEYS_BYTES)) {
            ok = count_decided(c, range, &decisions, &keys, n);
            buf_clear(&keys);
        }
    }
    htab_free(&decisions);
    buf_free(&keys);
    return ok;
}

bool groups_count_open(struct api_call *c, const struct range *range, uint64_t *ret)
{
    struct buf sql = buf_new(SQL_MAX), out = buf_new(1 << 16);
    uint64_t decided = 0;
    buf_str(&sql,
            "SELECT uniqExact(cityHash64(alert_signature_id, src_ip, dest_ip, daizong_unit))");
    counted_sql(&sql, " FROM ", " FROM ", range);
    bool ok = ask_store(c, buf_cstr(&sql), &out) && count_all_decided(c, range, &decided);
    struct rows rows = rows_of(&out);
    uint64_t all = ok && rows_next(&rows) ? cell_u64(&rows.cell[0]) : 0;
    *ret = all > decided ? all - decided : 0;
    buf_free(&sql);
    buf_free(&out);
    return ok;
}

/* --- writing --- */

struct extra {
    uint64_t spark[SPARK];
};

static void extras_sql(struct buf *b, const struct group_list *list, size_t from, size_t to,
                       const struct range *range)
{
    uint64_t step_s = (range->to_ns - range->from_ns) / NS_PER_S / SPARK + 1;
    buf_printf(b,
               "SELECT alert_signature_id, IPv6NumToString(src_ip), IPv6NumToString(dest_ip), "
               "intDiv(toUnixTimestamp(timestamp) - %llu, %llu) AS at, count(), "
               "any(daizong_techniques), daizong_unit FROM events WHERE event_type = 'alert' AND ",
               (unsigned long long)(range->from_ns / NS_PER_S), (unsigned long long)step_s);
    ask_time_sql(b, "timestamp", range);
    buf_str(b, " AND " GROUP_KEY " IN (");
    for (size_t i = from; i < to; i++) {
        buf_str(b, i > from ? ", " : "");
        key_sql(b, &list->group[i]);
    }
    buf_str(b, ") GROUP BY alert_signature_id, src_ip, dest_ip, daizong_unit, at");
}

static bool load_extras(struct api_call *c, struct group_list *list, size_t from, size_t to,
                        const struct range *range, struct extra *extra)
{
    struct buf sql = buf_new(SQL_MAX), out = buf_new(64 << 20);
    extras_sql(&sql, list, from, to, range);
    bool ok = ask_store(c, buf_cstr(&sql), &out);
    struct rows rows = rows_of(&out);
    while (ok && rows_next(&rows)) {
        struct group key = {.sid = (uint32_t)cell_u64(&rows.cell[0]),
                            .src = address(rows.cell[1].raw),
                            .dest = address(rows.cell[2].raw)};
        uint64_t at = cell_u64(&rows.cell[3]);
        for (size_t i = from; i < to; i++) {
            struct group *g = &list->group[i];
            if (g->sid != key.sid || !ip_eq(&g->src, &key.src) || !ip_eq(&g->dest, &key.dest) ||
                !span_eq(rows.cell[6].raw, span_str(g->unit)))
                continue;
            extra[i - from].spark[at < SPARK ? at : SPARK - 1] += cell_u64(&rows.cell[4]);
            if (rows.cell[5].raw.n > 2)
                g->techniques = keep(c, &rows.cell[5]);
        }
    }
    buf_free(&sql);
    buf_free(&out);
    return ok;
}

/* A string whose JSON text is there already. */
static void raw_member(struct buf *b, const char *key, struct span text)
{
    jw_key(b, key);
    buf_byte(b, '"');
    buf_span_add(b, text);
    buf_byte(b, '"');
}

static void group_object(struct buf *b, const struct group *g, const struct extra *x)
{
    jw_open(b, '{');
    jw_member_text(b, "id", g->id);
    jw_member_text(b, "unit", g->unit);
    jw_member_text(b, "status", group_status_name(g->status));
    raw_member(b, "severity", g->severity.n ? g->severity : SPAN("info"));
    raw_member(b, "signature", g->signature);
    jw_member_uint(b, "signature_id", g->sid);
    raw_member(b, "category", g->category);
    jw_member_text(b, "src_ip", g->src_text);
    jw_member_text(b, "dest_ip", g->dest_text);
    jw_member_uint(b, "count", g->count);
    jw_key(b, "first");
    time_json(b, g->first_us * 1000);
    jw_key(b, "last");
    time_json(b, g->last_us * 1000);
    jw_key(b, "spark");
    jw_open(b, '[');
    for (size_t i = 0; i < SPARK; i++)
        jw_uint(b, x->spark[i]);
    jw_close(b, ']');
    jw_key(b, "techniques");
    jw_raw(b, g->techniques.n ? g->techniques : SPAN("[]"));
    raw_member(b, "app_proto", g->app_proto);
    raw_member(b, "sensor", g->sensor);
    jw_member_span(b, "note", g->note);
    jw_member_span(b, "decided_by", g->by);
    jw_key(b, "decided_at");
    if (g->decided_ns)
        time_json(b, (uint64_t)g->decided_ns);
    else
        jw_null(b);
    jw_close(b, '}');
}

bool groups_json(struct api_call *c, struct group_list *list, size_t from, size_t to,
                 const struct range *range)
{
    if (from >= to)
        return true;
    struct extra *extra = arena_zero(&c->rq->arena, (to - from) * sizeof(*extra));
    must(extra != NULL);
    if (!load_extras(c, list, from, to, range, extra))
        return false;
    for (size_t i = from; i < to; i++)
        group_object(c->out, &list->group[i], &extra[i - from]);
    return true;
}
