/* SPDX-License-Identifier: Apache-2.0 */
/* The first line of a rule against a packet: protocol, addresses, ports. And the index that finds,
 * among many rules that nothing but their header distinguishes (block lists with thousands of
 * addresses), those whose header can fit: one binary search instead of a walk. */
#pragma once

#include "detect/prefilter.h"
#include "detect/vars.h"

/* Does the header of r fit p? The direction of the flow is not looked at. */
bool header_match(const struct rule *r, const struct packet *p);

struct header_index;

struct header_index *header_index_new(const struct rule *const *rules, uint32_t n);
void header_index_free(struct header_index *x);
/* Adds rules whose header may fit p (a superset). */
void header_index_find(const struct header_index *x, const struct packet *p, struct candidates *c);
