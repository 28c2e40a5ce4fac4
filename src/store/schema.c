/* SPDX-License-Identifier: Apache-2.0 */
/* DDL from the field table, and what differs between a store and this program's idea of it. */
#include "store/schema.h"

#include "base/must.h"

#include <stdarg.h>

enum { ROOM_FOR_CHANGE = 4 << 20 };

static const char *const column_types[] = {
    [COL_LC] = "LowCardinality(String)",
    [COL_STR] = "String",
    [COL_STRS] = "Array(String)",
    [COL_BOOL] = "UInt8",
    [COL_U8] = "UInt8",
    [COL_U16] = "UInt16",
    [COL_U32] = "UInt32",
    [COL_U64] = "UInt64",
    [COL_IP] = "IPv6",
    [COL_TIME] = "DateTime64(6,'UTC')",
};

const struct schema_column schema_columns[] = {
    [SCHEMA_STREAM_ID] = {"stream_id", F_root, COL_U64},
    [SCHEMA_STREAM_SEQ] = {"stream_seq", F_root, COL_U64},
    [SCHEMA_INGEST_TS] = {"ingest_ts", F_root, COL_U32},
    [SCHEMA_RAW] = {"raw", F_root, COL_STR},
    [SCHEMA_RAW_FORM] = {"raw_form", F_root, COL_LC},
    [SCHEMA_RAW_VALUES] = {"raw_values", F_root, COL_STR},
/* Rows of fields without a column have kind COL_NONE and are passed over. */
#define FIELD(id, parent, key, type, column, en, zh) {#id, F_##id, column},
#include "event/fields.def"
#undef FIELD
};
const size_t schema_columns_n = LEN(schema_columns);

const char *const schema_unit_tables[] = {"events", "quarantine", "events_minute", "alerts_hour",
                                          "hosts_hour"};
const size_t schema_unit_tables_n = LEN(schema_unit_tables);

/* What `events` has besides its columns, so that few of its rows need reading. A name carries the
 * version of its definition: change both, and name the old one among the dropped. */
static const struct helper {
    const char *name, *definition;
    bool projection;
} helpers[] = {
    /* Fields that people search words in. */
    {"tx_http_url", "http_url TYPE text(tokenizer = splitByNonAlpha)", false},
    {"tx_http_hostname", "http_hostname TYPE text(tokenizer = splitByNonAlpha)", false},
    {"tx_tls_sni", "tls_sni TYPE text(tokenizer = splitByNonAlpha)", false},
    {"tx_dns_rrname", "dns_rrname TYPE text(tokenizer = splitByNonAlpha)", false},
    /* Fields of which people look for one value that is rare. */
    {"bf_flow_id", "flow_id TYPE bloom_filter(0.01) GRANULARITY 1", false},
    {"bf_fileinfo_sha256", "fileinfo_sha256 TYPE bloom_filter(0.01) GRANULARITY 1", false},
    {"bf_dns_queries_rrname", "dns_queries_rrname TYPE bloom_filter(0.01) GRANULARITY 1", false},
    {"bf_dns_answers_rdata", "dns_answers_rdata TYPE bloom_filter(0.01) GRANULARITY 1", false},
    {"bf_alert_signature_id", "alert_signature_id TYPE bloom_filter(0.01) GRANULARITY 1", false},
    /* An address's events: where they lie (_part_offset), and over time by kind without looking at
     * them. The second one tells which the first has too. */
    {"by_src_v2",
     "(SELECT src_ip, timestamp_s, event_type, daizong_severity, daizong_unit, _part_offset "
     "ORDER BY src_ip, timestamp_s)",
     true},
    {"by_dest_v2",
     "(SELECT dest_ip, timestamp_s, same_ip, event_type, daizong_severity, daizong_unit, "
     "_part_offset ORDER BY dest_ip, timestamp_s)",
     true},
};

static const char *const dropped_projections[] = {"by_src", "by_dest"};

/* Columns that the store fills from others. Whole seconds are a quarter of the time's cost where a
 * range of seconds is all that is asked; an expression instead of same_ip would make its projection
 * keep both addresses. */
static const struct derived {
    const char *name, *definition;
} derived[] = {
    {"timestamp_s", "DateTime('UTC') DEFAULT toDateTime(timestamp, 'UTC') CODEC(ZSTD(1))"},
    {"same_ip", "UInt8 DEFAULT src_ip = dest_ip"},
    /* The line, put together again: see store/split.h. */
    {"line",
     "String ALIAS if(raw_form = '', raw, arrayStringConcat(arrayMap((f, v) -> concat(f, v), "
     "splitByChar('\\x01', raw_form), splitByChar('\\x01', raw_values))))"},
};

const char *schema_type(enum field_column kind)
{
    must(kind > COL_NONE && kind < LEN(column_types));
    return column_types[kind];
}

void schema_quote(struct buf *b, struct span text)
{
    buf_byte(b, '\'');
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '\'' || text.p[i] == '\\')
            buf_byte(b, '\\');
        buf_byte(b, text.p[i]);
    }
    buf_byte(b, '\'');
}

void schema_id_text(int64_t timestamp_us, uint64_t stream, uint64_t seq, char text[SCHEMA_ID_TEXT])
{
    snprintf(text, SCHEMA_ID_TEXT, "%016llx-%016llx-%llx", (unsigned long long)timestamp_us,
             (unsigned long long)stream, (unsigned long long)seq);
}

static bool hex_u64(struct span s, uint64_t *ret)
{
    *ret = 0;
    for (size_t i = 0; i < s.n; i++) {
        int d = ascii_hex(s.p[i]);
        if (d < 0)
            return false;
        *ret = *ret << 4 | (uint64_t)d;
    }
    return s.n >= 1 && s.n <= 16;
}

bool schema_id_parse(struct span text, int64_t *timestamp_us, uint64_t *stream, uint64_t *seq)
{
    uint64_t us;

    if (!hex_u64(span_split(&text, '-'), &us) || !hex_u64(span_split(&text, '-'), stream) ||
        !hex_u64(text, seq))
        return false;
    *timestamp_us = (int64_t)us;
    return true;
}

static const char *codec_of(const struct schema_column *c)
{
    switch (c->kind) {
    case COL_TIME:
        return " CODEC(Delta(8), ZSTD(1))";
    case COL_U32:
    case COL_U64:
        /* A flow's number is random: nothing but its repeats can be saved. */
        return c->field == F_flow_id ? " CODEC(ZSTD(1))" : " CODEC(T64, ZSTD(1))";
    case COL_IP:
        return " CODEC(ZSTD(1))";
    case COL_STR:
    case COL_STRS:
        /* ZSTD saves 2 bytes an event over all of them, and takes twice the time to read. */
        return " CODEC(LZ4)";
    case COL_U16:
        return " CODEC(ZSTD(1))";
    default:
        return "";
    }
}

static void column_define(struct buf *b, size_t i)
{
    const struct schema_column *c = &schema_columns[i];

    buf_printf(b, "%s ", c->name);
    switch (i) {
    case SCHEMA_STREAM_ID:
        buf_str(b, "UInt64 CODEC(ZSTD(1))");
        break;
    case SCHEMA_STREAM_SEQ:
        buf_str(b, "UInt64 CODEC(Delta(8), ZSTD(1))");
        break;
    case SCHEMA_INGEST_TS:
        buf_str(b, "DateTime('UTC') CODEC(Delta(4), ZSTD(1))");
        break;
    case SCHEMA_RAW:
    case SCHEMA_RAW_VALUES:
        buf_str(b, "String CODEC(ZSTD(1))"); /* 3 costs twice as much and saves nothing here */
        break;
    default:
        buf_printf(b, "%s%s", schema_type(c->kind), codec_of(c));
    }
}

static const char *helper_kind(const struct helper *h)
{
    return h->projection ? "PROJECTION" : "INDEX";
}

static void table_events(struct buf *b, const char *db, unsigned days)
{
    buf_printf(b, "CREATE TABLE IF NOT EXISTS `%s`.events (\n", db);
    for (size_t i = 0; i < schema_columns_n; i++) {
        if (schema_columns[i].kind == COL_NONE)
            continue;
        buf_str(b, "  ");
        column_define(b, i);
        buf_str(b, ",\n");
    }
    for (size_t i = 0; i < LEN(derived); i++)
        buf_printf(b, "%s  %s %s", i ? ",\n" : "", derived[i].name, derived[i].definition);
    for (size_t i = 0; i < LEN(helpers); i++)
        buf_printf(b, ",\n  %s %s %s", helper_kind(&helpers[i]), helpers[i].name,
                   helpers[i].definition);
    buf_printf(
        b,
        "\n) ENGINE = MergeTree PARTITION BY toYYYYMMDD(timestamp)\n"
        "ORDER BY (event_type, timestamp) TTL ingest_ts + INTERVAL %u DAY\n"
        "SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 10000,\n"
        "  old_parts_lifetime = 60,\n"
        /* An insert's part is one file, not two for each of the many columns, and buffers begin
         * small: this halves the store's work and bounds its memory. */
        "  min_bytes_for_wide_part = 125829120, min_columns_to_activate_adaptive_write_buffer = "
        "1,\n"
        "  merge_selector_base = 8",
        days);
}

static const char *const table_quarantine =
    "CREATE TABLE IF NOT EXISTS `%s`.quarantine (ingest_ts DateTime('UTC') CODEC(Delta(4), "
    "ZSTD(1)),"
    " daizong_sensor LowCardinality(String), daizong_unit LowCardinality(String),"
    " stream_id UInt64 CODEC(ZSTD(1)), stream_seq UInt64 CODEC(Delta(8), ZSTD(1)),"
    " reason LowCardinality(String), line String CODEC(ZSTD(3)))"
    " ENGINE = MergeTree PARTITION BY toYYYYMM(ingest_ts) ORDER BY ingest_ts"
    " TTL ingest_ts + INTERVAL %u DAY"
    " SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 10000";

static const char *const table_minute =
    "CREATE TABLE IF NOT EXISTS `%s`.events_minute (minute DateTime('UTC') CODEC(Delta(4), "
    "ZSTD(1)),"
    " event_type LowCardinality(String), app_proto LowCardinality(String),"
    " daizong_severity LowCardinality(String), daizong_sensor LowCardinality(String),"
    " daizong_unit LowCardinality(String), events UInt64 CODEC(T64, ZSTD(1)),"
    " packets UInt64 CODEC(T64, ZSTD(1)), bytes_toserver UInt64 CODEC(T64, ZSTD(1)),"
    " bytes_toclient UInt64 CODEC(T64, ZSTD(1)))"
    " ENGINE = SummingMergeTree PARTITION BY toYYYYMM(minute)"
    " ORDER BY (event_type, minute, app_proto, daizong_severity, daizong_sensor, daizong_unit)"
    " TTL minute + INTERVAL 10 YEAR"
    " SETTINGS non_replicated_deduplication_window = 10000";

static const char *const table_alerts =
    "CREATE TABLE IF NOT EXISTS `%s`.alerts_hour (hour DateTime('UTC') CODEC(Delta(4), ZSTD(1)),"
    " alert_signature_id UInt32, src_ip IPv6, dest_ip IPv6, daizong_sensor LowCardinality(String),"
    " daizong_unit LowCardinality(String),"
    " alert_signature SimpleAggregateFunction(any, LowCardinality(String)),"
    " alert_category SimpleAggregateFunction(any, LowCardinality(String)),"
    " daizong_severity SimpleAggregateFunction(any, LowCardinality(String)),"
    " alert_severity SimpleAggregateFunction(min, UInt8),"
    " app_proto SimpleAggregateFunction(any, LowCardinality(String)),"
    " events SimpleAggregateFunction(sum, UInt64),"
    " first SimpleAggregateFunction(min, DateTime64(6, 'UTC')),"
    " last SimpleAggregateFunction(max, DateTime64(6, 'UTC')),"
    " arrived SimpleAggregateFunction(max, DateTime('UTC')))"
    " ENGINE = AggregatingMergeTree PARTITION BY toYYYYMM(hour)"
    " ORDER BY (alert_signature_id, src_ip, dest_ip, hour, daizong_sensor, daizong_unit)"
    " SETTINGS non_replicated_deduplication_window = 10000";

/* Tables made before rows told when their alerts arrived; there it is 1970. */
static const char *const alerts_arrived =
    "ALTER TABLE `%s`.alerts_hour ADD COLUMN IF NOT EXISTS arrived SimpleAggregateFunction(max, "
    "DateTime('UTC'))";

static const char *const table_hosts =
    "CREATE TABLE IF NOT EXISTS `%s`.hosts_hour (hour DateTime('UTC') CODEC(Delta(4), ZSTD(1)),"
    " ip IPv6 CODEC(ZSTD(1)), daizong_unit LowCardinality(String),"
    " events SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),"
    " events_out SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),"
    " alerts_out SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),"
    " alerts_in SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),"
    " flows_out SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),"
    " flows_in SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),"
    " bytes_out SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),"
    " bytes_in SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),"
    " first SimpleAggregateFunction(min, DateTime64(6, 'UTC')) CODEC(ZSTD(1)),"
    " last SimpleAggregateFunction(max, DateTime64(6, 'UTC')) CODEC(ZSTD(1)))"
    " ENGINE = AggregatingMergeTree PARTITION BY toYYYYMM(hour)"
    " ORDER BY (ip, hour, daizong_unit)"
    " SETTINGS non_replicated_deduplication_window = 10000";

/* A view's name carries its version: change both when its text changes. */
static const struct view {
    const char *name, *to, *sql;
} views[] = {
    {"events_minute_v1", "events_minute",
     "SELECT toStartOfMinute(toDateTime(timestamp, 'UTC')) AS minute, event_type, app_proto,"
     " daizong_severity, daizong_sensor, daizong_unit, count() AS events,"
     " sumIf(flow_pkts_toserver + flow_pkts_toclient, event_type = 'flow') AS packets,"
     " sumIf(flow_bytes_toserver, event_type = 'flow') AS bytes_toserver,"
     " sumIf(flow_bytes_toclient, event_type = 'flow') AS bytes_toclient"
     " FROM events GROUP BY minute, event_type, app_proto, daizong_severity, daizong_sensor,"
     " daizong_unit"},
    {"alerts_hour_v2", "alerts_hour",
     "SELECT toStartOfHour(toDateTime(timestamp, 'UTC')) AS hour, alert_signature_id, src_ip,"
     " dest_ip, daizong_sensor, daizong_unit, any(events.alert_signature) AS alert_signature,"
     " any(events.alert_category) AS alert_category, any(events.daizong_severity) AS"
     " daizong_severity, min(events.alert_severity) AS alert_severity, any(events.app_proto) AS"
     " app_proto, count() AS events, min(timestamp) AS first, max(timestamp) AS last,"
     " max(ingest_ts) AS arrived"
     " FROM events WHERE event_type = 'alert' GROUP BY hour, alert_signature_id, src_ip, dest_ip,"
     " daizong_sensor, daizong_unit"},
    {"hosts_hour_v1", "hosts_hour",
     "SELECT toStartOfHour(toDateTime(timestamp, 'UTC')) AS hour, side.2 AS ip, daizong_unit,"
     " count() AS events, countIf(side.1 = 0) AS events_out,"
     " countIf(event_type = 'alert' AND side.1 = 0) AS alerts_out,"
     " countIf(event_type = 'alert' AND side.1 = 1) AS alerts_in,"
     " countIf(event_type = 'flow' AND side.1 = 0) AS flows_out,"
     " countIf(event_type = 'flow' AND side.1 = 1) AS flows_in,"
     " sumIf(if(side.1 = 0, flow_bytes_toserver, flow_bytes_toclient), event_type = 'flow') AS"
     " bytes_out,"
     " sumIf(if(side.1 = 0, flow_bytes_toclient, flow_bytes_toserver), event_type = 'flow') AS"
     " bytes_in, min(timestamp) AS first, max(timestamp) AS last"
     " FROM events ARRAY JOIN [(0, src_ip), (1, dest_ip)] AS side"
     " WHERE event_type != 'stats' GROUP BY hour, ip, daizong_unit"},
};

static bool exec_format(struct store *s, const char *format, unsigned days, struct err *e)
{
    struct buf sql CLEANUP(buf_free) = buf_new(64 << 10);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    buf_printf(&sql, format, store_database(s), days);
#pragma GCC diagnostic pop
    return store_exec(s, buf_cstr(&sql), e);
}

/* The names in the answer of a query that gives one name a line. */
static bool names_get(struct store *s, const char *sql, struct buf *out, struct err *e)
{
    struct store_query q = {.sql = sql, .format = "TabSeparated", .scope = {.all = true}};

    buf_clear(out);
    buf_byte(out, '\n');
    return store_query(s, &q, out, NULL, e);
}

static bool names_have(const struct buf *names, const char *name)
{
    char line[128];

    snprintf(line, sizeof(line), "\n%s\n", name);
    return span_find(buf_span(names), span_str(line)) != SIZE_MAX;
}

/* A change of a table writes its definition anew. On a full disk the engine leaves that file empty,
 * and then nothing reads the table again: so nothing is changed where there is hardly room. */
static bool room_for_change(struct store *s, struct err *e)
{
    struct buf answer CLEANUP(buf_free) = buf_new(4096);
    struct store_query q = {.sql = "SELECT min(free_space) FROM system.disks",
                            .format = "TabSeparated",
                            .scope = {.all = true}};
    uint64_t free_bytes;

    if (!store_query(s, &q, &answer, NULL, e))
        return false;
    if (span_u64(span_trim(buf_span(&answer)), &free_bytes) && free_bytes < ROOM_FOR_CHANGE)
        return err_set(e, ERR_FULL,
                       "the disk has %llu KB left: make room, tables are not changed below %u MB",
                       (unsigned long long)(free_bytes >> 10), ROOM_FOR_CHANGE >> 20);
    return true;
}

static bool arrived_add(struct store *s, struct err *e)
{
    struct buf have CLEANUP(buf_free) = buf_new(1 << 16);

    if (!names_get(s,
                   "SELECT name FROM system.columns WHERE database = currentDatabase() AND "
                   "table = 'alerts_hour'",
                   &have, e))
        return false;
    return names_have(&have, "arrived") ||
           (room_for_change(s, e) && exec_format(s, alerts_arrived, 0, e));
}

static bool alter_events(struct store *s, struct err *e, const char *fmt, ...) PRINTF_LIKE(3, 4);
static bool alter_events(struct store *s, struct err *e, const char *fmt, ...)
{
    struct buf sql CLEANUP(buf_free) = buf_new(1 << 20);
    char change[64 << 10];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(change, sizeof(change), fmt, ap);
    va_end(ap);
    buf_printf(&sql, "ALTER TABLE `%s`.events %s", store_database(s), change);
    return room_for_change(s, e) && store_exec(s, buf_cstr(&sql), e);
}

static bool is_alias(const struct derived *d)
{
    return span_find(span_str(d->definition), SPAN(" ALIAS ")) != SIZE_MAX;
}

static bool columns_add(struct store *s, struct err *e)
{
    struct buf have CLEANUP(buf_free) = buf_new(1 << 20);
    struct buf sql CLEANUP(buf_free) = buf_new(1 << 20);

    if (!names_get(s,
                   "SELECT name FROM system.columns WHERE database = currentDatabase() AND "
                   "table = 'events'",
                   &have, e))
        return false;
    for (size_t i = 0; i < schema_columns_n; i++) {
        if (schema_columns[i].kind == COL_NONE || names_have(&have, schema_columns[i].name))
            continue;
        buf_str(&sql, sql.n ? ", ADD COLUMN " : "ADD COLUMN ");
        column_define(&sql, i);
    }
    for (size_t i = 0; i < LEN(derived); i++)
        if (!names_have(&have, derived[i].name))
            buf_printf(&sql, "%sADD COLUMN %s %s", sql.n ? ", " : "", derived[i].name,
                       derived[i].definition);
    if (sql.n > 0 && !alter_events(s, e, "%s", buf_cstr(&sql)))
        return false;
    for (size_t i = 0; i < LEN(derived); i++) /* in place of making them at each question */
        if (!names_have(&have, derived[i].name) && !is_alias(&derived[i]) &&
            !alter_events(s, e, "MATERIALIZE COLUMN %s", derived[i].name))
            return false;
    return true;
}

/* Indexes and projections that a table of before lacks; the engine fills them for the rows that are
 * there while it serves. */
static bool helpers_ensure(struct store *s, struct err *e)
{
    struct buf have CLEANUP(buf_free) = buf_new(1 << 16);

    if (!names_get(s,
                   "SELECT name FROM system.data_skipping_indices WHERE database = "
                   "currentDatabase() AND table = 'events' UNION ALL SELECT name FROM "
                   "system.projections WHERE database = currentDatabase() AND table = 'events'",
                   &have, e))
        return false;
    for (size_t i = 0; i < LEN(dropped_projections); i++)
        if (names_have(&have, dropped_projections[i]) &&
            !alter_events(s, e, "DROP PROJECTION %s", dropped_projections[i]))
            return false;
    for (size_t i = 0; i < LEN(helpers); i++) {
        const struct helper *h = &helpers[i];
        if (!names_have(&have, h->name) &&
            (!alter_events(s, e, "ADD %s %s %s", helper_kind(h), h->name, h->definition) ||
             !alter_events(s, e, "MATERIALIZE %s %s", helper_kind(h), h->name)))
            return false;
    }
    return true;
}

static bool is_current_view(struct span name)
{
    for (size_t i = 0; i < LEN(views); i++)
        if (span_eq(name, span_str(views[i].name)))
            return true;
    return false;
}

static bool views_ensure(struct store *s, struct err *e)
{
    struct buf have CLEANUP(buf_free) = buf_new(1 << 20);
    struct buf sql CLEANUP(buf_free) = buf_new(1 << 20);
    const char *db = store_database(s);

    if (!names_get(s,
                   "SELECT name FROM system.tables WHERE database = currentDatabase() AND engine "
                   "= 'MaterializedView'",
                   &have, e))
        return false;
    struct span rest = span_from(buf_span(&have), 1);
    while (rest.n) {
        struct span name = span_split(&rest, '\n');
        if (name.n == 0 || is_current_view(name))
            continue;
        buf_clear(&sql);
        buf_printf(&sql, "DROP VIEW `%s`.`%.*s`", db, (int)name.n, (const char *)name.p);
        if (!room_for_change(s, e) || !store_exec(s, buf_cstr(&sql), e))
            return false;
    }
    for (size_t i = 0; i < LEN(views); i++) {
        if (names_have(&have, views[i].name))
            continue;
        buf_clear(&sql);
        struct span text = span_str(views[i].sql);
        size_t from = span_find(text, SPAN(" FROM events "));
        must(from != SIZE_MAX);
        buf_printf(&sql, "CREATE MATERIALIZED VIEW IF NOT EXISTS `%s`.%s TO `%s`.%s AS ", db,
                   views[i].name, db, views[i].to);
        buf_span_add(&sql, span_cut(text, 0, from));
        buf_printf(&sql, " FROM `%s`.events ", db);
        buf_span_add(&sql, span_from(text, from + strlen(" FROM events ")));
        if (!store_exec(s, buf_cstr(&sql), e))
            return false;
    }
    return true;
}

/* Do all tables with events keep them so long already? */
static bool retention_is(struct store *s, unsigned days, bool *ret, struct err *e)
{
    struct buf answer CLEANUP(buf_free) = buf_new(4096);
    char sql[400];

    snprintf(sql, sizeof(sql),
             "SELECT count() FROM system.tables WHERE database = currentDatabase() AND name IN "
             "('events', 'quarantine') AND position(create_table_query, 'toIntervalDay(%u)') > 0",
             days);
    struct store_query q = {.sql = sql, .format = "TabSeparated", .scope = {.all = true}};
    if (!store_query(s, &q, &answer, NULL, e))
        return false;
    *ret = span_eq(span_trim(buf_span(&answer)), SPAN("2"));
    return true;
}

bool schema_set_retention(struct store *s, unsigned days, struct err *e)
{
    bool same;

    if (days == 0 || days > 36500)
        return err_set(e, ERR_INVALID, "retention is 1 to 36,500 days");
    if (!retention_is(s, days, &same, e))
        return false;
    if (same)
        return true;
    return room_for_change(s, e) &&
           exec_format(s, "ALTER TABLE `%s`.events MODIFY TTL ingest_ts + INTERVAL %u DAY", days,
                       e) &&
           exec_format(s, "ALTER TABLE `%s`.quarantine MODIFY TTL ingest_ts + INTERVAL %u DAY",
                       days, e);
}

static bool database_name_ok(const char *name)
{
    size_t n = strlen(name);

    for (size_t i = 0; i < n; i++)
        if (!ascii_is_alpha((uint8_t)name[i]) && !ascii_is_digit((uint8_t)name[i]) &&
            name[i] != '_')
            return false;
    return n > 0 && n <= 64;
}

bool schema_ensure(struct store *s, const struct schema_conf *conf, struct err *e)
{
    struct buf sql CLEANUP(buf_free) = buf_new(1 << 20);
    unsigned days = conf->retention_days ? conf->retention_days : 180;

    if (!database_name_ok(store_database(s)))
        return err_set(e, ERR_CONFIG, "the store's database name %s is not one", store_database(s));
    table_events(&sql, store_database(s), days);
    must(!sql.full);
    bool ok = exec_format(s, "CREATE DATABASE IF NOT EXISTS `%s`", days, e) &&
              store_exec(s, buf_cstr(&sql), e) && exec_format(s, table_quarantine, days, e) &&
              exec_format(s, table_minute, days, e) && exec_format(s, table_alerts, days, e) &&
              arrived_add(s, e) && exec_format(s, table_hosts, days, e) && columns_add(s, e) &&
              helpers_ensure(s, e) && views_ensure(s, e) && schema_set_retention(s, days, e);
    return ok || err_wrap(e, "the store's tables");
}
