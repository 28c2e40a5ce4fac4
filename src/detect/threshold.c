/* SPDX-License-Identifier: Apache-2.0 */
/* One table of counters for all workers, keyed by rule, limit and what it tracks (address, pair,
 * rule, flow), with a ceiling from birth; only rules with limits take its lock. When it is full,
 * entries whose time is over go first; if there is none, a match passes without being counted.
 * Time is the packets'. With several workers, counters that several flows share see the packets in
 * the order in which the workers come to them; those of one flow always in order. */
#include "detect/threshold.h"

#include "base/clock.h"
#include "detect/header.h"

struct limit_key {
    uint32_t rule;
    uint32_t kind; /* type and track */
    struct ip a, b;
    uint64_t flow;
};

struct limit_entry {
    struct entry entry;
    struct limit_key key;
    uint64_t since_ns;
    uint64_t rate_since_ns; /* a rate filter's new action is on since then; 0: off */
    uint32_t count, next_value;
};

struct entries *limits_new(uint32_t max_entries)
{
    return entries_new(max_entries, sizeof(struct limit_entry), sizeof(struct limit_key));
}

static uint64_t span_ns(uint32_t seconds)
{
    return (uint64_t)seconds * NS_PER_S;
}

static bool make_key(struct limit_key *k, const struct rule *r, const struct threshold *t,
                     const struct packet *p, const struct flow *f)
{
    memset(k, 0, sizeof(*k)); /* padding too: it is hashed and compared */
    k->rule = r->index;
    k->kind = t->type * 16u + t->track;
    switch (t->track) {
    case TRACK_SRC:
        memcpy(&k->a, &p->src, sizeof(k->a));
        return true;
    case TRACK_DST:
        memcpy(&k->a, &p->dst, sizeof(k->a));
        return true;
    case TRACK_BOTH:
        entries_pair(p, &k->a, &k->b);
        return true;
    case TRACK_FLOW:
        k->flow = f ? f->id : 0;
        return f;
    default:
        return true;
    }
}

static enum limit first_match(const struct threshold *t, struct limit_entry *e)
{
    e->count = 1;
    switch (t->type) {
    case THRESHOLD_LIMIT:
    case THRESHOLD_RATE:
        return LIMIT_ALERT;
    case THRESHOLD_THRESHOLD:
    case THRESHOLD_BOTH:
        return t->count == 1 ? LIMIT_ALERT : LIMIT_DROP;
    case THRESHOLD_BACKOFF:
        e->next_value = t->count;
        if (t->count != 1)
            return LIMIT_DROP;
        e->next_value *= t->multiplier;
        return LIMIT_ALERT;
    default:
        return LIMIT_DROP;
    }
}

static enum limit rate_match(const struct threshold *t, struct limit_entry *e, uint64_t now,
                             uint8_t *ret_action)
{
    if (e->rate_since_ns) {
        if (now / NS_PER_S - e->rate_since_ns / NS_PER_S > t->timeout_s)
            e->rate_since_ns = 0;
        else
            *ret_action = t->new_action;
    } else if (now <= e->since_ns + span_ns(t->seconds)) {
        e->count++;
        if (e->count > t->count) {
            e->rate_since_ns = now;
            *ret_action = t->new_action;
        }
    } else {
        e->since_ns = now;
        e->count = 1;
    }
    return LIMIT_ALERT;
}

static enum limit later_match(const struct threshold *t, struct limit_entry *e, uint64_t now,
                              uint8_t *ret_action)
{
    bool within = now <= e->since_ns + span_ns(t->seconds);

    if (t->type == THRESHOLD_RATE)
        return rate_match(t, e, now, ret_action);
    if (t->type == THRESHOLD_BACKOFF) {
        if (e->count == UINT32_MAX)
            return LIMIT_SILENT;
        if (++e->count != e->next_value)
            return LIMIT_SILENT;
        e->next_value *= t->multiplier;
        return LIMIT_ALERT;
    }
    if (!within) {
        e->since_ns = now;
        e->count = 1;
        if (t->type == THRESHOLD_LIMIT || (t->type == THRESHOLD_BOTH && t->count == 1))
            return LIMIT_ALERT;
        return LIMIT_DROP;
    }
    e->count++;
    switch (t->type) {
    case THRESHOLD_LIMIT:
        return e->count <= t->count ? LIMIT_ALERT : LIMIT_SILENT;
    case THRESHOLD_THRESHOLD:
        if (e->count < t->count)
            return LIMIT_DROP;
        e->count = 0;
        return LIMIT_ALERT;
    case THRESHOLD_BOTH:
        return e->count == t->count ? LIMIT_ALERT : e->count > t->count ? LIMIT_SILENT : LIMIT_DROP;
    default:
        return e->count > t->count ? LIMIT_ALERT : LIMIT_DROP;
    }
}

static enum limit check_one(struct entries *s, const struct rule *r, const struct threshold *t,
                            const struct packet *p, const struct flow *f, uint8_t *ret_action)
{
    struct limit_key key;
    enum limit verdict = LIMIT_ALERT;

    if (!make_key(&key, r, t, p, f))
        return LIMIT_ALERT;
    struct limit_entry *e = entries_find(s, &key);
    if (!e) {
        e = entries_add(s, &key, p->ts_ns);
        if (!e)
            return LIMIT_ALERT;
        e->since_ns = p->ts_ns;
        verdict = first_match(t, e);
    } else {
        verdict = later_match(t, e, p->ts_ns, ret_action);
    }
    e->entry.until_ns = t->type == THRESHOLD_BACKOFF
                            ? UINT64_MAX
                            : e->since_ns + span_ns(t->seconds) + span_ns(t->timeout_s);
    return verdict;
}

static bool is_suppressed(const struct rule *r, const struct packet *p)
{
    for (const struct suppress *s = r->suppress; s; s = s->next) {
        bool src = s->track == TRACK_SRC || s->track == TRACK_EITHER;
        bool dst = s->track == TRACK_DST || s->track == TRACK_EITHER;
        if (s->all || (src && address_set_has(s->ip, &p->src)) ||
            (dst && address_set_has(s->ip, &p->dst)))
            return true;
    }
    return false;
}

enum limit threshold_check(struct entries *s, const struct rule *r, const struct packet *p,
                           const struct flow *f, uint8_t *ret_action)
{
    const struct threshold *list[] = {r->threshold, r->detection_filter, r->rate_filter};
    enum limit verdict = LIMIT_ALERT;

    *ret_action = r->action;
    if (!p->ip_v)
        return LIMIT_ALERT;
    if (is_suppressed(r, p))
        return LIMIT_SILENT;
    if (!list[0] && !list[1] && !list[2])
        return LIMIT_ALERT;
    entries_lock(s);
    for (size_t i = 0; i < LEN(list) && verdict == LIMIT_ALERT; i++)
        if (list[i])
            verdict = check_one(s, r, list[i], p, f, ret_action);
    entries_unlock(s);
    return verdict;
}
