/* SPDX-License-Identifier: Apache-2.0 */
/* Exception policies: what happens to a packet and its flow where the sensor cannot do its work on
 * them, in the vocabulary of Suricata's configuration. */
#pragma once

#include "flow/flow.h"

enum exception_policy {
    POLICY_IGNORE, /* go on as if nothing had been */
    POLICY_PASS_PACKET,
    POLICY_PASS_FLOW,
    POLICY_BYPASS_FLOW,
    POLICY_DROP_PACKET,
    POLICY_DROP_FLOW,
    POLICY_REJECT,
    POLICIES
};

enum exception_target {
    EXCEPTION_MIDSTREAM, /* the flow's beginning was not seen */
    EXCEPTION_APP_ERROR, /* a parser gave up */
    EXCEPTION_SESSION_MEMCAP,
    EXCEPTION_REASSEMBLY_MEMCAP,
    EXCEPTION_FLOW_MEMCAP,   /* the packet gets no flow */
    EXCEPTION_DEFRAG_MEMCAP, /* the fragment cannot be kept */
    EXCEPTIONS
};

/* How often each was applied. */
struct exception_counts {
    uint64_t n[EXCEPTIONS][POLICIES];
};

/* "drop-flow" in the configuration, "drop_flow" in events; POLICIES for a wrong name. */
enum exception_policy exception_policy_find(struct span name);
/* As the configuration writes them. */
#define EXCEPTION_POLICY_NAMES                                                                     \
    "auto ignore pass-packet pass-flow bypass drop-packet drop-flow reject"
const char *exception_policy_name(enum exception_policy p); /* EVE's */
const char *exception_target_name(enum exception_target t); /* EVE's: "stream_midstream" */
const char *exception_counter_name(enum exception_target t, enum exception_policy p);
/* Applies the policy to the packet and its flow (may be NULL) and counts it. */
void exception_apply(struct packet *p, struct flow *f, enum exception_target t,
                     enum exception_policy policy, struct exception_counts *counts);
/* Which policy was last applied to the flow for this reason; POLICIES: none was. */
enum exception_policy exception_of(const struct flow *f, enum exception_target t);
