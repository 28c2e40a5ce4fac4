/* SPDX-License-Identifier: Apache-2.0 */
/* What several handlers make of their arguments: the live filter of a query. */
#include "api/match.h"

#include "base/clock.h"

bool match_new(struct api_call *c, const struct arg *q, struct match **ret)
{
    struct query_error error;
    *ret = NULL;
    if (!q->given || q->s.n == 0)
        return true;
    if (match_compile(q->s, clock_now_ns(), ret, &error))
        return true;
    answer_position(c, error.position, error.text);
    return false;
}
