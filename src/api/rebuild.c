/* SPDX-License-Identifier: Apache-2.0 */
/* Values are laid beside the field table first, with a mark at every object above them; then one
 * walk down the table writes what is marked. */
#include "api/rebuild.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/jw.h"
#include "base/must.h"
#include "event/field.h"
#include "store/schema.h"

struct values {
    struct span raw[F_COUNT]; /* JSON text; of a string without its quotes */
    bool there[F_COUNT];      /* a value, or an object that holds one */
};

/* The node adds sensor and unit itself. */
static bool is_ours(enum field f)
{
    return f == F_root || f == F_daizong_sensor || f == F_daizong_unit;
}

void rebuild_columns(struct buf *b)
{
    const char *comma = "";
    for (size_t i = SCHEMA_FIELDS; i < schema_columns_n; i++) {
        const struct schema_column *c = &schema_columns[i];
        if (c->kind == COL_NONE || is_ours(c->field))
            continue;
        buf_printf(b, c->kind == COL_TIME ? "%stoUnixTimestamp64Micro(%s)" : "%s%s", comma,
                   c->name);
        comma = ", ";
    }
}

static bool is_nothing(const struct json_value *v, enum field_column kind)
{
    if (v->type == JSON_STRING)
        return v->raw.n == 0 || (kind == COL_IP && span_eq(v->raw, SPAN("::"))) ||
               (kind != COL_LC && kind != COL_STR && span_eq(v->raw, SPAN("0")));
    return span_eq(v->raw, SPAN("0")) || span_eq(v->raw, SPAN("[]"));
}

static bool take(struct values *values, struct span row)
{
    struct json j;
    struct json_value v;
    json_init(&j, row);
    if (json_next(&j, &v) != JSON_ARRAY)
        return false;
    for (size_t i = SCHEMA_FIELDS; i < schema_columns_n; i++) {
        const struct schema_column *c = &schema_columns[i];
        if (c->kind == COL_NONE || is_ours(c->field))
            continue;
        if (json_next(&j, &v) <= JSON_END || !json_skip(&j, &v))
            return false;
        if (is_nothing(&v, c->kind))
            continue;
        values->raw[c->field] = v.raw;
        for (enum field f = c->field; f != F_root; f = field_table[f].parent)
            values->there[f] = true;
    }
    return true;
}

static void quoted(struct buf *b, struct span raw)
{
    jw_comma(b);
    buf_byte(b, '"');
    buf_span_add(b, raw);
    buf_byte(b, '"');
}

static void write_value(struct buf *b, enum field f, struct span raw)
{
    char text[CLOCK_TEXT];
    uint64_t us;
    switch (field_table[f].column) {
    case COL_TIME:
        clock_eve(span_u64(raw, &us) ? us * NS_PER_US : 0, text);
        jw_text(b, text);
        break;
    case COL_IP:
        quoted(b, span_starts(raw, SPAN("::ffff:")) ? span_from(raw, 7) : raw);
        break;
    case COL_LC:
    case COL_STR:
        quoted(b, raw);
        break;
    case COL_BOOL:
        jw_bool(b, true);
        break;
    default:
        jw_raw(b, raw);
    }
}

/* The n-th string of an array's text; false when it has fewer. */
static bool item_of(struct span array, size_t n, struct json_value *ret)
{
    struct json j;
    json_init(&j, array);
    if (json_next(&j, ret) != JSON_ARRAY)
        return false;
    for (size_t i = 0; i <= n; i++)
        if (json_next(&j, ret) != JSON_STRING)
            return false;
    return true;
}

static size_t items_of(struct span array)
{
    struct json_value v;
    size_t n = 0;
    while (item_of(array, n, &v))
        n++;
    return n;
}

/* A list of objects is kept as one array for each member. Members that not every object had cannot
 * be given back to theirs: they stand in objects of their own. */
static void write_list(struct buf *b, const struct values *values, enum field list)
{
    size_t most = 0;
    struct json_value v;
    for (enum field f = F_root + 1; f < F_COUNT; f++)
        if (field_table[f].parent == list && values->there[f])
            most = items_of(values->raw[f]) > most ? items_of(values->raw[f]) : most;
    jw_open(b, '[');
    for (size_t i = 0; i < most; i++) {
        jw_open(b, '{');
        for (enum field f = F_root + 1; f < F_COUNT; f++) {
            if (field_table[f].parent != list || !values->there[f] ||
                items_of(values->raw[f]) != most || !item_of(values->raw[f], i, &v))
                continue;
            jw_key(b, field_table[f].key);
            quoted(b, v.raw);
        }
        jw_close(b, '}');
    }
    for (enum field f = F_root + 1; f < F_COUNT; f++) {
        if (field_table[f].parent != list || !values->there[f] || items_of(values->raw[f]) == most)
            continue;
        for (size_t i = 0; item_of(values->raw[f], i, &v); i++) {
            jw_open(b, '{');
            jw_key(b, field_table[f].key);
            quoted(b, v.raw);
            jw_close(b, '}');
        }
    }
    jw_close(b, ']');
}

static void write_members(struct buf *b, const struct values *values, enum field parent)
{
    for (enum field f = F_root + 1; f < F_COUNT; f++) {
        if (field_table[f].parent != parent || !values->there[f])
            continue;
        jw_key(b, field_table[f].key);
        if (field_table[f].type == T_LIST) {
            write_list(b, values, f);
        } else if (field_table[f].type == T_OBJ) {
            jw_open(b, '{');
            write_members(b, values, f);
            jw_close(b, '}');
        } else {
            write_value(b, f, values->raw[f]);
        }
    }
}

bool rebuild_event(struct buf *b, struct span row)
{
    struct values values = {0};
    if (!take(&values, row))
        return false;
    jw_open(b, '{');
    write_members(b, &values, F_root);
    jw_close(b, '}');
    return true;
}
