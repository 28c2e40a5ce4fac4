/* SPDX-License-Identifier: Apache-2.0 */
/* What an alert means and what to do about it, in both languages. rules/advice.json is the one
 * source: it is built into the program, and an advice.json beside the node's rules comes before it.
 * It holds advice by rule ("9000001"), by ATT&CK technique ("technique:T1110") and by Suricata
 * classtype ("classtype:trojan-activity", with the class's description as `category`). */
#pragma once

#include "base/buf.h"

struct advice_key {
    uint32_t sid;
    struct span classtype;  /* of the rule's text; empty: not known */
    struct span category;   /* of the alert, JSON text */
    struct span techniques; /* of the alert, a JSON array of strings */
};

extern const char advice_shipped[];

/* Appends the members "what" and "todo" ({en, zh}) of the most special advice there is: the rule's,
 * the first technique's, the class's; else what holds for every alert. `paths`: rule files and
 * folders, separated by ':', may be NULL. */
void advice_json(struct buf *b, const char *paths, const struct advice_key *k);
