/* SPDX-License-Identifier: Apache-2.0 */
/* The line itself is one column and cheap to read; all other columns are asked for only for the
 * events that came without it, in a second query. */
#include "api/events.h"

#include "api/figures.h"
#include "api/rebuild.h"
#include "base/json.h"
#include "base/jw.h"

enum { SQL_MAX = 1 << 20, ANSWER_MAX = 128 << 20 };

enum { CELL_RAW, CELL_SENSOR, CELL_UNIT, CELL_TIME, CELL_STREAM, CELL_SEQ };

static const char *const event_columns =
    "line, daizong_sensor, daizong_unit, toUnixTimestamp64Micro(timestamp), stream_id, stream_seq";

static void id_of(const struct rows *r, char id[SCHEMA_ID_TEXT])
{
    schema_id_text((int64_t)cell_u64(&r->cell[CELL_TIME]), cell_u64(&r->cell[CELL_STREAM]),
                   cell_u64(&r->cell[CELL_SEQ]), id);
}

/* --- events without their line --- */

/* Asks for the columns of those among `out` that lack a line; rows are [id, [columns]]. */
static bool ask_columns(struct api_call *c, const struct buf *out, struct buf *columns)
{
    struct rows rows = rows_of(out);
    uint64_t first = UINT64_MAX, last = 0;
    struct buf sql = buf_new(SQL_MAX), ids = buf_new(SQL_MAX);
    while (rows_next(&rows)) {
        if (rows.cell[CELL_RAW].raw.n > 2)
            continue;
        uint64_t us = cell_u64(&rows.cell[CELL_TIME]);
        first = us < first ? us : first;
        last = us > last ? us : last;
        buf_printf(&ids, "%s(%llu, %llu)", ids.n ? ", " : "",
                   (unsigned long long)cell_u64(&rows.cell[CELL_STREAM]),
                   (unsigned long long)cell_u64(&rows.cell[CELL_SEQ]));
    }
    bool ok = true;
    if (ids.n > 0) {
        buf_str(&sql, "SELECT stream_id, stream_seq, ");
        rebuild_columns(&sql);
        buf_printf(&sql,
                   " FROM events WHERE timestamp >= fromUnixTimestamp64Micro(%llu, 'UTC') AND "
                   "timestamp <= fromUnixTimestamp64Micro(%llu, 'UTC') AND (stream_id, "
                   "stream_seq) IN (%s)",
                   (unsigned long long)first, (unsigned long long)last, buf_cstr(&ids));
        ok = ask_store(c, buf_cstr(&sql), columns);
    }
    buf_free(&sql);
    buf_free(&ids);
    return ok;
}

/* The columns' part of the row with this identity, as a JSON array; false when there is none. */
static bool find_columns(const struct buf *columns, const struct rows *event, struct buf *ret)
{
    struct span rest = buf_span(columns);
    while (rest.n > 0) {
        struct json j;
        struct json_value stream, seq;
        uint64_t a, b;
        struct span line = span_split(&rest, '\n');
        json_init(&j, line);
        json_next(&j, &stream);
        if (json_next(&j, &stream) <= JSON_END || json_next(&j, &seq) <= JSON_END)
            continue;
        if (!span_u64(stream.raw, &a) || !span_u64(seq.raw, &b) ||
            a != cell_u64(&event->cell[CELL_STREAM]) || b != cell_u64(&event->cell[CELL_SEQ]))
            continue;
        struct span columns_part = span_from(line, j.at);
        size_t comma = span_find_byte(columns_part, ',');
        buf_byte(ret, '[');
        buf_span_add(ret, span_from(columns_part, comma + 1));
        return true;
    }
    return false;
}

static void event_json(struct api_call *c, const struct rows *r, const struct buf *columns)
{
    char id[SCHEMA_ID_TEXT];
    char sensor[NAME_MAX_BYTES + 1], unit[NAME_MAX_BYTES + 1];
    struct buf *b = c->out;
    struct buf line = buf_new(16 << 20), row = buf_new(16 << 20);
    span_copy(r->cell[CELL_SENSOR].raw, sensor, sizeof(sensor));
    span_copy(r->cell[CELL_UNIT].raw, unit, sizeof(unit));
    id_of(r, id);
    json_unescape(&line, r->cell[CELL_RAW].raw);
    if (line.n <= 2) {
        buf_clear(&line);
        if (!find_columns(columns, r, &row) || !rebuild_event(&line, buf_span(&row))) {
            buf_clear(&line);
            buf_str(&line, "{}"); /* gone between the two questions: retention */
        }
    }
    jw_comma(b);
    event_decorate(b, span_trim(buf_span(&line)), sensor, unit, false);
    b->n--; /* reopen it */
    jw_member_text(b, "_id", id);
    jw_close(b, '}');
    buf_free(&line);
    buf_free(&row);
}

/* --- */

bool events_write(struct api_call *c, const char *where, uint64_t limit, struct event_list *ret)
{
    struct buf sql = buf_new(SQL_MAX), out = buf_new(ANSWER_MAX), columns = buf_new(ANSWER_MAX);
    *ret = (struct event_list){0};
    buf_printf(&sql, "SELECT %s FROM events WHERE %s LIMIT %llu", event_columns, where,
               (unsigned long long)limit + 1);
    bool ok = ask_store(c, buf_cstr(&sql), &out) && ask_columns(c, &out, &columns);
    struct rows rows = rows_of(&out);
    if (ok)
        jw_open(c->out, '[');
    while (ok && rows_next(&rows)) {
        if (ret->n == limit) {
            ret->more = true;
            break;
        }
        event_json(c, &rows, &columns);
        id_of(&rows, ret->last);
        ret->n++;
    }
    if (ok)
        jw_close(c->out, ']');
    buf_free(&sql);
    buf_free(&out);
    buf_free(&columns);
    return ok;
}

bool events_json(struct api_call *c, const char *where, unsigned limit)
{
    struct event_list list;
    struct buf ordered = buf_new(SQL_MAX);
    buf_printf(&ordered, "%s ORDER BY timestamp DESC, stream_id DESC, stream_seq DESC", where);
    bool ok = events_write(c, buf_cstr(&ordered), limit, &list);
    buf_free(&ordered);
    return ok;
}
