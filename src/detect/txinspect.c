/* SPDX-License-Identifier: Apache-2.0 */
/* A transaction is inspected whenever a packet of its direction finds it changed. Prefilters run on
 * the buffers that its progress has reached, until they have run once more after the buffer was
 * final. A rule whose steps were only partly taken is kept with the transaction, together with the
 * steps that hold already, and goes on from there; one that matched or can match no more is not
 * tried again. The kept state lives on the transaction's arena and has a ceiling. */
#include "detect/txinspect.h"

#include "detect/content.h"
#include "detect/flowvars.h"
#include "detect/transform.h"
#include "flow/stream.h"
#include "proto/file.h"

enum { KEPT_MAX = 512, INSTANCES_MAX = 1024, EAGER_PROGRESS = 1 };
enum { STATE_FULL = 1u << 30, STATE_NEVER = 1u << 31 };

struct kept {
    struct kept *next;
    uint32_t rule, flags;
};

struct tx_detect {
    struct kept *kept[2], *last[2];
    uint32_t n_kept[2], n_files[2];
    uint8_t progress[2]; /* buffers below this have been filtered for good */
};

enum step_result { STEP_NO, STEP_YES, STEP_NEVER, STEP_NEVER_FILES, STEP_YES_MORE };

/* One transaction in one direction. */
struct walk {
    struct detect *d;
    struct inspection *in;
    struct tx *tx;
    struct tx_detect *state;
    uint8_t proto, progress, done;
    bool end; /* the flow ends here */
};

static bool buffer_get(const struct step *s, struct tx *tx, enum dir dir, uint32_t index,
                       struct inspect *ret)
{
    *ret = (struct inspect){0};
    if (!s->buffer->get(tx, dir, index, ret))
        return false;
    if (!s->buffer->growing)
        ret->final = true;
    return true;
}

static bool run_holds(struct walk *w, const struct step *s, const struct inspect *x)
{
    struct inspection *in = w->in;

    in->buf = transform_apply(w->d, s->transform, x->data);
    in->buf_at = x->offset;
    in->buf_final = x->final;
    in->buf_absent = false;
    if (!in->buf.p)
        in->buf.p = (const uint8_t *)"";
    return content_inspect(in, s->match);
}

static enum step_result take_buffer(struct walk *w, const struct step *s)
{
    bool passed = w->progress > s->progress;
    struct inspect x;
    uint32_t i = 0;

    for (; i < INSTANCES_MAX && buffer_get(s, w->tx, s->dir, i, &x); i++) {
        if (run_holds(w, s, &x))
            return STEP_YES;
        if (!s->buffer->multi)
            return passed ? STEP_NEVER : STEP_NO;
    }
    /* what does not grow is there at this progress or never */
    if (i == 0 && s->on_null && (passed || w->end || !s->buffer->growing))
        return STEP_YES;
    return passed ? STEP_NEVER : STEP_NO;
}

static enum step_result take_file(struct walk *w, const struct step *s)
{
    for (const struct file *f = w->tx->files[s->dir]; f; f = f->next) {
        struct inspect x = {.final = true};
        if (s->kind == STEP_FILE_NAME) {
            x.data = f->name;
        } else {
            x.data = buf_span(&f->window);
            x.offset = f->window_at;
            x.final = f->state != FILE_OPEN;
        }
        if (run_holds(w, s, &x))
            return STEP_YES;
    }
    return STEP_NO;
}

static enum step_result take_value(struct walk *w, const struct step *s)
{
    w->in->dir = s->dir;
    return match_table[s->match->kind](w->in, s->match) == FOUND ? STEP_YES : STEP_NO;
}

static enum step_result take_stream(struct walk *w, const struct step *s)
{
    struct inspection *in = w->in;
    const struct packet *p = in->p;

    in->buf_absent = false;
    in->buf_final = true;
    in->buf_at = 0;
    if (p->proto == 17) {
        in->buf = p->payload;
    } else {
        if (!w->d->has_stream)
            return STEP_NO;
        in->buf = w->d->stream;
        in->buf_at = w->d->stream_at;
    }
    if (in->buf.n == 0)
        return STEP_NO;
    return content_inspect(in, s->match) ? STEP_YES : STEP_NO;
}

static enum step_result take_step(struct walk *w, const struct step *s)
{
    switch (s->kind) {
    case STEP_BUFFER:
        return take_buffer(w, s);
    case STEP_FILE_DATA:
    case STEP_FILE_NAME:
        return take_file(w, s);
    case STEP_VALUE:
        return take_value(w, s);
    default:
        return take_stream(w, s);
    }
}

static void keep(struct walk *w, uint32_t rule, uint32_t flags)
{
    enum dir dir = w->in->dir;
    struct tx_detect *t = w->state;

    if (t->n_kept[dir] >= KEPT_MAX)
        return;
    struct kept *k = arena_get(&w->tx->mem, sizeof(*k));
    if (!k)
        return;
    *k = (struct kept){NULL, rule, flags};
    if (t->last[dir])
        t->last[dir]->next = k;
    else
        t->kept[dir] = k;
    t->last[dir] = k;
    t->n_kept[dir]++;
}

/* What is left to decide whether a rule begun now is worth keeping. */
struct outcome {
    uint32_t flags;
    unsigned matches;
    bool filter_done,
        filter_again; /* the fast pattern's buffer is final, or will be looked at anew */
    bool complete;
};

static bool step_applies(const struct walk *w, const struct rule *r, const struct step *s,
                         enum dir dir)
{
    if (s->proto != PROTO_NONE && s->proto != w->proto)
        return false;
    return s->dir == dir || ((r->flags & RULE_TX_BOTH) && dir == DIR_TC);
}

static void take_steps(struct walk *w, const struct rule *r, struct outcome *o)
{
    const struct plan *plan = &w->d->engine->plans[r->index];
    enum dir dir = w->in->dir;
    bool others = false, stopped = false;

    for (uint8_t i = 0; i < plan->n_steps && !stopped; i++) {
        const struct step *s = &plan->steps[i];
        if (!step_applies(w, r, s, dir)) {
            others = others || (s->proto == PROTO_NONE || s->proto == w->proto);
            continue;
        }
        if (o->flags >> s->id & 1)
            continue;
        uint8_t have = s->dir == dir ? w->progress : w->tx->progress[s->dir];
        if (have < s->progress) {
            stopped = true;
            break;
        }
        if (s->fast && have > s->progress)
            o->filter_done = true;
        else if (s->fast)
            o->filter_again = true;
        enum step_result t = take_step(w, s);
        w->in->dir = dir;
        if (t == STEP_YES) {
            o->flags |= 1u << s->id;
            o->matches++;
            continue;
        }
        stopped = true;
        if (t == STEP_NEVER || (s->fast && o->filter_done))
            o->flags |= STATE_NEVER | 1u << s->id;
    }
    o->complete = !stopped && o->matches && !((r->flags & RULE_TX_BOTH) && dir == DIR_TS && others);
    if (o->complete)
        o->flags |= STATE_FULL;
}

static bool rule_begins(struct walk *w, const struct rule *r)
{
    struct inspection *in = w->in;

    if (r->app != PROTO_NONE && r->app != w->proto)
        return false;
    return rule_flow_match(in, r) && header_match(r, in->p) && rule_packet_matches(in, r) &&
           (!in->d->engine->plans[r->index].packet_runs || packet_runs_match(in, r));
}

static struct kept *kept_find(struct kept *k, uint32_t rule)
{
    while (k && k->rule != rule)
        k = k->next;
    return k;
}

/* The steps of a rule on both directions that the request has taken hold in the response too. */
static uint32_t flags_of_request(const struct walk *w, const struct rule *r)
{
    if (!(r->flags & RULE_TX_BOTH) || w->in->dir != DIR_TC)
        return 0;
    const struct kept *k = kept_find(w->state->kept[DIR_TS], r->index);
    return k ? k->flags & ~(uint32_t)(STATE_FULL | STATE_NEVER) : 0;
}

static void inspect_rule(struct walk *w, const struct rule *r, struct kept *kept)
{
    struct outcome o = {.flags = kept ? kept->flags : 0};

    w->in->rule = r;
    w->d->n_context_new = 0;
    o.flags |= flags_of_request(w, r);
    if (kept && (kept->flags & (STATE_FULL | STATE_NEVER)))
        return;
    if (!kept && !rule_begins(w, r))
        return;
    take_steps(w, r, &o);
    if (kept)
        kept->flags = o.flags;
    else if (o.flags & STATE_NEVER)
        ;
    else if (o.complete && o.filter_done && !(r->flags & RULE_FILES))
        ;
    else if (!o.complete && o.filter_again && !((r->flags & RULE_TX_BOTH) && w->in->dir == DIR_TS))
        ;
    else if (o.flags)
        keep(w, r->index, o.flags);
    if (o.complete) {
        rule_matched(
            w->d, w->in, r,
            (struct queued){
                .rule = r, .tx = w->tx, .tx_id = w->tx->id, .has_tx = true, .state = true});
    }
    captures_commit(w->d, w->in->f);
}

static void filter_unit(struct walk *w, const struct unit *u)
{
    struct detect *d = w->d;
    enum dir dir = w->in->dir;
    struct step s = {.buffer = u->buffer};
    struct inspect x;

    if (u->kind == STEP_BUFFER) {
        for (uint32_t i = 0; i < INSTANCES_MAX && buffer_get(&s, w->tx, dir, i, &x); i++) {
            prefilter_scan(u->filter, transform_apply(d, u->transform, x.data), d->hs, &d->tx);
            if (!u->buffer->multi)
                break;
        }
        return;
    }
    for (const struct file *f = w->tx->files[dir]; f; f = f->next) {
        struct span data = u->kind == STEP_FILE_NAME ? f->name : buf_span(&f->window);
        prefilter_scan(u->filter, transform_apply(d, u->transform, data), d->hs, &d->tx);
    }
}

/* Runs the prefilters that this transaction has come to; moves its mark past those that will see no
 * more. */
static void filter_all(struct walk *w)
{
    enum dir dir = w->in->dir;
    const struct app_group *g = &w->d->engine->app[w->proto][dir];
    uint8_t mark = w->state->progress[dir];

    for (uint32_t i = 0; i < g->n_units; i++) {
        const struct unit *u = &g->units[i];
        if (w->progress < u->progress)
            break;
        if (u->kind == STEP_BUFFER && w->progress > u->progress) {
            if (w->state->progress[dir] > u->progress)
                continue;
            if (mark <= u->progress)
                mark = (uint8_t)(u->progress + 1);
        }
        filter_unit(w, u);
    }
    w->state->progress[dir] = mark;
    /* of rules on both directions what the request began */
    for (const struct kept *k = dir == DIR_TC ? w->state->kept[DIR_TS] : NULL; k; k = k->next)
        if (w->d->engine->rules[k->rule]->flags & RULE_TX_BOTH)
            candidates_add(&w->d->tx, k->rule);
    for (uint32_t i = 0; i < g->n_always; i++)
        candidates_add(&w->d->tx, g->always[i]);
    for (uint32_t i = 0; i < w->d->packet.n; i++)
        if (w->d->engine->plans[w->d->packet.list[i]].tx)
            candidates_add(&w->d->tx, w->d->packet.list[i]);
}

static uint32_t count_files(const struct tx *tx, enum dir dir)
{
    uint32_t n = 0;

    for (const struct file *f = tx->files[dir]; f; f = f->next)
        n++;
    return n;
}

/* Another file in the transaction: rules on files have another chance. */
static void reset_for_file(struct walk *w)
{
    enum dir dir = w->in->dir;
    uint32_t n = count_files(w->tx, dir);

    if (w->state->n_files[dir] && n > w->state->n_files[dir])
        for (struct kept *k = w->state->kept[dir]; k; k = k->next)
            if (w->d->engine->rules[k->rule]->flags & RULE_FILES)
                k->flags = 0;
    w->state->n_files[dir] = n;
}

static void inspect_tx(struct walk *w)
{
    struct detect *d = w->d;
    enum dir dir = w->in->dir;

    if (!w->tx->detect)
        w->tx->detect = arena_zero(&w->tx->mem, sizeof(struct tx_detect));
    w->state = w->tx->detect;
    if (!w->state)
        return;
    w->in->tx = w->tx;
    candidates_clear(&d->tx);
    filter_all(w);
    reset_for_file(w);
    for (const struct kept *k = w->state->kept[dir]; k; k = k->next)
        candidates_add(&d->tx, k->rule);
    candidates_sort(&d->tx);
    for (uint32_t i = 0; i < d->tx.n; i++) {
        uint32_t rule = d->tx.list[i];
        inspect_rule(w, d->engine->rules[rule], kept_find(w->state->kept[dir], rule));
    }
    w->in->tx = NULL;
}

void tx_inspect_all(struct detect *d, struct inspection *in)
{
    struct walk w = {.d = d, .in = in, .proto = app_number(in->app)};

    if (w.proto == PROTO_NONE)
        return;
    w.done = in->app->proto->done[in->dir];
    w.end = in->p->flags & PKT_PSEUDO;
    for (struct tx *tx = in->app->first; tx; tx = tx->next) {
        if (tx->inspected[in->dir])
            continue;
        if (tx->one_way && tx->way != in->dir) {
            tx->inspected[in->dir] = true;
            continue;
        }
        w.progress = tx->progress[in->dir];
        if (!tx->updated[in->dir] && w.progress < w.done && !w.end)
            continue;
        w.tx = tx;
        inspect_tx(&w);
        tx->updated[in->dir] = false;
        if (w.progress >= w.done)
            tx->inspected[in->dir] = true;
    }
}

void tx_skip_all(struct app *a, enum dir dir)
{
    for (struct tx *tx = a ? a->first : NULL; tx; tx = tx->next)
        if (tx_done(a, tx, dir))
            tx->inspected[dir] = true;
}
