/* SPDX-License-Identifier: Apache-2.0 */
/* The end of a packet's inspection. Matches go in the rules' order of priority, within one rule the
 * newest transaction first; a pass rule ends the list; what exceeds the limit is counted. */
#include "detect/queue.h"

#include "detect/tag.h"
#include "detect/threshold.h"

static bool before(const struct queued *a, const struct queued *b)
{
    if (a->rule->index != b->rule->index)
        return a->rule->index < b->rule->index;
    if (a->tx_id == UINT64_MAX || b->tx_id == UINT64_MAX)
        return a->tx_id == UINT64_MAX && b->tx_id != UINT64_MAX;
    return a->tx_id > b->tx_id;
}

static void sort_queue(struct queued *q, uint32_t n)
{
    for (uint32_t i = 1; i < n; i++) {
        struct queued x = q[i];
        uint32_t k = i;
        for (; k > 0 && before(&x, &q[k - 1]); k--)
            q[k] = q[k - 1];
        q[k] = x;
    }
}

static bool is_drop(uint8_t action)
{
    return action == ACTION_DROP || action == ACTION_REJECT || action == ACTION_REJECT_DST ||
           action == ACTION_REJECT_BOTH;
}

/* The first rule that decides for the whole flow wins. */
static void flow_action(struct detect *d, const struct queued *q, uint8_t action, struct flow *f)
{
    const struct rule *r = q->rule;
    bool whole = q->state || q->stream || (r->flags & RULE_IP_ONLY) ||
                 (r->app != PROTO_NONE && !(r->flags & RULE_NEEDS_PACKET));

    if (!f || !whole || (f->flags & (FLOW_DROP | FLOW_PASS)))
        return;
    if (action == ACTION_PASS)
        f->flags |= FLOW_PASS;
    else if (is_drop(action) && d->conf.inline_mode)
        f->flags |= FLOW_DROP;
}

static void packet_action(struct detect *d, uint8_t action, struct packet *p, struct alerts *alerts)
{
    if (action == ACTION_PASS)
        alerts->pass = true;
    if (!is_drop(action) || !d->conf.inline_mode)
        return;
    alerts->drop = true;
    p->flags |= PKT_DROP;
    p->drop_reason = DROP_RULES;
    if (action != ACTION_DROP) {
        alerts->reject = true;
        p->flags |= PKT_REJECT;
    }
}

static bool is_logged(const struct rule *r, uint8_t action)
{
    if (r->flags & RULE_NOALERT)
        return false;
    if (action == ACTION_PASS || action == ACTION_CONFIG)
        return r->flags & RULE_ALERT;
    return true;
}

static struct alert alert_of(const struct detect *d, const struct queued *q, uint8_t action)
{
    return (struct alert){
        .rule = q->rule,
        .tx = q->tx,
        .tx_id = q->tx_id,
        .has_tx = q->has_tx,
        .tx_guessed = q->tx_guessed,
        .stream = q->stream || q->state,
        .context = d->contexts + q->context,
        .n_context = q->n_context,
        .dropped = is_drop(action) && (action != ACTION_DROP || d->conf.inline_mode),
        .dir = (uint8_t)d->in.dir,
    };
}

void queue_finish(struct detect *d, struct packet *p, struct flow *f, struct alerts *alerts)
{
    size_t max = min_size(d->conf.max_alerts, LEN(alerts->list));

    sort_queue(d->queue, d->n_queue);
    for (uint32_t i = 0; i < d->n_queue; i++) {
        const struct queued *q = &d->queue[i];
        uint8_t action;
        enum limit limit = threshold_check(d->limits, q->rule, p, f, &action);
        /* what was dropped cannot be passed any more */
        bool too_late = action == ACTION_PASS && alerts->drop;
        if (limit != LIMIT_DROP && !too_late) {
            flow_action(d, q, action, f);
            packet_action(d, action, p, alerts);
        }
        if (limit != LIMIT_DROP && is_drop(action) && d->conf.inline_mode && !alerts->dropped_by) {
            alerts->dropping = alert_of(d, q, action);
            alerts->dropped_by = &alerts->dropping;
        }
        if (limit == LIMIT_ALERT && d->engine->has_tags)
            tags_set(d, q->rule, p, f);
        bool logged = limit == LIMIT_ALERT && is_logged(q->rule, action);
        if (!logged) {
            alerts->suppressed++;
        } else if (alerts->n < max) {
            alerts->list[alerts->n++] = alert_of(d, q, action);
        } else {
            alerts->overflowed++;
        }
        if (limit == LIMIT_ALERT && action == ACTION_PASS)
            break;
    }
    for (size_t i = 0; i < alerts->n; i++)
        alerts->list[i].passed = alerts->pass;
    d->counters[DTC_ALERT] += alerts->n;
    d->counters[DTC_ALERT_OVERFLOW] += alerts->overflowed;
    d->counters[DTC_ALERT_SUPPRESSED] += alerts->suppressed;
    if (alerts->n && f)
        f->flags |= FLOW_ALERTED;
}
