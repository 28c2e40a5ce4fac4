/* SPDX-License-Identifier: Apache-2.0 */
/* threshold and detection_filter. */
#include "detect/setup.h"
#include "detect/threshold_parse.h"

/* A pair of key and value, each a word. */
static bool pair_number(struct span value, uint32_t *ret)
{
    uint64_t v;
    if (!span_u64(value, &v) || v > UINT32_MAX)
        return false;
    *ret = (uint32_t)v;
    return true;
}

static bool pair_word(struct span value, const char *const *words, size_t n, uint8_t *ret)
{
    for (size_t i = 0; i < n; i++)
        if (words[i] && span_ieq(value, span_str(words[i]))) {
            *ret = (uint8_t)i;
            return true;
        }
    return false;
}

static bool pair_read(struct span key, struct span value, struct threshold *t, uint32_t *part)
{
    static const char *const types[] = {[THRESHOLD_LIMIT] = "limit",
                                        [THRESHOLD_THRESHOLD] = "threshold",
                                        [THRESHOLD_BOTH] = "both",
                                        [THRESHOLD_BACKOFF] = "backoff"};
    static const char *const tracks[] = {[TRACK_SRC] = "by_src",
                                         [TRACK_DST] = "by_dst",
                                         [TRACK_RULE] = "by_rule",
                                         [TRACK_BOTH] = "by_both",
                                         [TRACK_FLOW] = "by_flow"};
    static const char *const actions[] = {[ACTION_ALERT] = "alert",
                                          [ACTION_PASS] = "pass",
                                          [ACTION_DROP] = "drop",
                                          [ACTION_REJECT] = "reject"};
    if (span_ieq(key, SPAN("type"))) {
        *part = PART_TYPE;
        return pair_word(value, types, LEN(types), &t->type);
    }
    if (span_ieq(key, SPAN("track"))) {
        *part = PART_TRACK;
        return pair_word(value, tracks, LEN(tracks), &t->track);
    }
    if (span_ieq(key, SPAN("new_action"))) {
        *part = PART_NEW_ACTION;
        return pair_word(value, actions, LEN(actions), &t->new_action);
    }
    if (span_ieq(key, SPAN("count"))) {
        *part = PART_COUNT;
        return pair_number(value, &t->count) && t->count > 0;
    }
    if (span_ieq(key, SPAN("seconds"))) {
        *part = PART_SECONDS;
        return pair_number(value, &t->seconds) && t->seconds > 0;
    }
    if (span_ieq(key, SPAN("timeout"))) {
        *part = PART_TIMEOUT;
        return pair_number(value, &t->timeout_s);
    }
    if (span_ieq(key, SPAN("multiplier"))) {
        *part = PART_MULTIPLIER;
        return pair_number(value, &t->multiplier) && t->multiplier > 0;
    }
    *part = 0;
    return false;
}

static const char *part_reason(uint32_t part)
{
    switch (part) {
    case PART_TYPE:
        return "type limit, threshold, both or backoff expected (rate_filter has none)";
    case PART_TRACK:
        return "track by_src, by_dst, by_rule, by_both or by_flow expected";
    case PART_NEW_ACTION:
        return "new_action alert, drop, pass or reject expected";
    case 0:
        return "type, track, count, seconds or multiplier expected";
    default:
        return "a number from 1 on expected";
    }
}

bool threshold_read(struct span text, struct threshold *t, uint32_t *ret_parts,
                    const uint8_t **ret_at, const char **ret_reason)
{
    struct span rest = text;
    *ret_parts = 0;
    while (rest.n) {
        struct span pair = next_element(&rest);
        size_t n = 0;
        uint32_t part;
        while (n < pair.n && !ascii_is_space(pair.p[n]))
            n++;
        *ret_at = pair.p;
        if (!pair_read(span_cut(pair, 0, n), span_trim(span_from(pair, n)), t, &part)) {
            *ret_reason = part_reason(part);
            return false;
        }
        if (*ret_parts & part) {
            *ret_reason = "it is said twice";
            return false;
        }
        *ret_parts |= part;
    }
    *ret_at = text.p;
    return true;
}

static struct threshold *threshold_new(struct build *b, const struct option *o, uint32_t *parts)
{
    struct threshold *t = build_get(b, sizeof(*t));
    const uint8_t *at;
    const char *reason;
    if (threshold_read(o->value, t, parts, &at, &reason))
        return t;
    rule_fail_at(b, at, "%s", reason);
    return NULL;
}

bool setup_threshold(struct build *b, const struct option *o)
{
    uint32_t parts;
    struct threshold *t = threshold_new(b, o, &parts);
    if (!t)
        return false;
    if (b->r->threshold)
        return rule_fail(b, "it stands twice in the rule");
    if (b->r->detection_filter)
        return rule_fail(b, "it does not go with detection_filter");
    bool backoff = t->type == THRESHOLD_BACKOFF;
    uint32_t need = PART_TYPE | PART_TRACK | PART_COUNT;
    need |= backoff ? PART_MULTIPLIER : PART_SECONDS;
    if (parts != need)
        return rule_fail_at(b, o->value.p,
                            backoff ? "type, track, count and multiplier are needed"
                                    : "type, track, count and seconds are needed");
    if (backoff && t->track != TRACK_FLOW)
        return rule_fail_at(b, o->value.p, "backoff is tracked by_flow");
    b->r->threshold = t;
    b->r->threshold_given = true;
    return true;
}

bool setup_detection_filter(struct build *b, const struct option *o)
{
    uint32_t parts;
    struct threshold *t = threshold_new(b, o, &parts);
    if (!t)
        return false;
    if (b->r->detection_filter)
        return rule_fail(b, "it stands twice in the rule");
    if (b->r->threshold)
        return rule_fail(b, "it does not go with threshold");
    if (parts != (PART_TRACK | PART_COUNT | PART_SECONDS))
        return rule_fail_at(b, o->value.p, "track, count and seconds are needed");
    t->type = THRESHOLD_DETECTION;
    b->r->detection_filter = t;
    return true;
}
