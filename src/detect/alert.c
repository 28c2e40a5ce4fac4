/* SPDX-License-Identifier: Apache-2.0 */
/* What an alert says of its rule, and the variables that rules left on a flow, in EVE's words. */
#include "detect/flowvars.h"
#include "detect/worker.h"

#include "base/json.h"

uint32_t alert_sid(const struct alert *a)
{
    return a->rule->sid;
}

bool alert_is_silent(const struct alert *a)
{
    return a->rule->flags & RULE_NOALERT;
}

enum { VALUES_OF_KEY = 64 };

/* The rule's metadata, values of one key together in the order of the rule. */
static void log_rule_metadata(const struct rule *r, struct event *ev)
{
    event_open(ev, F_alert_metadata);
    for (uint32_t i = 0; i < r->n_metadata; i++) {
        const char *key = r->metadata[i].key;
        struct span values[VALUES_OF_KEY];
        size_t n = 0;
        bool seen = false;
        for (uint32_t k = 0; k < i && !seen; k++)
            seen = strcmp(r->metadata[k].key, key) == 0;
        if (seen)
            continue;
        for (uint32_t k = i; k < r->n_metadata && n < VALUES_OF_KEY; k++) {
            const char *v = r->metadata[k].value;
            if (strcmp(r->metadata[k].key, key) == 0)
                values[n++] = (struct span){(const uint8_t *)v, strlen(v)};
        }
        event_key_strs(ev, (struct span){(const uint8_t *)key, strlen(key)}, values, n);
    }
    event_close(ev);
}

static void log_end(struct event *ev, enum field object, enum field ip, enum field port,
                    const struct ip *address, const uint16_t *number)
{
    event_open(ev, object);
    event_ip(ev, ip, address);
    if (number)
        event_uint(ev, port, *number);
    event_close(ev);
}

static void log_target(const struct rule *r, const struct packet *p, struct event *ev)
{
    bool dst = r->flags & RULE_TARGET_DST;
    bool ports = p->proto == 6 || p->proto == 17 || p->proto == 132;
    const uint16_t *sport = ports ? &p->sport : NULL, *dport = ports ? &p->dport : NULL;

    if (!p->ip_v)
        return;
    log_end(ev, F_alert_source, F_alert_source_ip, F_alert_source_port, dst ? &p->src : &p->dst,
            dst ? sport : dport);
    log_end(ev, F_alert_target, F_alert_target_ip, F_alert_target_port, dst ? &p->dst : &p->src,
            dst ? dport : sport);
}

void detect_alert_log(const struct detect *d, const struct alert *a, const struct packet *p,
                      struct event *ev)
{
    const struct rule *r = a->rule;

    event_open(ev, F_alert);
    event_text(ev, F_alert_action, a->dropped ? "blocked" : "allowed");
    event_uint(ev, F_alert_gid, r->gid);
    event_uint(ev, F_alert_signature_id, r->sid);
    event_uint(ev, F_alert_rev, r->rev);
    event_text(ev, F_alert_signature, r->msg ? r->msg : "");
    event_text(ev, F_alert_category, r->class_text ? r->class_text : "");
    event_uint(ev, F_alert_severity, r->priority);
    if (r->flags & (RULE_TARGET_SRC | RULE_TARGET_DST))
        log_target(r, p, ev);
    if (d->conf.alert_metadata && r->n_metadata)
        log_rule_metadata(r, ev);
    if (d->conf.alert_references && r->n_references) {
        event_open(ev, F_alert_references);
        for (uint32_t i = 0; i < r->n_references; i++)
            event_item(ev,
                       (struct span){(const uint8_t *)r->references[i], strlen(r->references[i])});
        event_close(ev);
    }
    if (a->n_context) {
        event_open(ev, F_alert_context);
        for (uint8_t i = 0; i < a->n_context; i++)
            event_key_json(ev, span_str(a->context[i].key), a->context[i].json);
        event_close(ev);
    }
    if (d->conf.alert_raw_rule)
        event_text(ev, F_alert_rule, r->text);
}

static struct span name_of(const struct names *names, uint32_t id)
{
    const char *s = id < names->n ? names->name[id] : "";

    return (struct span){(const uint8_t *)s, strlen(s)};
}

static void log_values(const struct flow_detect *x, const struct ruleset *r, struct event *ev)
{
    if (!x->values)
        return;
    event_open(ev, F_metadata_flowvars);
    for (const struct flow_value *v = x->values; v; v = v->next) {
        event_element(ev);
        event_key_str(ev, name_of(&r->flowvars, v->id), v->value);
        event_close_element(ev);
    }
    event_close(ev);
}

static void log_flow_variables(const struct flow_detect *x, const struct ruleset *r,
                               struct event *ev)
{
    uint32_t n_bits = r->flowbits.n;
    bool any = false;
    for (uint32_t i = 0; x->any_bit && i < n_bits; i++) {
        if (!(x->bits[i >> 6] >> (i & 63) & 1))
            continue;
        if (!any)
            event_open(ev, F_metadata_flowbits);
        any = true;
        event_item(ev, name_of(&r->flowbits, i));
    }
    if (any)
        event_close(ev);
    if (x->any_int) {
        event_open(ev, F_metadata_flowints);
        for (uint32_t i = 0; i < r->flowints.n; i++)
            if (x->bits[(n_bits + i) >> 6] >> ((n_bits + i) & 63) & 1)
                event_key_uint(ev, name_of(&r->flowints, i), x->ints[i]);
        event_close(ev);
    }
    log_values(x, r, ev);
}

static void log_packet_values(const struct detect *d, struct event *ev)
{
    if (!d || !d->n_packet_vars)
        return;
    event_open(ev, F_metadata_pktvars);
    for (uint32_t i = 0; i < d->n_packet_vars; i++) {
        event_element(ev);
        event_key_str(ev, name_of(&d->rules->flowvars, d->packet_vars[i].id),
                      d->packet_vars[i].value);
        event_close_element(ev);
    }
    event_close(ev);
}

bool detect_metadata_log(const struct detect *d, const struct packet *p, const struct flow *f,
                         const struct ruleset *r, struct event *ev)
{
    const struct flow_detect *x = f->detect;
    bool of_flow = x && x->engine == r->engine && (x->any_bit || x->any_int || x->values);

    if (d && (!p || d->in.p != p))
        d = NULL;
    if (!of_flow && !(d && d->n_packet_vars))
        return false;
    event_open(ev, F_metadata);
    if (of_flow)
        log_flow_variables(x, r, ev);
    log_packet_values(d, ev);
    event_close(ev);
    return true;
}
