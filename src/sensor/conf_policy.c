/* SPDX-License-Identifier: Apache-2.0 */
/* Exception policies of the configuration: each one's own key, or `exception-policy` for all, or
 * `auto`: in line the flow is dropped where sessions must be seen whole, otherwise nothing is done.
 */
#include "base/log.h"
#include "base/nearest.h"
#include "sensor/conf.h"

/* A sensor that only listens drops nothing. */
static bool needs_inline(enum exception_policy p)
{
    return p == POLICY_DROP_PACKET || p == POLICY_DROP_FLOW || p == POLICY_REJECT;
}

/* The policies that are without a flow to act on act on the packet. */
static enum exception_policy of_packet(enum exception_policy p)
{
    switch (p) {
    case POLICY_DROP_FLOW:
        return POLICY_DROP_PACKET;
    case POLICY_PASS_FLOW:
    case POLICY_BYPASS_FLOW:
        return POLICY_PASS_PACKET;
    default:
        return p;
    }
}

static bool is_text(const struct yaml *y)
{
    return y && y->kind == YAML_SCALAR && y->value[0];
}

static bool policy_unknown(const struct yaml *y, const char *key, struct err *e)
{
    struct nearest n = nearest_to(span_str(y->value));

    nearest_words(&n, EXCEPTION_POLICY_NAMES);
    return err_set(
        e, ERR_CONFIG,
        "%s:%u: %s: \"%s\" is no policy%s%.*s; one of these is expected: " EXCEPTION_POLICY_NAMES,
        y->from_command_line ? "--set" : y->file, y->line, key, y->value,
        n.best.n ? ", did you mean " : "", (int)n.best.n, (const char *)n.best.p);
}

/* What an exception that the configuration says nothing of is to do. */
enum lack { LACK_FLOW, LACK_PACKET, LACK_NOTHING };

static bool policy_read(struct sensor_conf *c, struct yaml *root, const char *key, enum lack lack,
                        uint8_t *ret, struct err *e)
{
    const struct yaml *own = tree_find(root, key), *y = own;

    if (!is_text(y))
        y = tree_find(root, "exception-policy");
    if (!is_text(y) || strcmp(y->value, "auto") == 0) {
        *ret = !c->simulate_ips || lack == LACK_NOTHING ? POLICY_IGNORE
               : lack == LACK_PACKET                    ? POLICY_DROP_PACKET
                                                        : POLICY_DROP_FLOW;
        return true;
    }
    enum exception_policy p = exception_policy_find(span_str(y->value));
    if (p == POLICIES)
        return policy_unknown(y, key, e);
    if (lack == LACK_PACKET && of_packet(p) != p) {
        if (y == own)
            log_warn("%s:%u: %s: there is no flow for %s to act on; %s is taken", y->file, y->line,
                     key, y->value, exception_policy_name(of_packet(p)));
        p = of_packet(p);
    }
    if (needs_inline(p) && !c->simulate_ips) {
        log_warn("%s:%u: %s: %s has no effect without --simulate-ips", y->file, y->line, key,
                 y->value);
        p = POLICY_IGNORE;
    }
    *ret = (uint8_t)p;
    return true;
}

bool conf_policies(struct sensor_conf *c, struct yaml *root, struct err *e)
{
    enum lack midstream = c->stream.midstream ? LACK_NOTHING : LACK_FLOW;

    return policy_read(c, root, "stream.midstream-policy", midstream, &c->stream.midstream_policy,
                       e) &&
           policy_read(c, root, "app-layer.error-policy", LACK_FLOW, &c->app_error_policy, e) &&
           policy_read(c, root, "stream.memcap-policy", LACK_FLOW, &c->stream.memcap_policy, e) &&
           policy_read(c, root, "stream.reassembly.memcap-policy", LACK_FLOW,
                       &c->stream.reassembly_memcap_policy, e) &&
           policy_read(c, root, "flow.memcap-policy", LACK_PACKET, &c->flow.memcap_policy, e) &&
           policy_read(c, root, "defrag.memcap-policy", LACK_PACKET, &c->defrag_memcap_policy, e);
}
