/* SPDX-License-Identifier: Apache-2.0 */
/* Hosts: everything that was seen of an address. The list comes from a roll-up; names, services and
 * software are looked up for the hosts that are shown. */
#include "api/groups.h"
#include "api/handlers.h"
#include "api/histogram.h"
#include "base/clock.h"
#include "base/jw.h"
#include "base/must.h"
#include "store/schema.h"

enum { SQL_MAX = 256 << 10, LIST = 100, HOSTS_MAX = 1000 };

#define IP_SQL(column) "replaceOne(IPv6NumToString(" column "), '::ffff:', '')"

/* A flow that shows a service at its target: there was an answer, and over TCP the client went on
 * after it (a port that refuses gets one packet). */
#define IS_SERVICE                                                                                 \
    "flow_pkts_toclient > 0 AND dest_port != 0 AND (proto != 'TCP' OR flow_pkts_toserver > 1)"

/* Is the address in one of the home networks of the settings? */
struct home {
    struct cidr net[64];
    size_t n;
};

static void load_home(struct api_call *c, struct home *h)
{
    static const char fallback[] =
        "[\"10.0.0.0/8\",\"172.16.0.0/12\",\"192.168.0.0/16\",\"fc00::/7\",\"fe80::/10\"]";
    struct state_rows *r;
    struct err e;
    struct json j;
    struct json_value v;
    struct span text = span_str(fallback);
    h->n = 0;
    if (state_query(c->api->conf.state, "SELECT value FROM settings WHERE key = 'home_net'",
                    STATE_NONE, &r, &e)) {
        if (state_rows_next(r))
            text = arena_dup(&c->rq->arena, state_col_text(r, 0));
        if (!state_rows_end(r, &e))
            text = span_str(fallback);
    }
    json_init(&j, text);
    if (json_next(&j, &v) != JSON_ARRAY)
        return;
    while (h->n < LEN(h->net) && json_next(&j, &v) == JSON_STRING)
        h->n += cidr_parse(v.raw, &h->net[h->n]);
}

static bool is_home(const struct home *h, struct span address)
{
    struct ip ip;
    if (!ip_parse(address, &ip))
        return false;
    for (size_t i = 0; i < h->n; i++)
        if (cidr_has(&h->net[i], &ip))
            return true;
    return false;
}

/* --- the list --- */

struct host {
    struct span ip;
    uint64_t events, alerts, bytes_in, bytes_out, first_us, last_us;
};

static void search_sql(struct buf *b, struct span q)
{
    struct cidr c;
    struct ip first, last;
    char text[IP_TEXT];
    q = span_trim(q);
    if (span_starts(q, SPAN("ip:")))
        q = span_from(q, 3);
    if (q.n == 0)
        return;
    if (cidr_parse(q, &c)) {
        cidr_range(&c, &first, &last);
        ip_text(&first, text);
        buf_printf(b, " AND ip >= toIPv6('%s')", text);
        ip_text(&last, text);
        buf_printf(b, " AND ip <= toIPv6('%s')", text);
        return;
    }
    buf_str(b, " AND (positionCaseInsensitive(" IP_SQL("ip") ", ");
    schema_quote(b, q);
    buf_str(b, ") > 0 OR ip IN (SELECT dest_ip FROM events WHERE event_type IN ('tls', 'http') AND "
               "(positionCaseInsensitive(tls_sni, ");
    schema_quote(b, q);
    buf_str(b, ") > 0 OR positionCaseInsensitive(http_hostname, ");
    schema_quote(b, q);
    buf_str(b, ") > 0)))");
}

static const char *order_of(struct span sort)
{
    static const struct {
        const char *name, *sql;
    } orders[] = {{"last", "l DESC"},
                  {"events", "n DESC"},
                  {"alerts", "al DESC, n DESC"},
                  {"bytes", "bi + bo DESC"},
                  {"ip", "ip"}};
    for (size_t i = 0; i < LEN(orders); i++)
        if (span_eq(sort, span_str(orders[i].name)))
            return orders[i].sql;
    return orders[0].sql;
}

static void address_list(struct buf *b, const struct host *hosts, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        buf_printf(b, "%stoIPv6(", i ? ", " : "");
        schema_quote(b, hosts[i].ip);
        buf_byte(b, ')');
    }
}

/* Rows (ip, …) of a look-up for the hosts that are shown; kept for all of them. */
static bool names_and_services(struct api_call *c, const struct range *range,
                               const struct host *hosts, size_t n, struct buf *names,
                               struct buf *services)
{
    struct buf sql = buf_new(SQL_MAX);
    buf_str(&sql,
            "SELECT " IP_SQL(
                "dest_ip") " AS ip, groupUniqArray(5)(if(event_type = 'tls', "
                           "tls_sni, http_hostname)) FROM events WHERE event_type IN ('tls', "
                           "'http') AND "
                           "if(event_type = 'tls', tls_sni, http_hostname) NOT IN ('', " IP_SQL(
                               "dest_ip") ") AND dest_ip IN (");
    address_list(&sql, hosts, n);
    buf_str(&sql, ") AND ");
    ask_time_sql(&sql, "timestamp", range);
    buf_str(&sql, " GROUP BY dest_ip");
    bool ok = ask_store(c, buf_cstr(&sql), names);
    buf_clear(&sql);
    buf_str(&sql, "SELECT " IP_SQL("dest_ip") " AS ip, proto, dest_port, any(app_proto) AS a, "
                                              "count() AS n FROM events WHERE event_type = 'flow' "
                                              "AND " IS_SERVICE " AND dest_ip IN (");
    address_list(&sql, hosts, n);
    buf_str(&sql, ") AND ");
    ask_time_sql(&sql, "timestamp", range);
    buf_str(&sql, " GROUP BY dest_ip, proto, dest_port ORDER BY n DESC LIMIT 5 BY ip");
    ok = ok && ask_store(c, buf_cstr(&sql), services);
    buf_free(&sql);
    return ok;
}

static void host_names(struct buf *b, const struct buf *names, struct span ip)
{
    struct rows rows = rows_of(names);
    jw_key(b, "names");
    while (rows_next(&rows))
        if (span_eq(rows.cell[0].raw, ip)) {
            jw_raw(b, rows.cell[1].raw);
            return;
        }
    jw_raw(b, SPAN("[]"));
}

static void host_services(struct buf *b, const struct buf *services, struct span ip)
{
    struct rows rows = rows_of(services);
    jw_key(b, "services");
    jw_open(b, '[');
    while (rows_next(&rows)) {
        if (!span_eq(rows.cell[0].raw, ip))
            continue;
        jw_open(b, '{');
        jw_key(b, "proto");
        cell_json(b, &rows.cell[1]);
        jw_member_uint(b, "port", cell_u64(&rows.cell[2]));
        jw_key(b, "app_proto");
        cell_json(b, &rows.cell[3]);
        jw_close(b, '}');
    }
    jw_close(b, ']');
}

static void host_object(struct api_call *c, const struct host *h, const struct home *home,
                        const struct buf *names, const struct buf *services)
{
    struct buf *b = c->out;
    jw_open(b, '{');
    jw_member_span(b, "ip", h->ip);
    host_names(b, names, h->ip);
    jw_key(b, "first");
    time_json(b, h->first_us * 1000);
    jw_key(b, "last");
    time_json(b, h->last_us * 1000);
    jw_member_uint(b, "events", h->events);
    jw_member_uint(b, "alerts", h->alerts);
    jw_member_uint(b, "bytes_in", h->bytes_in);
    jw_member_uint(b, "bytes_out", h->bytes_out);
    host_services(b, services, h->ip);
    jw_member_bool(b, "internal", is_home(home, h->ip));
    jw_close(b, '}');
}

static bool list_hosts(struct api_call *c, const struct range *range, uint64_t from, uint64_t limit,
                       struct host *hosts, size_t *n)
{
    struct buf sql = buf_new(SQL_MAX), out = buf_new(8 << 20);
    buf_str(
        &sql,
        "SELECT " IP_SQL(
            "ip") ", toUInt64(sum(events)) AS n, toUInt64(sum(alerts_in) + "
                  "sum(alerts_out)) AS al, toUInt64(sum(bytes_in)) AS bi, toUInt64(sum(bytes_out)) "
                  "AS bo, toUnixTimestamp64Micro(min(first)), toUnixTimestamp64Micro(max(last)) AS "
                  "l FROM hosts_hour WHERE ip != toIPv6('::') AND ");
    ask_time_sql(&sql, "hour", range);
    search_sql(&sql, call_arg(c, "q")->s);
    buf_printf(&sql, " GROUP BY ip ORDER BY %s, ip LIMIT %llu OFFSET %llu",
               order_of(call_arg(c, "sort")->s), (unsigned long long)limit + 1,
               (unsigned long long)from);
    bool ok = ask_store(c, buf_cstr(&sql), &out);
    struct rows rows = rows_of(&out);
    *n = 0;
    while (ok && *n <= limit && rows_next(&rows))
        hosts[(*n)++] = (struct host){.ip = arena_dup(&c->rq->arena, rows.cell[0].raw),
                                      .events = cell_u64(&rows.cell[1]),
                                      .alerts = cell_u64(&rows.cell[2]),
                                      .bytes_in = cell_u64(&rows.cell[3]),
                                      .bytes_out = cell_u64(&rows.cell[4]),
                                      .first_us = cell_u64(&rows.cell[5]),
                                      .last_us = cell_u64(&rows.cell[6])};
    buf_free(&sql);
    buf_free(&out);
    return ok;
}

void hosts_run(struct api_call *c)
{
    struct range range;
    struct home home;
    struct buf names = buf_new(32 << 20), services = buf_new(32 << 20);
    uint64_t from = 0, limit = call_arg(c, "limit")->u;
    const struct arg *cursor = call_arg(c, "cursor");
    size_t n = 0;
    if (!ask_range(c, &range))
        return;
    if (cursor->given && (cursor->s.n > 7 || !span_u64(cursor->s, &from))) {
        answer_error(c, 400, "bad_request", "take it from next_cursor", "the cursor is not one");
        return;
    }
    struct host *hosts = arena_get(&c->rq->arena, (limit + 1) * sizeof(*hosts));
    must(hosts != NULL);
    load_home(c, &home);
    bool ok = list_hosts(c, &range, from, limit, hosts, &n);
    size_t shown = min_size(n, (size_t)limit);
    if (ok && shown > 0)
        ok = names_and_services(c, &range, hosts, shown, &names, &services);
    if (ok) {
        jw_open(c->out, '{');
        jw_key(c->out, "hosts");
        jw_open(c->out, '[');
        for (size_t i = 0; i < shown; i++)
            host_object(c, &hosts[i], &home, &names, &services);
        jw_close(c->out, ']');
        jw_key(c->out, "next_cursor");
        if (n > shown) {
            char text[24];
            snprintf(text, sizeof(text), "%llu", (unsigned long long)(from + limit));
            jw_text(c->out, text);
        } else {
            jw_null(c->out);
        }
        jw_close(c->out, '}');
    }
    buf_free(&names);
    buf_free(&services);
}

/* --- one host --- */

struct about {
    struct range range;
    struct ip address;
    char ip[IP_TEXT];
};

/* One list of the page: rows become objects with these names; "first" and "last" are times. */
static bool list_json(struct api_call *c, const char *key, const char *sql,
                      const char *const *names)
{
    struct buf out = buf_new(16 << 20);
    struct buf *b = c->out;
    bool ok = ask_store(c, sql, &out);
    struct rows rows = rows_of(&out);
    if (ok) {
        jw_key(b, key);
        jw_open(b, '[');
    }
    while (ok && rows_next(&rows)) {
        if (names[0])
            jw_open(b, '{');
        for (size_t i = 0; names[0] && names[i] && i < rows.n; i++) {
            jw_key(b, names[i]);
            if (strcmp(names[i], "first") == 0 || strcmp(names[i], "last") == 0)
                cell_time(b, &rows.cell[i]);
            else
                cell_json(b, &rows.cell[i]);
        }
        if (names[0])
            jw_close(b, '}');
        else
            cell_json(b, &rows.cell[0]);
    }
    if (ok)
        jw_close(b, ']');
    buf_free(&out);
    return ok;
}

/* Rows of events of which a list is made. Each arm looks at one side of the address, for which the
 * store has an order of its own; the arms' columns are those of the first. */
struct arm {
    const char *columns, *where;
};

struct about_list {
    const char *key;
    const char *select, *rest;
    const char *const *names; /* of what is selected */
    struct arm arms[4];
};

static bool about_json(struct api_call *c, const struct about *h, const struct about_list *l)
{
    struct buf sql = buf_new(SQL_MAX);
    buf_printf(&sql, "WITH toIPv6('%s') AS me, '%s' AS me_text SELECT %s FROM (", h->ip, h->ip,
               l->select);
    for (size_t i = 0; i < LEN(l->arms) && l->arms[i].columns; i++) {
        buf_printf(&sql, "%sSELECT %s FROM events WHERE %s AND ", i ? " UNION ALL " : "",
                   l->arms[i].columns, l->arms[i].where);
        ask_time_sql(&sql, "timestamp", &h->range);
    }
    buf_printf(&sql, ") %s LIMIT %d", l->rest, LIST);
    bool ok = list_json(c, l->key, buf_cstr(&sql), l->names);
    buf_free(&sql);
    return ok;
}

static bool names_json(struct api_call *c, const struct about *h)
{
    static const char *const columns[] = {"name", "source", "count", "last", NULL};
    static const struct about_list list = {
        .key = "names",
        .select = "name, any(source), count() AS n, toUnixTimestamp64Micro(max(t))",
        .rest = "WHERE name NOT IN ('', me_text) GROUP BY name ORDER BY n DESC, name",
        .names = columns,
        .arms = {
            {"tls_sni AS name, 'tls' AS source, timestamp AS t",
             "event_type = 'tls' AND dest_ip = me"},
            {"http_hostname, 'http', timestamp", "event_type = 'http' AND dest_ip = me"},
            {"if(empty(dns_queries_rrname), dns_rrname, dns_queries_rrname[1]), 'dns', timestamp",
             "event_type = 'dns' AND has(dns_answers_rdata, me_text)"}}};
    return about_json(c, h, &list);
}

/* A service's detail is what it says it is, or is asked for as. */
static bool services_json(struct api_call *c, const struct about *h)
{
    static const char *const columns[] = {"proto", "port", "app_proto", "flows", "bytes",
                                          "first", "last", "detail",    NULL};
    static const struct about_list list = {
        .key = "services",
        .select = "proto, dest_port, anyIf(app, flow), countIf(flow) AS n, toUInt64(sum(bytes)), "
                  "toUnixTimestamp64Micro(min(t)), toUnixTimestamp64Micro(max(t)), "
                  "maxIf(detail, detail != '')",
        .rest = "GROUP BY proto, dest_port HAVING n > 0 ORDER BY n DESC, dest_port",
        .names = columns,
        .arms = {{"proto, dest_port, app_proto AS app, 1 AS flow, flow_bytes_toserver + "
                  "flow_bytes_toclient AS bytes, timestamp AS t, '' AS detail",
                  "event_type = 'flow' AND dest_ip = me AND " IS_SERVICE},
                 {"proto, dest_port, '', 0, 0, timestamp, multiIf(event_type = 'ssh', "
                  "toString(ssh_server_software_version), event_type = 'tls', tls_sni, "
                  "http_hostname)",
                  "event_type IN ('http', 'ssh', 'tls') AND dest_ip = me"}}};
    return about_json(c, h, &list);
}

static bool software_json(struct api_call *c, const struct about *h)
{
    static const char *const columns[] = {"name", "source", "count", "last", NULL};
    static const struct about_list list = {
        .key = "software",
        .select = "name, source, count() AS n, toUnixTimestamp64Micro(max(t))",
        .rest = "WHERE name != '' GROUP BY name, source ORDER BY n DESC, name",
        .names = columns,
        .arms = {{"toString(http_http_user_agent) AS name, 'user_agent' AS source, timestamp AS t",
                  "event_type = 'http' AND src_ip = me"},
                 {"toString(ssh_client_software_version), 'ssh', timestamp",
                  "event_type = 'ssh' AND src_ip = me"},
                 {"toString(ssh_server_software_version), 'ssh', timestamp",
                  "event_type = 'ssh' AND dest_ip = me"},
                 {"toString(tls_ja4), 'ja4', timestamp", "event_type = 'tls' AND src_ip = me"}}};
    return about_json(c, h, &list);
}

static bool peers_json(struct api_call *c, const struct about *h)
{
    static const char *const columns[] = {"ip", "flows", "bytes", NULL};
    static const struct about_list list = {
        .key = "peers",
        .select = IP_SQL("peer") ", count(), toUInt64(sum(bytes)) AS b",
        .rest = "GROUP BY peer ORDER BY b DESC, peer",
        .names = columns,
        .arms = {{"dest_ip AS peer, flow_bytes_toserver + flow_bytes_toclient AS bytes",
                  "event_type = 'flow' AND src_ip = me"},
                 {"src_ip, flow_bytes_toserver + flow_bytes_toclient",
                  "event_type = 'flow' AND dest_ip = me AND same_ip = 0"}}};
    return about_json(c, h, &list);
}

static bool macs_json(struct api_call *c, const struct about *h)
{
    static const char *const plain[] = {NULL};
    static const struct about_list list = {
        .key = "macs",
        .select = "mac",
        .rest = "GROUP BY mac ORDER BY mac",
        .names = plain,
        .arms = {{"ether_src_mac AS mac", "src_ip = me AND ether_src_mac != ''"},
                 {"ether_dest_mac", "dest_ip = me AND ether_dest_mac != ''"}}};
    return about_json(c, h, &list);
}

static bool host_totals(struct api_call *c, const struct about *h, uint64_t *events)
{
    struct buf sql = buf_new(SQL_MAX), out = buf_new(1 << 16);
    struct buf *b = c->out;
    buf_str(&sql, "SELECT toUInt64(sum(flows_in) + sum(flows_out)), toUInt64(sum(alerts_in) + "
                  "sum(alerts_out)), toUInt64(sum(bytes_in)), toUInt64(sum(bytes_out)), "
                  "toUnixTimestamp64Micro(min(first)), toUnixTimestamp64Micro(max(last)), "
                  "toUInt64(sum(events)) FROM hosts_hour WHERE ip = toIPv6(");
    schema_quote(&sql, span_str(h->ip));
    buf_str(&sql, ") AND ");
    ask_time_sql(&sql, "hour", &h->range);
    bool ok = ask_store(c, buf_cstr(&sql), &out);
    struct rows rows = rows_of(&out);
    if (ok && rows_next(&rows) && rows.n >= 7) {
        *events = cell_u64(&rows.cell[6]);
        jw_key(b, "totals");
        jw_open(b, '{');
        jw_member_uint(b, "flows", cell_u64(&rows.cell[0]));
        jw_member_uint(b, "alerts", cell_u64(&rows.cell[1]));
        jw_member_uint(b, "bytes_in", cell_u64(&rows.cell[2]));
        jw_member_uint(b, "bytes_out", cell_u64(&rows.cell[3]));
        for (int i = 4; i < 6; i++) {
            jw_key(b, i == 4 ? "first" : "last");
            if (*events)
                cell_time(b, &rows.cell[i]);
            else
                jw_null(b);
        }
        jw_close(b, '}');
    }
    buf_free(&sql);
    buf_free(&out);
    return ok;
}

static bool host_alerts(struct api_call *c, const struct about *h)
{
    char text[IP_TEXT + 8];
    struct group_list list;
    struct group_filter f = {.range = h->range, .status = GROUP_ALL};
    snprintf(text, sizeof(text), "ip:%s", h->ip);
    struct span q = arena_dup(&c->rq->arena, span_str(text));
    if (!ask_query_text(c, q, &f.q) || !groups_find(c, &f, &list))
        return false;
    jw_key(c->out, "alerts");
    jw_open(c->out, '[');
    bool ok = groups_json(c, &list, 0, min_size(list.n, 20), &h->range);
    jw_close(c->out, ']');
    return ok;
}

static bool host_timeline(struct api_call *c, const struct about *h)
{
    struct histogram hist = {0};
    struct buf sql = buf_new(SQL_MAX), out = buf_new(16 << 20);
    histogram_place(&hist, &h->range, 0);
    buf_printf(&sql,
               "SELECT intDiv(toUnixTimestamp(timestamp_s), %llu) * %llu AS t, " TIMELINE_KEY ", "
               "count() FROM ",
               (unsigned long long)hist.interval_s, (unsigned long long)hist.interval_s);
    histogram_either_sql(&sql, &h->range, &h->address);
    buf_str(&sql, " GROUP BY t, k ORDER BY t");
    bool ok = ask_store(c, buf_cstr(&sql), &out);
    if (ok) {
        hist.rows = &out;
        jw_key(c->out, "timeline");
        jw_open(c->out, '{');
        histogram_json(c, &hist);
        jw_close(c->out, '}');
    }
    buf_free(&sql);
    buf_free(&out);
    return ok;
}

void host_run(struct api_call *c)
{
    struct about h;
    struct home home;
    uint64_t events = 0;
    if (!ip_parse(call_path(c, "ip"), &h.address)) {
        answer_error(c, 404, "not_found", "write 192.0.2.1 or 2001:db8::1",
                     "that is not an address");
        return;
    }
    ip_text(&h.address, h.ip);
    if (!ask_range(c, &h.range) || !ask_close_range(c, &h.range))
        return;
    load_home(c, &home);
    jw_open(c->out, '{');
    jw_member_text(c->out, "ip", h.ip);
    jw_member_bool(c->out, "internal", is_home(&home, span_str(h.ip)));
    if (!host_totals(c, &h, &events) || !names_json(c, &h) || !services_json(c, &h) ||
        !software_json(c, &h) || !macs_json(c, &h) || !peers_json(c, &h) || !host_alerts(c, &h) ||
        !host_timeline(c, &h))
        return;
    ask_took(c);
    jw_close(c->out, '}');
}
