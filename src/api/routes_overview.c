/* SPDX-License-Identifier: Apache-2.0 */
/* The first page in one answer: totals, alerts and traffic over time, the most frequent sources,
 * targets, signatures and protocols. From the roll-ups, whose grain is a minute or an hour; a range
 * so short that a finer grain is wanted is asked of the events themselves. */
#include "api/groups.h"
#include "api/handlers.h"
#include "api/histogram.h"
#include "base/clock.h"
#include "base/jw.h"
#include "base/must.h"

enum { SQL_MAX = 16 << 10, TOP = 10, SEVERITIES = 5 };

static const char *const severities[SEVERITIES] = {"critical", "high", "medium", "low", "info"};

/* Where the figures of a range come from: a table (or what looks like it) and its time. */
struct source {
    const char *minute, *minute_time, *bucket_time, *alerts, *alerts_time, *hosts, *hosts_time;
};

static const struct source rolled = {.minute = "events_minute",
                                     .minute_time = "minute",
                                     .bucket_time = "minute",
                                     .alerts = "alerts_hour",
                                     .alerts_time = "hour",
                                     .hosts = "hosts_hour",
                                     .hosts_time = "hour"};
static const struct source exact = {
    .minute = "(SELECT timestamp, timestamp_s, event_type, app_proto, daizong_severity, "
              "toUInt64(1) AS events, "
              "if(event_type = 'flow', flow_pkts_toserver + flow_pkts_toclient, 0) AS packets, "
              "if(event_type = 'flow', flow_bytes_toserver, 0) AS bytes_toserver, "
              "if(event_type = 'flow', flow_bytes_toclient, 0) AS bytes_toclient FROM events)",
    .minute_time = "timestamp",
    .bucket_time = "timestamp_s",
    .alerts =
        "(SELECT timestamp, timestamp_s, src_ip, dest_ip, alert_signature, alert_signature_id, "
        "daizong_severity, toUInt64(1) AS events FROM events WHERE event_type = 'alert')",
    .alerts_time = "timestamp",
    .hosts = "(SELECT timestamp, timestamp_s, arrayJoin([src_ip, dest_ip]) AS ip FROM events)",
    .hosts_time = "timestamp"};

struct overview {
    struct range range;
    const struct source *from;
    struct histogram h;
    uint64_t *alerts[SEVERITIES], *to_server, *to_client;
    uint64_t events, alert_count, critical, packets, bytes, hosts, open_groups;
    uint64_t before_events, before_alerts, before_groups;
};

static void take_bucket(struct overview *o, const struct rows *r)
{
    uint64_t at = cell_u64(&r->cell[0]), n = cell_u64(&r->cell[3]);
    struct span type = r->cell[1].raw, severity = r->cell[2].raw;
    if (at < o->h.first || (at - o->h.first) / o->h.interval_s >= o->h.buckets)
        return;
    size_t i = (size_t)((at - o->h.first) / o->h.interval_s);
    o->to_server[i] += cell_u64(&r->cell[5]);
    o->to_client[i] += cell_u64(&r->cell[6]);
    o->bytes += cell_u64(&r->cell[5]) + cell_u64(&r->cell[6]);
    o->packets += cell_u64(&r->cell[4]);
    o->events += n;
    if (!span_eq(type, SPAN("alert")))
        return;
    o->alert_count += n;
    size_t k = SEVERITIES - 1;
    for (size_t s = 0; s < SEVERITIES; s++)
        k = span_eq(severity, span_str(severities[s])) ? s : k;
    o->alerts[k][i] += n;
    o->critical += k == 0 ? n : 0;
}

static bool ask_buckets(struct api_call *c, struct overview *o)
{
    struct buf sql = buf_new(SQL_MAX), out = buf_new(32 << 20);
    buf_printf(&sql,
               "SELECT intDiv(toUnixTimestamp(%s), %llu) * %llu AS t, event_type, "
               "daizong_severity, sum(events), sum(packets), sum(bytes_toserver), "
               "sum(bytes_toclient) FROM %s WHERE ",
               o->from->bucket_time, (unsigned long long)o->h.interval_s,
               (unsigned long long)o->h.interval_s, o->from->minute);
    ask_time_sql(&sql, o->from->minute_time, &o->range);
    buf_str(&sql, " AND event_type != 'stats' GROUP BY t, event_type, daizong_severity");
    bool ok = ask_store(c, buf_cstr(&sql), &out);
    struct rows rows = rows_of(&out);
    while (ok && rows_next(&rows))
        take_bucket(o, &rows);
    buf_free(&sql);
    buf_free(&out);
    return ok;
}

/* The period of the same length before this one. */
static struct range before(const struct range *r)
{
    uint64_t length = r->to_ns - r->from_ns;
    return (struct range){.from_ns = r->from_ns > length ? r->from_ns - length : 0,
                          .to_ns = r->from_ns ? r->from_ns : 1};
}

static bool ask_before(struct api_call *c, struct overview *o)
{
    struct range r = before(&o->range);
    struct buf sql = buf_new(SQL_MAX), out = buf_new(1 << 16);
    buf_printf(&sql, "SELECT sum(events), sumIf(events, event_type = 'alert') FROM %s WHERE ",
               o->from->minute);
    ask_time_sql(&sql, o->from->minute_time, &r);
    buf_printf(&sql,
               " AND event_type != 'stats' UNION ALL SELECT uniq(ip), 0 FROM %s WHERE ip != "
               "toIPv6('::') AND ",
               o->from->hosts);
    ask_time_sql(&sql, o->from->hosts_time, &o->range);
    bool ok = ask_store(c, buf_cstr(&sql), &out);
    struct rows rows = rows_of(&out);
    uint64_t found[2][2] = {{0}};
    for (size_t i = 0; ok && i < 2 && rows_next(&rows); i++) {
        found[i][0] = cell_u64(&rows.cell[0]);
        found[i][1] = cell_u64(&rows.cell[1]);
    }
    buf_free(&sql);
    buf_free(&out);
    o->before_events = found[0][0];
    o->before_alerts = found[0][1];
    o->hosts = found[1][0];
    return ok;
}

static bool top_json(struct api_call *c, const char *key, const char *select, const char *table,
                     const char *time, const char *rest, const struct range *range,
                     const char *const *names)
{
    struct buf sql = buf_new(SQL_MAX), out = buf_new(1 << 20);
    buf_printf(&sql, "SELECT %s FROM %s WHERE ", select, table);
    ask_time_sql(&sql, time, range);
    buf_printf(&sql, " %s LIMIT %d", rest, TOP);
    bool ok = ask_store(c, buf_cstr(&sql), &out);
    struct rows rows = rows_of(&out);
    if (ok) {
        jw_key(c->out, key);
        jw_open(c->out, '[');
    }
    while (ok && rows_next(&rows)) {
        jw_open(c->out, '{');
        for (size_t i = 0; names[i] && i < rows.n; i++) {
            jw_key(c->out, names[i]);
            cell_json(c->out, &rows.cell[i]);
        }
        jw_close(c->out, '}');
    }
    if (ok)
        jw_close(c->out, ']');
    buf_free(&sql);
    buf_free(&out);
    return ok;
}

static bool tops_json(struct api_call *c, const struct overview *o)
{
    static const char *const pair[] = {"value", "count", NULL};
    static const char *const signature[] = {"value", "count", "signature_id", "severity", NULL};
    static const char *const protocol[] = {"value", "count", "bytes", NULL};
    const struct source *f = o->from;
    return top_json(c, "top_sources",
                    "replaceOne(IPv6NumToString(src_ip), '::ffff:', '') AS v, "
                    "toUInt64(sum(events)) AS n",
                    f->alerts, f->alerts_time, "GROUP BY src_ip ORDER BY n DESC, v", &o->range,
                    pair) &&
           top_json(
               c, "top_targets",
               "replaceOne(IPv6NumToString(dest_ip), '::ffff:', '') AS v, toUInt64(sum(events)) "
               "AS n",
               f->alerts, f->alerts_time, "GROUP BY dest_ip ORDER BY n DESC, v", &o->range, pair) &&
           top_json(c, "top_signatures",
                    "any(alert_signature) AS v, toUInt64(sum(events)) AS n, alert_signature_id, "
                    "any(daizong_severity)",
                    f->alerts, f->alerts_time,
                    "GROUP BY alert_signature_id ORDER BY n DESC, alert_signature_id", &o->range,
                    signature) &&
           top_json(c, "protocols",
                    "app_proto AS v, toUInt64(sum(events)) AS n, toUInt64(sum(bytes_toserver) + "
                    "sum(bytes_toclient)) AS b",
                    f->minute, f->minute_time,
                    "AND event_type = 'flow' AND app_proto NOT IN ('', 'failed') GROUP BY "
                    "app_proto ORDER BY b DESC, v",
                    &o->range, protocol);
}

static void values_json(struct buf *b, const char *key, const uint64_t *values, size_t n)
{
    jw_key(b, key);
    jw_open(b, '[');
    for (size_t i = 0; i < n; i++)
        jw_uint(b, values[i]);
    jw_close(b, ']');
}

static void times_json(struct buf *b, const struct histogram *h)
{
    jw_key(b, "times");
    jw_open(b, '[');
    for (size_t i = 0; i < h->buckets; i++)
        jw_uint(b, h->first + i * h->interval_s);
    jw_close(b, ']');
    jw_member_uint(b, "interval_s", h->interval_s);
}

static void series_json(struct buf *b, const struct overview *o)
{
    jw_key(b, "alerts");
    jw_open(b, '{');
    times_json(b, &o->h);
    jw_key(b, "series");
    jw_open(b, '[');
    for (size_t k = 0; k < SEVERITIES; k++) {
        jw_open(b, '{');
        jw_member_text(b, "key", severities[k]);
        values_json(b, "values", o->alerts[k], o->h.buckets);
        jw_close(b, '}');
    }
    jw_close(b, ']');
    jw_close(b, '}');
    jw_key(b, "traffic");
    jw_open(b, '{');
    times_json(b, &o->h);
    values_json(b, "to_server", o->to_server, o->h.buckets);
    values_json(b, "to_client", o->to_client, o->h.buckets);
    jw_close(b, '}');
}

static bool state_number(struct api_call *c, const char *sql, uint64_t *ret)
{
    struct err e;
    int64_t v = 0;
    if (!state_get_int(c->api->conf.state, sql, STATE_NONE, &v, &e)) {
        answer_err(c, &e);
        return false;
    }
    *ret = (uint64_t)v;
    return true;
}

static bool totals_json(struct api_call *c, const struct overview *o)
{
    struct buf *b = c->out;
    uint64_t online, sensors, done, lost_packets, lost_events;
    if (!state_number(c, "SELECT count(*) FROM sensors WHERE state = 'online'", &online) ||
        !state_number(c, "SELECT count(*) FROM sensors WHERE state != 'done'", &sensors) ||
        !state_number(c, "SELECT count(*) FROM sensors WHERE state = 'done'", &done) ||
        !state_number(c, "SELECT coalesce(sum(packets), 0) FROM sensor_loss", &lost_packets) ||
        !state_number(c, "SELECT coalesce(sum(events), 0) FROM sensor_loss", &lost_events))
        return false;
    jw_key(b, "totals");
    jw_open(b, '{');
    jw_member_uint(b, "events", o->events);
    jw_member_uint(b, "alerts", o->alert_count);
    jw_member_uint(b, "open_groups", o->open_groups);
    jw_member_uint(b, "critical", o->critical);
    jw_member_uint(b, "hosts", o->hosts);
    jw_member_uint(b, "sensors_online", online);
    jw_member_uint(b, "sensors_total", sensors);
    jw_member_uint(b, "sensors_done", done);
    jw_member_uint(b, "bytes", o->bytes);
    jw_member_uint(b, "packets", o->packets);
    jw_close(b, '}');
    jw_key(b, "previous");
    jw_open(b, '{');
    jw_member_uint(b, "alerts", o->before_alerts);
    jw_member_uint(b, "events", o->before_events);
    jw_member_uint(b, "open_groups", o->before_groups);
    jw_close(b, '}');
    jw_key(b, "lost");
    jw_open(b, '{');
    jw_member_uint(b, "packets", lost_packets);
    jw_member_uint(b, "events", lost_events);
    jw_close(b, '}');
    return true;
}

void overview_run(struct api_call *c)
{
    struct overview o = {0};
    struct arena *a = &c->rq->arena;
    if (!ask_range(c, &o.range) || !ask_close_range(c, &o.range))
        return;
    histogram_place(&o.h, &o.range, 0);
    o.from = o.h.interval_s < 60 ? &exact : &rolled;
    for (size_t k = 0; k < SEVERITIES; k++)
        o.alerts[k] = arena_zero(a, o.h.buckets * sizeof(uint64_t));
    o.to_server = arena_zero(a, o.h.buckets * sizeof(uint64_t));
    o.to_client = arena_zero(a, o.h.buckets * sizeof(uint64_t));
    must(o.to_client != NULL);
    struct range earlier = before(&o.range);
    if (!ask_buckets(c, &o) || !ask_before(c, &o) ||
        !groups_count_open(c, &o.range, &o.open_groups) ||
        !groups_count_open(c, &earlier, &o.before_groups))
        return;
    jw_open(c->out, '{');
    if (!totals_json(c, &o) || !tops_json(c, &o))
        return;
    series_json(c->out, &o);
    jw_key(c->out, "as_of");
    time_json(c->out, clock_now_ns());
    ask_took(c);
    jw_close(c->out, '}');
}
