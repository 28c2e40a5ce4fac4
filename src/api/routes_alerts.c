/* SPDX-License-Identifier: Apache-2.0 */
/* The alert inbox: listing groups, looking at one, deciding one or many, taking it back. */
#include "api/events.h"
#include "api/groups.h"
#include "api/handlers.h"
#include "api/histogram.h"
#include "api/rule_text.h"
#include "api/scope.h"
#include "api/stream.h"
#include "api/timespec.h"
#include "base/clock.h"
#include "base/jw.h"
#include "base/must.h"

enum { SAMPLES = 20 };

static const char *const severities[] = {"critical", "high", "medium", "low", "info"};

static enum group_sort sort_of(struct span s)
{
    if (span_eq(s, SPAN("count")))
        return SORT_COUNT;
    return span_eq(s, SPAN("severity")) ? SORT_SEVERITY : SORT_LAST;
}

static void totals_json(struct buf *b, const struct group_list *list)
{
    uint64_t by[LEN(severities)] = {0};
    for (size_t i = 0; i < list->n; i++)
        for (size_t k = 0; k < LEN(severities); k++)
            by[k] += span_eq(list->group[i].severity, span_str(severities[k]));
    jw_key(b, "totals");
    jw_open(b, '{');
    jw_member_uint(b, "groups", list->n);
    jw_member_uint(b, "alerts", list->alerts);
    jw_member_bool(b, "more", list->cut); /* than were looked at: the figures are lower bounds */
    jw_key(b, "by_severity");
    jw_open(b, '{');
    for (size_t k = 0; k < LEN(severities); k++)
        jw_member_uint(b, severities[k], by[k]);
    jw_close(b, '}');
    jw_close(b, '}');
}

void alerts_run(struct api_call *c)
{
    struct group_filter f = {.severities = call_arg(c, "severity")->s,
                             .status = group_status_parse(call_arg(c, "status")->s),
                             .sort = sort_of(call_arg(c, "sort")->s)};
    struct group_list list;
    uint64_t from = 0, limit = call_arg(c, "limit")->u;
    const struct arg *cursor = call_arg(c, "cursor");
    if (!ask_range(c, &f.range) || !ask_query(c, "q", &f.q))
        return;
    if (cursor->given && (cursor->s.n > 7 || !span_u64(cursor->s, &from))) {
        answer_error(c, 400, "bad_request", "take it from next_cursor", "the cursor is not one");
        return;
    }
    if (!groups_find(c, &f, &list) || !ask_close_range(c, &f.range))
        return;
    size_t first = min_size((size_t)from, list.n);
    size_t last = min_size(first + (size_t)limit, list.n);
    struct buf *b = c->out;
    jw_open(b, '{');
    jw_key(b, "groups");
    jw_open(b, '[');
    if (!groups_json(c, &list, first, last, &f.range))
        return;
    jw_close(b, ']');
    jw_key(b, "next_cursor");
    if (last < list.n) {
        char text[24];
        snprintf(text, sizeof(text), "%zu", last);
        jw_text(b, text);
    } else {
        jw_null(b);
    }
    totals_json(b, &list);
    ask_took(c);
    jw_close(b, '}');
}

/* --- one group --- */

/* Whoever sees the group sees its history: its id names its unit. */
static bool history_json(struct api_call *c, const char *id)
{
    struct state_rows *r;
    struct err e;
    struct buf *b = c->out;
    if (!state_query(c->api->conf.state,
                     "SELECT at_ns, by, action, note FROM triage_history WHERE group_id = ?1 ORDER "
                     "BY at_ns DESC, id DESC LIMIT 100",
                     STATE_ARGS(state_str(id)), &r, &e)) {
        answer_err(c, &e);
        return false;
    }
    jw_key(b, "history");
    jw_open(b, '[');
    while (state_rows_next(r)) {
        jw_open(b, '{');
        jw_key(b, "at");
        time_json(b, (uint64_t)state_col_int(r, 0));
        jw_member_span(b, "by", state_col_text(r, 1));
        jw_member_span(b, "action", state_col_text(r, 2));
        jw_member_span(b, "note", state_col_text(r, 3));
        jw_close(b, '}');
    }
    jw_close(b, ']');
    if (state_rows_end(r, &e))
        return true;
    answer_err(c, &e);
    return false;
}

static bool around_json(struct api_call *c, const struct group *g)
{
    struct range range = {.from_ns = g->first_us * 1000, .to_ns = g->last_us * 1000 + NS_PER_S};
    struct histogram h = {0};
    struct buf sql = buf_new(8192), out = buf_new(16 << 20);
    uint64_t margin = (range.to_ns - range.from_ns) / 4 + (uint64_t)600 * NS_PER_S;
    range.from_ns = range.from_ns > margin ? range.from_ns - margin : 0;
    range.from_ns -= range.from_ns % NS_PER_S;
    range.to_ns = (range.to_ns + margin) / NS_PER_S * NS_PER_S;
    histogram_place(&h, &range, 0);
    buf_printf(&sql,
               "SELECT intDiv(toUnixTimestamp(timestamp_s), %llu) * %llu AS t, " TIMELINE_KEY
               ", count() FROM events WHERE ",
               (unsigned long long)h.interval_s, (unsigned long long)h.interval_s);
    ask_time_sql(&sql, "timestamp", &range);
    buf_printf(&sql,
               " AND src_ip IN (toIPv6('%s'), toIPv6('%s')) AND dest_ip IN (toIPv6('%s'), "
               "toIPv6('%s')) AND daizong_unit = '%s' GROUP BY t, k ORDER BY t",
               g->src_text, g->dest_text, g->src_text, g->dest_text, g->unit);
    bool ok = ask_store(c, buf_cstr(&sql), &out);
    if (ok) {
        h.rows = &out;
        jw_key(c->out, "around");
        jw_open(c->out, '{');
        histogram_json(c, &h);
        jw_close(c->out, '}');
    }
    buf_free(&sql);
    buf_free(&out);
    return ok;
}

void alert_run(struct api_call *c)
{
    struct group key;
    struct group_list list;
    char where[512];
    struct buf *b = c->out;
    if (!group_id_parse(call_path(c, "id"), &key)) {
        answer_error(c, 404, "not_found", "take it from /api/v1/alerts",
                     "there is no such alert group");
        return;
    }
    struct group_filter f = {
        .status = GROUP_ALL,
        .only = &key,
        .range = {.to_ns = clock_now_ns() + (uint64_t)86400 * NS_PER_S, .open = true}};
    if (!ask_query_text(c, SPAN(""), &f.q) || !groups_find(c, &f, &list))
        return;
    if (list.n == 0) {
        answer_error(c, 404, "not_found", "take it from /api/v1/alerts",
                     "there is no such alert group");
        return;
    }
    struct range range = {.from_ns = list.group[0].first_us * 1000,
                          .to_ns = list.group[0].last_us * 1000 + NS_PER_S};
    jw_open(b, '{');
    jw_key(b, "group");
    if (!groups_json(c, &list, 0, 1, &range))
        return;
    jw_key(b, "rule");
    rule_json(c->api->conf.rules, &list.group[0], b);
    jw_key(b, "samples");
    snprintf(
        where, sizeof(where),
        "event_type = 'alert' AND alert_signature_id = %u AND src_ip = toIPv6('%s') AND dest_ip "
        "= toIPv6('%s') AND daizong_unit = '%s'",
        key.sid, key.src_text, key.dest_text, key.unit);
    if (!events_json(c, where, SAMPLES) || !around_json(c, &list.group[0]) ||
        !history_json(c, key.id))
        return;
    ask_took(c);
    jw_close(b, '}');
}

/* --- deciding --- */

static enum group_status status_of_action(struct span action)
{
    if (span_eq(action, SPAN("archive")))
        return GROUP_ARCHIVED;
    return span_eq(action, SPAN("escalate")) ? GROUP_ESCALATED : GROUP_NEW;
}

struct decide {
    enum group_status status;
    struct span action, note;
    char undo[SECRET_TEXT];
    int64_t now;
};

static bool decide_one(struct api_call *c, const struct group *g, const struct decide *d,
                       struct err *e)
{
    struct state *s = c->api->conf.state;
    struct span id = span_str(g->id), by = span_str(c->who.name);
    /* What undo returns to, before it is overwritten. */
    return state_exec(
               s,
               "INSERT INTO triage_history (group_id, at_ns, by, action, note, old_status, "
               "old_note, old_by, old_ns, new_status, undo, unit) SELECT ?1, ?2, ?3, ?4, ?5, "
               "coalesce(t.status, 'new'), coalesce(t.note, ''), coalesce(t.decided_by, ''), "
               "coalesce(t.decided_ns, 0), ?6, ?7, ?8 FROM (SELECT 1) LEFT JOIN triage t ON t.id "
               "= ?1",
               STATE_ARGS(state_text(id), state_int(d->now), state_text(by), state_text(d->action),
                          state_text(d->note), state_str(group_status_name(d->status)),
                          state_str(d->undo), state_str(g->unit)),
               e) &&
           state_exec(s,
                      "INSERT INTO triage (id, unit, signature_id, src_ip, dest_ip, status, note, "
                      "decided_by, decided_ns, until_ns) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, "
                      "?9, ?10) ON CONFLICT (id) DO UPDATE SET status = excluded.status, note = "
                      "excluded.note, decided_by = excluded.decided_by, decided_ns = "
                      "excluded.decided_ns, until_ns = excluded.until_ns",
                      STATE_ARGS(state_text(id), state_str(g->unit), state_int(g->sid),
                                 state_str(g->src_text), state_str(g->dest_text),
                                 state_str(group_status_name(d->status)), state_text(d->note),
                                 state_text(by), state_int(d->now),
                                 d->status == GROUP_ARCHIVED ? state_int(d->now) : state_null()),
                      e);
}

static void tell_group(struct api_call *c, const struct group *g, enum group_status status)
{
    struct buf b = buf_new(1024);
    jw_open(&b, '{');
    jw_member_text(&b, "id", g->id);
    jw_member_text(&b, "status", group_status_name(status));
    jw_member_text(&b, "decided_by", c->who.name);
    jw_close(&b, '}');
    stream_publish(c->api->hub, "alert_group", g->unit, buf_span(&b));
    buf_free(&b);
}

static bool groups_by_id(struct api_call *c, const struct arg *ids, struct group_list *list)
{
    list->group = arena_get(&c->rq->arena, (ids->n + 1) * sizeof(struct group));
    must(list->group != NULL);
    for (size_t i = 0; i < ids->n; i++) {
        struct group *g = &list->group[list->n++];
        bool parsed = group_id_parse(ids->list[i], g);
        if (parsed && scope_sees(&c->who, g->unit))
            continue;
        /* Of another unit: no different from one that is not there. */
        answer_error(c, parsed ? 404 : 422, parsed ? "not_found" : "invalid",
                     "take it from /api/v1/alerts", "ids: %.*s is not a group",
                     (int)min_size(ids->list[i].n, 60), ids->list[i].p);
        return false;
    }
    return true;
}

static bool groups_by_query(struct api_call *c, const struct arg *query, struct group_list *list)
{
    uint64_t now = clock_now_ns();
    const struct arg *from = arg_inner(query, "from"), *to = arg_inner(query, "to");
    struct group_filter f = {
        .severities = arg_inner(query, "severity")->s,
        .status = group_status_parse(arg_inner(query, "status")->s),
        .range = {.to_ns = now + (uint64_t)86400 * NS_PER_S, .open = !from->given}};
    if (from->given)
        must(timespec_parse(from->s, now, &f.range.from_ns));
    if (to->given)
        must(timespec_parse(to->s, now, &f.range.to_ns));
    if (f.range.from_ns >= f.range.to_ns) {
        answer_error(c, 422, "invalid", "exchange them, or leave one out",
                     "query: from must be before to");
        return false;
    }
    return ask_query_text(c, arg_inner(query, "q")->s, &f.q) && groups_find(c, &f, list);
}

void decide_run(struct api_call *c)
{
    const struct arg *ids = call_body(c, "ids"), *query = call_body(c, "query");
    struct group_list list = {0};
    struct err e;
    struct decide d = {.action = call_body(c, "action")->s,
                       .note = call_body(c, "note")->s,
                       .now = (int64_t)clock_now_ns()};
    if (!(ids->given ? groups_by_id(c, ids, &list) : groups_by_query(c, query, &list)))
        return;
    d.status = status_of_action(d.action);
    secret_random(16, d.undo);
    bool ok = state_begin(c->api->conf.state, &e);
    for (size_t i = 0; ok && i < list.n; i++)
        if (!decide_one(c, &list.group[i], &d, &e)) {
            state_rollback(c->api->conf.state);
            ok = false;
        }
    if (!ok || !state_commit(c->api->conf.state, &e)) {
        answer_err(c, &e);
        return;
    }
    for (size_t i = 0; i < list.n && i < 200; i++)
        tell_group(c, &list.group[i], d.status);
    jw_open(c->out, '{');
    jw_member_uint(c->out, "changed", list.n);
    jw_member_bool(c->out, "more", list.cut); /* groups that the query finds too: ask again */
    jw_member_text(c->out, "undo", d.undo);
    jw_close(c->out, '}');
}

static bool undo_locked(struct api_call *c, struct span undo, int64_t *changed, struct err *e)
{
    struct state *s = c->api->conf.state;
    const char *unit = scope_unit(&c->who);
    struct state_args token = STATE_ARGS(state_text(undo), state_str(unit));
    if (!state_exec(s,
                    "UPDATE triage SET (status, note, decided_by, decided_ns, until_ns) = (SELECT "
                    "h.old_status, h.old_note, h.old_by, h.old_ns, CASE h.old_status WHEN "
                    "'archived' THEN h.old_ns END FROM triage_history h WHERE h.undo = ?1 AND "
                    "h.group_id = triage.id AND h.undone = 0) WHERE id IN (SELECT group_id FROM "
                    "triage_history WHERE undo = ?1 AND undone = 0 AND ?2 IN ('', unit))",
                    token, e))
        return false;
    *changed = state_changes(s);
    return state_exec(s,
                      "UPDATE triage_history SET undone = 1 WHERE undo = ?1 AND ?2 IN ('', unit)",
                      token, e) &&
           state_exec(s,
                      "INSERT INTO triage_history (group_id, at_ns, by, action, old_status, "
                      "new_status, unit) SELECT group_id, ?3, ?4, 'undo', new_status, old_status, "
                      "unit FROM triage_history WHERE undo = ?1 AND ?2 IN ('', unit)",
                      STATE_ARGS(state_text(undo), state_str(unit),
                                 state_int((int64_t)clock_now_ns()), state_str(c->who.name)),
                      e);
}

void undo_run(struct api_call *c)
{
    struct err e;
    int64_t changed = 0;
    struct state *s = c->api->conf.state;
    bool ok = state_begin(s, &e);
    if (ok && !undo_locked(c, call_body(c, "undo")->s, &changed, &e)) {
        state_rollback(s);
        ok = false;
    }
    if (!ok || !state_commit(s, &e)) {
        answer_err(c, &e);
        return;
    }
    if (!changed) {
        answer_error(c, 404, "not_found", "take undo from the answer to a decision",
                     "there is no such decision, or it is undone already");
        return;
    }
    jw_open(c->out, '{');
    jw_member_uint(c->out, "changed", (uint64_t)changed);
    jw_close(c->out, '}');
}
