/* SPDX-License-Identifier: Apache-2.0 */
/* Statements at the store's HTTP interface: the first byte says whether more text may come. */
#include "fuzz.h"

#include "embedded/sql.h"

static void within(struct span s, struct span of)
{
    must(s.n == 0 || (s.p >= of.p && s.p + s.n <= of.p + of.n));
}

int fuzz_one(const uint8_t *p, size_t n)
{
    if (n == 0)
        return 0;
    struct span text = span_of(p + 1, n - 1);
    struct sql s = sql_split(text, p[0] & 1);

    within(s.text, text);
    within(s.format, text);
    within(s.data, text);
    must(!(p[0] & 1) || !s.more);
    (void)sql_format_streams(s.format);
    within(sql_outside_call(text), text);
    return 0;
}
