/* SPDX-License-Identifier: Apache-2.0 */
/* A worker's PCRE2 side. The code compiled at load is shared and only read; machine code belongs to
 * one worker and is made at the first use, because most expressions of a rule set are never
 * reached: start-up stays short and no worker waits for another. */
#include "detect/pcre.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base/hash.h"
#include "base/mem.h"
#include "detect/flowvars.h"
#include "detect/worker.h"

enum { CAPTURES = 32, JIT_STACK_START = 32 << 10, JIT_STACK_MAX = 512 << 10 };

struct slot {
    const struct pcre *x;
    pcre2_code *code;
};

struct pcre_worker {
    struct slot *slots; /* open addressing by pointer */
    size_t mask, n;
    pcre2_match_context *limited, *unlimited;
    pcre2_match_data *data;
    pcre2_jit_stack *stack;
};

struct pcre_worker *pcre_worker_new(uint32_t match_limit, uint32_t recursion_limit)
{
    struct pcre_worker *w = mem_zero(sizeof(*w));

    w->mask = 63;
    w->slots = mem_zero((w->mask + 1) * sizeof(*w->slots));
    w->limited = pcre2_match_context_create(NULL);
    w->unlimited = pcre2_match_context_create(NULL);
    w->data = pcre2_match_data_create(CAPTURES, NULL);
    w->stack = pcre2_jit_stack_create(JIT_STACK_START, JIT_STACK_MAX, NULL);
    mem_need(w->limited && w->unlimited && w->data && w->stack ? w : NULL, JIT_STACK_START);
    if (match_limit)
        (void)pcre2_set_match_limit(w->limited, match_limit);
    if (recursion_limit)
        (void)pcre2_set_depth_limit(w->limited, recursion_limit);
    pcre2_jit_stack_assign(w->limited, NULL, w->stack);
    pcre2_jit_stack_assign(w->unlimited, NULL, w->stack);
    return w;
}

void pcre_worker_free(struct pcre_worker *w)
{
    if (!w)
        return;
    for (size_t i = 0; i <= w->mask; i++)
        if (w->slots[i].x)
            pcre2_code_free(w->slots[i].code);
    mem_free(w->slots);
    pcre2_match_context_free(w->limited);
    pcre2_match_context_free(w->unlimited);
    pcre2_match_data_free(w->data);
    pcre2_jit_stack_free(w->stack);
    mem_free(w);
}

static struct slot *slot_find(struct slot *slots, size_t mask, const struct pcre *x)
{
    size_t at = (size_t)hash_mix((uintptr_t)x) & mask;

    while (slots[at].x && slots[at].x != x)
        at = (at + 1) & mask;
    return &slots[at];
}

static void slots_double(struct pcre_worker *w)
{
    size_t mask = 2 * w->mask + 1;
    struct slot *slots = mem_zero((mask + 1) * sizeof(*slots));

    for (size_t i = 0; i <= w->mask; i++)
        if (w->slots[i].x)
            *slot_find(slots, mask, w->slots[i].x) = w->slots[i];
    mem_free(w->slots);
    w->slots = slots;
    w->mask = mask;
}

/* The worker's own copy, compiled for the machine; without memory for it the shared one, which the
 * interpreter runs. */
static COLD pcre2_code *slot_fill(struct pcre_worker *w, const struct pcre *x)
{
    pcre2_code *code = pcre2_code_copy(x->code);

    if (!code)
        return x->code;
    if (2 * ++w->n > w->mask)
        slots_double(w);
    struct slot *s = slot_find(w->slots, w->mask, x);
    s->x = x;
    s->code = code;
    (void)pcre2_jit_compile(code, PCRE2_JIT_COMPLETE); /* without it the interpreter runs */
    return code;
}

static int run(struct pcre_worker *w, const struct pcre *x, struct span s, size_t from)
{
    struct slot *slot = slot_find(w->slots, w->mask, x);
    pcre2_code *code = slot->x ? slot->code : slot_fill(w, x);
    pcre2_match_context *context = x->flags & PCRE_MATCH_LIMIT ? w->unlimited : w->limited;

    return pcre2_match(code, s.p, s.n, from, 0, w->data, context);
}

static void keep_captures(struct inspection *in, const struct pcre *x, struct span s, int groups)
{
    const PCRE2_SIZE *ov = pcre2_get_ovector_pointer(in->d->pcre->data);

    for (int i = 0; i < x->n_captures && i + 1 < groups; i++) {
        PCRE2_SIZE from = ov[2 * (i + 1)], to = ov[2 * (i + 1) + 1];
        if (x->captures[i].kind == VARIABLE_NONE || from == PCRE2_UNSET || to < from)
            continue;
        capture_keep(in, &x->captures[i], span_cut(s, from, to - from));
    }
}

bool pcre_try(struct inspection *in, const struct pcre *x)
{
    struct pcre_worker *w = in->d->pcre;
    size_t base = x->flags & PCRE_RELATIVE ? in->at : 0;

    if (base > in->buf.n)
        return false;
    struct span s = span_from(in->buf, base);
    size_t from = in->pcre_from > base ? in->pcre_from - base : 0;
    if (from > s.n)
        return false;
    int r = run(w, x, s, from);
    if (r == PCRE2_ERROR_NOMATCH) {
        in->pcre_from = 0;
        return x->flags & PCRE_NEGATED;
    }
    if (r < 0 || (x->flags & PCRE_NEGATED))
        return false;
    int groups = r ? r : CAPTURES;
    const PCRE2_SIZE *ov = pcre2_get_ovector_pointer(w->data);
    if (x->n_captures)
        keep_captures(in, x, s, groups);
    in->at = (uint32_t)(base + ov[1]);
    in->pcre_from = (uint32_t)(base + ov[0] + 1);
    return true;
}

bool pcre_first_capture(struct pcre_worker *w, const struct pcre *x, struct span s,
                        struct span *ret)
{
    int r = run(w, x, s, 0);

    if (r < 2 && r != 0)
        return false;
    const PCRE2_SIZE *ov = pcre2_get_ovector_pointer(w->data);
    if (ov[2] == PCRE2_UNSET || ov[3] < ov[2])
        return false;
    *ret = span_cut(s, ov[2], ov[3] - ov[2]);
    return true;
}
