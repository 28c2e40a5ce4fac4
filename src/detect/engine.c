/* SPDX-License-Identifier: Apache-2.0 */
/* One packet through the rules: rules on addresses alone once per flow and direction, rules on the
 * packet and its stream, rules on transactions; then thresholds, pass and drop, and the alerts in
 * order of the rules. A worker's own memory is made at start. */
#include "detect/content.h"
#include "detect/flowvars.h"
#include "detect/keyword.h"
#include "detect/pcre.h"
#include "detect/queue.h"
#include "detect/tag.h"
#include "detect/transform.h"
#include "detect/txinspect.h"
#include "detect/worker.h"

#include "base/mem.h"
#include "flow/stream.h"
#include "packet/decode.h"

enum { TCP = 6, UDP = 17, RAW_PARTS_MAX = 64 };

#define match_none NULL
match_fn *const match_table[KEYWORDS] = {
    NULL,
#define KEYWORD(id, name, aliases, setup, match, flags, help) match_##match,
#include "detect/keywords.def"
#undef KEYWORD
};
#undef match_none

bool rule_packet_matches(struct inspection *in, const struct rule *r)
{
    for (const struct match *m = r->packet_matches; m; m = m->next)
        if (match_table[m->kind] && match_table[m->kind](in, m) != FOUND)
            return false;
    return true;
}

void rule_matched(struct detect *d, struct inspection *in, const struct rule *r, struct queued q)
{
    in->rule = r;
    for (const struct match *m = r->post_matches; m; m = m->next)
        if (match_table[m->kind])
            (void)match_table[m->kind](in, m);
    q.context = d->n_contexts;
    q.n_context = d->n_context_new;
    d->n_contexts = (uint8_t)(d->n_contexts + d->n_context_new);
    d->n_context_new = 0;
    if (d->n_queue < QUEUE_MAX)
        d->queue[d->n_queue++] = q;
    else
        d->counters[DTC_ALERT_OVERFLOW]++;
}

bool packet_runs_match(struct inspection *in, const struct rule *r)
{
    const struct engine *g = in->d->engine;

    for (const struct buffer_matches *run = r->buffers; run; run = run->next) {
        const struct buffer_info *info = &g->buffers[run->buffer];
        struct span s;
        if (!info->packet_get)
            continue;
        if (!info->packet_get(in->p, &s))
            return false;
        in->buf = s;
        in->buf_at = 0;
        in->buf_final = true;
        if (!content_inspect(in, run->matches))
            return false;
    }
    return true;
}

static bool inspect_bytes(struct inspection *in, const struct match *m, struct span s, uint64_t at)
{
    if (s.n == 0)
        return false;
    in->buf = s;
    in->buf_at = at;
    in->buf_final = true;
    in->buf_absent = false;
    return content_inspect(in, m);
}

static bool payload_open(const struct inspection *in)
{
    return !(in->p->flags & PKT_NO_PAYLOAD_INSPECT) &&
           !(in->f && (in->f->flags & FLOW_NO_PAYLOAD_INSPECT));
}

/* Payload contents: on the stream where the rule runs on it, else on the packet, unless its bytes
 * went into the stream and the rule does not insist on packets. */
static bool payload_match(struct inspection *in, const struct rule *r, const struct plan *plan,
                          bool *ret_stream)
{
    struct detect *d = in->d;

    *ret_stream = false;
    if (!r->payload_matches)
        return true;
    if (!payload_open(in))
        return false;
    if (plan->stream && in->p->proto == TCP) {
        if (d->has_stream && inspect_bytes(in, r->payload_matches, d->stream, d->stream_at)) {
            *ret_stream = true;
            return true;
        }
        if (!plan->needs_packet && (in->p->flags & PKT_STREAM_ADDED))
            return false;
    }
    if (in->p->proto == TCP && (r->tcp_stream_only || (r->flags & RULE_ONLY_STREAM)))
        return false;
    return inspect_bytes(in, r->payload_matches, in->p->payload, 0);
}

static bool layer_events_match(struct inspection *in, const struct rule *r)
{
    for (const struct match *m = r->tx_matches; m; m = m->next)
        if (match_table[m->kind] && match_table[m->kind](in, m) != FOUND)
            return false;
    return true;
}

static struct tx *tx_by_id(const struct app *a, uint64_t id)
{
    struct tx *tx = a->first;

    while (tx && tx->id != id)
        tx = tx->next;
    return tx;
}

/* The first transaction that is not inspected yet in this direction. */
static uint64_t inspect_id(const struct app *a, enum dir dir)
{
    for (const struct tx *tx = a->first; tx; tx = tx->next)
        if (!tx->inspected[dir] && !(tx->one_way && tx->way != dir))
            return tx->id;
    return a->next_tx_id;
}

static bool only_tx(const struct app *a, uint64_t id, enum dir dir)
{
    if (a->next_tx_id == id + 1)
        return true;
    if (a->next_tx_id != id + 2)
        return false;
    const struct tx *next = tx_by_id(a, id + 1);
    return next && next->one_way && next->way != dir;
}

/* Names the transaction that a match in the packet or stream most likely belongs to. */
static void guess_tx(const struct detect *d, const struct inspection *in, const struct rule *r,
                     struct queued *q)
{
    const struct app *a = in->app;

    q->tx_id = UINT64_MAX;
    if (!a || !a->proto)
        return;
    uint64_t id = inspect_id(a, in->dir);
    q->tx_id = id;
    bool udp = in->f->key.proto == UDP;
    if (!(r->app != PROTO_NONE && udp) && !(d->conf.guess_tx && only_tx(a, id, in->dir)))
        return;
    struct tx *tx = tx_by_id(a, id);
    if (!tx || tx->detect_packet_alerts >= d->conf.stream_tx_log_limit)
        return;
    tx->detect_packet_alerts++;
    q->tx = tx;
    q->has_tx = true;
    q->tx_guessed = !udp;
}

static void inspect_packet_rule(struct detect *d, struct inspection *in, uint8_t proto,
                                const struct rule *r)
{
    const struct plan *plan = &d->engine->plans[r->index];
    struct queued q = {.rule = r};

    if (plan->tx || ((in->p->flags & PKT_PSEUDO) && plan->packet_type))
        return;
    if (r->app != PROTO_NONE && r->app != proto)
        return;
    if (plan->recognition && !d->recognised)
        return;
    in->rule = r;
    in->tx = NULL;
    d->n_context_new = 0;
    if (rule_flow_match(in, r) && header_match(r, in->p) && rule_packet_matches(in, r) &&
        (!plan->packet_runs || packet_runs_match(in, r)) && payload_match(in, r, plan, &q.stream) &&
        layer_events_match(in, r)) {
        guess_tx(d, in, r, &q);
        rule_matched(d, in, r, q);
    }
    if (d->n_captured)
        captures_commit(d, in->f);
}

static void always_fill(struct detect *d, const struct packet *p, enum dir dir, struct always *a)
{
    const struct header_index *x = d->engine->always[packet_class_of(p)][dir];

    a->known = true;
    a->overflow = false;
    a->n = 0;
    if (!x)
        return;
    candidates_clear(&d->tx);
    header_index_find(x, p, &d->tx);
    for (uint32_t i = 0; i < d->tx.n; i++) {
        if (!header_match(d->engine->rules[d->tx.list[i]], p))
            continue;
        if (a->n == ALWAYS_MAX) {
            a->overflow = true;
            break;
        }
        a->rules[a->n++] = d->tx.list[i];
    }
    candidates_clear(&d->tx);
}

static void candidates_always(struct detect *d, struct inspection *in)
{
    const struct engine *g = d->engine;
    const struct header_index *x = g->always[packet_class_of(in->p)][in->dir];
    struct always *a = NULL;

    if (!x)
        return;
    if (in->f && in->f->key.proto == in->p->proto) {
        struct flow_detect *s = flow_detect_of(d, in->f);
        if (s->swapped != !!(in->f->flags & FLOW_SWAPPED)) {
            s->swapped = !s->swapped;
            s->always[0].known = s->always[1].known = false;
        }
        a = &s->always[in->dir];
        if (!a->known)
            always_fill(d, in->p, in->dir, a);
    }
    if (!a || a->overflow) {
        header_index_find(x, in->p, &d->packet);
        return;
    }
    for (uint8_t i = 0; i < a->n; i++)
        candidates_add(&d->packet, a->rules[i]);
}

static void candidates_events(struct detect *d, const struct packet *p)
{
    const struct event_rules *ev = &d->engine->events;

    for (uint8_t i = 0; i < p->n_events; i++) {
        uint32_t e = p->events[i];
        if (e >= STREAM_EVENT_BASE)
            e = e - STREAM_EVENT_BASE + DECODE_EVENTS;
        if (e >= ev->n_events)
            continue;
        for (uint32_t k = ev->starts[e]; k < ev->starts[e + 1]; k++)
            candidates_add(&d->packet, ev->rules[k]);
    }
}

static void scan(struct detect *d, const struct prefilter *f, struct span s)
{
    if (f && s.n)
        prefilter_scan(f, s, d->hs, &d->packet);
}

static bool is_named(const struct inspection *in)
{
    return in->app && in->app->proto && !in->app->proto->parse;
}

static void candidates_payload(struct detect *d, struct inspection *in)
{
    const struct engine *g = d->engine;
    const struct packet *p = in->p;
    enum dir dir = in->dir;

    if (!payload_open(in))
        return;
    if (is_named(in)) {
        scan(d, g->named[dir], p->payload);
        if (d->has_stream)
            scan(d, g->named[dir], d->stream);
    }
    switch (packet_class_of(p)) {
    case CLASS_TCP:
        if (d->has_stream)
            scan(d, g->tcp_stream[dir], d->stream);
        if (!(p->flags & PKT_STREAM_ADDED))
            scan(d, g->tcp_stream[dir], p->payload);
        scan(d, g->tcp_packet[dir], p->payload);
        break;
    case CLASS_UDP:
        scan(d, g->udp[dir], p->payload);
        break;
    default:
        scan(d, g->other[dir], p->payload);
        break;
    }
}

static void candidates_headers(struct detect *d, struct inspection *in)
{
    const struct engine *g = d->engine;

    for (uint32_t i = 0; i < g->n_packet_units[in->dir]; i++) {
        const struct unit *u = &g->packet_units[in->dir][i];
        struct span s;
        if (g->buffers[u->catalogue].packet_get(in->p, &s))
            scan(d, u->filter, s);
    }
}

static void inspect_ip_only(struct detect *d, struct inspection *in)
{
    const struct header_index *x = d->engine->ip_only[in->dir];
    struct candidates *c = &d->tx;

    if (!x || !in->p->ip_v)
        return;
    if (in->f) {
        struct flow_detect *s = flow_detect_of(d, in->f);
        if (s->ip_only_done[in->dir])
            return;
        s->ip_only_done[in->dir] = true;
    }
    candidates_clear(c);
    header_index_find(x, in->p, c);
    candidates_sort(c);
    for (uint32_t i = 0; i < c->n; i++) {
        const struct rule *r = d->engine->rules[c->list[i]];
        in->rule = r;
        d->n_context_new = 0;
        if (header_match(r, in->p) && rule_flow_match(in, r) && rule_packet_matches(in, r))
            rule_matched(d, in, r, (struct queued){.rule = r, .tx_id = UINT64_MAX});
    }
    candidates_clear(c);
}

/* Rules on the packet and on `stream`, the part of the stream that stands in d. */
static void inspect_packet(struct detect *d, struct inspection *in, uint8_t proto)
{
    candidates_clear(&d->packet);
    if (in->p->n_events)
        candidates_events(d, in->p);
    candidates_always(d, in);
    candidates_payload(d, in);
    candidates_headers(d, in);
    candidates_sort(&d->packet);
    for (uint32_t i = 0; i < d->packet.n; i++)
        inspect_packet_rule(d, in, proto, d->engine->rules[d->packet.list[i]]);
}

/* What lies behind gaps in the stream, for the stream's rules alone. */
static void inspect_more_stream(struct detect *d, struct inspection *in, uint8_t proto)
{
    for (int part = 1; part < RAW_PARTS_MAX; part++) {
        uint64_t at;
        struct span s = stream_raw_next(in->f, in->dir, d->stream_at + d->stream.n, &at);
        if (s.n == 0)
            return;
        d->stream = s;
        d->stream_at = at;
        candidates_clear(&d->packet);
        scan(d, d->engine->tcp_stream[in->dir], s);
        if (is_named(in))
            scan(d, d->engine->named[in->dir], s);
        candidates_sort(&d->packet);
        for (uint32_t i = 0; i < d->packet.n; i++)
            inspect_packet_rule(d, in, proto, d->engine->rules[d->packet.list[i]]);
    }
}

static bool flow_is_established(const struct inspection *in)
{
    const struct packet *p = in->p;

    if (p->proto == TCP)
        return in->f->tcp && stream_state(in->f) >= TCP_ESTABLISHED;
    return true;
}

static void take_stream(struct detect *d, struct inspection *in)
{
    d->has_stream = false;
    if (!in->f->tcp || !d->engine->has_raw_stream[in->dir])
        return;
    struct flow_detect *s = in->f->detect;
    if (s && s->raw_done[in->dir]) {
        stream_raw_done(in->f, in->dir, s->raw_done[in->dir]);
        s->raw_done[in->dir] = 0;
    }
    d->stream = stream_raw(in->f, in->dir, &d->stream_at, &d->stream_final);
    d->has_stream = d->stream.n > 0;
}

/* The stream's bytes go now; after an alert on them they stay until it has been written. */
static void release_stream(struct detect *d, struct inspection *in, bool alerted)
{
    if (!in->f || !in->f->tcp || !d->engine->has_raw_stream[in->dir])
        return;
    if (!d->has_stream) { /* looked at, nothing taken: the rest stays for a fuller chunk */
        stream_raw_done(in->f, in->dir, 0);
        return;
    }
    uint64_t end = d->stream_at + d->stream.n;
    if (alerted)
        flow_detect_of(d, in->f)->raw_done[in->dir] = end;
    else
        stream_raw_done(in->f, in->dir, end);
}

/* Rules that ask for the protocol alone are tried once in each direction. */
static bool just_recognised(struct detect *d, struct inspection *in)
{
    if (!d->engine->has_recognition || !in->f || !in->app)
        return false;
    if (in->app->side[in->dir] == SIDE_UNKNOWN)
        return false;
    struct flow_detect *s = flow_detect_of(d, in->f);
    bool first = !s->recognition_seen[in->dir];
    s->recognition_seen[in->dir] = true;
    return first;
}

static void run_rules(struct detect *d, struct inspection *in)
{
    uint8_t proto = PROTO_NONE;
    bool established = in->f && in->f->key.proto == in->p->proto && flow_is_established(in);

    d->has_stream = false;
    d->recognised = just_recognised(d, in);
    if (established) {
        proto = app_number(in->app);
        if (in->p->proto == TCP)
            take_stream(d, in);
    }
    inspect_ip_only(d, in);
    inspect_packet(d, in, proto);
    if (established && in->app && in->app->proto)
        tx_inspect_all(d, in);
    if (d->has_stream)
        inspect_more_stream(d, in, proto);
}

void detect_packet(struct detect *d, struct packet *p, struct flow *f, struct app *a,
                   struct alerts *alerts)
{
    struct inspection *in = &d->in;

    alerts->n = 0;
    alerts->suppressed = alerts->overflowed = 0;
    alerts->drop = alerts->reject = alerts->pass = false;
    alerts->tagged = false;
    d->n_queue = d->n_captured = d->n_packet_vars = d->n_packet_var_bytes = 0;
    in->p = p;
    alerts->dropped_by = NULL;
    if (f && (f->flags & FLOW_DROP)) {
        if (d->conf.inline_mode && !(p->flags & PKT_PSEUDO)) {
            p->flags |= PKT_DROP;
            if (p->drop_reason == DROP_NONE)
                p->drop_reason = DROP_FLOW;
        }
        return;
    }
    if ((p->flags & PKT_NO_INSPECT) || (f && (f->flags & FLOW_PASS))) {
        if (f)
            tx_skip_all(a, p->dir);
        return;
    }
    d->n_contexts = d->n_context_new = 0;
    d->has_entropy = false;
    transform_cache_clear(d->transforms);
    in->p = p;
    in->f = f;
    in->app = a;
    in->tx = NULL;
    in->dir = f ? p->dir : DIR_TS;
    in->base64 = (struct span){NULL, 0};
    run_rules(d, in);
    if (d->n_queue)
        queue_finish(d, p, f, alerts);
    if (d->engine->has_tags)
        alerts->tagged = tags_packet(d, p, f);
    bool on_stream = false;
    for (size_t i = 0; i < alerts->n; i++)
        on_stream = on_stream || alerts->list[i].stream;
    release_stream(d, in, on_stream);
}

struct detect *detect_new(const struct ruleset *r, const struct detect_conf *conf)
{
    struct detect *d = mem_zero(sizeof(*d));
    struct err e;

    d->rules = r;
    d->engine = r->engine;
    d->conf = *conf;
    d->in.d = d;
    candidates_init(&d->packet, d->engine->n_rules);
    candidates_init(&d->tx, d->engine->n_rules);
    for (size_t i = 0; i < d->engine->n_filters; i++)
        if (!prefilter_scratch(d->engine->filters[i], &d->hs, &e))
            mem_out(prefilter_bytes(d->engine->filters[i]));
    d->pcre = pcre_worker_new(conf->pcre_match_limit, conf->pcre_recursion_limit);
    d->transforms = transform_cache_new();
    d->base64 = mem_get(BASE64_BYTES);
    d->vars = d->engine->vars;
    d->limits = d->engine->limits;
    return d;
}

void detect_free(struct detect *d)
{
    if (!d)
        return;
    for (struct flow_detect *x = d->free_flows, *next; x; x = next) {
        next = x->next_free;
        mem_free(x);
    }
    candidates_free(&d->packet);
    candidates_free(&d->tx);
    hs_free_scratch(d->hs);
    pcre_worker_free(d->pcre);
    transform_cache_free(d->transforms);
    mem_free(d->base64);
    mem_free(d);
}

const char *detect_counter_name(enum counter_detect c)
{
    static const char *const names[] = {
#define DETECT_COUNTER(id, name) name,
#include "detect/detect_counters.def"
#undef DETECT_COUNTER
    };

    return names[c];
}

const uint64_t *detect_counters(const struct detect *d)
{
    return d->counters;
}
