/* SPDX-License-Identifier: Apache-2.0 */
/* Sorts rules by a key made once per rule. A rule that only sets a variable goes first, then one
 * that sets and tests, one that only tests, one that does neither: per kind of variable, in the
 * order flowbits, flowints, captured variables, bits on hosts, bits on pairs. */
#include "detect/order.h"

#include "base/mem.h"
#include "detect/keyword.h"

#include <stdlib.h>

enum variable {
    ORDER_FLOWBITS,
    ORDER_FLOWINT,
    ORDER_FLOWVAR,
    ORDER_PKTVAR,
    ORDER_HOSTBITS,
    ORDER_PAIRBITS,
    ORDER_VARIABLES
};

struct order {
    struct rule *rule;
    uint64_t key; /* smaller goes first */
};

static void use_match(const struct match *m, uint8_t use[ORDER_VARIABLES])
{
    enum { TESTS = 1, SETS = 2 };
    const struct xbits *x = m->data;
    if (m->kind == KW_FLOWBITS) {
        const struct flowbits *f = m->data;
        use[ORDER_FLOWBITS] |= f->op >= BIT_ISSET ? TESTS : SETS;
    } else if (m->kind == KW_FLOWINT) {
        const struct flowint *f = m->data;
        use[ORDER_FLOWINT] |= f->op > FLOWINT_SUB ? TESTS : SETS;
    } else if (m->kind == KW_FLOWVAR) {
        use[ORDER_FLOWVAR] |= TESTS;
    } else if (m->kind == KW_PKTVAR) {
        use[ORDER_PKTVAR] |= TESTS;
    } else if (m->kind == KW_HOSTBITS || m->kind == KW_XBITS) {
        uint8_t of = x->track == TRACK_BOTH ? ORDER_PAIRBITS : ORDER_HOSTBITS;
        use[of] |= x->op >= BIT_ISSET ? TESTS : SETS;
    } else if (m->kind == KW_PCRE) {
        const struct pcre *p = m->data;
        for (uint8_t i = 0; i < p->n_captures; i++)
            use[p->captures[i].kind == VARIABLE_FLOW ? ORDER_FLOWVAR : ORDER_PKTVAR] |= SETS;
    }
}

static void use_list(const struct match *list, uint8_t use[ORDER_VARIABLES])
{
    for (const struct match *m = list; m; m = m->next)
        use_match(m, use);
}

/* The place of an action in the configured order; what is not named there goes last. */
static uint8_t action_place(const struct rule *r, const char *action_order)
{
    static const char letters[] = {
        [ACTION_PASS] = 'p',       [ACTION_DROP] = 'd',        [ACTION_REJECT] = 'r',
        [ACTION_REJECT_DST] = 'r', [ACTION_REJECT_BOTH] = 'r', [ACTION_ALERT] = 'a',
        [ACTION_CONFIG] = 'c'};
    uint8_t i = 0;
    while (i < 4 && action_order[i] != letters[r->action])
        i++;
    return i;
}

static uint64_t order_key(const struct rule *r, const char *action_order)
{
    static const uint8_t by_use[] = {3, 2, 0, 1}; /* nothing, tests, sets, both */
    uint8_t use[ORDER_VARIABLES] = {0};
    use_list(r->packet_matches, use);
    use_list(r->post_matches, use);
    use_list(r->tx_matches, use);
    use_list(r->payload_matches, use);
    for (const struct buffer_matches *run = r->buffers; run; run = run->next)
        use_list(run->matches, use);
    uint64_t key = action_place(r, action_order);
    for (int i = 0; i < ORDER_VARIABLES; i++)
        key = key << 2 | by_use[use[i] & 3];
    return key << 8 | r->priority;
}

static int order_compare(const void *a, const void *b)
{
    const struct order *x = a, *y = b;
    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    return x->rule->index < y->rule->index ? -1 : 1;
}

void rules_order(struct ruleset *rs, const struct detect_conf *conf)
{
    const char *action_order = conf->action_order[0] ? conf->action_order : "pdra";
    struct order *list = mem_array(rs->n_rules + 1, sizeof(*list));
    for (size_t i = 0; i < rs->n_rules; i++) {
        rs->rules[i]->index = (uint32_t)i;
        list[i] = (struct order){rs->rules[i], order_key(rs->rules[i], action_order)};
    }
    qsort(list, rs->n_rules, sizeof(*list), order_compare);
    for (size_t i = 0; i < rs->n_rules; i++) {
        rs->rules[i] = list[i].rule;
        rs->rules[i]->index = (uint32_t)i;
    }
    mem_free(list);
}
