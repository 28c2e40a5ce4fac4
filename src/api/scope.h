/* SPDX-License-Identifier: Apache-2.0 */
/* The one place that says which units' events a person may see. Every query of the store takes its
 * scope from here. */
#pragma once

#include "api/route.h"
#include "store/store.h"

/* Fills in what the person may see; pointers go into the person, which must outlive the scope. */
struct scope {
    const char *unit[1];
    struct store_scope store;
};
void scope_of(const struct person *who, struct scope *ret);
bool scope_sees(const struct person *who, const char *unit);
/* The one unit whose rows of the state the person sees; "": all of them. For a condition
 * `?n IN ('', unit)`. */
const char *scope_unit(const struct person *who);
