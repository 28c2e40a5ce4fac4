/* SPDX-License-Identifier: Apache-2.0 */
/* Sorting the rules into groups and compiling each group's prefilter. Payload patterns are grouped
 * by transport and direction only: with nearly all rules on any port, finer groups would cost
 * memory and start-up and save little. */
#include "detect/group.h"

#include "base/mem.h"
#include "detect/flowvars.h"
#include "detect/match.h"
#include "detect/tag.h"
#include "detect/threshold.h"
#include "flow/stream.h"
#include "packet/decode.h"

enum {
    ARENA_MAX = 256 << 20,
    VARS_MAX = 1 << 16,
    LIMITS_MAX = 1 << 16,
    TAGGED_HOSTS_MAX = 1 << 12,
    IPPROTO_NUM_ICMP = 1,
    IPPROTO_NUM_TCP = 6,
    IPPROTO_NUM_UDP = 17,
    IPPROTO_NUM_ICMPV6 = 58
};

struct pattern_list {
    struct pattern *list;
    size_t n, cap;
};

static void pattern_add(struct pattern_list *l, struct pattern p)
{
    if (l->n == l->cap) {
        l->cap = l->cap ? 2 * l->cap : 64;
        l->list = mem_resize(l->list, l->cap * sizeof(*l->list));
    }
    l->list[l->n++] = p;
}

struct rule_list {
    uint32_t *list;
    uint32_t n, cap;
};

static void rule_add(struct rule_list *l, uint32_t rule)
{
    if (l->n == l->cap) {
        l->cap = l->cap ? 2 * l->cap : 16;
        l->list = mem_resize(l->list, l->cap * sizeof(*l->list));
    }
    l->list[l->n++] = rule;
}

/* A prefilter in the making: all patterns that look into one buffer in one direction. */
struct pot {
    uint16_t catalogue, transform;
    uint8_t dir;
    struct pattern_list patterns;
    struct prefilter *filter;
};

struct build {
    struct engine *g;
    const char *cache_dir;
    struct pattern_list named[2], tcp_stream[2], tcp_packet[2], udp[2], other[2];
    struct pot *pots;
    size_t n_pots;
    struct rule_list packet[CLASSES][2], ip_only[2], app[PROTO_COUNT][2];
    struct rule_list *events; /* per event */
};

static bool rule_in_dir(const struct rule *r, uint8_t dir)
{
    bool ts = r->flags & RULE_TO_SERVER, tc = r->flags & RULE_TO_CLIENT;

    return ts == tc || (r->flags & RULE_TX_BOTH) || (dir == DIR_TS ? ts : tc);
}

static bool rule_has_proto(const struct rule *r, unsigned proto)
{
    return r->ip_proto[proto >> 3] >> (proto & 7) & 1;
}

static bool rule_in_class(const struct rule *r, enum packet_class class)
{
    switch (class) {
    case CLASS_TCP:
        return rule_has_proto(r, IPPROTO_NUM_TCP);
    case CLASS_UDP:
        return rule_has_proto(r, IPPROTO_NUM_UDP);
    case CLASS_ICMP:
        return rule_has_proto(r, IPPROTO_NUM_ICMP) || rule_has_proto(r, IPPROTO_NUM_ICMPV6);
    default:
        for (unsigned i = 0; i < sizeof(r->ip_proto); i++) {
            uint8_t bits = r->ip_proto[i];
            if (i == 0)
                bits &= (uint8_t) ~(1 << IPPROTO_NUM_ICMP | 1 << IPPROTO_NUM_TCP);
            if (i == IPPROTO_NUM_UDP >> 3)
                bits &= (uint8_t) ~(1 << (IPPROTO_NUM_UDP & 7));
            if (i == IPPROTO_NUM_ICMPV6 >> 3)
                bits &= (uint8_t) ~(1 << (IPPROTO_NUM_ICMPV6 & 7));
            if (bits)
                return true;
        }
        return false;
    }
}

enum packet_class packet_class_of(const struct packet *p)
{
    if (!p->ip_v)
        return CLASS_OTHER;
    switch (p->proto) {
    case IPPROTO_NUM_TCP:
        return CLASS_TCP;
    case IPPROTO_NUM_UDP:
        return CLASS_UDP;
    case IPPROTO_NUM_ICMP:
    case IPPROTO_NUM_ICMPV6:
        return CLASS_ICMP;
    default:
        return CLASS_OTHER;
    }
}

/* Must the content stand at the very end of its buffer? */
static bool content_at_end(const struct rule *r)
{
    const struct content *c = r->fast;

    if (c->fast_length && c->fast_offset + c->fast_length != c->bytes.n)
        return false;
    if (c->flags & CONTENT_ENDS)
        return true;
    for (const struct match *m = r->fast_run ? r->fast_run->matches : NULL; m; m = m->next) {
        const struct uint_cond *u = m->data;
        if (m->kind == KW_BSIZE && u->op == UINT_EQ && u->a == c->bytes.n)
            return true;
    }
    return false;
}

static struct pattern pattern_of(const struct rule *r)
{
    const struct content *c = r->fast;
    struct span s = c->bytes;

    if (c->fast_length)
        s = span_cut(s, c->fast_offset, c->fast_length);
    return (struct pattern){s, r->index, c->flags & CONTENT_NOCASE, false};
}

static struct pot *pot_of(struct build *b, uint16_t catalogue, uint16_t transform, uint8_t dir)
{
    for (size_t i = 0; i < b->n_pots; i++) {
        struct pot *p = &b->pots[i];
        if (p->catalogue == catalogue && p->transform == transform && p->dir == dir)
            return p;
    }
    b->pots = mem_resize(b->pots, (b->n_pots + 1) * sizeof(*b->pots));
    b->pots[b->n_pots] = (struct pot){.catalogue = catalogue, .transform = transform, .dir = dir};
    return &b->pots[b->n_pots++];
}

/* Of a protocol that is recognised and not parsed: such rules would be candidates everywhere with
 * the short patterns they have, and are looked for in such flows alone. */
static bool rule_is_named(const struct rule *r)
{
    return r->app != PROTO_NONE && r->app < PROTO_COUNT && !proto_table[r->app]->parse;
}

static void sort_payload(struct build *b, const struct rule *r)
{
    struct pattern p = pattern_of(r);
    bool stream = r->flags & RULE_NEEDS_STREAM, packet = b->g->plans[r->index].needs_packet;

    for (uint8_t dir = 0; dir < 2; dir++) {
        if (!rule_in_dir(r, dir))
            continue;
        if (rule_is_named(r)) {
            pattern_add(&b->named[dir], p);
            continue;
        }
        if (rule_in_class(r, CLASS_TCP)) {
            if (stream)
                pattern_add(&b->tcp_stream[dir], p);
            if (packet || !stream)
                pattern_add(&b->tcp_packet[dir], p);
        }
        if (rule_in_class(r, CLASS_UDP))
            pattern_add(&b->udp[dir], p);
        if (rule_in_class(r, CLASS_ICMP) || rule_in_class(r, CLASS_OTHER))
            pattern_add(&b->other[dir], p);
    }
}

static void sort_buffer(struct build *b, const struct rule *r)
{
    uint16_t catalogue = r->fast_run->buffer;
    uint16_t transform = transform_number(b->g, r->fast_run->transforms, r->fast_run->transform_n);
    struct pattern p = pattern_of(r);
    const struct buffer_info *info = &b->g->buffers[catalogue];
    bool grows = catalogue == BUFFER_FILE_DATA;
    uint8_t dirs = info->n_sources ? 0 : 3;

    for (uint8_t i = 0; i < info->n_sources; i++) {
        grows = grows || info->sources[i].buffer->growing;
        dirs |= info->sources[i].buffer->dirs;
    }
    p.at_end = !grows && content_at_end(r);
    for (uint8_t dir = 0; dir < 2; dir++)
        if (rule_in_dir(r, dir) && (dirs & (1 << dir)))
            pattern_add(&pot_of(b, catalogue, transform, dir)->patterns, p);
}

static bool sort_events(struct build *b, const struct rule *r)
{
    bool is_event = false;

    for (const struct match *m = r->packet_matches; m; m = m->next) {
        const struct event_cond *e = m->data;
        if (m->kind != KW_DECODE_EVENT && m->kind != KW_STREAM_EVENT)
            continue;
        uint32_t event = e->event;
        if (m->kind == KW_STREAM_EVENT && event < STREAM_EVENT_BASE)
            event += DECODE_EVENTS;
        else if (m->kind == KW_STREAM_EVENT)
            event = event - STREAM_EVENT_BASE + DECODE_EVENTS;
        if (!is_event && event < DECODE_EVENTS + STREAM_EVENTS)
            rule_add(&b->events[event], r->index);
        is_event = true;
    }
    return is_event;
}

/* Rules that look into transactions and have no fast pattern, by the protocols that can have them.
 */
static void sort_tx(struct build *b, const struct rule *r)
{
    const struct plan *plan = &b->g->plans[r->index];

    for (unsigned proto = 1; proto < PROTO_COUNT; proto++) {
        if (r->app != PROTO_NONE && r->app != proto)
            continue;
        bool dirs[2] = {false, false};
        for (uint8_t i = 0; i < plan->n_steps; i++)
            if (plan->steps[i].proto == PROTO_NONE || plan->steps[i].proto == proto)
                dirs[plan->steps[i].dir] = true;
        for (uint8_t dir = 0; dir < 2; dir++)
            if (dirs[dir])
                rule_add(&b->app[proto][dir], r->index);
    }
}

static void sort_rule(struct build *b, const struct rule *r)
{
    const struct plan *plan = &b->g->plans[r->index];
    const uint32_t asks_flow = RULE_TO_SERVER | RULE_TO_CLIENT | RULE_ESTABLISHED |
                               RULE_NOT_ESTABLISHED | RULE_ONLY_FRAG | RULE_NO_FRAG;

    if (rule_impossible(b->g, r))
        return;
    if (!r->fast && !plan->tx && sort_events(b, r))
        return;
    if ((r->flags & RULE_IP_ONLY) && !plan->tx && !(r->flags & asks_flow)) {
        rule_add(&b->ip_only[DIR_TS], r->index);
        rule_add(&b->ip_only[DIR_TC], r->index);
        return;
    }
    if (r->fast && r->fast_list == LIST_PAYLOAD) {
        sort_payload(b, r);
        return;
    }
    if (r->fast && r->fast_run) {
        sort_buffer(b, r);
        return;
    }
    if (plan->tx) {
        sort_tx(b, r);
        return;
    }
    for (uint8_t dir = 0; dir < 2; dir++)
        for (unsigned class = 0; class < CLASSES; class ++)
            if (rule_in_dir(r, dir) && rule_in_class(r, class))
                rule_add(&b->packet[class][dir], r->index);
}

static bool filter_build(struct build *b, struct pattern_list *l, struct prefilter **ret,
                         struct err *e)
{
    struct engine *g = b->g;

    *ret = NULL;
    if (l->n == 0)
        return true;
    bool ok = prefilter_build(l->list, l->n, b->cache_dir, ret, e);
    mem_free(l->list);
    *l = (struct pattern_list){0};
    if (!ok)
        return false;
    g->filters = mem_resize(g->filters, (g->n_filters + 1) * sizeof(struct prefilter *));
    g->filters[g->n_filters++] = *ret;
    return true;
}

static int unit_order(const void *a, const void *b)
{
    const struct unit *x = a, *y = b;

    return x->progress < y->progress ? -1 : x->progress > y->progress;
}

static void group_add(struct app_group *group, struct unit u)
{
    group->units = mem_resize(group->units, (group->n_units + 1) * sizeof(u));
    group->units[group->n_units++] = u;
}

/* A compiled pot becomes a unit of every protocol that has its buffer. */
static void pot_place(struct engine *g, const struct pot *p)
{
    const struct buffer_info *info = &g->buffers[p->catalogue];
    struct unit u = {.filter = p->filter, .catalogue = p->catalogue, .transform = p->transform};
    bool own[PROTO_COUNT] = {false};

    if (info->packet_get) {
        uint32_t n = g->n_packet_units[p->dir]++;
        g->packet_units[p->dir] = mem_resize(g->packet_units[p->dir], (n + 1) * sizeof(u));
        g->packet_units[p->dir][n] = u;
        return;
    }
    for (uint8_t i = 0; i < info->n_sources; i++) {
        const struct buffer_source *s = &info->sources[i];
        own[s->proto] = true;
        if (!(s->buffer->dirs & (1 << p->dir)))
            continue;
        u.kind = STEP_BUFFER;
        u.buffer = s->buffer;
        u.progress = s->buffer->progress;
        group_add(&g->app[s->proto][p->dir], u);
    }
    if (p->catalogue != BUFFER_FILE_DATA && p->catalogue != BUFFER_FILE_NAME)
        return;
    u.kind = p->catalogue == BUFFER_FILE_DATA ? STEP_FILE_DATA : STEP_FILE_NAME;
    u.buffer = NULL;
    u.progress = 0;
    for (unsigned proto = 1; proto < PROTO_COUNT; proto++)
        if (!own[proto])
            group_add(&g->app[proto][p->dir], u);
}

static bool build_filters(struct build *b, struct err *e)
{
    struct engine *g = b->g;

    for (int dir = 0; dir < 2; dir++) {
        if (!filter_build(b, &b->named[dir], &g->named[dir], e) ||
            !filter_build(b, &b->tcp_stream[dir], &g->tcp_stream[dir], e) ||
            !filter_build(b, &b->tcp_packet[dir], &g->tcp_packet[dir], e) ||
            !filter_build(b, &b->udp[dir], &g->udp[dir], e) ||
            !filter_build(b, &b->other[dir], &g->other[dir], e))
            return false;
    }
    for (size_t i = 0; i < b->n_pots; i++) {
        if (!filter_build(b, &b->pots[i].patterns, &b->pots[i].filter, e))
            return false;
        pot_place(g, &b->pots[i]);
    }
    for (unsigned proto = 0; proto < PROTO_COUNT; proto++)
        for (int dir = 0; dir < 2; dir++)
            if (g->app[proto][dir].n_units)
                qsort(g->app[proto][dir].units, g->app[proto][dir].n_units, sizeof(struct unit),
                      unit_order);
    return true;
}

static struct header_index *index_of(const struct engine *g, const struct rule_list *l)
{
    if (l->n == 0)
        return NULL;
    const struct rule **rules = mem_array(l->n, sizeof(*rules));
    for (uint32_t i = 0; i < l->n; i++)
        rules[i] = g->rules[l->list[i]];
    struct header_index *x = header_index_new(rules, l->n);
    mem_free(rules);
    return x;
}

static void build_lists(struct build *b)
{
    struct engine *g = b->g;
    struct event_rules *ev = &g->events;

    for (int dir = 0; dir < 2; dir++) {
        for (int class = 0; class < CLASSES; class ++)
            g->always[class][dir] = index_of(g, &b->packet[class][dir]);
        g->ip_only[dir] = index_of(g, &b->ip_only[dir]);
        for (unsigned proto = 0; proto < PROTO_COUNT; proto++) {
            g->app[proto][dir].always = b->app[proto][dir].list;
            g->app[proto][dir].n_always = b->app[proto][dir].n;
            b->app[proto][dir].list = NULL;
        }
    }
    ev->n_events = DECODE_EVENTS + STREAM_EVENTS;
    ev->starts = mem_zero((ev->n_events + 1) * sizeof(*ev->starts));
    uint32_t n = 0;
    for (uint32_t i = 0; i < ev->n_events; i++)
        n += b->events[i].n;
    ev->rules = mem_array(n + 1, sizeof(*ev->rules));
    n = 0;
    for (uint32_t i = 0; i < ev->n_events; i++) {
        ev->starts[i] = n;
        if (b->events[i].n)
            memcpy(ev->rules + n, b->events[i].list, b->events[i].n * sizeof(*ev->rules));
        n += b->events[i].n;
    }
    ev->starts[ev->n_events] = n;
}

static void build_free(struct build *b)
{
    for (int dir = 0; dir < 2; dir++) {
        mem_free(b->named[dir].list);
        mem_free(b->tcp_stream[dir].list);
        mem_free(b->tcp_packet[dir].list);
        mem_free(b->udp[dir].list);
        mem_free(b->other[dir].list);
        mem_free(b->ip_only[dir].list);
        for (int class = 0; class < CLASSES; class ++)
            mem_free(b->packet[class][dir].list);
        for (unsigned proto = 0; proto < PROTO_COUNT; proto++)
            mem_free(b->app[proto][dir].list);
    }
    for (size_t i = 0; i < b->n_pots; i++)
        mem_free(b->pots[i].patterns.list);
    for (uint32_t i = 0; i < DECODE_EVENTS + STREAM_EVENTS; i++)
        mem_free(b->events[i].list);
    mem_free(b->events);
    mem_free(b->pots);
    mem_free(b);
}

/* Raw stream data are asked for only where some rule looks at them. */
static void note_raw_stream(struct engine *g, const struct rule *r)
{
    if (!r->payload_matches || !(r->flags & RULE_NEEDS_STREAM))
        return;
    for (uint8_t dir = 0; dir < 2; dir++)
        g->has_raw_stream[dir] = g->has_raw_stream[dir] || rule_in_dir(r, dir);
}

static void note_tag(struct engine *g, const struct rule *r)
{
    for (const struct match *m = r->post_matches; m; m = m->next)
        g->has_tags = g->has_tags || m->kind == KW_TAG;
}

bool engine_compile(const struct engine_input *in, struct engine **ret, struct err *e)
{
    struct engine *g = mem_zero(sizeof(*g));
    struct build *b = mem_zero(sizeof(*b));

    *ret = NULL;
    arena_init(&g->arena, NULL, ARENA_MAX);
    g->rules = (const struct rule *const *)in->rules;
    g->n_rules = in->n_rules;
    g->buffers = in->buffers;
    g->n_buffers = in->n_buffers;
    g->vars = bits_new(VARS_MAX);
    g->limits = limits_new(LIMITS_MAX);
    g->tagged_hosts = tags_new(TAGGED_HOSTS_MAX);
    engine_plan(g);
    b->g = g;
    b->cache_dir = in->conf->cache_dir;
    b->events = mem_zero((DECODE_EVENTS + STREAM_EVENTS) * sizeof(*b->events));
    for (uint32_t i = 0; i < g->n_rules; i++) {
        must(g->rules[i]->index == i);
        sort_rule(b, g->rules[i]);
        note_raw_stream(g, g->rules[i]);
        note_tag(g, g->rules[i]);
    }
    bool ok = build_filters(b, e);
    if (ok)
        build_lists(b);
    build_free(b);
    if (!ok) {
        engine_free(g);
        return false;
    }
    *ret = g;
    return true;
}

void engine_free(struct engine *g)
{
    if (!g)
        return;
    for (size_t i = 0; i < g->n_filters; i++)
        prefilter_free(g->filters[i]);
    for (int dir = 0; dir < 2; dir++) {
        for (int class = 0; class < CLASSES; class ++)
            header_index_free(g->always[class][dir]);
        header_index_free(g->ip_only[dir]);
        mem_free(g->packet_units[dir]);
        for (unsigned proto = 0; proto < PROTO_COUNT; proto++) {
            mem_free(g->app[proto][dir].units);
            mem_free(g->app[proto][dir].always);
        }
    }
    entries_free(g->vars);
    entries_free(g->limits);
    entries_free(g->tagged_hosts);
    mem_free(g->filters);
    mem_free(g->events.starts);
    mem_free(g->events.rules);
    mem_free(g->plans);
    mem_free(g->transforms);
    arena_free(&g->arena);
    mem_free(g);
}

static bool list_wants_digest(const struct match *m, unsigned n)
{
    for (; m; m = m->next)
        if ((m->kind == KW_FILEMD5 || m->kind == KW_FILESHA1 || m->kind == KW_FILESHA256) &&
            ((const struct file_hash *)m->data)->n_bytes == n)
            return true;
    return false;
}

bool ruleset_wants_buffer(const struct ruleset *r, const char *prefix)
{
    for (size_t i = 0; i < r->n_rules; i++)
        for (const struct buffer_matches *m = r->rules[i]->buffers; m; m = m->next)
            if (span_starts(span_str(r->catalogue->buffers[m->buffer].name), span_str(prefix)))
                return true;
    return false;
}

bool ruleset_wants_stream_event(const struct ruleset *r, unsigned event)
{
    for (size_t i = 0; i < r->n_rules; i++)
        for (const struct match *m = r->rules[i]->packet_matches; m; m = m->next)
            if (m->kind == KW_STREAM_EVENT &&
                ((const struct event_cond *)m->data)->event % STREAM_EVENT_BASE == event)
                return true;
    return false;
}

bool ruleset_wants_digest(const struct ruleset *r, unsigned n)
{
    for (size_t i = 0; i < r->n_rules; i++)
        if (list_wants_digest(r->rules[i]->tx_matches, n))
            return true;
    return false;
}
