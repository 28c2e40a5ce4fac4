/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of the event store, made from the field table. `events` has a column for each field
 * with one (named by the field's id: http_hostname), sorted by (event_type, timestamp), a partition
 * a day, and besides:
 *
 * - stream_id, stream_seq: which stream and number it came with, together the event's identity;
 * - ingest_ts: when it was taken in (retention counts from here: old captures stay);
 * - line: the text it came as, empty when it is not kept. It is made of raw (a whole one) or of
 *   raw_form and raw_values (see store/split.h): who looks for something in many lines asks those;
 * - timestamp_s: the time's whole seconds. Ask it, and the time only of the indexes (indexHint),
 *   where a range of seconds is wanted.
 *
 * `quarantine` holds malformed lines with the reason. Roll-ups, filled as rows come in, answer what
 * is asked all the time:
 *
 * - events_minute: minute × event_type × app_proto × daizong_severity × sensor × unit;
 * - alerts_hour: hour × signature × both addresses × sensor × unit (arrived: the last ingest_ts);
 * - hosts_hour: hour × address × unit (all events but stats; *_out: as source, *_in: as target).
 *
 * An address's rows have an order of their own on each side (projections): ask for src_ip and
 * dest_ip one after the other, not for both at once. All carry daizong_unit. Bringing an older
 * store up to date adds columns and tables, and replaces views whose definition changed. */
#pragma once

#include "base/buf.h"
#include "event/field.h"
#include "store/store.h"

struct schema_column {
    const char *name;
    enum field field; /* F_root: one of those above */
    enum field_column kind;
};

/* All columns of `events` in the order of inserts. */
extern const struct schema_column schema_columns[];
extern const size_t schema_columns_n;
/* Where those before the fields stand. */
enum {
    SCHEMA_STREAM_ID,
    SCHEMA_STREAM_SEQ,
    SCHEMA_INGEST_TS,
    SCHEMA_RAW,
    SCHEMA_RAW_FORM,
    SCHEMA_RAW_VALUES,
    SCHEMA_FIELDS
};

/* Tables with a daizong_unit column. */
extern const char *const schema_unit_tables[];
extern const size_t schema_unit_tables_n;

struct schema_conf {
    unsigned retention_days; /* 0: 180 */
};

/* Makes or updates database and tables; safe to repeat. */
bool schema_ensure(struct store *s, const struct schema_conf *conf, struct err *e) MUST_CHECK;
bool schema_set_retention(struct store *s, unsigned days, struct err *e) MUST_CHECK;
/* "LowCardinality(String)"; never NULL for a kind that has a column. */
const char *schema_type(enum field_column kind);
/* 'text' with ClickHouse's escapes. */
void schema_quote(struct buf *b, struct span text);

/* An event's identity as text, "0005f3e2b1c4d5e6-0123456789abcdef-2a": time stamp in microseconds,
 * stream_id, stream_seq, in hex. With the time stamp a lookup touches one partition. */
enum { SCHEMA_ID_TEXT = 56 };
void schema_id_text(int64_t timestamp_us, uint64_t stream, uint64_t seq, char text[SCHEMA_ID_TEXT]);
bool schema_id_parse(struct span text, int64_t *timestamp_us, uint64_t *stream, uint64_t *seq);
