/* SPDX-License-Identifier: Apache-2.0 */
/* The sections of the configuration that say how streams and fragments are put together: `stream`
 * and `host-os-policy`. */
#include "base/mem.h"
#include "base/nearest.h"
#include "sensor/conf.h"

static const char *const os_names[] = {
    [OS_BSD] = "bsd",
    [OS_BSD_RIGHT] = "bsd-right",
    [OS_OLD_LINUX] = "old-linux",
    [OS_LINUX] = "linux",
    [OS_OLD_SOLARIS] = "old-solaris",
    [OS_SOLARIS] = "solaris",
    [OS_HPUX10] = "hpux10",
    [OS_HPUX11] = "hpux11",
    [OS_IRIX] = "irix",
    [OS_MACOS] = "macos",
    [OS_WINDOWS] = "windows",
    [OS_WINDOWS2K3] = "windows2k3",
    [OS_VISTA] = "vista",
    [OS_FIRST] = "first",
    [OS_LAST] = "last",
};

static enum defrag_policy defrag_of_os(uint8_t os)
{
    enum defrag_policy policy = DEFRAG_BSD;

    defrag_policy_find(span_str(os_names[os]), &policy);
    return policy;
}

/* How the host puts fragments together: the longest of the networks it is in says so. */
static enum defrag_policy conf_defrag_policy(void *user, const struct ip *host)
{
    const struct sensor_conf *c = user;
    enum defrag_policy policy = c->decode.defrag_default[host->family == 6];
    int best = -1;

    for (size_t i = 0; i < c->stream.n_os_rules; i++) {
        const struct os_rule *r = &c->stream.os_rules[i];
        if ((int)r->net.bits > best && cidr_has(&r->net, host)) {
            best = r->net.bits;
            policy = defrag_of_os(r->os);
        }
    }
    return policy;
}

static bool conf_os_add(struct sensor_conf *c, const struct yaml *y, uint8_t os, struct err *e)
{
    struct os_rule rule = {.os = os};

    if (!cidr_parse(span_trim(span_str(y->value)), &rule.net))
        return err_set(e, ERR_CONFIG, "%s:%u: host-os-policy: \"%s\" is not a network", y->file,
                       y->line, y->value);
    if (rule.net.bits == 0 && rule.net.ip.family == 4) {
        c->stream.default_os = os;
        c->decode.defrag_default[0] = defrag_of_os(os);
        return true;
    }
    c->stream.os_rules = mem_resize(c->stream.os_rules, (c->stream.n_os_rules + 1) * sizeof(rule));
    c->stream.os_rules[c->stream.n_os_rules++] = rule;
    return true;
}

static bool conf_os_unknown(const struct yaml *p, struct err *e)
{
    struct nearest n = nearest_to(span_str(p->key));

    for (size_t i = 0; i < LEN(os_names); i++)
        nearest_try(&n, span_str(os_names[i]));
    return err_set(e, ERR_CONFIG, "%s:%u: host-os-policy: %s is not a policy%s%.*s", p->file,
                   p->line, p->key, n.best.n ? "; did you mean " : "", (int)n.best.n,
                   (const char *)n.best.p);
}

static bool conf_os(struct sensor_conf *c, struct yaml *root, struct err *e)
{
    struct yaml *policy = tree_find(root, "host-os-policy");

    for (struct yaml *p = policy ? policy->first : NULL; p; p = p->next) {
        uint8_t os = 0;
        while (os < LEN(os_names) && strcasecmp(os_names[os], p->key) != 0)
            os++;
        if (os == LEN(os_names))
            return conf_os_unknown(p, e);
        for (struct yaml *n = p->first; n; n = n->next)
            if (n->kind != YAML_SCALAR || !conf_os_add(c, n, os, e))
                return false;
    }
    if (c->stream.n_os_rules) {
        c->decode.defrag_policy = conf_defrag_policy;
        c->decode.defrag_policy_user = c;
    }
    return true;
}

static bool conf_inline(struct sensor_conf *c, struct yaml *root, struct err *e)
{
    const struct yaml *y = tree_find(root, "stream.inline");

    c->stream.inline_mode = c->simulate_ips;
    if (!y || y->kind != YAML_SCALAR || strcmp(y->value, "auto") == 0)
        return true;
    return conf_bool(root, "stream.inline", &c->stream.inline_mode, e);
}

static bool conf_urgent(struct sensor_conf *c, struct yaml *root, struct err *e)
{
    static const char *const names[] = {"inline", "drop", "oob", "gap"};
    const struct yaml *y = tree_find(root, "stream.reassembly.urgent.policy");

    if (!y || y->kind != YAML_SCALAR)
        return true;
    for (uint8_t i = 0; i < LEN(names); i++) {
        if (strcasecmp(names[i], y->value) == 0) {
            c->stream.urgent_policy = i;
            return true;
        }
    }
    return err_set(e, ERR_CONFIG,
                   "%s:%u: stream.reassembly.urgent.policy: inline, drop, oob or gap", y->file,
                   y->line);
}

/* Whether timestamps that are one off pass. */
static bool conf_timestamps(struct sensor_conf *c, struct yaml *root, struct err *e)
{
    bool liberal = !c->stream.strict_timestamps;

    if (!conf_bool(root, "stream.liberal-timestamps", &liberal, e))
        return false;
    c->stream.strict_timestamps = !liberal;
    return true;
}

bool conf_stream(struct sensor_conf *c, struct yaml *root, struct err *e)
{
    struct stream_conf *s = &c->stream;

    return conf_size64(root, "stream.memcap", &s->memcap_bytes, e) &&
           conf_size64(root, "stream.reassembly.memcap", &s->reassembly_memcap_bytes, e) &&
           conf_size32(root, "stream.reassembly.depth", &s->depth_bytes, e) &&
           conf_bool(root, "stream.midstream", &s->midstream, e) &&
           conf_bool(root, "stream.async-oneside", &s->async_oneway, e) &&
           conf_bool(root, "stream.checksum-validation", &s->checksum_validation, e) &&
           conf_bool(root, "stream.bypass", &s->bypass, e) &&
           conf_bool(root, "stream.drop-invalid", &s->drop_invalid, e) &&
           conf_size32(root, "stream.max-syn-queued", &s->max_syn_queued, e) &&
           conf_size32(root, "stream.max-synack-queued", &s->max_synack_queued, e) &&
           conf_size32(root, "stream.reassembly.toserver-chunk-size", &s->chunk_ts_bytes, e) &&
           conf_size32(root, "stream.reassembly.toclient-chunk-size", &s->chunk_tc_bytes, e) &&
           conf_size32(root, "stream.reassembly.max-regions", &s->segments_max, e) &&
           conf_bool(root, "stream.reassembly.raw", &s->raw, e) &&
           conf_bool(root, "stream.reassembly.check-overlap-different-data", &s->check_overlap,
                     e) &&
           conf_timestamps(c, root, e) && conf_inline(c, root, e) && conf_urgent(c, root, e) &&
           conf_os(c, root, e);
}
