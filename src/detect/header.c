/* SPDX-License-Identifier: Apache-2.0 */
/* Headers and their index. A rule goes into the index under the side whose IPv4 addresses are few;
 * the address space is cut into the pieces between all borders, each with its list of rules. Rules
 * without a narrow side stand in one list that every packet is tried against. */
#include "detect/header.h"

#include "base/mem.h"
#include "base/rd.h"

enum { NARROW = 1 << 18, PROTO_TCP_NUMBER = 6, PROTO_UDP_NUMBER = 17, PROTO_SCTP_NUMBER = 132 };

static bool port_set_has(const struct port_set *set, uint16_t port)
{
    for (uint32_t i = 0; i < set->n; i++)
        if (port >= set->r[i].first && port <= set->r[i].last)
            return true;
    return set->any;
}

/* Both sides of the packet as the rule is to see them: a rule on both directions of a transaction
 * sees a response as if it went the request's way. */
struct ends {
    const struct ip *src, *dst;
    uint16_t sport, dport;
};

static struct ends ends_of(const struct rule *r, const struct packet *p)
{
    if ((r->flags & RULE_TX_BOTH) && p->flow && p->dir == DIR_TC)
        return (struct ends){&p->dst, &p->src, p->dport, p->sport};
    return (struct ends){&p->src, &p->dst, p->sport, p->dport};
}

static bool ports_match(const struct rule *r, const struct packet *p, const struct ends *e)
{
    if (r->sport->any && r->dport->any)
        return true;
    if (p->proto != PROTO_TCP_NUMBER && p->proto != PROTO_UDP_NUMBER &&
        p->proto != PROTO_SCTP_NUMBER)
        return false;
    if ((p->flags & PKT_FRAGMENT) || !p->l4)
        return false;
    return port_set_has(r->dport, e->dport) && port_set_has(r->sport, e->sport);
}

static bool ends_match(const struct rule *r, const struct packet *p, const struct ends *e)
{
    if (!ports_match(r, p, e))
        return false;
    if (p->ip_v == 0)
        return true;
    return address_set_has(r->dst, e->dst) && address_set_has(r->src, e->src);
}

bool header_match(const struct rule *r, const struct packet *p)
{
    if ((r->ip_v && r->ip_v != p->ip_v) || (r->arp && !p->arp))
        return false;
    if (p->ip_v && !(r->ip_proto[p->proto >> 3] >> (p->proto & 7) & 1))
        return false;
    struct ends e = ends_of(r, p);
    if (ends_match(r, p, &e))
        return true;
    if (!(r->flags & RULE_BIDIRECTIONAL))
        return false;
    struct ends swapped = {e.dst, e.src, e.dport, e.sport};
    return ends_match(r, p, &swapped);
}

/* The pieces of the IPv4 address space on one side. */
struct side {
    uint32_t *starts;  /* ascending; piece i reaches to the next start */
    uint32_t *offsets; /* of its rules: rules[offsets[i]] … rules[offsets[i + 1]] */
    uint32_t *rules;
    uint32_t n;
};

struct header_index {
    struct side src, dst;
    uint32_t *always, *v6;
    uint32_t n_always, n_v6;
};

static uint32_t v4_number(const struct ip *a)
{
    return be32(a->b + 12);
}

static uint64_t v4_width(const struct address_set *s)
{
    uint64_t n = 0;

    if (s->any)
        return UINT64_MAX;
    for (uint32_t i = 0; i < s->n_v4; i++)
        n += (uint64_t)v4_number(&s->v4[i].last) - v4_number(&s->v4[i].first) + 1;
    return n;
}

struct border {
    uint64_t at;
    uint32_t rule;
    bool opens;
};

static int border_order(const void *a, const void *b)
{
    const struct border *x = a, *y = b;

    if (x->at != y->at)
        return x->at < y->at ? -1 : 1;
    return x->rule < y->rule ? -1 : x->rule > y->rule;
}

struct sweep {
    uint32_t *active;
    uint32_t n_active;
    size_t rules_cap, n_rules;
};

static void sweep_border(struct sweep *w, const struct border *b)
{
    if (b->opens) {
        w->active[w->n_active++] = b->rule;
        return;
    }
    for (uint32_t i = 0; i < w->n_active; i++) {
        if (w->active[i] == b->rule) {
            w->active[i] = w->active[--w->n_active];
            return;
        }
    }
}

static void side_build(struct side *s, struct border *b, size_t n)
{
    struct sweep w = {.active = mem_array(n + 1, sizeof(uint32_t)), .rules_cap = 2 * n + 16};

    qsort(b, n, sizeof(*b), border_order);
    s->starts = mem_array(n + 2, sizeof(*s->starts));
    s->offsets = mem_array(n + 2, sizeof(*s->offsets));
    s->rules = mem_array(w.rules_cap, sizeof(*s->rules));
    for (size_t i = 0; i < n;) {
        uint64_t at = b[i].at;
        for (; i < n && b[i].at == at; i++)
            sweep_border(&w, &b[i]);
        if (at > UINT32_MAX)
            break;
        if (w.n_rules + w.n_active > w.rules_cap) {
            w.rules_cap = 2 * (w.n_rules + w.n_active);
            s->rules = mem_resize(s->rules, w.rules_cap * sizeof(*s->rules));
        }
        s->starts[s->n] = (uint32_t)at;
        s->offsets[s->n++] = (uint32_t)w.n_rules;
        memcpy(s->rules + w.n_rules, w.active, w.n_active * sizeof(*s->rules));
        w.n_rules += w.n_active;
    }
    s->offsets[s->n] = (uint32_t)w.n_rules;
    mem_free(w.active);
}

static size_t borders_add(struct border *b, size_t n, const struct address_set *s, uint32_t rule)
{
    for (uint32_t i = 0; i < s->n_v4; i++) {
        b[n++] = (struct border){v4_number(&s->v4[i].first), rule, true};
        b[n++] = (struct border){(uint64_t)v4_number(&s->v4[i].last) + 1, rule, false};
    }
    return n;
}

struct header_index *header_index_new(const struct rule *const *rules, uint32_t n)
{
    struct header_index *x = mem_zero(sizeof(*x));
    size_t borders = 0, n_src = 0, n_dst = 0;

    for (uint32_t i = 0; i < n; i++)
        borders += 2 * (size_t)(rules[i]->src->n_v4 + rules[i]->dst->n_v4);
    struct border *src = mem_array(borders + 1, sizeof(*src));
    struct border *dst = mem_array(borders + 1, sizeof(*dst));
    x->always = mem_array(n + 1, sizeof(uint32_t));
    x->v6 = mem_array(n + 1, sizeof(uint32_t));
    for (uint32_t i = 0; i < n; i++) {
        const struct rule *r = rules[i];
        uint64_t s = v4_width(r->src), d = v4_width(r->dst);
        if ((s > NARROW && d > NARROW) || (r->flags & RULE_BIDIRECTIONAL)) {
            x->always[x->n_always++] = r->index;
            continue;
        }
        if (s <= d)
            n_src = borders_add(src, n_src, r->src, r->index);
        else
            n_dst = borders_add(dst, n_dst, r->dst, r->index);
        if ((r->src->any || r->src->n_v6) && (r->dst->any || r->dst->n_v6))
            x->v6[x->n_v6++] = r->index;
    }
    side_build(&x->src, src, n_src);
    side_build(&x->dst, dst, n_dst);
    mem_free(src);
    mem_free(dst);
    return x;
}

static void side_free(struct side *s)
{
    mem_free(s->starts);
    mem_free(s->offsets);
    mem_free(s->rules);
}

void header_index_free(struct header_index *x)
{
    if (!x)
        return;
    side_free(&x->src);
    side_free(&x->dst);
    mem_free(x->always);
    mem_free(x->v6);
    mem_free(x);
}

static void side_find(const struct side *s, uint32_t a, struct candidates *c)
{
    uint32_t low = 0, high = s->n;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (s->starts[middle] <= a)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0)
        return;
    for (uint32_t i = s->offsets[low - 1]; i < s->offsets[low]; i++)
        candidates_add(c, s->rules[i]);
}

void header_index_find(const struct header_index *x, const struct packet *p, struct candidates *c)
{
    for (uint32_t i = 0; i < x->n_always; i++)
        candidates_add(c, x->always[i]);
    if (p->ip_v == 4) {
        side_find(&x->src, v4_number(&p->src), c);
        side_find(&x->dst, v4_number(&p->dst), c);
    } else if (p->ip_v == 6) {
        for (uint32_t i = 0; i < x->n_v6; i++)
            candidates_add(c, x->v6[i]);
    }
}
