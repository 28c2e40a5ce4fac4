/* SPDX-License-Identifier: Apache-2.0 */
/* How a rule is decided in transactions: a step for each run on a buffer, in each direction and for
 * each protocol that has the buffer, one for each condition on values, one for payload contents
 * beside them. Steps of a direction stand by progress, the one with the fast pattern first: it
 * settles most candidates. */
#include "detect/group.h"

#include "base/mem.h"

enum { STEPS_MAX = 30 }; /* bits 0..29 of the kept state; two more are flags */

struct draft {
    struct step list[STEPS_MAX];
    uint32_t n;
    bool full;
};

static bool same_transforms(const struct transform *a, const struct transform *b, uint16_t n)
{
    for (uint16_t i = 0; i < n; i++) {
        if (a[i].kind != b[i].kind || !span_eq(a[i].key, b[i].key) || a[i].pcre != b[i].pcre ||
            a[i].base64_mode != b[i].base64_mode || a[i].n_bytes != b[i].n_bytes ||
            a[i].offset != b[i].offset || a[i].max_size != b[i].max_size)
            return false;
    }
    return true;
}

uint16_t transform_number(struct engine *g, const struct transform *list, uint16_t n)
{
    if (n == 0)
        return 0;
    for (uint16_t i = 1; i < g->n_transforms; i++)
        if (g->transforms[i].n == n && same_transforms(g->transforms[i].list, list, n))
            return i;
    must(g->n_transforms < UINT16_MAX);
    g->transforms = mem_resize(g->transforms, (g->n_transforms + 1u) * sizeof(*g->transforms));
    g->transforms[g->n_transforms] = (struct transform_list){list, n};
    return g->n_transforms++;
}

/* Directions in which a rule may match at all. */
static uint8_t rule_dirs(const struct rule *r)
{
    bool ts = r->flags & RULE_TO_SERVER, tc = r->flags & RULE_TO_CLIENT;

    if (ts == tc || (r->flags & RULE_TX_BOTH))
        return 3;
    return (uint8_t)(1 << (ts ? DIR_TS : DIR_TC));
}

static void draft_add(struct draft *d, struct step s)
{
    if (d->n == STEPS_MAX) {
        d->full = true;
        return;
    }
    d->list[d->n++] = s;
}

/* One step per direction that rule and source share. */
static void draft_dirs(struct draft *d, struct step s, uint8_t dirs)
{
    for (uint8_t dir = 0; dir < 2; dir++) {
        if (!(dirs & (1 << dir)))
            continue;
        s.dir = dir;
        draft_add(d, s);
    }
}

static bool app_fits(const struct rule *r, uint8_t proto)
{
    return r->app == PROTO_NONE || r->app == proto;
}

static bool run_on_null(const struct buffer_matches *run)
{
    for (const struct match *m = run->matches; m; m = m->next)
        if (m->kind == KW_ABSENT)
            return true;
    return false;
}

static void draft_run(struct engine *g, struct draft *d, const struct rule *r,
                      const struct buffer_matches *run)
{
    const struct buffer_info *info = &g->buffers[run->buffer];
    struct step s = {.run = run, .match = run->matches, .fast = run == r->fast_run};
    bool own = false;
    uint8_t dirs = run->dirs ? run->dirs & rule_dirs(r) : rule_dirs(r);

    s.transform = transform_number(g, run->transforms, run->transform_n);
    s.on_null = run_on_null(run);
    for (uint8_t i = 0; i < info->n_sources; i++) {
        const struct buffer_source *source = &info->sources[i];
        if (!app_fits(r, source->proto))
            continue;
        own = true;
        s.kind = STEP_BUFFER;
        s.proto = source->proto;
        s.buffer = source->buffer;
        s.progress = source->buffer->progress;
        draft_dirs(d, s, source->buffer->dirs & dirs);
    }
    if (own)
        return;
    if (run->buffer == BUFFER_FILE_DATA || run->buffer == BUFFER_FILE_NAME) {
        s.kind = run->buffer == BUFFER_FILE_DATA ? STEP_FILE_DATA : STEP_FILE_NAME;
        s.proto = r->app < PROTO_COUNT ? r->app : PROTO_NONE;
        draft_dirs(d, s, dirs);
    }
}

static const struct value_cond *value_of_match(const struct match *m)
{
    switch (m->kind) {
    case KW_TX_VALUE:
        return m->data;
    case KW_TLS_VERSION:
        return ((const struct tls_version *)m->data)->value;
    case KW_SSL_VERSION:
        return ((const struct ssl_version *)m->data)->value;
    case KW_SSL_STATE:
        return ((const struct ssl_state *)m->data)->value;
    case KW_TLS_CERT_NOTBEFORE:
    case KW_TLS_CERT_NOTAFTER:
        return ((const struct cert_time *)m->data)->value;
    default:
        return NULL;
    }
}

static void draft_value(struct draft *d, const struct rule *r, const struct match *m)
{
    const struct value_cond *v = value_of_match(m);
    struct step s = {.kind = STEP_VALUE, .match = m};

    s.proto = r->app < PROTO_COUNT ? r->app : PROTO_NONE;
    if (v) {
        for (uint8_t i = 0; i < v->n_sources; i++) {
            if (!app_fits(r, v->sources[i].proto))
                continue;
            s.proto = v->sources[i].proto;
            s.progress = v->sources[i].value->progress;
            draft_dirs(d, s, v->sources[i].value->dirs & rule_dirs(r));
        }
        return;
    }
    if (m->kind == KW_APP_LAYER_EVENT) {
        const struct app_event_cond *e = m->data;
        s.proto = e->proto != PROTO_NONE ? e->proto : s.proto;
    }
    draft_dirs(d, s, rule_dirs(r));
}

static int step_order(const void *a, const void *b)
{
    const struct step *x = a, *y = b;

    if (x->dir != y->dir)
        return x->dir < y->dir ? -1 : 1;
    if (x->fast != y->fast)
        return x->fast ? -1 : 1;
    if (x->progress != y->progress)
        return x->progress < y->progress ? -1 : 1;
    return x->id < y->id ? -1 : x->id > y->id;
}

static bool step_of_app(const struct match *m)
{
    if (m->kind != KW_APP_LAYER_EVENT)
        return true;
    return ((const struct app_event_cond *)m->data)->proto != PROTO_NONE;
}

static void draft_finish(struct engine *g, struct plan *plan, struct draft *d)
{
    for (uint32_t i = 0; i < d->n; i++)
        d->list[i].id = (uint8_t)i;
    qsort(d->list, d->n, sizeof(*d->list), step_order);
    struct step *steps = arena_get(&g->arena, d->n * sizeof(*steps));
    mem_need(steps, d->n * sizeof(*steps));
    memcpy(steps, d->list, d->n * sizeof(*steps));
    plan->steps = steps;
    plan->n_steps = (uint8_t)d->n;
}

/* On TCP a rule that runs on the stream insists on packets too only where a content is bound to a
 * place, or with stream_size. The flag alone also stands for transports without streams. */
static bool packets_of_tcp_too(const struct rule *r)
{
    if (!(r->flags & RULE_NEEDS_STREAM))
        return true;
    for (const struct match *m = r->payload_matches; m; m = m->next) {
        const struct content *c = m->data;
        if (m->kind == KW_CONTENT && (c->flags & (CONTENT_DEPTH | CONTENT_OFFSET)))
            return r->flags & RULE_NEEDS_PACKET;
    }
    for (const struct match *m = r->packet_matches; m; m = m->next)
        if (m->kind == KW_STREAM_SIZE)
            return r->flags & RULE_NEEDS_PACKET;
    return false;
}

/* Nothing but `app-layer-protocol` decides. */
static bool recognition_alone(const struct rule *r)
{
    if (r->app != PROTO_NONE || r->payload_matches || r->buffers || r->tx_matches)
        return false;
    for (const struct match *m = r->packet_matches; m; m = m->next)
        if (m->kind != KW_APP_LAYER_PROTOCOL)
            return false;
    return r->packet_matches;
}

static void plan_rule(struct engine *g, const struct rule *r, struct plan *plan)
{
    struct draft d = {.n = 0};
    bool app = false;

    for (const struct buffer_matches *run = r->buffers; run; run = run->next) {
        if (g->buffers[run->buffer].packet_get) {
            plan->packet_runs = true;
            continue;
        }
        app = true;
        draft_run(g, &d, r, run);
    }
    for (const struct match *m = r->tx_matches; m; m = m->next) {
        if (!step_of_app(m))
            continue;
        app = true;
        draft_value(&d, r, m);
    }
    if (app && r->payload_matches) {
        struct step s = {.kind = STEP_STREAM, .match = r->payload_matches};
        s.fast = r->fast && r->fast_list == LIST_PAYLOAD;
        draft_dirs(&d, s, rule_dirs(r));
    }
    plan->tx = app;
    plan->recognition = recognition_alone(r);
    g->has_recognition = g->has_recognition || plan->recognition;
    plan->stream = r->flags & RULE_NEEDS_STREAM;
    plan->needs_packet = packets_of_tcp_too(r);
    plan->packet_type =
        !app && !plan->stream &&
        ((r->flags & RULE_NEEDS_PACKET) || r->app == PROTO_NONE || plan->packet_runs);
    if (d.n && !d.full)
        draft_finish(g, plan, &d);
}

bool rule_impossible(const struct engine *g, const struct rule *r)
{
    const struct plan *plan = &g->plans[r->index];

    if (r->app >= APP_FOREIGN)
        return true;
    for (const struct buffer_matches *run = r->buffers; run; run = run->next) {
        const struct buffer_info *info = &g->buffers[run->buffer];
        if (info->n_sources == 0 && !info->packet_get && run->buffer != BUFFER_FILE_DATA &&
            run->buffer != BUFFER_FILE_NAME)
            return true;
    }
    return plan->tx && plan->n_steps == 0;
}

void engine_plan(struct engine *g)
{
    g->plans = mem_zero((g->n_rules + 1) * sizeof(*g->plans));
    g->transforms = mem_zero(sizeof(*g->transforms));
    g->n_transforms = 1;
    for (uint32_t i = 0; i < g->n_rules; i++)
        plan_rule(g, g->rules[i], &g->plans[i]);
}
