/* SPDX-License-Identifier: Apache-2.0 */
/* RFC 3339 and relative times. */
#include "api/timespec.h"

#include "base/clock.h"

enum { NUMBER_DIGITS = 6 };

static uint64_t unit_s(uint8_t unit)
{
    switch (unit) {
    case 's':
        return 1;
    case 'm':
        return 60;
    case 'h':
        return 3600;
    case 'd':
        return 86400;
    case 'w':
        return 604800;
    default:
        return 0;
    }
}

bool timespec_parse(struct span text, uint64_t now_ns, uint64_t *ret_ns)
{
    if (!span_starts(text, SPAN("now"))) {
        char day[24];
        if (text.n == 10) { /* a date alone: its first moment */
            snprintf(day, sizeof(day), "%.10sT00:00:00Z", (const char *)text.p);
            text = span_str(day);
        }
        if (text.n < 10 || !clock_parse(text, ret_ns))
            return false;
        return *ret_ns < (uint64_t)4291747200 * NS_PER_S;
    }
    struct span rest = span_from(text, 3);
    *ret_ns = now_ns;
    if (rest.n == 0)
        return true;
    if (rest.n < 3 || rest.n > NUMBER_DIGITS + 2 || rest.p[0] != '-')
        return false;
    uint64_t number, unit = unit_s(rest.p[rest.n - 1]);
    if (!unit || !span_u64(span_cut(rest, 1, rest.n - 2), &number))
        return false;
    uint64_t back_s = number * unit;
    *ret_ns = back_s > now_ns / NS_PER_S ? 0 : now_ns - back_s * NS_PER_S;
    return true;
}
