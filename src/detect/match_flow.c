/* SPDX-License-Identifier: Apache-2.0 */
/* Conditions on the flow: its state and direction (rule flags), age, counters, the protocol that
 * was recognised on it. */
#include "base/clock.h"
#include "detect/buffers.h"
#include "detect/flowvars.h"
#include "detect/keyword.h"
#include "detect/match.h"
#include "detect/worker.h"

static enum found found_if(bool holds)
{
    return holds ? FOUND : FOUND_NOT;
}

bool rule_flow_match(const struct inspection *in, const struct rule *r)
{
    const struct packet *p = in->p;
    const uint32_t flow_flags = RULE_TO_SERVER | RULE_TO_CLIENT | RULE_ESTABLISHED |
                                RULE_NOT_ESTABLISHED | RULE_ONLY_FRAG | RULE_NO_FRAG;

    if (!(r->flags & flow_flags))
        return true;
    if ((r->flags & RULE_NO_FRAG) && (p->flags & PKT_REBUILT))
        return false;
    if ((r->flags & RULE_ONLY_FRAG) && !(p->flags & PKT_REBUILT))
        return false;
    bool ts = r->flags & RULE_TO_SERVER, tc = r->flags & RULE_TO_CLIENT;
    if (!in->f)
        return ts == tc && !(r->flags & RULE_ESTABLISHED);
    if (ts != tc && !(r->flags & RULE_TX_BOTH) && (ts ? DIR_TS : DIR_TC) != in->dir)
        return false;
    bool established = p->flags & PKT_ESTABLISHED;
    if ((r->flags & RULE_ESTABLISHED) && !established)
        return false;
    return !((r->flags & RULE_NOT_ESTABLISHED) && established);
}

enum found match_flow(struct inspection *in, const struct match *m)
{
    (void)m;
    return found_if(rule_flow_match(in, in->rule));
}

enum found match_flow_age(struct inspection *in, const struct match *m)
{
    if (!in->f)
        return FOUND_NOT;
    uint64_t age = (in->f->last_ns - in->f->start_ns) / NS_PER_S;
    return found_if(uint_cond_match(m->data, age));
}

static enum found match_counts(const struct flow_count *c, const uint64_t n[2])
{
    switch (c->side) {
    case FLOW_COUNT_TS:
        return found_if(uint_cond_match(&c->n, n[DIR_TS]));
    case FLOW_COUNT_TC:
        return found_if(uint_cond_match(&c->n, n[DIR_TC]));
    case FLOW_COUNT_EITHER:
        return found_if(uint_cond_match(&c->n, n[DIR_TS]) || uint_cond_match(&c->n, n[DIR_TC]));
    default:
        return found_if(uint_cond_match(&c->n, n[DIR_TS] + n[DIR_TC]));
    }
}

enum found match_flow_pkts(struct inspection *in, const struct match *m)
{
    return in->f ? match_counts(m->data, in->f->packets) : FOUND_NOT;
}

enum found match_flow_bytes(struct inspection *in, const struct match *m)
{
    return in->f ? match_counts(m->data, in->f->bytes) : FOUND_NOT;
}

static bool app_is(uint8_t want, uint8_t have, bool failed)
{
    if (want == APP_FAILED)
        return failed;
    if (want == APP_UNKNOWN)
        return !failed && have == PROTO_NONE;
    return have == want;
}

/* Negated: true once something else is known; nothing known is no match either way. */
static enum found app_side_match(const struct app_proto_cond *c, uint8_t have, bool failed)
{
    bool known = failed || have != PROTO_NONE;

    if (!known && c->app != APP_UNKNOWN)
        return FOUND_NOT;
    return found_if(app_is(c->app, have, failed) != c->negated);
}

enum found match_app_layer_protocol(struct inspection *in, const struct match *m)
{
    const struct app_proto_cond *c = m->data;
    const struct app *a = in->app;

    if (!in->f)
        return FOUND_NOT;
    if (!a)
        return found_if(c->app == APP_UNKNOWN && !c->negated);
    uint8_t ts = (uint8_t)a->side_proto[DIR_TS], tc = (uint8_t)a->side_proto[DIR_TC];
    bool ts_failed = a->side[DIR_TS] == SIDE_FAILED, tc_failed = a->side[DIR_TC] == SIDE_FAILED;
    switch (c->side) {
    case APP_TS:
        return app_side_match(c, ts, ts_failed);
    case APP_TC:
        return app_side_match(c, tc, tc_failed);
    case APP_FINAL:
        return app_side_match(c, app_number(a), a->failed);
    case APP_ORIGINAL:
        return app_side_match(c, (uint8_t)a->original, false);
    case APP_BOTH_SIDES:
        if (!(ts || ts_failed) || !(tc || tc_failed))
            return FOUND_NOT;
        return found_if((app_is(c->app, ts, ts_failed) && app_is(c->app, tc, tc_failed)) !=
                        c->negated);
    case APP_EITHER: {
        bool either = (ts || ts_failed || c->app == APP_UNKNOWN) && app_is(c->app, ts, ts_failed);
        either =
            either || ((tc || tc_failed || c->app == APP_UNKNOWN) && app_is(c->app, tc, tc_failed));
        if (!ts && !ts_failed && !tc && !tc_failed && c->app != APP_UNKNOWN)
            return FOUND_NOT;
        return found_if(either != c->negated);
    }
    default: { /* of the packet's direction */
        bool failed = in->dir == DIR_TS ? ts_failed : tc_failed;
        return app_side_match(c, in->dir == DIR_TS ? ts : tc, failed);
    }
    }
}

/* Evaluated with the other thresholds, when an alert is due. */
enum found match_detection_filter(struct inspection *in, const struct match *m)
{
    (void)in, (void)m;
    return FOUND;
}

enum found match_bypass(struct inspection *in, const struct match *m)
{
    (void)m;
    if (in->f)
        in->f->flags |= FLOW_BYPASSED;
    return FOUND;
}
