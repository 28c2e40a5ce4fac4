/* SPDX-License-Identifier: Apache-2.0 */
/* From the configuration tree to the settings of each part. Sections are read one by one, each with
 * the names that Suricata's configuration gives them. */
#include "sensor/conf.h"

#include "base/log.h"
#include "base/mem.h"
#include "detect/vars.h"

#include <inttypes.h>

#include <unistd.h>

void conf_default(struct sensor_conf *c)
{
    char host[64] = "sensor";

    *c = (struct sensor_conf){.stats_enabled = true,
                              .stats_interval_s = 8,
                              .stats_decoder_events = true,
                              .stats_stream_events = false,
                              .app_memory_bytes = (uint64_t)512 << 20};
    decode_conf_default(&c->decode);
    flow_conf_default(&c->flow);
    stream_conf_default(&c->stream);
    proto_conf_default(&c->proto);
    detect_conf_default(&c->detect);
    c->detect.vars = vars_new();
    c->yaml = tree_new_map();
    if (gethostname(host, sizeof(host) - 1) != 0)
        log_debug("gethostname: %m");
    c->sensor_name = mem_strdup(host);
    c->unit = mem_strdup("");
}

static void eve_free(struct eve_conf *v)
{
    mem_free(v->filename);
    mem_free(v->filetype);
}

void conf_free(struct sensor_conf *c)
{
    tree_free(c->yaml);
    for (size_t i = 0; i < c->n_eve; i++)
        eve_free(&c->eve[i]);
    for (size_t i = 0; i < c->n_rule_files; i++)
        mem_free(c->rule_files[i]);
    mem_free(c->stream.os_rules);
    mem_free(c->rule_path);
    mem_free(c->log_dir);
    mem_free(c->filestore.dir);
    mem_free(c->user);
    mem_free(c->group);
    mem_free(c->node_socket);
    mem_free(c->node_token_file);
    mem_free(c->node_ca_file);
    mem_free(c->sensor_name);
    mem_free(c->unit);
    for (size_t i = 0; i < c->detect.n_iprep_files; i++)
        mem_free(c->detect.iprep_files[i]);
    vars_free(c->detect.vars);
}

static bool conf_vars(struct sensor_conf *c, struct yaml *root, struct err *e)
{
    struct yaml *groups[] = {tree_find(root, "vars.address-groups"),
                             tree_find(root, "vars.port-groups")};

    for (size_t g = 0; g < LEN(groups); g++) {
        for (struct yaml *v = groups[g] ? groups[g]->first : NULL; v; v = v->next) {
            if (v->kind != YAML_SCALAR)
                return err_set(e, ERR_CONFIG, "%s:%u: variable %s must be text in quotes", v->file,
                               v->line, v->key);
            if (g == 0)
                vars_set_address(c->detect.vars, v->key, v->value);
            else
                vars_set_port(c->detect.vars, v->key, v->value);
        }
    }
    return true;
}

/* "$VXLAN_PORTS", "4789" or "[4789, 8472]" into at most `cap` ports. */
static bool conf_ports(struct yaml *root, const char *path, uint16_t *ports, uint8_t *n, size_t cap,
                       struct err *e)
{
    struct yaml *y = tree_find(root, path);

    if (!y || (y->kind == YAML_SCALAR && y->value[0] == '\0'))
        return true;
    if (y->kind == YAML_SCALAR && y->value[0] == '$') {
        char name[128];
        snprintf(name, sizeof(name), "vars.port-groups.%s", y->value + 1);
        y = tree_find(root, name);
        if (!y)
            return true; /* the shipped value stands */
    }
    size_t count = 0;
    struct span text = y->kind == YAML_SCALAR ? span_str(y->value) : SPAN("");
    struct yaml *item = y->kind == YAML_LIST ? y->first : NULL;
    while (text.n || item) {
        uint64_t port;
        struct span one = item ? span_str(item->value) : span_split(&text, ',');
        while (one.n && (one.p[0] == '[' || one.p[0] == ' '))
            one = span_from(one, 1);
        while (one.n && (one.p[one.n - 1] == ']' || one.p[one.n - 1] == ' '))
            one.n--;
        if (!span_u64(one, &port) || port > UINT16_MAX)
            return err_set(e, ERR_CONFIG, "%s:%u: %s: \"%.*s\" is not a port", y->file, y->line,
                           path, (int)one.n, (const char *)one.p);
        if (count == cap)
            return err_set(e, ERR_CONFIG, "%s:%u: %s: at most %zu ports", y->file, y->line, path,
                           cap);
        ports[count++] = (uint16_t)port;
        item = item ? item->next : NULL;
    }
    *n = (uint8_t)count;
    return true;
}

/* Does the configuration say yes or no, and not leave it to us? */
static bool said(const struct yaml *y)
{
    return y && y->kind == YAML_SCALAR && y->value[0] && strcmp(y->value, "auto") != 0;
}

/* VXLAN's reserved bits: `strict` (they are zero, or it is no VXLAN) or `permissive`. */
static bool conf_vxlan(struct decode_conf *d, struct yaml *root, struct err *e)
{
    static const char path[] = "decoder.vxlan.reserved-bits-check";
    const struct yaml *y = tree_find(root, path);

    if (said(y) && (strcmp(y->value, "strict") == 0 || strcmp(y->value, "permissive") == 0)) {
        d->vxlan_strict = y->value[0] == 's';
        return true;
    }
    return conf_bool(root, path, &d->vxlan_strict, e);
}

static bool conf_decode(struct sensor_conf *c, struct yaml *root, struct err *e)
{
    struct decode_conf *d = &c->decode;
    uint32_t layers = d->max_layers;

    if (!conf_bool(root, "decoder.teredo.enabled", &d->teredo, e) ||
        !conf_bool(root, "decoder.vxlan.enabled", &d->vxlan, e) || !conf_vxlan(d, root, e) ||
        !conf_bool(root, "decoder.geneve.enabled", &d->geneve, e) ||
        !conf_bool(root, "decoder.erspan.typeI.enabled", &d->erspan_type_1, e) ||
        !conf_bool(root, "decoder.recursion-level.use-for-tracking", &d->depth_is_flow_key, e) ||
        !conf_size32(root, "decoder.max-layers", &layers, e) ||
        !conf_ports(root, "decoder.teredo.ports", d->teredo_ports, &d->n_teredo_ports,
                    LEN(d->teredo_ports), e) ||
        !conf_ports(root, "decoder.vxlan.ports", d->vxlan_ports, &d->n_vxlan_ports,
                    LEN(d->vxlan_ports), e) ||
        !conf_ports(root, "decoder.geneve.ports", d->geneve_ports, &d->n_geneve_ports,
                    LEN(d->geneve_ports), e))
        return false;
    if (layers == 0 || layers > 255)
        return err_set(e, ERR_CONFIG, "decoder.max-layers: 1 to 255 expected, not %u", layers);
    d->max_layers = (uint8_t)layers;
    const struct yaml *checks = tree_find(root, "pcap-file.checksum-checks");
    d->checksums_auto = !said(checks);
    if (said(checks) && !conf_bool(root, "pcap-file.checksum-checks", &d->checksums, e))
        return false;
    return conf_size32(root, "defrag.timeout", &d->defrag_timeout_s, e) &&
           conf_size32(root, "defrag.trackers", &d->defrag_trackers, e) &&
           conf_size32(root, "defrag.max-frags", &d->defrag_frags, e) &&
           conf_size64(root, "defrag.memcap", &d->defrag_memcap, e);
}

static bool conf_timeouts(struct yaml *root, const char *name, struct flow_timeouts *normal,
                          struct flow_timeouts *emergency, struct err *e)
{
    char path[64];
    struct {
        const char *key;
        uint32_t *to;
    } rows[] = {{"new", &normal->fresh_s},
                {"established", &normal->established_s},
                {"closed", &normal->closed_s},
                {"bypassed", &normal->bypassed_s},
                {"emergency-new", &emergency->fresh_s},
                {"emergency-established", &emergency->established_s},
                {"emergency-closed", &emergency->closed_s},
                {"emergency-bypassed", &emergency->bypassed_s}};

    for (size_t i = 0; i < LEN(rows); i++) {
        snprintf(path, sizeof(path), "flow-timeouts.%s.%s", name, rows[i].key);
        if (!conf_size32(root, path, rows[i].to, e))
            return false;
    }
    return true;
}

static bool conf_flow(struct sensor_conf *c, struct yaml *root, struct err *e)
{
    struct flow_conf *f = &c->flow;

    f->depth_is_key = c->decode.depth_is_flow_key;
    return conf_size64(root, "flow.memcap", &f->memcap_bytes, e) &&
           conf_size32(root, "flow.emergency-recovery", &f->emergency_recovery_percent, e) &&
           conf_bool(root, "vlan.use-for-tracking", &f->vlan_is_key, e) &&
           conf_bool(root, "decoder.recursion-level.use-for-tracking", &f->depth_is_key, e) &&
           conf_timeouts(root, "tcp", &f->tcp, &f->tcp_emergency, e) &&
           conf_timeouts(root, "udp", &f->udp, &f->udp_emergency, e) &&
           conf_timeouts(root, "icmp", &f->icmp, &f->icmp_emergency, e) &&
           conf_timeouts(root, "default", &f->other, &f->other_emergency, e);
}

/* detection-ports of DNS: a configuration that names ports wants recognition there alone. */
static bool conf_dns(struct dns_conf *d, struct yaml *root, struct err *e)
{
    static const char base[] = "app-layer.protocols.dns.";
    const struct {
        const char *key;
        bool udp, tcp;
    } rows[] = {{"detection-ports.dp", true, true},
                {"udp.detection-ports.dp", true, false},
                {"tcp.detection-ports.dp", false, true}};

    for (size_t i = 0; i < LEN(rows); i++) {
        char path[96];
        snprintf(path, sizeof(path), "%s%s", base, rows[i].key);
        if (rows[i].udp &&
            !conf_ports(root, path, d->udp_ports, &d->n_udp_ports, LEN(d->udp_ports), e))
            return false;
        if (rows[i].tcp &&
            !conf_ports(root, path, d->tcp_ports, &d->n_tcp_ports, LEN(d->tcp_ports), e))
            return false;
    }
    return true;
}

/* yes, no, or auto: when a rule or an output wants it. */
static bool conf_fingerprint(struct yaml *root, const char *path, bool *ret_on, bool *ret_off,
                             struct err *e)
{
    const struct yaml *y = tree_find(root, path);

    if (!y || y->kind != YAML_SCALAR || !y->value[0] || strcmp(y->value, "auto") == 0)
        return true;
    if (!conf_bool(root, path, ret_on, e))
        return false;
    *ret_off = !*ret_on;
    return true;
}

/* encryption-handling of a protocol: track-only (the shipped one), bypass or full. */
static bool encryption_is(struct yaml *root, const char *proto, const char *what)
{
    static const char *const keys[] = {"encryption-handling", "encrypt-handling"};

    for (size_t i = 0; i < LEN(keys); i++) {
        char path[96];
        snprintf(path, sizeof(path), "app-layer.protocols.%s.%s", proto, keys[i]);
        const struct yaml *y = tree_find(root, path);
        if (y && y->kind == YAML_SCALAR)
            return strcmp(y->value, what) == 0;
    }
    return false;
}

static bool conf_protocols(struct sensor_conf *c, struct yaml *root, struct err *e)
{
    char path[96];

    for (unsigned i = 1; i < PROTO_COUNT; i++) {
        snprintf(path, sizeof(path), "app-layer.protocols.%s.enabled", proto_table[i]->name);
        const struct yaml *y = tree_find(root, path);
        if (y && y->kind == YAML_SCALAR && strcmp(y->value, "detection-only") == 0)
            c->proto.detection_only[i] = true;
        else if (!conf_bool(root, path, &c->proto.enabled[i], e))
            return false;
    }
    c->proto.tls.encrypt_full = encryption_is(root, "tls", "full");
    c->proto.tls.encrypt_bypass = encryption_is(root, "tls", "bypass");
    c->proto.ssh.encrypt_bypass = encryption_is(root, "ssh", "bypass");
    if (!conf_fingerprint(root, "app-layer.protocols.ssh.hassh", &c->proto.ssh.hassh,
                          &c->detect.hassh_off, e) ||
        !conf_fingerprint(root, "app-layer.protocols.tls.ja3-fingerprints", &c->proto.tls.ja3,
                          &c->detect.ja3_off, e) ||
        !conf_fingerprint(root, "app-layer.protocols.tls.ja4-fingerprints", &c->proto.tls.ja4,
                          &c->detect.ja4_off, e))
        return false;
    c->proto.midstream = c->stream.midstream;
    return conf_dns(&c->proto.dns, root, e) && conf_http(c, root, e);
}

static bool conf_action_order(struct sensor_conf *c, struct yaml *root, struct err *e)
{
    static const char *const names[] = {"pass", "drop", "reject", "alert"};
    struct yaml *list = tree_find(root, "action-order");
    size_t n = 0;

    for (struct yaml *y = list ? list->first : NULL; y; y = y->next) {
        size_t i = 0;
        while (i < LEN(names) && (y->kind != YAML_SCALAR || strcmp(names[i], y->value) != 0))
            i++;
        if (i == LEN(names) || n == LEN(c->detect.action_order))
            return err_set(e, ERR_CONFIG,
                           "%s:%u: action-order: pass, drop, reject, alert, once each", y->file,
                           y->line);
        c->detect.action_order[n++] = names[i][0];
    }
    return true;
}

/* A file that a configuration names and that is not there does not keep the sensor from working:
 * what is shipped stands. */
static const char *conf_file(struct yaml *root, const char *key)
{
    const struct yaml *y = tree_find(root, key);

    if (!y || !y->value || !y->value[0])
        return NULL;
    if (access(y->value, R_OK) == 0)
        return y->value;
    log_warn("%s:%u: %s: %s: %m; what is shipped is used", y->file, y->line, key, y->value);
    return NULL;
}

static bool conf_rules(struct sensor_conf *c, struct yaml *root, struct err *e)
{
    struct yaml *files = tree_find(root, "rule-files");
    char *text[4] = {0};
    bool ok = conf_str(root, "default-rule-path", &c->rule_path, e) &&
              conf_str(root, "classification-file", &text[0], e) &&
              conf_str(root, "reference-config-file", &text[1], e) &&
              conf_str(root, "threshold-file", &text[2], e) &&
              conf_str(root, "detect.sgh-mpm-caching-path", &text[3], e);

    if (ok) {
        /* These live as long as the settings: the tree keeps their text. */
        struct yaml *y;
        c->detect.classification_file = conf_file(root, "classification-file");
        c->detect.reference_file = conf_file(root, "reference-config-file");
        c->detect.threshold_file = conf_file(root, "threshold-file");
        if ((y = tree_find(root, "detect.sgh-mpm-caching-path")) && y->value && y->value[0])
            c->detect.cache_dir = y->value;
    }
    for (size_t i = 0; i < LEN(text); i++)
        mem_free(text[i]);
    for (struct yaml *f = files ? files->first : NULL; ok && f; f = f->next) {
        if (f->kind != YAML_SCALAR || c->n_rule_files == CONF_RULE_FILES)
            return err_set(e, ERR_CONFIG, "%s:%u: rule-files: a list of at most %d names", f->file,
                           f->line, CONF_RULE_FILES);
        c->rule_files[c->n_rule_files++] = mem_strdup(f->value);
    }
    return ok && conf_size32(root, "packet-alert-max", &c->detect.max_alerts, e) &&
           conf_bool(root, "detect.guess-applayer-tx", &c->detect.guess_tx, e) &&
           conf_size32(root, "detect.stream-tx-log-limit", &c->detect.stream_tx_log_limit, e) &&
           conf_size32(root, "detect.inspection-recursion-limit",
                       &c->detect.inspection_recursion_limit, e) &&
           conf_size32(root, "pcre.match-limit", &c->detect.pcre_match_limit, e) &&
           conf_size32(root, "pcre.match-limit-recursion", &c->detect.pcre_recursion_limit, e);
}

static bool conf_sections(struct sensor_conf *c, struct err *e)
{
    struct yaml *root = c->yaml;

    return conf_vars(c, root, e) && conf_decode(c, root, e) && conf_flow(c, root, e) &&
           conf_stream(c, root, e) && conf_policies(c, root, e) && conf_protocols(c, root, e) &&
           conf_rules(c, root, e) && conf_datasets(c, root, e) && conf_action_order(c, root, e) &&
           conf_bool(root, "stats.enabled", &c->stats_enabled, e) &&
           conf_bool(root, "stats.decoder-events", &c->stats_decoder_events, e) &&
           conf_bool(root, "stats.stream-events", &c->stats_stream_events, e) &&
           conf_size32(root, "stats.interval", &c->stats_interval_s, e) &&
           conf_str(root, "default-log-dir", &c->log_dir, e) &&
           conf_str(root, "run-as.user", &c->user, e) &&
           conf_str(root, "run-as.group", &c->group, e) &&
           conf_str(root, "sensor-name", &c->sensor_name, e) &&
           conf_str(root, "daizong.node", &c->node_socket, e) &&
           conf_str(root, "daizong.token-file", &c->node_token_file, e) &&
           conf_str(root, "daizong.ca-file", &c->node_ca_file, e) &&
           conf_size64(root, "daizong.stream", &c->node_stream, e) &&
           conf_str(root, "daizong.unit", &c->unit, e) &&
           conf_size64(root, "daizong.app-memory", &c->app_memory_bytes, e);
}

bool conf_load(struct sensor_conf *c, const char *path, const char *const *sets, size_t n_sets,
               struct err *e)
{
    if (path) {
        tree_free(c->yaml);
        c->yaml = NULL;
        if (!tree_load(path, &c->yaml, e)) {
            c->yaml = tree_new_map();
            return false;
        }
    }
    for (size_t i = 0; i < n_sets; i++) {
        struct span value = span_str(sets[i]);
        struct span key = span_split(&value, '=');
        if (!tree_set(c->yaml, span_trim(key), span_trim(value), e))
            return false;
    }
    c->warnings = conf_check_keys(c->yaml);
    /* A file that is silent on timeouts means the program's own, not those of the shipped file. */
    if (path) {
        c->flow.tcp = (struct flow_timeouts){30, 300, 10, 100};
        c->flow.tcp_emergency = (struct flow_timeouts){10, 100, 5, 50};
    }
    if (!conf_sections(c, e))
        return false;
    struct yaml *outputs = tree_find(c->yaml, "outputs");
    c->proto.file.store_depth = c->stream.depth_bytes;
    if (!path)
        conf_outputs_default(c);
    return conf_outputs(c, outputs, e);
}

void conf_explain(const struct sensor_conf *c, struct buf *out)
{
    buf_printf(out, "sensor %s%s%s\n", c->sensor_name, c->unit[0] ? " of " : "", c->unit);
    buf_printf(out, "streams: %s, depth %u bytes, midstream pickup %s, %s\n",
               c->stream.inline_mode ? "inline (data are inspected before they are acknowledged)"
                                     : "passive (data are inspected once acknowledged)",
               c->stream.depth_bytes, c->stream.midstream ? "on" : "off",
               c->stream.async_oneway ? "one-sided sessions are followed"
                                      : "both sides must be seen");
    buf_printf(out,
               "memory: flows %" PRIu64 " MiB, sessions %" PRIu64 " MiB, reassembly %" PRIu64
               " MiB, fragments %" PRIu64 " MiB, application layer %" PRIu64 " MiB\n",
               c->flow.memcap_bytes >> 20, c->stream.memcap_bytes >> 20,
               c->stream.reassembly_memcap_bytes >> 20, c->decode.defrag_memcap >> 20,
               c->app_memory_bytes >> 20);
    buf_str(out, "protocols:");
    for (unsigned i = 1; i < PROTO_COUNT; i++)
        buf_printf(out, " %s%s", proto_table[i]->name,
                   !c->proto.enabled[i]         ? " (off)"
                   : c->proto.detection_only[i] ? " (recognised only)"
                                                : "");
    buf_str(out, "\n");
    for (size_t i = 0; i < c->n_eve; i++) {
        const struct eve_conf *v = &c->eve[i];
        buf_printf(out, "events to %s (%s):", v->filename, v->filetype);
        for (unsigned t = 0; t < EVENT_TYPES; t++)
            if (v->types[t])
                buf_printf(out, " %s", event_table[t].name);
        buf_str(out, "\n");
    }
    if (c->node_socket)
        buf_printf(out, "events to the node at %s\n", c->node_socket);
    if (!c->n_eve && !c->node_socket)
        buf_str(out, "no output is configured: nothing will be written\n");
}
