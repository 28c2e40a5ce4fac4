/* SPDX-License-Identifier: Apache-2.0 */
/* Adds to an event what the node knows of it: sensor and unit. They go into the event's `daizong`
 * object, at its front if it has one. */
#include "api/figures.h"

#include "base/jw.h"

static void ours(struct buf *b, const char *sensor, const char *unit, bool sampled)
{
    jw_member_text(b, "sensor", sensor);
    jw_member_text(b, "unit", unit);
    if (sampled)
        jw_member_bool(b, "sampled", true);
}

void event_decorate(struct buf *b, struct span line, const char *sensor, const char *unit,
                    bool sampled)
{
    static const struct span key = SPAN("\"daizong\":{");
    size_t at = span_find(line, key);
    size_t body = at == SIZE_MAX ? 0 : at + key.n;
    if (body && body < line.n) {
        buf_add(b, line.p, body);
        ours(b, sensor, unit, sampled);
        if (line.p[body] != '}')
            buf_byte(b, ',');
        buf_add(b, line.p + body, line.n - body);
        return;
    }
    if (line.n < 2)
        return;
    buf_add(b, line.p, line.n - 1);
    jw_key(b, "daizong");
    jw_open(b, '{');
    ours(b, sensor, unit, sampled);
    jw_close(b, '}');
    buf_byte(b, '}');
}
