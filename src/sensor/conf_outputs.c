/* SPDX-License-Identifier: Apache-2.0 */
/* The `outputs` section: which EVE logs are written, with which events and details. Other outputs
 * of Suricata are named as without effect. */
#include "base/log.h"
#include "base/mem.h"
#include "sensor/conf.h"

#include <stdlib.h>

/* The environment may ask for the older form where the configuration says nothing. */
static uint8_t dns_version(void)
{
    const char *text = getenv("SURICATA_EVE_DNS_VERSION");

    return text && strcmp(text, "2") == 0 ? 2 : 3;
}

static void eve_default(struct eve_conf *v)
{
    *v = (struct eve_conf){
        .append = true,
        .metadata = true,
        .anomaly_app = true,
        .alert = {.app_metadata = true,
                  .flow = true,
                  .rule_metadata = true,
                  .payload_bytes = 4096,
                  .tagged_packets = true},
        .stats_totals = true,
        .stats_nulls = true,
    };
    log_conf_default(&v->log);
    v->log.dns.version = dns_version();
    v->filename = mem_strdup("eve.json");
    v->filetype = mem_strdup("regular");
}

void conf_outputs_default(struct sensor_conf *c)
{
    static const enum event_type types[] = {EVENT_alert, EVENT_anomaly, EVENT_http,
                                            EVENT_dns,   EVENT_tls,     EVENT_fileinfo,
                                            EVENT_ssh,   EVENT_flow,    EVENT_stats};
    struct eve_conf *v = &c->eve[0];

    eve_default(v);
    for (size_t i = 0; i < LEN(types); i++)
        v->types[types[i]] = true;
    c->n_eve = 1;
}

static bool outputs_alert(struct eve_conf *v, struct yaml *y, struct err *e)
{
    struct eve_alert_conf *a = &v->alert;
    bool metadata = true, set = false;
    const struct yaml *m = tree_find(y, "metadata");

    if (m && m->kind == YAML_SCALAR && m->value[0]) {
        if (!conf_bool(y, "metadata", &metadata, e))
            return false;
        set = true;
    }
    if (set && !metadata)
        a->app_metadata = a->flow = a->rule_metadata = false;
    return conf_bool(y, "payload", &a->payload, e) &&
           conf_bool(y, "payload-printable", &a->payload_printable, e) &&
           conf_bool(y, "packet", &a->packet, e) && conf_bool(y, "http-body", &a->http_body, e) &&
           conf_bool(y, "http-body-printable", &a->http_body_printable, e) &&
           conf_bool(y, "tagged-packets", &a->tagged_packets, e) &&
           conf_bool(y, "verdict", &a->verdict, e) &&
           conf_size32(y, "payload-buffer-size", &a->payload_bytes, e) &&
           conf_bool(y, "metadata.app-layer", &a->app_metadata, e) &&
           conf_bool(y, "metadata.flow", &a->flow, e) &&
           conf_bool(y, "metadata.rule.metadata", &a->rule_metadata, e) &&
           conf_bool(y, "metadata.rule.raw", &a->rule_raw, e) &&
           conf_bool(y, "metadata.rule.reference", &a->rule_reference, e);
}

static bool outputs_anomaly(struct eve_conf *v, struct yaml *y, struct err *e)
{
    const struct yaml *types = tree_find(y, "types");

    if (types && types->kind == YAML_MAP)
        v->anomaly_app = true;
    return conf_bool(y, "types.decode", &v->anomaly_decode, e) &&
           conf_bool(y, "types.stream", &v->anomaly_stream, e) &&
           conf_bool(y, "types.applayer", &v->anomaly_app, e) &&
           conf_bool(y, "packethdr", &v->anomaly_packet, e);
}

/* The numbers of the RR types that `dns.types` may name: those that a request is worth logging
 * for. */
static bool outputs_dns_types(struct dns_log_conf *d, const struct yaml *list, struct err *e)
{
    static const struct {
        const char *name;
        uint16_t type;
    } rows[] = {{"a", 1},      {"ns", 2},        {"md", 3},          {"mf", 4},     {"cname", 5},
                {"soa", 6},    {"mb", 7},        {"mg", 8},          {"mr", 9},     {"null", 10},
                {"wks", 11},   {"ptr", 12},      {"hinfo", 13},      {"minfo", 14}, {"mx", 15},
                {"txt", 16},   {"rp", 17},       {"afsdb", 18},      {"x25", 19},   {"isdn", 20},
                {"rt", 21},    {"nsap", 22},     {"nsapptr", 23},    {"sig", 24},   {"key", 25},
                {"px", 26},    {"gpos", 27},     {"aaaa", 28},       {"loc", 29},   {"nxt", 30},
                {"srv", 33},   {"atma", 34},     {"naptr", 35},      {"kx", 36},    {"cert", 37},
                {"a6", 38},    {"dname", 39},    {"opt", 41},        {"apl", 42},   {"ds", 43},
                {"sshfp", 44}, {"ipseckey", 45}, {"rrsig", 46},      {"nsec", 47},  {"dnskey", 48},
                {"dhcid", 49}, {"nsec3", 50},    {"nsec3param", 51}, {"tlsa", 52},  {"hip", 55},
                {"cds", 59},   {"cdnskey", 60},  {"https", 65},      {"spf", 99},   {"tkey", 249},
                {"tsig", 250}, {"maila", 254},   {"any", 255}};

    for (const struct yaml *t = list->first; t; t = t->next) {
        size_t i = 0;
        while (i < LEN(rows) && (t->kind != YAML_SCALAR || strcasecmp(rows[i].name, t->value) != 0))
            i++;
        if (i == LEN(rows))
            return err_set(e, ERR_CONFIG, "%s:%u: dns.types: %s is not a record type", t->file,
                           t->line, t->kind == YAML_SCALAR ? t->value : "a group");
        d->types[rows[i].type / 64] |= (uint64_t)1 << rows[i].type % 64;
    }
    return true;
}

static bool outputs_dns(struct dns_log_conf *d, struct yaml *y, struct err *e)
{
    uint32_t version = d->version;
    const struct yaml *formats = tree_find(y, "formats");
    const struct yaml *types = tree_find(y, "types");

    if (formats && formats->kind == YAML_LIST) {
        d->grouped = d->detailed = false;
        for (const struct yaml *f = formats->first; f; f = f->next) {
            d->grouped |= f->kind == YAML_SCALAR && strcmp(f->value, "grouped") == 0;
            d->detailed |= f->kind == YAML_SCALAR && strcmp(f->value, "detailed") == 0;
        }
    }
    if (types && types->kind == YAML_LIST && !outputs_dns_types(d, types, e))
        return false;
    if (!conf_size32(y, "version", &version, e) || !conf_bool(y, "requests", &d->requests, e) ||
        !conf_bool(y, "responses", &d->responses, e) || !conf_bool(y, "query", &d->requests, e) ||
        !conf_bool(y, "answer", &d->responses, e))
        return false;
    if (version != 2 && version != 3) {
        log_warn("dns.version: 2 or 3 expected, not %u: 3 is used", version);
        version = 3;
    }
    d->version = (uint8_t)version;
    return true;
}

static bool outputs_hashes(struct file_conf *f, struct yaml *y, struct err *e)
{
    struct yaml *hashes = tree_find(y, "force-hash");

    for (const struct yaml *h = hashes ? hashes->first : NULL; h; h = h->next) {
        struct span name = span_str(h->value ? h->value : "");
        if (span_ieq(name, SPAN("md5")))
            f->md5 = true;
        else if (span_ieq(name, SPAN("sha1")))
            f->sha1 = true;
        else if (span_ieq(name, SPAN("sha256")))
            f->sha256 = true;
        else if (span_ieq(name, SPAN("sm3")))
            f->sm3 = true;
        else
            return err_set(e, ERR_CONFIG, "%s:%u: force-hash: md5, sha1, sha256 or sm3", h->file,
                           h->line);
    }
    return true;
}

static bool outputs_files(struct sensor_conf *c, struct yaml *y, struct err *e)
{
    struct file_conf *f = &c->proto.file;

    return outputs_hashes(f, y, e) && conf_bool(y, "force-magic", &f->magic, e);
}

/* Kept files: named by their SHA-256, so that one is always computed. */
static bool outputs_filestore(struct sensor_conf *c, struct yaml *y, struct err *e)
{
    struct filestore_settings *s = &c->filestore;
    struct file_conf *f = &c->proto.file;
    uint32_t depth = 0, version = 2;
    const struct yaml *d = tree_find(y, "stream-depth");
    bool off = d && d->kind == YAML_SCALAR && strcmp(d->value, "no") == 0;

    if (!conf_bool(y, "enabled", &s->enabled, e))
        return false;
    if (!s->enabled)
        return true;
    if (!conf_size32(y, "version", &version, e) || !conf_str(y, "dir", &s->dir, e) ||
        !conf_bool(y, "write-fileinfo", &s->write_fileinfo, e) ||
        !conf_bool(y, "force-filestore", &f->store_all, e) ||
        !conf_size32(y, "max-open-files", &s->max_open_files, e) || !outputs_hashes(f, y, e) ||
        (!off && !conf_size32(y, "stream-depth", &depth, e)))
        return false;
    if (version != 2)
        return err_set(e, ERR_CONFIG, "%s:%u: file-store.version: 2 expected", y->file, y->line);
    f->sha256 = true;
    /* Wanted files may go deeper than what is inspected, never less deep. */
    if (f->store_depth && depth > f->store_depth)
        f->store_depth = depth;
    return true;
}

static bool outputs_stats(struct eve_conf *v, struct yaml *y, struct err *e)
{
    return conf_bool(y, "totals", &v->stats_totals, e) &&
           conf_bool(y, "threads", &v->stats_threads, e) &&
           conf_bool(y, "deltas", &v->stats_deltas, e) &&
           conf_bool(y, "null-values", &v->stats_nulls, e);
}

static bool outputs_drop(struct eve_conf *v, struct yaml *y, struct err *e)
{
    const struct yaml *flows = tree_find(y, "flows");

    v->drop_all = flows && flows->kind == YAML_SCALAR && strcmp(flows->value, "all") == 0;
    return conf_bool(y, "alerts", &v->drop_alerts, e) &&
           conf_bool(y, "verdict", &v->drop_verdict, e);
}

static bool outputs_type_options(struct sensor_conf *c, struct eve_conf *v, enum event_type type,
                                 struct yaml *y, struct err *e)
{
    switch (type) {
    case EVENT_alert:
        return outputs_alert(v, y, e);
    case EVENT_anomaly:
        return outputs_anomaly(v, y, e);
    case EVENT_dns:
        return outputs_dns(&v->log.dns, y, e);
    case EVENT_fileinfo:
        return outputs_files(c, y, e);
    case EVENT_stats:
        return outputs_stats(v, y, e);
    case EVENT_drop:
        return outputs_drop(v, y, e);
    case EVENT_http:
        return http_log_options(&v->log.http, y, e);
    case EVENT_tls:
        return tls_log_options(&v->log.tls, &c->proto.tls, y, e);
    default:
        return true;
    }
}

/* One element of eve-log.types: `- dns` or `- dns: {…}`. */
static bool outputs_type(struct sensor_conf *c, struct eve_conf *v, struct yaml *item,
                         struct err *e)
{
    bool on = true;
    struct yaml *y = tree_only(item);
    const char *name = y->kind == YAML_SCALAR && y == item ? y->value : y->key;
    struct span key = span_str(name);

    if (span_eq(key, SPAN("files")))
        key = SPAN("fileinfo");
    enum event_type type = event_type_find(key);
    if (type == EVENT_TYPES) {
        log_info("%s:%u: events of type %s are not made by this sensor", y->file, y->line, name);
        return true;
    }
    if (y == item || y->kind == YAML_SCALAR) { /* no settings at all: the short forms */
        if (type == EVENT_http)
            v->log.http.extended = false;
        if (type == EVENT_tls)
            v->log.tls.extended = v->log.tls.session_resumption = false;
    } else {
        if (!conf_bool(y, "enabled", &on, e) || !outputs_type_options(c, v, type, y, e))
            return false;
    }
    v->types[type] = on;
    return true;
}

static bool outputs_xff(struct eve_conf *v, struct yaml *y, struct err *e)
{
    struct http_log_conf *h = &v->log.http;
    bool on = false;
    const struct yaml *mode = tree_find(y, "mode"), *way = tree_find(y, "deployment");
    const struct yaml *header = tree_find(y, "header");

    if (!conf_bool(y, "enabled", &on, e))
        return false;
    if (!on)
        return true;
    h->xff_mode =
        mode && mode->value && strcmp(mode->value, "overwrite") == 0 ? XFF_OVERWRITE : XFF_EXTRA;
    h->xff_forward = way && way->value && strcmp(way->value, "forward") == 0;
    if (header && header->value)
        span_copy(span_str(header->value), h->xff_header, sizeof(h->xff_header));
    for (char *at = h->xff_header; *at; at++)
        *at = (char)ascii_lower((uint8_t)*at);
    return true;
}

static bool outputs_rotation(struct eve_conf *v, struct yaml *y, struct err *e)
{
    static const struct {
        const char *name;
        uint32_t seconds;
    } units[] = {{"minute", 60}, {"hour", 3600}, {"day", 86400}};
    struct yaml *interval = tree_find(y, "rotate-interval");
    uint64_t n;

    if (!conf_size64(y, "rotate-size", &v->rotate_bytes, e))
        return false;
    if (!interval || interval->kind != YAML_SCALAR)
        return true;
    for (size_t i = 0; i < LEN(units); i++)
        if (strcmp(interval->value, units[i].name) == 0)
            v->rotate_s = units[i].seconds;
    struct span text = span_str(interval->value);
    uint32_t scale = text.n && text.p[text.n - 1] == 'm'   ? 60
                     : text.n && text.p[text.n - 1] == 'h' ? 3600
                     : text.n && text.p[text.n - 1] == 'd' ? 86400
                                                           : 1;
    if (text.n && !ascii_is_digit(text.p[text.n - 1]))
        text.n--;
    if (!v->rotate_s && span_u64(text, &n) && n < 100000000)
        v->rotate_s = (uint32_t)n * scale;
    if (!v->rotate_s)
        return err_set(e, ERR_CONFIG,
                       "%s:%u: rotate-interval: minute, hour, day or a number with "
                       "s, m, h or d",
                       interval->file, interval->line);
    return true;
}

static bool outputs_eve(struct sensor_conf *c, struct yaml *y, struct err *e)
{
    bool on = true;
    uint32_t seed = 0;

    if (!conf_bool(y, "enabled", &on, e))
        return false;
    if (!on)
        return true;
    if (c->n_eve == CONF_EVES)
        return err_set(e, ERR_CONFIG, "%s:%u: at most %d eve-log outputs", y->file, y->line,
                       CONF_EVES);
    struct eve_conf *v = &c->eve[c->n_eve++];
    eve_default(v);
    struct yaml *types = tree_find(y, "types");
    for (struct yaml *t = types ? types->first : NULL; t; t = t->next)
        if (!outputs_type(c, v, t, e))
            return false;
    struct yaml *xff = tree_find(y, "xff");
    if (!conf_str(y, "filename", &v->filename, e) || !conf_str(y, "filetype", &v->filetype, e) ||
        !conf_bool(y, "append", &v->append, e) || !conf_bool(y, "metadata", &v->metadata, e) ||
        !conf_bool(y, "community-id", &v->community_id, e) ||
        !conf_size32(y, "community-id-seed", &seed, e) ||
        !conf_bool(y, "ethernet", &v->ethernet, e) ||
        !conf_bool(y, "pcap-file", &v->pcap_file, e) ||
        !conf_bool(y, "suricata-version", &v->suricata_version, e) || !outputs_rotation(v, y, e) ||
        (xff && !outputs_xff(v, xff, e)))
        return false;
    v->community_seed = (uint16_t)seed;
    static const char *const filetypes[] = {"regular", "unix_stream", "unix_dgram"};
    for (size_t i = 0; i < LEN(filetypes); i++)
        if (strcmp(v->filetype, filetypes[i]) == 0)
            return true;
    return err_set(e, ERR_CONFIG, "%s:%u: filetype %s: regular, unix_stream or unix_dgram expected",
                   y->file, y->line, v->filetype);
}

bool conf_outputs(struct sensor_conf *c, struct yaml *outputs, struct err *e)
{
    for (struct yaml *o = outputs ? outputs->first : NULL; o; o = o->next) {
        struct yaml *y = tree_only(o);
        if (y->key && strcmp(y->key, "file-store") == 0) {
            if (!outputs_filestore(c, y, e))
                return false;
            continue;
        }
        if (!y->key || strcmp(y->key, "eve-log") != 0) {
            bool on = false;
            if (y->kind == YAML_MAP && !conf_bool(y, "enabled", &on, e))
                return false;
            if (on)
                log_info("%s:%u: output %s has no effect here", y->file, y->line, y->key);
            continue;
        }
        if (!outputs_eve(c, y, e))
            return false;
    }
    return true;
}
