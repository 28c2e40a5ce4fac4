/* SPDX-License-Identifier: Apache-2.0 */
/* What the stream engine and the flow table ask of one another: whether a packet opens a session
 * anew on a flow that is done, and the counters of ended sessions. Private to this folder. */
#pragma once

#include "flow/flow.h"

/* Should this packet begin a new flow although `f` has the same addresses and ports? */
typedef bool flow_reuse(void *user, const struct flow *f, const struct packet *p);

void flow_table_set_reuse(struct flow_table *t, flow_reuse *reuse, void *user);
/* Towards which side of f the packet goes (not recorded). */
enum dir flow_direction(const struct flow *f, const struct packet *p);
/* Fills *ret with what p's flow is looked up by; false for packets without a flow. */
bool flow_tuple_of(const struct flow_conf *c, const struct packet *p, struct flow_tuple *ret);
/* The ICMP type that answers `type`, or -1. */
int flow_icmp_counterpart(uint8_t ip_v, uint8_t type);
bool flow_icmp_is_error(const struct packet *p);
