/* SPDX-License-Identifier: Apache-2.0 */
/* Limits on a rule's alerts: threshold, detection_filter, rate_filter, event_filter, suppress. */
#pragma once

#include "detect/entries.h"
#include "detect/keyword.h"

enum limit {
    LIMIT_DROP = 0,   /* no alert, no action */
    LIMIT_ALERT = 1,  /* alert */
    LIMIT_SILENT = 2, /* no alert, but the rule's action applies */
};

/* The table of what is counted, for entries_free. */
struct entries *limits_new(uint32_t max_entries);
/* Counts this match of r against its limits at the packet's time. *ret_action: the rule's action,
 * or what a rate filter puts in its place. */
enum limit threshold_check(struct entries *s, const struct rule *r, const struct packet *p,
                           const struct flow *f, uint8_t *ret_action);
