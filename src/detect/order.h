/* SPDX-License-Identifier: Apache-2.0 */
/* The order in which rules apply. Inside the front end only. */
#pragma once

#include "detect/rule.h"

/* Sorts the rules: by action (conf->action_order), those that set flow variables before
 * those that test them, then by priority, then as they were read; numbers them (rule.index). */
void rules_order(struct ruleset *rs, const struct detect_conf *conf);
