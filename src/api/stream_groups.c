/* SPDX-License-Identifier: Apache-2.0 */
/* Alerts of the live stream as groups. */
#include "api/stream_groups.h"

#include "api/api.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/jw.h"

enum { ARENA_BYTES = 64 << 20 };

/* Signature, addresses and time of an alert's line; false when one is missing. */
static bool read_alert(struct span line, struct span unit, struct group *g, struct span *time)
{
    struct json j;
    struct json_value v, inner;
    struct span src = SPAN(""), dest = SPAN("");
    uint64_t sid = 0;
    json_init(&j, line);
    if (json_next(&j, &v) != JSON_OBJECT)
        return false;
    while (json_next(&j, &v) > JSON_END) {
        if (json_key_is(&v, SPAN("src_ip")))
            src = v.raw;
        else if (json_key_is(&v, SPAN("dest_ip")))
            dest = v.raw;
        else if (json_key_is(&v, SPAN("timestamp")))
            *time = v.raw;
        if (!json_key_is(&v, SPAN("alert")) || v.type != JSON_OBJECT) {
            if (!json_skip(&j, &v))
                return false;
            continue;
        }
        while (json_next(&j, &inner) > JSON_END) {
            if (json_key_is(&inner, SPAN("signature_id")) && inner.type == JSON_INT)
                sid = (uint64_t)inner.i;
            if (!json_skip(&j, &inner))
                return false;
        }
    }
    return group_of(sid, src, dest, unit, g);
}

void fresh_add(struct fresh *f, const char *unit, struct span line)
{
    struct group g;
    struct span time = SPAN("");
    if (!read_alert(line, span_str(unit), &g, &time))
        return;
    size_t i = 0;
    while (i < f->n && (strcmp(f->group[i].id, g.id) != 0 || strcmp(f->group[i].unit, unit) != 0))
        i++;
    if (i == FRESH_MAX)
        return;
    struct fresh_group *to = &f->group[i];
    if (i == f->n) {
        f->n++;
        *to = (struct fresh_group){.sid = g.sid};
        span_copy(span_str(g.id), to->id, sizeof(to->id));
        span_copy(span_str(unit), to->unit, sizeof(to->unit));
    }
    span_copy(time, to->last, sizeof(to->last));
    to->alerts++;
}

void fresh_json(struct api *a, const struct fresh_group *g, struct buf *b)
{
    struct err e;
    struct state_rows *r;
    uint64_t last_ns;
    bool escalated = false;
    /* An archived group is new again: its alert came after the decision. */
    if (state_query(a->conf.state, "SELECT 1 FROM triage WHERE id = ?1 AND status = 'escalated'",
                    STATE_ARGS(state_str(g->id)), &r, &e)) {
        escalated = state_rows_next(r);
        if (!state_rows_end(r, &e))
            escalated = false;
    }
    jw_open(b, '{');
    jw_member_text(b, "id", g->id);
    jw_member_text(b, "status", escalated ? "escalated" : "new");
    jw_member_uint(b, "signature_id", g->sid);
    jw_member_uint(b, "new_alerts", g->alerts);
    if (clock_parse(span_str(g->last), &last_ns)) {
        jw_key(b, "last");
        time_json(b, last_ns);
    }
    jw_close(b, '}');
}

bool open_count(struct api *a, const struct person *who, uint64_t *ret)
{
    struct http_request rq = {.answer.body = buf_new(64 << 10)};
    struct range all = {.to_ns = clock_now_ns() + (uint64_t)86400 * NS_PER_S, .open = true};
    arena_init(&rq.arena, NULL, ARENA_BYTES);
    struct api_call c = {
        .api = a, .rq = &rq, .who = *who, .out = &rq.answer.body, .began_ns = clock_mono_ns()};
    bool ok = groups_count_open(&c, &all, ret);
    arena_free(&rq.arena);
    buf_free(&rq.answer.body);
    return ok;
}
