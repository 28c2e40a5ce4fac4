/* SPDX-License-Identifier: Apache-2.0 */
/* Conditions on sets of values, where the whole buffer is the value, and on reputations of the
 * packet's addresses. */
#include "detect/dataset.h"
#include "detect/iprep.h"
#include "detect/keyword.h"
#include "detect/match.h"
#include "detect/worker.h"

/* What a set says of the value goes with the alert, if there will be one. Inspection may come by
 * again: a key is kept once. */
static void context_keep(struct detect *d, const char *key, struct span json)
{
    uint8_t n = d->n_contexts;

    for (uint8_t i = 0; i < d->n_context_new; i++)
        if (d->contexts[n + i].key == key) {
            d->contexts[n + i].json = json;
            return;
        }
    if (n + d->n_context_new < CONTEXTS_MAX)
        d->contexts[n + d->n_context_new++] = (struct alert_context){key, json};
}

enum found match_dataset(struct inspection *in, const struct match *m)
{
    const struct dataset_match *x = m->data;
    struct dataset_hit hit;

    if (in->buf_absent || in->buf.n == 0)
        return FOUND_NOT;
    switch (x->op) {
    case DATASET_OP_ISSET:
        if (!dataset_find(x->set, in->buf, &hit))
            return FOUND_NOT;
        if (x->context && hit.json.n)
            context_keep(in->d, x->context, hit.json);
        return FOUND;
    case DATASET_OP_ISNOTSET:
        return dataset_find(x->set, in->buf, &hit) ? FOUND_NOT : FOUND;
    case DATASET_OP_SET: {
        enum dataset_change c = dataset_add(x->set, in->buf);
        in->d->counters[DTC_DATASET_FULL] += c == DATASET_FULL;
        return c == DATASET_CHANGED ? FOUND : FOUND_NOT;
    }
    default:
        return dataset_remove(x->set, in->buf) ? FOUND : FOUND_NOT;
    }
}

enum found match_datarep(struct inspection *in, const struct match *m)
{
    const struct datarep_match *x = m->data;
    struct dataset_hit hit;

    if (in->buf_absent || in->buf.n == 0 || !dataset_find(x->set, in->buf, &hit))
        return FOUND_NOT;
    return uint_cond_match(&x->cond, hit.reputation) ? FOUND : FOUND_NOT;
}

static bool address_match(const struct iprep_cond *c, const struct ip *a)
{
    uint8_t v = iprep_find(c->list, c->category, a);

    if (v == 0) /* only "not set" holds without a reputation */
        return c->value.op == UINT_EQ && c->value.a == 0;
    return uint_cond_match(&c->value, v);
}

enum found match_iprep(struct inspection *in, const struct match *m)
{
    const struct iprep_cond *c = m->data;
    const struct packet *p = in->p;
    bool src = c->side != IPREP_DST, dst = c->side != IPREP_SRC;

    if (!p->ip_v)
        return FOUND_NOT;
    src = src && address_match(c, &p->src);
    dst = dst && address_match(c, &p->dst);
    return (c->side == IPREP_BOTH ? src && dst : src || dst) ? FOUND : FOUND_NOT;
}
