/* SPDX-License-Identifier: Apache-2.0 */
/* Variables that rules set and test: bits, numbers and captured values of a flow (in memory of the
 * flow's worker), bits of addresses and address pairs (one table for all workers, locked, with a
 * ceiling). Also what else detect keeps with a flow. */
#pragma once

#include "detect/entries.h"
#include "detect/keyword.h"
#include "detect/match.h"

enum {
    ALWAYS_MAX = 14,
    FLOW_VALUES_MAX = 32, /* of one flow */
    FLOW_VALUE_BYTES = 4096,
    VALUES_BYTES_MAX = 64 << 20, /* of all flows of a worker */
};

struct flow_value {
    struct flow_value *next;
    uint32_t id;
    bool with_alert; /* VARIABLE_ALERT: goes into the metadata of alerts only */
    struct span value;
};

/* Rules without a fast pattern whose header fits the packets of one direction. */
struct always {
    bool known, overflow;
    uint8_t n;
    uint32_t rules[ALWAYS_MAX];
};

/* flow.detect */
struct flow_detect {
    struct flow_detect *next_free;
    const struct engine *engine; /* made for this ruleset */
    struct always always[2];
    bool swapped;
    bool ip_only_done[2];
    uint64_t raw_done[2]; /* stream bytes to let go before the next inspection */
    uint8_t n_values;
    struct flow_value *values;
    struct tag_list *tags; /* of `tag`; in use when tagged */
    uint64_t *bits;        /* flowbits, then one bit per flowint that is set */
    uint32_t *ints;
    bool recognition_seen[2]; /* a packet came after the direction's protocol was settled */
    bool any_bit, any_int, tagged;
};

/* The flow's state, made when it is not there yet. */
struct flow_detect *flow_detect_of(struct detect *d, struct flow *f);

/* The table of xbits and hostbits. */
struct entries *bits_new(uint32_t max_entries);

/* Keeps a captured value until the rule's inspection is over. */
void capture_keep(struct inspection *in, const struct pcre_capture *c, struct span value);
/* The rule's inspection is over: its captures become variables. */
void captures_commit(struct detect *d, struct flow *f);
