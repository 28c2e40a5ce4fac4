/* SPDX-License-Identifier: Apache-2.0 */
/* Exception policies by name, and what they do. A flow remembers four bits a reason. */
#include "flow/policy.h"

static const char *const policy_names[POLICIES] = {
    [POLICY_IGNORE] = "ignore",           [POLICY_PASS_PACKET] = "pass_packet",
    [POLICY_PASS_FLOW] = "pass_flow",     [POLICY_BYPASS_FLOW] = "bypass",
    [POLICY_DROP_PACKET] = "drop_packet", [POLICY_DROP_FLOW] = "drop_flow",
    [POLICY_REJECT] = "reject",
};

enum exception_policy exception_policy_find(struct span name)
{
    for (unsigned i = 0; i < POLICIES; i++) {
        const char *own = policy_names[i];
        size_t k = 0;
        while (k < name.n && own[k] && (own[k] == name.p[k] || (own[k] == '_' && name.p[k] == '-')))
            k++;
        if (k == name.n && !own[k])
            return i;
    }
    return POLICIES;
}

const char *exception_policy_name(enum exception_policy p)
{
    return policy_names[p];
}

const char *exception_target_name(enum exception_target t)
{
    static const char *const names[EXCEPTIONS] = {
        [EXCEPTION_MIDSTREAM] = "stream_midstream",
        [EXCEPTION_APP_ERROR] = "app_layer_error",
        [EXCEPTION_SESSION_MEMCAP] = "stream_memcap",
        [EXCEPTION_REASSEMBLY_MEMCAP] = "stream_reassembly_memcap",
        [EXCEPTION_FLOW_MEMCAP] = "flow_memcap",
        [EXCEPTION_DEFRAG_MEMCAP] = "defrag_memcap",
    };
    return names[t];
}

const char *exception_counter_name(enum exception_target t, enum exception_policy p)
{
#define ROWS(prefix)                                                                               \
    {                                                                                              \
        [POLICY_IGNORE] = prefix ".ignore", [POLICY_PASS_PACKET] = prefix ".pass_packet",          \
        [POLICY_PASS_FLOW] = prefix ".pass_flow", [POLICY_BYPASS_FLOW] = prefix ".bypass",         \
        [POLICY_DROP_PACKET] = prefix ".drop_packet", [POLICY_DROP_FLOW] = prefix ".drop_flow",    \
        [POLICY_REJECT] = prefix ".reject",                                                        \
    }
    static const char *const names[EXCEPTIONS][POLICIES] = {
        [EXCEPTION_MIDSTREAM] = ROWS("exception_policy.tcp.midstream"),
        [EXCEPTION_APP_ERROR] = ROWS("exception_policy.app_layer.error"),
        [EXCEPTION_SESSION_MEMCAP] = ROWS("exception_policy.tcp.ssn_memcap"),
        [EXCEPTION_REASSEMBLY_MEMCAP] = ROWS("exception_policy.tcp.reassembly"),
        [EXCEPTION_FLOW_MEMCAP] = ROWS("exception_policy.flow.memcap"),
        [EXCEPTION_DEFRAG_MEMCAP] = ROWS("exception_policy.defrag.memcap"),
    };
#undef ROWS
    return names[t][p];
}

static void drop(struct packet *p, enum exception_target t)
{
    static const uint8_t reasons[EXCEPTIONS] = {
        [EXCEPTION_MIDSTREAM] = DROP_STREAM_MIDSTREAM,
        [EXCEPTION_APP_ERROR] = DROP_APP_ERROR,
        [EXCEPTION_SESSION_MEMCAP] = DROP_STREAM_MEMCAP,
        [EXCEPTION_REASSEMBLY_MEMCAP] = DROP_STREAM_REASSEMBLY,
        [EXCEPTION_FLOW_MEMCAP] = DROP_FLOW_MEMCAP,
        [EXCEPTION_DEFRAG_MEMCAP] = DROP_DEFRAG_MEMCAP,
    };

    p->flags |= PKT_DROP | PKT_NO_INSPECT | PKT_NO_PAYLOAD_INSPECT;
    p->drop_reason = reasons[t];
}

void exception_apply(struct packet *p, struct flow *f, enum exception_target t,
                     enum exception_policy policy, struct exception_counts *counts)
{
    counts->n[t][policy]++;
    if (f) {
        f->exception_policy &= ~(15u << 4 * t);
        f->exception_policy |= (uint32_t)(policy + 1) << 4 * t;
    }
    switch (policy) {
    case POLICY_REJECT:
    case POLICY_DROP_FLOW:
        if (policy == POLICY_REJECT)
            p->flags |= PKT_REJECT;
        if (f)
            f->flags |= FLOW_DROP | FLOW_NO_APP;
        drop(p, t);
        break;
    case POLICY_DROP_PACKET:
        drop(p, t);
        break;
    case POLICY_BYPASS_FLOW:
    case POLICY_PASS_FLOW:
        if (f)
            f->flags |= policy == POLICY_PASS_FLOW ? FLOW_PASS : FLOW_PASS | FLOW_BYPASSED;
        p->flags |= PKT_NO_INSPECT | PKT_NO_PAYLOAD_INSPECT;
        break;
    case POLICY_PASS_PACKET:
        p->flags |= PKT_NO_INSPECT | PKT_NO_PAYLOAD_INSPECT;
        break;
    case POLICY_IGNORE:
    case POLICIES:
        break;
    }
}

enum exception_policy exception_of(const struct flow *f, enum exception_target t)
{
    uint32_t v = f->exception_policy >> 4 * t & 15;

    return v ? (enum exception_policy)(v - 1) : POLICIES;
}
