/* SPDX-License-Identifier: Apache-2.0 */
/* Exception policies of the configuration: each one's own key, or `exception-policy` for all, or
 * `auto`: in line the flow is dropped where sessions must be seen whole, otherwise nothing is done.
 */
#include "base/log.h"
#include "sensor/conf.h"

/* A sensor that only listens drops nothing. */
static bool needs_inline(enum exception_policy p)
{
    return p == POLICY_DROP_PACKET || p == POLICY_DROP_FLOW || p == POLICY_REJECT;
}

static bool policy_read(struct sensor_conf *c, struct yaml *root, const char *key, bool lenient,
                        uint8_t *ret, struct err *e)
{
    const struct yaml *y = tree_find(root, key);

    if (!y || y->kind != YAML_SCALAR || !y->value[0])
        y = tree_find(root, "exception-policy");
    if (!y || y->kind != YAML_SCALAR || !y->value[0] || strcmp(y->value, "auto") == 0) {
        *ret = c->simulate_ips && !lenient ? POLICY_DROP_FLOW : POLICY_IGNORE;
        return true;
    }
    enum exception_policy p = exception_policy_find(span_str(y->value));
    if (p == POLICIES)
        return err_set(e, ERR_CONFIG,
                       "%s:%u: %s: %s: auto, ignore, pass-packet, pass-flow, bypass, drop-packet, "
                       "drop-flow or reject expected",
                       y->file, y->line, key, y->value);
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
    return policy_read(c, root, "stream.midstream-policy", c->stream.midstream,
                       &c->stream.midstream_policy, e) &&
           policy_read(c, root, "app-layer.error-policy", false, &c->app_error_policy, e);
}
