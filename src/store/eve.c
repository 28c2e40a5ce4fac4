/* SPDX-License-Identifier: Apache-2.0 */
/* Walks the JSON once with the field table at its side. */
#include "store/eve.h"

#include "base/clock.h"
#include "base/json.h"

enum { EVE_DEPTH = 16 };

static const char bad_time[] = "timestamp is not a time";
static const char bad_ip[] = "address is not an IP address";
static const char bad_port[] = "port or flow_id is not a number in range";
static const char bad_type[] = "event_type is not a name in lower case";

void eve_init(struct eve *v)
{
    *v = (struct eve){.scratch = buf_new(ROW_SCRATCH)};
    row_init(&v->row);
    /* Spans point into it: it must never move. */
    if (!buf_room(&v->scratch, ROW_SCRATCH))
        v->scratch.full = true;
}

void eve_free(struct eve *v)
{
    row_free(&v->row);
    buf_free(&v->scratch);
}

static struct span text_of(struct eve *v, const struct json_value *val)
{
    if (!val->escaped)
        return val->raw;
    size_t at = v->scratch.n;
    json_unescape(&v->scratch, val->raw);
    return span_from(buf_span(&v->scratch), at);
}

static bool essential(enum field f)
{
    return f == F_timestamp || f == F_event_type || f == F_src_ip || f == F_dest_ip ||
           f == F_src_port || f == F_dest_port || f == F_flow_id;
}

static uint64_t most_of(enum field_column kind)
{
    switch (kind) {
    case COL_U8:
        return UINT8_MAX;
    case COL_U16:
        return UINT16_MAX;
    case COL_U32:
        return UINT32_MAX;
    default:
        return UINT64_MAX;
    }
}

static const char *take_text(struct eve *v, enum field f, const struct json_value *val)
{
    struct span s = text_of(v, val);
    uint64_t ns;
    struct ip ip;

    switch (field_table[f].column) {
    case COL_LC:
    case COL_STR:
        row_set(&v->row, row_column(f))->s = s;
        return NULL;
    case COL_STRS:
        row_item(&v->row, row_column(f), s);
        return NULL;
    case COL_IP:
        if (!ip_parse(s, &ip))
            return bad_ip;
        row_set(&v->row, row_column(f))->ip = ip;
        return NULL;
    case COL_TIME:
        if (!clock_parse(s, &ns) || ns / NS_PER_US > INT64_MAX / 1000)
            return bad_time;
        row_set(&v->row, row_column(f))->u = ns / NS_PER_US;
        return NULL;
    default:
        return "";
    }
}

static const char *take_number(struct eve *v, enum field f, const struct json_value *val)
{
    enum field_column kind = field_table[f].column;

    if (kind < COL_BOOL || kind > COL_U64 || (val->type == JSON_INT && val->i < 0) ||
        val->u > most_of(kind))
        return "";
    row_set(&v->row, row_column(f))->u = val->u;
    return NULL;
}

/* A value of a field with a column. "" : of another type. */
static const char *take_value(struct eve *v, enum field f, const struct json_value *val)
{
    switch (val->type) {
    case JSON_STRING:
        return take_text(v, f, val);
    case JSON_INT:
    case JSON_UINT:
        return take_number(v, f, val);
    case JSON_BOOL:
        if (field_table[f].column != COL_BOOL)
            return "";
        row_set(&v->row, row_column(f))->u = val->b;
        return NULL;
    case JSON_NULL:
        return NULL;
    default:
        return "";
    }
}

static const char *mismatch(struct eve *v, enum field f)
{
    if (!essential(f)) {
        v->mismatches++;
        return NULL;
    }
    if (f == F_timestamp)
        return bad_time;
    if (f == F_event_type)
        return bad_type;
    return f == F_src_ip || f == F_dest_ip ? bad_ip : bad_port;
}

static const char *walk(struct eve *v, struct json *j, enum field parent);

/* An array: of strings for a column, of objects to walk, or nothing of ours. */
static const char *walk_array(struct eve *v, struct json *j, enum field f)
{
    struct json_value val;
    const struct field_row *r = &field_table[f];
    const char *why = NULL;

    while (!why) {
        enum json_type t = json_next(j, &val);
        if (t == JSON_END)
            return NULL;
        if (t == JSON_BAD)
            return j->v.why;
        if (t == JSON_OBJECT && f != F_root && r->type == T_LIST && v->depth < EVE_DEPTH) {
            v->depth++;
            why = walk(v, j, f);
            v->depth--;
        } else if (t == JSON_OBJECT || t == JSON_ARRAY) {
            if (!json_skip(j, &val))
                why = j->v.why;
        } else if (t == JSON_STRING && f != F_root && r->column == COL_STRS) {
            row_item(&v->row, row_column(f), text_of(v, &val));
        }
    }
    return why;
}

static void signature_severity(struct eve *v, struct json *j)
{
    struct json copy = *j;
    struct json_value val;

    while (json_next(&copy, &val) == JSON_STRING)
        if (span_ieq(val.raw, SPAN("critical")))
            v->critical = true;
}

/* alert.metadata: what its author says of severity and technique. */
static const char *walk_metadata(struct eve *v, struct json *j)
{
    struct json_value val;

    for (;;) {
        enum json_type t = json_next(j, &val);
        if (t == JSON_END)
            return NULL;
        if (t == JSON_BAD)
            return j->v.why;
        bool severity = json_key_is(&val, SPAN("signature_severity")) ||
                        json_key_is(&val, SPAN("daizong_severity"));
        if (t == JSON_ARRAY && severity) {
            signature_severity(v, j);
        } else if (t == JSON_ARRAY && json_key_is(&val, SPAN("mitre_technique_id"))) {
            const char *why = walk_array(v, j, F_daizong_techniques);
            if (why)
                return why;
            continue;
        } else if (t == JSON_STRING && severity && span_ieq(val.raw, SPAN("critical"))) {
            v->critical = true;
        }
        if ((t == JSON_OBJECT || t == JSON_ARRAY) && !json_skip(j, &val))
            return j->v.why;
    }
}

static const char *member(struct eve *v, struct json *j, enum field f, struct json_value *val)
{
    const struct field_row *r = &field_table[f];

    if (val->type == JSON_OBJECT) {
        if (f == F_alert_metadata)
            return walk_metadata(v, j);
        if (f != F_root && r->type == T_OBJ && v->depth < EVE_DEPTH) {
            v->depth++;
            const char *why = walk(v, j, f);
            v->depth--;
            return why;
        }
        if (!json_skip(j, val))
            return j->v.why;
        return f != F_root && r->column != COL_NONE ? mismatch(v, f) : NULL;
    }
    if (val->type == JSON_ARRAY) {
        const char *why = walk_array(v, j, f);
        if (why || f == F_root || r->column == COL_NONE || r->column == COL_STRS)
            return why;
        return mismatch(v, f);
    }
    if (f == F_root || r->column == COL_NONE)
        return NULL;
    const char *why = take_value(v, f, val);
    return why && !*why ? mismatch(v, f) : why;
}

/* Lines of a type are much alike: what came after this field before is tried first. */
static enum field find(struct eve *v, enum field parent, enum field before, struct span key)
{
    enum field guess = v->after[before];
    const struct field_row *r = &field_table[guess];

    if (guess != F_root && r->parent == parent && r->key_n == key.n &&
        memcmp(r->key, key.p, key.n) == 0)
        return guess;
    enum field f = field_find(parent, key);
    if (f != F_root)
        v->after[before] = (uint16_t)f;
    return f;
}

static const char *walk(struct eve *v, struct json *j, enum field parent)
{
    struct json_value val;
    enum field before = parent;

    for (;;) {
        enum json_type t = json_next(j, &val);
        if (t == JSON_END)
            return NULL;
        if (t == JSON_BAD)
            return j->v.why;
        enum field f = val.key_escaped ? F_root : find(v, parent, before, val.key);
        before = f == F_root ? before : f;
        const char *why = member(v, j, f, &val);
        if (why)
            return why;
    }
}

/* In lower case, as all are written: whoever asks for a type need not try both. */
static bool type_name_ok(struct span s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((s.p[i] < 'a' || s.p[i] > 'z') && !ascii_is_digit(s.p[i]) && s.p[i] != '_' &&
            s.p[i] != '-')
            return false;
    return s.n > 0 && s.n <= 40;
}

/* The word for an alert's severity, where the sensor has not said it. */
static void severity_word(struct eve *v)
{
    static const struct span words[] = {
        {(const uint8_t *)"high", 4}, {(const uint8_t *)"medium", 6}, {(const uint8_t *)"low", 3}};

    if (!row_has(&v->row, row_column(F_alert_severity)) ||
        row_has(&v->row, row_column(F_daizong_severity)))
        return;
    uint64_t n = v->row.v[row_column(F_alert_severity)].u;
    struct span word = n >= 1 && n <= 3 ? words[n - 1] : SPAN("info");
    if (n == 1 && v->critical)
        word = SPAN("critical");
    row_set(&v->row, row_column(F_daizong_severity))->s = word;
}

const char *eve_read(struct eve *v, struct span line)
{
    struct json j;
    struct json_value val;

    row_clear(&v->row);
    buf_clear(&v->scratch);
    v->critical = false;
    v->depth = 0;
    json_init(&j, line);
    enum json_type t = json_next(&j, &val);
    if (t != JSON_OBJECT)
        return t == JSON_BAD ? j.v.why : "not a JSON object";
    const char *why = walk(v, &j, F_root);
    if (why)
        return why;
    if (!json_done(&j))
        return "text after the JSON object";
    if (!row_has(&v->row, row_column(F_timestamp)))
        return "no timestamp";
    if (!row_has(&v->row, row_column(F_event_type)))
        return "no event_type";
    if (v->scratch.full)
        return "more escaped text than an event may have";
    v->event_type = v->row.v[row_column(F_event_type)].s;
    if (!type_name_ok(v->event_type))
        return bad_type;
    v->timestamp_us = (int64_t)v->row.v[row_column(F_timestamp)].u;
    if (span_eq(v->event_type, SPAN("alert")))
        severity_word(v);
    return NULL;
}
