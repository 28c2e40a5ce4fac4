/* SPDX-License-Identifier: Apache-2.0 */
/* Sensors with their rates and the loss ledger: what was seen, what was carried on, what was lost
 * where and why, and whether the sums agree. */
#include "api/api.h"
#include "api/handlers.h"
#include "base/clock.h"
#include "base/jw.h"

static const struct {
    const char *stage, *reason, *en, *zh;
} loss_help[] = {
#define LOSS(counter, stage, reason, unit, en, zh) {stage, reason, en, zh},
#include "api/loss.def"
#undef LOSS
};

static void loss_row(struct buf *b, struct state_rows *r)
{
    struct span stage = state_col_text(r, 0);
    struct span reason = state_col_text(r, 1);
    const char *en = "", *zh = "";
    for (size_t i = 0; i < LEN(loss_help); i++)
        if (span_eq(stage, span_str(loss_help[i].stage)) &&
            span_eq(reason, span_str(loss_help[i].reason))) {
            en = loss_help[i].en;
            zh = loss_help[i].zh;
        }
    jw_open(b, '{');
    jw_member_span(b, "stage", stage);
    jw_member_span(b, "reason", reason);
    jw_member_uint(b, "packets", (uint64_t)state_col_int(r, 2));
    jw_member_uint(b, "bytes", (uint64_t)state_col_int(r, 3));
    jw_member_uint(b, "events", (uint64_t)state_col_int(r, 4));
    jw_key(b, "help");
    jw_open(b, '{');
    jw_member_text(b, "en", en);
    jw_member_text(b, "zh", zh);
    jw_close(b, '}');
    jw_close(b, '}');
}

static bool losses_json(struct api_call *c, struct span id, uint64_t *kernel_lost)
{
    struct state_rows *r;
    struct err e;
    *kernel_lost = 0;
    if (!state_query(c->api->conf.state,
                     "SELECT stage, reason, packets, bytes, events FROM sensor_loss WHERE sensor = "
                     "?1 ORDER BY stage, reason",
                     STATE_ARGS(state_text(id)), &r, &e)) {
        answer_err(c, &e);
        return false;
    }
    jw_key(c->out, "loss");
    jw_open(c->out, '[');
    while (state_rows_next(r)) {
        /* What the interface drops the kernel has never seen. */
        if (span_eq(state_col_text(r, 0), SPAN("kernel")) &&
            !span_eq(state_col_text(r, 1), SPAN("interface")))
            *kernel_lost += (uint64_t)state_col_int(r, 2);
        loss_row(c->out, r);
    }
    jw_close(c->out, ']');
    if (state_rows_end(r, &e))
        return true;
    answer_err(c, &e);
    return false;
}

/* Enters the member `key` of the object that is open; false when there is none. */
static bool enter(struct json *j, struct json_value *v, struct span key)
{
    while (json_next(j, v) > JSON_END) {
        if (json_key_is(v, key))
            return true;
        if (!json_skip(j, v))
            return false;
    }
    return false;
}

static uint64_t number(const struct json_value *v)
{
    return v->type == JSON_INT && v->i >= 0 ? (uint64_t)v->i : 0;
}

/* A number at "object.key" of the last stats. */
static uint64_t counter(struct span counters, struct span object, struct span key, bool *found)
{
    struct json j;
    struct json_value v;
    json_init(&j, counters);
    *found = json_next(&j, &v) == JSON_OBJECT && enter(&j, &v, object) && v.type == JSON_OBJECT &&
             enter(&j, &v, key) && v.type == JSON_INT;
    return *found ? number(&v) : 0;
}

/* A number of the first detection engine: stats.detect.engines[0].key. */
static uint64_t engine(struct span counters, struct span key)
{
    struct json j;
    struct json_value v;
    json_init(&j, counters);
    bool found = json_next(&j, &v) == JSON_OBJECT && enter(&j, &v, SPAN("detect")) &&
                 v.type == JSON_OBJECT && enter(&j, &v, SPAN("engines")) && v.type == JSON_ARRAY &&
                 json_next(&j, &v) == JSON_OBJECT && enter(&j, &v, key);
    return found ? number(&v) : 0;
}

static void ledger_json(struct buf *b, struct span counters, uint64_t carried, uint64_t lost)
{
    bool known = false;
    uint64_t seen = counter(counters, SPAN("capture"), SPAN("kernel_packets"), &known);
    if (!known) /* files lose nothing on the way in */
        seen = carried + lost;
    jw_key(b, "ledger");
    jw_open(b, '{');
    jw_member_uint(b, "seen", seen);
    jw_member_uint(b, "carried", carried);
    jw_member_uint(b, "lost", lost);
    jw_member_bool(b, "reconciles", seen == carried + lost);
    jw_close(b, '}');
}

static void rates_json(struct api_call *c, struct span id)
{
    char name[NAME_MAX_BYTES + 1];
    struct api_rates rates = {0};
    struct buf *b = c->out;
    span_copy(id, name, sizeof(name));
    if (!c->api->conf.hooks.rates ||
        !c->api->conf.hooks.rates(c->api->conf.hooks.ctx, name, &rates))
        rates = (struct api_rates){0};
    jw_key(b, "rates");
    jw_open(b, '{');
    jw_key(b, "packets_per_s");
    jw_double(b, rates.packets_per_s);
    jw_key(b, "bits_per_s");
    jw_double(b, rates.bits_per_s);
    jw_key(b, "events_per_s");
    jw_double(b, rates.events_per_s);
    jw_close(b, '}');
}

static void time_member(struct buf *b, const char *key, int64_t ns)
{
    char text[CLOCK_TEXT];
    clock_rfc3339((uint64_t)ns, text);
    jw_key(b, key);
    if (ns)
        jw_text(b, text);
    else
        jw_null(b);
}

static bool sensor_json(struct api_call *c, struct state_rows *r)
{
    struct buf *b = c->out;
    struct span id = arena_dup(&c->rq->arena, state_col_text(r, 0));
    struct span counters = arena_dup(&c->rq->arena, state_col_text(r, 11));
    uint64_t packets = (uint64_t)state_col_int(r, 7), kernel_lost;
    jw_open(b, '{');
    jw_member_span(b, "id", id);
    jw_member_span(b, "unit", state_col_text(r, 1));
    jw_member_span(b, "version", state_col_text(r, 2));
    jw_member_span(b, "source", state_col_text(r, 3));
    jw_member_span(b, "state", state_col_text(r, 4));
    time_member(b, "started", state_col_int(r, 5));
    time_member(b, "last_seen", state_col_int(r, 6));
    jw_key(b, "totals");
    jw_open(b, '{');
    jw_member_uint(b, "packets", packets);
    jw_member_uint(b, "bytes", (uint64_t)state_col_int(r, 8));
    jw_member_uint(b, "events", (uint64_t)state_col_int(r, 9));
    jw_member_uint(b, "alerts", (uint64_t)state_col_int(r, 10));
    jw_close(b, '}');
    rates_json(c, id);
    if (!losses_json(c, id, &kernel_lost))
        return false;
    ledger_json(b, counters, packets, kernel_lost);
    jw_key(b, "rules");
    jw_open(b, '{');
    jw_member_uint(b, "loaded", engine(counters, SPAN("rules_loaded")));
    jw_member_uint(b, "failed", engine(counters, SPAN("rules_failed")));
    jw_close(b, '}');
    jw_close(b, '}');
    return true;
}

void sensors_run(struct api_call *c)
{
    struct state_rows *r;
    struct err e;
    bool ok = true;
    bool all = c->who.role == ROLE_ADMIN;
    if (!state_query(
            c->api->conf.state,
            "SELECT id, unit, version, source, state, started_ns, seen_ns, packets, bytes, "
            "events, alerts, counters FROM sensors WHERE ?1 OR unit = ?2 ORDER BY CASE "
            "state WHEN 'online' THEN 0 WHEN 'stale' THEN 1 WHEN 'offline' THEN 2 ELSE 3 "
            "END, seen_ns DESC LIMIT 500",
            STATE_ARGS(state_int(all), state_str(c->who.unit)), &r, &e)) {
        answer_err(c, &e);
        return;
    }
    jw_open(c->out, '{');
    jw_key(c->out, "sensors");
    jw_open(c->out, '[');
    while (ok && state_rows_next(r))
        ok = sensor_json(c, r);
    jw_close(c->out, ']');
    jw_close(c->out, '}');
    if (!state_rows_end(r, &e) && ok)
        answer_err(c, &e);
}
