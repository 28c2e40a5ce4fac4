/* SPDX-License-Identifier: Apache-2.0 */
/* Address and port variables of the rule language ("HOME_NET", "HTTP_PORTS") and the evaluation of
 * address and port expressions: lists, ranges, negation and nested variables become sorted,
 * non-overlapping ranges. Cold code: start-up only. */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "detect/rule.h"

struct rule_vars;

/* Holds what Suricata's shipped configuration sets. Never NULL. */
struct rule_vars *vars_new(void);
void vars_free(struct rule_vars *v);
/* Sets or replaces a variable; the name without `$`. The text is copied, checked by vars_check. */
void vars_set_address(struct rule_vars *v, const char *name, const char *text);
void vars_set_port(struct rule_vars *v, const char *name, const char *text);
/* The text of a variable, or NULL. */
const char *vars_address(const struct rule_vars *v, struct span name);
const char *vars_port(const struct rule_vars *v, struct span name);
/* Evaluates every variable; false with its name and what is wrong with the first that is not well
 * formed. */
bool vars_check(const struct rule_vars *v, struct err *e) MUST_CHECK;

/* Where an expression is wrong: offset in the text that was given, and why. */
struct vars_fault {
    size_t at;
    char reason[160];
};

/* Evaluates "[10.0.0.0/8,!$DNS]" into a set on the arena; v may be NULL (no variables). NULL with
 * *fault filled when it is not well formed, empty, or excludes everything. */
const struct address_set *address_set_parse(const struct rule_vars *v, struct arena *a,
                                            struct span text, struct vars_fault *fault);
/* The same for ports: "[80,8000:8080,!$SSH_PORTS]". */
const struct port_set *port_set_parse(const struct rule_vars *v, struct arena *a, struct span text,
                                      struct vars_fault *fault);
/* Is the address in the set? */
bool address_set_has(const struct address_set *s, const struct ip *ip);
