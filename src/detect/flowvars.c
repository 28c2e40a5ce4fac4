/* SPDX-License-Identifier: Apache-2.0 */
/* The stores behind flowvars.h and the match functions of flowbits, flowint, flowvar, pktvar,
 * xbits and hostbits. A flow's state comes from its worker's free list; only captured values are
 * allocated on their own, with a ceiling per flow. Reading and setting one variable take constant
 * time. */
#include "detect/flowvars.h"

#include "base/mem.h"
#include "detect/worker.h"

struct flow_detect *flow_detect_of(struct detect *d, struct flow *f)
{
    struct flow_detect *x = f->detect;

    if (x && x->engine == d->engine)
        return x;
    if (x)
        detect_flow_free(d, f);
    size_t words = (d->rules->flowbits.n + d->rules->flowints.n) / 64 + 1;
    x = d->free_flows;
    if (x)
        d->free_flows = x->next_free;
    else
        x = mem_get(sizeof(*x) + words * 8 + (d->rules->flowints.n + 1) * sizeof(uint32_t));
    memset(x, 0, sizeof(*x) + words * 8 + (d->rules->flowints.n + 1) * sizeof(uint32_t));
    x->bits = (uint64_t *)(void *)(x + 1);
    x->ints = (uint32_t *)(void *)(x->bits + words);
    x->engine = d->engine;
    x->swapped = f->flags & FLOW_SWAPPED;
    f->detect = x;
    return x;
}

static void value_free(struct detect *d, struct flow_value *v)
{
    d->value_bytes -= sizeof(*v) + v->value.n;
    mem_free(v);
}

void detect_flow_free(struct detect *d, struct flow *f)
{
    struct flow_detect *x = f->detect;

    f->detect = NULL;
    if (!x)
        return;
    for (struct flow_value *v = x->values, *next; v; v = next) {
        next = v->next;
        value_free(d, v);
    }
    if (x->engine != d->engine) {
        mem_free(x->tags);
        mem_free(x);
        return;
    }
    mem_free(x->tags);
    x->tags = NULL;
    x->next_free = d->free_flows;
    d->free_flows = x;
}

static bool bit_test(const uint64_t *bits, uint32_t id)
{
    return bits[id >> 6] >> (id & 63) & 1;
}

static void bit_put(uint64_t *bits, uint32_t id, bool on)
{
    uint64_t bit = (uint64_t)1 << (id & 63);

    if (on)
        bits[id >> 6] |= bit;
    else
        bits[id >> 6] &= ~bit;
}

enum found match_flowbits(struct inspection *in, const struct match *m)
{
    const struct flowbits *b = m->data;

    if (!in->f)
        return FOUND_NOT;
    if (b->op == BIT_ISSET || b->op == BIT_ISNOTSET) {
        const struct flow_detect *x = in->f->detect;
        bool any = false;
        for (uint16_t i = 0; x && x->engine == in->d->engine && i < b->n; i++)
            any = any || bit_test(x->bits, b->ids[i]);
        return any == (b->op == BIT_ISSET) ? FOUND : FOUND_NOT;
    }
    struct flow_detect *x = flow_detect_of(in->d, in->f);
    for (uint16_t i = 0; i < b->n; i++) {
        bool on = b->op == BIT_SET || (b->op == BIT_TOGGLE && !bit_test(x->bits, b->ids[i]));
        bit_put(x->bits, b->ids[i], on);
        x->any_bit = x->any_bit || on;
    }
    return FOUND;
}

static bool flowint_get(const struct detect *d, const struct flow_detect *x, uint32_t id,
                        uint32_t *ret)
{
    *ret = 0;
    if (!x || x->engine != d->engine || !bit_test(x->bits, d->rules->flowbits.n + id))
        return false;
    *ret = x->ints[id];
    return true;
}

enum found match_flowint(struct inspection *in, const struct match *m)
{
    const struct flowint *n = m->data;
    struct flow_detect *x = in->f ? in->f->detect : NULL;
    uint32_t value = n->value, have;
    bool holds;

    if (!in->f)
        return FOUND_NOT;
    bool set = flowint_get(in->d, x, n->id, &have);
    if (n->op == FLOWINT_ISSET || n->op == FLOWINT_ISNOTSET)
        return set == (n->op == FLOWINT_ISSET) ? FOUND : FOUND_NOT;
    if (n->by_name && !flowint_get(in->d, x, n->other, &value))
        return FOUND_NOT;
    switch (n->op) {
    case FLOWINT_SET:
    case FLOWINT_ADD:
    case FLOWINT_SUB:
        x = flow_detect_of(in->d, in->f);
        x->ints[n->id] = n->op == FLOWINT_SET   ? value
                         : n->op == FLOWINT_ADD ? have + value
                                                : have - value;
        bit_put(x->bits, in->d->rules->flowbits.n + n->id, true);
        x->any_int = true;
        return FOUND;
    case FLOWINT_LT:
        holds = have < value;
        break;
    case FLOWINT_LE:
        holds = have <= value;
        break;
    case FLOWINT_EQ:
        holds = have == value;
        break;
    case FLOWINT_NE:
        holds = have != value;
        break;
    case FLOWINT_GE:
        holds = have >= value;
        break;
    default:
        holds = have > value;
        break;
    }
    return set && holds ? FOUND : FOUND_NOT;
}

void capture_keep(struct inspection *in, const struct pcre_capture *c, struct span value)
{
    struct detect *d = in->d;

    if (d->n_captured < CAPTURES_MAX)
        d->captured[d->n_captured++] = (struct captured){c->kind, c->id, value};
}

static void flow_value_set(struct detect *d, struct flow_detect *x, const struct captured *c)
{
    struct flow_value **at = &x->values;
    size_t n = min_size(c->value.n, FLOW_VALUE_BYTES);

    for (; *at; at = &(*at)->next) {
        if ((*at)->id != c->id || (*at)->with_alert != (c->kind == VARIABLE_ALERT))
            continue;
        struct flow_value *old = *at;
        *at = old->next;
        value_free(d, old);
        x->n_values--;
        break;
    }
    while (*at)
        at = &(*at)->next;
    if (x->n_values >= FLOW_VALUES_MAX || d->value_bytes + sizeof(**at) + n > VALUES_BYTES_MAX)
        return;
    struct flow_value *v = mem_try(sizeof(*v) + n);
    if (!v)
        return;
    uint8_t *bytes = (uint8_t *)(v + 1);
    if (n)
        memcpy(bytes, c->value.p, n);
    *v = (struct flow_value){NULL, c->id, c->kind == VARIABLE_ALERT, {bytes, n}};
    *at = v;
    d->value_bytes += sizeof(*v) + n;
    x->n_values++;
}

static void packet_value_set(struct detect *d, const struct captured *c)
{
    uint8_t *to = d->packet_var_bytes + d->n_packet_var_bytes;

    if (d->n_packet_vars == PACKET_VARS_MAX ||
        c->value.n > PACKET_VAR_BYTES - d->n_packet_var_bytes)
        return;
    if (c->value.n)
        memcpy(to, c->value.p, c->value.n);
    d->n_packet_var_bytes += (uint32_t)c->value.n;
    d->packet_vars[d->n_packet_vars++] = (struct captured){c->kind, c->id, {to, c->value.n}};
}

void captures_commit(struct detect *d, struct flow *f)
{
    for (uint32_t i = 0; i < d->n_captured; i++) {
        const struct captured *c = &d->captured[i];
        if (c->kind == VARIABLE_PACKET) {
            packet_value_set(d, c);
        } else if (f) {
            flow_value_set(d, flow_detect_of(d, f), c);
        }
    }
    d->n_captured = 0;
}

enum found match_flowvar(struct inspection *in, const struct match *m)
{
    const struct flowvar *v = m->data;
    const struct flow_detect *x = in->f ? in->f->detect : NULL;

    for (const struct flow_value *k = x ? x->values : NULL; k; k = k->next) {
        if (k->id != v->id)
            continue;
        size_t at = v->nocase ? span_ifind(k->value, v->bytes) : span_find(k->value, v->bytes);
        return (at != SIZE_MAX) != v->negated ? FOUND : FOUND_NOT;
    }
    return FOUND_NOT;
}

enum found match_pktvar(struct inspection *in, const struct match *m)
{
    const struct flowvar *v = m->data;

    for (uint32_t i = 0; i < in->d->n_packet_vars; i++) {
        const struct captured *k = &in->d->packet_vars[i];
        if (k->id != v->id)
            continue;
        size_t at = v->nocase ? span_ifind(k->value, v->bytes) : span_find(k->value, v->bytes);
        return (at != SIZE_MAX) != v->negated ? FOUND : FOUND_NOT;
    }
    return FOUND_NOT;
}

/* One bit of an address, a pair or a flow. */
struct var_key {
    uint32_t id, kind;
    struct ip a, b;
    uint64_t flow;
};

struct var_entry {
    struct entry entry;
    struct var_key key;
};

struct entries *bits_new(uint32_t max_entries)
{
    return entries_new(max_entries, sizeof(struct var_entry), sizeof(struct var_key));
}

static bool var_operate(struct entries *s, const struct xbits *x, const struct var_key *key,
                        uint64_t now_ns)
{
    struct var_entry *e = entries_find(s, key);

    if (e && e->entry.until_ns < now_ns) {
        entries_drop(s, e);
        e = NULL;
    }
    switch (x->op) {
    case BIT_ISSET:
        return e;
    case BIT_ISNOTSET:
        return !e;
    case BIT_UNSET:
        if (e)
            entries_drop(s, e);
        return true;
    case BIT_TOGGLE:
        if (e) {
            entries_drop(s, e);
            return true;
        }
        FALLTHROUGH;
    default:
        break;
    }
    if (!e)
        e = entries_add(s, key, now_ns);
    if (e)
        e->entry.until_ns = x->expire_s ? now_ns + (uint64_t)x->expire_s * NS_PER_S : UINT64_MAX;
    return true;
}

static enum found match_var(struct inspection *in, const struct xbits *x, uint32_t kind)
{
    struct var_key key;

    memset(&key, 0, sizeof(key)); /* padding too: it is hashed and compared */
    key.id = x->id;
    key.kind = kind * 8 + x->track;
    if (x->track == TRACK_FLOW) {
        if (!in->f)
            return FOUND_NOT;
        key.flow = in->f->id;
    } else if (!in->p->ip_v) {
        return FOUND_NOT;
    } else if (x->track == TRACK_BOTH && kind == 0) {
        entries_pair(in->p, &key.a, &key.b);
    } else {
        key.kind = kind * 8;
        memcpy(&key.a, x->track == TRACK_DST ? &in->p->dst : &in->p->src, sizeof(key.a));
    }
    struct entries *s = in->d->vars;
    entries_lock(s);
    bool r = var_operate(s, x, &key, in->p->ts_ns);
    if (kind == 1 && x->track == TRACK_BOTH) { /* hostbits on both: also the other end */
        memcpy(&key.a, &in->p->dst, sizeof(key.a));
        bool other = var_operate(s, x, &key, in->p->ts_ns);
        r = x->op == BIT_ISNOTSET ? r && other : r || other;
    }
    entries_unlock(s);
    return r ? FOUND : FOUND_NOT;
}

enum found match_xbits(struct inspection *in, const struct match *m)
{
    return match_var(in, m->data, 0);
}

enum found match_hostbits(struct inspection *in, const struct match *m)
{
    return match_var(in, m->data, 1);
}
