/* SPDX-License-Identifier: Apache-2.0 */
/* Writes a checked query as a condition of the store's SQL over the table `events`. Values only
 * ever become quoted literals or numbers; names come from the field table. */
#pragma once

#include "api/query.h"
#include "base/buf.h"

/* Appends a condition in parentheses ("1" for everything). */
void query_sql(struct buf *b, const struct query *q);
/* Appends an expression with the value of a field as it is stored; of a list its elements: then
 * *ret_array is set and the expression is an array. */
void query_sql_value(struct buf *b, const struct query_target *t, bool *ret_array);
/* Appends the expression that makes a text of such a value, called v. */
void query_sql_text(struct buf *b, const struct query_target *t);
/* Appends a numeric expression, or returns false where the field is not a number. */
bool query_sql_number(struct buf *b, const struct query_target *t);
/* Does the query look only at columns that the roll-up events_minute has? */
bool query_is_rollup(const struct query *q);
