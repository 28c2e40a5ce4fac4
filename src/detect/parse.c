/* SPDX-License-Identifier: Apache-2.0 */
/* The parser of one rule: header fields, then each option through its keyword's set-up. `requires`
 * is read first, since a rule for another version may hold anything. */
#include "detect/parse.h"

#include "base/mem.h"
#include "base/must.h"
#include "detect/names.h"

#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>

void diagnostic_add(struct loader *l, const struct diagnostic *d)
{
    struct ruleset *rs = l->rs;
    if (rs->n_diagnostics == l->cap_diagnostics) {
        l->cap_diagnostics = l->cap_diagnostics ? l->cap_diagnostics * 2 : 64;
        rs->diagnostics =
            mem_resize(rs->diagnostics, l->cap_diagnostics * sizeof(*rs->diagnostics));
    }
    rs->diagnostics[rs->n_diagnostics++] = *d;
}

static void build_diagnose(struct build *b, const char *reason, bool warning)
{
    struct diagnostic d = {.file = b->l->file,
                           .sid = b->r->sid,
                           .keyword = b->keyword,
                           .reason = build_str(b, span_str(reason)),
                           .warning = warning};
    lex_position(b->text, b->at, &d.line, &d.column);
    diagnostic_add(b->l, &d);
}

void rule_warn(struct build *b, const char *fmt, ...)
{
    char text[320];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    build_diagnose(b, text, true);
}

static bool parse_action(struct build *b, struct span name)
{
    static const struct {
        const char *name;
        uint8_t action;
    } actions[] = {{"alert", ACTION_ALERT},
                   {"pass", ACTION_PASS},
                   {"drop", ACTION_DROP},
                   {"reject", ACTION_REJECT},
                   {"rejectsrc", ACTION_REJECT},
                   {"rejectdst", ACTION_REJECT_DST},
                   {"rejectboth", ACTION_REJECT_BOTH},
                   {"config", ACTION_CONFIG}};
    b->at = name.p;
    for (size_t i = 0; i < LEN(actions); i++)
        if (span_ieq(name, span_str(actions[i].name))) {
            b->r->action = actions[i].action;
            return true;
        }
    struct nearest near = nearest_to(name);
    for (size_t i = 0; i < LEN(actions); i++)
        nearest_try(&near, span_str(actions[i].name));
    return rule_fail(b, "\"%.*s\" is not an action%s", (int)min_size(name.n, 40),
                     (const char *)name.p, nearest_text(&near));
}

static void proto_bit(struct rule *r, unsigned proto)
{
    r->ip_proto[proto / 8] |= (uint8_t)(1u << proto % 8);
}

static bool parse_proto(struct build *b, struct span name)
{
    static const struct {
        const char *name;
        uint8_t protos[2];
        uint8_t ip_v;
    } known[] = {
        {"tcp", {IPPROTO_TCP}, 0},
        {"tcp-pkt", {IPPROTO_TCP}, 0},
        {"tcp-stream", {IPPROTO_TCP}, 0},
        {"udp", {IPPROTO_UDP}, 0},
        {"icmp", {IPPROTO_ICMP, IPPROTO_ICMPV6}, 0},
        {"icmpv4", {IPPROTO_ICMP}, 0},
        {"icmpv6", {IPPROTO_ICMPV6}, 0},
        {"sctp", {IPPROTO_SCTP}, 0},
        {"ip", {0}, 0},
        {"pkthdr", {0}, 0},
        {"ipv4", {0}, 4},
        {"ip4", {0}, 4},
        {"ipv6", {0}, 6},
        {"ip6", {0}, 6},
        {"arp", {0}, 0},
    };
    struct rule *r = b->r;
    b->at = name.p;
    for (size_t i = 0; i < LEN(known); i++) {
        if (!span_ieq(name, span_str(known[i].name)))
            continue;
        r->ip_v = known[i].ip_v;
        if (!known[i].protos[0])
            memset(r->ip_proto, 0xff, sizeof(r->ip_proto));
        for (int k = 0; k < 2 && known[i].protos[k]; k++)
            proto_bit(r, known[i].protos[k]);
        r->tcp_packet_only = i == 1;
        r->tcp_stream_only = i == 2;
        b->wants_packet = b->wants_packet || i == 1;
        b->wants_stream = i == 2;
        r->pkthdr = span_ieq(name, SPAN("pkthdr"));
        r->arp = span_ieq(name, SPAN("arp"));
        return true;
    }
    struct span state = name;
    name = span_split(&state, ':');
    r->app = app_find(name);
    if (r->app == PROTO_NONE) {
        struct nearest near = nearest_to(name);
        for (size_t i = 0; i < LEN(known); i++)
            nearest_try(&near, span_str(known[i].name));
        app_names_try(&near);
        return rule_fail(b, "\"%.*s\" is not a protocol%s", (int)min_size(name.n, 40),
                         (const char *)name.p, nearest_text(&near));
    }
    r->app_named = true;
    r->flags |= RULE_NEEDS_APP;
    if (app_transports(r->app) & TRANSPORT_TCP)
        proto_bit(r, IPPROTO_TCP);
    if (app_transports(r->app) & TRANSPORT_UDP)
        proto_bit(r, IPPROTO_UDP);
    return !state.n || rule_hook(b, state);
}

static bool parse_address(struct build *b, struct span text, const struct address_set **ret)
{
    struct loader *l = b->l;
    struct vars_fault fault;
    uint32_t id = names_id(l->addresses, l->a, text);
    const void **known = names_value(l->addresses, id);
    if (!*known)
        *known = address_set_parse(l->vars, l->a, text, &fault);
    *ret = *known;
    return *ret || rule_fail_at(b, text.p + fault.at, "%s", fault.reason);
}

static bool parse_port(struct build *b, struct span text, const struct port_set **ret)
{
    struct loader *l = b->l;
    struct vars_fault fault;
    uint32_t id = names_id(l->ports, l->a, text);
    const void **known = names_value(l->ports, id);
    if (!*known)
        *known = port_set_parse(l->vars, l->a, text, &fault);
    *ret = *known;
    return *ret || rule_fail_at(b, text.p + fault.at, "%s", fault.reason);
}

static bool parse_header(struct build *b, const struct lex_header *h)
{
    struct rule *r = b->r;
    if (!parse_action(b, h->action) || !parse_proto(b, h->proto))
        return false;
    b->at = h->direction.p;
    if (span_eq(h->direction, SPAN("<>")))
        r->flags |= RULE_BIDIRECTIONAL;
    else if (span_eq(h->direction, SPAN("=>")))
        r->flags |= RULE_TX_BOTH;
    else if (!span_eq(h->direction, SPAN("->")))
        return rule_fail(b, "\"%.*s\" is not a direction: -> or <> or => expected",
                         (int)min_size(h->direction.n, 20), (const char *)h->direction.p);
    return parse_address(b, h->src, &r->src) && parse_port(b, h->sport, &r->sport) &&
           parse_address(b, h->dst, &r->dst) && parse_port(b, h->dport, &r->dport);
}

/* Takes negation and quotes off the value as the keyword's flags have it. */
static bool option_value(struct build *b, struct option *o, uint8_t flags)
{
    struct span v = o->value;
    b->at = v.p;
    if ((flags & KF_NEGATE) && v.n && v.p[0] == '!') {
        o->negated = true;
        v = span_trim(span_from(v, 1));
    }
    b->at = v.p;
    bool quoted = v.n && v.p[0] == '"';
    if ((flags & KF_QUOTED) && !quoted)
        return rule_fail(b, "the value must stand in double quotes");
    if (quoted && (flags & (KF_QUOTED | KF_QUOTES))) {
        if (v.n < 2 || v.p[v.n - 1] != '"')
            return rule_fail(b, "the closing double quote is missing (is a ';' not escaped?)");
        v = span_cut(v, 1, v.n - 2);
    }
    if (!v.n && !(flags & KF_QUOTED))
        return rule_fail(b, "the value is empty");
    o->value = v;
    return true;
}

static bool parse_unknown(struct build *b, struct span name)
{
    struct span near = catalogue_nearest(b->l->catalogue, name);
    int n = (int)min_size(name.n, 60);
    b->keyword = build_str(b, name);
    if (near.n)
        return rule_fail(b, "unknown keyword \"%.*s\"; the nearest is \"%.*s\"", n,
                         (const char *)name.p, (int)near.n, (const char *)near.p);
    return rule_fail(b, "unknown keyword \"%.*s\"", n, (const char *)name.p);
}

/* What a name stands for: which keyword's set-up handles it, and with which index. */
static uint8_t option_resolve(struct option *o, const struct name_ref *ref)
{
    static const uint16_t by_kind[] = {[NAME_BUFFER] = KW_STICKY,
                                       [NAME_MODIFIER] = KW_MODIFIER,
                                       [NAME_VALUE] = KW_TX_VALUE,
                                       [NAME_FOREIGN] = KW_FOREIGN};
    o->index = ref->index;
    o->keyword = ref->kind == NAME_KEYWORD ? ref->index : by_kind[ref->kind];
    return keyword_table[o->keyword].flags;
}

static bool parse_option(struct build *b, const struct lex_option *lo, const struct name_ref *ref)
{
    struct option o = {.name = lo->name, .value = lo->value, .has_value = lo->has_value};
    uint8_t flags = option_resolve(&o, ref);
    b->keyword = build_str(b, lo->name);
    b->at = lo->name.p;
    if (o.has_value && (flags & KF_NOVALUE) && o.value.n)
        return rule_fail_at(b, o.value.p, "no value is allowed");
    if (!o.value.n && (flags & KF_VALUE))
        return rule_fail(b, "a value is missing");
    if (o.has_value && !(flags & KF_NOVALUE) && !option_value(b, &o, flags))
        return false;
    b->at = lo->name.p;
    return keyword_table[o.keyword].setup(b, &o);
}

static bool parse_options(struct build *b, struct span options, bool requires)
{
    struct lex_option o;
    const char *reason;
    while (lex_option(&options, &o, &reason)) {
        bool is_requires = span_ieq(o.name, SPAN("requires"));
        if (is_requires != requires)
            continue;
        b->keyword = NULL;
        b->at = o.name.p;
        if (!o.name.n)
            return rule_fail(b, "a keyword is missing");
        const struct name_ref *ref = catalogue_find(b->l->catalogue, o.name);
        if (ref ? !parse_option(b, &o, ref) : !parse_unknown(b, o.name))
            return false;
    }
    if (reason && !requires) {
        b->keyword = o.name.n ? build_str(b, o.name) : NULL;
        return rule_fail_at(b, options.p, "%s", reason);
    }
    return true;
}

/* The sid of a rule that cannot be parsed, for its diagnostic. */
static uint32_t sid_search(struct span text)
{
    for (struct span rest = text;;) {
        size_t at = span_find(rest, SPAN("sid:"));
        if (at == SIZE_MAX)
            return 0;
        bool begins = at == 0 || rest.p[at - 1] == ';' || rest.p[at - 1] == '(' ||
                      ascii_is_space(rest.p[at - 1]);
        rest = span_from(rest, at + 4);
        struct span number = span_trim(span_cut(rest, 0, span_find_byte(rest, ';')));
        uint64_t v;
        if (begins && span_u64(number, &v) && v <= UINT32_MAX)
            return (uint32_t)v;
    }
}

static void build_begin(struct build *b, struct loader *l, const struct lex_rule *text)
{
    memset(b, 0, offsetof(struct build, placed));
    memset(&b->n_placed, 0, sizeof(*b) - offsetof(struct build, n_placed));
    b->l = l;
    b->text = text;
    b->at = text->text.p;
    b->list = PLACE_NONE;
    b->r = build_get(b, sizeof(*b->r));
    b->r->gid = 1;
    b->r->priority = 3;
    b->r->file = l->file;
    b->r->line = text->line;
}

static bool parse_all(struct build *b, const struct lex_rule *text)
{
    struct lex_header h;
    const uint8_t *at;
    const char *reason;
    if (text->too_long)
        return rule_fail(b, "the rule has more than %d bytes", RULE_BYTES_MAX);
    if (text->cut_off)
        return rule_fail_at(b, text->text.p + text->text.n, "the file ends inside the rule");
    if (!lex_header(text->text, &h, &at, &reason))
        return rule_fail_at(b, at, "%s", reason);
    if (!parse_options(b, h.options, true))
        return false;
    if (b->silent)
        return true;
    b->keyword = NULL;
    if (!parse_header(b, &h) || !parse_options(b, h.options, false))
        return false;
    b->keyword = NULL;
    b->at = text->text.p;
    return rule_finish(b);
}

enum rule_result rule_parse(struct loader *l, struct build *b, const struct lex_rule *text,
                            struct rule **ret)
{
    size_t warnings = l->rs->n_diagnostics;
    build_begin(b, l, text);
    bool ok = parse_all(b, text);
    if (ok && b->silent)
        return RULE_SKIPPED;
    if (!b->r->sid)
        b->r->sid = sid_search(text->text);
    for (size_t i = warnings; i < l->rs->n_diagnostics; i++)
        l->rs->diagnostics[i].sid = b->r->sid;
    if (!ok) {
        l->rs->n_diagnostics = warnings;
        build_diagnose(b, b->reason, false);
        return RULE_BAD;
    }
    *ret = b->r;
    return RULE_OK;
}
