/* SPDX-License-Identifier: Apache-2.0 */
/* Tries a query on one event as JSON text: the live stream's filter. The answer is the same as the
 * store's for the same event, as far as the text holds the field. */
#pragma once

#include "api/query.h"
#include "api/route.h"

struct match;

/* From a checked argument of kind PARAM_QUERY. *ret is NULL when everything matches. False: the
 * error answer is there. */
bool match_new(struct api_call *c, const struct arg *q, struct match **ret);
/* For tests and other callers: a copy of the text is kept. */
bool match_compile(struct span text, uint64_t now_ns, struct match **ret,
                   struct query_error *error) MUST_CHECK;
bool match_line(const struct match *m, struct span line);
/* NULL is accepted. */
void match_free(struct match *m);
