/* SPDX-License-Identifier: Apache-2.0 */
/* The last checks of a rule when all its options are set up: that its keywords agree on direction,
 * protocol and what is inspected, and that its contents can match at all. Then the conditions go
 * into their lists, relative ones mark the content before them, and the fast pattern is chosen. */
#include "base/must.h"
#include "detect/setup.h"

#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>

static bool rule_has_proto(const struct rule *r, unsigned proto)
{
    return r->ip_proto[proto / 8] >> proto % 8 & 1;
}

/* Directions in which a buffer exists for the rule's protocol. */
static uint8_t buffer_dirs(const struct build *b, uint16_t buffer)
{
    const struct catalogue *c = b->l->catalogue;
    uint8_t dirs = 0;
    for (uint8_t i = 0; i < c->buffers[buffer].n_sources; i++) {
        const struct buffer_source *s = &c->buffers[buffer].sources[i];
        if (b->r->app == PROTO_NONE || b->r->app == s->proto)
            dirs |= s->buffer->dirs;
    }
    return dirs && c->specs[buffer].kind == BUFFER_OF_APP ? dirs : c->specs[buffer].dirs;
}

static bool finish_direction(struct build *b)
{
    struct rule *r = b->r;
    bool to_server = b->dirs_needed & 1 << DIR_TS, to_client = b->dirs_needed & 1 << DIR_TC;
    for (const struct buffer_matches *run = r->buffers; run; run = run->next) {
        uint8_t dirs = buffer_dirs(b, run->buffer);
        to_server = to_server || dirs == 1 << DIR_TS;
        to_client = to_client || dirs == 1 << DIR_TC;
    }
    if (r->flags & RULE_TX_BOTH)
        return true;
    if ((to_server && to_client) || (to_server && (r->flags & RULE_TO_CLIENT)) ||
        (to_client && (r->flags & RULE_TO_SERVER)))
        return rule_fail(b, "its keywords belong to opposite directions");
    if (to_server)
        r->flags |= RULE_TO_SERVER;
    if (to_client)
        r->flags |= RULE_TO_CLIENT;
    return true;
}

/* A rule on "ip" with an application protocol takes the transports of that protocol; the protocol
 * of a rule without one follows from a buffer that only one protocol has. */
static bool finish_protocol(struct build *b)
{
    struct rule *r = b->r;
    const struct catalogue *c = b->l->catalogue;
    bool all = true, missing = false;
    for (const struct buffer_matches *run = r->buffers; run; run = run->next) {
        const struct buffer_info *info = &c->buffers[run->buffer];
        bool found = !info->n_sources;
        for (uint8_t i = 0; i < info->n_sources; i++)
            found = found || r->app == PROTO_NONE || info->sources[i].proto == r->app;
        if (!found && c->specs[run->buffer].kind == BUFFER_OF_APP && r->app < APP_FOREIGN)
            return rule_fail(b, "protocol %s has no buffer %s", app_name_of(r->app), info->name);
        missing = missing || (c->specs[run->buffer].kind == BUFFER_OF_APP && !info->n_sources);
    }
    for (size_t i = 0; i < sizeof(r->ip_proto); i++)
        all = all && r->ip_proto[i] == 0xff;
    if (r->app != PROTO_NONE && all && !r->app_named) {
        memset(r->ip_proto, 0, sizeof(r->ip_proto));
        if (app_transports(r->app) & TRANSPORT_TCP)
            r->ip_proto[IPPROTO_TCP / 8] |= 1u << IPPROTO_TCP % 8;
        if (app_transports(r->app) & TRANSPORT_UDP)
            r->ip_proto[IPPROTO_UDP / 8] |= 1u << IPPROTO_UDP % 8;
    }
    if (!missing && !b->foreign)
        r->app = app_recognised(r->app);
    if (r->app >= APP_FOREIGN && r->app < APP_FAILED)
        rule_warn(b, "protocol %s is not parsed: the rule cannot match", app_name_of(r->app));
    else if (missing)
        rule_warn(b, "a buffer of the rule has no source: the rule cannot match");
    return true;
}

static bool finish_packet_or_stream(struct build *b)
{
    struct rule *r = b->r;
    if (b->wants_packet && b->wants_stream)
        return rule_fail(b, "packet keywords do not go with tcp-stream or flow:only_stream");
    for (const struct buffer_matches *run = r->buffers; run && b->wants_packet; run = run->next)
        if (b->l->catalogue->specs[run->buffer].kind != BUFFER_OF_PACKET)
            return rule_fail(b,
                             "packet keywords (dsize, flags, ttl …) do not go with buffers of an "
                             "application protocol such as %s",
                             b->l->catalogue->buffers[run->buffer].name);
    if (b->wants_packet)
        r->flags |= RULE_NEEDS_PACKET;
    if (b->wants_stream)
        r->flags |= RULE_NEEDS_STREAM;
    if (!r->payload_matches || b->wants_packet || b->wants_stream)
        return true;
    if (!rule_has_proto(r, IPPROTO_TCP)) {
        r->flags |= RULE_NEEDS_PACKET;
        return true;
    }
    r->flags |= RULE_NEEDS_STREAM;
    bool packet = false;
    for (const struct match *m = r->payload_matches; m; m = m->next)
        if (m->kind == KW_CONTENT)
            packet = packet ||
                     (((const struct content *)m->data)->flags & (CONTENT_DEPTH | CONTENT_OFFSET));
    for (const struct match *m = r->packet_matches; m; m = m->next)
        packet = packet || m->kind == KW_STREAM_SIZE;
    bool other_protos = false;
    for (unsigned i = 0; i < sizeof(r->ip_proto); i++)
        other_protos =
            other_protos || r->ip_proto[i] != (i == IPPROTO_TCP / 8 ? 1u << IPPROTO_TCP % 8 : 0);
    if (packet || other_protos)
        r->flags |= RULE_NEEDS_PACKET;
    return true;
}

/* The largest payload that dsize admits, or -1. */
static int64_t largest_dsize(const struct rule *r)
{
    for (const struct match *m = r->packet_matches; m; m = m->next) {
        const struct uint_cond *c = m->data;
        if (m->kind != KW_DSIZE)
            continue;
        if (c->op == UINT_EQ || c->op == UINT_LE)
            return (int64_t)c->a;
        if (c->op == UINT_LT)
            return (int64_t)c->a - 1;
        if (c->op == UINT_RANGE)
            return (int64_t)c->b - 1;
    }
    return -1;
}

/* The largest size that a bsize of the run admits, or -1. */
static int64_t largest_bsize(const struct match *list)
{
    for (const struct match *m = list; m; m = m->next) {
        const struct uint_cond *c = m->data;
        if (m->kind != KW_BSIZE)
            continue;
        if (c->op == UINT_EQ || c->op == UINT_LE)
            return (int64_t)c->a;
        if (c->op == UINT_LT)
            return (int64_t)c->a - 1;
        if (c->op == UINT_RANGE)
            return (int64_t)c->b - 1;
    }
    return -1;
}

/* Fails at the place of a condition that runs through bytes. */
static PRINTF_LIKE(3, 4) bool fail_at_match(struct build *b, const struct match *m, const char *fmt,
                                            ...)
{
    char text[160];
    const uint8_t *at = b->at;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    for (uint32_t i = 0; i < b->n_placed; i++)
        if (b->placed[i].m == m)
            at = b->placed[i].at;
    b->keyword = keyword_name((enum keyword_id)m->kind);
    return rule_fail_at(b, at, "%s", text);
}

static bool check_sizes(struct build *b, const struct match *list, int64_t largest,
                        const char *keyword)
{
    for (const struct match *m = list; m && largest >= 0; m = m->next) {
        const struct content *c = m->data;
        if (m->kind != KW_CONTENT || (c->flags & (CONTENT_NEGATED | CONTENT_OFFSET_VAR)))
            continue;
        int64_t need = (int64_t)c->bytes.n + (c->flags & CONTENT_OFFSET ? c->offset : 0);
        if (need > largest)
            return fail_at_match(b, m, "a content needs %lld bytes, but %s allows %lld",
                                 (long long)need, keyword, (long long)largest);
    }
    return true;
}

static void mark_relative(struct match *list)
{
    struct match *before = NULL;
    for (struct match *m = list; m; m = m->next) {
        bool relative = false;
        const struct content *c = m->data;
        const struct pcre *p = m->data;
        if (m->kind == KW_CONTENT)
            relative = c->flags & (CONTENT_DISTANCE | CONTENT_WITHIN);
        else if (m->kind == KW_PCRE)
            relative = p->flags & PCRE_RELATIVE;
        else if (m->kind == KW_BYTE_TEST)
            relative = ((const struct byte_test *)m->data)->flags & BYTE_RELATIVE;
        else if (m->kind == KW_BYTE_JUMP)
            relative = ((const struct byte_jump *)m->data)->flags & BYTE_RELATIVE;
        else if (m->kind == KW_BYTE_EXTRACT)
            relative = ((const struct byte_extract *)m->data)->flags & BYTE_RELATIVE;
        else if (m->kind == KW_BYTE_MATH)
            relative = ((const struct byte_math *)m->data)->flags & BYTE_RELATIVE;
        else if (m->kind == KW_ISDATAAT)
            relative = ((const struct isdataat *)m->data)->relative;
        else if (m->kind == KW_BASE64_DECODE)
            relative = ((const struct base64_decode *)m->data)->relative;
        if (relative && before && before->kind == KW_CONTENT) {
            struct content *w = match_data(before);
            w->flags |= w->flags & CONTENT_NEGATED ? 0 : CONTENT_RELATIVE_NEXT;
        } else if (relative && before) {
            struct pcre *w = match_data(before);
            w->flags |= PCRE_RELATIVE_NEXT;
        }
        if (m->kind == KW_CONTENT || m->kind == KW_PCRE)
            before = m;
    }
}

/* Buffers that hold hex digits in one case: a rule may write them in either. */
static bool is_hex_buffer(const char *name)
{
    static const char *const names[] = {"tls.cert_fingerprint", "tls.cert_serial", "ja3.hash",
                                        "ja3s.hash"};
    for (size_t i = 0; i < LEN(names); i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

static void hex_any_case(struct build *b, struct match *list)
{
    for (struct match *m = list; m; m = m->next) {
        struct content *c = match_data(m);
        if (m->kind != KW_CONTENT || (c->flags & CONTENT_NOCASE))
            continue;
        uint8_t *lower = build_get(b, c->bytes.n + 1);
        for (size_t i = 0; i < c->bytes.n; i++)
            lower[i] = ascii_lower(c->bytes.p[i]);
        c->bytes = span_of(lower, c->bytes.n);
        c->flags |= CONTENT_NOCASE;
    }
}

/* Hangs the conditions into their lists, in rule order. */
static bool finish_lists(struct build *b)
{
    struct rule *r = b->r;
    struct match *payload_tail = NULL, *base64_tail = NULL;
    struct base64_decode *base64 = NULL;
    for (uint32_t i = 0; i < b->n_placed; i++) {
        struct placed *p = &b->placed[i];
        struct match **head = &r->payload_matches, **tail = &payload_tail;
        if (p->list == LIST_BASE64) {
            if (p->base64 != base64)
                base64_tail = NULL;
            base64 = p->base64;
            head = &base64->matches;
            tail = &base64_tail;
        } else if (p->run) {
            head = &p->run->matches;
            tail = &p->run->last;
        }
        if (*tail)
            (*tail)->next = p->m;
        else
            *head = p->m;
        *tail = p->m;
    }
    mark_relative(r->payload_matches);
    for (struct buffer_matches *run = r->buffers; run; run = run->next) {
        if (!run->transform_n && is_hex_buffer(b->l->catalogue->buffers[run->buffer].name))
            hex_any_case(b, run->matches);
        mark_relative(run->matches);
        if (!run->transform_n &&
            !check_sizes(b, run->matches, largest_bsize(run->matches), "bsize"))
            return false;
    }
    for (uint32_t i = 0; i < b->n_placed; i++)
        if (b->placed[i].m->kind == KW_BASE64_DECODE)
            mark_relative(((const struct base64_decode *)b->placed[i].m->data)->matches);
    return check_sizes(b, r->payload_matches, largest_dsize(r), "dsize");
}

static void finish_type(struct rule *r)
{
    bool only = r->app == PROTO_NONE && !r->payload_matches && !r->buffers && !r->tx_matches &&
                !r->arp && !r->pkthdr &&
                !(r->flags & (RULE_ESTABLISHED | RULE_NOT_ESTABLISHED | RULE_STATELESS |
                              RULE_ONLY_STREAM | RULE_NO_STREAM | RULE_ONLY_FRAG | RULE_NO_FRAG));
    for (const struct match *m = r->packet_matches; m; m = m->next)
        only = only && m->kind == KW_IP_PROTO;
    for (const struct match *m = r->packet_matches; m; m = m->next)
        if (m->kind == KW_DECODE_EVENT || m->kind == KW_STREAM_EVENT)
            r->flags |= RULE_DECODE_EVENT;
    if (only)
        r->flags |= RULE_IP_ONLY;
}

bool rule_finish(struct build *b)
{
    struct rule *r = b->r;
    if (b->list_fresh && b->list >= LIST_BUFFER) {
        b->keyword = b->l->catalogue->buffers[b->list - LIST_BUFFER].name;
        return rule_fail_at(b, b->list_at, "the sticky buffer %s has no condition", b->keyword);
    }
    if (!b->has_sid)
        return rule_fail(b, "the sid is missing");
    if (!finish_lists(b) || !finish_protocol(b) || !finish_direction(b) ||
        !finish_packet_or_stream(b))
        return false;
    if (r->threshold && r->detection_filter)
        return rule_fail(b, "threshold and detection_filter do not go together");
    r->n_byte_vars = b->n_vars;
    finish_type(r);
    rule_choose_fast(r, b->l->catalogue);
    return true;
}
